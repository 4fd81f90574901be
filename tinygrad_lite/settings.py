"""Settings of the whole program that PyTorch keeps at its top level, and questions about types."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.devices import DEFAULT, Device, as_device
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.mode import is_inference_mode_enabled as is_inference_mode_enabled
from tinygrad_lite.engine.no_effect import NO_EFFECT, absent, ignored
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, set_default_dtype
from tinygrad_lite.errors import DTypeError, OptionError, OutOfMemoryError
from tinygrad_lite.ops.elementwise.cast import dtype_of

__all__ = [
    "are_deterministic_algorithms_enabled", "can_cast", "get_default_device", "get_deterministic_debug_mode",
    "get_float32_matmul_precision", "get_num_interop_threads", "is_deterministic_algorithms_warn_only_enabled",
    "is_distributed", "is_inference_mode_enabled", "is_storage", "is_warn_always_enabled", "set_default_device",
    "set_default_tensor_type", "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal",
    "set_num_interop_threads", "set_warn_always", "typename", "use_deterministic_algorithms", "AcceleratorError",
    "OutOfMemoryError", "Event", "Stream", "SymBool", "SymFloat", "SymInt", "clear_autocast_cache",
    "compiled_with_cxx11_abi", "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype",
    "get_device_module", "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled",
    "is_vulkan_available", "set_autocast_cache_enabled", "set_autocast_cpu_dtype", "set_autocast_cpu_enabled",
    "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype", "sym_float", "sym_int", "sym_max",
    "sym_min", "sym_not", "sym_sqrt",
]  # fmt: skip

_chosen: dict[str, Any] = {"precision": "highest", "deterministic": False, "warn_only": False, "warn": False,
                           "interop": 1}  # fmt: skip
NO_EFFECT.update(
    {
        "set_float32_matmul_precision": "products are always computed in the dtype of their operands",
        "set_flush_denormal": "denormal numbers are kept, which its result False says",
        "set_num_interop_threads": "operations run one after another",
        "set_warn_always": "Python's warning filters decide",
        "use_deterministic_algorithms": "every operation is deterministic",
        "set_deterministic_debug_mode": "every operation is deterministic",
    }
)


# ------------------------------------------------------------------------------------------------ defaults
@named
def set_default_device(device: Any) -> None:
    """Choose the device of new tensors of this thread or task; raise DeviceError for one that does not exist.

    >>> import tinygrad_lite as tl
    >>> tl.set_default_device("cpu")
    >>> tl.zeros(1).device
    device(type='cpu')
    """
    DEFAULT.set(as_device(device))


def get_default_device() -> Device:
    """Return the device of new tensors.

    >>> get_default_device()
    device(type='cpu')
    """
    return DEFAULT.get() or Device("cpu")


@named
def set_default_tensor_type(t: Any) -> None:
    """Choose the default dtype by a tensor type, ``DoubleTensor`` or its name: an older form of `set_default_dtype`.

    >>> import tinygrad_lite as tl
    >>> tl.set_default_tensor_type(tl.FloatTensor)
    >>> tl.zeros(1).dtype
    torch.float32
    """
    dtype = dtype_of("set_default_tensor_type", t)
    if dtype.kind != "f":
        raise DTypeError(f"set_default_tensor_type: only floating-point types are supported as the default, got {t}")
    set_default_dtype(dtype)


@named
def set_float32_matmul_precision(precision: str) -> None:
    """Store the precision ``highest``, ``high`` or ``medium``; products are computed in full precision always.

    >>> import tinygrad_lite as tl
    >>> tl.set_float32_matmul_precision("high")
    >>> tl.get_float32_matmul_precision()
    'high'
    >>> tl.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"set_float32_matmul_precision: {precision!r} is not one of 'highest', 'high', 'medium'", stacklevel=3
        )
        return
    _chosen["precision"] = precision


def get_float32_matmul_precision() -> str:
    """Return the value set by `set_float32_matmul_precision`.

    >>> import tinygrad_lite as tl
    >>> tl.get_float32_matmul_precision()
    'highest'
    """
    return str(_chosen["precision"])


