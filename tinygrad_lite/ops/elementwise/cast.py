"""Casts between dtypes, copies and memory layout."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.devices import CPU, NAMED, Device, as_device, moved
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.layout import (
    arranged,
    channels_last,
    contiguous_format,
    lies_in,
    order_in,
    preserve_format,
    reproduced,
)
from tinygrad_lite.engine.op import described, function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor, make
from tinygrad_lite.errors import DTypeError, OptionError, describe


def _back(g: Array, input_dtype: Any) -> Array:
    return g.astype(input_dtype)


@op(input=_back, kind="shape", label="to", public=False, samples=Samples("()->()", options={"dtype": ("float64",)}))
def cast(input: Array, dtype: np.dtype[Any]) -> Array:
    """Return ``input`` with another dtype.

    Its gradient comes back in the dtype of ``input``.
    """
    x = new.asarray(input)
    y = x.astype(dtype)
    return y if x.flags.forc else arranged(y, (x,))


@op(input=lambda g: g, kind="shape", label="copy", numpy=np.copy, samples=Samples("()->()"))
def clone(input: Array, memory_format: object = None) -> Array:
    """Return a copy of ``input`` that is still part of the graph.

    The axes keep their order in memory unless ``memory_format`` names another.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1.0, 2.0]).clone()
    tensor([1., 2.])
    """
    return reproduced("clone", new.asarray(input), memory_format)


OLD_NAMES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "Byte": "uint8", "Char": "int8", "Short": "int16",
    "Int": "int32", "Long": "int64", "Bool": "bool",
}  # fmt: skip
"""The dtypes of PyTorch's older tensor types: ``FloatTensor``, ``LongTensor`` ..."""


def dtype_of(name: str, dtype: Any) -> np.dtype[Any]:
    """Return a NumPy dtype for a dtype, a name, a type or a tensor type; raise if tensors cannot have it."""
    if isinstance(dtype, DType):
        return dtype.dtype
    known = getattr(dtype, "tensor_dtype", None)  # FloatTensor and the like
    if isinstance(dtype, str):
        short = dtype.removeprefix("torch.").removeprefix("cuda.")
        known = OLD_NAMES.get(short.removesuffix("Tensor"), short)
    try:
        chosen: np.dtype[Any] = np.dtype(dtype if known is None else known)
    except (TypeError, ValueError):
        raise DTypeError(f"{name}: {describe(dtype)} is not a dtype; use one such as float32 or int64") from None
    if chosen.kind not in "biuf":
        raise DTypeError(f"{name}: tensors cannot have dtype {chosen}; use a floating, integer or bool dtype")
    return chosen


def _sent_back(g: Array, source: Device) -> Array:
    return transfer(g, source, g.device) if isinstance(g, Tensor) else moved(g, source)


@op(
    input=_sent_back, kind="shape", label="to", public=False, layout=None,
    samples=Samples("()->()", options={"device": (CPU,), "source": (CPU,)}),
)  # fmt: skip
def transfer(input: Array, device: Device, source: Device) -> Array:
    """Return a copy of ``input``, which lies on the device ``source``, on another device."""
    return new.array(input) if device == source else moved(input, device)


DEVICES = ("cpu", "cuda", "mps", "meta")


@function()
def to(
    input: Array, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False,
    memory_format: Any = None,
) -> Array:  # fmt: skip
    """Return ``input`` with the dtype and on the device of ``args`` (a dtype, a device or another tensor).

    If it is so already, ``input`` itself. A gradient comes back to the dtype and the device of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1, 2]).to(tl.float64).dtype
    torch.float64
    """
    for a in args:
        if isinstance(a, (Tensor, np.ndarray)):
            dtype, device = a.dtype, a.device if isinstance(a, Tensor) else device
        elif isinstance(a, bool) or a is None:
            continue
        elif isinstance(a, Device) or isinstance(a, str) and a.partition(":")[0] in (*DEVICES, *NAMED):
            device = a
        else:
            dtype = a
    if device is not None and (place := as_device(device)).type != input.device.type and place.type != "meta":
        input, copy = transfer(input, place, input.device), False
    chosen = input.dtype if dtype is None else dtype_of("to", dtype)
    if chosen.kind != "f" and isinstance(input, Tensor) and input.tracked and chosen != input.dtype:
        input = input.detach()  # integers and bools have no gradient
    y = input if chosen == input.dtype else cast(input, chosen)
    if memory_format is not None and memory_format is not preserve_format:
        y = contiguous(y, memory_format)
    return clone(y) if copy and y is input else y


