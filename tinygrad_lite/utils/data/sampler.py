"""PyTorch's import path for `tinygrad_lite.data.sampler`."""

from tinygrad_lite.data.sampler import *  # noqa: F403
