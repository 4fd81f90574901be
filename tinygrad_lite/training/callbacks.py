"""Callbacks that stop a training early or save it; the base class is in ``callback.py``."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.serialization import save
from tinygrad_lite.training.callback import Callback
from tinygrad_lite.training.ranks import speaks
from tinygrad_lite.training.state import copied

if TYPE_CHECKING:
    from tinygrad_lite.training.trainer import Trainer


class Watching(Callback):
    """Base of callbacks that watch one column of the history for its best value."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'min' or 'max', got {mode!r}")
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta
        self.name = f"{monitor} {mode}" if monitor else None
        self.best = self.worst()

    def worst(self) -> float:
        """Return the value that every other one improves on."""
        return math.inf if self.mode == "min" else -math.inf

    def reset(self) -> None:
        """Forget the best value of the previous training."""
        self.best = self.worst()

    def check(self, trainer: Trainer, columns: list[str]) -> None:
        """Raise KeyError for a validation number of a training without validation data."""
        # other callbacks may add columns, so only the trainer's own names are judged before the first epoch
        if self.monitor not in columns and self.monitor.removeprefix("val_") in columns:
            raise KeyError(self.absent(columns) + "; pass validation data to fit")

    def absent(self, known: Any) -> str:
        """Return the message for a column that does not exist."""
        return f"{type(self).__name__}: there is no '{self.monitor}' to watch; the history has {', '.join(known)}"

    def improved(self, trainer: Trainer) -> bool:
        """Whether the last epoch has the best value so far, by more than ``min_delta``."""
        if self.monitor not in trainer.history:
            raise KeyError(self.absent(trainer.history))
        value = trainer.history[self.monitor][-1]
        better = value < self.best - self.min_delta if self.mode == "min" else value > self.best + self.min_delta
        if better:
            self.best = value
        return better

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.best = state_dict["best"]


@named_constructor
class EarlyStopping(Watching):
    """Stop the training when ``monitor`` has not improved for ``patience`` epochs.

    ``mode``: whether "min" or "max" is better. Improvements up to ``min_delta`` do not count. With ``restore_best`` the
    model gets the weights of its best epoch back at the end. Every ``fit`` starts counting anew.

    >>> import tinygrad_lite as tl
    >>> model = tl.nn.Linear(2, 1)
    >>> data = [(tl.ones(4, 2), tl.ones(4, 1))]
    >>> trainer = tl.training.Trainer(
    ...     model, tl.nn.MSELoss(), tl.optim.SGD(model.parameters(), lr=0.1), progress=False
    ... )
    >>> stop = tl.training.EarlyStopping(monitor="loss", patience=1, min_delta=9.0)
    >>> len(trainer.fit(data, epochs=9, callbacks=[stop])["loss"])
    2
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

    def reset(self) -> None:
        """Forget the best value and weights of the previous training."""
        super().reset()
        self.waited, self.weights = 0, None

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Count the epochs without improvement."""
        if self.improved(trainer):
            self.waited = 0
            if self.restore_best:
                self.weights = copied(trainer.model)
        else:
            self.waited += 1
            if self.waited >= self.patience:
                trainer.stop = True

    def on_fit_end(self, trainer: Trainer) -> None:
        """Restore the best weights."""
        if self.weights is not None:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, its weights and the epochs without improvement."""
        return {**super().state_dict(), "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        super().load_state_dict(state_dict)
        self.waited, self.weights = state_dict["waited"], state_dict["weights"]


@named_constructor
class Checkpoint(Watching):
    """Save the whole training to ``path`` after each epoch.

    With ``monitor`` it is saved only after the best epoch so far.
    ``Trainer.fit(..., resume=path)`` continues from there, bit for bit. An interrupted save leaves the old file intact.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "run.npz")
    >>> model = tl.nn.Linear(2, 1)
    >>> data = [(tl.ones(4, 2), tl.ones(4, 1))]
    >>> trainer = tl.training.Trainer(
    ...     model, tl.nn.MSELoss(), tl.optim.SGD(model.parameters(), lr=0.1), progress=False
    ... )
    >>> _ = trainer.fit(data, epochs=2, callbacks=[tl.training.Checkpoint(path)])
    >>> os.path.exists(path)
    True
    """

    last = True

    def __init__(self, path: Any, monitor: str | None = None, mode: str = "min") -> None:
        super().__init__(monitor or "", mode, 0.0)
        self.path = os.fspath(path)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Save the training."""
        if (not self.monitor or self.improved(trainer)) and speaks(trainer.model):
            save(trainer.state_dict(), self.path)
