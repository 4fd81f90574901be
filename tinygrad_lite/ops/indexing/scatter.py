"""Out-of-place writes by index: scatter, index_add, masked_fill and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arrays import number
from tinygrad_lite.engine.layout import reproduced
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import bare, clone, contiguous, to
from tinygrad_lite.ops.indexing.gather import lined_up, mask_of
from tinygrad_lite.ops.indexing.getitem import (
    check_bounds,
    cropped,
    getitem,
    is_basic,
    key_of,
    scatter_along,
    scatter_at,
    take_along,
    whole,
)
from tinygrad_lite.ops.shape.joining import diagonal
from tinygrad_lite.ops.shape.reshaping import BadIndex, place, reshape_op


def _written_last(index: Any, shape: Any) -> Any:
    """Return which of the values written at ``index`` remain: of repeated indices the last value wins."""
    owner = new.zeros(shape, np.int64)
    numbers = new.arange(owner[index].size).reshape(owner[index].shape)
    owner[index] = numbers
    return owner[index] == numbers


def _put_values(g: Array, index: Any, input_shape: Any) -> Array:
    there = getitem(g, index)
    return there if is_basic(index) else where(_written_last(index, input_shape), there, 0.0)


def _put_samples(src: Any) -> Any:
    n, k = src.size(3, lo=2), src.size(2, lo=2)
    index = src.choice([0, (slice(None), 1), new.array([0, 1, 0]), (new.array([1, 0]), new.array([0, 1]))])
    values = src.choice([(), new.zeros((n, k))[index].shape])
    return (src.floats((n, k)), src.floats(values)), {"index": index}


def _zero_at_rule(g: Array, index: Any) -> Array:
    return zero_at(g, index)


@op(input=_zero_at_rule, kind="indexing", public=False,
    samples=Samples("(n,k)->(n,k)", min=2, options={"index": (0, (slice(None), 1), new.array([0, 1, 0]))}))  # fmt: skip
def zero_at(input: Array, index: Any) -> Array:
    """Return a copy of ``input`` with zeros at ``index``."""
    out = new.array(input)
    out[index] = 0
    return out


@op(
    input=lambda g, index: zero_at(g, index), values=_put_values, kind="indexing", label="[ ]=", public=False,
    samples=Samples(draw=_put_samples),
)  # fmt: skip
def put_at(input: Array, values: Array, index: Any) -> Array:
    """Return a copy of ``input`` with ``values`` at ``index``.

    Of repeated indices the last value wins.
    """
    out = reproduced("put_at", input)
    out[index] = values
    return out


def _grid(at: Any, dim: int) -> tuple[Any, ...]:
    """Return index arrays that pick one element along ``dim`` for each position of ``at``."""
    places = list(new.indices(at.shape, sparse=True))
    places[dim] = at
    return tuple(places)


def _source(name: str, input: Array, at: Any, src: Array) -> Array:
    if bare(src).dtype != input.dtype:
        raise DTypeError(
            f"{name}: src must have the dtype of input ({describe(src)}, {describe(input)}); use .to(dtype)"
        )
    if src.ndim != at.ndim or any(n > m for n, m in zip(at.shape, src.shape, strict=True)):
        raise ShapeError(f"{name}: index {at.shape} does not fit into src {describe(src)}")
    return cropped(src, -1, at.shape) if src.ndim else src


REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "sum": "sum",
    "prod": "prod",
    "mean": "mean",
    "amax": "amax",
    "amin": "amin",
}


@function(inplace=True)
def scatter(input: Array, dim: int, index: Array, src: Any = None, *, value: Any = None, reduce: Any = None) -> Array:
    """Return ``input`` with ``out[index[i][j]][j] = src[i][j]`` (for ``dim`` 0).

    ``src`` may be a number. ``reduce="add"`` or ``"multiply"`` combines ``src`` with the old values.

    >>> import tinygrad_lite as tl
    >>> tl.scatter(tl.zeros(3), 0, tl.tensor([2]), tl.tensor([5.0]))
    tensor([0., 0., 5.])
    """
    what = value if src is None else src
    if reduce is not None:
        if REDUCTIONS.get(reduce) not in ("sum", "prod"):
            raise ShapeError(f"scatter: reduce must be 'add' or 'multiply', got {reduce!r}")
        full = what if hasattr(what, "dtype") else new.full(whole("scatter", index).shape, what, input.dtype)
        return scatter_reduce(input, dim, index, full, REDUCTIONS[reduce])
    at, dim = lined_up("scatter", input, dim, index)
    if not at.size:
        return clone(input)
    if hasattr(what, "dtype") and not what.ndim and at.ndim:
        what = to(what, input.dtype)
    elif hasattr(what, "dtype") and src is not None:
        what = _source("scatter", input, at, what)
    elif not hasattr(what, "dtype"):
        what = number("scatter", what, input.dtype)
    if not input.ndim:
        return reshape_op(put_at(reshape_op(input, (1,)), what, (at.reshape(-1),)), ())
    return put_at(contiguous(input), what, _grid(at, dim))


@function(inplace=True)
def scatter_add(input: Array, dim: int, index: Array, src: Array) -> Array:
    """Return ``input`` with ``out[index[i][j]][j] += src[i][j]`` (for ``dim`` 0).

    >>> import tinygrad_lite as tl
    >>> tl.scatter_add(tl.zeros(3), 0, tl.tensor([0, 0]), tl.tensor([1.0, 2.0]))
    tensor([3., 0., 0.])
    """
    at, dim = lined_up("scatter_add", input, dim, index)
    if not at.size:
        return clone(input)
    src = _source("scatter_add", input, at, src)
    return (scatter_along(src, at, dim, tuple(input.shape)) if input.ndim else src) + input


def _hits(at: Any, dim: int, shape: Any, dtype: Any) -> Any:
    return scatter_along(new.ones(at.shape, dtype), at, dim, shape)


@function(inplace=True)
def scatter_reduce(
    input: Array, dim: int, index: Array, src: Array, reduce: str, *, include_self: bool = True
) -> Array:
    """Combine ``input`` with the elements of ``src`` that are scattered to it.

    ``reduce`` is sum, prod, mean, amax or amin. Without ``include_self`` the old value of an element that is written to
    is ignored.

    >>> import tinygrad_lite as tl
    >>> tl.scatter_reduce(tl.zeros(2), 0, tl.tensor([0, 0]), tl.tensor([1.0, 2.0]), "amax")
    tensor([2., 0.])
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ShapeError(f"scatter_reduce: reduce must be sum, prod, mean, amax or amin, got {reduce!r}")
    at, dim = lined_up("scatter_reduce", input, dim, index)
    if not at.size:
        return clone(input)
    src = _source("scatter_reduce", input, at, src)
    if not input.ndim:
        vector = scatter_reduce(
            reshape_op(input, (1,)), 0, at.reshape(1), reshape_op(src, (1,)), reduce, include_self=include_self
        )
        return reshape_op(vector, ())
    shape = tuple(input.shape)
    hits = _hits(at, dim, shape, np.int64)
    if reduce in ("sum", "mean"):
        base = input if include_self else where(hits > 0, False if input.dtype.kind == "b" else 0, input)
        total = scatter_along(src, at, dim, shape) + base
        if reduce == "sum":
            return total
        count = np.maximum(hits + (1 if include_self else 0), 1)
        return total / count if input.dtype.kind == "f" else total // count.astype(total.dtype)
    return scatter_choose(input, src, at, dim, reduce, include_self)


