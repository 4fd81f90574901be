"""Convolution layers, their transposes, and sliding windows as columns."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.linear import redraw, uniform_parameter
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter, is_lazy
from tinygrad_lite.ops.windows.convolution import as_ints, convolution, pads_of, transposed
from tinygrad_lite.ops.windows.correlation import check_window

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Fold", "Unfold",
]  # fmt: skip

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class _Base(Module):
    """Base of convolutions and their transposes."""

    n = 2
    function = "conv2d"
    transposed = False
    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
        groups: int,
        padding_mode: str,
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
        for what in ("kernel_size", "stride", "dilation"):
            if min(getattr(self, what)) < 1:
                raise ValueError(f"{name}: {what} must be at least 1, got {getattr(self, what)}")
        nested = isinstance(padding, (tuple, list)) and any(isinstance(p, (tuple, list)) for p in padding)
        self.padding: Any = padding if isinstance(padding, str) or nested else as_ints(name, "padding", padding, n)
        if padding == "same" and max(self.stride) > 1:
            raise ValueError("padding='same' is not supported for strided convolutions")
        pads_of(name, self.padding, self.kernel_size, self.kernel_size, self.stride, self.dilation)  # a check
        self.padding_mode = padding_mode

    def _start(self, channels: tuple[int, int], bias: bool | str, input_size: Any, dtype: Any) -> None:
        """Make weight and bias."""
        shape: tuple[int, ...] = (self.out_channels,)
        if bias == "untied":
            if input_size is None:
                raise ValueError(
                    f"{type(self).__name__}: bias='untied' is one number per channel and position, so it needs the "
                    f"size of the images: input_size={'(H, W)' if self.n == 2 else '...'}"
                )
            shape += self._positions(as_ints(type(self).__name__, "input_size", input_size, self.n))
        elif isinstance(bias, str):
            raise ValueError(f"{type(self).__name__}: bias must be True, False or 'untied', got '{bias}'")
        bound = self._bound(channels[1])
        self.weight = uniform_parameter((*channels, *self.kernel_size), bound, dtype)
        self.register_parameter("bias", uniform_parameter(shape, bound, dtype) if bias else None)
        self._begun()

    def _bound(self, channels: int) -> float:
        fan_in = channels * math.prod(self.kernel_size)
        return 1 / math.sqrt(fan_in) if fan_in else 0.0

    def _positions(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return the size of the result for images of ``size``."""
        pads = pads_of(self.function, self.padding, size, self.kernel_size, self.stride, self.dilation)
        return check_window(self.function, size, self.kernel_size, self.stride, pads, self.dilation)

    @property
    def _reversed_padding_repeated_twice(self) -> Any:
        """The padding as `nn.functional.pad` takes it."""
        pads = pads_of(self.function, self.padding, self.kernel_size, self.kernel_size, self.stride, self.dilation)
        return (list if isinstance(self.padding, str) else tuple)(m for pair in reversed(pads) for m in pair)

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        redraw(self._bound(self.weight.shape[1]), self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the constructor's arguments that differ from the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * self.n:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.n:
            text += f", dilation={self.dilation}"
        extra = getattr(self, "output_padding", None)
        if extra is not None and extra != (0,) * self.n:
            text += f", output_padding={extra}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        elif not is_lazy(self.bias) and self.bias.ndim > 1:
            text += ", bias=untied"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text + (", flip=True" if getattr(self, "flip", False) else "")


class _Conv(_Base):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1, bias: bool | str = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None, *,
        flip: bool = False, input_size: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self.flip, self.output_padding = flip, (0,) * self.n
        self._start((out_channels, in_channels // groups), bias, input_size, dtype)

    def forward(self, input: Any) -> Any:
        """Slide the kernels over ``input`` (N, C, *size) or (C, *size)."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Any, weight: Any, bias: Any) -> Any:
        """Slide other kernels; layers derived from this one call or replace it, as PyTorch's do."""
        padding = self.padding
        if self.padding_mode != "zeros":
            size = tuple(input.shape[-self.n :])
            pads = pads_of(self.function, padding, size, self.kernel_size, self.stride, self.dilation)
            input, padding = F.pad(input, [m for pair in reversed(pads) for m in pair], MODES[self.padding_mode]), 0
        return convolution(
            self.function, self.n, input, weight, bias, self.stride, padding, self.dilation, self.groups, self.flip
        )


class Conv1d(_Conv):
    """Slide kernels along sequences (N, C, L); see `Conv2d`.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Conv1d(2, 3, 2)(tl.ones(4, 2, 8)).shape
    (4, 3, 7)
    """

    n = 1
    function = "conv1d"


class Conv2d(_Conv):
    r"""Slide ``out_channels`` kernels over images (N, C, H, W) or (C, H, W).

    `nn.functional.conv2d` does the work.

    ``padding``: a number, one per axis, a pair (before, after) per axis, 'valid', 'same' or 'full'. ``padding_mode``:
    'zeros', 'reflect', 'replicate' or 'circular'. ``bias``: True (one number per channel), False, or 'untied' (one per
    channel and position; ``input_size=(H, W)`` gives the size of the images). ``flip``: convolution instead of
    cross-correlation. Weight and bias are initialised uniformly between
    :math:`\pm 1/\sqrt{C/\text{groups}\cdot K\cdot K}`.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Conv2d(3, 6, 5, padding=2)(tl.ones(2, 3, 8, 8)).shape
    (2, 6, 8, 8)
    """

    n = 2
    function = "conv2d"


class Conv3d(_Conv):
    """Slide kernels through volumes (N, C, D, H, W); see `Conv2d`.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Conv3d(2, 3, 2)(tl.ones(4, 2, 6, 6, 6)).shape
    (4, 3, 5, 5, 5)
    """

    n = 3
    function = "conv3d"


class _ConvTranspose(_Base):
    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool | str = True, dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None, *, input_size: Any = None,
    ) -> None:  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self.output_padding = as_ints(type(self).__name__, "output_padding", output_padding, self.n)
        self._start((in_channels, out_channels // groups), bias, input_size, dtype)

    def _positions(self, size: tuple[int, ...]) -> tuple[int, ...]:
        pads = pads_of(self.function, self.padding, size, self.kernel_size, self.stride, self.dilation)
        each = zip(size, self.stride, pads, self.dilation, self.kernel_size, self.output_padding, strict=True)
        return tuple((m - 1) * s - a - b + d * (k - 1) + e + 1 for m, s, (a, b), d, k, e in each)

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """Return the transposed convolution of ``input``.

        ``output_size`` chooses among the sizes that the stride allows.
        """
        extra = self._output_padding(input, output_size)
        return transposed(
            self.function, self.n, input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
            self.dilation,
        )  # fmt: skip

    def _output_padding(self, input: Any, output_size: Any, *_: Any, **__: Any) -> tuple[int, ...]:
        """Return the output padding that leads to ``output_size``."""
        extra = self.output_padding
        if output_size is not None:
            wanted = tuple(int(m) for m in output_size)[-self.n :]
            zero = tuple(p - e for p, e in zip(self._positions(tuple(input.shape[-self.n :])), extra, strict=True))
            extra = tuple(w - z for w, z in zip(wanted, zero, strict=True))
            if any(e < 0 or e >= max(s, d) for e, s, d in zip(extra, self.stride, self.dilation, strict=True)):
                most = tuple(z + s - 1 for z, s in zip(zero, self.stride, strict=True))
                raise ValueError(
                    f"requested an output size of {wanted}, but valid sizes range from {zero} to {most} "
                    f"(for an input of {tuple(input.shape[-self.n :])})"
                )
        return extra


class ConvTranspose1d(_ConvTranspose):
    """Compute the transpose of `Conv1d`: short sequences (N, C, L) to longer ones.

    The weight is (in, out / groups, *kernel).

    >>> import tinygrad_lite as tl
    >>> tl.nn.ConvTranspose1d(2, 3, 2)(tl.ones(4, 2, 8)).shape
    (4, 3, 9)
    """

    n = 1
    function = "conv_transpose1d"


class ConvTranspose2d(_ConvTranspose):
    """Compute the transpose of `Conv2d`: small images (N, C, H, W) to larger ones.

    The weight is (in, out / groups, *kernel).

    >>> import tinygrad_lite as tl
    >>> tl.nn.ConvTranspose2d(2, 3, 2, stride=2)(tl.ones(4, 2, 8, 8)).shape
    (4, 3, 16, 16)
    """

    n = 2
    function = "conv_transpose2d"


class ConvTranspose3d(_ConvTranspose):
    """Compute the transpose of `Conv3d`: small volumes to larger ones.

    Volumes are (N, C, D, H, W), the weight is (in, out / groups, *kernel).

    >>> import tinygrad_lite as tl
    >>> tl.nn.ConvTranspose3d(2, 3, 2)(tl.ones(4, 2, 6, 6, 6)).shape
    (4, 3, 7, 7, 7)
    """

    n = 3
    function = "conv_transpose3d"


class Unfold(Module):
    """Return the windows of images (N, C, H, W) as columns (N, C K K, positions).

    >>> import tinygrad_lite as tl
    >>> tl.nn.Unfold(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 8, 9)
    """

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Any) -> Any:
        """Return the columns."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Return columns (N, C K K, positions) added back to images (N, C, *output_size).

    >>> import tinygrad_lite as tl
    >>> tl.nn.Fold((4, 4), 2)(tl.ones(1, 8, 9)).shape
    (1, 2, 4, 4)
    """

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Any) -> Any:
        """Return the images."""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
