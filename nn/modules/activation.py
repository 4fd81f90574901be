"""Activation functions and attention, by PyTorch's import path."""

from tinygrad_lite.nn.activation import *  # noqa: F403
from tinygrad_lite.nn.attention import *  # noqa: F403
from tinygrad_lite.nn.softmax import *  # noqa: F403
