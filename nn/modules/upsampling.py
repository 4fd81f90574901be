"""Upsampling, by PyTorch's import path."""

from tinygrad_lite.nn.upsampling import *  # noqa: F403