def _there(x: Array, at: Any, dim: int) -> Array:
    """Return the elements of ``x`` that ``at``, which may be smaller, writes to."""
    return take_along(cropped(x, dim % x.ndim, at.shape), at, dim)


def _choose_parts(
    y: Array, input: Array, src: Array, at: Any, dim: int, reduce: str, include_self: bool
) -> tuple[Any, Any]:
    """Return the factors of the gradient for ``input`` and for ``src``."""
    shape = tuple(input.shape)
    hit = _hits(at, dim, shape, np.int64) > 0
    mine = new.full(shape, True) if include_self else ~hit
    if reduce in ("amax", "amin"):
        ours, theirs = mine & (bare(input) == bare(y)), bare(src) == _there(bare(y), at, dim)
        ties = ours.astype(y.dtype) + scatter_along(theirs.astype(y.dtype), at, dim, shape)
        ties = np.maximum(ties, 1)
        return ours / ties, theirs / _there(ties, at, dim)
    zero_in, zero_src = mine & (bare(input) == 0), bare(src) == 0
    zeros = zero_in + scatter_along(zero_src.astype(np.int64), at, dim, shape)
    safe_in, safe_src = where(mine & ~zero_in, input, 1.0), where(zero_src, 1.0, src)
    # the product without its zeros; only a factor with no zero among the others has a gradient
    rest = scatter_choose(safe_in, safe_src, at, dim, "prod", True)
    seen = _there(zeros, at, dim)
    part_in = where(mine & (zeros - zero_in == 0), rest / safe_in, 0.0)
    part_src = where(seen - zero_src == 0, _there(rest, at, dim) / safe_src, 0.0)
    if isinstance(input, Tensor) or isinstance(src, Tensor):  # a zero beside one other: 0, but its slope is not
        own_in, own_src = where(zero_in, input, 0.0), where(zero_src, src, 0.0)
        lone = own_in + scatter_along(own_src, at, dim, shape)
        part_in = part_in + where(mine & (zeros - zero_in == 1), (lone - own_in) * rest / safe_in, 0.0)
        other = (_there(lone, at, dim) - own_src) * _there(rest, at, dim)
        part_src = part_src + where(seen - zero_src == 1, other / safe_src, 0.0)
    return part_in, part_src


