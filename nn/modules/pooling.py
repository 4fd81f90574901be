"""Pooling, by PyTorch's import path."""

from tinygrad_lite.nn.pooling import *  # noqa: F403
