"""Names of PyTorch's that a script may ask about, but that cannot mean anything here."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from tinygrad_lite.engine.layout import Layout
from tinygrad_lite.engine.no_effect import NO_EFFECT, AbsentRoom, absent as absent, ignored

ABSENT = {
    "complex": "there are no complex tensors; keep the real and the imaginary part apart",
    "polar": "there are no complex tensors; use r * cos(a) and r * sin(a)",
    "view_as_real": "there are no complex tensors",
    "view_as_complex": "there are no complex tensors",
    "stft": "there are no complex tensors; use unfold with hann_window and numpy.fft.rfft",
    "istft": "there are no complex tensors; use numpy.fft.irfft",
    "sparse_coo_tensor": "tensors are dense; use zeros(size).index_put(...)",
    "sparse_csr_tensor": "tensors are dense; use zeros(size).index_put(...)",
    "quantize_per_tensor": "there are no quantised tensors",
    "eig": "it was removed from PyTorch too; use linalg.eigh for symmetric matrices",
    "symeig": "it was removed from PyTorch too; use linalg.eigh",
    "solve": "it was removed from PyTorch too; use linalg.solve(A, B)",
    "lstsq": "it was removed from PyTorch too; use linalg.lstsq(A, B)",
    "matrix_rank": "it was removed from PyTorch too; use linalg.matrix_rank(A)",
    "lobpcg": "use linalg.eigh",
}
"""What is not here, and what to do instead."""
_QUANTISED, _ONE = "there are no quantised tensors", "there is no such device; choose by is_available() of cuda (False)"
ROOMS = {
    "ao": _QUANTISED, "ao.quantization": _QUANTISED, "quantization": _QUANTISED, "nn.quantized": _QUANTISED,
    "ao.nn": _QUANTISED, "nn.intrinsic": _QUANTISED, "nn.qat": _QUANTISED, "xpu": _ONE, "mtia": _ONE,
    "classes": "there is no C++ library", "fx": "the graph of a call is in viz",
    "export": "onnx.export() writes the graph and the weights",
    "nested": "tensors are rectangular; pad with nn.utils.rnn.pad_sequence", "sparse": "tensors are dense",
    "package": "save() keeps the weights", "monitor": "use profiler",
    "utils.cpp_extension": "write the function with NumPy and declare it with op()",
    "utils.mobile_optimizer": "there is no TorchScript", "_dynamo": "compile() has no settings",
    "_inductor": "compile() has no settings", "_C": "there is no C++ library",
}  # fmt: skip
"""Modules that can be imported and have nothing in them, and what to do instead."""
for _room, _instead in ROOMS.items():
    sys.modules[f"tinygrad_lite.{_room}"] = AbsentRoom(f"tinygrad_lite.{_room}", _instead)


def _same(f: Any = None, *args: Any, **words: Any) -> Any:
    """Return the function as it is; also as a decorator with arguments."""
    return f if callable(f) else lambda g: g


for _room, _names, _value in (
    ("_dynamo", "disable allow_in_graph disallow_in_graph graph_break", _same), ("_dynamo", "reset mark_dynamic", None),
    ("fx", "wrap", _same), ("_C", "_log_api_usage_once _jit_set_profiling_mode _jit_set_profiling_executor", None),
    ("_C", "_get_tracing_state", None),
):  # fmt: skip
    for _name in _names.split():
        _why = ROOMS[_room]
        _found = ignored(f"{_room}.{_name}", _why)
        if _value is not None:
            NO_EFFECT[f"{_room}.{_name}"], _found = _why, _value
        setattr(sys.modules[f"tinygrad_lite.{_room}"], _name, _found)


def _quiet() -> Any:
    return import_module("tinygrad_lite.engine.overriding").quiet()


def as_it_is(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Call ``func`` without asking: the ``__torch_function__`` of `Parameter` and the package's own classes."""
    with _quiet():
        return func(*args, **(kwargs or {}))


for _name in ("DisableTorchFunction", "DisableTorchFunctionSubclass"):
    setattr(sys.modules["tinygrad_lite._C"], _name, _quiet)
sys.modules["tinygrad_lite._C"].__dict__["_disabled_torch_function_impl"] = as_it_is
LAYOUTS = {n: Layout(n) for n in ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged")}
"""Layouts that no tensor has: scripts compare with them."""


class AbsentDType:
    """A dtype of PyTorch's that no tensor can have: scripts compare with it; an op that is given it raises."""

    __slots__ = ("is_complex", "is_floating_point", "is_signed", "itemsize", "name")

    def __init__(self, name: str, itemsize: int) -> None:
        self.name, self.itemsize = name, itemsize
        self.is_complex = name.startswith("complex")
        self.is_floating_point = "float" in name
        self.is_signed = not name.startswith("quint")

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> Any:
        return AbsentDType, (self.name, self.itemsize)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbsentDType) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


DTYPES = {
    name: AbsentDType(known, size)
    for known, size, names in (
        ("bfloat16", 2, ("bfloat16",)), ("complex32", 4, ("complex32", "chalf")),
        ("complex64", 8, ("complex64", "cfloat")), ("complex128", 16, ("complex128", "cdouble")),
        ("float8_e4m3fn", 1, ("float8_e4m3fn",)), ("float8_e5m2", 1, ("float8_e5m2",)), ("qint8", 1, ("qint8",)),
        ("quint8", 1, ("quint8",)), ("qint32", 4, ("qint32",)),
    )
    for name in names
}  # fmt: skip
"""Absent dtypes by each of their names."""
