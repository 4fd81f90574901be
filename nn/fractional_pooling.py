"""Fractional max pooling: windows at random distances, so that the size shrinks by any ratio.

Source: Graham, "Fractional max-pooling", arXiv:1412.6071.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import OptionError, ShapeError
from tinygrad_lite.ops.indexing.getitem import plain, take_along
from tinygrad_lite.ops.windows.convolution import as_ints, batched
from tinygrad_lite.random import rand


def _starts(samples: Any, size: int, out: int, kernel: int) -> Any:
    """Return where the windows of an axis start, (N, C, out), for one random number per plane."""
    alpha = samples.dtype.type(size - kernel) / samples.dtype.type(max(out - 1, 1))
    steps = ((new.arange(out).astype(samples.dtype) + samples[..., None]) * alpha).astype(np.int64)
    at = steps - (samples * alpha).astype(np.int64)[..., None]
    at[..., -1] = size - kernel
    return at


def _fractional(
    name: str, n: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool,
    samples: Any,
) -> Any:  # fmt: skip
    x, alone = batched(name, n, input)
    size, kernel = tuple(x.shape[2:]), as_ints(name, "kernel_size", kernel_size, n)
    if (output_size is None) == (output_ratio is None):
        raise OptionError(f"{name}: expected either output_size or output_ratio")
    if output_size is None:
        ratio = output_ratio if isinstance(output_ratio, (tuple, list)) else [output_ratio] * n
        output_size = [int(s * r) for s, r in zip(size, ratio, strict=True)]
    out = as_ints(name, "output_size", output_size, n)
    if any(o < 1 or o + k - 1 > s for o, k, s in zip(out, kernel, size, strict=True)):
        raise ShapeError(f"{name}: windows {kernel} and output_size {out} do not fit into the size {size}")
    planes = tuple(x.shape[:2])
    drawn = plain(rand(*planes, n, dtype=x.dtype) if samples is None else samples)
    if tuple(drawn.shape) != (*planes, n):
        raise ShapeError(f"{name}: _random_samples must have the shape {(*planes, n)}, got {tuple(drawn.shape)}")
    drawn = drawn[..., ::-1] if n == 2 else drawn  # PyTorch's order is (width, height), but (depth, height, width)
    index: Any = new.zeros((*planes, *[1] * (2 * n)), np.int64)
    for i in range(n):
        at = _starts(drawn[..., i], size[i], out[i], kernel[i])[..., None] + new.arange(kernel[i])
        axes = [1] * (2 * n)
        axes[i], axes[n + i] = out[i], kernel[i]
        index = index * size[i] + at.reshape(*planes, *axes)
    index = index.reshape(*planes, prod(out), prod(kernel))
    flat = x.reshape((*planes, prod(size)))
    values = np.take_along_axis(plain(flat)[:, :, None], index, 3)
    best = np.take_along_axis(index, values.argmax(-1)[..., None], 3)[..., 0]
    shape = (*planes[alone:], *out)
    y = take_along(flat, best, 2).reshape(shape)
    return (y, make(best.reshape(shape))) if return_indices else y


@named
def fractional_max_pool2d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Return the largest value in windows of images (N, C, H, W) that lie at random distances.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.fractional_max_pool2d(tl.ones(1, 2, 5, 5), 2, output_size=2).shape
    (1, 2, 2, 2)
    """
    return _fractional(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


@named
def fractional_max_pool3d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Return the largest value in windows of volumes (N, C, D, H, W) that lie at random distances.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.fractional_max_pool3d(tl.ones(1, 2, 5, 5, 5), 2, output_size=2).shape
    (1, 2, 2, 2, 2)
    """
    return _fractional(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


@named
def fractional_max_pool2d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Return `fractional_max_pool2d` and the indices of its values.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.fractional_max_pool2d_with_indices(tl.ones(1, 2, 5, 5), 2, output_size=2)[1].shape
    (1, 2, 2, 2)
    """
    return fractional_max_pool2d(input, kernel_size, output_size, output_ratio, True, _random_samples)


@named
def fractional_max_pool3d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """Return `fractional_max_pool3d` and the indices of its values.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.fractional_max_pool3d_with_indices(tl.ones(1, 2, 5, 5, 5), 2, output_size=2)[1].shape
    (1, 2, 2, 2, 2)
    """
    return fractional_max_pool3d(input, kernel_size, output_size, output_ratio, True, _random_samples)
