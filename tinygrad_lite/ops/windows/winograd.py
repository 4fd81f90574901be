"""Winograd's convolution F(4x4, 3x3) as matrix products, for wide 3x3 kernels of stride 1 in float32.

An output tile of 4 x 4 needs 36 multiplications per channel instead of 144: the 6 x 6 input tile and the kernel are
transformed, multiplied element by element (one matrix product over the channels for each of the 36), and transformed
back. The transforms are Kronecker products, so they are matrix products too. Inside a block channels come last: each
of the 36 places of a tile is then one run of memory.

Rounding is about ten times that of the plain algorithm (1e-5 of the largest value), and a NaN or an infinity spoils the
whole tile; so it is chosen only where it wins clearly, and never in float64.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.threads import added, buffer, multiply, split

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

F32 = np.dtype(np.float32)
BLOCK = 1 << 19
"""Elements of one block of transformed tiles."""

_IMAGE = [
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1],
]  # fmt: skip
_KERNEL = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
_RESULT = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]


def _square(rows: Any, scale: float = 1.0) -> Array:
    matrix = new.array(rows, np.float64) / scale
    return np.kron(matrix, matrix).astype(np.float32)


IMAGE, KERNEL, RESULT = _square(_IMAGE), _square(_KERNEL, 24.0), _square(_RESULT)
RESULT_T = new.ascontiguousarray(RESULT.T)


def wins(x: Ints, w: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> bool:
    """Return whether a convolution of these shapes is faster by this algorithm."""
    if w[2:] != (3, 3) or stride != (1, 1) or dilation != (1, 1) or groups != 1 or w[0] < 32 or w[1] < 32:
        return False
    (a, b), (c, d) = pads
    h, v = x[2] + a + b - 2, x[3] + c + d - 2
    # the part of the last tiles beyond the image is wasted work
    return min(h, v) >= 6 and 0 <= min(a, b, c, d) and -(-h // 4) * -(-v // 4) * 16 <= 1.7 * h * v


class Tiles:
    """The tiles of a batch of images: 4 x 4 of the output, 6 x 6 (overlapping) of the input."""

    def __init__(self, size: Ints, pads: Pads, widest: int, n: int) -> None:
        self.size, self.pads = size, pads
        (top, bottom), (left, right) = pads
        self.count = size[0] + top + bottom - 2, size[1] + left + right - 2
        self.down, self.across = -(-self.count[0] // 4), -(-self.count[1] // 4)
        self.tiles = self.down * self.across
        self.batch = max(1, min(n, BLOCK // (36 * self.tiles * widest)))
        self.n = n

    def blocks(self, images: range) -> Any:
        """Yield (first image, how many)."""
        for start in range(images.start, images.stop, self.batch):
            yield start, min(self.batch, images.stop - start)

    def room(self, name: str, channels: int, more: int) -> Array:
        """Return a zeroed buffer (batch, rows, columns, channels) for tiles that are ``4 + more`` wide."""
        out = buffer(name, (self.batch, self.down * 4 + more, self.across * 4 + more, channels))
        out.fill(0)
        return out

    def cut(self, room: Array, n: int, wide: int) -> Array:
        """Return the tiles in ``room``, of ``wide`` x ``wide``, as (wide ** 2, n * tiles * channels)."""
        a, b, c, d = room.strides
        shape = wide, wide, n, self.down, self.across, room.shape[3]
        tiles = buffer("tiles", shape)
        np.copyto(tiles, new.as_strided(room, shape, (b, c, a, 4 * b, 4 * c, d)))
        return tiles.reshape(wide * wide, -1)

    def transformed(self, room: Array, x: Array, start: int, n: int) -> Array:
        """Return the transformed tiles of ``n`` images from ``start`` on, (36, n * tiles, channels)."""
        (top, _), (left, _) = self.pads
        last(room[:, top : top + self.size[0], left : left + self.size[1]], x[start : start + n])
        tiles = self.cut(room, n, 6)
        out = buffer("transformed", (36, tiles.shape[1]))
        return multiply(IMAGE, tiles, out=out).reshape(36, n * self.tiles, -1)


def last(into: Array, x: Array) -> None:
    """Copy images (N, C, H, W) into (N, H, W, C)."""
    channels, h, w = x.shape[1:]
    # through planes that are not a power of two apart, which would all map to one set of the cache
    planes = buffer("planes", (channels, h * w + 16))[:, : h * w].reshape(channels, h, w)
    for i, image in enumerate(x):
        np.copyto(planes, image)
        np.copyto(into[i], planes.transpose(1, 2, 0))


@new.whole
def correlate(x: Array, w: Array, bias: Array | None, pads: Pads) -> Array:
    """Return the cross-correlation of ``x`` (N, C, H, W) with ``w`` (O, C, 3, 3), plus ``bias``."""
    (n, channels), o = x.shape[:2], w.shape[0]
    tiles = Tiles(x.shape[2:], pads, max(channels, o), n)
    h, v = tiles.count
    y = new.empty((n, o, h, v), F32)
    kernel = multiply(KERNEL, w.reshape(o * channels, 9).T).reshape(36, o, channels).swapaxes(1, 2)
    if bias is not None and bias.ndim > 1:
        bias = bias.transpose(1, 2, 0)

    def some(images: range) -> None:
        room = tiles.room("image", channels, 2)
        back = buffer("back", (tiles.down, 4, tiles.across, 4, o))
        back_image = back.reshape(tiles.down * 4, tiles.across * 4, o)[:h, :v]
        for start, b in tiles.blocks(images):
            seen = tiles.transformed(room, x, start, b)
            m = multiply(seen, kernel, out=buffer("products", (36, b * tiles.tiles, o)))
            z = multiply(RESULT, m.reshape(36, -1), out=buffer("result", (16, b * tiles.tiles * o)))
            z = z.reshape(4, 4, b, tiles.down, tiles.across, o)
            for i in range(b):
                np.copyto(back, z[:, :, i].transpose(2, 0, 3, 1, 4))
                if bias is not None:
                    back_image += bias
                np.copyto(y[start + i], back_image.transpose(2, 0, 1))

    split(n, y.size * channels * 9, some)
    return y


@new.whole
def correlate_weight(g: Array, x: Array, pads: Pads) -> Array:
    """Return the gradient of `correlate` for its kernel, (O, C, 3, 3): every transform transposed."""
    (n, channels), o = x.shape[:2], g.shape[1]
    tiles = Tiles(x.shape[2:], pads, max(channels, o), n)
    h, v = tiles.count

    def some(images: range) -> Array:
        room, back = tiles.room("image", channels, 2), tiles.room("back", o, 0)
        total = new.zeros((36, o, channels), F32)
        for start, b in tiles.blocks(images):
            seen = tiles.transformed(room, x, start, b)
            last(back[:, :h, :v], g[start : start + b])
            z = tiles.cut(back, b, 4)
            m = multiply(RESULT_T, z, out=buffer("products", (36, z.shape[1]))).reshape(36, -1, o)
            total += multiply(m.swapaxes(1, 2), seen)
        return total

    total = added(split(n, g.size * channels * 9, some))
    return new.ascontiguousarray(multiply(KERNEL.T, total.reshape(36, -1)).T).reshape(o, channels, 3, 3)
