"""Averages of weights: the schedule and the averaging functions; `AveragedModel` and `update_bn` are those of nn."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.optim.lr_scheduler.scheduler import LRScheduler, per_group
from tinygrad_lite.optim.optimizer import Optimizer

__all__ = [  # noqa: F822 - two are found by __getattr__
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Find `AveragedModel` and `update_bn`, which belong to nn, a layer above this one."""
    if name in ("AveragedModel", "update_bn"):
        return getattr(import_module("tinygrad_lite.nn.averaging"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def _each(average: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], None]:
    """Return a function that averages lists of tensors in place."""

    def update(averaged: Any, current: Any, num_averaged: Any) -> None:
        with no_grad():
            for old, value in zip(averaged, current, strict=True):
                old.copy_(average(old, value, num_averaged))

    return update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], Any]:
    """Return the function for an exponential average: ``decay * average + (1 - decay) * new``.

    >>> import tinygrad_lite as tl
    >>> tl.optim.swa_utils.get_ema_avg_fn(0.9)(tl.tensor(1.0), tl.tensor(2.0), 1)
    tensor(1.1000)
    """
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        with no_grad():
            return ema_param * decay + current_param * (1 - decay)

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """Return the function for exponential averages of lists of tensors, in place.

    >>> import tinygrad_lite as tl
    >>> averages = [tl.tensor(1.0)]
    >>> tl.optim.swa_utils.get_ema_multi_avg_fn(0.9)(averages, [tl.tensor(2.0)], 1)
    >>> averages
    [tensor(1.1000)]
    """
    return _each(get_ema_avg_fn(decay))


def get_swa_avg_fn() -> Callable[[Any, Any, Any], Any]:
    """Return the function for the plain average of all that was seen.

    >>> import tinygrad_lite as tl
    >>> tl.optim.swa_utils.get_swa_avg_fn()(tl.tensor(1.0), tl.tensor(2.0), 1)
    tensor(1.5000)
    """

    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        with no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """Return the function for plain averages of lists of tensors, in place.

    >>> import tinygrad_lite as tl
    >>> averages = [tl.tensor(1.0)]
    >>> tl.optim.swa_utils.get_swa_multi_avg_fn()(averages, [tl.tensor(2.0)], 1)
    >>> averages
    [tensor(1.5000)]
    """
    return _each(get_swa_avg_fn())


class SWALR(LRScheduler):
    """Move the learning rate of every group to ``swa_lr`` in ``anneal_epochs`` steps, and keep it there.

    ``anneal_strategy``: 'cos' or 'linear'.

    >>> import tinygrad_lite as tl
    >>> tl.optim.swa_utils.SWALR(tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1), swa_lr=0.05).get_last_lr()
    [0.1]
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        for value, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = value
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """Return how much of the way is done at the share ``t`` of the epochs."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[float]:
        """Return the learning rates at this step."""
        step, epochs = self._step_count - 1, max(1, self.anneal_epochs)
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self.anneal_func(max(0, min(1, s / epochs))) for s in (step - 1, step))
        rates = []
        for group in self.optimizer.param_groups:
            lr, goal = group["lr"], group["swa_lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates
