"""Resizing of sequences, images and volumes (`interpolate`).

Resizing is linear and separable: each axis is multiplied by a matrix with a few nonzero elements per row.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, OutOfMemoryError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import to, unshared
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.linalg.matmul import matmul
from tinygrad_lite.ops.shape.reshaping import transpose
from tinygrad_lite.ops.windows.adaptive_pooling import adaptive_average
from tinygrad_lite.ops.windows.pooling import spread

MODES = {"nearest": 0, "nearest-exact": 0, "area": 0, "linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}


def _sources(n: int, out: int, scale: float | None, align: bool) -> Any:
    """Return the coordinate of the centre of each new element among the old ones."""
    if align:
        return new.arange(out) * ((n - 1) / (out - 1) if out > 1 else 0.0)
    ratio = n / out if scale is None else 1 / scale
    return (new.arange(out) + 0.5) * ratio - 0.5


def cubic(t: Any) -> tuple[Any, Any, Any, Any]:
    """Return the weights of the four pixels around a place ``t`` after the second of them."""
    a = -0.75  # the usual choice, Keys 1981 has -0.5

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _matrix(n: int, out: int, scale: float | None, mode: str, align: bool, dtype: Any) -> Any:
    """Return the (out, n) weights of linear or cubic interpolation along one axis."""
    at = _sources(n, out, scale, align)
    rows = new.arange(out)
    m = new.zeros((out, n))
    if mode != "bicubic":
        at = np.maximum(at, 0)
        low = np.minimum(at.astype(np.int64), n - 1)
        part = at - low
        np.add.at(m, (rows, low), 1 - part)
        np.add.at(m, (rows, np.minimum(low + 1, n - 1)), part)
        return m.astype(dtype)
    low = np.floor(at).astype(np.int64)
    for k, weight in enumerate(cubic(at - low), -1):
        np.add.at(m, (rows, np.clip(low + k, 0, n - 1)), weight)
    return m.astype(dtype)


def _smooth_matrix(n: int, out: int, scale: float | None, mode: str, align: bool, dtype: Any) -> Any:
    """Return the (out, n) weights of interpolation with a filter that is as wide as the new elements."""
    if align:
        step = (n - 1) / (out - 1) if out > 1 else 0.0
    else:
        step = n / out if scale is None else 1 / scale
    stretch = max(step, 1.0)
    reach = (1.0 if mode == "bilinear" else 2.0) * stretch
    centre = step * (new.arange(out)[:, None] + 0.5)
    old = new.arange(n)[None]
    first = np.maximum((centre - reach + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + reach + 0.5).astype(np.int64), n)
    t = np.abs((old - centre + 0.5) / stretch)
    if mode == "bilinear":
        weights = np.maximum(1 - t, 0)
    else:  # Keys 1981, a = -0.5
        weights = np.where(t < 1, (1.5 * t - 2.5) * t * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2) * (t < 2)
    weights = np.where((old >= first) & (old < last), weights, 0)
    total = weights.sum(1, keepdims=True)
    return (weights / np.where(total == 0, 1, total)).astype(dtype)


def _nearest(n: int, out: int, scale: float | None, exact: bool) -> Any:
    ratio = n / out if scale is None else 1 / scale
    places = np.minimum(np.floor((new.arange(out) + (0.5 if exact else 0.0)) * ratio).astype(np.int64), n - 1)
    places.flags.writeable = False
    return places


def _times(input: Any, mode: str, axes: Any) -> Any:
    """Return how often the nearest mode repeats each element along each axis, None if not all equally often.

    A sum over windows is then the gradient; of integers there is none.
    """
    if mode not in ("nearest", "nearest-exact") or input.dtype.kind != "f":
        return None
    times = tuple([out // m for m, out, _ in axes])
    for t, (m, out, scale) in zip(times, axes, strict=True):
        if out != t * m or not np.array_equal(_nearest(m, out, scale, mode == "nearest-exact"), new.arange(out) // t):
            return None
    return times if max(times) > 1 else None


def along(input: Any, matrix: Any, axis: int) -> Any:
    """Return ``input`` with each line along ``axis`` multiplied by ``matrix``."""
    if axis == input.ndim - 1:
        return matmul(input, matrix.T)
    if axis == input.ndim - 2:
        return matmul(matrix, input)
    return transpose(matmul(transpose(input, axis, -1), matrix.T), axis, -1)


@function(method=False, functional=True)
def interpolate(
    input: Array, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Array:  # fmt: skip
    """Return sequences (N, C, L), images (N, C, H, W) or volumes (N, C, D, H, W) resized.

    Give ``size`` or ``scale_factor`` (one number, or one per axis). ``mode``: 'nearest', 'nearest-exact', 'linear'
    (3 axes), 'bilinear', 'bicubic' (4 axes), 'trilinear' (5 axes) or 'area'. ``align_corners``: corners stay corners.
    ``antialias`` (bilinear and bicubic): smooth what becomes smaller.
    Raises ShapeError, ValueError.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.interpolate(tl.tensor([[[1.0, 3.0]]]), size=4, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    if mode not in MODES:
        raise NotImplementedError(f"interpolate: mode must be one of {', '.join(MODES)}, got {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise OptionError(f"interpolate: antialias=True is for bilinear and bicubic mode, got {mode!r}")
    n = input.ndim - 2
    if n not in (1, 2, 3) or MODES[mode] not in (0, input.ndim):
        raise NotImplementedError(
            f"interpolate: mode '{mode}' works on {MODES[mode] or '3, 4 or 5'} axes, x is {describe(input)}"
        )
    if align_corners is not None and not MODES[mode]:
        raise OptionError("interpolate: align_corners can only be set with linear, bilinear, bicubic or trilinear mode")
    if (size is None) == (scale_factor is None):
        raise OptionError("interpolate: exactly one of size and scale_factor must be given")
    if input.dtype.kind != "f" and mode not in ("nearest", "nearest-exact"):
        if input.dtype != np.uint8 or mode == "area":
            raise DTypeError(f"interpolate: mode '{mode}' needs floats, or uint8 unless 'area', x is {describe(input)}")
        y = interpolate(
            to(input, np.float32), size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
        )
        return to(np.floor(y + 0.5).clip(0, 255), np.uint8)
    given, old = input, tuple(input.shape[2:])
    scales: list[float | None] = [None] * n
    if size is not None:
        sizes = _several("size", size, n, input)
    else:
        factors = [float(f) for f in _several("scale_factor", scale_factor, n, input)]
        sizes = [int(m * f) for m, f in zip(old, factors, strict=True)]
        scales = scales if recompute_scale_factor or mode == "area" else list(factors)
    _check_sizes(sizes, old, input)
    if mode == "area":
        return adaptive_average(input, tuple(int(m) for m in sizes))
    times = _times(input, mode, tuple(zip(old, map(int, sizes), scales, strict=True)))
    if times is not None:
        input, old = spread(input, tuple(map(int, sizes)), times, times, ((0, 0),) * n), ()
    for axis, (m, out, scale) in enumerate(zip(old, map(int, sizes), scales), 2):  # noqa: B905 - none are left above
        if mode in ("nearest", "nearest-exact"):
            where = _nearest(m, out, scale, mode == "nearest-exact")
            input = getitem(input, (slice(None),) * axis + (where,))
        elif m != out or scale not in (None, 1.0):
            weights = _smooth_matrix if antialias else _matrix
            input = along(input, weights(m, out, scale, mode, bool(align_corners), input.dtype), axis)
    options = (None if scale_factor is None or scales[0] is None else scales, tuple(sizes), mode, bool(align_corners))
    return computed("interpolate", (given, *options, antialias), unshared(input, given))


def _check_sizes(sizes: Any, old: Any, input: Any) -> None:
    if any(int(m) < 1 for m in sizes) or 0 in old:
        raise ShapeError(f"interpolate: sizes must be at least 1, x {describe(input)} would become {tuple(sizes)}")
    if prod(map(int, sizes)) > 1 << 47:  # before the first axis has taken gigabytes
        raise OutOfMemoryError(f"interpolate: out of memory for an output of {tuple(sizes)}")


def _several(what: str, value: Any, n: int, input: Any) -> list[Any]:
    out = list(value) if isinstance(value, (tuple, list)) else [value] * n
    if len(out) != n:
        raise OptionError(f"interpolate: {what} must be one number or {n} of them for x {describe(input)}, got {value}")
    return out
