"""Convolution layers in one, two and three dimensions."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_lite.nn.linear import redraw, uniform_parameter
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter
from tinygrad_lite.ops.convolution import as_ints, convolution, pads_of
from tinygrad_lite.ops.window import check_window

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class _Conv(Module):
    n = 2
    function = "conv2d"

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool | str = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None, *,
        flip: bool = False, input_size: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        n, name = self.n, type(self).__name__
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        if padding_mode not in MODES:
            raise ValueError(f"padding_mode must be one of {list(MODES)}, but got padding_mode='{padding_mode}'")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = as_ints(name, "kernel_size", kernel_size, n)
        self.stride, self.dilation = as_ints(name, "stride", stride, n), as_ints(name, "dilation", dilation, n)
        if isinstance(padding, str) or (isinstance(padding, (tuple, list)) and any(isinstance(p, (tuple, list)) for p in padding)):  # fmt: skip
            self.padding: Any = padding
        else:
            self.padding = as_ints(name, "padding", padding, n)
        pads_of(name, self.padding, self.kernel_size, self.kernel_size, self.stride, self.dilation)
        self.padding_mode, self.flip = padding_mode, flip
        bound = self._bound()
        self.weight = uniform_parameter((out_channels, in_channels // groups, *self.kernel_size), bound, dtype)
        shape: tuple[int, ...] = (out_channels,)
        if bias == "untied":
            if input_size is None:
                raise ValueError(
                    f"{name}: bias='untied' is one number per channel and position, so it needs the size of the images: "
                    f"input_size={'(H, W)' if n == 2 else '...'}"
                )
            size = as_ints(name, "input_size", input_size, n)
            pads = pads_of(name, self.padding, size, self.kernel_size, self.stride, self.dilation)
            shape = (out_channels, *check_window(name, size, self.kernel_size, self.stride, pads, self.dilation))
        elif isinstance(bias, str):
            raise ValueError(f"{name}: bias must be True, False or 'untied', got '{bias}'")
        self.register_parameter("bias", uniform_parameter(shape, bound, dtype) if bias else None)

    bias: Parameter | None

    def _bound(self) -> float:
        fan_in = self.in_channels // self.groups * math.prod(self.kernel_size)
        return 1 / math.sqrt(fan_in) if fan_in else 0.0

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        redraw(self._bound(), self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Slide the kernels over ``input`` (N, C, *size) or (C, *size)."""
        padding = self.padding
        if self.padding_mode != "zeros":
            from tinygrad_lite.nn.functional import pad

            size = tuple(input.shape[-self.n :])
            pads = pads_of(self.function, padding, size, self.kernel_size, self.stride, self.dilation)
            flat = [m for pair in reversed(pads) for m in pair]
            input, padding = pad(input, flat, MODES[self.padding_mode]), 0
        return convolution(
            self.function, self.n, input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups, self.flip
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Return the constructor's arguments that are not the usual ones."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * self.n:
            text += f", padding={self.padding!r}" if not isinstance(self.padding, str) else f", padding={self.padding}"
        if self.dilation != (1,) * self.n:
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        elif self.bias.ndim > 1:
            text += ", bias=untied"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text + (", flip=True" if self.flip else "")


class Conv1d(_Conv):
    """Slide kernels along sequences (N, C, L); see `Conv2d`."""

    n = 1
    function = "conv1d"


class Conv2d(_Conv):
    r"""Slide ``out_channels`` kernels over images (N, C, H, W) or (C, H, W), as `nn.functional.conv2d` does.

    ``padding``: a number, one per axis, a pair (before, after) per axis, 'valid', 'same' or 'full'. ``padding_mode``:
    'zeros', 'reflect', 'replicate' or 'circular'. ``bias``: True (one number per channel), False, or 'untied' (one per
    channel and position; tell the size of the images by ``input_size=(H, W)``). ``flip``: convolution instead of
    cross-correlation. Weight and bias start uniform between :math:`\pm 1/\sqrt{C/\text{groups}\cdot K\cdot K}`.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Conv2d(3, 6, 5, padding=2)(tl.ones(2, 3, 8, 8)).shape
    (2, 6, 8, 8)
    """

    n = 2
    function = "conv2d"


class Conv3d(_Conv):
    """Slide kernels through volumes (N, C, D, H, W); see `Conv2d`."""

    n = 3
    function = "conv3d"
