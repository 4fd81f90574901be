"""Convolution of float32 images a few at a time, in buffers that stay in the cache.

The plain algorithm of `correlation` copies every patch of the whole batch into one array and multiplies once: simple,
exact, and bound by memory. Here the columns of a few images (or of a few rows of one) are written to a buffer that is
reused for the next ones, so that the product reads them from the cache. Backward builds them again instead of keeping
them. float64 always uses the plain algorithm, so gradient checks and reference results do too.

Layout inside a block: channels, positions, and the images *last*. One product serves all images of the block, and what
a tap sees in a row is one run of memory as long as the row times the images: small images cost no more per element
than large ones.

Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing" (2006).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.threads import added, buffer, multiply, split
from tinygrad_lite.ops.windows import kernel_rows, table, winograd

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

F32 = np.dtype(np.float32)
COLUMNS = 320 * 1024
"""Elements of one block of columns: 1.25 MiB, about a second-level cache."""
IMAGES = 16
"""Most images in a block: transposing more of them misses the cache."""
WIDE = 48
"""Fewest channels in and out for which Winograd's products gain more than its transforms cost."""
RUN = 256
"""Elements of a run of memory beyond which longer runs gain nothing."""

FAST: ContextVar[bool] = ContextVar("tinygrad_lite_fast_convolution", default=True)


@contextmanager
def fast_convolution(enabled: bool = True) -> Iterator[None]:
    """Switch the fast algorithms for float32 convolution on or off in a ``with`` block.

    They differ from the plain one by rounding only: about 1e-6 of the largest value, 1e-5 for wide 3x3 kernels.

    >>> import tinygrad_lite as tl
    >>> with fast_convolution(False):
    ...     y = tl.nn.functional.conv2d(tl.ones(1, 1, 3, 3), tl.ones(1, 1, 3, 3))
    >>> y.item()
    9.0
    """
    token = FAST.set(enabled)
    try:
        yield
    finally:
        FAST.reset(token)


def suits(a: Any, b: Any, weight: Ints, stride: Ints, pads: Pads) -> bool:
    """Return whether these two arrays use the blocked algorithm: float32, not empty, with columns to copy."""
    return (
        a.__class__ is np.ndarray and b.__class__ is np.ndarray and a.dtype is F32 and b.dtype is F32
        and _copies(weight[2:], stride, pads) and a.size > 0 and b.size > 0 and FAST.get()
    )  # fmt: skip


@lru_cache(maxsize=256)
def _copies(kernel: Ints, stride: Ints, pads: Pads) -> bool:
    """Return whether there are columns to copy and no negative padding."""
    return (max(kernel) > 1 or max(stride) > 1 or any(map(any, pads))) and min(map(min, pads)) >= 0


