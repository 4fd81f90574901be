"""Dropout layers: random zeros while training, nothing in evaluation."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn import noise
from tinygrad_lite.nn.module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class Dropout(Module):
    """Set each element to zero with probability ``p`` while training, and divide the others by ``1 - p``."""

    function: Any = staticmethod(noise.dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        noise.check_probability(type(self).__name__, p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Any) -> Any:
        """Return ``input``, in training with random zeros."""
        return self.function(input, self.p, self.training) if self.training else input

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Set whole channels of sequences (N, C, L) to zero with probability ``p`` while training."""

    function = staticmethod(noise.dropout1d)


class Dropout2d(Dropout):
    """Set whole channels of images (N, C, H, W) to zero with probability ``p`` while training."""

    function = staticmethod(noise.dropout2d)


class Dropout3d(Dropout):
    """Set whole channels of volumes (N, C, D, H, W) to zero with probability ``p`` while training."""

    function = staticmethod(noise.dropout3d)


class AlphaDropout(Dropout):
    """Set elements to the lowest value of SELU while training, keeping mean 0 and variance 1."""

    function = staticmethod(noise.alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """Set whole channels to the lowest value of SELU while training, keeping mean 0 and variance 1."""

    function = staticmethod(noise.feature_alpha_dropout)
