"""NumPy's mathematical functions: sums, products, differences, extrema, rounding and the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.elementwise import comparison
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.linalg import products
from tinygrad_lite.ops.linalg.matmul import matmul
from tinygrad_lite.ops.numpy.arguments import flattened, nan_replaced, tensor_of
from tinygrad_lite.ops.reductions import cumulative, reduction
from tinygrad_lite.ops.shape import joining
from tinygrad_lite.ops.shape.reshaping import flip_op, movedim
from tinygrad_lite.ops.windows.padding import pad_constant


@answers("sum")
def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.sum."""
    return reduction.sum(a, axis, bool(keepdims), dtype)


@answers("prod")
def prod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.prod."""
    return reduction.prod(a, axis, bool(keepdims), dtype)


@answers("nansum")
def nansum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nansum."""
    return sum(nan_replaced(a, 0.0), axis, dtype, keepdims)


@answers("nanprod")
def nanprod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanprod."""
    return prod(nan_replaced(a, 1.0), axis, dtype, keepdims)


@answers("cumsum", "cumulative_sum")
def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Answer numpy.cumsum."""
    a, axis = flattened(a, axis)
    return cumulative.cumsum(a, axis, dtype)


@answers("cumprod", "cumulative_prod")
def cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Answer numpy.cumprod."""
    a, axis = flattened(a, axis)
    return cumulative.cumprod(a, axis, dtype)


@answers("nancumsum")
def nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Answer numpy.nancumsum."""
    return cumsum(nan_replaced(a, 0.0), axis, dtype)


@answers("nancumprod")
def nancumprod(a: Any, axis: Any = None) -> Any:
    """Answer numpy.nancumprod."""
    flat = a.reshape(-1) if axis is None else a
    return where(np.isnan(flat), 1.0, flat).cumprod(0 if axis is None else axis)


@answers("diff")
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Answer numpy.diff."""
    prepend, append = (None if v is None or v is np._NoValue else tensor_of(v) for v in (prepend, append))

    def wide(v: Any) -> Any:
        if v is None or v.ndim:
            return v
        return v.reshape((1,) * a.ndim) + new.zeros(
            [1 if i == axis % a.ndim else s for i, s in enumerate(a.shape)], v.dtype
        )

    return products.diff(tensor_of(a), n, axis, wide(prepend), wide(append))


@answers("ediff1d")
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Answer numpy.ediff1d."""
    parts = [None if p is None else tensor_of(p).reshape(-1) for p in (to_begin, to_end)]
    middle = products.diff(ary.reshape(-1))
    return joining.cat([p for p in (parts[0], middle, parts[1]) if p is not None], 0)


@answers("gradient")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Answer numpy.gradient."""
    axes = tuple(range(f.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    spacing = list(varargs) if len(varargs) > 1 else [varargs[0] if varargs else 1.0] * len(axes)
    out = products.gradient(f, spacing=spacing, dim=axes, edge_order=edge_order)
    return out[0] if len(out) == 1 else list(out)


@answers("trapezoid", "trapz")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Answer numpy.trapezoid."""
    return cumulative.trapezoid(
        tensor_of(y), None if x is None else tensor_of(x), dx=None if x is not None else dx, dim=axis
    )


@answers("cross")
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    """Answer numpy.cross (of 3-vectors)."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = movedim(tensor_of(a), axisa, -1), movedim(tensor_of(b), axisb, -1)
    a, b = (x[(None,) * (max(a.ndim, b.ndim) - x.ndim)] for x in (a, b))
    y = products.cross(a, b, -1)
    return movedim(y, -1, axisc)


@answers("max", "amax")
def amax(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.max."""
    return reduction.amax(a, axis, bool(keepdims))


@answers("min", "amin")
def amin(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.min."""
    return reduction.amin(a, axis, bool(keepdims))


@answers("nanmax")
def nanmax(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmax."""
    return amax(nan_replaced(a, -np.inf), axis, keepdims)


@answers("nanmin")
def nanmin(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanmin."""
    return amin(nan_replaced(a, np.inf), axis, keepdims)


@answers("round", "around")
def round_np(a: Any, decimals: int = 0) -> Any:
    """Answer numpy.round."""
    return comparison.round(a, decimals)


@answers("degrees")
def degrees(x: Any) -> Any:
    """Answer numpy.degrees."""
    return x.rad2deg()


@answers("radians")
def radians(x: Any) -> Any:
    """Answer numpy.radians."""
    return x.deg2rad()


@answers("unwrap")
def unwrap(p: Any, discont: Any = None, axis: int = -1, period: float = 2 * np.pi) -> Any:
    """Answer numpy.unwrap: whole periods added, which carry no gradient."""
    raw = bare(p)
    return p + (np.unwrap(raw, discont, axis, period=period) - raw).astype(raw.dtype)


@answers("real")
def real(val: Any) -> Any:
    """Answer numpy.real."""
    return val


@answers("conj")
def conj(x: Any) -> Any:
    """Answer numpy.conj: a real number is its own conjugate."""
    return x


@answers("divmod")
def divmod_np(x1: Any, x2: Any) -> Any:
    """Answer numpy.divmod."""
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


@answers("modf")
def modf(x: Any) -> Any:
    """Answer numpy.modf: the part behind the point and the whole part."""
    return x.frac(), x.trunc()


@answers("clip")
def clip(a: Any, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None) -> Any:
    """Answer numpy.clip."""
    low, high = (n if o is None else o for o, n in ((a_min, min), (a_max, max)))
    return a if low is None and high is None else a.clip(low, high)


@answers("nan_to_num")
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Answer numpy.nan_to_num."""
    return x.nan_to_num(nan, posinf, neginf)


def _windows(a: Any, width: int, first: int, count: int) -> Any:
    """Return ``count`` windows of ``width`` elements, the first ``first`` elements before the start."""
    after = max(first, count + width - 1 - first - a.shape[0])
    padded = pad_constant(a, ((first, max(after, 0)),), 0.0)
    return getitem(padded, new.arange(count)[:, None] + new.arange(width))


@answers("convolve")
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Answer numpy.convolve."""
    a, v = tensor_of(a), tensor_of(v)
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ShapeError(
            f"numpy.convolve: expected two vectors with elements, got {tuple(a.shape)} and {tuple(v.shape)}"
        )
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    n, m = a.shape[0], v.shape[0]
    sizes = {"full": (m - 1, n + m - 1), "same": (m // 2, n), "valid": (0, n - m + 1)}
    if mode not in sizes:
        raise ShapeError(f"numpy.convolve: mode must be full, same or valid, got {mode!r}")
    first, count = sizes[mode]
    return matmul(_windows(a, m, first, count), flip_op(v, (0,)))


@answers("interp")
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """Answer numpy.interp: straight lines between the points, flat outside."""
    x, xp, fp = (tensor_of(v) for v in (x, xp, fp))
    at = np.clip(np.searchsorted(bare(xp), bare(x), "right") - 1, 0, max(xp.shape[0] - 2, 0))
    up = np.minimum(at + 1, xp.shape[0] - 1)
    x0, x1, y0, y1 = xp[at], xp[up], fp[at], fp[up]
    wide = np.where(bare(x1) == bare(x0), 1, bare(x1) - bare(x0))
    inside = y0 + (x - x0) * ((y1 - y0) / where(bare(x1) == bare(x0), wide, x1 - x0))
    y = where(bare(x) < bare(xp)[0], fp[0] if left is None else left, inside)
    return where(bare(x) > bare(xp)[-1], fp[-1] if right is None else right, y)
