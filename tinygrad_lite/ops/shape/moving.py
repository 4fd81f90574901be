"""Broadcast, flip, roll, rotate and repeat elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from operator import index
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.layout import contiguous_format, order_of
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor, make
from tinygrad_lite.errors import ArgumentError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare, clone, contiguous
from tinygrad_lite.ops.shape.reshaping import (
    broadcast_to_op,
    flip_op,
    permute,
    place,
    places,
    reshape_op,
    sizes,
    transpose,
    unsqueeze,
    widened,
)


# ------------------------------------------------------------------------------------------------ broadcasting
@function()
def expand(input: Array, *size: Any) -> Array:
    """Return a read-only view repeated along length-1 and new leading axes.

    -1 keeps a length.

    >>> import tinygrad_lite as tl
    >>> tl.ones(3, 1).expand(-1, 4).shape
    (3, 4)
    """
    return widened("expand", input, size)


@function()
def expand_as(input: Array, other: Array) -> Array:
    """Return ``input`` expanded to the shape of ``other``.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1, 2]).expand_as(tl.ones(2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, tuple(other.shape))


@function(method=False)
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """Return the shape that tensors of these shapes broadcast to.

    >>> import tinygrad_lite as tl
    >>> tl.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    try:
        return np.broadcast_shapes(*[(s,) if isinstance(s, int) else tuple(s) for s in shapes])
    except ValueError:
        raise ShapeError(f"broadcast_shapes: shapes {', '.join(map(str, shapes))} do not broadcast together") from None


@function(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Array, ...]:
    """Return the tensors broadcast to their common shape.

    >>> import tinygrad_lite as tl
    >>> [x.shape for x in tl.broadcast_tensors(tl.ones(2, 1), tl.ones(3))]
    [(2, 3), (2, 3)]
    """
    given = several("broadcast_tensors", tensors)
    shape = broadcast_shapes(*[x.shape for x in given])
    return tuple([x if tuple(x.shape) == shape else broadcast_to_op(x, shape) for x in given])


@function()
def sum_to_size(input: Array, *size: Any) -> Array:
    """Return ``input`` summed over the axes along which ``size`` would be broadcast to it.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    want = sizes(size)
    shape = tuple(input.shape)
    extra = len(shape) - len(want)
    if extra < 0 or any(n not in (1, s) for n, s in zip(want, shape[extra:], strict=True)):
        raise ShapeError(f"sum_to_size: {want} does not broadcast to shape {shape}")
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(want) if n == 1 and shape[i + extra] != 1)
    return reshape_op(input.sum(axis=axes) if axes else input, want)


def ordered_like(y: Array, x: Array) -> Array:
    """Return ``y`` with its axes in the order in memory of those of ``x``, a tensor of its shape."""
    raw = bare(x)
    if raw.flags.c_contiguous or raw.ndim != y.ndim:  # inside vmap the array has more axes
        return y
    axes = order_of(raw.shape, (raw,))[::-1]
    return permute(contiguous(permute(y, *axes)), *[axes.index(i) for i in range(y.ndim)])


# ----------------------------------------------------------------------------------------------- flipping and repeating
@function(numpy=())
def flip(input: Array, *dims: Any) -> Array:
    """Return ``input`` with the elements along ``dims`` in reverse order.

    >>> import tinygrad_lite as tl
    >>> tl.flip(tl.arange(3), (0,))
    tensor([2, 1, 0])
    """
    if not dims:
        raise ArgumentError("flip: dims are missing; give the dims to flip, such as (0,)")
    return flip_op(input, places("flip", sizes(dims), input.ndim, input.shape) if input.ndim else ())


