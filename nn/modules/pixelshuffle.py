"""Pixel shuffle, by PyTorch's import path."""

from tinygrad_lite.nn.pixelshuffle import PixelShuffle as PixelShuffle, PixelUnshuffle as PixelUnshuffle
