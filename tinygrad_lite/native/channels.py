"""Normalisation of images: batch normalisation, one channel at a time in the cache, and the gradient over groups."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.native.elementwise import solid
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import call
from tinygrad_lite.native.rows import BLOCKS, filled, moments, run_of

LEAST = 16
"""Elements of one channel of one image below which the loops are too short."""


@kernel("f* f* f* f* f* f* n n n f")
def batch_norm(
    k: Kernel, lo: Value, hi: Value, y: Value, means: Value, variances: Value, x: Value, w: Value, b: Value,
    images: Value, channels: Value, size: Value, eps: Value,
) -> None:  # fmt: skip
    """Normalise the channels lo to hi; write their means and variances."""
    with k.loop(lo, hi) as c:
        count, total = (images * size).to("d"), k.var(0.0, "d")
        with k.loop(0, images) as j:
            plane, part = x.at((j * channels + c) * size), k.var(0.0)
            with k.loop(0, size) as i:
                part.add(plane[i])
            total.add(part.get().to("d"))
        first = (total.get() / count).to("f")
        rest, squares = k.var(0.0, "d"), k.var(0.0, "d")
        with k.loop(0, images) as j:
            plane, off, part = x.at((j * channels + c) * size), k.var(0.0), k.var(0.0)
            with k.loop(0, size) as i:
                d = plane[i] - first
                off.add(d)
                part.add(d * d)
            rest.add(off.get().to("d"))
            squares.add(part.get().to("d"))
        shift = rest.get() / count
        mean = (first.to("d") + shift).to("f")
        var = k.most(squares.get() / count - shift * shift, 0.0).to("f")
        means[c] = mean
        variances[c] = var
        scale, level = w[c] / k.call("sqrt", var + eps), b[c]
        with k.loop(0, images) as j:
            plane, out = x.at((j * channels + c) * size), y.at((j * channels + c) * size)
            with k.loop(0, size) as i:
                out[i] = (plane[i] - mean) * scale + level


@kernel("f* f* f* f* f* f* n n f")
def batch_norm_known(
    k: Kernel, lo: Value, hi: Value, y: Value, x: Value, means: Value, variances: Value, w: Value, b: Value,
    channels: Value, size: Value, eps: Value,
) -> None:  # fmt: skip
    """Normalise the planes lo to hi by the mean and the variance of their channels."""
    with k.loop(lo, hi) as r:
        c = r % channels
        scale = w[c] / k.call("sqrt", variances[c] + eps)
        shift, plane, out = b[c] - means[c] * scale, x.at(r * size), y.at(r * size)
        with k.loop(0, size) as i:
            out[i] = plane[i] * scale + shift


@kernel("f* f* f* f* f* f* f* f* f* f* n n n f")
def batch_norm_back(
    k: Kernel, lo: Value, hi: Value, d: Value, gw: Value, gb: Value, g: Value, x: Value, means: Value,
    variances: Value, w: Value, level: Value, slope: Value, images: Value, channels: Value, size: Value, eps: Value,
) -> None:  # fmt: skip
    """Write the gradients of the channels lo to hi, and of their weight and bias."""
    with k.loop(lo, hi) as c:
        along, ones, mean = k.var(0.0, "d"), k.var(0.0, "d"), means[c]
        with k.loop(0, images) as j:
            plane, seen, s, t = x.at((j * channels + c) * size), g.at((j * channels + c) * size), k.var(0.0), k.var(0.0)
            with k.loop(0, size) as i:
                s.add((plane[i] - mean) * seen[i])
                t.add(seen[i])
            along.add(s.get().to("d"))
            ones.add(t.get().to("d"))
        count = (images * size).to("f")
        r = 1.0 / k.call("sqrt", variances[c] + eps)
        to_w, to_b = along.get().to("f") * r, ones.get().to("f")
        gw[c] = to_w
        gb[c] = to_b
        by_g = r * w[c]
        by_x = -r * r * (to_w * w[c] / count - slope[c])
        by_one = -r * (to_b * w[c] / count - level[c])
        with k.loop(0, images) as j:
            at = (j * channels + c) * size
            plane, seen, out = x.at(at), g.at(at), d.at(at)
            with k.loop(0, size) as i:
                out[i] = (plane[i] - mean) * by_x + (seen[i] * by_g + by_one)


@kernel("f* f* f* f* f* f* n n n f n n")
def group_norm_back(
    k: Kernel, lo: Value, hi: Value, d: Value, gw: Value, gb: Value, g: Value, x: Value, w: Value, groups: Value,
    channels: Value, size: Value, eps: Value, images: Value, blocks: Value,
) -> None:  # fmt: skip
    """Write the gradients of images in groups of ``channels``, and sums of those of ``w`` and ``b`` over each block."""
    n, every = channels * size, groups * channels
    with k.loop(lo, hi) as block:
        to_w, to_b = gw.at(block * every), gb.at(block * every)
        first, last = images * block // blocks * groups, images * (block + 1) // blocks * groups
        with k.loop(first, last) as r:
            source, seen, out, here = x.at(r * n), g.at(r * n), d.at(r * n), (r % groups) * channels
            mean, scale = moments(k, source, n, eps)
            along, level = k.var(0.0), k.var(0.0)
            with k.loop(0, channels) as c:
                plane, coming, s, t = source.at(c * size), seen.at(c * size), k.var(0.0), k.var(0.0)
                with k.loop(0, size) as i:
                    s.add((plane[i] - mean) * coming[i])
                    t.add(coming[i])
                one, by = s.get() * scale, w[here + c]
                to_w[here + c] = to_w[here + c] + one
                to_b[here + c] = to_b[here + c] + t.get()
                along.add(one * by)
                level.add(t.get() * by)
            a, o = along.get() / n.to("f") * scale * scale, level.get() / n.to("f") * scale
            with k.loop(0, channels) as c:
                plane, coming, to, by = source.at(c * size), seen.at(c * size), out.at(c * size), w[here + c] * scale
                with k.loop(0, size) as i:
                    to[i] = coming[i] * by - (plane[i] - mean) * a - o


def _sizes(input: Any, axes: Any, eps: float, *parts: Any) -> tuple[int, int, int] | None:
    """Return images, channels and elements of a channel if each channel is normalised over all images."""
    if input.ndim < 3 or eps <= 0 or not solid(input) or axes != (0, *range(2, input.ndim)):
        return None
    n, c = input.shape[:2]
    size = input.size // (n * c)
    for v in parts:
        if v is not None and (v.dtype is not input.dtype or v.size != c or not v.flags.c_contiguous):
            return None
    return (n, c, size) if size >= LEAST else None


def normalise_batch(input: Any, weight: Any, bias: Any, axes: Any, eps: float = 1e-5) -> Any:
    """Compute `normalise_batch` of images."""
    sizes = _sizes(input, axes, eps, weight, bias)
    if sizes is None:
        return NotImplemented
    c = sizes[1]
    y, mean, var = np.empty(input.shape, input.dtype), np.empty(c, input.dtype), np.empty(c, input.dtype)
    w, b = filled(weight, c, 1.0), filled(bias, c, 0.0)
    call(batch_norm, c, 30 * input.size, y, mean, var, input, w, b, *sizes, eps)
    lead = (1, c, *(1,) * (input.ndim - 2))
    return y, mean.reshape(lead), var.reshape(lead)


def normalise_known(input: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Compute `normalise_known` of images."""
    sizes = _sizes(input, (0, *range(2, input.ndim)), eps, mean, var, weight, bias)
    if sizes is None:
        return NotImplemented
    n, c, size = sizes
    y = np.empty(input.shape, input.dtype)
    given = y, input, mean, var, filled(weight, c, 1.0), filled(bias, c, 0.0), c, size, eps
    call(batch_norm_known, n * c, 24 * input.size, *given)
    return y


