"""Histograms with their edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare


class Histogram(NamedTuple):
    """The result of `histogram`: the counts, and the edges of the bins."""

    hist: Any
    bin_edges: Any


def _edges(name: str, values: Any, bins: Any, limits: Any) -> Any:
    """Return the edges of the bins: those given, or ``bins`` equal ones over the limits."""
    if np.ndim(bins):
        if limits is not None:
            raise TypeError(f"{name}: range is for a number of bins, not for given edges")
        edges = new.asarray(bins)
        if edges.dtype != values.dtype:
            raise DTypeError(f"{name}: bins must have the dtype of input, got {edges.dtype} and {values.dtype}")
        return edges
    if bins < 1:
        raise OptionError(f"{name}: bins must be > 0, but got {bins}")
    low, high = limits if limits is not None else (values.min(), values.max()) if values.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)) or low > high:
        raise OptionError(f"{name}: the range from {low} to {high} must be finite, and min not above max")
    if low == high and limits is None:
        low, high = low - 0.5, high + 0.5
    return new.linspace(low, high, bins + 1).astype(values.dtype)


def _check(name: str, input: Any, weight: Any, shape: Any) -> None:
    if input.dtype.kind != "f":
        raise DTypeError(f"{name}: expected a floating dtype, got {describe(input)}; use .float()")
    if weight is not None and (tuple(weight.shape) != tuple(shape) or weight.dtype != input.dtype):
        raise ShapeError(
            f"{name}: weight must have the shape {tuple(shape)} and dtype of input, got {describe(weight)}"
        )


@function()
def histogram(
    input: Array, bins: Any = 100, *, range: Any = None, weight: Any = None, density: bool = False
) -> Histogram:  # fmt: skip
    """Return (hist, bin_edges): how many elements, or how much ``weight``, lie in each bin.

    ``bins`` is a number of equal bins over ``range`` (default: the smallest to the largest element), or a tensor of
    their edges. ``density`` divides by the total and the widths.

    >>> import tinygrad_lite as tl
    >>> tl.histogram(tl.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    values, weights = bare(input), bare(weight)
    _check("histogram", values, weights, values.shape)
    edges = _edges("histogram", values, bare(bins), range)
    return Histogram(make(_counts([values.reshape(-1)], [edges], weights, density)), make(edges))


def _counts(columns: list[Any], edges: list[Any], weights: Any, density: bool) -> Any:
    """Return the histogram of points, one array of coordinates per axis; the last edge belongs to its bin."""
    inside = new.ones(len(columns[0]), bool)
    number = new.zeros(len(columns[0]), np.int64)
    for x, e in zip(columns, edges, strict=True):
        bins = len(e) - 1
        inside &= (x >= e[0]) & (x <= e[-1])
        number = number * bins + np.clip(np.searchsorted(e, x, side="right") - 1, 0, max(bins - 1, 0))
    shape = tuple(len(e) - 1 for e in edges)
    total = int(np.prod(shape, dtype=np.int64))
    kept = None if weights is None else weights.reshape(-1)[inside]
    hist = np.bincount(number[inside], kept, minlength=total).reshape(shape).astype(columns[0].dtype)
    if density:
        hist = hist / hist.sum()
        for axis, e in enumerate(edges):
            hist = hist / np.diff(e).reshape((-1, *[1] * (len(edges) - axis - 1)))
    return hist


class HistogramDD(NamedTuple):
    """The result of `histogramdd`: the counts, and the edges along each axis."""

    hist: Any
    bin_edges: Any


@function(method=False)
def histogramdd(
    input: Array, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False
) -> HistogramDD:  # fmt: skip
    """Return (hist, bin_edges) of points (..., d): a histogram with one axis per coordinate.

    ``bins`` is a number, one per axis, or one tensor of edges per axis; ``range`` holds a low and a high end per axis.

    >>> import tinygrad_lite as tl
    >>> tl.histogramdd(tl.tensor([[0.0, 0.0], [1.0, 1.0]]), 2).hist
    tensor([[1., 0.],
            [0., 1.]])
    """
    points, weights = bare(input), bare(weight)
    if points.ndim < 2:
        raise ShapeError(f"histogramdd: expected points (..., d), got {describe(input)}")
    d = points.shape[-1]
    _check("histogramdd", points, weights, points.shape[:-1])
    each: Sequence[Any] = [bare(b) for b in bins] if isinstance(bins, (list, tuple)) else [bins] * d
    if len(each) != d or (range is not None and len(range) != 2 * d):
        raise ShapeError(f"histogramdd: expected bins and range for {d} axes, got {describe(bins)} and {range}")
    flat = points.reshape(-1, d)
    pairs = [None] * d if range is None else [(range[2 * i], range[2 * i + 1]) for i in new.arange(d)]
    edges = [_edges("histogramdd", flat[:, i], each[i], pairs[i]) for i in new.arange(d)]
    hist = _counts([flat[:, i] for i in new.arange(d)], edges, weights, density)
    return HistogramDD(make(hist), tuple(map(make, edges)))
