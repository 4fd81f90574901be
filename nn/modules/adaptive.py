"""The adaptive softmax, by PyTorch's import path."""

from tinygrad_lite.nn.adaptive import *  # noqa: F403
