"""Positions and reductions by index: `unravel_index`, `nonzero_static`, `index_reduce`, `as_strided_scatter`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare, clone
from tinygrad_lite.ops.indexing.getitem import whole
from tinygrad_lite.ops.indexing.scatter import put_at, scatter_reduce
from tinygrad_lite.ops.shape.reshaping import BadIndex, place, reshape_op, sizes


@function(method=False)
def unravel_index(indices: Array, shape: Any) -> tuple[Array, ...]:
    """Return, for numbers of elements counted row by row, their index along each axis of ``shape``.

    >>> import tinygrad_lite as tl
    >>> tl.unravel_index(tl.tensor([0, 5]), (2, 3))
    (tensor([0, 1]), tensor([0, 2]))
    """
    numbers, extent = whole("unravel_index", indices), sizes((shape,))
    if any(n < 0 for n in extent):
        raise ShapeError(f"unravel_index: sizes must not be negative, got {extent}")
    rest = new.asarray(numbers, np.int64)
    out = []
    for n in extent[::-1]:
        out.append(make(rest % max(n, 1)))
        rest = rest // max(n, 1)
    return tuple(out[::-1])


@function()
def nonzero_static(input: Array, *, size: int, fill_value: int = -1) -> Array:
    """Return the first ``size`` indices of elements that are not 0, filled up with rows of ``fill_value``.

    >>> import tinygrad_lite as tl
    >>> tl.nonzero_static(tl.tensor([0.0, 2.0]), size=2)
    tensor([[ 1],
            [-1]])
    """
    if size < 0:
        raise OptionError(f"nonzero_static: size must not be negative, got {size}")
    found = np.argwhere(bare(input))[:size]
    out = new.full((size, np.ndim(bare(input))), fill_value, np.int64)
    out[: len(found)] = found
    return make(out)


REDUCTIONS = ("prod", "mean", "amax", "amin")


@function(inplace=True)
def index_reduce(
    input: Array, dim: int, index: Array, source: Array, reduce: str, *, include_self: bool = True
) -> Array:
    """Combine ``input`` with the slices of ``source`` at ``index`` along ``dim``: prod, mean, amax or amin.

    Without ``include_self`` the old values of slices that are written to are ignored.

    >>> import tinygrad_lite as tl
    >>> tl.index_reduce(tl.zeros(2), 0, tl.tensor([0, 0]), tl.tensor([1.0, 2.0]), "amax")
    tensor([2., 0.])
    """
    if reduce not in REDUCTIONS:
        raise OptionError(f"index_reduce: reduce must be one of {', '.join(REDUCTIONS)}, got {reduce!r}")
    at = whole("index_reduce", index).reshape(-1)
    dim = place("index_reduce", dim, input.ndim, input.shape)
    expected = (*input.shape[:dim], len(at), *input.shape[dim + 1 :]) if input.ndim else (len(at),)
    if tuple(source.shape) not in (expected, () if not input.ndim else expected):
        raise ShapeError(f"index_reduce: source must have shape {expected}, it is {describe(source)}")
    n = input.shape[dim] if input.ndim else 1
    if at.size and (at.min() < 0 or at.max() >= n):
        raise BadIndex(f"index_reduce: index goes from {at.min()} to {at.max()}, axis {dim} has {n} elements")
    if not input.ndim:
        vector = scatter_reduce(
            reshape_op(input, (1,)), 0, make(at), reshape_op(source, (len(at),)), reduce, include_self=include_self
        )
        return reshape_op(vector, ())
    wide = np.broadcast_to(at.reshape((-1, *[1] * (input.ndim - dim - 1))), expected)
    return scatter_reduce(input, dim, make(new.array(wide)), source, reduce, include_self=include_self)


@function()
def as_strided_scatter(
    input: Array, src: Array, size: Any, stride: Any, storage_offset: int | None = None
) -> Array:  # fmt: skip
    """Return ``input`` with ``src`` in the elements that `as_strided` would show.

    >>> import tinygrad_lite as tl
    >>> tl.as_strided_scatter(tl.zeros(4), tl.ones(2), (2,), (2,))
    tensor([1., 0., 1., 0.])
    """
    shape, strides = sizes((size,)), sizes((stride,))
    if tuple(src.shape) != shape:
        raise ShapeError(f"as_strided_scatter: src must have shape {shape}, it is {describe(src)}")
    places = new.full(shape, storage_offset or 0, np.int64)
    for axis, step in enumerate(strides):
        places = places + (new.arange(shape[axis]) * step).reshape((-1, *[1] * (len(shape) - axis - 1)))
    count = int(np.prod(input.shape, dtype=np.int64))
    if places.size and places.max() >= count:
        raise BadIndex(f"as_strided_scatter: element {places.max()} is beyond the {count} of {describe(input)}")
    flat = reshape_op(clone(input), (count,))
    return reshape_op(put_at(flat, src, (places,)), tuple(input.shape))
