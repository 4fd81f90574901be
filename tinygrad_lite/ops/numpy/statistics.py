"""NumPy's statistics: averages and variances, order statistics, correlating, histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.elementwise.arithmetic import flat_sqrt, where
from tinygrad_lite.ops.elementwise.cast import alike, bare, to
from tinygrad_lite.ops.numpy.arguments import cast_to, tensor_of
from tinygrad_lite.ops.numpy.mathematics import amax, amin, convolve, sum
from tinygrad_lite.ops.reductions import reduction, sorting, statistics
from tinygrad_lite.ops.shape import joining, reshaping
from tinygrad_lite.ops.shape.reshaping import flip_op


@answers("ptp")
def ptp(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.ptp: largest minus smallest."""
    return amax(a, axis, keepdims) - amin(a, axis, keepdims)


def _over(a: Any, axis: Any) -> tuple[Any, Any]:
    """Return ``a`` with the axes named made one, and which that is (None for all)."""
    if axis is None or isinstance(axis, (int, np.integer)):
        return a, axis
    axes = reshaping.places("quantile", axis, a.ndim, a.shape)
    rest = tuple(i for i in range(a.ndim) if i not in axes)
    moved = reshaping.permute_op(a, rest + axes)
    return moved.reshape((*(a.shape[i] for i in rest), -1)), -1


def _quantile(name: str, a: Any, q: Any, axis: Any, method: str, keepdims: Any, ignore_nan: bool) -> Any:
    a = a if a.dtype.kind == "f" else to(a, np.float64)
    q = new.asarray(bare(q), np.float64)
    flat, along = _over(a, axis)
    y = statistics._quantile(name, flat, q.reshape(-1), along, False, method, ignore_nan)
    kept = tuple(1 if axis is None or i in reduction.axes_of(axis, a.ndim) else n for i, n in enumerate(a.shape))
    return y.reshape(q.shape + (kept if keepdims else tuple(y.shape[1:])))


@answers("quantile")
def quantile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: Any = False) -> Any:
    """Answer numpy.quantile."""
    return _quantile("numpy.quantile", a, q, axis, method, keepdims, False)


@answers("percentile")
def percentile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: Any = False) -> Any:
    """Answer numpy.percentile."""
    return _quantile("numpy.percentile", a, new.asarray(bare(q)) / 100, axis, method, keepdims, False)


@answers("nanquantile")
def nanquantile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: Any = False) -> Any:
    """Answer numpy.nanquantile."""
    return _quantile("numpy.nanquantile", a, q, axis, method, keepdims, True)


@answers("nanpercentile")
def nanpercentile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: Any = False) -> Any:
    """Answer numpy.nanpercentile."""
    return _quantile("numpy.nanpercentile", a, new.asarray(bare(q)) / 100, axis, method, keepdims, True)


@answers("median")
def median(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.median: the mean of the two in the middle."""
    return _quantile("numpy.median", a, 0.5, axis, "linear", keepdims, False)


@answers("nanmedian")
def nanmedian(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmedian."""
    return _quantile("numpy.nanmedian", a, 0.5, axis, "linear", keepdims, True)


@answers("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: Any = False) -> Any:
    """Answer numpy.average."""
    a = tensor_of(a)
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        total = bare(a).size / new.asarray(bare(y)).size
    else:
        w = tensor_of(weights)
        if w.ndim == 1 and a.ndim > 1:
            if axis is None or w.shape[0] != a.shape[axis]:
                raise ShapeError(
                    f"numpy.average: weights {tuple(w.shape)} need an axis of {tuple(a.shape)} of that length"
                )
            w = w.reshape(tuple(-1 if i == axis % a.ndim else 1 for i in range(a.ndim)))
        w = w + new.zeros(tuple(a.shape), bare(w).dtype)
        total = w.sum(axis=axis, keepdims=bool(keepdims))
        y = (a * w).sum(axis=axis, keepdims=bool(keepdims)) / total
    return (y, total) if returned else y


@answers("mean")
def mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.mean."""
    return reduction.mean(cast_to(a, dtype), axis, bool(keepdims))


@answers("var")
def var(
    a: Any, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: Any = False, correction: Any = None
) -> Any:
    """Answer numpy.var."""
    return statistics.variance(cast_to(a, dtype), axis, ddof if correction is None else correction, bool(keepdims))


@answers("std")
def std(
    a: Any, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: Any = False, correction: Any = None
) -> Any:
    """Answer numpy.std."""
    return flat_sqrt(var(a, axis, dtype, ddof, keepdims, correction))


@answers("nanmean")
def nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmean."""
    return reduction.nanmean(a, axis, bool(keepdims), dtype)


@answers("nanvar")
def nanvar(a: Any, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    """Answer numpy.nanvar."""
    there = np.logical_not(np.isnan(bare(a)))
    away = where(there, a - nanmean(a, axis, dtype, True), 0.0)
    return sum(away * away, axis, None, keepdims) / (np.sum(there, axis=axis, keepdims=bool(keepdims)) - ddof)


@answers("nanstd")
def nanstd(a: Any, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    """Answer numpy.nanstd."""
    return flat_sqrt(nanvar(a, axis, dtype, ddof, keepdims))


@answers("cov")
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Any:
    """Answer numpy.cov."""
    x = m if m.ndim == 2 else m.reshape((1, -1))
    x = x if rowvar or m.ndim < 2 else x.T
    if y is not None:
        y = tensor_of(y)
        more = y if y.ndim == 2 else y.reshape((1, -1))
        x = joining.cat([x, more if rowvar or y.ndim < 2 else more.T], 0)
    if aweights is not None:
        aweights = tensor_of(aweights).to(x.dtype if x.dtype.kind == "f" else np.dtype(np.float64))
    c = statistics.cov(x, correction=(0 if bias else 1) if ddof is None else ddof, fweights=fweights, aweights=aweights)
    return c.reshape(()) if x.shape[0] == 1 else c


@answers("corrcoef")
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """Answer numpy.corrcoef."""
    c = cov(x, y, rowvar)
    if not c.ndim:
        return c / c
    d = flat_sqrt(c.diagonal())
    return c / d.reshape((-1, 1)) / d.reshape((1, -1))


@answers("correlate")
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Answer numpy.correlate."""
    a, v = tensor_of(a), tensor_of(v)
    if a.ndim == v.ndim == 1 and a.shape[0] < v.shape[0]:
        # NumPy slides the shorter vector, and an even "same" is not symmetric
        return flip_op(correlate(v, a, mode), (0,))
    return convolve(a, flip_op(v, (0,)), mode)


@answers("histogram")
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """Answer numpy.histogram (counts carry no gradient)."""
    out = np.histogram(bare(a), bare(bins), range, density, None if weights is None else bare(weights))
    return tuple(alike(a, o) for o in out)


@answers("bincount")
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Answer numpy.bincount."""
    return sorting.bincount(x, weights, minlength)


@answers("digitize")
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """Answer numpy.digitize."""
    return alike(x if isinstance(x, Tensor) else bins, np.digitize(bare(x), bare(bins), right))
