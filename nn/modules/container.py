"""Containers, by PyTorch's import path."""

from tinygrad_lite.nn.container import *  # noqa: F403
from tinygrad_lite.nn.parameter_container import *  # noqa: F403
