"""Ops along the last axis, one row at a time in the cache: softmax, log_softmax, layer normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.native import mathematics as m
from tinygrad_lite.native.elementwise import solid
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import call
from tinygrad_lite.ops.losses.classification import check_classes, rows_of_scores
from tinygrad_lite.ops.losses.reduction import reduced

BLOCKS = 16
"""The most partial sums of a gradient over rows. They do not depend on the number of threads, so results do not."""


def _largest(k: Kernel, x: Value, n: Value) -> Value:
    """Return the largest of the first ``n`` elements; NaN may count as larger than infinity."""
    top = k.var(-(2**31), "i")
    with k.loop(0, n) as i:
        top.set(k.most(top.get(), m.order(k, x[i])))
    return m.order(k, top.get())


@kernel("f* f* n")
def softmax_rows(k: Kernel, lo: Value, hi: Value, y: Value, x: Value, n: Value) -> None:
    """Write ``exp(x - max) / sum`` of each row."""
    with k.loop(lo, hi) as r:
        source, out, total = x.at(r * n), y.at(r * n), k.var(0.0)
        top = _largest(k, source, n)
        with k.loop(0, n) as i:
            e = m.exp(k, source[i] - top)
            out[i] = e
            total.add(e)
        scale = 1.0 / total.get()
        with k.loop(0, n) as i:
            out[i] = out[i] * scale


@kernel("f* f* f* n")
def softmax_rows_back(k: Kernel, lo: Value, hi: Value, d: Value, g: Value, y: Value, n: Value) -> None:
    """Write ``y * (g - sum(g * y))`` of each row."""
    with k.loop(lo, hi) as r:
        seen, here, out, total = g.at(r * n), y.at(r * n), d.at(r * n), k.var(0.0)
        with k.loop(0, n) as i:
            total.add(seen[i] * here[i])
        along = total.get()
        with k.loop(0, n) as i:
            out[i] = here[i] * (seen[i] - along)


@kernel("f* f* n")
def log_softmax_rows(k: Kernel, lo: Value, hi: Value, y: Value, x: Value, n: Value) -> None:
    """Write ``x - max - log(sum(exp(x - max)))`` of each row."""
    with k.loop(lo, hi) as r:
        source, out, total = x.at(r * n), y.at(r * n), k.var(0.0)
        top = _largest(k, source, n)
        with k.loop(0, n) as i:
            total.add(m.exp(k, source[i] - top))
        level = m.log(k, total.get())
        with k.loop(0, n) as i:
            out[i] = source[i] - top - level


@kernel("f* f* f* n")
def log_softmax_rows_back(k: Kernel, lo: Value, hi: Value, d: Value, g: Value, y: Value, n: Value) -> None:
    """Write ``g - exp(y) * sum(g)`` of each row."""
    with k.loop(lo, hi) as r:
        seen, here, out, total = g.at(r * n), y.at(r * n), d.at(r * n), k.var(0.0)
        with k.loop(0, n) as i:
            total.add(seen[i])
        level = total.get()
        with k.loop(0, n) as i:
            out[i] = seen[i] - m.exp(k, here[i]) * level


@kernel("f* f* n* n")
def cross_entropy_rows(k: Kernel, lo: Value, hi: Value, y: Value, x: Value, target: Value, n: Value) -> None:
    """Write ``log(sum(exp(x - max))) - (x[target] - max)`` of each row."""
    with k.loop(lo, hi) as r:
        source, total = x.at(r * n), k.var(0.0)
        top = _largest(k, source, n)
        with k.loop(0, n) as i:
            total.add(m.exp(k, source[i] - top))
        y[r] = m.log(k, total.get()) - (source[target[r]] - top)


def _along(loop: Kernel, dim: int, cost: int, *arrays: Any) -> Any:
    x = arrays[0]
    if not solid(*arrays) or dim.__class__ is not int or not x.ndim or dim % x.ndim != x.ndim - 1 or dim >= x.ndim:
        return NotImplemented
    y, n = np.empty(x.shape, x.dtype), x.shape[-1]
    call(loop, x.size // n, cost * x.size, y, *arrays, n)
    return y


def softmax(input: Any, dim: int = -1) -> Any:
    """Compute `softmax` along the last axis."""
    return _along(softmax_rows, dim, 36, input)


def softmax_slope(g: Any, y: Any, dim: int) -> Any:
    """Compute the rule of `softmax`."""
    return _along(softmax_rows_back, dim, 20, g, y)


def log_softmax(input: Any, dim: int = -1) -> Any:
    """Compute `log_softmax` along the last axis."""
    return _along(log_softmax_rows, dim, 36, input)


def log_softmax_slope(g: Any, y: Any, dim: int) -> Any:
    """Compute the rule of `log_softmax`."""
    return _along(log_softmax_rows_back, dim, 36, g, y)


def cross_entropy(input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """Compute `cross_entropy_index` of rows."""
    if not solid(input) or target.__class__ is not np.ndarray or not rows_of_scores(input, target, weight):
        return NotImplemented
    if target.dtype.kind not in "iu" or np.minimum.reduce(target) < 0 or np.maximum.reduce(target) >= input.shape[1]:
        check_classes("cross_entropy", input, target, ignore_index)
    each, used = np.empty(len(input), input.dtype), target != ignore_index
    safe = np.where(used, target, 0).astype(np.int64, copy=False)
    call(cross_entropy_rows, len(input), 32 * input.size, each, input, safe, input.shape[1])
    each *= used
    if reduction != "mean":
        return reduced("cross_entropy", each, reduction)
    return np.add.reduce(each) / np.float32(np.count_nonzero(used) or np.nan)


# ------------------------------------------------------------------------------------------------ normalisation
def moments(k: Kernel, x: Value, n: Value, eps: Value) -> tuple[Value, Value]:
    """Return the mean of ``n`` elements and ``1 / sqrt(variance + eps)``; the sums are corrected for rounding."""
    count, total = n.to("f"), k.var(0.0)
    with k.loop(0, n) as i:
        total.add(x[i])
    first = total.get() / count
    rest, squares = k.var(0.0), k.var(0.0)
    with k.loop(0, n) as i:
        c = x[i] - first
        rest.add(c)
        squares.add(c * c)
    shift = rest.get() / count
    var = k.most(squares.get() / count - shift * shift, 0.0)
    return first + shift, 1.0 / k.call("sqrt", var + eps)


@kernel("f* f* f* f* n f n n")
def normalise_rows(
    k: Kernel, lo: Value, hi: Value, y: Value, x: Value, w: Value, b: Value, n: Value, eps: Value, inner: Value,
    groups: Value,
) -> None:  # fmt: skip
    """Write ``(x - mean) / sqrt(var + eps) * w + b`` of each row; runs of ``inner`` elements share ``w`` and ``b``."""
    with k.loop(lo, hi) as r:
        source, out = x.at(r * n), y.at(r * n)
        mean, scale = moments(k, source, n, eps)
        with k.loop(0, n // inner) as c:
            at, to, which = source.at(c * inner), out.at(c * inner), (r % groups) * (n // inner) + c
            by, level = w[which] * scale, b[which]
            with k.loop(0, inner) as i:
                to[i] = (at[i] - mean) * by + level


@kernel("f* f* f* f* n f")
def layer_rows(
    k: Kernel, lo: Value, hi: Value, y: Value, x: Value, w: Value, b: Value, n: Value, eps: Value
) -> None:  # fmt: skip
    """Write ``(x - mean) / sqrt(var + eps) * w + b`` of each row."""
    with k.loop(lo, hi) as r:
        source, out = x.at(r * n), y.at(r * n)
        mean, scale = moments(k, source, n, eps)
        with k.loop(0, n) as i:
            out[i] = (source[i] - mean) * scale * w[i] + b[i]


@kernel("f* f* f* f* f* f* n f n n")
def layer_rows_back(
    k: Kernel, lo: Value, hi: Value, d: Value, gw: Value, gb: Value, g: Value, x: Value, w: Value, n: Value,
    eps: Value, rows: Value, blocks: Value,
) -> None:  # fmt: skip
    """Write the gradients of the input, and sums of those of ``w`` and ``b`` over each of the blocks lo to hi."""
    with k.loop(lo, hi) as block:
        to_w, to_b = gw.at(block * n), gb.at(block * n)
        with k.loop(rows * block // blocks, rows * (block + 1) // blocks) as r:
            source, seen, out = x.at(r * n), g.at(r * n), d.at(r * n)
            mean, scale = moments(k, source, n, eps)
            along, level = k.var(0.0), k.var(0.0)
            with k.loop(0, n) as i:
                z, here = (source[i] - mean) * scale, seen[i]
                to_w[i] = to_w[i] + here * z
                to_b[i] = to_b[i] + here
                u = here * w[i]
                along.add(u * z)
                level.add(u)
            a, o = along.get() / n.to("f"), level.get() / n.to("f")
            with k.loop(0, n) as i:
                out[i] = (seen[i] * w[i] - (source[i] - mean) * scale * a - o) * scale


def run_of(input: Any, axes: Any, eps: float, center: bool) -> int:
    """Return the number of elements of a row if the last axes are normalised, else 0."""
    last = tuple(range(input.ndim - len(axes), input.ndim))
    if not center or eps <= 0 or not solid(input) or axes != last and axes != (-1,):
        return 0
    n = 1
    for size in input.shape[-len(axes) :]:
        n *= size
    return n if n >= 8 else 0


def filled(v: Any, n: int, value: float) -> Any:
    """Return ``v``, or ``n`` times the same number if it is None."""
    return np.full(n, value, np.float32) if v is None else v


def normalise(
    input: Any, weight: Any = None, bias: Any = None, axes: Any = (-1,), eps: float = 1e-5, center: bool = True
) -> Any:
    """Compute `normalise` over the last axes, weight and bias with one number per element or per channel of a group."""
    n = run_of(input, axes, eps, center)
    shape = input.shape[-len(axes) :]
    given = [v for v in (weight, bias) if v is not None]
    if not n or given and not solid(*given) or given and given[0].dtype is not input.dtype:
        return NotImplemented
    y = np.empty(input.shape, input.dtype)
    if not given or given[0].shape == shape:
        w, b = filled(weight, n, 1.0), filled(bias, n, 0.0)
        call(layer_rows, input.size // n, 30 * input.size, y, input, w, b, n, eps)
        return y
    groups, channels = input.shape[1], shape[0]
    if input.ndim < 4 or len(axes) != input.ndim - 2 or given[0].shape != (groups, channels, *(1,) * (input.ndim - 3)):
        return NotImplemented
    w, b = filled(weight, groups * channels, 1.0), filled(bias, groups * channels, 0.0)
    call(normalise_rows, input.size // n, 30 * input.size, y, input, w, b, n, eps, n // channels, groups)
    return y


def normalise_back(g: Any, input: Any, weight: Any, axes: Any, eps: float, center: bool) -> Any:
    """Compute the rule of `normalise` over the last axes."""
    n = run_of(input, axes, eps, center)
    if not n or not solid(g, input):
        return NotImplemented
    shape = input.shape[-len(axes) :]
    if weight is not None and (weight.dtype is not g.dtype or weight.shape != shape or not weight.flags.c_contiguous):
        return NotImplemented
    rows = input.size // n
    blocks = min(BLOCKS, rows)
    d, sums = np.empty(input.shape, input.dtype), np.zeros((2, blocks, n), np.float32)
    w = filled(weight, n, 1.0)
    call(layer_rows_back, blocks, 60 * input.size, d, sums[0], sums[1], g, input, w, n, eps, rows, blocks)
    total = np.add.reduce(sums, 1)
    return d, total[0].reshape(shape), total[1].reshape(shape)
