"""Sums, extremes, statistics, running sums, and what sorts and searches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.onnx.errors import OnnxExporterError
from tinygrad_lite.onnx.graph import END
from tinygrad_lite.onnx.rules.table import SINGLE, refuse, rule

refuse("recur cummax_index cummin_index", "ONNX has no such scan")

REDUCTIONS = {"sum": "ReduceSum", "mean": "ReduceMean", "prod": "ReduceProd", "amax": "ReduceMax", "amin": "ReduceMin",
              "logsumexp": "ReduceLogSumExp"}  # fmt: skip


def axes_of(dim: Any, ndim: int) -> list[int]:
    """Return the axes of a reduction as a list; all of them for None."""
    if dim is None or dim == ():
        return list(range(ndim))
    return [int(d) % ndim for d in (dim if isinstance(dim, (list, tuple)) else (dim,))] if ndim else []


def _reduction(name: str, kind: str) -> None:
    def convert(g: Any, y: Any, input: Any, dim: Any, keepdim: Any) -> Any:
        x = input
        if kind in ("ReduceSum", "ReduceMean", "ReduceProd") and input.dtype != y.dtype:
            x = g.cast(input, y.dtype)
        elif input.kind == "b":
            x = g.cast(input, np.int32)
            return g.cast(g.node(kind, [x, axes_of(dim, input.ndim)], keepdims=int(keepdim)), bool)
        if not input.ndim:
            return g.Identity(x)
        return g.node(kind, [x, axes_of(dim, input.ndim)], keepdims=int(keepdim))

    SINGLE[name] = kind
    rule(name)(convert)


for _name, _kind in REDUCTIONS.items():
    _reduction(_name, _kind)
rule("largest_of_all")(lambda g, input: g.ReduceMax(input, keepdims=0))
rule("smallest_of_all")(lambda g, input: g.ReduceMin(input, keepdims=0))
SINGLE.update(largest_of_all="ReduceMax", smallest_of_all="ReduceMin", argmax="ArgMax", argmin="ArgMin",
              cumsum="CumSum")  # fmt: skip


def _extreme(name: str, kind: str) -> None:
    def convert(g: Any, y: Any, input: Any, dim: Any, keepdim: Any) -> Any:
        x = g.cast(input, np.int32) if input.kind == "b" else input
        if dim is not None and input.ndim:
            return g.node(kind, [x], axis=int(dim), keepdims=int(keepdim))
        found = g.node(kind, [g.Reshape(x, [-1])], axis=0, keepdims=0)
        return g.Reshape(found, [1] * y.ndim) if y.ndim else found

    rule(name)(convert)


_extreme("argmax", "ArgMax")
_extreme("argmin", "ArgMin")


def _boolean(name: str, kind: str) -> None:
    def convert(g: Any, input: Any, dim: Any, keepdim: Any) -> Any:
        x = g.cast(g.cast(input, bool), np.int32)
        return g.cast(g.node(kind, [x, axes_of(dim, input.ndim)], keepdims=int(keepdim)) if input.ndim else x, bool)

    rule(name)(convert)


_boolean("any", "ReduceMax")
_boolean("all", "ReduceMin")


@rule("count_nonzero")
def _count_nonzero(g: Any, input: Any, dim: Any) -> Any:
    x = g.cast(g.cast(input, bool), np.int64)
    return g.ReduceSum(x, axes_of(dim, input.ndim), keepdims=0) if input.ndim else x


def count(g: Any, input: Any, axes: list[int], dtype: Any) -> Any:
    """Return how many elements a reduction takes together, as a number of that dtype."""
    n, m = (math.prod(s[i] for i in axes) for s in (input.shape, input.other))
    if n == m:
        return np.asarray(n, dtype)
    sizes = g.Concat(*(g.size(input.shape[i], input.other[i]) for i in axes), axis=0)
    return g.cast(g.ReduceProd(sizes, keepdims=0), dtype)


@rule("variance")
def _variance(g: Any, c: Any, input: Any, dim: Any, correction: Any, keepdim: Any) -> Any:
    axes = axes_of(dim, input.ndim)
    away = g.Sub(input, g.ReduceMean(input, axes, keepdims=1))
    total = g.ReduceSum(g.Mul(away, away), axes, keepdims=int(keepdim))
    n = count(g, input, axes, input.dtype)
    free = c(max(float(n) - correction, 0)) if isinstance(n, np.ndarray) else g.Max(g.Sub(n, c(correction)), c(0))
    return g.Div(total, free)


@rule("cumsum")
def _cumsum(g: Any, y: Any, input: Any, dim: Any) -> Any:
    return g.CumSum(g.cast(input, y.dtype), np.int64(dim)) if input.ndim else g.cast(input, y.dtype)


@rule("cumprod")
def _cumprod(g: Any, y: Any, input: Any, dim: Any) -> Any:
    n, axis = input.fixed(dim, "a running product"), int(dim) % input.ndim
    if n > 64:
        raise OnnxExporterError(f"cumprod: a running product of {n} elements has no short form in ONNX (up to 64)")
    x = g.cast(input, y.dtype)
    if n < 2:
        return g.Identity(x)
    parts = g.node("Split", [x, [1] * n], outputs=n, axis=axis)
    for i in range(1, n):
        parts[i] = g.Mul(parts[i - 1], parts[i])
    return g.node("Concat", parts, axis=axis)


@rule("logcumsumexp")
def _logcumsumexp(g: Any, input: Any, dim: Any) -> Any:
    if 0 in input.shape or not input.ndim:
        return g.Identity(input)
    top = g.ReduceMax(input, [int(dim)], keepdims=1)
    return g.Add(g.Log(g.CumSum(g.Exp(g.Sub(input, top)), np.int64(dim))), top)


# ------------------------------------------------------------------------------------------------ no ops
@rule("order()")
def _order(g: Any, y: Any, x0: Any, x1: Any, x2: Any, x3: Any) -> Any:
    """Convert the order found by ``sort`` and ``topk``: input, dim, number of elements or None, largest first."""
    size = g.size(x0.shape[x1], x0.other[x1]) if x3 is None else [int(x3)]
    x = g.cast(x0, np.int32) if x0.kind == "b" else x0
    return g.node("TopK", [x, size], outputs=2, axis=int(x1), largest=int(x2), sorted=1)[1]


@rule("kth()")
def _kth(g: Any, x0: Any, x1: Any, x2: Any) -> Any:
    at = g.node("TopK", [x0, [int(x1)]], outputs=2, axis=int(x2), largest=0, sorted=1)[1]
    return g.Slice(at, [-1], [END], [int(x2) % x0.ndim])


@rule("largest_at()")
def _largest_at(g: Any, y: Any, x0: Any, x1: Any) -> Any:
    """Convert where the largest element of each adaptive window lies in the flat plane."""
    windows = x1.a.reshape(-1, x1.shape[-1])
    best = g.ArgMax(g.Gather(g.Reshape(x0, [0, 0, -1]), windows, axis=2), axis=3, keepdims=0)
    start = np.arange(len(windows), dtype=np.int64) * windows.shape[1]
    return g.Reshape(g.Gather(windows.reshape(-1), g.Add(best, start), axis=0), g.shape(y.shape, y.other))


@rule("one_hot()")
def _one_hot(g: Any, x0: Any, x1: Any) -> Any:
    return g.OneHot(x0, np.array([x1], np.int64), np.array([0, 1], np.int64), axis=-1)


@rule("nonzero()")
def _nonzero(g: Any, x0: Any) -> Any:
    return g.Transpose(g.NonZero(g.cast(x0, bool)), perm=[1, 0])


@rule("nonzero_along()")
def _nonzero_along(g: Any, x0: Any, x1: Any) -> Any:
    return g.Gather(g.NonZero(g.cast(x0, bool)), np.int64(x1), axis=0)