def _choose_input(
    g: Array, y: Array, input: Array, src: Array, at: Any, dim: int, reduce: str, include_self: bool
) -> Array:
    return g * _choose_parts(y, input, src, at, dim, reduce, include_self)[0]


def _choose_src(
    g: Array, y: Array, input: Array, src: Array, at: Any, dim: int, reduce: str, include_self: bool
) -> Array:
    return _there(g, at, dim) * _choose_parts(y, input, src, at, dim, reduce, include_self)[1]


def _choose_samples(src: Any) -> Any:
    n, k = src.size(3, lo=1), src.size(2, lo=1)
    at = src.indices((n + 1, k), n)
    options = {"dim": 0, "reduce": src.choice(["amax", "amin", "prod"]), "include_self": src.choice([True, False])}
    low = 0.1 if options["reduce"] == "prod" else -np.inf
    return (src.floats((n, k), low), src.floats((n + 1, k), low), at), options


@op(input=_choose_input, src=_choose_src, kind="indexing", public=False, samples=Samples(draw=_choose_samples))
def scatter_choose(input: Array, src: Array, at: Array, dim: int, reduce: str, include_self: bool) -> Array:
    """Combine ``input`` and the scattered ``src`` by amax, amin or prod.

    Ties share the gradient.
    """
    ufunc, start = {"amax": (np.maximum, None), "amin": (np.minimum, None), "prod": (np.multiply, 1)}[reduce]
    out = new.array(input, order="C")
    places = _grid(at, dim)
    if not include_self:
        low, high = (False, True) if out.dtype.kind == "b" else (-np.inf, np.inf)
        if out.dtype.kind in "iu":
            low, high = np.iinfo(out.dtype).min, np.iinfo(out.dtype).max
        out[places] = start if start is not None else low if reduce == "amax" else high
    ufunc.at(out, places, src)
    return out


