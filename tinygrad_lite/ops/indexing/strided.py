"""Tensors as memory: `as_strided`, where the elements begin, and `resize_`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.layout import lies_in, order_of
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor, make
from tinygrad_lite.engine.versions import owner
from tinygrad_lite.engine.views import root_of
from tinygrad_lite.errors import GradientError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import scatter_at
from tinygrad_lite.ops.shape.reshaping import permute, reshape_op, sizes


def address(array: Any) -> int:
    """Return the address of the first element."""
    return int(array.__array_interface__["data"][0])


@function(public=False, method="data_ptr")
def data_ptr(input: Array) -> int:
    """Return the address of the first element; views that begin at one element have the same.

    >>> import tinygrad_lite as tl
    >>> x = tl.ones(2, 2)
    >>> x.data_ptr() == x.view(4).data_ptr()
    True
    """
    return address(bare(input))


@function(public=False, method="storage_offset")
def storage_offset(input: Array) -> int:
    """Return how many elements of the memory lie before the first one of this tensor.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 3)[1].storage_offset()
    3
    """
    array = bare(input)
    return int((address(array) - address(owner(array))) // array.itemsize)


class Storage:
    """The memory that a tensor and its views share: its address and its size in bytes."""

    __slots__ = ("_array",)

    def __init__(self, array: Any) -> None:
        self._array = array

    def data_ptr(self) -> int:
        """Return the address of the memory."""
        return address(self._array)

    def nbytes(self) -> int:
        """Return the size of the memory in bytes."""
        return int(self._array.nbytes)

    size = __len__ = nbytes

    def __repr__(self) -> str:
        return f"<Storage of {self.nbytes()} bytes>"


class TypedStorage(Storage):
    """The memory of a tensor as a row of numbers, counted in elements."""

    __slots__ = ()

    def size(self) -> int:
        """Return the number of elements."""
        return int(self._array.size)

    __len__ = size

    def tolist(self) -> list[Any]:
        """Return the elements in the order of the memory."""
        return self._array.ravel(order="K").tolist()  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Any:
        return self.tolist()[index]

    def __repr__(self) -> str:
        return f"<TypedStorage of {self.size()} {self._array.dtype}>"


@function(public=False, method="storage")
def storage(input: Array) -> TypedStorage:
    """Return the memory of the elements as numbers: an older form of ``untyped_storage()``.

    >>> import tinygrad_lite as tl
    >>> tl.arange(4)[1:].storage().tolist()
    [0, 1, 2, 3]
    """
    return TypedStorage(owner(bare(input)))


@function(public=False, method="untyped_storage")
def untyped_storage(input: Array) -> Storage:
    """Return the memory of the elements, which views share.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 3)[1].untyped_storage().nbytes()
    24
    """
    return Storage(owner(bare(input)))


# ------------------------------------------------------------------------------------------------ as_strided
def _positions(size: Any, stride: Any, offset: int) -> Any:
    at = new.full(size, offset, np.int64)
    for axis, (n, s) in enumerate(zip(size, stride, strict=True)):
        at += (new.arange(n) * s).reshape((n, *(1,) * (len(size) - axis - 1)))
    return at


def _restride_back(g: Array, input_shape: Any, size: Any, stride: Any, offset: int) -> Array:
    at = _positions(size, stride, offset)
    return reshape_op(scatter_at(reshape_op(g, (-1,)), at.reshape(-1), (prod(input_shape),)), tuple(input_shape))


@op(input=_restride_back, kind="shape", label="as_strided", public=False,
    samples=Samples("(n)->()", sizes={"n": (7, 9)},
                    options={"size": ((2, 2), (3, 3)), "stride": ((2, 1), (1, 1)), "offset": (0,)}))  # fmt: skip
def restride(input: Array, size: Any, stride: Any, offset: int) -> Array:
    """Return a view with the given shape and strides on the elements of ``input`` in row-major order."""
    flat = new.ascontiguousarray(input).reshape(-1)
    if not prod(size):
        return flat[:0].reshape(size)
    n = flat.itemsize
    return new.ndarray(size, flat.dtype, flat, offset * n, [s * n for s in stride])


@function(inplace="view")
def as_strided(input: Array, size: Any, stride: Any, storage_offset: int | None = None) -> Array:
    """Return a view of the memory of ``input`` with the given shape, strides and offset, counted in elements.

    >>> import tinygrad_lite as tl
    >>> tl.as_strided(tl.arange(4), (2, 2), (1, 1), 1)
    tensor([[1, 2],
            [2, 3]])
    """
    shape, steps = sizes((size,)), sizes((stride,))
    if len(shape) != len(steps):
        raise ShapeError(f"as_strided: size {shape} and stride {steps} must have the same length")
    if any(n < 0 for n in (*shape, *steps)):
        raise ShapeError(f"as_strided: size and stride must not be negative, got {shape} and {steps}")
    array = bare(input)
    memory, item = owner(array), array.itemsize
    first = (address(array) - address(memory)) // item if storage_offset is None else int(storage_offset)
    extent = sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) if prod(shape) else 0
    for whole in _holders(input):
        own = bare(whole)
        order = order_of(own.shape, (own,))
        start = first - (address(own) - address(memory)) // item
        if own.dtype == array.dtype and lies_in(own, order) and 0 <= start and start + extent < max(own.size, 1):
            return restride(whole if own.flags.c_contiguous else permute(whole, *order[::-1]), shape, steps, start)
    raise ShapeError(
        f"as_strided: size {shape}, stride {steps} and storage_offset {first} reach beyond the memory of "
        f"{describe(input)}, {memory.size} elements, or it has gaps; use .contiguous() first"
    )


def _holders(input: Array) -> list[Any]:
    """Return the tensors or arrays whose elements a view of the memory of ``input`` may consist of."""
    memory = owner(bare(input))
    if not isinstance(input, Tensor):
        return [input, memory]
    root = root_of(input)[0]
    alone = [] if input.tracked else [make(memory)]
    return [input, root, *alone] if input.tracked == root.tracked else [input, *alone]


@function(public=False, method="resize_")
def resize_(input: Array, *sizes_: Any, memory_format: Any = None) -> Array:
    """Give the tensor another shape in place: elements in memory order, further ones uninitialised.

    >>> import tinygrad_lite as tl
    >>> tl.arange(4).resize_(3)
    tensor([0, 1, 2])
    """
    if input.tracked:
        raise GradientError("resize_: cannot resize a tensor that requires gradients; use .detach() first")
    shape = sizes(sizes_)
    if shape == input.array.shape:  # the layout stays, too
        return input
    flat, n = input.array.ravel(order="K"), prod(shape)
    if n > flat.size:
        wide = new.empty(n, flat.dtype)
        wide[: flat.size] = flat
        flat = wide
    input.array = flat[:n].reshape(shape)
    return input
