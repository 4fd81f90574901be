"""What may be told about a training while it runs, and may end it."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_lite.engine.tensor import make
from tinygrad_lite.serialization import save

if TYPE_CHECKING:
    from tinygrad_lite.training.trainer import Trainer


def copied(model: Any) -> dict[str, Any]:
    """Return the state of a module in memory of its own."""
    return {name: make(np.array(value.array)) for name, value in model.state_dict().items()}


class Callback:
    """Base of callbacks: override what you need. ``trainer.stop = True`` ends the training after this epoch."""

    def on_fit_start(self, trainer: Trainer) -> None:
        """Run before the first epoch."""

    def on_epoch_start(self, trainer: Trainer) -> None:
        """Run before each epoch."""

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        """Run after each step."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Run after each epoch; ``trainer.history`` has its numbers."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """Run after the last epoch, also when the training was interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training has to know."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""


class Function(Callback):
    """A plain function of the trainer, called after each epoch."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Call the function."""
        self.function(trainer)


class Watching(Callback):
    """Base of callbacks that watch one number of the history for its best value."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'min' or 'max', got {mode!r}")
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta
        self.best = math.inf if mode == "min" else -math.inf

    def improved(self, trainer: Trainer) -> bool:
        """Whether the last epoch has the best value so far, by more than ``min_delta``."""
        if self.monitor not in trainer.history:
            known = ", ".join(trainer.history)
            raise KeyError(f"{type(self).__name__}: there is no '{self.monitor}' to watch; the history has {known}")
        value = trainer.history[self.monitor][-1]
        better = value < self.best - self.min_delta if self.mode == "min" else value > self.best + self.min_delta
        if better:
            self.best = value
        return better

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.best = state_dict["best"]


class EarlyStopping(Watching):
    """End the training when ``monitor`` has not improved for ``patience`` epochs.

    ``mode``: "min" or "max" is better; improvements up to ``min_delta`` do not count. With ``restore_best`` the model
    gets back the weights of its best epoch at the end.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.restore_best = patience, restore_best
        self.waited = 0
        self.weights: dict[str, Any] | None = None

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Count epochs without improvement."""
        if self.improved(trainer):
            self.waited = 0
            if self.restore_best:
                self.weights = copied(trainer.model)
        else:
            self.waited += 1
            if self.waited >= self.patience:
                trainer.stop = True

    def on_fit_end(self, trainer: Trainer) -> None:
        """Give the best weights back."""
        if self.weights is not None:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Return best value, best weights and how long there was no improvement."""
        return {**super().state_dict(), "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state_dict)
        self.waited, self.weights = state_dict["waited"], state_dict["weights"]


class Checkpoint(Watching):
    """Save the whole training to ``path`` after each epoch, or with ``monitor`` after each epoch that is the best.

    ``Trainer.fit(..., resume=path)`` goes on from there, bit for bit. An interrupted save never harms the old file.
    """

    def __init__(self, path: Any, monitor: str | None = None, mode: str = "min") -> None:
        super().__init__(monitor or "", mode, 0.0)
        self.path = os.fspath(path)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Save."""
        if not self.monitor or self.improved(trainer):
            save(trainer.state_dict(), self.path)
