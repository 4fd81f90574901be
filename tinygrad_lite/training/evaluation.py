"""Evaluation mode, and means over examples that arrive in batches."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.nn import Module


class Evaluating:
    """Context: evaluation mode without recording; every module's training mode is restored afterwards."""

    def __init__(self, model: Module) -> None:
        self.model, self.recording = model, no_grad()
        self.modes = [(module, module.training) for module in model.modules()]

    def __enter__(self) -> None:
        self.model.eval()
        self.recording.__enter__()

    def __exit__(self, *exc: object) -> None:
        self.recording.__exit__(*exc)
        for module, training in self.modes:
            module.training = training


class Means:
    """Running means of several numbers, weighted by the number of examples in each batch."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.count = 0

    def add(self, numbers: dict[str, float], examples: int) -> None:
        """Add the means of one batch."""
        for name, value in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * examples
        self.count += examples

    def values(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: total / self.count for name, total in self.sums.items()}


def size(target: Any) -> int:
    """Return the number of examples in a batch."""
    shape = getattr(target, "shape", None)
    return int(shape[0]) if shape else len(target) if isinstance(target, (list, tuple)) else 1


def length(data: Any) -> int | None:
    """Return the number of batches, None if unknown."""
    try:
        return len(data)
    except TypeError:
        return None