class Plan:
    """Sizes and strides of one convolution: the layout of positions in a block, and the size of a block."""

    __slots__ = (
        "bare", "batch", "channels", "count", "fan", "groups", "inner", "kernel", "outputs", "room", "rows", "steps",
        "stride", "strides", "taps", "thin", "view",
    )  # fmt: skip

    def __init__(
        self, n: int, channels: int, outputs: int, size: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints,
        groups: int,
    ) -> None:  # fmt: skip
        self.channels, self.outputs, self.groups = channels, outputs, groups
        self.kernel, self.stride = kernel, stride
        self.room = tuple([s + a + b for s, (a, b) in zip(size, pads, strict=True)])
        self.count = tuple(
            [(r - d * (k - 1) - 1) // s + 1 for r, k, s, d in zip(self.room, kernel, stride, dilation, strict=True)]
        )
        self.inner = tuple([slice(a, a + s) for s, (a, _) in zip(size, pads, strict=True)])
        self.bare = not any(map(any, pads))
        self.taps = prod(kernel)
        # elements of a padded image from one position to the next, per axis; and through a view of its patches
        self.steps = tuple([prod(self.room[i + 1 :]) for i in range(len(size))])
        self.view = (
            prod(self.room), *[t * d for t, d in zip(self.steps, dilation, strict=True)],
            *[t * s for t, s in zip(self.steps, stride, strict=True)],
        )  # fmt: skip
        self.strides = (4 * channels * self.view[0], *[4 * step for step in self.view])
        self.fan = channels // groups * self.taps
        row = prod(self.count[1:])
        fits = COLUMNS // (channels * self.taps * row)  # rows of positions in one block of columns
        self.batch = max(1, min(n, IMAGES, fits, max(RUN // self.count[-1], fits // self.count[0])))
        self.rows = max(1, min(self.count[0], fits // self.batch))
        # transposing a block costs about 0.35 ns per element, starting a run of memory about 8 ns
        turning, starting = 0.35 * (channels + outputs), 8 * self.fan / self.count[-1]
        self.thin = groups == 1 and fits >= self.count[0] and (n == 1 or starting <= turning)
        if self.thin:
            self.batch = min(n, fits // self.count[0])

    def blocks(self, images: range) -> Iterator[tuple[int, int]]:
        """Yield (first image, how many)."""
        for start in range(images.start, images.stop, self.batch):
            yield start, min(self.batch, images.stop - start)

    def bands(self) -> Iterator[tuple[int, int]]:
        """Yield (first row of positions, how many)."""
        for start in range(0, self.count[0], self.rows):
            yield start, min(self.rows, self.count[0] - start)

    def padded(self, b: int) -> tuple[Array, Array]:
        """Return a zeroed buffer (channels, *room, images) for a block, and the part of it where the images go."""
        xp = buffer("image", (self.channels, *self.room, b))
        xp.fill(0)
        return xp, xp[(slice(None), *self.inner)]

    def seen(self, xp: Array, first: int, rows: int) -> Array:
        """Return a view (channels, *kernel, rows, *positions, images) of a block: what each tap sees in a band."""
        b = xp.shape[-1]
        shape = (self.channels, *self.kernel, rows, *self.count[1:], b)
        start = 4 * b * first * self.stride[0] * self.steps[0]
        return new.ndarray(shape, F32, xp, start, (*[4 * b * step for step in self.view], 4))

    def columns(self, xp: Array, first: int, rows: int) -> Array:
        """Return the patches of a band of a block as (groups, channels / groups * taps, positions * images)."""
        view = self.seen(xp, first, rows)
        cols = buffer("columns", view.shape)
        np.copyto(cols, view)
        return cols.reshape(self.groups, self.fan, -1)

    def patches(self, x: Array, images: range) -> Iterator[tuple[int, int, Array]]:
        """Yield (first image, how many, their patches (images, channels * taps, positions)), for `thin`."""
        xp = inside = None
        if not (self.bare and x.flags.c_contiguous):
            xp = buffer("image", (self.batch, self.channels, *self.room))
            xp.fill(0)
            inside = xp[(slice(None), slice(None), *self.inner)]
        for start, b in self.blocks(images):
            seen = x[start : start + b]
            if inside is not None:
                np.copyto(inside[:b], seen)
                seen = xp
            shape = (b, self.channels, *self.kernel, *self.count)
            cols = buffer("columns", shape)
            np.copyto(cols, new.ndarray(shape, F32, seen, 0, self.strides))
            yield start, b, cols.reshape(b, self.fan, -1)

    def band(self, name: str, rows: int, b: int) -> tuple[Array, Array]:
        """Return a buffer (O, *positions, images) for results of a band: by groups, and with the images first."""
        z = buffer(name, (self.outputs, rows, *self.count[1:], b))
        return z.reshape(self.groups, self.outputs // self.groups, -1), images_first(z)


plan_of = lru_cache(maxsize=256)(Plan)


def thin(plan: Plan, x: Array, w: Array, bias: Array | None, y: Array) -> Array:
    """Run `correlate` with few columns per output: images first, products written to the output."""
    kernel = w.reshape(plan.outputs, -1)
    if bias is not None:
        bias = bias.reshape(plan.outputs, -1)

    def some(images: range) -> None:
        for start, b, cols in plan.patches(x, images):
            z = y[start : start + b].reshape(b, plan.outputs, -1)
            multiply(kernel, cols, out=z)
            if bias is not None:
                z += bias

    split(len(x), y.size * plan.fan, some)
    return y


def thin_weight(plan: Plan, g: Array, x: Array) -> Array:
    """Run `correlate_weight` with few columns per output."""

    def some(images: range) -> Array:
        total: Any = 0
        for start, b, cols in plan.patches(x, images):
            each = multiply(g[start : start + b].reshape(b, plan.outputs, -1), cols.swapaxes(1, 2))
            total = total + (each.sum(axis=0) if b > 1 else each[0])
        return total

    return added(split(len(x), g.size * plan.fan, some))


def images_first(z: Array) -> Array:
    """Return a view (images, ...) of a block that has its images last."""
    return z.transpose(z.ndim - 1, *range(z.ndim - 1))


def images_last(x: Array) -> Array:
    """Return a view (..., images) of a batch."""
    return x.transpose(*range(1, x.ndim), 0)


def looked_up(x: Array, w: Array, bias: Array | None, table: Array, count: Ints) -> Array:
    """Run `correlate` with the table of the elements under each window."""
    n, o = len(x), len(w)
    kernel, seen = w.reshape(o, -1), x.take(table)
    y = kernel.dot(seen) if n == 1 and kernel.size > 1 else np.matmul(kernel, seen)
    if bias is not None:
        y += bias.reshape(o, -1)
    return y.reshape(n, o, *count)


def correlate(x: Array, w: Array, bias: Array | None, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> Array:
    """Return the cross-correlation of ``x`` (N, C, *S) with ``w`` (O, C / groups, *K), plus ``bias``, in float32."""
    few = table.columns(x.shape, w.shape[2:], stride, pads, dilation) if groups == 1 else None
    if few is not None:
        return looked_up(x, w, bias, *few)
    if min(w.shape[:2]) >= WIDE and winograd.wins(x.shape, w.shape, stride, pads, dilation, groups):
        return winograd.correlate(x, w, bias, pads)
    n, o = x.shape[0], w.shape[0]
    if groups == 1 and x.shape[2:] == w.shape[2:] and not any(map(any, pads)) and x.flags.c_contiguous:
        y = multiply(x.reshape(n, -1), w.reshape(o, -1).T).reshape(n, o, *(1,) * (x.ndim - 2))
        if bias is not None:
            y += bias.reshape(o, *(1,) * (x.ndim - 2))
        return y
    plan = plan_of(n, x.shape[1], o, x.shape[2:], w.shape[2:], stride, pads, dilation, groups)
    if not plan.thin and kernel_rows.suits(w.shape[2:], dilation, groups, n):
        row_plan = kernel_rows.plan_of(n, x.shape[1], o, x.shape[2:], w.shape[2:], stride, pads)
        return kernel_rows.correlate(row_plan, x, w, bias)
    return block_by_block(plan, x, w, bias, groups)


@new.whole
def block_by_block(plan: Plan, x: Array, w: Array, bias: Array | None, groups: int) -> Array:
    """Run `correlate` on blocks of images."""
    n, o = x.shape[0], w.shape[0]
    y = new.empty((n, o, *plan.count), F32)
    if plan.thin:
        return thin(plan, x, w, bias, y)
    kernel = w.reshape(groups, o // groups, -1)
    if bias is not None:
        bias = bias.reshape(o, *(plan.count if bias.ndim > 1 else (1,) * len(plan.count)), 1)

    def some(images: range) -> None:
        for start, b in plan.blocks(images):
            xp, inside = plan.padded(b)
            np.copyto(inside, images_last(x[start : start + b]))
            for first, rows in plan.bands():
                z, result = plan.band("result", rows, b)
                multiply(kernel, plan.columns(xp, first, rows), out=z)
                if bias is not None:  # while the block is in the cache, and before it is turned around
                    block = images_last(result)
                    block += bias if bias.shape[1] == 1 else bias[:, first : first + rows]
                np.copyto(y[start : start + b, :, first : first + rows], result)

    split(n, y.size * plan.fan, some)
    return y


def correlate_input(g: Array, w: Array, size: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> Array:
    """Return `correlate` transposed: from ``g`` (N, O, *R) back to images (N, C, *size)."""
    n, o = g.shape[:2]
    channels = w.shape[1] * groups
    if groups == 1 and prod(g.shape[2:]) == 1 and not any(map(any, pads)) and size == w.shape[2:]:
        return multiply(g.reshape(n, o), w.reshape(o, -1)).reshape(n, channels, *size)  # one position: a matrix product
    reach = tuple([d * (k - 1) for k, d in zip(w.shape[2:], dilation, strict=True)])
    if max(stride) == 1 and o <= 4 * channels and all(max(p) <= r for p, r in zip(pads, reach, strict=True)):
        # also a correlation, with a flipped kernel: copying columns is cheaper than adding them up
        turned = w.reshape(groups, o // groups, *w.shape[1:])[(..., *[slice(None, None, -1)] * len(size))]
        turned = turned.swapaxes(1, 2).reshape(channels, o // groups, *w.shape[2:])
        pads = tuple([(r - a, r - b) for r, (a, b) in zip(reach, pads, strict=True)])
        return correlate(g, turned, None, stride, pads, dilation, groups)
    if kernel_rows.suits(w.shape[2:], dilation, groups, n):
        return kernel_rows.spread(g, w, size, stride, pads)
    plan = plan_of(n, channels, o, size, w.shape[2:], stride, pads, dilation, groups)
    return back_block_by_block(plan, g, w, size, groups)


@new.whole
def back_block_by_block(plan: Plan, g: Array, w: Array, size: Ints, groups: int) -> Array:
    """Run `correlate_input` on blocks of images."""
    n, o = g.shape[:2]
    x = new.empty((n, plan.channels, *size), F32)
    kernel = w.reshape(groups, o // groups, -1).swapaxes(1, 2)

    def some(images: range) -> None:
        for start, b in plan.blocks(images):
            xp, inside = plan.padded(b)
            for first, rows in plan.bands():
                z, arrived = plan.band("result", rows, b)
                np.copyto(arrived, g[start : start + b, :, first : first + rows])
                view = plan.seen(xp, first, rows)
                cols = buffer("columns", (groups, plan.fan, z.shape[-1]))
                cols = multiply(kernel, z, out=cols).reshape(view.shape)
                for tap in product(*[range(k) for k in plan.kernel]):
                    into = view[(slice(None), *tap)]
                    np.add(into, cols[(slice(None), *tap)], out=into)
            np.copyto(x[start : start + b], images_first(inside))

    split(n, g.size * plan.fan, some)
    return x


def correlate_weight(g: Array, x: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> Array:
    """Return the gradient of `correlate` for its kernel, (O, C / groups, *kernel)."""
    n, o = g.shape[:2]
    channels = x.shape[1]
    shape = o, channels // groups, *kernel
    few = table.columns(x.shape, kernel, stride, pads, dilation) if groups == 1 else None
    if few is not None:
        seen = x.take(few[0])
        if n == 1:
            return g.reshape(o, -1).dot(seen.T).reshape(shape)
        return np.matmul(g.reshape(n, o, -1), seen.swapaxes(1, 2)).sum(axis=0).reshape(shape)
    if max(shape[:2]) >= 64 and winograd.wins(x.shape, shape, stride, pads, dilation, groups):
        return winograd.correlate_weight(g, x, pads)
    if groups == 1 and x.shape[2:] == kernel and not any(map(any, pads)):
        return multiply(g.reshape(n, o).T, x.reshape(n, -1)).reshape(shape)
    plan = plan_of(n, channels, o, x.shape[2:], kernel, stride, pads, dilation, groups)
    if not plan.thin and kernel_rows.suits(kernel, dilation, groups, n):
        row_plan = kernel_rows.plan_of(n, channels, o, x.shape[2:], kernel, stride, pads)
        return kernel_rows.correlate_weight(row_plan, g, x)
    return weight_block_by_block(plan, g, x, shape, groups)


@new.whole
def weight_block_by_block(plan: Plan, g: Array, x: Array, shape: Ints, groups: int) -> Array:
    """Run `correlate_weight` on blocks of images."""
    n, o = g.shape[:2]
    if plan.thin:
        return thin_weight(plan, g, x).reshape(shape)

    def some(images: range) -> Array:
        total = new.zeros((groups, plan.fan, o // groups), F32)
        for start, b in plan.blocks(images):
            xp, inside = plan.padded(b)
            np.copyto(inside, images_last(x[start : start + b]))
            for first, rows in plan.bands():
                z, arrived = plan.band("result", rows, b)
                np.copyto(arrived, g[start : start + b, :, first : first + rows])
                total += multiply(plan.columns(xp, first, rows), z.swapaxes(1, 2))
        return total.swapaxes(1, 2)

    return added(split(n, g.size * plan.fan, some)).reshape(shape)
