"""Pooling in one, two and three dimensions: what users call, with everything checked."""

from __future__ import annotations

from typing import Any


from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.convolution import as_ints, batched
from tinygrad_lite.ops.window import Ints, Pads, check_window, max_pool
from tinygrad_lite.registry import function
from tinygrad_lite.tensor import Array


def pool_window(
    name: str, n: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Ints, Ints, Pads, Ints]:
    """Return kernel, stride, pads and dilation; with ``ceil_mode`` the last, partial window gets room behind."""
    kernel = as_ints(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None or stride == () else as_ints(name, "stride", stride, n)
    padding, dilation = as_ints(name, "padding", padding, n), as_ints(name, "dilation", dilation, n)
    if any(p < 0 or 2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ShapeError(f"{name}: padding {padding} should be between 0 and half of the kernel size {kernel}")
    size = tuple(x.shape[2:])
    pads: Pads = tuple((p, p) for p in padding)
    check_window(name, size, kernel, stride, pads, dilation)
    if ceil_mode:
        grown = []
        for m, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
            span = d * (k - 1) + 1
            count = -(-(m + 2 * p - span) // s) + 1
            if (count - 1) * s >= m + p:  # a window must start in the input or the padding before it
                count -= 1
            grown.append((p, max(p, (count - 1) * s + span - m - p)))
        pads = tuple(grown)
    return kernel, stride, pads, dilation


def _max(
    name: str, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    return_indices: bool,
) -> Any:  # fmt: skip
    x, alone = batched(name, n, input)
    values, indices = max_pool(x, *pool_window(name, n, x, kernel_size, stride, padding, dilation, ceil_mode))
    if alone:
        values, indices = values.reshape(tuple(values.shape[1:])), indices.reshape(tuple(indices.shape[1:]))
    return (values, indices) if return_indices else values


@function(method=False)
def max_pool1d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:  # fmt: skip
    """Return the largest value in each window of sequences (N, C, L); see `max_pool2d`."""
    return _max("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@function(method=False)
def max_pool2d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:  # fmt: skip
    """Return the largest value in each window of images (N, C, H, W); ``stride`` is the kernel size unless given.

    Windows that do not fit are left out, or with ``ceil_mode`` counted as far as they reach. The first of equal values
    gets all of the gradient. With ``return_indices`` also where the values are, as `max_unpool2d` wants it.

    >>> import tinygrad_lite as tl
    >>> tl.max_pool2d(tl.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return _max("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@function(method=False)
def max_pool3d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:  # fmt: skip
    """Return the largest value in each window of volumes (N, C, D, H, W); see `max_pool2d`."""
    return _max("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