# ------------------------------------------------------------------------------------------------ writing whole slices
def _rows(name: str, input: Array, dim: int, index: Array) -> tuple[Any, int, Any]:
    at = whole(name, index)
    if at.ndim > 1:
        raise BadIndex(f"{name}: index must be a vector, got shape {at.shape}")
    dim = place(name, dim, input.ndim, input.shape)
    check_bounds(name, at, input.shape[dim] if input.ndim else 1, None if name == "index_fill" else 0)
    return at.reshape(-1), dim, (slice(None),) * dim + (at.reshape(-1),)


def _at_least_one(x: Array) -> Array:
    return x if x.ndim else reshape_op(x, (1,))


@function(inplace=True)
def index_add(input: Array, dim: int, index: Array, source: Array, *, alpha: Any = 1) -> Array:
    """Return ``input`` with slices of ``source`` added at ``index`` along ``dim``.

    The slices are multiplied by ``alpha`` first.

    >>> import tinygrad_lite as tl
    >>> tl.index_add(tl.zeros(3), 0, tl.tensor([0, 2]), tl.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    at, dim, key = _rows("index_add", input, dim, index)
    wide, more = _at_least_one(input), _at_least_one(source)
    if bare(source).dtype != input.dtype:
        raise DTypeError(f"index_add: source must have the dtype of input ({describe(source)}, {describe(input)})")
    expected = (*wide.shape[:dim], len(at), *wide.shape[dim + 1 :])
    if tuple(more.shape) != expected:
        raise ShapeError(f"index_add: source must have shape {expected}, it is {describe(source)}")
    added = scatter_at(more if alpha == 1 else more * alpha, key, tuple(wide.shape))
    return reshape_op(added + wide, tuple(input.shape))


@function(inplace=True)
def index_copy(input: Array, dim: int, index: Array, source: Array) -> Array:
    """Return ``input`` with the slices of ``source`` at ``index`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.index_copy(tl.zeros(3), 0, tl.tensor([2]), tl.tensor([7.0]))
    tensor([0., 0., 7.])
    """
    _, _, key = _rows("index_copy", input, dim, index)
    return reshape_op(put_at(contiguous(_at_least_one(input)), _at_least_one(source), key), tuple(input.shape))


@function(inplace=True)
def index_fill(input: Array, dim: int, index: Array, value: Any) -> Array:
    """Return ``input`` with ``value`` in the slices ``index`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.index_fill(tl.zeros(3), 0, tl.tensor([1]), 7.0)
    tensor([0., 7., 0.])
    """
    _, _, key = _rows("index_fill", input, dim, index)
    if np.ndim(bare(value)):
        raise ShapeError(f"index_fill: value must be one number, got {describe(value)}")
    if not hasattr(value, "dtype"):
        value = number("index_fill", value, input.dtype)
    return reshape_op(put_at(_at_least_one(input), value, key), tuple(input.shape))


@function(inplace=True)
def index_put(input: Array, indices: Any, values: Array, accumulate: bool = False) -> Array:
    """Return ``input`` with ``values`` at ``indices`` (one index tensor per axis).

    ``accumulate`` adds them.

    >>> import tinygrad_lite as tl
    >>> tl.index_put(tl.zeros(3), (tl.tensor([1]),), tl.tensor([7.0]))
    tensor([0., 7., 0.])
    """
    at = tuple(new.asarray(key_of(i)) if i is not None else slice(None) for i in indices)
    if not accumulate:
        return put_at(input, values, at)
    shape = bare(input)[at].shape
    wide = values if tuple(values.shape) == shape else values + new.zeros(shape, values.dtype)
    return input + scatter_at(wide, at, tuple(input.shape))


@function(numpy=(), inplace=True)
def put(input: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    """Return ``input`` with ``source`` at positions ``index`` of the flattened tensor.

    With ``accumulate`` the values are added.

    >>> import tinygrad_lite as tl
    >>> tl.zeros(2, 2).put(tl.tensor([3]), tl.tensor([7.0]))
    tensor([[0., 0.],
            [0., 7.]])
    """
    at = whole("put", index)
    check_bounds("put", at, int(np.prod(input.shape)))
    if at.size != int(np.prod(source.shape)):
        raise ShapeError(f"put: {at.size} indices but {int(np.prod(source.shape))} source elements")
    flat = reshape_op(input, (-1,))
    y = index_put(flat, (at.reshape(-1),), reshape_op(source, (-1,)), accumulate)
    return reshape_op(y, tuple(input.shape))


@function(inplace=True)
def masked_fill(input: Array, mask: Array, value: Any) -> Array:
    """Return ``input`` with ``value`` where ``mask`` is true.

    The two broadcast together.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, 2.0])
    >>> x.masked_fill(x > 1, 0.0)
    tensor([1., 0.])
    """
    if np.ndim(bare(value)):
        raise ShapeError(f"masked_fill: value must be one number, got {describe(value)}")
    on = mask_of("masked_fill", mask)
    y = where(on, value if hasattr(value, "dtype") else number("masked_fill", value, input.dtype), input)
    y = contiguous(y)
    return y if y.dtype == input.dtype else to(y, input.dtype)


@function(inplace=True)
def masked_scatter(input: Array, mask: Array, source: Array) -> Array:
    """Return ``input`` with consecutive elements of ``source`` where ``mask`` is true.

    >>> import tinygrad_lite as tl
    >>> tl.zeros(3).masked_scatter(tl.tensor([True, False, True]), tl.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    on = mask_of("masked_scatter", mask)
    shape = np.broadcast_shapes(on.shape, input.shape)
    on = np.broadcast_to(on, shape)
    count = int(on.sum())
    if count > int(np.prod(source.shape)):
        raise ShapeError(f"masked_scatter: mask has {count} true elements, source {describe(source)} has fewer")
    wide = input if tuple(input.shape) == shape else input + new.zeros(shape, input.dtype)
    return put_at(contiguous(wide), getitem(reshape_op(source, (-1,)), slice(0, count)), (on,))


@function()
def select_scatter(input: Array, src: Array, dim: int, index: int) -> Array:
    """Return ``input`` with ``src`` as its slice number ``index`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.select_scatter(tl.zeros(2, 2), tl.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    dim = place("select_scatter", dim, input.ndim, input.shape)
    key = (slice(None),) * dim + (int(index),)
    _fits("select_scatter", src, bare(input)[key].shape)
    return put_at(input, src, key)


@function()
def slice_scatter(
    input: Array, src: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Array:
    """Return ``input`` with ``src`` in place of ``input[start:end:step]`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.slice_scatter(tl.zeros(4), tl.ones(2), 0, 1, 3)
    tensor([0., 1., 1., 0.])
    """
    dim = place("slice_scatter", dim, input.ndim, input.shape)
    key = (slice(None),) * dim + (slice(start, end, step),)
    _fits("slice_scatter", src, bare(input)[key].shape)
    return put_at(input, src, key)


@function()
def diagonal_scatter(input: Array, src: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """Return ``input`` with ``src`` on the diagonal over two axes.

    >>> import tinygrad_lite as tl
    >>> tl.diagonal_scatter(tl.zeros(2, 2), tl.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    numbers = new.arange(bare(input).size).reshape(input.shape)
    at = bare(diagonal(numbers, offset, dim1, dim2))
    _fits("diagonal_scatter", src, at.shape)
    return reshape_op(put_at(reshape_op(input, (-1,)), src, (at,)), tuple(input.shape))


def _fits(name: str, src: Array, shape: Any) -> None:
    if tuple(src.shape) != tuple(shape):
        raise ShapeError(f"{name}: src must have shape {tuple(shape)}, it is {describe(src)}")
