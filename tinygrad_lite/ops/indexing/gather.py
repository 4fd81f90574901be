"""Picking elements by index tensors and masks: gather and its relatives."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare, clone
from tinygrad_lite.ops.indexing.getitem import check_bounds, cropped, getitem, take_along, whole
from tinygrad_lite.ops.shape.reshaping import BadIndex, broadcast_to_op, place, reshape_op


@function()
def gather(input: Array, dim: int, index: Array, *, sparse_grad: bool = False) -> Array:
    """Return ``out[i][j] = input[index[i][j]][j]`` (for ``dim`` 0): one index per result element.

    >>> import tinygrad_lite as tl
    >>> tl.gather(tl.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, tl.tensor([[0, 0], [1, 0]]))
    tensor([[1., 1.],
            [4., 3.]])
    """
    at, dim = lined_up("gather", input, dim, index)
    if not at.size:
        return clone(reshape_op(getitem(reshape_op(input, (-1,)), slice(0, 0)), at.shape))
    if not input.ndim:
        return reshape_op(take_along(reshape_op(input, (1,)), at.reshape(-1), 0), at.shape)
    return take_along(cropped(input, dim, at.shape), at, dim)


def lined_up(name: str, input: Array, dim: int, index: Array) -> tuple[Any, int]:
    """Return ``index`` as an integer array and ``dim`` from the front.

    Raise unless they fit ``input``.
    """
    at = whole(name, index)
    dim = place(name, dim, input.ndim, input.shape)
    if max(at.ndim, 1) != max(input.ndim, 1) and at.size:
        raise ShapeError(f"{name}: index must have as many axes as input (index {at.shape}, input {describe(input)})")
    for d, (n, m) in enumerate(zip(at.shape, input.shape, strict=False)):
        if d != dim and n > m and at.size:
            raise ShapeError(f"{name}: index {at.shape} is longer than input {describe(input)} along dim {d}")
    n = input.shape[dim] if input.ndim else 1
    if type(at) is np.ndarray and at.dtype == np.int64 and at.size and at.view(np.uint64).max() < n:
        return at, dim  # one look instead of three: a negative number is a large one without a sign
    if at.size and at.min() < 0:
        raise BadIndex(f"{name}: index {int(at.min())} is out of bounds; count from the front")
    check_bounds(name, at, n)
    return at, dim


@function()
def index_select(input: Array, dim: int, index: Array) -> Array:
    """Return the slices of ``input`` at the indices in the vector ``index`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.index_select(tl.arange(5), 0, tl.tensor([4, 0]))
    tensor([4, 0])
    """
    at = whole("index_select", index)
    if at.ndim > 1:
        raise BadIndex(f"index_select: index must be a vector, got shape {at.shape}")
    dim = place("index_select", dim, input.ndim, input.shape)
    if not input.ndim:
        if at.size != 1:
            raise ShapeError(f"index_select: a 0-d tensor has one slice, got {at.size} indices")
        return clone(input)
    check_bounds("index_select", at, input.shape[dim], 0)
    return getitem(input, (slice(None),) * dim + (at.reshape(-1),))


@function(numpy=())
def take(input: Array, index: Array) -> Array:
    """Return the elements of the flattened ``input`` at ``index``, in the shape of ``index``.

    >>> import tinygrad_lite as tl
    >>> tl.take(tl.tensor([[1, 2], [3, 4]]), tl.tensor([0, 3]))
    tensor([1, 4])
    """
    at = whole("take", index)
    flat = reshape_op(input, (-1,))
    check_bounds("take", at, flat.shape[0])
    return getitem(flat, (at,))


@function()
def masked_select(input: Array, mask: Array) -> Array:
    """Return the elements of ``input`` where ``mask`` is true, as one axis.

    The two broadcast together.

    >>> import tinygrad_lite as tl
    >>> tl.masked_select(tl.arange(3), tl.tensor([True, False, True]))
    tensor([0, 2])
    """
    on = mask_of("masked_select", mask)
    shape = np.broadcast_shapes(on.shape, input.shape)
    wide = input if tuple(input.shape) == shape else broadcast_to_op(input, shape)
    return getitem(wide, (np.broadcast_to(on, shape),)) if shape else getitem(reshape_op(wide, (1,)), (on.reshape(1),))


def mask_of(name: str, mask: Any) -> Any:
    """Return a mask as a bare bool array."""
    on = new.asarray(bare(mask))
    if on.dtype.kind != "b":
        raise DTypeError(f"{name}: mask must be bool, it is {on.dtype}; use mask != 0")
    return on


@function()
def narrow(input: Array, dim: int, start: int, length: int) -> Array:
    """Return a view of ``length`` slices along ``dim``, from index ``start`` on.

    >>> import tinygrad_lite as tl
    >>> tl.narrow(tl.arange(5), 0, 1, 2)
    tensor([1, 2])
    """
    if not input.ndim:
        raise ShapeError("narrow: expected at least one axis, got a 0-d tensor")
    dim = place("narrow", dim, input.ndim, input.shape)
    n, start = input.shape[dim], index(bare(start))
    if not -n <= start <= n:
        raise BadIndex(f"narrow: start {start} is out of range for {n} elements along dim {dim}")
    start = start + n if start < 0 else start
    if length < 0 or start + length > n:
        raise ShapeError(f"narrow: {length} slices from {start} do not fit {n} elements along dim {dim}")
    return getitem(input, (slice(None),) * dim + (slice(start, start + int(length)),))


@function()
def select(input: Array, dim: int, index: int) -> Array:
    """Return the slice number ``index`` along ``dim``, without that axis.

    >>> import tinygrad_lite as tl
    >>> tl.select(tl.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([3, 4])
    """
    if not input.ndim:
        raise BadIndex("select: expected at least one axis, got a 0-d tensor")
    dim = place("select", dim, input.ndim, input.shape)
    if not -input.shape[dim] <= index < input.shape[dim]:
        raise BadIndex(f"select: index {index} is out of range for {input.shape[dim]} elements along dim {dim}")
    return getitem(input, (slice(None),) * dim + (int(index),))


def _unfold_rule(g: Array, dim: int, size: int, step: int, input_shape: Any) -> Array:
    return fold_along(g, dim, size, step, tuple(input_shape))


def _unfold_samples(src: Any) -> Any:
    size = src.size(2, hi=3)
    x = src.floats((src.size(4, lo=3, hi=5), src.size(3, lo=3, hi=4)))
    return (x,), {"dim": src.choice([0, 1]), "size": size, "step": src.choice([1, 2, 3])}


def _fold_samples(src: Any) -> Any:
    (x,), kw = _unfold_samples(src)
    found = unfold_along.op.forward(x, **kw)  # type: ignore[attr-defined]
    return (src.floats(found.shape),), {**kw, "shape": x.shape}


@op(
    input=_unfold_rule, kind="indexing", label="windows", public=False, method=False,
    samples=Samples(draw=_unfold_samples),
)  # fmt: skip
def unfold_along(input: Array, dim: int, size: int, step: int) -> Array:
    """Return the windows of ``size`` elements along ``dim``, ``step`` apart, on a new last axis, as a view."""
    count = (input.shape[dim] - size) // step + 1
    shape = (*input.shape[:dim], count, *input.shape[dim + 1 :], size)
    by = input.strides
    return new.as_strided(input, shape, (*by[:dim], step * by[dim], *by[dim + 1 :], by[dim]))


def _fold_rule(g: Array, dim: int, size: int, step: int) -> Array:
    return unfold_along(g, dim, size, step)


@op(grad=_fold_rule, kind="indexing", public=False, method=False, samples=Samples(draw=_fold_samples))
def fold_along(grad: Array, dim: int, size: int, step: int, shape: Any) -> Array:
    """Return zeros of ``shape`` with each window of ``grad`` added where it was taken: `unfold_along` transposed."""
    out = new.zeros(shape, grad.dtype)
    count, lead = grad.shape[dim], (slice(None),) * dim
    if size <= count:
        for i in range(size):
            out[(*lead, slice(i, i + step * (count - 1) + 1, step))] += grad[..., i]
    else:
        parts = np.moveaxis(grad, -1, dim + 1)
        for k in range(count):
            out[(*lead, slice(k * step, k * step + size))] += parts[(*lead, k)]
    return out


@function(public=False, method="unfold")
def windows(input: Array, dimension: int, size: int, step: int) -> Array:
    """Return all windows of ``size`` elements along ``dimension``, ``step`` apart, on a new last axis.

    The result is a view, in which windows may overlap. Raises ShapeError (IndexError for a dimension out of range).

    >>> import tinygrad_lite as tl
    >>> tl.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    at = place("unfold", dimension, input.ndim, input.shape)
    x = input if input.ndim else input.reshape((1,))
    n = x.shape[at]
    if not 0 <= size <= n:
        raise ShapeError(f"unfold: size must be 0..{n} along dim {dimension} of {describe(input)}, got {size}")
    if step < 1:
        raise ShapeError(f"unfold: step is {step} but must be > 0")
    found = unfold_along(x, at, int(size), int(step))
    return found if input.ndim else found[0]
