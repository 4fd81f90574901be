"""NumPy's functions on Tensors, with NumPy's arguments, where they differ from PyTorch's of the same name."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.elementwise import comparison as compare
from tinygrad_lite.ops.elementwise.arithmetic import flat_sqrt, where
from tinygrad_lite.ops.elementwise.cast import alike, bare, to
from tinygrad_lite.ops.linalg import products as product
from tinygrad_lite.ops.reductions import cumulative as scan, reduction, sorting, statistics
from tinygrad_lite.ops.shape import reshaping as shape


def cast_to(x: Any, dtype: Any) -> Any:
    """Return ``x`` in the dtype asked for, if one is."""
    return x if dtype is None else to(x, dtype)


def tensor_of(x: Any) -> Any:
    """Return a list or a number as an array; tensors and arrays as they are."""
    return x if hasattr(x, "dtype") and hasattr(x, "ndim") else np.asarray(x)


# ------------------------------------------------------------------------------------------------ what it is
@answers("shape")
def shape_np(a: Any) -> Any:
    """Answer numpy.shape."""
    return a.array.shape


@answers("ndim")
def ndim(a: Any) -> Any:
    """Answer numpy.ndim."""
    return a.array.ndim


@answers("size")
def size(a: Any, axis: Any = None) -> Any:
    """Answer numpy.size."""
    return a.array.size if axis is None else a.array.shape[axis]


@answers("iscomplexobj")
def iscomplexobj(x: Any) -> bool:
    """Answer numpy.iscomplexobj."""
    return False


@answers("result_type")
def result_type(*arrays_and_dtypes: Any) -> Any:
    """Answer numpy.result_type."""
    return np.result_type(*[bare(a) for a in arrays_and_dtypes])


@answers("may_share_memory", "shares_memory")
def may_share_memory(a: Any, b: Any) -> bool:
    """Answer numpy.may_share_memory."""
    return np.may_share_memory(bare(a), bare(b))


@answers("real")
def real(val: Any) -> Any:
    """Answer numpy.real."""
    return val


# ------------------------------------------------------------------------------------------------ reductions
@answers("sum")
def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.sum."""
    return reduction.sum(a, axis, bool(keepdims), dtype)


@answers("prod")
def prod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.prod."""
    return reduction.prod(a, axis, bool(keepdims), dtype)


@answers("mean")
def mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.mean."""
    return reduction.mean(cast_to(a, dtype), axis, bool(keepdims))


