"""Dropout: random zeros while training, nothing at all otherwise.

Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, 2014.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.nn.module import Module
from tinygrad_lite.random import default_generator
from tinygrad_lite.tensor import Array

__all__ = ["Dropout", "dropout"]


def check_probability(name: str, p: float) -> None:
    """Raise unless ``p`` is between 0 and 1."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: dropout probability has to be between 0 and 1, but got {p}")


def kept_share(shape: tuple[int, ...], p: float, dtype: Any) -> Any:
    """Return random zeros with probability ``p``, else ``1 / (1 - p)``."""
    rng = default_generator()
    if p >= 1:
        return np.zeros(shape, dtype)
    return (rng.random(shape, np.float32) >= p).astype(dtype) * np.asarray(1 / (1 - p), dtype)


def dropout(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Return ``input`` with each element zero with probability ``p``, the others divided by ``1 - p``.

    Without ``training`` the input itself. ``inplace`` is accepted and does not save memory here. Raises ValueError.
    """
    check_probability("dropout", p)
    if not training or p == 0:
        return input
    return input * kept_share(tuple(input.shape), p, input.dtype)


class _Dropout(Module):
    function: Any = staticmethod(dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Any) -> Any:
        """Return ``input``, in training with random zeros."""
        return self.function(input, self.p, self.training) if self.training else input

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Set each element to zero with probability ``p`` while training, and divide the others by ``1 - p``."""
