"""PyTorch's import path for `tinygrad_lite.data`."""

from tinygrad_lite.data import *  # noqa: F403
