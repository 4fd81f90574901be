"""Losses, by PyTorch's import path."""

from tinygrad_lite.nn import losses
from tinygrad_lite.nn.losses import *  # noqa: F403

_Loss = losses.Loss
_WeightedLoss = losses._Weighted
