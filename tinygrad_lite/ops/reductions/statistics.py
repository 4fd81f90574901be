"""Variance, order statistics (median, quantile, mode) and correlation."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.elsewhere import accumulated
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import clip, flat_sqrt
from tinygrad_lite.ops.elementwise.cast import alike, bare, clone, contiguous
from tinygrad_lite.ops.elementwise.lerp import lerp
from tinygrad_lite.ops.indexing.getitem import take_along
from tinygrad_lite.ops.reductions.reduction import Extreme, added, amax, axes_of, axis_of, kept, mean, ratio, some_dims
from tinygrad_lite.ops.shape.joining import stack
from tinygrad_lite.ops.shape.reshaping import BadIndex, reshape_op


# ------------------------------------------------------------------------------------------------ variance
def _count(shape: Any, dim: Any) -> int:
    return prod([shape[i] for i in axes_of(dim, len(shape))]) if len(shape) else 1


@wide
def _variance_rule(g: Array, input: Array, dim: Any, correction: Any, keepdim: bool) -> Array:
    shape = input.shape
    away = input - input.mean(axis=axis_of(dim), keepdims=True) if len(shape) else input * 0.0
    freedom = _count(shape, dim) - correction
    return kept(g, shape, dim, keepdim) * away * (2 / freedom if freedom > 0 else np.inf)


@op(
    input=_variance_rule, kind="reduction", label="var", promote="float", public=False,
    samples=Samples("()->()", options={"dim": some_dims, "correction": (0,), "keepdim": (False, True)}, min=1),
)  # fmt: skip
def variance(input: Array, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> Array:
    """Return the sum of squared distances from the mean over ``dim``, divided by ``n - correction``.

    Where that is not positive, warn and divide by 0.
    """
    n = _count(input.shape, dim)
    if n - correction <= 0:
        warn(
            f"var: {n} element{'s' * (n != 1)} over dim={dim} of shape {input.shape} with correction={correction} "
            f"leave no degrees of freedom; use correction=0 for the variance of these elements alone"
        )
    axis = axis_of(dim, input.ndim)
    exact = input.astype(np.float32) if input.dtype == np.float16 else input  # sums may be too large for float16
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        away = exact - added(exact, axis=axis, keepdims=True) / (n or np.nan)
        total = new.asarray(added(away * away, axis=axis, keepdims=keepdim))
        return ratio(total, np.maximum(n - correction, 0)).astype(input.dtype, copy=False)


def _arguments(name: str, input: Array, dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Any]:
    """Resolve PyTorch's older signatures, ``var(unbiased)`` and ``var(dim, unbiased)``."""
    if input.dtype.kind != "f":
        raise DTypeError(f"{name}: expected floats, got {describe(input)}; use .float()")
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(bool(unbiased))
    return dim, correction


