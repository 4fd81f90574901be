"""Sorting, searching and counting; gradients flow to values, not to indices."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.layout import copied
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import alike, bare, clone
from tinygrad_lite.ops.indexing.getitem import take_along
from tinygrad_lite.ops.shape.moving import ordered_like
from tinygrad_lite.ops.shape.reshaping import BadIndex, place


class Sorted(NamedTuple):
    """The result of `sort` and `topk`."""

    values: Any
    indices: Any


def _order(input: Array, dim: int, descending: bool, k: int | None = None) -> Any:
    """Return the indices of a stable sort along ``dim``, or the first ``k``; NaN counts as the largest."""
    x = bare(input)
    if not descending:
        order = copied(np.argsort(x, axis=dim, kind="stable"), x)
    else:
        turned = (*(slice(None),) * (dim % x.ndim), slice(None, None, -1))  # np.flip takes five times as long
        backwards = np.argsort(x[turned], axis=dim, kind="stable")
        order = copied((x.shape[dim] - 1 - backwards)[turned], x)
    if k is not None:
        order = new.ascontiguousarray(order[(*(slice(None),) * (dim % x.ndim), slice(k))])
    return computed("order", (input, dim, descending, k), new.int64(order))


@function(numpy=())
def sort(input: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> Sorted:
    """Return (values, indices) of the elements sorted along ``dim``.

    Equal elements keep their order.

    >>> import tinygrad_lite as tl
    >>> tl.sort(tl.tensor([3.0, 1.0, 2.0])).indices
    tensor([1, 2, 0])
    """
    dim = place("sort", dim, input.ndim, input.shape)
    if not input.ndim:
        return Sorted(clone(input), alike(input, np.int64(0)))
    order = _order(input, dim, descending)
    return Sorted(ordered_like(take_along(input, order, dim), input), alike(input, order))


@function(numpy=())
def argsort(input: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> Array:
    """Return the indices that sort the elements along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.argsort(tl.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    dim = place("argsort", dim, input.ndim, input.shape)
    return alike(input, _order(input, dim, descending) if input.ndim else np.int64(0))


@function()
def msort(input: Array) -> Array:
    """Return the elements sorted along the first axis.

    >>> import tinygrad_lite as tl
    >>> tl.msort(tl.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    return sort(input, 0)[0]


@function()
def topk(input: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Sorted:
    """Return (values, indices) of the ``k`` largest elements along ``dim``, sorted.

    With ``largest=False`` they are the smallest.

    >>> import tinygrad_lite as tl
    >>> tl.topk(tl.tensor([3.0, 1.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    if dim.__class__ is bool:
        raise DTypeError(f"topk: dim must be a whole number, got {dim}; pass largest={dim} by name")
    dim = place("topk", dim, input.ndim, input.shape)
    n = input.shape[dim] if input.ndim else 1
    if not 0 <= k <= n:
        raise BadIndex(f"topk: k must be 0..{n} along dim {dim} of shape {tuple(input.shape)}, got {k}")
    if not input.ndim:
        return Sorted(clone(input), alike(input, np.int64(0)))
    order = _order(input, dim, largest, k)
    return Sorted(take_along(input, order, dim), alike(input, order))


# ------------------------------------------------------------------------------------------------ searching
@function(numpy=())
def nonzero(input: Array, as_tuple: bool = False) -> Any:
    """Return the indices of the elements that are not 0: one row each, or one vector per axis.

    >>> import tinygrad_lite as tl
    >>> tl.nonzero(tl.tensor([0, 1, 2]))
    tensor([[1],
            [2]])
    """
    found = np.nonzero(np.atleast_1d(bare(input)))
    if as_tuple:
        columns = [new.int64(new.ascontiguousarray(f)) for f in found]
        return tuple(alike(input, computed("nonzero_along", (input, i), f)) for i, f in enumerate(columns))
    rows = new.int64(np.stack(found).T) if input.ndim else new.zeros((len(found[0]), 0), np.int64)
    return alike(input, computed("nonzero", (input,), rows))


@function(numpy=np.argwhere)
def argwhere(input: Array) -> Array:
    """Return the indices of the elements that are not 0, one row each.

    >>> import tinygrad_lite as tl
    >>> tl.argwhere(tl.tensor([[0, 1]]))
    tensor([[0, 1]])
    """
    return nonzero(input)


@function(name="where", method=False, numpy=())
def choose(condition: Array, input: Any = None, other: Any = None) -> Any:
    """Return ``input`` where ``condition`` holds, ``other`` elsewhere.

    With ``condition`` alone, return the indices where it is true.

    The branch that is not taken gets an exactly zero gradient, also where its slope is infinite.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([0.0, 4.0], requires_grad=True)
    >>> tl.where(x > 0, x.sqrt(), 0.0).sum().backward()
    >>> x.grad
    tensor([0.0000, 0.2500])
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where: give both input and other, or neither for the indices where condition holds")
    dtype = new.asarray(bare(condition)).dtype
    if dtype == np.uint8:
        warn("where: a condition of dtype uint8 is deprecated, as in PyTorch; use condition != 0")
        condition = condition != 0
    elif dtype.kind != "b":
        raise DTypeError(f"where: condition must be bool, it is {describe(condition)}; use condition != 0")
    return where(condition, input, other)


@function(numpy=())
def searchsorted(
    sorted_sequence: Array, input: Array, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Any = None,
) -> Array:  # fmt: skip
    """Return the index at which each number of ``input`` would keep ``sorted_sequence`` sorted.

    >>> import tinygrad_lite as tl
    >>> tl.searchsorted(tl.tensor([1, 3, 5]), tl.tensor([3, 4]))
    tensor([1, 2])
    """
    a, v = new.asarray(bare(sorted_sequence)), new.asarray(bare(input))
    if not a.ndim:
        raise ShapeError("searchsorted: sorted_sequence must have at least one axis, got a 0-d tensor")
    if side not in (None, "left", "right"):
        raise ShapeError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    if side == "left" and right:
        raise ShapeError("searchsorted: side='left' and right=True contradict each other")
    if sorter is not None:
        a = np.take_along_axis(a, bare(sorter), -1)
    way: Any = "right" if right or side == "right" else "left"
    dtype = np.int32 if out_int32 else np.int64
    like = sorted_sequence if hasattr(sorted_sequence, "node") else input
    if a.ndim == 1:
        return alike(like, np.searchsorted(a, v, way).astype(dtype))
    if a.shape[:-1] != v.shape[:-1]:
        raise ShapeError(
            f"searchsorted: sorted_sequence {a.shape} and input {v.shape} may differ only in the last axis"
        )
    found = new.empty(v.shape, dtype)
    for row in np.ndindex(*a.shape[:-1]):
        found[row] = np.searchsorted(a[row], v[row], way)
    return alike(like, found)


@function()
def bucketize(input: Array, boundaries: Array, *, out_int32: bool = False, right: bool = False) -> Array:
    """Return for each element the number of its interval between ``boundaries``.

    >>> import tinygrad_lite as tl
    >>> tl.bucketize(tl.tensor([3, 4]), tl.tensor([1, 3, 5]))
    tensor([1, 2])
    """
    if np.ndim(bare(boundaries)) != 1:
        raise ShapeError(f"bucketize: boundaries must be a vector, got {describe(boundaries)}")
    found = np.searchsorted(bare(boundaries), bare(input), "right" if right else "left")
    return alike(input if hasattr(input, "node") else boundaries, found.astype(np.int32 if out_int32 else np.int64))


@function(method=False, numpy=())
def isin(elements: Array, test_elements: Array, *, assume_unique: bool = False, invert: bool = False) -> Array:
    """Return whether each of ``elements`` is one of ``test_elements``.

    >>> import tinygrad_lite as tl
    >>> tl.isin(tl.tensor([1, 2]), tl.tensor([2, 3]))
    tensor([False,  True])
    """
    like = elements if hasattr(elements, "node") else test_elements
    return alike(like, np.isin(bare(elements), bare(test_elements), invert=invert))


# ------------------------------------------------------------------------------------------------ counting
def _selected(name: str, x: Any, dim: Any) -> None:
    """Raise if an axis other than ``dim`` has no elements: there are no slices to compare."""
    if dim is not None and any(not n for i, n in enumerate(x.shape) if i != int(dim) % x.ndim):
        raise ShapeError(f"{name}: the slices along dim {dim} of shape {x.shape} have no elements")


@function(numpy=())
def unique(
    input: Array, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """Return the sorted unique elements, or unique slices along ``dim``.

    Inverse indices and counts come with them if asked for.

    >>> import tinygrad_lite as tl
    >>> tl.unique(tl.tensor([3, 1, 3]))
    tensor([1, 3])
    """
    x = bare(input)
    _selected("unique", x, dim)
    if dim is None:
        values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, equal_nan=False)
        inverse, counts = new.int64(inverse.reshape(x.shape)), new.int64(counts)
    else:
        rows = np.moveaxis(x, dim, 0)
        order = np.lexsort(rows.reshape(len(rows), prod(rows.shape[1:])).T[::-1])
        values, places, counts = unique_consecutive(x.take(order, dim), True, True, dim)
        inverse = new.empty(order.shape, np.int64)
        inverse[order] = places
    out = [alike(input, values)]
    if return_inverse:
        out.append(alike(input, inverse))
    if return_counts:
        out.append(alike(input, counts))
    return tuple(out) if len(out) > 1 else out[0]


@function()
def unique_consecutive(input: Array, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """Return the elements (or slices along ``dim``) that differ from the one before.

    >>> import tinygrad_lite as tl
    >>> tl.unique_consecutive(tl.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    x = bare(input).reshape(-1) if dim is None else np.moveaxis(bare(input), dim, 0)
    _selected("unique_consecutive", bare(input), dim)
    flat = x.reshape(len(x), prod(x.shape[1:]))
    first = new.ones(len(x), bool)
    first[1:] = (flat[1:] != flat[:-1]).any(-1)
    values = x[first] if dim is None else np.moveaxis(x[first], 0, dim)
    inverse = np.cumsum(first, dtype=np.int64) - 1
    out = [alike(input, values)]
    if return_inverse:
        out.append(alike(input, inverse.reshape(input.shape) if dim is None else inverse))
    if return_counts:
        out.append(alike(input, new.int64(np.diff(np.append(np.flatnonzero(first), len(x))))))
    return tuple(out) if len(out) > 1 else out[0]


@function(numpy=())
def bincount(input: Array, weights: Any = None, minlength: int = 0) -> Array:
    """Return how often each integer from 0 on occurs (or the sum of its ``weights``).

    >>> import tinygrad_lite as tl
    >>> tl.bincount(tl.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    x = bare(input)
    if x.dtype.kind not in "iu" or x.ndim != 1 or (x.size and x.min() < 0):
        raise DTypeError(f"bincount: expected a vector of whole numbers >= 0, got {describe(input)}")
    found = np.bincount(x, None if weights is None else bare(weights), minlength)
    if weights is None:
        return alike(input, new.int64(found))
    return alike(input, found if weights.dtype != np.float32 else found.astype(np.float32))


@function()
def histc(input: Array, bins: int = 100, min: Any = 0, max: Any = 0) -> Array:
    """Return a histogram of ``bins`` equal intervals from ``min`` to ``max``.

    If both are equal, the range of the data is used.

    >>> import tinygrad_lite as tl
    >>> tl.histc(tl.tensor([0.0, 1.0, 2.0]), bins=2)
    tensor([1., 2.])
    """
    x = bare(input)
    if x.dtype.kind != "f":
        raise DTypeError(f"histc: expected floats, got {describe(input)}; use .float()")
    lo, hi = (x.min(), x.max()) if min == max and x.size else (min, max)
    if lo == hi:
        lo, hi = lo - 1, hi + 1
    return alike(input, np.histogram(x, bins, (float(lo), float(hi)))[0].astype(x.dtype))
