"""PyTorch's import path for `tinygrad_lite.data.loader`."""

from tinygrad_lite.data.loader import *  # noqa: F403
