"""Layers that move values between channels and pixels, or reorder channels."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Spread channels over the image: (N, C r², H, W) becomes (N, C, H r, W r).

    >>> import tinygrad_lite as tl
    >>> tl.nn.PixelShuffle(2)(tl.ones(1, 4, 2, 2)).shape
    (1, 1, 4, 4)
    """

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
    """Turn r x r blocks of pixels into channels.

    (N, C, H r, W r) becomes (N, C r², H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.PixelUnshuffle(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 8, 2, 2)
    """

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
    """Deal the channels out over ``groups``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ChannelShuffle(2)(tl.ones(1, 4, 2, 2)).shape
    (1, 4, 2, 2)
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Any) -> Any:
        """Return the rearranged input."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"groups={self.groups}"
