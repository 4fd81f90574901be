"""Rounding to a few levels in training: values of quantised numbers, gradients straight through."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError
from tinygrad_lite.ops.elementwise.arithmetic import clip, where
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.elementwise.comparison import round as rounded


@function(method=False)
def fake_quantize_per_tensor_affine(
    input: Array, scale: Any, zero_point: Any, quant_min: int, quant_max: int
) -> Array:  # fmt: skip
    r"""Return ``input`` rounded to the multiples of ``scale`` whose levels lie between ``quant_min`` and ``quant_max``.

    :math:`(q - z)\,s` with the level :math:`q = \text{clip}(\text{round}(x / s) + z)`. The gradient is that of the
    identity where the level was not clipped, else 0.

    >>> import tinygrad_lite as tl
    >>> tl.fake_quantize_per_tensor_affine(tl.tensor([0.26, 0.7, 9.0]), 0.5, 0, 0, 3)
    tensor([0.5000, 0.5000, 1.5000])
    """
    return _levels(input, bare(scale), bare(zero_point), quant_min, quant_max, np.float32)


@function(method=False)
def fake_quantize_per_channel_affine(
    input: Array, scale: Array, zero_point: Array, axis: int, quant_min: int, quant_max: int
) -> Array:  # fmt: skip
    """Return `fake_quantize_per_tensor_affine` with a scale and a zero point for each index of ``axis``.

    >>> import tinygrad_lite as tl
    >>> x, zero = tl.tensor([[0.3, 0.3], [0.3, 0.3]]), tl.zeros(2, dtype=tl.int32)
    >>> tl.fake_quantize_per_channel_affine(x, tl.tensor([0.25, 1.0]), zero, 0, -8, 7)
    tensor([[0.2500, 0.2500],
            [0.0000, 0.0000]])
    """
    shape = [1] * input.ndim
    shape[axis] = input.shape[axis]
    scale, zero_point = (new.asarray(bare(v)) for v in (scale, zero_point))
    if scale.shape != (shape[axis],) or zero_point.shape != scale.shape:
        raise ShapeError(
            f"fake_quantize_per_channel_affine: expected {shape[axis]} scales and zero points for axis {axis}, got "
            f"{scale.shape} and {zero_point.shape}"
        )
    return _levels(input, scale.reshape(shape), zero_point.reshape(shape), quant_min, quant_max, input.dtype)


def _levels(input: Any, scale: Any, zero: Any, low: int, high: int, dtype: Any) -> Any:
    if input.dtype.kind != "f":
        raise DTypeError(f"fake_quantize: expected a floating tensor, got {input.dtype}")
    if low > high or np.any(zero < low) or np.any(zero > high):
        raise OptionError(
            f"fake_quantize: expected quant_min <= zero_point <= quant_max, got {low}, {np.ravel(zero)}, {high}"
        )
    scale = new.asarray(scale, np.float32)  # as PyTorch's kernels have it, so that ties are the same ones
    fixed = input.detach() if isinstance(input, Tensor) else input
    level = rounded(fixed * (np.float32(1) / scale)) + zero
    value = ((clip(level, low, high) - zero).astype(dtype) * scale).astype(input.dtype)
    if not isinstance(input, Tensor) or not input.requires_grad:
        return value
    return value + where((level >= low) & (level <= high), input - fixed, 0.0)
