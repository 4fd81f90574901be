"""The training loop, written once: epochs, batches, validation, history, callbacks, stopping and resuming."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from tinygrad_lite import random
from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import describe
from tinygrad_lite.nn import Module
from tinygrad_lite.nn.utils import clip_grad_norm_
from tinygrad_lite.optim import Optimizer
from tinygrad_lite.optim.lr_scheduler import ReduceLROnPlateau
from tinygrad_lite.serialization import load, save
from tinygrad_lite.training.evaluation import Evaluating, Means, length, size
from tinygrad_lite.training.progress import Progress, chosen, line


class Callback:
    """Base of callbacks: override the methods you need.

    ``trainer.stop = True`` ends the training after this epoch.
    """

    last = False
    """Whether it runs after the others, as a callback that saves what they know does."""

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


class Trainer:
    """Train ``model`` with ``optimizer`` to minimise ``loss(output, target)``.

    ``metrics``: functions of output and target, by name or in a list; the history records their means over all examples
    beside the loss. ``scheduler``: stepped after each epoch, or each batch with ``scheduler_every="batch"``.
    ``clip_grad_norm``: the largest norm of all gradients together.
    ``progress``: True for a bar (extra ``demo``), False for nothing, None for a bar in a terminal and a line per epoch
    elsewhere.

    A batch is a list of tensors: the model's inputs first, the target last. Override `forward` for batches of another
    form. A model can be trained without it: the trainer uses the public interface only.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn, optim
    >>> from tinygrad_lite.utils.data import DataLoader, TensorDataset
    >>> _ = tl.manual_seed(0)
    >>> x = tl.randn(64, 3)
    >>> data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
    >>> model = nn.Linear(3, 1)
    >>> trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), progress=False)
    >>> history = trainer.fit(data, epochs=20)
    >>> history["loss"][-1] < 1e-3 < history["loss"][0]
    True
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Tensor],
        optimizer: Optimizer,
        *,
        metrics: Mapping[str, Callable[[Any, Any], Any]] | Sequence[Callable[[Any, Any], Any]] = (),
        scheduler: Any = None,
        scheduler_every: str = "epoch",
        clip_grad_norm: float | None = None,
        progress: bool | None = None,
    ) -> None:
        if scheduler_every not in ("epoch", "batch"):
            raise ValueError(f"Trainer: scheduler_every must be 'epoch' or 'batch', got {scheduler_every!r}")
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.metrics = dict(metrics) if isinstance(metrics, Mapping) else {f.__name__: f for f in metrics}
        self.scheduler, self.scheduler_every, self.progress = scheduler, scheduler_every, progress
        self.clip_grad_norm = clip_grad_norm
        self.epoch = 0
        self.history: dict[str, list[float]] = {}
        self.callbacks: list[Callback] = []
        self.stop = self.interrupted = False
        self._train: Any = None

    # -------------------------------------------------------------------------------- training
    def fit(
        self,
        train: Iterable[Any],
        validation: Iterable[Any] | None = None,
        epochs: int = 1,
        callbacks: Iterable[Callback | Callable[[Trainer], Any]] = (),
        resume: Any = None,
    ) -> dict[str, list[float]]:
        """Train for ``epochs`` passes over ``train`` and return the history.

        The history has one number per epoch for each name.
        ``callbacks``: `Callback` objects, or functions of the trainer called after each epoch. ``resume``: a file
        written by `save` or `Checkpoint` to continue from; ``epochs`` then counts from the start of that training.
        Ctrl-C ends the training at once and sets ``interrupted``; the history has the complete epochs. Raises
        FloatingPointError when the loss is not finite, before the optimiser takes a step.
        """
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 0:
            raise ValueError(f"fit: epochs must be a number from 0, got {epochs!r}")
        if iter(train) is train:
            raise TypeError(f"fit: {describe(train)} can be read only once; pass a DataLoader or a list of batches")
        given = [c if isinstance(c, Callback) else Function(c) for c in callbacks]
        self.callbacks = sorted(given, key=lambda callback: callback.last)
        self._train = train
        if resume is not None:
            self.load(resume)
        end = epochs if resume is not None else self.epoch + epochs
        self.stop = self.interrupted = False
        show = chosen(self.progress)
        for callback in self.callbacks:
            callback.on_fit_start(self)
        try:
            while self.epoch < end and not self.stop:
                self._run_epoch(train, validation, end, show)
        except KeyboardInterrupt:
            self.interrupted = True
            show.end(f"stopped by the user in epoch {self.epoch + 1}")
        finally:
            show.close()
            self._train = None
        for callback in self.callbacks:
            callback.on_fit_end(self)
        return self.history

    def _run_epoch(self, train: Iterable[Any], validation: Iterable[Any] | None, end: int, show: Progress) -> None:
        started = perf_counter()
        for callback in self.callbacks:
            callback.on_epoch_start(self)
        show.start(self.epoch + 1, end, length(train))
        means = Means()
        self.model.train()
        for number, batch in enumerate(train):
            loss = self._train_batch(batch, means, number)
            show.batch({"loss": means.values()["loss"]})
            for callback in self.callbacks:
                callback.on_batch_end(self, loss)
        numbers = means.values()
        if not numbers:
            raise ValueError("fit: there is no batch to train with")
        if validation is not None:
            numbers.update({f"val_{name}": value for name, value in self.evaluate(validation).items()})
        numbers["lr"] = self.optimizer.param_groups[0]["lr"]
        numbers["seconds"] = perf_counter() - started
        if self.scheduler is not None and self.scheduler_every == "epoch":
            if isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.step(numbers.get("val_loss", numbers["loss"]))
            else:
                self.scheduler.step()
        # only now does the epoch count: an interruption before this line leaves no trace in the history
        self.epoch += 1
        for name, value in numbers.items():
            self.history.setdefault(name, []).append(value)
        show.end(line(self.epoch, end, numbers))
        for callback in self.callbacks:
            callback.on_epoch_end(self)

    def _train_batch(self, batch: Any, means: Means, number: int) -> float:
        first: list[Any] = []

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            output, target = self.forward(batch)
            loss = self.loss(output, target)
            value = loss.item()
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"fit: the loss is {value} in epoch {self.epoch + 1}, batch {number + 1}; the step was not taken. "
                    f"Try a smaller learning rate, and look for the cause with autograd.detect_anomaly()"
                )
            loss.backward()
            if self.clip_grad_norm is not None:
                clip_grad_norm_(self.model.parameters(), self.clip_grad_norm)
            if not first:
                first.extend((value, output, target))
            return loss

        self.optimizer.step(closure)
        value, output, target = first
        means.add(self._measured(value, output, target), size(target))
        if self.scheduler is not None and self.scheduler_every == "batch":
            self.scheduler.step()
        return float(value)

    def forward(self, batch: Any) -> tuple[Any, Any]:
        """Return the output and the target of one batch."""
        if not isinstance(batch, (list, tuple)) or len(batch) < 2:
            raise TypeError(
                f"Trainer: expected a batch of inputs and target, got {describe(batch)}; override Trainer.forward"
            )
        return self.model(*batch[:-1]), batch[-1]

    def _measured(self, loss: float, output: Any, target: Any) -> dict[str, float]:
        with no_grad():
            return {"loss": loss, **{name: float(metric(output, target)) for name, metric in self.metrics.items()}}

    # -------------------------------------------------------------------------------- using the model
    def evaluate(self, data: Iterable[Any]) -> dict[str, float]:
        """Return the mean loss and metrics over ``data``, in evaluation mode."""
        means = Means()
        with Evaluating(self.model):
            for batch in data:
                output, target = self.forward(batch)
                means.add(self._measured(self.loss(output, target).item(), output, target), size(target))
        numbers = means.values()
        if not numbers:
            raise ValueError("evaluate: there is no batch")
        return numbers

    def predict(self, data: Iterable[Any]) -> Tensor:
        """Return the outputs for all batches of ``data`` as one tensor.

        A batch may lack the target.
        """
        outputs = []
        with Evaluating(self.model):
            for batch in data:
                if isinstance(batch, (list, tuple)):
                    outputs.append(self.model(*batch[: max(1, len(batch) - 1)]).array)
                else:
                    outputs.append(self.model(batch).array)
        if not outputs:
            raise ValueError("predict: there is no batch")
        return make(np.concatenate(outputs))

    # -------------------------------------------------------------------------------- saving and resuming
    def state_dict(self) -> dict[str, Any]:
        """Return the state of the whole training.

        It has weights, optimiser, schedule, history, callbacks and random state.
        """
        return {
            "epoch": self.epoch,
            "history": self.history,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
            "random": random.get_rng_state(),
            "generator": None if self._generator() is None else self._generator().bit_generator.state,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        If weights or optimiser do not fit, nothing changes.
        """
        missing = {"epoch", "history", "model", "optimizer", "scheduler", "callbacks", "random", "generator"} - {
            *state_dict
        }
        if missing:
            raise KeyError(f"Trainer: this is not the state of a training, it lacks {', '.join(sorted(missing))}")
        before = copied(self.model)
        try:
            self.model.load_state_dict(state_dict["model"])
            self.optimizer.load_state_dict(state_dict["optimizer"])
        except Exception:
            self.model.load_state_dict(before)
            raise
        if self.scheduler is not None and state_dict["scheduler"] is not None:
            self.scheduler.load_state_dict(state_dict["scheduler"])
        for callback, state in zip(self.callbacks, state_dict["callbacks"], strict=False):
            callback.load_state_dict(state)
        self.epoch = state_dict["epoch"]
        self.history = {name: list(values) for name, values in state_dict["history"].items()}
        random.set_rng_state(state_dict["random"])
        if self._generator() is not None and state_dict["generator"] is not None:
            self._generator().bit_generator.state = state_dict["generator"]

    def _generator(self) -> Any:
        """Return the generator that shuffles the training data, if it has its own."""
        return getattr(self._train, "generator", None)

    def save(self, path: Any) -> None:
        """Write the whole training to a file."""
        save(self.state_dict(), path)

    def load(self, path: Any) -> None:
        """Restore the training from a file written by `save` or `Checkpoint`."""
        self.load_state_dict(load(path))


def copied(model: Any) -> dict[str, Any]:
    """Return a copy of the state of a module."""
    return {name: make(new.array(value.array)) for name, value in model.state_dict().items()}
