"""Sampling images between their pixels (`grid_sample`), and sampling grids of affine maps (`affine_grid`).

Source: Jaderberg, Simonyan, Zisserman, Kavukcuoglu 2015 (spatial transformer networks).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.op import functional
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import contiguous
from tinygrad_lite.ops.indexing.embedding import rows
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.shape.reshaping import permute
from tinygrad_lite.ops.windows.resize import cubic

MODES = ("bilinear", "nearest", "bicubic")
PADDING = ("zeros", "border", "reflection")


def _bounded(x: Array, size: int, padding: str, align_corners: bool) -> Array:
    """Return coordinates in pixels, moved into the image according to ``padding``."""
    if padding == "zeros":
        return x
    at = plain(x)
    if padding == "reflection":
        low, span = (0.0, size - 1.0) if align_corners else (-0.5, float(size))
        if not span:
            return where(new.zeros(at.shape, bool), x, 0.0)
        away = np.abs(at - low)
        turns, rest = np.floor(away / span), np.mod(away, span)
        mirrored = turns % 2 == 1
        there = np.where(mirrored, span - rest, rest) + low
        slope = np.where(mirrored, -1.0, 1.0) * np.where(at < low, -1.0, 1.0)
        x = x * slope.astype(at.dtype) + (there - slope * at).astype(at.dtype)
        at = plain(x)
    # outside the image the coordinate is constant
    return where((at > 0) & (at < size - 1), x, np.clip(at, 0, size - 1))


def _taps(x: Array, size: int, mode: str, padding: str, align_corners: bool) -> list[tuple[Any, Any]]:
    """Return the pixels along an axis that are read for the places ``x``, each with its share."""
    low = np.floor(plain(x))
    if mode == "bilinear":
        return [(low, low + 1 - x), (low + 1, x - low)]
    at = [np.rint(plain(_bounded(low + k, size, padding, align_corners))) for k in (-1, 0, 1, 2)]
    return list(zip(at, cubic(x - low), strict=True))


@functional
@named
def grid_sample(
    input: Array, grid: Array, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Array:
    """Return ``input`` (N, C, H, W) sampled at ``grid`` (N, H_out, W_out, 2): (N, C, H_out, W_out).

    A grid point is (x, y), from -1 to 1 across the image: from the middle of the first pixel to that of the last with
    ``align_corners``, else from edge to edge. ``mode``: bilinear between the pixels around, the nearest, or bicubic
    (images alone). Outside, ``padding_mode`` reads zeros, the border, or a reflection. Volumes (N, C, D, H, W) have
    places (x, y, z).
    Raises ShapeError, DTypeError, ValueError.

    >>> import tinygrad_lite as tl
    >>> image = tl.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    >>> grid_sample(image, tl.tensor([[[[0.0, 0.0], [1.0, 1.0]]]]), align_corners=True)
    tensor([[[[1.5000, 3.0000]]]])
    """
    if mode not in MODES:
        raise OptionError(f"grid_sample: mode must be one of {', '.join(MODES)}, got {mode!r}")
    if padding_mode not in PADDING:
        raise OptionError(f"grid_sample: padding_mode must be one of {', '.join(PADDING)}, got {padding_mode!r}")
    d = input.ndim - 2
    if d not in (2, 3) or grid.ndim != input.ndim or grid.shape[0] != input.shape[0] or grid.shape[-1] != d:
        raise ShapeError(
            "grid_sample: expected images (N, C, H, W) with a grid (N, H_out, W_out, 2), or volumes (N, C, D, H, W) "
            f"with (N, D_out, H_out, W_out, 3), got input {describe(input)} and grid {describe(grid)}"
        )
    if mode == "bicubic" and d != 2:
        raise OptionError(f"grid_sample: bicubic reads images (N, C, H, W), got input {describe(input)}")
    if input.dtype != grid.dtype or input.dtype.kind != "f":
        raise DTypeError(
            f"grid_sample: input and grid must be floats of one dtype, got {describe(input)} and {describe(grid)}"
        )
    sizes = input.shape[2:]
    if not all(sizes):
        raise ShapeError(f"grid_sample: expected input with pixels, got {describe(input)}")
    # the coordinate in pixels along each axis; a grid point holds the last axis first
    places = []
    for axis, size in enumerate(sizes):
        g = grid[..., d - 1 - axis]
        x = (g + 1) * ((size - 1) / 2) if align_corners else ((g + 1) * size - 1) / 2
        places.append(x if mode == "bicubic" else _bounded(x, size, padding_mode, bool(align_corners)))
    table = permute(input, (0, *range(2, d + 2), 1)).reshape((-1, input.shape[1]))
    image = new.arange(input.shape[0]).reshape((-1,) + (1,) * d) * prod(sizes)
    out: Any = None
    if mode == "nearest":
        nearest = [np.rint(plain(x)) for x in places]
        out = _read(table, image, nearest, sizes, 1.0, input.dtype)
        out = out + where(new.zeros((), bool), grid[..., :1], 0.0)  # the nearest pixel is constant: a gradient of zeros
    else:
        taps = [_taps(x, n, mode, padding_mode, bool(align_corners)) for x, n in zip(places, sizes, strict=True)]
        for corner in itertools.product(*taps):
            share = prod((s for _, s in corner), start=1.0)
            part = _read(table, image, [i for i, _ in corner], sizes, share, input.dtype)
            out = part if out is None else out + part
    return contiguous(permute(out, (0, d + 1, *range(1, d + 1))))


def _read(table: Array, image: Any, at: list[Any], sizes: Any, share: Any, dtype: Any) -> Array:
    """Return the pixels ``at`` times ``share``; pixels outside are zero."""
    inside = new.ones(at[0].shape, bool)
    for x, size in zip(at, sizes, strict=True):
        inside &= (x >= 0) & (x <= size - 1)
    number = new.zeros(at[0].shape, np.intp)
    for x, size in zip(at, sizes, strict=True):
        number = number * size + np.where(inside, x, 0).astype(np.intp)
    share = where(inside, share, 0.0) if not isinstance(share, float) else inside.astype(dtype)
    return rows(table, number + image) * share.reshape((*share.shape, 1))


@functional
@named
def affine_grid(theta: Array, size: Sequence[int], align_corners: bool | None = None) -> Array:
    """Return the sampling grid (N, H, W, 2) of affine maps ``theta`` (N, 2, 3) for images of ``size``.

    ``size`` is (N, C, H, W); of volumes (N, C, D, H, W), with ``theta`` (N, 3, 4) and a grid (N, D, H, W, 3). It is
    for `grid_sample`, with the same ``align_corners``. Raises ShapeError, DTypeError.

    >>> import tinygrad_lite as tl
    >>> affine_grid(tl.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2), align_corners=True)
    tensor([[[[-0.5000,  0.0000],
              [ 1.5000,  0.0000]]]])
    """
    sizes = tuple(int(n) for n in size)
    d = len(sizes) - 2
    if d not in (2, 3) or tuple(theta.shape) != (sizes[0], d, d + 1):
        raise ShapeError(
            "affine_grid: expected theta (N, 2, 3) with a size (N, C, H, W), or (N, 3, 4) with (N, C, D, H, W), got "
            f"theta {describe(theta)} and size {sizes}"
        )
    if theta.dtype.kind != "f":
        raise DTypeError(f"affine_grid: theta must be floats, got {describe(theta)}")
    if min(sizes) < 1:
        raise ShapeError(f"affine_grid: expected sizes of at least 1, got {sizes}")
    lines = []
    for n in sizes[2:]:
        line = new.linspace(-1, 1, n) if n > 1 else new.zeros(1)
        lines.append(line if align_corners else line * (n - 1) / n)
    places = np.stack([*np.meshgrid(*lines, indexing="ij")[::-1], new.ones(sizes[2:])], -1).astype(theta.dtype)
    return (places.reshape(-1, d + 1) @ theta.swapaxes(1, 2)).reshape((sizes[0], *sizes[2:], d))
