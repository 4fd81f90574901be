"""Exchange of memory with other libraries: DLPack, buffers, and tensors of anything that holds numbers."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.devices import as_device
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import publish
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, make, to_array
from tinygrad_lite.errors import OptionError, describe
from tinygrad_lite.ops.elementwise.cast import dtype_of

CPU = (1, 0)
"""DLPack's number of the CPU, and of the only one."""


class _Capsule:
    """Gives a capsule that another library made to NumPy, which asks for an object with ``__dlpack__``."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **words: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


def __dlpack__(self: Any, *, stream: Any = None, **words: Any) -> Any:  # noqa: N807 - the protocol's name
    """Return a DLPack capsule of the same memory; raise BufferError if the tensor requires gradients."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if not self.array.flags.writeable:  # NumPy exports no read-only array to readers of the older protocol
        words.pop("copy", None)
        return self.array.copy().__dlpack__(stream=stream, **words)
    return self.array.__dlpack__(stream=stream, **words)


def __dlpack_device__(self: Any) -> tuple[int, int]:  # noqa: N807 - the protocol's name
    """Return DLPack's number of the CPU."""
    return CPU


setattr(Methods, "__dlpack__", __dlpack__)  # noqa: B010 - Tensor inherits its methods from Methods
setattr(Methods, "__dlpack_device__", __dlpack_device__)  # noqa: B010


@named
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Return a tensor that shares the memory of an array of another library, or of a DLPack capsule.

    >>> import numpy as np, tinygrad_lite as tl
    >>> tl.from_dlpack(np.arange(3))
    tensor([0, 1, 2])
    """
    as_device(device)
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise AttributeError(f"from_dlpack: {describe(ext_tensor)} has no __dlpack__; use tensor()")
    if isinstance(ext_tensor, np.ndarray):
        array = ext_tensor
    else:
        if tuple(ext_tensor.__dlpack_device__())[0] != CPU[0]:
            raise BufferError("from_dlpack: the memory is not on the CPU; copy it there first")
        array = ext_tensor.array if isinstance(ext_tensor, Tensor) else np.from_dlpack(ext_tensor)
        if isinstance(ext_tensor, Tensor) and ext_tensor.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if not array.flags.writeable and not isinstance(ext_tensor, Tensor):  # NumPy marks what came by the older form
            array = _writable(array)
    return make(to_array(array, copy=bool(copy), name="from_dlpack"))


def _writable(array: Any) -> Any:
    """Return the same memory as an array that may be written to, as PyTorch's tensors of it may."""
    if not array.size or any(s < 0 for s in array.strides):
        return array
    extent = sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)) + array.itemsize
    address = array.__array_interface__["data"][0]
    memory = (ctypes.c_char * extent).from_address(address)
    memory._owner = array
    return new.ndarray(array.shape, array.dtype, memory, 0, array.strides)


@named
def to_dlpack(tensor: Any) -> Any:
    """Return a DLPack capsule of a tensor's memory.

    >>> import tinygrad_lite as tl
    >>> tl.from_dlpack(tl.to_dlpack(tl.ones(2)))
    tensor([1., 1.])
    """
    return tensor.__dlpack__()


@named
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """Return ``obj`` (a tensor, an array, a buffer, a number, nested lists) as a tensor, sharing memory if possible.

    ``copy``: True for a copy always, False to raise ValueError where one is needed.

    >>> import tinygrad_lite as tl
    >>> tl.asarray([1, 2])
    tensor([1, 2])
    """
    as_device(device)
    chosen = None if dtype is None else dtype_of("asarray", dtype)
    if isinstance(obj, Tensor):
        y = obj if chosen is None or chosen == obj.array.dtype else obj.to(chosen)
        if copy is False and y is not obj:
            raise ValueError("asarray: can't alias tensor with dtype; a copy is needed, pass copy=None")
        y = y.clone() if copy and y is obj else y
    else:
        if isinstance(obj, (bytes, bytearray, memoryview)):
            obj = new.frombuffer(obj, get_default_dtype() if chosen is None else chosen)
        elif not isinstance(obj, np.ndarray) and hasattr(obj, "__dlpack__") and not np.isscalar(obj):
            obj = from_dlpack(obj.detach() if hasattr(obj, "detach") else obj).array
        y = make(to_array(obj, chosen, copy=bool(copy), name="asarray"))
        if copy is False and not (isinstance(obj, np.ndarray) and np.shares_memory(y.array, obj)):
            raise ValueError(f"asarray: can't alias {describe(obj)}; a copy is needed, pass copy=None")
    return y.requires_grad_() if requires_grad else y


@named
def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:  # fmt: skip
    """Return a 1-D tensor that shares the memory of a Python buffer.

    >>> import tinygrad_lite as tl
    >>> tl.frombuffer(bytearray([1, 2, 3]), dtype=tl.uint8, offset=1)
    tensor([2, 3], dtype=uint8)
    """
    chosen = dtype_of("frombuffer", dtype)
    length = memoryview(buffer).nbytes
    if length == 0 or count == 0:
        raise OptionError(f"frombuffer: expected elements, the buffer has {length} bytes and count is {count}")
    if not 0 <= offset < length:
        raise OptionError(f"frombuffer: offset must lie in the buffer of {length} bytes, got {offset}")
    rest = length - offset
    if count < 0 and rest % chosen.itemsize or count > 0 and count * chosen.itemsize > rest:
        raise OptionError(
            f"frombuffer: {rest} bytes after offset {offset} do not hold {count if count > 0 else 'whole'} elements "
            f"of {chosen.itemsize} bytes"
        )
    t = make(new.frombuffer(buffer, chosen, count, offset))
    if requires_grad:
        t.requires_grad = True
    return t


@named
def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a number as a 0-d tensor, of the default dtype unless another is given.

    >>> import tinygrad_lite as tl
    >>> tl.scalar_tensor(2)
    tensor(2.)
    """
    as_device(device)
    t = make(new.array(s, get_default_dtype() if dtype is None else dtype_of("scalar_tensor", dtype)))
    if requires_grad:
        t.requires_grad = True
    return t


for _function in (from_dlpack, to_dlpack, asarray, frombuffer, scalar_tensor):
    publish(_function.__name__, _function, (), method=False)
