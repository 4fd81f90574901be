"""Activation functions as layers."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops import activation as a

__all__ = ["ReLU", "Sigmoid", "Tanh"]


class ReLU(Module):
    """Return ``max(x, 0)``."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Return ``relu(input)``."""
        return a.relu(input)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """Return the logistic function of each element."""

    def forward(self, input: Any) -> Any:
        """Return ``sigmoid(input)``."""
        return a.sigmoid(input)


class Tanh(Module):
    """Return the hyperbolic tangent of each element."""

    def forward(self, input: Any) -> Any:
        """Return ``tanh(input)``."""
        return a.tanh(input)