@function(name="type")
def dtype_or_cast(input: Array, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Return ``input`` with another dtype, or the name of its tensor type as PyTorch spells it.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1.0]).type()
    'torch.FloatTensor'
    >>> tl.tensor([1.0]).type("torch.LongTensor").dtype
    torch.int64
    """
    if dtype is not None:
        return to(input, dtype_of("type", dtype))
    return next(f"torch.{old}Tensor" for old, known in OLD_NAMES.items() if input.dtype == known)


@function()
def type_as(input: Array, other: Array) -> Array:
    """Return ``input`` with the dtype of ``other``.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1, 2]).type_as(tl.tensor(0.0))
    tensor([1., 2.])
    """
    return to(input, other.dtype)


@function()
def astype(input: Array, dtype: Any, copy: bool = True) -> Array:
    """Return ``input`` with another dtype: NumPy's name for `to`.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1, 2]).astype("float64")
    tensor([1., 2.], dtype=float64)
    """
    return to(input, dtype)


@function()
def contiguous(input: Array, memory_format: Any = None) -> Array:
    """Return ``input`` contiguous in memory: itself if it already is, else a copy.

    With ``memory_format=channels_last`` the elements of all channels of a pixel stand side by side.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 3).t().contiguous().is_contiguous()
    True
    """
    chosen = contiguous_format if memory_format is None else memory_format
    return input if is_contiguous(input, chosen) else clone(input, chosen)


@function(public=False, method="stride")
def stride(input: Array, dim: int | None = None) -> Any:
    """Return the memory stride of each axis, or of ``dim``, in elements.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 3).stride(), tl.ones(2, 3).t().stride(), tl.ones(2, 3).stride(-1)
    ((3, 1), (1, 3), 1)
    """
    array = input.array if isinstance(input, Tensor) else input
    strides = tuple([n // array.itemsize for n in array.strides])
    if not any(strides) and not array.size:  # NumPy has zeros for an array of nothing
        strides = tuple([prod([max(n, 1) for n in array.shape[i + 1 :]]) for i in range(array.ndim)])
    if dim is None:
        return strides
    if not -len(strides) <= dim < len(strides):
        raise IndexError(f"stride: dim {dim} is out of range for shape {tuple(array.shape)}")
    return strides[dim]


@function()
def is_contiguous(input: Array, memory_format: Any = None) -> bool:
    """Return whether the elements are contiguous in memory, in row-major order or in ``memory_format``.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 3).t().is_contiguous()
    False
    """
    array = input.array if isinstance(input, Tensor) else input
    if memory_format is None or memory_format is contiguous_format:
        return bool(array.flags.c_contiguous)
    if memory_format is preserve_format:
        raise OptionError("is_contiguous: preserve_format names no order of its own; use contiguous_format")
    axes = 4 if memory_format is channels_last else 5
    return array.ndim == axes and lies_in(array, order_in("is_contiguous", array, memory_format))


def _shortcut(name: str, dtype: str) -> None:
    chosen = np.dtype(dtype)

    def convert(input: Array, memory_format: Any = None) -> Array:
        if memory_format is None and isinstance(input, Tensor) and input.array.dtype is chosen:
            return input
        return to(input, dtype, memory_format=memory_format)

    summary, call = f"Return ``input`` as {dtype}.", f"tl.tensor([0.0, 2.0]).{name}().dtype"
    function(name=name)(described(convert, name, summary, call, f"torch.{dtype}"))


for _name, _dtype in {
    "double": "float64", "float": "float32", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
    "char": "int8", "byte": "uint8", "bool": "bool",
}.items():  # fmt: skip
    _shortcut(_name, _dtype)


@function(method=False)
def detach(input: Array) -> Array:
    """Return a tensor that shares the memory of ``input`` but is not part of its graph.

    >>> import tinygrad_lite as tl
    >>> tl.detach(tl.tensor([1.0], requires_grad=True))
    tensor([1.])
    """
    return input.detach()


@function(public=False, method="cpu")
def cpu(input: Array, memory_format: Any = None) -> Array:
    """Return ``input`` on the CPU: itself if it is there.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1.0]).cpu()
    tensor([1.])
    """
    return input if input.array.__class__ is np.ndarray else to(input, CPU)


@function(name="is_floating_point", method=False)
def has_floats(input: Array) -> bool:
    """Return whether the dtype is a floating one.

    >>> import tinygrad_lite as tl
    >>> tl.is_floating_point(tl.tensor([1]))
    False
    """
    if not hasattr(input, "dtype"):
        raise DTypeError(f"is_floating_point: expected a tensor, got {describe(input)}")
    return bool(input.dtype.kind == "f")


@function(method=False)
def is_tensor(obj: Any) -> bool:
    """Return whether ``obj`` is a tensor.

    >>> import tinygrad_lite as tl
    >>> tl.is_tensor([1.0])
    False
    """
    return isinstance(obj, Tensor)


@function(method=False)
def numel(input: Array) -> int:
    """Return the number of elements.

    >>> import tinygrad_lite as tl
    >>> tl.numel(tl.ones(2, 3))
    6
    """
    return int((input.array if isinstance(input, Tensor) else new.asarray(input)).size)


def bare(x: Any) -> Any:
    """Return the array of a Tensor, and anything else unchanged."""
    return x.array if isinstance(x, Tensor) else x


def unshared(y: Any, x: Any) -> Any:
    """Return ``y``, as a copy if it lies in the memory of ``x``: a write to one must not change the other."""
    return clone(y) if np.may_share_memory(bare(y), bare(x)) else y


def alike(x: Any, array: Any) -> Any:
    """Return ``array`` as a Tensor if ``x`` is one, else as an array."""
    return make(new.asarray(array)) if isinstance(x, Tensor) else new.asarray(array)
