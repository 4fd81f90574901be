"""PyTorch's import path for `tinygrad_lite.data.dataset`."""

from tinygrad_lite.data.dataset import *  # noqa: F403
