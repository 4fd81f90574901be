"""Max-pooling of images, one row of windows at a time; a kernel for each width and stride of windows."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.engine.backward import finite
from tinygrad_lite.native.elementwise import solid
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import call

WIDEST = 7
"""Elements across the widest window with a kernel of its own."""

SHORT = 8
"""Windows in a row below which NumPy is as fast where they do not overlap."""


def _phases(k: Kernel, room: Value, row: Value, w: Value, left: Value, stride: int, each: Value, pad: float) -> None:
    """Copy a row with padding so that every ``stride``-th element is contiguous: what one tap sees at all positions."""
    with k.loop(0, each * stride) as i:
        room[i] = pad
    first = (left + (stride - 1)) // stride
    last = k.most(k.least((w + left) // stride, each), first)
    with k.loop(first, last) as q:
        for f in range(stride):
            room[each * f + q] = row[q * stride + f - left]
    for f in range(stride):  # the few elements beside a whole group
        start = k.most(left - f + (stride - 1), 0) // stride
        for lo, hi in ((start, first), (last, (w + left - f + (stride - 1)) // stride)):
            with k.loop(lo, k.least(hi, each), few=True) as q:
                room[each * f + q] = row[q * stride + f - left]


@cache
def forward(across: int, stride: int) -> Kernel:
    """Return the kernel that writes the maximum of windows of this width; its rows are planes."""

    def body(
        k: Kernel, lo: Value, hi: Value, y: Value, room: Value, x: Value, oh: Value, ow: Value, h: Value, w: Value,
        tall: Value, step: Value, top: Value, left: Value,
    ) -> None:  # fmt: skip
        each = ow + (across - 1) // stride
        with k.loop(lo, hi) as p:
            plane, row = x.at(p * h * w), room.at(p * each * stride)
            with k.loop(0, oh) as r:
                out, start = y.at((p * oh + r) * ow), r * step - top
                with k.loop(0, ow) as j:
                    out[j] = float("-inf")
                with k.loop(k.most(start, 0), k.least(start + tall, h)) as i:
                    _phases(k, row, plane.at(i * w), w, left, stride, each, float("-inf"))
                    with k.loop(0, ow) as j:
                        best = out[j]
                        for b in range(across):
                            v = row[each * (b % stride) + j + b // stride]
                            best = k.select((v > best) | v.is_nan(), v, best)
                        out[j] = best

    body.__name__ = f"max_pool_{across}_{stride}"
    return kernel("f* f* f* n n n n n n n n")(body)


@cache
def backward(across: int, stride: int) -> Kernel:
    """Return the kernel that adds each gradient at the first maximum of its window; its rows are planes."""

    def body(
        k: Kernel, lo: Value, hi: Value, d: Value, room: Value, found: Value, g: Value, y: Value, x: Value, oh: Value,
        ow: Value, h: Value, w: Value, tall: Value, step: Value, top: Value, left: Value,
    ) -> None:  # fmt: skip
        each = ow + (across - 1) // stride
        with k.loop(lo, hi) as p:
            plane, out, row, place = x.at(p * h * w), d.at(p * h * w), room.at(p * each * stride), found.at(p * ow)
            with k.loop(0, h * w) as i:
                out[i] = 0.0
            with k.loop(0, oh) as r:
                at, start = (p * oh + r) * ow, r * step - top
                seen, low, high = y.at(at), k.most(start, 0), k.least(start + tall, h)
                with k.loop(low, high) as back:  # from the last tap to the first, so that the first maximum is left
                    i = low + high - 1 - back
                    _phases(k, row, plane.at(i * w), w, left, stride, each, float("nan"))
                    base = (i * w - left).to("i")
                    with k.loop(0, ow) as j:
                        where, largest = place[j], seen[j]
                        for b in reversed(range(across)):
                            hit = row[each * (b % stride) + j + b // stride].same(largest)
                            where = k.select(hit, base + b, where)
                        place[j] = where
                with k.loop(0, ow) as j:
                    to = place[j].to("n") + j * stride
                    out[to] = out[to] + g[at + j]

    body.__name__ = f"max_pool_back_{across}_{stride}"
    return kernel("f* f* i* f* f* f* n n n n n n n n")(body)


@cache
def tiles(tall: int, across: int) -> Kernel:
    """Return the kernel of `forward` where windows lie side by side without padding; its rows are rows of windows."""

    def body(
        k: Kernel, lo: Value, hi: Value, y: Value, x: Value, oh: Value, ow: Value, h: Value, w: Value
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as r:
            first = (r // oh * h + r % oh * tall) * w
            out, rows = y.at(r * ow), [x.at(first + w * i) for i in range(tall)]
            with k.loop(0, ow, apart=True) as j:
                best, *others = [row[j * across + b] for row in rows for b in range(across)]
                for v in others:
                    best = k.select((v > best) | v.is_nan(), v, best)
                out[j] = best

    body.__name__ = f"max_pool_tiles_{tall}_{across}"
    return kernel("f* f* n n n n")(body)


@cache
def tiles_back(tall: int, across: int) -> Kernel:
    """Return the kernel of `backward` for them, whose result is zero elsewhere."""

    def body(
        k: Kernel, lo: Value, hi: Value, d: Value, g: Value, y: Value, x: Value, oh: Value, ow: Value, h: Value,
        w: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as r:
            first = (r // oh * h + r % oh * tall) * w
            rows, out = ([v.at(first + w * i) for i in range(tall)] for v in (x, d))
            given, seen = g.at(r * ow), y.at(r * ow)
            with k.loop(0, ow, apart=True) as j:
                left, largest = given[j], seen[j]
                for row, to in zip(rows, out, strict=True):
                    for b in range(across):
                        hit = row[j * across + b].same(largest)
                        to[j * across + b] = k.select(hit, left, 0.0)
                        left = k.select(hit, 0.0, left)

    body.__name__ = f"max_pool_tiles_back_{tall}_{across}"
    return kernel("f* f* f* f* n n n n")(body)


def _side_by_side(sizes: tuple[int, ...], across: int, stride: int) -> bool:
    """Return whether small windows lie side by side, all of them within the image: `ceil_mode` adds some beyond it."""
    oh, ow, h, w, tall, step, top, left = sizes
    return tall == step <= 3 and across == stride <= 3 and top == left == 0 and oh * tall <= h and ow * across <= w


def _sizes(x: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> tuple[int, ...] | None:
    """Return rows and columns of windows and image, height and step of a window, and the padding; None to decline."""
    if not solid(x) or len(kernel) > 2 or max(dilation) > 1 or kernel[-1] > WIDEST or stride[-1] > WIDEST:
        return None
    if len(kernel) == 1:
        kernel, stride, pads, size = (1, *kernel), (1, *stride), ((0, 0), *pads), (1, x.shape[2])
    else:
        size = x.shape[2:]
    if min(map(min, pads)) < 0 or any(max(p) >= s for p, s in zip(pads, kernel, strict=True)):
        return None
    count = tuple((s + sum(p) - k) // t + 1 for s, k, t, p in zip(size, kernel, stride, pads, strict=True))
    sizes = *count, *size, kernel[0], stride[0], pads[0][0], pads[1][0]
    if count[1] < SHORT and stride[1] >= kernel[1] and not _side_by_side(sizes, kernel[1], stride[1]):
        return None
    return sizes if size[0] * size[1] < 1 << 31 else None


def window_max(input: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> Any:
    """Compute `window_max` of images or sequences."""
    sizes = _sizes(input, kernel, stride, pads, dilation)
    if sizes is None:
        return NotImplemented
    planes, y = input.shape[0] * input.shape[1], np.empty((*input.shape[:2], *sizes[2 - len(kernel) : 2]), input.dtype)
    if _side_by_side(sizes, kernel[-1], stride[-1]):
        call(tiles(sizes[4], kernel[-1]), planes * sizes[0], 8 * input.size, y, input, *sizes[:4])
        return y
    room = _room(planes, sizes[1], kernel, stride)
    call(forward(kernel[-1], stride[-1]), planes, 60 * input.size, y, room, input, *sizes)
    return y


def _room(planes: int, ow: int, kernel: Any, stride: Any) -> Any:
    return np.empty(planes * (ow + (kernel[-1] - 1) // stride[-1]) * stride[-1], np.float32)


def to_largest(grad: Any, input: Any, values: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> Any:
    """Compute `to_largest` of images or sequences with finite maxima."""
    if input.__class__ is not np.ndarray or input.dtype is not grad.dtype or not solid(grad, values):
        return NotImplemented
    sizes = _sizes(input, kernel, stride, pads, dilation)
    if sizes is None or not finite(values):
        return NotImplemented
    planes, d = input.shape[0] * input.shape[1], np.empty(input.shape, input.dtype)
    if _side_by_side(sizes, kernel[-1], stride[-1]):
        if sizes[0] * sizes[4] != sizes[2] or sizes[1] * kernel[-1] != sizes[3]:
            d.fill(0)
        call(tiles_back(sizes[4], kernel[-1]), planes * sizes[0], 16 * input.size, d, grad, values, input, *sizes[:4])
        return d
    room, found = _room(planes, sizes[1], kernel, stride), np.empty(planes * sizes[1], np.int32)
    run = backward(kernel[-1], stride[-1])
    call(run, planes, 100 * input.size, d, room, found, grad, values, input, *sizes)
    return d