# ------------------------------------------------------------------------------------------------ determinism
@named
def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Store the choice; every operation is deterministic here.

    >>> import tinygrad_lite as tl
    >>> tl.use_deterministic_algorithms(True)
    >>> on = tl.are_deterministic_algorithms_enabled()
    >>> tl.use_deterministic_algorithms(False)
    >>> on
    True
    """
    if not isinstance(mode, bool):
        raise TypeError(f"use_deterministic_algorithms: mode must be True or False, got {mode!r}")
    _chosen["deterministic"], _chosen["warn_only"] = mode, bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Return the value set by `use_deterministic_algorithms`.

    >>> import tinygrad_lite as tl
    >>> tl.are_deterministic_algorithms_enabled()
    False
    """
    return bool(_chosen["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return whether `use_deterministic_algorithms` was asked to warn only.

    >>> import tinygrad_lite as tl
    >>> tl.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return bool(_chosen["warn_only"])


@named
def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Store ``default`` (0), ``warn`` (1) or ``error`` (2): another form of `use_deterministic_algorithms`.

    >>> import tinygrad_lite as tl
    >>> tl.set_deterministic_debug_mode(0)
    >>> tl.get_deterministic_debug_mode()
    0
    """
    names: dict[Any, int] = {"default": 0, "warn": 1, "error": 2, 0: 0, 1: 1, 2: 2}
    if debug_mode not in names:
        raise OptionError(f"set_deterministic_debug_mode: expected default, warn, error or 0, 1, 2, got {debug_mode!r}")
    level = names[debug_mode]
    use_deterministic_algorithms(level > 0, warn_only=level == 1)


def get_deterministic_debug_mode() -> int:
    """Return 0, 1 (warn) or 2 (error).

    >>> import tinygrad_lite as tl
    >>> tl.get_deterministic_debug_mode()
    0
    """
    return 0 if not _chosen["deterministic"] else 1 if _chosen["warn_only"] else 2


@named
def set_warn_always(b: bool) -> None:
    """Store the choice; Python's filters decide how often a warning is shown.

    >>> import tinygrad_lite as tl
    >>> tl.set_warn_always(False)
    """
    if not isinstance(b, bool):
        raise TypeError(f"set_warn_always: expected True or False, got {b!r}")
    _chosen["warn"] = b


def is_warn_always_enabled() -> bool:
    """Return the value set by `set_warn_always`.

    >>> import tinygrad_lite as tl
    >>> tl.is_warn_always_enabled()
    False
    """
    return bool(_chosen["warn"])


@named
def set_flush_denormal(mode: bool) -> bool:
    """Return False: denormal numbers cannot be switched off from NumPy.

    >>> import tinygrad_lite as tl
    >>> tl.set_flush_denormal(False)
    False
    """
    return False


def get_num_interop_threads() -> int:
    """Return the value set by `set_num_interop_threads`, by default 1: operations run one after another.

    >>> import tinygrad_lite as tl
    >>> tl.get_num_interop_threads()
    1
    """
    return int(_chosen["interop"])


@named
def set_num_interop_threads(num: int) -> None:
    """Store a number; operations run one after another.

    >>> import tinygrad_lite as tl
    >>> tl.set_num_interop_threads(1)
    """
    if isinstance(num, bool) or not isinstance(num, (int, np.integer)) or num < 1:
        raise OptionError(f"set_num_interop_threads: expected a positive integer, got {num!r}")
    _chosen["interop"] = int(num)


# ------------------------------------------------------------------------------------------------ devices, autocast
class AcceleratorError(RuntimeError):
    """An error of a device: raised by none here."""


Stream, Event = (absent(name, "there is no device beside the CPU") for name in ("Stream", "Event"))
SymInt, SymFloat, SymBool = (absent(name, "sizes are numbers") for name in ("SymInt", "SymFloat", "SymBool"))
sym_int, sym_float, sym_max, sym_min = int, float, max, min
_NO_CAST = "operations keep the dtype of their operands"
(
    set_autocast_enabled, set_autocast_cache_enabled, set_autocast_cpu_enabled, set_autocast_dtype,
    set_autocast_cpu_dtype, set_autocast_gpu_dtype, clear_autocast_cache,
) = (
    ignored(name, _NO_CAST)
    for name in (
        "set_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_cpu_enabled", "set_autocast_dtype",
        "set_autocast_cpu_dtype", "set_autocast_gpu_dtype", "clear_autocast_cache",
    )
)  # fmt: skip


@named
def _assert(condition: Any, message: str) -> None:
    """Raise AssertionError with ``message`` unless ``condition`` holds."""
    if not condition:
        raise AssertionError(message)


@named
def sym_not(a: Any) -> bool:
    """Return ``not a``.

    >>> import tinygrad_lite as tl
    >>> tl.sym_not(True)
    False
    """
    return not a


@named
def sym_sqrt(a: Any) -> float:
    """Return the square root of a number.

    >>> import tinygrad_lite as tl
    >>> tl.sym_sqrt(9)
    3.0
    """
    return float(np.sqrt(a))


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Return False: operations keep the dtype of their operands.

    >>> import tinygrad_lite as tl
    >>> tl.is_autocast_cache_enabled()
    False
    """
    return False


is_autocast_cpu_enabled = is_autocast_cache_enabled = is_autocast_enabled


def compiled_with_cxx11_abi() -> bool:
    """Return False: nothing here is compiled.

    >>> import tinygrad_lite as tl
    >>> tl.compiled_with_cxx11_abi()
    False
    """
    return False


is_vulkan_available = compiled_with_cxx11_abi


def get_autocast_dtype(device_type: str = "cuda") -> Any:
    """Return the dtype that operations are computed in, the default one.

    >>> import tinygrad_lite as tl
    >>> tl.get_autocast_cpu_dtype()
    torch.float32
    """
    return DType(get_default_dtype())


get_autocast_cpu_dtype = get_autocast_gpu_dtype = get_autocast_dtype


def get_device_module(device: Any = None) -> Any:
    """Return the module of the only device, `tinygrad_lite.cpu`.

    >>> import tinygrad_lite as tl
    >>> tl.get_device_module("cpu").__name__
    'tinygrad_lite.cpu'
    """
    from importlib import import_module

    as_device(device)
    return import_module("tinygrad_lite.cpu")


# ------------------------------------------------------------------------------------------------ questions
@named
def can_cast(from_: Any, to: Any) -> bool:
    """Return whether PyTorch's rules allow a result of one dtype in a tensor of another.

    >>> can_cast("float64", "float32"), can_cast("float32", "int64")
    (True, False)
    """
    a, b = dtype_of("can_cast", from_), dtype_of("can_cast", to)
    level = {"b": 0, "u": 1, "i": 1, "f": 2}
    return level[a.kind] <= level[b.kind]


def is_storage(obj: Any) -> bool:
    """Return whether ``obj`` is the storage of a tensor.

    >>> import tinygrad_lite as tl
    >>> tl.is_storage(tl.ones(2))
    False
    """
    return type(obj).__name__ in ("Storage", "TypedStorage")


class ByteStorage:
    """Bytes in memory, for `ByteTensor`.

    >>> import tinygrad_lite as tl
    >>> tl.ByteTensor(tl.ByteStorage.from_buffer(b"ab"))
    tensor([97, 98], dtype=uint8)
    """

    @staticmethod
    def from_buffer(buffer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return a copy of the bytes of ``buffer``."""
        return new.array(np.frombuffer(buffer, np.uint8))


def is_distributed(input: Any) -> bool:
    """Return False: a tensor lies in one process.

    >>> import tinygrad_lite as tl
    >>> tl.is_distributed(tl.ones(2))
    False
    """
    return False


def typename(obj: Any) -> str:
    """Return the name of a type, of a tensor as PyTorch's older types are called.

    >>> import tinygrad_lite as tl
    >>> typename(tl.ones(2)), typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return str(obj.type())
    name = getattr(obj, "__qualname__", None)
    kind = obj if name is not None else type(obj)
    module = getattr(kind, "__module__", "") or ""
    return kind.__qualname__ if module in ("builtins", "__builtin__", "") else f"{module}.{kind.__qualname__}"