def normalise_batch_back(g: Any, y1: Any, y2: Any, input: Any, weight: Any, axes: Any, eps: float) -> Any:
    """Compute the rule of `normalise_batch`."""
    g_y, g_mean, g_var = g
    sizes = _sizes(input, axes, eps, weight, g_mean, g_var, y1, y2)
    if sizes is None or not solid(g_y, input):
        return NotImplemented
    n, c, size = sizes
    mean, var = y1.reshape(c), y2.reshape(c)
    d, sums, count = np.empty(input.shape, input.dtype), np.empty((2, c), input.dtype), n * size
    level = g_mean.reshape(c) * ((var + eps) ** 0.5 / count)
    slope = g_var.reshape(c) * ((var + eps) * (2 / count))
    level, slope = level.astype(input.dtype, copy=False), slope.astype(input.dtype, copy=False)
    w = filled(weight, c, 1.0)
    call(batch_norm_back, c, 50 * input.size, d, sums[0], sums[1], g_y, input, mean, var, w, level, slope, *sizes, eps)
    lead = (c, *(1,) * (input.ndim - 2))
    return d, sums[0].reshape(lead), sums[1].reshape(lead)


def normalise_groups_back(g: Any, input: Any, weight: Any, axes: Any, eps: float, center: bool) -> Any:
    """Compute the rule of `normalise` for images in groups of channels, (N, groups, channels, *)."""
    n = run_of(input, axes, eps, center)
    if not n or not solid(g, input) or input.ndim < 4 or axes != tuple(range(2, input.ndim)):
        return NotImplemented
    images, groups, channels = input.shape[:3]
    size, shape = prod(input.shape[3:]), (groups, channels, *(1,) * (input.ndim - 3))
    if size < LEAST or weight is None or weight.dtype is not input.dtype or weight.shape != shape:
        return NotImplemented
    blocks = min(BLOCKS, images)
    d, sums = np.empty(input.shape, input.dtype), np.zeros((2, blocks, *shape), input.dtype)
    w = np.ascontiguousarray(weight)
    given = d, sums[0], sums[1], g, input, w, groups, channels, size, eps, images, blocks
    call(group_norm_back, blocks, 60 * input.size, *given)
    total = np.add.reduce(sums, 1)
    return d, total[0], total[1]