@function(numpy=np.fliplr)
def fliplr(input: Array) -> Array:
    """Return ``input`` with its columns in reverse order.

    >>> import tinygrad_lite as tl
    >>> tl.fliplr(tl.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    if input.ndim < 2:
        raise ShapeError(f"fliplr: expected at least two axes, got {describe(input)}")
    return flip_op(input, (1,))


@function(numpy=np.flipud)
def flipud(input: Array) -> Array:
    """Return ``input`` with its rows in reverse order.

    >>> import tinygrad_lite as tl
    >>> tl.flipud(tl.tensor([1, 2]))
    tensor([2, 1])
    """
    if not input.ndim:
        raise ShapeError("flipud: expected at least one axis, got a 0-d tensor")
    return flip_op(input, (0,))


def _roll_back(g: Array, shifts: Any, dims: Any) -> Array:
    return roll_op(g, tuple(-s for s in shifts), dims)


@op(input=_roll_back, kind="shape", layout="contiguous", label="roll", public=False,
    samples=Samples("(n,k)->(n,k)", options={"shifts": ((1, -2),), "dims": ((0, 1), (1, 1))}))  # fmt: skip
def roll_op(input: Array, shifts: Any, dims: Any) -> Array:
    """Return ``input`` with the elements along ``dims`` shifted cyclically."""
    return np.roll(input, shifts, dims)


@function(numpy=())
def roll(input: Array, shifts: Any, dims: Any = None) -> Array:
    """Shift the elements cyclically along ``dims`` (of the flattened tensor, without ``dims``).

    >>> import tinygrad_lite as tl
    >>> tl.roll(tl.arange(4), 1)
    tensor([3, 0, 1, 2])
    """
    by = (int(shifts),) if isinstance(shifts, (int, np.integer)) else tuple(int(s) for s in shifts)
    if dims is None or dims == ():
        if len(by) != 1:
            raise ShapeError(f"roll: {len(by)} shifts without dims; name one dim for each")
        return reshape_op(roll_op(reshape_op(input, (-1,)), by, (0,)), tuple(input.shape))
    axes = (dims,) if isinstance(dims, (int, np.integer)) else tuple(dims)
    if len(axes) != len(by):
        raise ShapeError(f"roll: {len(by)} shifts but {len(axes)} dims")
    axes = tuple(place("roll", d, input.ndim, input.shape) for d in axes)
    return roll_op(input, by, axes) if input.ndim else input


@function(numpy=())
def rot90(input: Array, k: int = 1, dims: Any = (0, 1)) -> Array:
    """Rotate ``input`` by ``k`` right angles, from the first of ``dims`` towards the second.

    >>> import tinygrad_lite as tl
    >>> tl.rot90(tl.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    if input.ndim < 2:
        raise ShapeError(f"rot90: expected at least two axes, got {describe(input)}")
    if len(dims) != 2:
        raise ShapeError(f"rot90: dims must be two axes, got {dims}")
    a, b = places("rot90", dims, input.ndim, input.shape)
    k = index(k) % 4
    if k == 0:
        return clone(input)
    if k == 2:
        return flip_op(input, (a, b))
    return transpose(flip_op(input, (b,)), a, b) if k == 1 else flip_op(transpose(input, a, b), (b,))


def repeated(wide: Array, shape: tuple[int, ...]) -> Array:
    """Return an expanded tensor in another shape, copied even where a view would do."""
    out = reshape_op(clone(wide, contiguous_format), shape)
    if isinstance(out, Tensor):
        out.base = None  # no variable holds the clone: this is no view of it
    return out


@function()
def repeat(input: Array, *repeats: Any) -> Array:
    """Tile ``input`` the given number of times along each axis.

    Extra counts add leading axes.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1, 2]).repeat(2)
    tensor([1, 2, 1, 2])
    """
    counts = sizes(repeats)
    extra = len(counts) - input.ndim
    if extra < 0:
        raise ShapeError(f"repeat: {len(counts)} counts for {input.ndim} axes of shape {tuple(input.shape)}")
    if any(c < 0 for c in counts):
        raise ShapeError(f"repeat: counts must not be negative, got {counts}")
    shape = (1,) * extra + tuple(input.shape)
    split: list[int] = []
    many: list[int] = []
    for c, n in zip(counts, shape, strict=True):
        split += [1, n]
        many += [c, n]
    whole = tuple(c * n for c, n in zip(counts, shape, strict=True))
    return repeated(broadcast_to_op(reshape_op(input, tuple(split)), tuple(many)), whole)


@function(numpy=())
def tile(input: Array, *dims: Any) -> Array:
    """Tile ``input`` the given number of times along the last axes.

    >>> import tinygrad_lite as tl
    >>> tl.tile(tl.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    counts = sizes(dims)
    return repeat(input, (1,) * (input.ndim - len(counts)) + counts)


@function(numpy=())
def repeat_interleave(input: Array, repeats: Any = None, dim: Any = None, *, output_size: Any = None) -> Array:
    """Repeat each element along ``dim`` (of the flattened tensor, without ``dim``).

    One tensor alone says how often each of 0, 1, 2 ... is repeated.

    >>> import tinygrad_lite as tl
    >>> tl.repeat_interleave(tl.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:
        if input.ndim != 1:
            raise ShapeError(f"repeat_interleave: repeats must be a vector, got {describe(input)}")
        input, repeats = make(new.arange(len(input))), input
    if dim is None:
        input, dim = reshape_op(input, (-1,)), 0
    dim = place("repeat_interleave", dim, input.ndim, input.shape)
    if not input.ndim:
        input = reshape_op(input, (1,))
    n = input.shape[dim]
    counts = new.asarray(bare(repeats))
    if counts.dtype.kind not in "iu" or np.any(counts < 0):
        raise ShapeError(f"repeat_interleave: repeats must be whole numbers >= 0, got {describe(repeats)}")
    if counts.ndim > 1 or (counts.ndim == 1 and len(counts) not in (1, n)):
        raise ShapeError(f"repeat_interleave: {describe(repeats)} repeats for {n} elements along dim {dim}")
    if counts.size == 1:
        times = int(counts.reshape(-1)[0])
        shape = tuple(input.shape)
        wide = broadcast_to_op(unsqueeze(input, dim + 1), (*shape[: dim + 1], times, *shape[dim + 1 :]))
        return repeated(wide, (*shape[:dim], n * times, *shape[dim + 1 :]))
    return input[(slice(None),) * dim + (np.repeat(new.arange(n), counts.astype(np.intp)),)]


# ------------------------------------------------------------------------------------------------ leading axes
def several(name: str, tensors: tuple[Any, ...]) -> list[Any]:
    """Return the tensors of ``f(a, b)``, ``f([a, b])`` or ``f(generator)``; raise for anything else.

    >>> several("f", (np.ones(1),)), several("f", (range(0),))
    ([array([1.])], [])
    """
    one = tensors[0] if len(tensors) == 1 else None
    plain = isinstance(one, Iterable) and not hasattr(one, "shape") and not isinstance(one, (str, bytes, Mapping, Set))
    given = list(one) if plain else list(tensors)  # type: ignore[arg-type]
    for x in given:
        if not hasattr(x, "shape"):
            raise ArgumentError(f"{name}: expected tensors, got {describe(x)}")
    return given


def _at_least(n: int, tensors: tuple[Any, ...]) -> Any:
    given = several(f"atleast_{n}d", tensors)
    raised = [_raised(n, x) for x in given]
    return raised[0] if len(tensors) == 1 and given and given[0] is tensors[0] else tuple(raised)


def _raised(n: int, x: Any) -> Any:
    shape = tuple(x.shape)
    if len(shape) >= n:
        return x
    return reshape_op(x, {0: (1,) * n, 1: (1, *shape, 1)[:n], 2: (*shape, 1)}[len(shape)])


@function(numpy=np.atleast_1d)
def atleast_1d(*tensors: Any) -> Any:
    """Return each tensor with at least one axis.

    >>> import tinygrad_lite as tl
    >>> tl.atleast_1d(tl.tensor(1.0))
    tensor([1.])
    """
    return _at_least(1, tensors)


@function(numpy=np.atleast_2d)
def atleast_2d(*tensors: Any) -> Any:
    """Return each tensor with at least two axes.

    >>> import tinygrad_lite as tl
    >>> tl.atleast_2d(tl.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """
    return _at_least(2, tensors)


@function(numpy=np.atleast_3d)
def atleast_3d(*tensors: Any) -> Any:
    """Return each tensor with at least three axes.

    >>> import tinygrad_lite as tl
    >>> tl.atleast_3d(tl.ones(2)).shape
    (1, 2, 1)
    """
    return _at_least(3, tensors)
