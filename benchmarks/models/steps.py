"""What the steps share: data, and the loop body of a training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Pair = tuple[Callable[[], Any], Callable[[], Any]]
"""A training step and an inference."""


class Source:
    """Random arrays as tensors of one library, the same for each."""

    def __init__(self, T: Any) -> None:
        self.T, self.rng = T, np.random.default_rng(0)

    def normal(self, *shape: int) -> Any:
        return self.T.tensor(self.rng.standard_normal(shape, np.float32))

    def uniform(self, *shape: int) -> Any:
        return self.T.tensor(self.rng.random(shape, np.float32))

    def below(self, limit: int, *shape: int) -> Any:
        return self.T.tensor(self.rng.integers(0, limit, shape))


def training(optimizers: Any, loss_of: Callable[[], Any], clip: Callable[[], Any] | None = None) -> Callable[[], Any]:
    """Return the step that most training loops consist of."""
    optimizers = optimizers if isinstance(optimizers, list) else [optimizers]

    def step() -> Any:
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if clip is not None:
            clip()
        for optimizer in optimizers:
            optimizer.step()
        return loss

    return step


def switched(model: Any, step: Callable[[], Any], *inputs: Any) -> Pair:
    """Return the pair of a model whose layers differ between training and evaluation."""

    def train() -> Any:
        model.train()
        return step()

    def infer() -> Any:
        model.eval()
        return model(*inputs)

    return train, infer
