"""Convolution of float32 images that copies the taps of one kernel row and reuses them for all rows of the kernel.

A block of images is stored as Z[row, tap across, channel, column, image]. The input of one row of outputs under a
kernel of k rows is Z[row : row + k], already one matrix in memory. So each element is copied k times instead of k * k
times, and one product per row of outputs serves all images of the block.

Source: Cho and Brand, "MEC: Memory-efficient Convolution for Deep Neural Network" (ICML 2017).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.threads import added, buffer, split

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

F32 = np.dtype(np.float32)
BLOCK = 1 << 18
"""Elements of Z in one block: 1 MiB, about a second-level cache."""


class Rows:
    """Sizes and strides of one convolution."""

    def __init__(self, n: int, c: int, o: int, size: Ints, kernel: Ints, stride: Ints, pads: Pads) -> None:
        (self.top, bottom), (self.left, right) = pads
        self.c, self.o, self.size, self.kernel, self.stride = c, o, size, kernel, stride
        self.hp, self.wp = size[0] + self.top + bottom, size[1] + self.left + right
        self.oh, self.ow = (self.hp - kernel[0]) // stride[0] + 1, (self.wp - kernel[1]) // stride[1] + 1
        self.hq = -(-self.hp // stride[0])  # rows of one phase
        self.fan = kernel[0] * kernel[1] * c
        self.batch = max(1, min(n, BLOCK // (self.hq * stride[0] * kernel[1] * c * self.ow)))

    def images(self, x: Array, images: range, rows: int) -> Any:
        """Yield (first image, how many, images with padding: a view or in a buffer with ``rows`` rows)."""
        h, w = self.size
        bare = rows == h and self.wp == w
        xp: Any = None
        for i in range(images.start, images.stop, self.batch):
            b = min(self.batch, images.stop - i)
            if bare:
                yield i, b, x[i : i + b]
                continue
            if xp is None or b != len(xp):  # kept here, as a large buffer is new memory at every request
                xp = buffer("image", (b, self.c, rows, self.wp))
                xp.fill(0)
            np.copyto(xp[:, :, self.top : self.top + h, self.left : self.left + w], x[i : i + b])
            yield i, b, xp


plan_of = lru_cache(maxsize=256)(Rows)


def suits(kernel: Ints, dilation: Ints, groups: int, n: int) -> bool:
    """Return whether this convolution is faster here than with all columns copied."""
    return len(kernel) == 2 and groups == 1 and dilation == (1, 1) and n > 1


@new.whole
def correlate(plan: Rows, x: Array, w: Array, bias: Array | None) -> Array:
    """Run `blocked.correlate` by the layout that suits the rows of outputs.

    BLAS computes 16 columns at a time. A product per row wastes part of them where rows are short or no multiple of 16:
    then one product per row of the kernel serves a whole image, and very short rows are joined over images.
    """
    if plan.ow < 16 and plan.c >= 8:
        return images_last(plan, x, w, bias)
    if 16 < plan.ow < 32 and plan.kernel[1] * plan.c >= 32:
        return whole_images(plan, x, w, bias)
    return row_by_row(plan, x, w, bias)


def row_by_row(plan: Rows, x: Array, w: Array, bias: Array | None) -> Array:
    """Run `correlate`: one product per image and row of outputs, written to the output."""
    kernel = w.transpose(0, 2, 3, 1).reshape(plan.o, plan.fan)
    y = new.empty((len(x), plan.o, plan.oh, plan.ow), F32)
    if bias is not None:
        bias = bias.reshape(plan.o, 1, 1) if bias.ndim == 1 else bias
    taps, across = plan.kernel[1], plan.stride[1]

    def some(images: range) -> None:
        for i, b, xp in plan.images(x, images, plan.hp):
            z = buffer("columns", (b, plan.hp, taps, plan.c, plan.ow))
            e, f, g, h = xp.strides
            np.copyto(z, new.as_strided(xp, z.shape, (e, g, h, f, h * across)))
            row = taps * plan.c * plan.ow * 4
            cols = new.as_strided(
                z, (b, plan.oh, plan.fan, plan.ow), (plan.hp * row, row * plan.stride[0], plan.ow * 4, 4)
            )
            out = y[i : i + b]
            np.matmul(kernel, cols, out=out.transpose(0, 2, 1, 3))
            if bias is not None:
                out += bias

    split(len(x), y.size * plan.fan, some)
    return y


def phases(plan: Rows, xp: Array) -> Array:
    """Return the columns (images, taps across * channels, phases of the rows, rows * columns) of padded images."""
    s0, s1 = plan.stride
    b = len(xp)
    z = buffer("columns", (b, plan.kernel[1], plan.c, s0, plan.hq, plan.ow))  # rows of one phase side by side
    e, f, r, h = xp.strides
    np.copyto(z, new.as_strided(xp, z.shape, (e, h, f, r, r * s0, h * s1)))
    return z.reshape(b, plan.kernel[1] * plan.c, s0, plan.hq * plan.ow)


def whole_images(plan: Rows, x: Array, w: Array, bias: Array | None) -> Array:
    """Run `correlate`: one product per image and row of the kernel, added up in the output."""
    o, positions, s0 = plan.o, plan.oh * plan.ow, plan.stride[0]
    kernel = new.ascontiguousarray(w.transpose(2, 0, 3, 1)).reshape(plan.kernel[0], o, -1)
    y = new.empty((len(x), o, plan.oh, plan.ow), F32)
    if bias is not None:
        bias = bias.reshape(o, -1)

    def some(images: range) -> None:
        for i, b, xp in plan.images(x, images, plan.hq * s0):
            z, out = phases(plan, xp), y[i : i + b].reshape(b, o, positions)
            for tap, weights in enumerate(kernel):
                at = tap // s0 * plan.ow
                part = z[:, :, tap % s0, at : at + positions]
                if tap:
                    out += np.matmul(weights, part, out=buffer("result", (b, o, positions)))
                else:
                    np.matmul(weights, part, out=out)
            if bias is not None:
                out += bias

    split(len(x), y.size * plan.fan, some)
    return y


def turned(plan: Rows, x: Array, images: range) -> Any:
    """Yield (first image, how many, columns (rows of outputs, taps * channels, columns * images)), images last."""
    k1, (s0, s1) = plan.kernel[1], plan.stride
    c, ow = plan.c, plan.ow
    h, w = plan.size
    most = max(1, min(16, 2 * BLOCK // (plan.hp * k1 * c * ow)))
    xp: Any = None
    for i in range(images.start, images.stop, most):
        b = min(most, images.stop - i)
        if xp is None or b != xp.shape[3]:
            xp = buffer("image", (plan.hp, c, plan.wp, b))
            xp.fill(0)
        inside = xp[plan.top : plan.top + h, :, plan.left : plan.left + w]
        np.copyto(inside, x[i : i + b].transpose(2, 1, 3, 0))
        z = buffer("columns", (plan.hp, k1, c, ow, b))
        e, f, r, m = xp.strides
        np.copyto(z, new.as_strided(xp, z.shape, (e, r, f, r * s1, m)))
        run = ow * b * 4
        yield i, b, new.as_strided(z, (plan.oh, plan.fan, ow * b), (k1 * c * run * s0, run, 4))


def images_last(plan: Rows, x: Array, w: Array, bias: Array | None) -> Array:
    """Run `correlate` for short rows: one product per row of outputs serves all images of a block."""
    o, oh, ow = plan.o, plan.oh, plan.ow
    kernel = new.ascontiguousarray(w.transpose(0, 2, 3, 1)).reshape(o, plan.fan)
    y = new.empty((len(x), o, oh, ow), F32)
    if bias is not None:
        bias = bias.reshape(o, 1, 1) if bias.ndim == 1 else bias

    def some(images: range) -> None:
        for i, b, cols in turned(plan, x, images):
            z = np.matmul(kernel, cols, out=buffer("result", (oh, o, ow * b)))
            np.copyto(y[i : i + b], z.reshape(oh, o, ow, b).transpose(3, 1, 0, 2))
            if bias is not None:
                y[i : i + b] += bias

    split(len(x), y.size * plan.fan, some)
    return y


@new.whole
def correlate_weight(plan: Rows, g: Array, x: Array) -> Array:
    """Run `blocked.correlate_weight`: one product per image and row of the kernel, without copying the gradient."""
    if plan.oh * plan.ow < 256:
        return small_weight(plan, g, x)
    (k0, k1), s0 = plan.kernel, plan.stride[0]
    c, o, oh, ow, hq = plan.c, plan.o, plan.oh, plan.ow, plan.hq
    g = new.ascontiguousarray(g)

    def some(images: range) -> Array:
        total = new.zeros((k0, k1 * c, o), F32)
        for i, b, xp in plan.images(x, images, hq * s0):
            z = phases(plan, xp)
            seen = g[i : i + b].reshape(b, o, oh * ow).swapaxes(1, 2)
            for tap in range(k0):
                at = tap // s0 * ow
                part = z[:, :, tap % s0, at : at + oh * ow]
                each = np.matmul(part, seen, out=buffer("weights", (b, k1 * c, o)))
                total[tap] += np.add.reduce(each, 0)
        return total

    total = added(split(len(x), g.size * plan.fan, some))
    return new.ascontiguousarray(total.reshape(k0, k1, c, o).transpose(3, 2, 0, 1))


def small_weight(plan: Rows, g: Array, x: Array) -> Array:
    """Run `correlate_weight` for small outputs: images last, so that one product serves a whole block."""
    (k0, k1), o, oh, ow = plan.kernel, plan.o, plan.oh, plan.ow

    def some(images: range) -> Array:
        total: Any = new.zeros((plan.fan, o), F32)
        for i, b, cols in turned(plan, x, images):
            seen = buffer("result", (oh, ow * b, o))
            np.copyto(seen.reshape(oh, ow, b, o), g[i : i + b].transpose(2, 3, 0, 1))
            each = np.matmul(cols, seen, out=buffer("weights", (oh, plan.fan, o)))
            total += np.add.reduce(each, 0)
        return total

    total = added(split(len(x), g.size * plan.fan, some))
    return new.ascontiguousarray(total.reshape(k0, k1, plan.c, o).transpose(3, 2, 0, 1))


@new.whole
def spread(g: Array, w: Array, size: Ints, stride: Ints, pads: Pads) -> Array:
    """Run `blocked.correlate_input` with a stride: channels last, so that each tap adds whole runs of channels."""
    n, o, h, v = g.shape
    c, k0, k1 = w.shape[1:]
    (top, bottom), (left, right) = pads
    s0, s1 = stride
    r0, r1 = size[0] + top + bottom, size[1] + left + right
    x = new.empty((n, c, *size), F32)
    kernel = new.ascontiguousarray(w.transpose(0, 2, 3, 1)).reshape(o, -1)
    most = max(1, BLOCK // max(h * v * k0 * k1 * c, r0 * r1 * c))

    def some(images: range) -> None:
        for i in range(images.start, images.stop, most):
            b = min(most, images.stop - i)
            seen = buffer("result", (b, h, v, o))
            np.copyto(seen, g[i : i + b].transpose(0, 2, 3, 1))
            cols = buffer("columns", (b * h * v, k0 * k1 * c))
            np.matmul(seen.reshape(-1, o), kernel, out=cols)
            cols = cols.reshape(b, h, v, k0, k1, c)
            xp = buffer("image", (b, r0, r1, c))
            xp.fill(0)
            for p in range(k0):
                for q in range(k1):
                    into = xp[:, p : p + (h - 1) * s0 + 1 : s0, q : q + (v - 1) * s1 + 1 : s1]
                    np.add(into, cols[:, :, :, p, q], out=into)
            np.copyto(x[i : i + b], xp[:, top : top + size[0], left : left + size[1]].transpose(0, 3, 1, 2))

    split(n, g.size * k0 * k1 * c, some)
    return x