@answers("max", "amax")
def amax(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.max."""
    return reduction.amax(a, axis, bool(keepdims))


@answers("min", "amin")
def amin(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.min."""
    return reduction.amin(a, axis, bool(keepdims))


@answers("ptp")
def ptp(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.ptp: largest minus smallest."""
    return amax(a, axis, keepdims) - amin(a, axis, keepdims)


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


def _filled(a: Any, value: Any) -> Any:
    return where(np.isnan(a), value, a)


@answers("nansum")
def nansum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nansum."""
    return sum(_filled(a, 0.0), axis, dtype, keepdims)


@answers("nanprod")
def nanprod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanprod."""
    return prod(_filled(a, 1.0), axis, dtype, keepdims)


@answers("nanmean")
def nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmean."""
    return reduction.nanmean(a, axis, bool(keepdims), dtype)


@answers("nanmax")
def nanmax(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmax."""
    return amax(_filled(a, -np.inf), axis, keepdims)


@answers("nanmin")
def nanmin(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmin."""
    return amin(_filled(a, np.inf), axis, keepdims)


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


@answers("all")
def all(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.all."""
    return reduction.all(a, axis, bool(keepdims))


@answers("any")
def any(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.any."""
    return reduction.any(a, axis, bool(keepdims))


@answers("count_nonzero")
def count_nonzero(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.count_nonzero."""
    return reduction.sum(a != 0, axis, bool(keepdims))


@answers("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: Any = False) -> Any:
    """Answer numpy.average."""
    a = tensor_of(a)
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        total = bare(a).size / np.asarray(bare(y)).size
    else:
        w = tensor_of(weights)
        if w.ndim == 1 and a.ndim > 1:
            if axis is None or w.shape[0] != a.shape[axis]:
                raise ShapeError(
                    f"numpy.average: weights {tuple(w.shape)} need an axis of {tuple(a.shape)} of that length"
                )
            w = w.reshape(tuple(-1 if i == axis % a.ndim else 1 for i in range(a.ndim)))
        w = w + np.zeros(tuple(a.shape), bare(w).dtype)
        total = w.sum(axis=axis, keepdims=bool(keepdims))
        y = (a * w).sum(axis=axis, keepdims=bool(keepdims)) / total
    return (y, total) if returned else y


# ------------------------------------------------------------------------------------------------ order statistics
def _over(a: Any, axis: Any) -> tuple[Any, Any]:
    """Return ``a`` with the axes named made one, and which that is (None for all)."""
    if axis is None or isinstance(axis, (int, np.integer)):
        return a, axis
    axes = shape.places("quantile", axis, a.ndim, a.shape)
    rest = tuple(i for i in range(a.ndim) if i not in axes)
    moved = shape.permute_op(a, rest + axes)
    return moved.reshape((*(a.shape[i] for i in rest), -1)), -1


def _quantile(name: str, a: Any, q: Any, axis: Any, method: str, keepdims: Any, ignore_nan: bool) -> Any:
    a = a if a.dtype.kind == "f" else to(a, np.float64)
    q = np.asarray(bare(q), np.float64)
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
    return _quantile("numpy.percentile", a, np.asarray(bare(q)) / 100, axis, method, keepdims, False)


@answers("nanquantile")
def nanquantile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: Any = False) -> Any:
    """Answer numpy.nanquantile."""
    return _quantile("numpy.nanquantile", a, q, axis, method, keepdims, True)


@answers("nanpercentile")
def nanpercentile(a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: Any = False) -> Any:
    """Answer numpy.nanpercentile."""
    return _quantile("numpy.nanpercentile", a, np.asarray(bare(q)) / 100, axis, method, keepdims, True)


@answers("median")
def median(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.median: the mean of the two in the middle."""
    return _quantile("numpy.median", a, 0.5, axis, "linear", keepdims, False)


@answers("nanmedian")
def nanmedian(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmedian."""
    return _quantile("numpy.nanmedian", a, 0.5, axis, "linear", keepdims, True)


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
        x = shape.cat([x, more if rowvar or y.ndim < 2 else more.T], 0)
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


# ------------------------------------------------------------------------------------------------ scans
def _scan(scan_: Any, a: Any, axis: Any, dtype: Any) -> Any:
    return scan_(a.reshape(-1) if axis is None else a, 0 if axis is None else axis, dtype)


@answers("cumsum", "cumulative_sum")
def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Answer numpy.cumsum."""
    return _scan(scan.cumsum, a, axis, dtype)


@answers("cumprod", "cumulative_prod")
def cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Answer numpy.cumprod."""
    return _scan(scan.cumprod, a, axis, dtype)


@answers("nancumsum")
def nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Answer numpy.nancumsum."""
    return cumsum(_filled(a, 0.0), axis, dtype)


@answers("trapezoid", "trapz")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Answer numpy.trapezoid."""
    return scan.trapezoid(tensor_of(y), None if x is None else tensor_of(x), dx=None if x is not None else dx, dim=axis)


@answers("diff")
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Answer numpy.diff."""
    prepend, append = (None if v is None or v is np._NoValue else tensor_of(v) for v in (prepend, append))

    def wide(v: Any) -> Any:
        if v is None or v.ndim:
            return v
        return v.reshape((1,) * a.ndim) + np.zeros(
            [1 if i == axis % a.ndim else s for i, s in enumerate(a.shape)], v.dtype
        )

    return product.diff(tensor_of(a), n, axis, wide(prepend), wide(append))


@answers("ediff1d")
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Answer numpy.ediff1d."""
    parts = [None if p is None else tensor_of(p).reshape(-1) for p in (to_begin, to_end)]
    middle = product.diff(ary.reshape(-1))
    return shape.cat([p for p in (parts[0], middle, parts[1]) if p is not None], 0)


@answers("gradient")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Answer numpy.gradient."""
    axes = tuple(range(f.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    spacing = list(varargs) if len(varargs) > 1 else [varargs[0] if varargs else 1.0] * len(axes)
    out = product.gradient(f, spacing=spacing, dim=axes, edge_order=edge_order)
    return out[0] if len(out) == 1 else list(out)


# ------------------------------------------------------------------------------------------------ sorting and searching
@answers("sort")
def sort(a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    """Answer numpy.sort."""
    return sorting.sort(a.reshape(-1) if axis is None else a, -1 if axis is None else axis).values


@answers("argsort")
def argsort(a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    """Answer numpy.argsort."""
    return sorting.argsort(a.reshape(-1) if axis is None else a, -1 if axis is None else axis)


@answers("nonzero")
def nonzero(a: Any) -> Any:
    """Answer numpy.nonzero."""
    return sorting.nonzero(a, as_tuple=True)


@answers("flatnonzero")
def flatnonzero(a: Any) -> Any:
    """Answer numpy.flatnonzero."""
    return sorting.nonzero(a.reshape(-1), as_tuple=True)[0]


@answers("where")
def where_np(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Answer numpy.where."""
    if x is None and y is None:
        return sorting.nonzero(condition, as_tuple=True)
    return where(
        condition
        if bare(condition) is not condition or np.asarray(condition).dtype.kind == "b"
        else np.asarray(condition) != 0,
        x,
        y,
    )


@answers("searchsorted")
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Answer numpy.searchsorted."""
    return sorting.searchsorted(a, v, side=side, sorter=sorter)


@answers("digitize")
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """Answer numpy.digitize."""
    return alike(x if isinstance(x, Tensor) else bins, np.digitize(bare(x), bare(bins), right))


@answers("unique")
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None
) -> Any:
    """Answer numpy.unique."""
    find: Any = np.unique
    out = find(bare(ar), return_index, return_inverse, return_counts, axis)
    return tuple(alike(ar, o) for o in out) if isinstance(out, tuple) else alike(ar, out)


@answers("isin")
def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Answer numpy.isin."""
    return sorting.isin(element, test_elements, invert=invert)


@answers("bincount")
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Answer numpy.bincount."""
    return sorting.bincount(x, weights, minlength)


@answers("histogram")
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """Answer numpy.histogram (counts carry no gradient)."""
    out = np.histogram(bare(a), bare(bins), range, density, None if weights is None else bare(weights))
    return tuple(alike(a, o) for o in out)


@answers("round", "around")
def round_np(a: Any, decimals: int = 0) -> Any:
    """Answer numpy.round."""
    return compare.round(a, decimals)
