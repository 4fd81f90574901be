"""Softmax and its relatives as layers."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module

__all__ = ["LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _Softmax(Module):
    function: Any = staticmethod(F.softmax)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the constructor's argument."""
        return f"dim={self.dim}"

    def forward(self, input: Any) -> Any:
        """Return the function along ``dim``.

        Without ``dim``, which is deprecated: along axis 1, or axis 0 of inputs with 0, 1 or 3 axes.
        """
        return self.function(input, self.dim)


class Softmax(_Softmax):
    """Return ``exp(x) / sum(exp(x))`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Softmax(dim=0)(tl.tensor([1.0, 2.0, 3.0]))
    tensor([0.0900, 0.2447, 0.6652])
    """


class Softmin(_Softmax):
    """Return the softmax of ``-x`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Softmin(dim=0)(tl.tensor([1.0, 2.0, 3.0]))
    tensor([0.6652, 0.2447, 0.0900])
    """

    function = staticmethod(F.softmin)


class LogSoftmax(_Softmax):
    """Return the logarithm of the softmax along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LogSoftmax(dim=0)(tl.tensor([1.0, 2.0, 3.0]))
    tensor([-2.4076, -1.4076, -0.4076])
    """

    function = staticmethod(F.log_softmax)


class Softmax2d(Module):
    """Return the softmax over the channels of images (N, C, H, W) or (C, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.Softmax2d()(tl.ones(1, 2, 3, 3)).shape
    (1, 2, 3, 3)
    """

    def forward(self, input: Any) -> Any:
        """Return the softmax over axis -3."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D")
        return F.softmax(input, -3)
