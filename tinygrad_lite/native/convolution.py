"""Convolution of images: products accumulated in registers, without columns in memory and without BLAS.

A padded image is stored as one plane per channel and phase, the elements whose row and column leave the same remainder
by the strides: what one tap of the kernel sees at all positions is then one run of memory, rows of ``each`` elements
one after the other, of which the last few of a row are computed for nothing. A block of output channels times `WIDTH`
positions is kept in registers, while the loop goes over the channels and the taps, whose places are in a table: so one
kernel serves all sizes, paddings and dilations. The gradient of the image with a stride is one such convolution for
each phase of the result; that of the kernel keeps output channels times taps in registers, and sums over positions.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import product
from typing import Any

import numpy as np

from tinygrad_lite.native.elementwise import solid
from tinygrad_lite.native.language import WIDTH, Kernel, Value, kernel
from tinygrad_lite.native.library import Room, call
from tinygrad_lite.native.tiles import WIDEST, Tile, add_products, tile_of, zeros
from tinygrad_lite.ops.windows import blocked, table, winograd

OUT, TAPS, MANY = 4, 3, 6
"""Output channels and taps of one block of the gradient of the kernel; taps of one block of `WIDTH` channels."""
FIRST_LEVEL = 3072
"""Numbers of which reading again and again is fast: half of a small first-level cache, which two threads may share."""
LONGEST = 160
"""Products that are added up one after the other; such sums are added in turn, so that less is lost to rounding."""
FOUR = 4
"""Vectors of positions kept in registers where every channel has a kernel of its own."""
LARGEST = 8
"""The largest stride with kernels of its own."""


def _padded(
    k: Kernel, room: Value, x: Value, stride: int, c: Value, h: Value, w: Value, s0: Value, rows: Value, each: Value,
    top: Value, left: Value,
) -> None:  # fmt: skip
    """Copy one image to its planes; what is not image stays as it is."""
    plane = rows * each
    with k.loop(0, c) as channel, k.loop(0, h) as i:
        at, source = i + top, x.at((channel * h + i) * w)
        to = room.at((channel * s0 + at % s0) * plane * stride + at // s0 * each)
        first = (left + (stride - 1)) // stride
        last = k.most((w + left) // stride, first)
        with k.loop(first, last) as q:
            for f in range(stride):
                to[plane * f + q] = source[q * stride + f - left]
        for f in range(stride):  # the few elements beside a whole group
            start, stop = k.most(left - f + (stride - 1), 0) // stride, (w + left - f + (stride - 1)) // stride
            for begin, end in ((start, k.least(stop, first)), (last, stop)) if stride > 1 else ():
                with k.loop(begin, end, few=True) as q:
                    to[plane * f + q] = source[q * stride + f - left]


@cache
def forward(tile: Tile, stride: int) -> Kernel:
    """Return the kernel for a tile of output channels and positions, and a stride along rows; its rows are images."""
    (block, vectors), wide = tile, tile[1] * WIDTH

    def body(
        k: Kernel, lo: Value, hi: Value, y: Value, room: Value, kept: Value, x: Value, weight: Value, bias: Value,
        taps: Value, count: Value, c: Value, h: Value, w: Value, s0: Value, rows: Value, each: Value, top: Value,
        left: Value, o: Value, oh: Value, ow: Value, down: Value, across: Value, area: Value, first: Value, part: Value,
        groups: Value,
    ) -> None:  # fmt: skip
        blocks = (o + (block - 1)) // block
        size, run = s0 * stride * rows * each, (oh * each + (wide - 1)) // wide * wide
        with k.loop(lo, hi) as n:
            _padded(k, room, x.at(n * c * h * w), stride, c, h, w, s0, rows, each, top, left)
            group = n % groups
            with k.loop(0, blocks) as b:
                kernel_ = weight.at((group * blocks + b) * c * count * block)
                with k.loop(0, run * block) as t:
                    kept[t] = 0.0
                # as many channels at a time as fit the first-level cache, and all positions
                with k.loop(0, c, part) as start, k.loop(0, run, wide) as t:
                    sums = zeros(k, tile)
                    with k.loop(start, k.least(start + part, c)) as channel:
                        seen, here = room.at(channel * size + t), kernel_.at(channel * count * block)
                        with k.loop(0, count) as tap:
                            first_ = seen.at(taps[tap].to("n"))
                            weights_ = [here[tap * block + m] for m in range(block)]
                            add_products(k, sums, weights_, [first_.vector(j * WIDTH) for j in range(vectors)])
                    for m, of_channel in enumerate(sums):
                        for j, one in enumerate(of_channel):
                            at = run * m + t + j * WIDTH
                            kept.put_vector(at, kept.vector(at) + one.get())
                with k.loop(0, k.least(o - b * block, block)) as i:
                    channel = b * block + i
                    level, out = bias[group * o + channel], y.at((n * o + channel) * area + first)
                    with k.loop(0, oh) as r:
                        source, to = kept.at(run * i + r * each), out.at(r * down)
                        with k.loop(0, ow) as c_:
                            to[c_ * across] = source[c_] + level

    body.__name__ = f"conv_{block}_{vectors}_{stride}"
    return kernel("f* f* f* f* f* f* i* " + "n " * 18)(body)


@cache
def weights_wide(stride: int) -> Kernel:
    """Return the kernel like `weights` that keeps `WIDTH` output channels times `MANY` taps in registers."""

    def body(
        k: Kernel, lo: Value, hi: Value, d: Value, room: Value, kept: Value, x: Value, g: Value, taps: Value,
        count: Value, c: Value, h: Value, w: Value, s0: Value, rows: Value, each: Value, top: Value, left: Value,
        o: Value, oh: Value, ow: Value, groups: Value,
    ) -> None:  # fmt: skip
        wide, area = (o + (WIDTH - 1)) // WIDTH * WIDTH, oh * ow
        with k.loop(lo, hi) as n:
            _padded(k, room, x.at(n * c * h * w), stride, c, h, w, s0, rows, each, top, left)
            with k.loop(0, o) as channel:  # blocks of channels, then positions
                source, to = g.at((n * o + channel) * area), kept.at(channel // WIDTH * WIDTH * area + channel % WIDTH)
                with k.loop(0, area) as t:
                    to[t * WIDTH] = source[t]
            own = d.at(n % groups * count * wide)
            with k.loop(0, wide, WIDTH) as block, k.loop(0, count, MANY) as tap:
                places = [room.at(taps[tap + i].to("n")) for i in range(MANY)]
                sums = [k.var(0.0, "v") for _ in range(MANY)]
                with k.loop(0, oh) as r:
                    seen, rest = [p.at(r * each) for p in places], kept.at((block * oh + r * WIDTH) * ow)
                    with k.loop(0, ow) as j:
                        v = rest.vector(j * WIDTH)
                        for i in range(MANY):
                            sums[i].set(k.fma(seen[i][j].spread(), v, sums[i]))
                for i in range(MANY):
                    at = (tap + i) * wide + block
                    own.put_vector(at, own.vector(at) + sums[i].get())

    body.__name__ = f"conv_weight_wide_{stride}"
    return kernel("f* f* f* f* f* i* " + "n " * 13)(body)


@cache
def weights(stride: int) -> Kernel:
    """Return the kernel that adds up the gradients of the kernel of several images."""

    def body(
        k: Kernel, lo: Value, hi: Value, d: Value, room: Value, kept: Value, x: Value, g: Value, taps: Value,
        count: Value, c: Value, h: Value, w: Value, s0: Value, rows: Value, each: Value, top: Value, left: Value,
        o: Value, oh: Value, ow: Value, groups: Value,
    ) -> None:  # fmt: skip
        run = (oh * each + (WIDTH - 1)) // WIDTH * WIDTH
        with k.loop(lo, hi) as n:
            _padded(k, room, x.at(n * c * h * w), stride, c, h, w, s0, rows, each, top, left)
            with k.loop(0, o) as channel, k.loop(0, oh) as r:
                source, to = g.at(((n * o + channel) * oh + r) * ow), kept.at(channel * run + r * each)
                with k.loop(0, ow) as j:
                    to[j] = source[j]
            own = d.at(n % groups * count * ((o + (OUT - 1)) // OUT * OUT))
            with k.loop(0, count, TAPS) as tap:
                seen = [room.at(taps[tap + i].to("n")) for i in range(TAPS)]
                with k.loop(0, o, OUT) as channel:
                    sums = [k.var(0.0, "v") for _ in range(OUT * TAPS)]
                    with k.loop(0, run, WIDTH) as t:
                        vs = [v.vector(t) for v in seen]
                        for m in range(OUT):
                            here = kept.at((channel + m) * run).vector(t)
                            for i in range(TAPS):
                                sums[m * TAPS + i].set(k.fma(here, vs[i], sums[m * TAPS + i]))
                    for m, i in product(range(OUT), range(TAPS)):
                        at = (channel + m) * count + tap + i
                        own[at] = own[at] + sums[m * TAPS + i].get().total()

    body.__name__ = f"conv_weight_{stride}"
    return kernel("f* f* f* f* f* i* " + "n " * 13)(body)


@cache
def each_forward(stride: int) -> Kernel:
    """Return the kernel for images of one channel with weights of their own; its rows are channels of images."""

    def body(
        k: Kernel, lo: Value, hi: Value, y: Value, room: Value, kept: Value, x: Value, weight: Value, bias: Value,
        taps: Value, count: Value, channels: Value, c: Value, h: Value, w: Value, s0: Value, rows: Value, each: Value,
        top: Value, left: Value, oh: Value, ow: Value, down: Value, across: Value, area: Value, first: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as r:
            _padded(k, room, x.at(r * h * w), stride, c, h, w, s0, rows, each, top, left)
            level, here = bias[r % channels], weight.at(r % channels * count)
            with k.loop(0, oh * each, WIDTH * FOUR) as t:
                sums = [k.var(0.0, "v") for _ in range(FOUR)]
                with k.loop(0, count) as tap:
                    seen, v = room.at(taps[tap].to("n") + t), here[tap].spread()
                    for m in range(FOUR):
                        sums[m].set(k.fma(seen.vector(m * WIDTH), v, sums[m]))
                for m in range(FOUR):
                    kept.put_vector(t + m * WIDTH, sums[m].get())
            out = y.at(r * area + first)
            with k.loop(0, oh) as i:
                source, to = kept.at(i * each), out.at(i * down)
                with k.loop(0, ow) as j:
                    to[j * across] = source[j] + level

    body.__name__ = f"conv_each_{stride}"
    return kernel("f* f* f* f* f* f* i* " + "n " * 16)(body)


@cache
def each_weights(stride: int) -> Kernel:
    """Return the kernel for the gradients of such weights; its rows are channels."""

    def body(
        k: Kernel, lo: Value, hi: Value, d: Value, room: Value, kept: Value, x: Value, g: Value, taps: Value,
        count: Value, images: Value, channels: Value, c: Value, h: Value, w: Value, s0: Value, rows: Value, each: Value,
        top: Value, left: Value, oh: Value, ow: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as channel, k.loop(0, images) as n:
            r = n * channels + channel
            _padded(k, room, x.at(r * h * w), stride, c, h, w, s0, rows, each, top, left)
            with k.loop(0, oh) as row:
                source, to = g.at((r * oh + row) * ow), kept.at(row * each)
                with k.loop(0, ow) as j:
                    to[j] = source[j]
            with k.loop(0, count, TAPS) as tap:
                seen = [room.at(taps[tap + i].to("n")) for i in range(TAPS)]
                sums = [k.var(0.0, "v") for _ in range(TAPS)]
                with k.loop(0, oh * each, WIDTH) as t:
                    here = kept.vector(t)
                    for i in range(TAPS):
                        sums[i].set(k.fma(here, seen[i].vector(t), sums[i]))
                for i in range(TAPS):
                    at = channel * count + tap + i
                    d[at] = d[at] + sums[i].get().total()

    body.__name__ = f"conv_each_weight_{stride}"
    return kernel("f* f* f* f* f* i* " + "n " * 13)(body)


class Plan:
    """Sizes of the planes of a padded image, and the places of the taps in them."""

    def __init__(
        self, c: int, size: tuple[int, int], kernel: Any, stride: Any, pads: Any, dilation: Any, count: Any
    ) -> None:  # fmt: skip
        (h, w), (self.s0, self.s1), ((top, _), (left, _)) = size, stride, pads
        need = [(n - 1) * s + (t - 1) * d + 1 for n, s, t, d in zip(count, stride, kernel, dilation, strict=True)]
        self.rows = -(-max(h + top, need[0]) // self.s0)
        self.each = -(-max(w + left, need[1]) // self.s1)
        self.places = [
            ((p * dilation[0] % self.s0) * self.s1 + q * dilation[1] % self.s1) * self.rows * self.each
            + p * dilation[0] // self.s0 * self.each + q * dilation[1] // self.s1
            for p, q in product(range(kernel[0]), range(kernel[1]))
        ]  # fmt: skip
        self.sizes = c, h, w, self.s0, self.rows, self.each, top, left
        self.plane = self.s0 * self.s1 * self.rows * self.each
        self.taps = np.array(self.places, np.int32)
        # every channel and tap, a multiple of `MANY`, hence of `TAPS`
        all_of_them = (np.arange(c)[:, None] * self.plane + self.taps).reshape(-1)
        self.all_taps = np.resize(all_of_them, -(-len(all_of_them) // MANY) * MANY).astype(np.int32)
        self.room = c * self.plane + max(self.places, default=0) + WIDEST * WIDTH
        # what one position reads of a channel, and its neighbours
        self.window = self.s0 * self.s1 * self.each * (-(-kernel[0] // self.s0) + 1)

    def run(self, rows: int, wide: int = WIDTH) -> int:
        """Return the number of positions that are computed for this many rows of outputs, ``wide`` at a time."""
        return int(-(-rows * self.each // wide) * wide)


plan_of = lru_cache(maxsize=256)(Plan)


@cache
def packing(block: int) -> Kernel:
    """Return the kernel that lays weights out as blocks of output channels: (groups and blocks, C, taps, block)."""

    def body(
        k: Kernel, lo: Value, hi: Value, out: Value, w: Value, o: Value, c: Value, t0: Value, t1: Value, blocks: Value,
        group: Value, row: Value, channel: Value, down: Value, right: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as part:
            first = part % blocks * block
            last, source = k.least(o - first, block) - 1, w.at(part // blocks * group + first * row)
            rows = [source.at(k.least(last, m) * row) for m in range(block)]  # the last one again instead of zeros
            with k.loop(0, c) as i, k.loop(0, t0) as a, k.loop(0, t1) as b:
                to, here = out.at((((part * c + i) * t0 + a) * t1 + b) * block), i * channel + a * down + b * right
                for m, one in enumerate(rows):
                    to[m] = one[here]

    body.__name__ = f"packing_{block}"
    return kernel("f* f* " + "n " * 10)(body)


def _packed(w: Any, block: int) -> Any:
    """Return weights (groups, O, C, taps) in any layout as `packing` lays them out."""
    groups, o, c, *taps = w.shape
    if any(s & 3 for s in w.strides):  # fields of a record
        w = np.ascontiguousarray(w)
    blocks = -(-o // block)
    out = np.empty((groups * blocks, c, *taps, block), np.float32)
    call(packing(block), groups * blocks, out.size, out, w, o, c, *taps, blocks, *(s >> 2 for s in w.strides))
    return out


def _work(images: int, o: int, c: int, each: int) -> int:
    """Return the multiplications that take as long; with few channels there is more to do beside them."""
    return images * (o + 8) * (c + 2) * each


def _compute(
    plan: Plan, x: Any, w: Any, bias: Any, y: Any, taps: Any, count: Any, steps: tuple[int, int], first: int
) -> None:  # fmt: skip
    """Write one convolution of ``w`` (groups, O, C, taps) to every ``steps``-th element of ``y`` from ``first`` on.

    The groups of an image lie in memory like so many images of fewer channels, and are taken for such.
    """
    groups, o, c, *sizes = w.shape
    tile, images = tile_of(o, plan.run(count[0]) // WIDTH, 2), len(x) * groups
    block, wide = tile[0], tile[1] * WIDTH
    packed, area = _packed(w, block), y.shape[2] * y.shape[3]
    bias = np.zeros(groups * o, np.float32) if bias is None else bias
    each = sizes[0] * sizes[1]
    taps_ = max(each, 1)
    at_once = max(min(FIRST_LEVEL // (taps_ * block + plan.window), LONGEST // taps_), 64 // taps_, 1)

    work = _work(images, o, c, each * count[0] * count[1])
    call(
        forward(tile, plan.s1), images, work, y, Room(plan.room), Room(block * plan.run(count[0], wide)), x, packed,
        bias, taps if len(taps) else 0, len(taps), *plan.sizes, o, *count, steps[0] * y.shape[3], steps[1], area, first,
        at_once, groups,
    )  # fmt: skip


def _compute_each(
    plan: Plan, x: Any, w: Any, bias: Any, y: Any, taps: Any, count: Any, steps: tuple[int, int], first: int
) -> None:  # fmt: skip
    """Do the same where each channel has a kernel of its own; ``w`` is (C, 1, taps)."""
    c, area = len(w), y.shape[2] * y.shape[3]
    weight, bias = np.ascontiguousarray(w), np.zeros(c, np.float32) if bias is None else bias
    given = y, Room(plan.room), Room(plan.run(count[0]) + FOUR * WIDTH), x, weight, bias, taps if len(taps) else 0
    sizes = len(taps), c, *plan.sizes, *count, steps[0] * y.shape[3], steps[1], area, first
    call(each_forward(plan.s1), len(x) * c, _work(len(x), c, 1, len(taps) * count[0] * count[1]), *given, *sizes)


def _weights_each(plan: Plan, x: Any, g: Any) -> Any:
    """Return the gradients of such kernels, (C, taps)."""
    c, count = x.shape[1], g.shape[2:]
    taps = np.resize(plan.taps, -(-len(plan.taps) // TAPS) * TAPS)
    d = np.zeros((c, len(taps)), np.float32)
    given = d, Room(plan.room), Room(plan.run(count[0])), x, g, taps, len(taps), len(x), c, *plan.sizes, *count
    call(each_weights(plan.s1), c, _work(len(x), c, 1, len(taps) * count[0] * count[1]), *given)
    return d[:, : len(plan.taps)]


def _two(*values: Any) -> Any:
    """Return the sizes of sequences as those of images of one row."""
    return [v if len(v) > 1 else (((0, 0),) if isinstance(v[0], tuple) else (1,)) + v for v in values]


def _fits(a: Any, b: Any, kernel: Any, stride: Any, pads: Any) -> bool:
    """Return whether a convolution of ``a`` is computed here."""
    return (
        b.__class__ is np.ndarray and b.dtype is a.dtype and len(kernel) < 3
        and a.ndim == len(kernel) + 2 and b.size > 0 and max(stride) <= LARGEST and min(map(min, pads)) >= 0
        and (max(kernel) > 1 or max(stride) > 1) and blocked.FAST.get()
    )  # fmt: skip


def _images(x: Any) -> Any:
    x = np.ascontiguousarray(x)
    return x if x.ndim == 4 else x.reshape(*x.shape[:2], 1, x.shape[2])


def _elsewhere(x: Any, w: Any, wide: bool, stride: Any, pads: Any, dilation: Any) -> bool:
    """Return whether `ops.windows.blocked` has a better algorithm: a table, one position, or Winograd's."""
    if table.columns(x, w[2:], stride, pads, dilation) is not None or x[2:] == w[2:] and not any(map(any, pads)):
        return True
    return wide and winograd.wins(x, w, stride, pads, dilation, 1)


