"""Flatten and Unflatten, by PyTorch's import path."""

from tinygrad_lite.nn.flatten import Flatten as Flatten, Unflatten as Unflatten
