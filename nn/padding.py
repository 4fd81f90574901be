"""Padding layers, and layers that rearrange or resize images."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.windows.convolution import as_ints

__all__ = [
    "ChannelShuffle",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "PixelShuffle",
    "PixelUnshuffle",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    n = 2
    mode = "constant"
    value: float | None = None

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = as_ints(type(self).__name__, "padding", padding, 2 * self.n)

    def forward(self, input: Any) -> Any:
        """Return the padded input."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"padding={self.padding}, value={self.value}"


class ZeroPad1d(_Pad):
    """Put zeros around sequences (N, C, L)."""

    n = 1


class ZeroPad2d(_Pad):
    """Put zeros around images (N, C, H, W)."""

    n = 2


class ZeroPad3d(_Pad):
    """Put zeros around volumes (N, C, D, H, W)."""

    n = 3


class ConstantPad1d(_ConstantPad):
    """Put one value around sequences (N, C, L)."""

    n = 1


class ConstantPad2d(_ConstantPad):
    """Put one value around images (N, C, H, W)."""

    n = 2


class ConstantPad3d(_ConstantPad):
    """Put one value around volumes (N, C, D, H, W)."""

    n = 3


class ReflectionPad1d(_Pad):
    """Continue sequences (N, C, L) by their mirror image."""

    n = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """Continue images (N, C, H, W) by their mirror image."""

    n = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """Continue volumes (N, C, D, H, W) by their mirror image."""

    n = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """Continue sequences (N, C, L) by their last element."""

    n = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """Continue images (N, C, H, W) by their last element."""

    n = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """Continue volumes (N, C, D, H, W) by their last element."""

    n = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """Continue sequences (N, C, L) by their other end."""

    n = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """Continue images (N, C, H, W) by their other end."""

    n = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """Continue volumes (N, C, D, H, W) by their other end."""

    n = 3
    mode = "circular"


class Upsample(Module):
    """Resize images: to ``size`` or by ``scale_factor``; see `nn.functional.interpolate`."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.size, self.mode, self.align_corners = size, mode, align_corners
        several = isinstance(scale_factor, (tuple, list))
        self.scale_factor: Any = tuple(map(float, scale_factor)) if several else scale_factor and float(scale_factor)
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """Return the resized input."""
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        how = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{how}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Resize images by repeating pixels."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Resize images by bilinear interpolation, corners staying corners."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Module):
    """Spread channels over the image: (N, C r², H, W) becomes (N, C, H r, W r)."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Any:
        """Return the rearranged input."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Make each r x r block of pixels channels: (N, C, H r, W r) becomes (N, C r², H, W)."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Any:
        """Return the rearranged input."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Deal the channels out over ``groups``."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Any) -> Any:
        """Return the rearranged input."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"groups={self.groups}"
