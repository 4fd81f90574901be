"""Running sums, products and extremes along one axis."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.elsewhere import accumulated
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples, dims
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import clone, to
from tinygrad_lite.ops.indexing.getitem import take_along
from tinygrad_lite.ops.reductions.reduction import Extreme, back_to
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.ops.shape.reshaping import flip_op

ALONG = Samples("(...,n)->(...,n)", options={"dim": dims})


def _cumsum_rule(g: Array, input_dtype: Any, dim: int) -> Array:
    g = back_to(g, input_dtype)
    return g if g.ndim == 0 else flip_op(cumsum(flip_op(g, (dim,)), dim), (dim,))


@op(input=_cumsum_rule, inplace=True, kind="reduction", label="cumsum", samples=ALONG)
def cumsum(input: Array, dim: int, dtype: Any = None) -> Array:
    """Return the running sum along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.cumsum(tl.tensor([1, 2, 3]), dim=0)
    tensor([1, 3, 6])
    """
    if dtype is None and input.dtype.kind in "biu":
        dtype = np.int64
    if dtype is None and input.dtype.char == "e":  # rounded once, as in PyTorch
        y = np.add.accumulate(np.atleast_1d(input), axis=index(dim), dtype=np.float32)
        return _rounded(y, input)
    return np.add.accumulate(np.atleast_1d(input), axis=index(dim), dtype=dtype).reshape(input.shape)


def _rounded(y: Array, input: Array) -> Array:
    with np.errstate(over="ignore"):
        return y.reshape(input.shape).astype(input.dtype)


def _recur_factor(g: Array, y: Array, factor: Array) -> Array:
    return _backward_sum(g, factor) * _shifted(y, 0.0)


def _backward_sum(g: Array, factor: Array) -> Array:
    """``r[i] = g[i] + factor[i + 1] * r[i + 1]``: the gradient of every term of `recur`."""
    ahead = cat([factor[..., 1:], new.zeros((*factor.shape[:-1], 1), factor.dtype)], -1)
    return flip_op(recur(flip_op(ahead, (-1,)), flip_op(g, (-1,))), (-1,))


def _shifted(x: Array, first: float) -> Array:
    return cat([new.full((*x.shape[:-1], 1), first, x.dtype), x[..., :-1]], -1)


@op(
    factor=_recur_factor, term=lambda g, factor: _backward_sum(g, factor), kind="reduction", public=False,
    method=False, samples=Samples("(m,n),(m,n)->(m,n)", lo=-2.0, hi=2.0, min=1),
)  # fmt: skip
def recur(factor: Array, term: Array) -> Array:
    """Return ``y[i] = factor[i] * y[i - 1] + term[i]`` along the last axis, starting from 0."""
    y = new.array(term)
    for i in range(1, y.shape[-1]):
        y[..., i] += factor[..., i] * y[..., i - 1]
    return y


@wide
def _cumprod_rule(g: Array, input: Array, dim: int) -> Array:
    if not input.ndim or not input.shape[dim]:
        return g
    x, last = input.swapaxes(dim, -1), g.swapaxes(dim, -1)
    before = _shifted(cumprod(x, -1), 1.0)
    return back_to((before * _backward_sum(last, x)).swapaxes(dim, -1), input.dtype)


@op(input=_cumprod_rule, keeps_result=True, inplace=True, kind="reduction", label="cumprod",
    samples=Samples("(...,n)->(...,n)", options={"dim": dims}, lo=-3.0, hi=3.0))  # fmt: skip
def cumprod(input: Array, dim: int, dtype: Any = None) -> Array:
    """Return the running product along ``dim``.

    Its gradient is right with zeros among the factors.

    >>> import tinygrad_lite as tl
    >>> tl.cumprod(tl.tensor([1, 2, 3]), dim=0)
    tensor([1, 2, 6])
    """
    if dtype is None and input.dtype.kind in "biu":
        dtype = np.int64
    if dtype is None and input.dtype.char == "e":
        y = np.multiply.accumulate(np.atleast_1d(input), axis=index(dim), dtype=np.float32)
        return _rounded(y, input)
    return np.multiply.accumulate(np.atleast_1d(input), axis=index(dim), dtype=dtype).reshape(input.shape)


@wide
def _logcumsumexp_rule(g: Array, y: Array, input: Array, dim: int) -> Array:
    if not input.ndim or not input.shape[dim]:
        return g
    x, total, last = input.swapaxes(dim, -1), y.swapaxes(dim, -1), g.swapaxes(dim, -1)
    # exp(x - y) and the ratios of neighbouring sums are at most 1: nothing overflows
    before = _shifted(total, 0.0)
    ratio = np.exp(where((before == total) & np.isinf(total), 0.0, before - total))
    return (_backward_sum(last, ratio) * np.exp(x - total)).swapaxes(dim, -1)


@op(input=_logcumsumexp_rule, kind="reduction", promote="float", samples=ALONG)
@wide
def logcumsumexp(input: Array, dim: int) -> Array:
    r"""Return :math:`\log \sum_{j \le i} e^{x_j}` along ``dim`` without overflow.

    >>> import tinygrad_lite as tl
    >>> tl.logcumsumexp(tl.zeros(2), dim=0)
    tensor([0.0000, 0.6931])
    """
    return accumulated(np.logaddexp, np.atleast_1d(input), index(dim)).reshape(input.shape)


def _running(input: Array, dim: int, better: Any) -> Any:
    """Return the indices of the running extreme along ``dim`` (the last of equals)."""
    x = np.moveaxis(np.atleast_1d(input), dim, -1)
    at = np.broadcast_to(new.arange(x.shape[-1]), x.shape)
    best = accumulated(better, x, -1)
    nan = np.isnan(best) & ~np.isnan(x) if x.dtype.kind == "f" else False
    here = ((x == best) | (np.isnan(x) if x.dtype.kind == "f" else False)) & ~new.asarray(nan)
    return np.moveaxis(accumulated(np.maximum, np.where(here, at, 0), -1), -1, dim).reshape(np.shape(input))


@op(kind="reduction", public=False)
def cummax_index(input: Array, dim: int) -> Array:
    """Return the indices of the running maximum."""
    return _running(input, dim, np.maximum)


@op(kind="reduction", public=False)
def cummin_index(input: Array, dim: int) -> Array:
    """Return the indices of the running minimum."""
    return _running(input, dim, np.minimum)


@function()
def cummax(input: Array, dim: int) -> Extreme:
    """Return the running maximum along ``dim`` and its indices (the last of equals).

    >>> import tinygrad_lite as tl
    >>> tl.cummax(tl.tensor([1, 3, 2]), dim=0).values
    tensor([1, 3, 3])
    """
    indices = cummax_index(input, dim)
    return Extreme(take_along(input, indices, dim) if input.ndim else clone(input), indices)


@function()
def cummin(input: Array, dim: int) -> Extreme:
    """Return the running minimum along ``dim`` and its indices (the last of equals).

    >>> import tinygrad_lite as tl
    >>> tl.cummin(tl.tensor([3, 1, 2]), dim=0).values
    tensor([3, 1, 1])
    """
    indices = cummin_index(input, dim)
    return Extreme(take_along(input, indices, dim) if input.ndim else clone(input), indices)


def _areas(y: Array, x: Any, dx: Any, dim: int) -> Array:
    """Return the areas of the trapezoids between neighbours along ``dim``."""
    if y.dtype.kind != "f":
        y = to(y, "float32")
    last = y.swapaxes(dim, -1)
    mean = (last[..., 1:] + last[..., :-1]) / 2
    if x is None:
        return (mean * (1 if dx is None else dx)).swapaxes(dim, -1)
    x = x if x.ndim == 1 else x.swapaxes(dim, -1)
    return (mean * (x[..., 1:] - x[..., :-1])).swapaxes(dim, -1)


@function()
def trapezoid(y: Array, x: Any = None, *, dx: Any = None, dim: int = -1) -> Array:
    """Return the integral of ``y`` along ``dim`` by the trapezoid rule.

    The points are ``x``, or ``dx`` (1) apart.

    >>> import tinygrad_lite as tl
    >>> tl.trapezoid(tl.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """
    if not y.shape[dim]:
        return make(new.zeros(tuple(n for i, n in enumerate(y.shape) if i != dim % y.ndim), y.dtype))
    return _areas(y, x, dx, dim).sum(dim)


@function()
def cumulative_trapezoid(y: Array, x: Any = None, *, dx: Any = None, dim: int = -1) -> Array:
    """Return the running integral of ``y`` along ``dim`` by the trapezoid rule.

    >>> import tinygrad_lite as tl
    >>> tl.cumulative_trapezoid(tl.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    return cumsum(_areas(y, x, dx, dim), dim)
