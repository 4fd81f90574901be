"""Pooling layers in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.windows.convolution import as_ints

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip

Size = int | Sequence[int]


class _Pool(Module):
    function: Any
    shown: tuple[str, ...] = ()

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPool(_Pool):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride if stride is not None else kernel_size
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        """Return the largest value in each window."""
        return self.function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class _AvgPool(_Pool):
    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride if stride is not None else kernel_size
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        """Return the mean of each window."""
        return self.function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class _LPPool(_Pool):
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def forward(self, input: Any) -> Any:
        """Return the norm of each window."""
        return self.function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _Adaptive(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size: Size | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """Return the pooled input."""
        return self.function(input, self.output_size)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Size | None, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """Return the pooled input."""
        return self.function(input, self.output_size, self.return_indices)


class _MaxUnpool(_Pool):
    shown = ("kernel_size", "stride", "padding")

    n = 2

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = as_ints(name, "kernel_size", kernel_size, self.n)
        self.stride = self.kernel_size if stride is None else as_ints(name, "stride", stride, self.n)
        self.padding = as_ints(name, "padding", padding, self.n)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """Return ``input`` at ``indices``, zero elsewhere."""
        return self.function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxPool1d(_MaxPool):
    """Return the largest value in each window of sequences (N, C, L).

    >>> import tinygrad_lite as tl
    >>> tl.nn.MaxPool1d(2)(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]))
    tensor([[[3., 5.]]])
    """

    function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """Return the largest value in each window of images (N, C, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.MaxPool2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 2, 2)
    """

    function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """Return the largest value in each window of volumes (N, C, D, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.MaxPool3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 2, 3, 4)
    """

    function = staticmethod(F.max_pool3d)


class AvgPool1d(_AvgPool):
    """Return the mean of each window of sequences (N, C, L).

    >>> import tinygrad_lite as tl
    >>> tl.nn.AvgPool1d(2)(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]))
    tensor([[[2.0000, 3.5000]]])
    """

    function = staticmethod(F.avg_pool1d)

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        name = type(self).__name__
        self.kernel_size = as_ints(name, "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else as_ints(name, "stride", stride, 1)
        self.padding = as_ints(name, "padding", padding, 1)

    def forward(self, input: Any) -> Any:
        """Return the mean of each window."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPool):
    """Return the mean of each window of images (N, C, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.AvgPool2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 2, 2)
    """

    function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """Return the mean of each window of volumes (N, C, D, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.AvgPool3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 2, 3, 4)
    """

    function = staticmethod(F.avg_pool3d)


class LPPool1d(_LPPool):
    """Return the p-norm of each window of sequences (N, C, L).

    >>> import tinygrad_lite as tl
    >>> tl.nn.LPPool1d(2, 2)(tl.tensor([[[3.0, 4.0, 2.0, 5.0]]]))
    tensor([[[5.0000, 5.3852]]])
    """

    function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """Return the p-norm of each window of images (N, C, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.LPPool2d(2, 2)(tl.ones(1, 2, 4, 6)).shape
    (1, 2, 2, 3)
    """

    function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """Return the p-norm of each window of volumes (N, C, D, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.LPPool3d(2, 2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 2, 3, 4)
    """

    function = staticmethod(F.lp_pool3d)


class AdaptiveAvgPool1d(_Adaptive):
    """Return means over windows of sequences (N, C, L) that give the wanted size.

    >>> import tinygrad_lite as tl
    >>> tl.nn.AdaptiveAvgPool1d(2)(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]))
    tensor([[[2.0000, 3.5000]]])
    """

    function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """Return means over windows of images (N, C, H, W) that give the wanted size.

    >>> import tinygrad_lite as tl
    >>> tl.nn.AdaptiveAvgPool2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 2, 2)
    """

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_Adaptive):
    """Return means over windows of volumes (N, C, D, H, W) that give the wanted size.

    >>> import tinygrad_lite as tl
    >>> tl.nn.AdaptiveAvgPool3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 2, 2, 2)
    """

    function = staticmethod(F.adaptive_avg_pool3d)


class FractionalMaxPool2d(_Pool):
    """Return the largest value in windows of images (N, C, H, W) at random distances; see Graham, arXiv:1412.6071.

    >>> import tinygrad_lite as tl
    >>> tl.nn.FractionalMaxPool2d(2, output_size=2)(tl.ones(1, 2, 5, 5)).shape
    (1, 2, 2, 2)
    """

    n = 2
    function = staticmethod(F.fractional_max_pool2d)
    _random_samples: Any

    def __init__(
        self, kernel_size: Size, output_size: Size | None = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if (output_size is None) == (output_ratio is None):
            raise ValueError(f"{type(self).__name__} requires specifying either an output size or an output ratio")
        self.kernel_size = as_ints(type(self).__name__, "kernel_size", kernel_size, self.n)
        self.output_size = output_size
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * self.n
        if output_ratio is not None and not all(0 < r < 1 for r in ratios):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")
        self.output_ratio, self.return_indices = output_ratio and tuple(ratios), return_indices
        self.register_buffer("_random_samples", _random_samples)

    def forward(self, input: Any) -> Any:
        """Return the largest value in each window."""
        return self.function(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool3d(FractionalMaxPool2d):
    """Return the largest value in windows of volumes (N, C, D, H, W) at random distances.

    >>> import tinygrad_lite as tl
    >>> tl.nn.FractionalMaxPool3d(2, output_size=2)(tl.ones(1, 2, 5, 5, 5)).shape
    (1, 2, 2, 2, 2)
    """

    n = 3
    function = staticmethod(F.fractional_max_pool3d)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """Return maxima over windows of sequences (N, C, L) that give the wanted size.

    >>> import tinygrad_lite as tl
    >>> tl.nn.AdaptiveMaxPool1d(2)(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]))
    tensor([[[3., 5.]]])
    """

    function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """Return maxima over windows of images (N, C, H, W) that give the wanted size.

    >>> import tinygrad_lite as tl
    >>> tl.nn.AdaptiveMaxPool2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 2, 2)
    """

    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """Return maxima of volumes (N, C, D, H, W) over windows that give a wanted size.

    >>> import tinygrad_lite as tl
    >>> tl.nn.AdaptiveMaxPool3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 2, 2, 2)
    """

    function = staticmethod(F.adaptive_max_pool3d)


class MaxUnpool1d(_MaxUnpool):
    """Put the maxima back where they came from in sequences (N, C, L).

    >>> import tinygrad_lite as tl
    >>> tl.nn.MaxUnpool1d(2)(tl.tensor([[[3.0, 5.0]]]), tl.tensor([[[0, 3]]]))
    tensor([[[3., 0., 0., 5.]]])
    """

    n = 1
    function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Put the maxima back where they came from in images (N, C, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.MaxUnpool2d(2)(tl.ones(1, 1, 1, 2), tl.tensor([[[[0, 3]]]]))
    tensor([[[[1., 0., 0., 1.],
              [0., 0., 0., 0.]]]])
    """

    n = 2
    function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Put the maxima back where they came from in volumes (N, C, D, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.MaxUnpool3d(2)(tl.ones(1, 1, 1, 1, 2), tl.tensor([[[[[0, 3]]]]])).shape
    (1, 1, 2, 2, 4)
    """

    n = 3
    function = staticmethod(F.max_unpool3d)
