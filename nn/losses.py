"""Losses as modules: ``loss = nn.MSELoss(); loss(output, target)``."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.loss import REDUCTIONS

__all__ = ["BCELoss", "CrossEntropyLoss", "MSELoss"]


class Loss(Module):
    """Base of the losses: ``reduction`` is 'mean', 'sum' or 'none'."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            raise TypeError(
                f"{type(self).__name__}: size_average and reduce are gone; use reduction='mean', 'sum' or 'none'"
            )
        if reduction not in REDUCTIONS:
            raise ValueError(f"{reduction} is not a valid value for reduction")
        self.reduction = reduction


class MSELoss(Loss):
    """Return the mean of ``(input - target) ** 2``."""

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.mse_loss(input, target, reduction=self.reduction)


class BCELoss(Loss):
    """Return the binary cross-entropy of probabilities; ``weight`` is per element."""

    def __init__(
        self, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)  # type: ignore[attr-defined]


class CrossEntropyLoss(Loss):
    """Return the cross-entropy of scores (N, C, *) and class numbers (N, *), or class probabilities (N, C, *)."""

    def __init__(
        self, weight: Any = None, size_average: Any = None, ignore_index: int = -100, reduce: Any = None,
        reduction: str = "mean", label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,  # type: ignore[attr-defined]
            label_smoothing=self.label_smoothing,
        )  # fmt: skip
