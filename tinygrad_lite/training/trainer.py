"""The training loop, written once: epochs, batches, validation, history, callbacks, stopping and resuming."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from html import escape
from itertools import islice
from time import perf_counter
from typing import Any

from tinygrad_lite.compiled import compile as compiled
from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import describe
from tinygrad_lite.nn import Module
from tinygrad_lite.nn.utils import clip_grad_norm_, clip_grad_value_
from tinygrad_lite.optim import Optimizer
from tinygrad_lite.optim.lr_scheduler import ReduceLROnPlateau
from tinygrad_lite.serialization import load, save
from tinygrad_lite.training.callback import Callback, listed
from tinygrad_lite.training.evaluation import Evaluating, Means, joined, length, size
from tinygrad_lite.training.history import History
from tinygrad_lite.training.learning_rates import LearningRates, search
from tinygrad_lite.training.metrics import named_metrics
from tinygrad_lite.training.progress import Progress, chosen, line
from tinygrad_lite.training.ranks import averaged, group_of, set_epoch, speaks
from tinygrad_lite.training.state import Snapshot, restore, whole_state


@named_constructor
class Trainer:
    """Train ``model`` with ``optimizer`` to minimise ``loss(output, target)``.

    ``metrics``: functions of output and target, modules, or `Metric` objects, by name or in a list; the history records
    the means of functions over all examples beside the loss. Two of one name become ``name`` and ``name_2``.
    ``scheduler``: stepped after each epoch, or each optimiser step with ``scheduler_every="batch"``.
    ``accumulate``: batches per optimiser step; the gradient is that of one large batch, weighted by examples.
    ``clip_grad_norm``: the largest norm of all gradients together; ``clip_grad_value``: the largest absolute value of
    each. ``progress``: True for a bar (extra ``demo``), False for nothing, None for a bar in a terminal or notebook
    and log-spaced lines elsewhere. ``compile``: run model and loss through `tinygrad_lite.compile`: the same numbers,
    or with "native", its other backend, the same but for rounding.

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
        metrics: Any = (),
        scheduler: Any = None,
        scheduler_every: str = "epoch",
        accumulate: int = 1,
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
        progress: bool | None = None,
        compile: bool | str = False,
    ) -> None:
        if scheduler_every not in ("epoch", "batch"):
            raise ValueError(f"Trainer: scheduler_every must be 'epoch' or 'batch', got {scheduler_every!r}")
        if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
            raise ValueError(f"Trainer: accumulate must be a number of batches from 1, got {accumulate!r}")
        for name, bound in (("clip_grad_norm", clip_grad_norm), ("clip_grad_value", clip_grad_value)):
            if bound is not None and not bound > 0:
                raise ValueError(f"Trainer: {name} must be above 0, got {bound!r}")
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.metrics = named_metrics(metrics)
        self.scheduler, self.scheduler_every, self.progress = scheduler, scheduler_every, progress
        self.accumulate, self.clip_grad_norm, self.clip_grad_value = accumulate, clip_grad_norm, clip_grad_value
        if compile and type(self).forward is not Trainer.forward:
            raise ValueError("Trainer: compile=True does not see an overridden forward; compile the model")
        if compile and group_of(model) is not None:
            raise ValueError(
                "Trainer: compile=True cannot record the exchange of ranks; pass tl.compile(model) as model"
            )
        backend = compile if isinstance(compile, str) else "numpy"
        self._measure = compiled(partial(measure, model, loss), backend=backend) if compile else None
        self.epoch = 0
        self.history = History()
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
    ) -> History:
        """Train for ``epochs`` passes over ``train`` and return the history.

        The history has one number per epoch for each name.
        ``callbacks``: `Callback` objects, or functions of the trainer called after each epoch; all are reset first, so
        one callback may serve several trainings. ``resume``: a file written by `save` or `Checkpoint` to continue from;
        ``epochs`` then counts from the start of that training, and each callback gets its own state back by name and
        kind. Ctrl-C ends the training at once and sets ``interrupted``; the history has the complete epochs. Raises
        FloatingPointError when the loss is not finite, before the optimiser takes a step. Arguments and the file are
        checked before anything changes.
        """
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 0:
            raise ValueError(f"fit: epochs must be a number from 0, got {epochs!r}")
        for name, data in (("train", train), ("validation", validation)):
            if data is not None and iter(data) is data:
                raise TypeError(
                    f"fit: {name}={describe(data)} can be read only once; pass a DataLoader or a list of batches"
                )
        given = listed(callbacks)
        columns = self._columns(validation is not None)
        for callback in given:
            callback.check(self, columns)
        self._begin(train, given, resume)
        end = epochs if resume is not None else self.epoch + epochs
        show = chosen(self.progress if speaks(self.model) else False)
        try:
            for callback in self.callbacks:
                callback.on_fit_start(self)
            while self.epoch < end and not self.stop:
                self._run_epoch(train, validation, end, show)
        except KeyboardInterrupt:
            self.interrupted = True
            show.note(f"stopped by the user in epoch {self.epoch + 1}")
        finally:
            show.close()
            self._train = None
        for callback in self.callbacks:
            callback.on_fit_end(self)
        return self.history

    def _columns(self, validated: bool) -> list[str]:
        """Return the columns that a training adds to the history."""
        numbers = ["loss", *self.metrics]
        return [*numbers, *(f"val_{name}" for name in numbers if validated), "lr", "seconds"]

    def _begin(self, train: Any, callbacks: list[Callback], resume: Any) -> None:
        """Reset the callbacks and load ``resume``; if that fails, everything is as before."""
        before = Snapshot(self, callbacks)
        try:
            self.callbacks, self._train = callbacks, train
            for callback in callbacks:
                callback.reset()
            if resume is not None:
                self.load(resume)
            self.stop = self.interrupted = False
        except BaseException:
            before.restore()
            raise

    def _run_epoch(self, train: Iterable[Any], validation: Iterable[Any] | None, end: int, show: Progress) -> None:
        started = perf_counter()
        for callback in self.callbacks:
            callback.on_epoch_start(self)
        show.start(self.epoch + 1, end, length(train))
        means = Means(self.metrics)
        self.model.train()
        set_epoch(train, self.epoch)
        batches, number = iter(train), 0
        while group := list(islice(batches, self.accumulate)):
            loss = self._train_group(group, means, number, show)
            number += len(group)
            for callback in self.callbacks:
                callback.on_batch_end(self, loss)
        numbers = means.values()
        if not numbers:
            raise ValueError("fit: there is no batch to train with")
        if validation is not None:
            numbers.update({f"val_{name}": value for name, value in self.evaluate(validation).items()})
        numbers = averaged(self.model, numbers)
        numbers["lr"] = float(self.optimizer.param_groups[0]["lr"])
        numbers["seconds"] = perf_counter() - started
        if self.scheduler is not None and self.scheduler_every == "epoch":
            if isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.step(numbers.get("val_loss", numbers["loss"]))
            else:
                self.scheduler.step()
        # the epoch counts from here: an interruption before this line does not change the history
        self.epoch += 1
        self.history.record(self.epoch, numbers)
        show.end(line(self.epoch, end, numbers))
        for callback in self.callbacks:
            callback.on_epoch_end(self)

    def _train_group(self, group: list[Any], means: Means, number: int, show: Progress) -> float:
        """Take one optimiser step for a group of batches; return their mean loss."""
        seen: list[tuple[float, Any, Any]] = []

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            results, total = [], Weighted(len(group))
            for i, batch in enumerate(group):
                output, target, loss = self._measured(batch)
                value = loss.item()
                if not math.isfinite(value):
                    raise FloatingPointError(
                        f"fit: the loss is {value} in epoch {self.epoch + 1}, batch {number + i + 1}; the step was not "
                        f"taken. Try a smaller learning rate, and look for the cause with autograd.detect_anomaly()"
                    )
                total.backward(loss, size(output, target))
                results.append((value, output, target))
            total.average(self.model)
            if self.clip_grad_value is not None:
                clip_grad_value_(self.model.parameters(), self.clip_grad_value)
            if self.clip_grad_norm is not None:
                clip_grad_norm_(self.model.parameters(), self.clip_grad_norm)
            if not seen:
                seen.extend(results)
            return total.mean()

        self.optimizer.step(closure)
        lost = Means({})
        for value, output, target in seen:
            means.add(value, output, target)
            lost.add(value, output, target)
            show.batch({"loss": means.loss()})
        if self.scheduler is not None and self.scheduler_every == "batch":
            self.scheduler.step()
        return lost.loss()

    def _measured(self, batch: Any) -> tuple[Any, Any, Tensor]:
        """Return the output, the target and the loss of one batch."""
        if self._measure is not None and isinstance(batch, (list, tuple)) and len(batch) > 1:
            output, target, loss = self._measure(*batch)
            return output, target, loss
        output, target = self.forward(batch)
        return output, target, self.loss(output, target)

    def forward(self, batch: Any) -> tuple[Any, Any]:
        """Return the output and the target of one batch."""
        if not isinstance(batch, (list, tuple)) or len(batch) < 2:
            raise TypeError(
                f"Trainer: expected a batch of inputs and target, got {describe(batch)}; override Trainer.forward"
            )
        return self.model(*batch[:-1]), batch[-1]

    def find_lr(
        self, train: Iterable[Any], lowest: float = 1e-7, highest: float = 10.0, steps: int = 100
    ) -> LearningRates:
        """Train a few steps with a growing learning rate; return the losses and a suggestion.

        The rate grows geometrically from ``lowest`` to ``highest`` in ``steps`` batches and stops early where the loss
        exceeds four times its minimum. Afterwards model, optimiser, scheduler and random state are as before.

        Source: L. N. Smith (2017), Cyclical learning rates for training neural networks.
        """
        if not 0 < lowest < highest:
            raise ValueError(f"find_lr: needs 0 < lowest < highest, got {lowest!r} and {highest!r}")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
            raise ValueError(f"find_lr: steps must be a number from 2, got {steps!r}")
        before = Snapshot(self, [])
        schedule, modes = self.scheduler, [(m, m.training) for m in self.model.modules()]
        self._train = train
        try:
            before.generators()
            self.scheduler = None
            self.model.train()
            return search(self._rate_losses(train, lowest, highest, steps))
        finally:
            self.scheduler = schedule
            before.restore()
            for module, training in modes:
                module.training = training

    def _rate_losses(
        self, train: Iterable[Any], lowest: float, highest: float, steps: int
    ) -> Iterator[tuple[float, float]]:
        """Yield learning rate and loss of each step of the search."""
        done = 0
        while done < steps:
            seen = done
            for batch in train:
                rate = lowest * (highest / lowest) ** (done / (steps - 1))
                for group in self.optimizer.param_groups:
                    group["lr"] = rate
                try:
                    yield rate, self._train_group([batch], Means({}), done, Progress())
                except FloatingPointError:
                    return
                done += 1
                if done == steps:
                    return
            if done == seen:
                raise ValueError("find_lr: there is no batch")

    # -------------------------------------------------------------------------------- using the model
    def evaluate(self, data: Iterable[Any]) -> dict[str, float]:
        """Return the mean loss and metrics over ``data``, in evaluation mode."""
        means = Means(self.metrics)
        with Evaluating(self.model):
            for batch in data:
                output, target, loss = self._measured(batch)
                means.add(loss.item(), output, target)
        numbers = means.values()
        if not numbers:
            raise ValueError("evaluate: there is no batch")
        return numbers

    def predict(self, data: Iterable[Any]) -> Any:
        """Return the outputs for all batches of ``data`` as one tensor, or a tuple, list or dict of tensors.

        A batch of one tensor has no target; of a longer one the last entry is the target and is not used.
        """
        own_batches = type(self).forward is not Trainer.forward
        outputs = []
        with Evaluating(self.model):
            for batch in data:
                if isinstance(batch, (list, tuple)) and not own_batches:
                    outputs.append(self.model(*batch[: max(1, len(batch) - 1)]))
                elif isinstance(batch, Tensor):
                    outputs.append(self.model(batch))
                else:
                    outputs.append(self.forward(batch)[0])
        if not outputs:
            raise ValueError("predict: there is no batch")
        return joined(outputs)

    # -------------------------------------------------------------------------------- saving and resuming
    def _repr_html_(self) -> str:
        parts = (getattr(p, "__name__", type(p).__name__) for p in (self.model, self.loss, self.optimizer))
        return f"<div>Trainer: {escape(', '.join(parts))}; epoch {self.epoch}</div>{self.history._repr_html_()}"

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the whole training.

        It has weights, optimiser, schedule, history, callbacks and random state.
        """
        return whole_state(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; if any part does not fit, nothing changes.

        Callbacks get their state back by name and kind; those without a saved state start anew.
        """
        before = Snapshot(self, self.callbacks)
        try:
            restore(self, state_dict)
        except BaseException:
            before.restore()
            raise

    def save(self, path: Any) -> None:
        """Write the whole training to a file."""
        save(self.state_dict(), path)

    def load(self, path: Any) -> None:
        """Restore the training from a file written by `save` or `Checkpoint`."""
        self.load_state_dict(load(path))


def measure(model: Any, loss: Any, *batch: Any) -> tuple[Any, Any, Any]:
    """Return the output, without its graph, the target and the loss of one batch; `Trainer` compiles it."""
    output = model(*batch[:-1])
    return output.detach() if isinstance(output, Tensor) else output, batch[-1], loss(output, batch[-1])


class Weighted:
    """Gradients of several batches, weighted by their numbers of examples.

    A single batch needs no weights and keeps its gradient to the last bit.
    """

    def __init__(self, batches: int) -> None:
        self.batches = batches
        self.count = 0
        self.losses: list[Any] = []

    def backward(self, loss: Tensor, examples: int) -> None:
        """Add the gradient of one batch."""
        (loss if self.batches == 1 else loss * examples).backward()
        self.losses.append(loss.detach() if self.batches == 1 else loss.detach() * examples)
        self.count += examples

    def average(self, model: Module) -> None:
        """Divide all gradients by the number of examples."""
        if self.batches > 1:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad.mul_(1 / self.count)

    def mean(self) -> Tensor:
        """Return the mean loss."""
        mean: Tensor = self.losses[0] if self.batches == 1 else sum(self.losses[1:], self.losses[0]) / self.count  # pyright: ignore[reportAssignmentType]
        return mean
