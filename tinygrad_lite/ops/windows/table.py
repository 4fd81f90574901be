"""Windows over small images: index tables, one per shape, that gather all patches with one `take`.

For images as small as 5x5 the time goes into calls, not into elements. One `take` with a table of indices replaces the
padding, slicing and comparing that is faster for large images.
"""

from __future__ import annotations

from math import prod

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Array

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

FEW = 4096
"""Elements of a table up to which it is faster."""


def _seen(size: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> tuple[Array, Array]:
    """Return the flat index of the start of each window, and the offsets of its taps from there."""
    steps = [prod(size[i + 1 :]) for i in range(len(size))]
    starts, taps = new.zeros(1, np.intp), new.zeros(1, np.intp)
    for n, k, s, d, step in zip(size, kernel, stride, dilation, steps, strict=True):
        count = (n - d * (k - 1) - 1) // s + 1
        starts = np.add.outer(starts, new.arange(count) * (s * step)).ravel()
        taps = np.add.outer(taps, new.arange(k) * (d * step)).ravel()
    return starts, taps


def _positions(shape: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Ints | None:
    """Return the number of windows along each axis, or None if their table would be too long."""
    if any(map(any, pads)) or not prod(shape):
        return None
    sizes = zip(shape[2:], kernel, stride, dilation, strict=True)
    count = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in sizes)
    return count if prod(shape[:2]) * prod(kernel) * prod(count) <= FEW else None


def _kept(table: Array) -> Array:
    if table.__class__ is np.ndarray:
        table.flags.writeable = False
    return table


@new.cached
def columns(shape: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> tuple[Array, Ints] | None:
    """Return the index table of im2col for images of ``shape`` (N, C, *S), and the number of windows per axis.

    The table is (N, C taps, windows), for a single image (C taps, windows). None if it would be too long.
    """
    count = _positions(shape, kernel, stride, pads, dilation)
    if count is None:
        return None
    starts, taps = _seen(shape[2:], kernel, stride, dilation)
    n, c = shape[:2]
    images = new.arange(n * c).reshape(n, c, 1, 1) * prod(shape[2:])
    table = (images + taps[:, None] + starts).reshape(n, -1, starts.size)
    return _kept(table[0].copy() if n == 1 else table), count


@new.cached
def windows(
    shape: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints
) -> tuple[Array, Array, Ints] | None:  # fmt: skip
    """Return the index table of pooling (windows, taps), the flat start of its rows, and the shape of the result.

    None if the table would be too long or windows overlap.
    """
    count = _positions(shape, kernel, stride, pads, dilation)
    if count is None or any(s < d * (k - 1) + 1 for s, k, d in zip(stride, kernel, dilation, strict=True)):
        return None
    starts, taps = _seen(shape[2:], kernel, stride, dilation)
    images = new.arange(prod(shape[:2])) * prod(shape[2:])
    table = np.add.outer(np.add.outer(images, starts).ravel(), taps)
    return _kept(table), _kept(new.arange(len(table)) * taps.size), (*shape[:2], *count)


def largest(x: Array, table: Array, rows: Array) -> Array:
    """Return the flat index of the first maximum (or the first NaN) of each window."""
    return np.take(table, x.take(table).argmax(1) + rows)
