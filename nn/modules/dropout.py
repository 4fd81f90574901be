"""Dropout, by PyTorch's import path."""

from tinygrad_lite.nn.dropout import *  # noqa: F403
