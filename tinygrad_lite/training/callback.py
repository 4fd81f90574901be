"""`Callback`, the base of what observes a training and may stop it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tinygrad_lite.errors import describe

if TYPE_CHECKING:
    from tinygrad_lite.training.trainer import Trainer


class Callback:
    """Base of callbacks: override the methods you need.

    ``trainer.stop = True`` ends the training after this epoch.

    Order: at each event the callbacks run in the order of the list, those with ``last = True`` after all others. A
    training calls `check` and `reset`, restores the states when it resumes, then calls `on_fit_start`; for each epoch
    `on_epoch_start`, `on_batch_end` after every optimiser step, and `on_epoch_end` after validation, the scheduler
    and the history; at the end `on_fit_end`.

    >>> import tinygrad_lite as tl
    >>> model = tl.nn.Linear(2, 1)
    >>> data = [(tl.ones(4, 2), tl.ones(4, 1))]
    >>> trainer = tl.training.Trainer(
    ...     model, tl.nn.MSELoss(), tl.optim.SGD(model.parameters(), lr=0.1), progress=False
    ... )
    >>> class Losses(tl.training.Callback):
    ...     def on_epoch_end(self, trainer):
    ...         print("end of epoch", trainer.epoch)
    ...
    >>> _ = trainer.fit(data, epochs=2, callbacks=[Losses()])
    end of epoch 1
    end of epoch 2
    """

    last = False
    """Whether it runs after the others, as a callback that saves their states does."""

    name: str | None = None
    """Tells apart callbacks of one kind in a saved training; by default their settings or order do."""

    def check(self, trainer: Trainer, columns: list[str]) -> None:
        """Raise an error if the callback does not fit; nothing has changed yet.

        ``columns``: the names that the trainer will add to the history.
        """

    def reset(self) -> None:
        """Forget the previous training; called at the start of every ``fit``."""

    def on_fit_start(self, trainer: Trainer) -> None:
        """Run before the first epoch."""

    def on_epoch_start(self, trainer: Trainer) -> None:
        """Run before each epoch."""

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        """Run after each optimiser step."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Run after each epoch; ``trainer.history`` has its numbers."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """Run after the last epoch, also when the training was interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs to know."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""


class Function(Callback):
    """A plain function of the trainer, called after each epoch."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Call the function."""
        self.function(trainer)


def listed(callbacks: Iterable[Any]) -> list[Callback]:
    """Return callbacks in the order in which they run; functions are wrapped.

    Raises TypeError for anything else, and for a callback given twice.
    """
    given: list[Callback] = []
    for callback in [callbacks] if isinstance(callbacks, Callback) else callbacks:
        if isinstance(callback, type) or not (isinstance(callback, Callback) or callable(callback)):
            raise TypeError(f"fit: a callback must be a Callback object or a function, got {describe(callback)}")
        if any(callback is other for other in given):
            raise TypeError(f"fit: {describe(callback)} is in the list of callbacks twice")
        given.append(callback if isinstance(callback, Callback) else Function(callback))
    return sorted(given, key=lambda callback: callback.last)


def keyed(callbacks: Iterable[Callback]) -> dict[str, Callback]:
    """Return callbacks by kind and name; those that share both are numbered in their order."""
    out: dict[str, Callback] = {}
    for callback in callbacks:
        kind = type(callback)
        key = base = f"{kind.__module__}.{kind.__qualname__}" + (f":{callback.name}" if callback.name else "")
        number = 1
        while key in out:
            number += 1
            key = f"{base}#{number}"
        out[key] = callback
    return out