def conv(input: Any, weight: Any, bias: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> Any:
    """Compute `conv` of images or sequences."""
    kernel, o, c = weight.shape[2:], len(weight), weight.shape[1]
    each = 1 < groups == input.shape[1] == o
    if not _fits(input, weight, kernel, stride, pads):
        return NotImplemented
    if bias is not None and not solid(bias):
        return NotImplemented
    if bias is not None and (bias.shape != (o,) or bias.dtype is not input.dtype):
        return NotImplemented
    part = len(input) * groups, c, *input.shape[2:]
    wide = groups == 1 and min(o, c) >= 96
    if not each and _elsewhere(part, (o // groups, *weight.shape[1:]), wide, stride, pads, dilation):
        return NotImplemented
    x = _images(input)
    kernel, stride, pads, dilation = _two(kernel, stride, pads, dilation)
    size = x.shape[2:]
    count = tuple(
        (n + sum(p) - d * (t - 1) - 1) // s + 1
        for n, p, t, s, d in zip(size, pads, kernel, stride, dilation, strict=True)
    )
    plan = plan_of(c, size, kernel, stride, pads, dilation, count)
    y, w = np.empty((len(x), o, *count), input.dtype), weight.reshape(groups, o // groups, c, *kernel)
    if each:
        _compute_each(plan, x, weight.reshape(o, c, -1), bias, y, plan.taps, count, (1, 1), 0)
    else:
        _compute(plan, x, w, bias, y, plan.taps, count, (1, 1), 0)
    return y.reshape(len(x), o, *count[4 - input.ndim :])


@lru_cache(maxsize=256)
def phases_of(c: int, outer: Any, size: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> tuple[Plan, Any]:
    """Return the plan for a gradient of size ``outer``, and the phases of the stride.

    A phase has its number along both axes, its taps, the number of its positions, and the first of them.
    """
    # rows of the gradient before its first and after its last one that some position looks for
    low = [max((-(-t // s) - 1) * d - p[0] // s, 0) for t, s, d, p in zip(kernel, stride, dilation, pads, strict=True)]
    last = [(m - 1 + p[0]) // s for m, p, s in zip(size, pads, stride, strict=True)]
    margins, there = tuple([(b, 0) for b in low]), tuple([e + b + 1 for e, b in zip(last, low, strict=True)])
    plan, found = plan_of(c, outer, (1, 1), (1, 1), margins, (1, 1), there), []
    for phase in product(range(stride[0]), range(stride[1])):
        # positions i = first, first + stride, ... of the image; (i + pad) // stride begins at `start`
        first = [(a - p[0]) % s for a, p, s in zip(phase, pads, stride, strict=True)]
        start = [(i + p[0]) // s for i, p, s in zip(first, pads, stride, strict=True)]
        count = tuple([-(-(m - i) // s) for m, i, s in zip(size, first, stride, strict=True)])
        if min(count) < 1:
            continue
        at = [
            [b + r - m * d for m in range(len(range(a, t, s)))]
            for a, t, s, b, r, d in zip(phase, kernel, stride, start, low, dilation, strict=True)
        ]
        taps = np.array([i * plan.each + j for i, j in product(*at)], np.int32)
        found.append((phase, taps, count, first[0] * size[1] + first[1]))
    return plan, found


def conv_input(
    grad: Any, weight: Any, size: Any, stride: Any, pads: Any, dilation: Any, groups: int
) -> Any:  # fmt: skip
    """Compute `conv_input` of images or sequences: one convolution of the gradient for each phase of the stride."""
    n, o = grad.shape[:2]
    channels, c, inner, kernel = weight.shape[1] * groups, weight.shape[1], o // groups, weight.shape[2:]
    each = 1 < groups == channels == o
    if not _fits(grad, weight, kernel, stride, pads):
        return NotImplemented
    if max(dilation) > 1 and max(stride) > 1:
        return NotImplemented
    shape, part = (n, channels, *size), (n * groups, c, *size)
    wide = groups == 1 and min(inner, c) >= 96
    if not each and _elsewhere(part, (inner, *weight.shape[1:]), wide, stride, pads, dilation):
        return NotImplemented
    g = _images(grad)
    size, kernel, stride, pads, dilation = _two(size, kernel, stride, pads, dilation)
    w = weight.reshape(groups, inner, c, *kernel).swapaxes(1, 2)
    plan, phases = phases_of(inner, g.shape[2:], size, kernel, stride, pads, dilation)
    y = np.empty((n, channels, *size), grad.dtype)
    for phase, taps, count, first in phases:
        own = w[..., phase[0] :: stride[0], phase[1] :: stride[1]]
        given = None, y, taps, count, stride, first
        if each:
            _compute_each(plan, g, own.reshape(groups, inner, -1), *given)
        else:
            _compute(plan, g, own, *given)
    return y.reshape(shape)


def conv_weight(
    grad: Any, input: Any, kernel: Any, stride: Any, pads: Any, dilation: Any, groups: int
) -> Any:  # fmt: skip
    """Compute `conv_weight` of images or sequences."""
    o, c = grad.shape[1] // groups, input.shape[1] // groups
    each, shape = 1 < groups == input.shape[1] == grad.shape[1], (groups * o, c, *kernel)
    if input.__class__ is not np.ndarray or not _fits(input, grad, kernel, stride, pads):
        return NotImplemented
    part = len(input) * groups, c, *input.shape[2:]
    wide = groups == 1 and max(o, c) >= 96
    if not each and _elsewhere(part, (o, *shape[1:]), wide, stride, pads, dilation):
        return NotImplemented
    x, g = _images(input), _images(grad)
    kernel, stride, pads, dilation = _two(kernel, stride, pads, dilation)
    count = g.shape[2:]
    plan = plan_of(c, x.shape[2:], kernel, stride, pads, dilation, count)
    if each:
        return _weights_each(plan, x, g).reshape(shape)
    taps, images = plan.all_taps, len(x) * groups
    blocks, area = -(-o // WIDTH), count[0] * count[1]
    # in multiplications of vectors: sums over positions cost more at their end
    wide = len(taps) * blocks * area < len(taps) * -(-o // OUT) * OUT * (plan.run(count[0]) // WIDTH + 5)
    run, height = (weights_wide(plan.s1), blocks * WIDTH) if wide else (weights(plan.s1), -(-o // OUT) * OUT)
    rooms = Room(groups * height * len(taps)), Room(plan.room), Room(height * plan.run(count[0]))
    work = _work(images, o, c, len(taps) // c * count[0] * count[1])
    parts = call(run, images, work, *rooms, x, g, taps, len(taps), *plan.sizes, o, *count, groups, sums=True)
    total = np.add.reduce(parts[:, : rooms[0]]) if len(parts) > 1 else parts[0, : rooms[0]]
    total = total.reshape((groups, len(taps), height) if wide else (groups, height, len(taps)))
    if wide:
        total = total.swapaxes(1, 2)
    return np.ascontiguousarray(total[:, :o, : c * kernel[0] * kernel[1]]).reshape(shape)
