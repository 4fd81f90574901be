"""Channel shuffle, by PyTorch's import path."""

from tinygrad_lite.nn.pixelshuffle import ChannelShuffle as ChannelShuffle
