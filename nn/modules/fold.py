"""Fold and Unfold, by PyTorch's import path."""

from tinygrad_lite.nn.conv import Fold as Fold, Unfold as Unfold