@function()
def var(
    input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Array:
    r"""Return the variance :math:`\frac{1}{n - c} \sum_i (x_i - \bar x)^2` over ``dim``.

    :math:`c`, the ``correction``, is 1 by default.

    >>> import tinygrad_lite as tl
    >>> tl.var(tl.tensor([1.0, 3.0])), tl.var(tl.tensor([1.0, 3.0]), correction=0)
    (tensor(2.), tensor(1.))
    """
    dim, correction = _arguments("var", input, dim, unbiased, correction)
    return variance(input, dim, correction, keepdim)


@function()
def std(
    input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Array:
    """Return the square root of `var`.

    Its slope where all elements are equal is taken as 0.

    >>> import tinygrad_lite as tl
    >>> tl.std(tl.tensor([1.0, 3.0]), correction=0)
    tensor(1.)
    """
    dim, correction = _arguments("std", input, dim, unbiased, correction)
    return flat_sqrt(variance(input, dim, correction, keepdim))


@function(method=False)
def var_mean(
    input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Array, Array]:
    """Return (variance, mean) over ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.var_mean(tl.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """
    y = var(input, dim, unbiased, keepdim, correction=correction)
    return y, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@function(method=False)
def std_mean(
    input: Array, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Array, Array]:
    """Return (standard deviation, mean) over ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.std_mean(tl.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    y = std(input, dim, unbiased, keepdim, correction=correction)
    return y, mean(input, None if isinstance(dim, bool) else dim, keepdim)


# ------------------------------------------------------------------------------------------------ order statistics
def _pick(input: Array, at: Any, dim: int, keepdim: bool) -> Extreme:
    """Return the elements at the indices ``at`` (axis kept) along ``dim``, and the indices."""
    values, indices = contiguous(take_along(input, at, dim)), alike(input, new.int64(new.ascontiguousarray(at)))
    return Extreme(values, indices) if keepdim else Extreme(values.squeeze(dim), indices.squeeze(dim))


def _some(name: str, input: Array, dim: Any) -> None:
    if not bare(input).size and (dim is None or not input.shape[dim]):
        raise BadIndex(f"{name}: no elements over dim={dim} of shape {tuple(input.shape)}")


def _median_at(x: Any, dim: int, ignore_nan: bool) -> Any:
    order = np.argsort(x, axis=dim, kind="stable")  # NaN last
    nan = np.isnan(x).sum(axis=dim, keepdims=True) if x.dtype.kind == "f" else new.zeros((1,) * x.ndim, np.int64)
    n = x.shape[dim]
    if ignore_nan:
        middle = np.maximum(n - nan - 1, 0) // 2
    else:
        middle = np.where(nan > 0, n - nan, (n - 1) // 2)  # the first NaN
    shape = tuple(1 if i == dim % x.ndim else s for i, s in enumerate(x.shape))
    return np.take_along_axis(order, np.broadcast_to(middle, shape), dim)


def _median(name: str, input: Array, dim: Any, keepdim: bool, ignore_nan: bool) -> Any:
    if dim is None and not bare(input).size and input.dtype.kind == "f":
        return alike(input, new.full((), np.nan, input.dtype))
    _some(name, input, dim)
    if input.ndim == 0:
        return clone(input) if dim is None else Extreme(clone(input), alike(input, np.int64(0)))
    if dim is None:
        flat = input.reshape(-1)
        x = bare(flat)
        found = x[_median_at(x, 0, ignore_nan)]
        # as in PyTorch the gradient is shared by all elements equal to the median: that is what `amax` does
        if found != found:
            return mean(take_along(flat, np.flatnonzero(x != x), 0), 0)
        return amax(take_along(flat, np.flatnonzero(x == found), 0), 0)
    at = _median_at(bare(input), dim, ignore_nan)
    if not ignore_nan:
        computed("kth", (input, (input.shape[dim] + 1) // 2, dim), at)
    return _pick(input, at, dim, keepdim)


@function(numpy=())
def median(input: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the median (the lower of two).

    With ``dim`` return (values, indices). NaN propagates.

    >>> import tinygrad_lite as tl
    >>> tl.median(tl.tensor([1.0, 4.0, 2.0, 3.0]))
    tensor(2.)
    """
    return _median("median", input, dim, keepdim, False)


@function(numpy=())
def nanmedian(input: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the median (the lower of two) of the elements that are not NaN.

    With ``dim`` return (values, indices).

    >>> import tinygrad_lite as tl
    >>> tl.nanmedian(tl.tensor([1.0, tl.nan, 3.0]))
    tensor(1.)
    """
    return _median("nanmedian", input, dim, keepdim, True)


INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name: str, input: Array, q: Any, dim: Any, keepdim: bool, how: str, ignore_nan: bool) -> Array:
    if input.dtype.kind != "f":
        raise DTypeError(f"{name}: expected floats, got {describe(input)}; use .float()")
    if how not in INTERPOLATIONS:
        raise ShapeError(f"{name}: interpolation must be one of {', '.join(INTERPOLATIONS)}, got {how!r}")
    if not bare(input).size:
        raise ShapeError(f"{name}: input must not be empty, got {describe(input)}")
    dim = dim if dim is None else int(dim)
    wanted = new.asarray(bare(q), np.float64)
    if wanted.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or 1-D, got shape {wanted.shape}")
    if wanted.size and not (wanted.min() >= 0 and wanted.max() <= 1):
        raise ShapeError(f"{name}: q must lie between 0 and 1, got {wanted.tolist()}")
    _some(name, input, dim)
    shape = tuple(input.shape)
    ndim = len(shape)
    x = input.reshape(-1) if dim is None or not ndim else input.swapaxes(dim, -1)
    raw = bare(x)
    order = np.argsort(raw, axis=-1, kind="stable")
    nan = np.isnan(raw).sum(axis=-1, keepdims=True)
    last = np.maximum(raw.shape[-1] - nan - 1, 0) if ignore_nan else new.full_like(nan, raw.shape[-1] - 1)
    place = np.where((nan > 0) & (not ignore_nan), last, np.multiply.outer(wanted.reshape(-1), last))  # (q, ..., 1)
    low, high = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
    if how in ("lower", "higher", "nearest"):
        low = high = {"lower": low, "higher": high, "nearest": np.round(place).astype(np.int64)}[how]
    parts = []
    for i in range(wanted.size):
        at = [np.take_along_axis(order, k[i], -1) for k in (low, high)]
        a = take_along(x, at[0], -1)
        if how in ("linear", "midpoint"):
            weight = new.full_like(place[i], 0.5) if how == "midpoint" else place[i] - low[i]
            share = (weight * (high[i] > low[i])).astype(raw.dtype)
            if how == "linear" and getattr(q, "tracked", False):  # the place of the quantile has a gradient too
                share = reshape_op(q, (-1,))[i] * last.astype(raw.dtype) - low[i].astype(raw.dtype)
            a = lerp(a, take_along(x, at[1], -1), share)
        parts.append(a)
    if dim is None or not ndim:
        out = [p.reshape((1,) * ndim if keepdim else ()) for p in parts]
    else:
        out = [p.swapaxes(dim, -1) if keepdim else p.swapaxes(dim, -1).squeeze(dim) for p in parts]
    return stack(out, 0) if wanted.ndim else contiguous(out[0])


@function()
def quantile(input: Array, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Array:
    """Return the ``q``-quantile(s) over ``dim``.

    Several ``q`` make a first axis. NaN propagates.

    >>> import tinygrad_lite as tl
    >>> tl.quantile(tl.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@function()
def nanquantile(
    input: Array, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Array:
    """Return the ``q``-quantile(s) over ``dim`` of the elements that are not NaN.

    >>> import tinygrad_lite as tl
    >>> tl.nanquantile(tl.tensor([1.0, tl.nan, 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


@function()
def kthvalue(input: Array, k: int, dim: int = -1, keepdim: bool = False) -> Extreme:
    """Return (values, indices) of the ``k``-th smallest element (from 1) along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.kthvalue(tl.tensor([3.0, 1.0, 2.0]), 2).values
    tensor(2.)
    """
    if input.ndim == 0:
        return Extreme(clone(input), alike(input, np.int64(0)))
    if not 1 <= k <= input.shape[dim]:
        raise BadIndex(f"kthvalue: k must be 1..{input.shape[dim]} along dim={dim} of {tuple(input.shape)}, got {k}")
    order = np.argsort(bare(input), axis=dim, kind="stable")
    return _pick(input, computed("kth", (input, k, dim), np.take(order, [k - 1], axis=dim)), dim, keepdim)


@function()
def mode(input: Array, dim: int = -1, keepdim: bool = False) -> Extreme:
    """Return the most frequent element (the smallest of several) along ``dim`` and its last index.

    >>> import tinygrad_lite as tl
    >>> tl.mode(tl.tensor([1, 2, 2])).values
    tensor(2)
    """
    if input.ndim == 0:
        return Extreme(clone(input), alike(input, np.int64(0)))
    dim = int(dim)
    _some("mode", input, dim)
    x = np.moveaxis(bare(input), dim, -1)
    order = np.argsort(x, axis=-1, kind="stable")
    ranked = np.take_along_axis(x, order, -1)
    n = x.shape[-1]
    at = new.arange(n)
    first = np.concatenate([new.ones((*x.shape[:-1], 1), bool), ranked[..., 1:] != ranked[..., :-1]], -1)
    run = at - accumulated(np.maximum, np.where(first, at, 0), -1)  # how many equal elements come before
    longest = run.max(-1, keepdims=True)
    end = np.argmax(run == longest, -1, keepdims=True)
    return _pick(input, np.moveaxis(np.take_along_axis(order, end, -1), -1, dim), dim, keepdim)


# ------------------------------------------------------------------------------------------------ correlation
@function(numpy=())
def cov(input: Array, *, correction: Any = 1, fweights: Any = None, aweights: Any = None) -> Array:
    """Return the covariance matrix of the rows of ``input`` (variables, observations).

    ``fweights`` and ``aweights`` weight the observations.

    >>> import tinygrad_lite as tl
    >>> tl.cov(tl.tensor([[1.0, 3.0], [2.0, 6.0]]))
    tensor([[2., 4.],
            [4., 8.]])
    """
    if input.ndim > 2:
        raise ShapeError(f"cov: expected (variables, observations), got {describe(input)}")
    x = input.reshape((1, -1)) if input.ndim < 2 else input
    if input.dtype.kind == "b":
        raise DTypeError(f"cov: bool tensors have no covariance, got {describe(input)}; use .float()")
    for name, given, kinds, words in (
        ("fweights", fweights, "iu", "integers"), ("aweights", aweights, "f", "floating numbers"),
    ):  # fmt: skip
        if given is None:
            continue
        raw = new.asarray(bare(given))
        if raw.dtype.kind not in kinds:
            raise DTypeError(f"cov: {name} must be {words}, got {describe(given)}")
        if raw.ndim > 1 or raw.size != x.shape[1]:
            raise ShapeError(f"cov: {name} must have one number per observation ({x.shape[1]}), got {describe(given)}")
        if (raw < 0).any():
            raise ShapeError(f"cov: {name} cannot be negative")
    w = fweights
    one = x.shape[0] == 1
    if aweights is not None:
        w = aweights if w is None else w * aweights
    n = x.shape[1]
    if w is None:
        if n - correction <= 0:
            warn(f"cov: {n} observations with correction={correction} leave no degrees of freedom")
        away = x - x.mean(1, True)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = (away @ away.T) / new.asarray(max(n - correction, 0), x.dtype)
    else:
        total = w.sum()
        if bare(total) == 0:
            raise ShapeError("cov: the weights add up to zero")
        away = x - (x * w).sum(1, True) / total
        norm = total - correction if aweights is None else total - correction * (w * aweights).sum() / total
        y = (away * w) @ away.T / norm
    return y.reshape(()) if one else y


@function(numpy=())
def corrcoef(input: Array) -> Array:
    """Return the correlation matrix of the rows of ``input`` (variables, observations).

    >>> import tinygrad_lite as tl
    >>> tl.corrcoef(tl.tensor([[1.0, 3.0], [2.0, 6.0]]))
    tensor([[1., 1.],
            [1., 1.]])
    """
    c = cov(input)
    if c.ndim == 0:
        return c / c
    d = flat_sqrt(c[new.arange(c.shape[0]), new.arange(c.shape[0])])
    return clip(c / d.reshape((-1, 1)) / d.reshape((1, -1)), -1.0, 1.0)
