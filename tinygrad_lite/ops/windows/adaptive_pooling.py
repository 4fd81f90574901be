"""Adaptive pooling: windows are chosen so that the result has a given size.

Window ``i`` of ``m`` over an axis of length ``n`` goes from ``floor(i n / m)`` to ``ceil((i + 1) n / m)``.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.layout import contiguous_format
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import clone, contiguous
from tinygrad_lite.ops.indexing.getitem import plain, take_along
from tinygrad_lite.ops.linalg.matmul import matmul
from tinygrad_lite.ops.reductions.reduction import mean
from tinygrad_lite.ops.shape.reshaping import transpose
from tinygrad_lite.ops.windows.convolution import batched


def ends(n: int, m: int) -> tuple[Any, Any]:
    """Return the start and the end (exclusive) of each window."""
    i = new.arange(m)
    return i * n // m, -(-(i + 1) * n // m)


def target_size(name: str, output_size: Any, size: tuple[int, ...]) -> tuple[int, ...]:
    """Return ``output_size`` with one number per axis; None keeps the size."""
    n = len(size)
    wanted = list(output_size) if isinstance(output_size, (tuple, list)) else [output_size] * n
    if len(wanted) != n:
        raise ShapeError(f"{name}: output_size must be one number or {n} of them, got {output_size}")
    out = tuple(s if w is None else int(w) for w, s in zip(wanted, size, strict=True))
    if any(w < 0 for w in out):
        raise ShapeError(f"{name}: output_size must not be negative, got {output_size}")
    if 0 in size:
        raise ShapeError(f"{name}: expected sizes of at least 1, x has {size}")
    return out


def adaptive_average(x: Any, out: tuple[int, ...]) -> Any:
    """Return the means over the windows: each axis is multiplied by a matrix of averages."""
    if set(out) == {1}:
        return mean(x, tuple(range(2, x.ndim)), True)
    for axis, m in enumerate(out, 2):
        n = x.shape[axis]
        if n == m:
            continue
        first, last = ends(n, m)
        at = new.arange(n)
        inside = (at >= first[:, None]) & (at < last[:, None])
        matrix = new.beside((inside / (last - first)[:, None]).astype(x.dtype), x)
        x = matmul(x, matrix.T) if axis == x.ndim - 1 else transpose(matmul(transpose(x, axis, -1), matrix.T), axis, -1)
    return x


def _average(name: str, n: int, input: Any, output_size: Any) -> Any:
    x, alone = batched(name, n, input)
    if input.dtype.kind != "f":
        raise DTypeError(f"{name}: expected floating numbers, x is {describe(input)}; use .float()")
    y = adaptive_average(x, target_size(name, output_size, tuple(x.shape[2:])))
    y = clone(y, contiguous_format) if y is x else contiguous(y)
    if all(m == 1 for m in y.shape[2:]):
        computed("mean_of_plane", (x,), y)
    return y.reshape(tuple(y.shape[1:])) if alone else y


def _largest(name: str, n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    x, alone = batched(name, n, input)
    if not x.shape[1] and not alone:
        raise ShapeError(f"{name}: only the batch may be empty, x is {describe(x)}")
    size = tuple(x.shape[2:])
    out = target_size(name, output_size, size)
    raw = new.asarray(plain(x))
    index: Any = new.arange(int(np.prod(size))).reshape(size)
    for axis, (s, m) in enumerate(zip(size, out, strict=True)):
        first, last = ends(s, m)
        width = int((last - first).max(initial=1))
        # a window that is shorter than the longest repeats its last element, which changes no maximum
        at = np.minimum(first[:, None] + new.arange(width), last[:, None] - 1)
        index = np.take(index, at, axis=2 * axis)  # (m1, k1, m2, k2, ...) as it grows
    index = np.transpose(index, (*range(0, 2 * n, 2), *range(1, 2 * n, 2))).reshape(*out, -1)
    flat = raw.reshape(*raw.shape[:2], prod(raw.shape[2:]))  # not -1: the batch may be empty
    best = flat[:, :, index].argmax(axis=-1)
    where = np.take_along_axis(np.broadcast_to(index, (*best.shape, index.shape[-1])), best[..., None], -1)[..., 0]
    computed("largest_at", (x, index), where)
    values = take_along(
        x.reshape(tuple(flat.shape)), where.reshape(*where.shape[:2], prod(where.shape[2:])), 2
    ).reshape(tuple(where.shape))
    if alone:
        values, where = values.reshape(tuple(values.shape[1:])), where[0]
    if not return_indices:
        return values
    from tinygrad_lite.engine.tensor import make

    return values, make(where) if raw is not x else where


@function(method=False, functional=True)
def adaptive_avg_pool1d(input: Array, output_size: Any) -> Array:
    """Return means over windows of sequences (N, C, L) that give ``output_size`` (None: unchanged).

    >>> import tinygrad_lite as tl
    >>> tl.adaptive_avg_pool1d(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]), 2)
    tensor([[[2.0000, 3.5000]]])
    """
    return _average("adaptive_avg_pool1d", 1, input, output_size)


@function(method=False, functional=True)
def adaptive_avg_pool2d(input: Array, output_size: Any) -> Array:
    """Return means over windows of images (N, C, H, W) that give ``output_size`` (None: unchanged).

    >>> import tinygrad_lite as tl
    >>> tl.adaptive_avg_pool2d(tl.ones(1, 2, 4, 6), 2).shape
    (1, 2, 2, 2)
    """
    return _average("adaptive_avg_pool2d", 2, input, output_size)


@function(method=False, functional=True)
def adaptive_avg_pool3d(input: Array, output_size: Any) -> Array:
    """Return means over windows of volumes (N, C, D, H, W) that give ``output_size`` (None: unchanged).

    >>> import tinygrad_lite as tl
    >>> tl.adaptive_avg_pool3d(tl.ones(1, 2, 4, 6, 8), 2).shape
    (1, 2, 2, 2, 2)
    """
    return _average("adaptive_avg_pool3d", 3, input, output_size)


@function(method=False, functional=True)
def adaptive_max_pool1d(input: Array, output_size: Any, return_indices: bool = False) -> Array:
    """Return maxima over windows of sequences (N, C, L) that give ``output_size`` (None: unchanged).

    >>> import tinygrad_lite as tl
    >>> tl.adaptive_max_pool1d(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]), 2)
    tensor([[[3., 5.]]])
    """
    return _largest("adaptive_max_pool1d", 1, input, output_size, return_indices)


@function(method=False, functional=True)
def adaptive_max_pool2d(input: Array, output_size: Any, return_indices: bool = False) -> Array:
    """Return maxima over windows of images (N, C, H, W) that give ``output_size`` (None: unchanged).

    >>> import tinygrad_lite as tl
    >>> tl.adaptive_max_pool2d(tl.ones(1, 2, 4, 6), 2).shape
    (1, 2, 2, 2)
    """
    return _largest("adaptive_max_pool2d", 2, input, output_size, return_indices)


@function(method=False, functional=True)
def adaptive_max_pool3d(input: Array, output_size: Any, return_indices: bool = False) -> Array:
    """Return maxima over windows of volumes (N, C, D, H, W) that give ``output_size`` (None: unchanged).

    >>> import tinygrad_lite as tl
    >>> tl.adaptive_max_pool3d(tl.ones(1, 2, 4, 6, 8), 2).shape
    (1, 2, 2, 2, 2)
    """
    return _largest("adaptive_max_pool3d", 3, input, output_size, return_indices)
