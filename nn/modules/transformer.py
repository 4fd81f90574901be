"""Transformers, by PyTorch's import path."""

from tinygrad_lite.nn.transformer import *  # noqa: F403
