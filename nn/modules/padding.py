"""Padding, by PyTorch's import path."""

from tinygrad_lite.nn.padding import *  # noqa: F403
