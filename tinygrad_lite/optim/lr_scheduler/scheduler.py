"""The base of all learning rate schedules."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_lite.engine.arguments import checked_constructor
from tinygrad_lite.errors import describe
from tinygrad_lite.optim.optimizer import Optimizer


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return one value per group: a list as it is, anything else repeated."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"Expected {groups} values for {name}, but got {len(value)}")
    return list(value)


def set_momentum(group: dict[str, Any], value: float) -> None:
    """Set the momentum of a group: ``momentum``, or the first of ``betas``."""
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


class LRScheduler:
    """Base of schedules: `step` sets the learning rate of every group.

    A new schedule defines `next_lr`, the learning rate of one group computed from its current one (then schedules can
    be combined), or `get_lr`, the learning rates of all groups. ``last_epoch`` counts the steps from 0.
    """

    optimizer: Optimizer
    last_epoch: int
    base_lrs: list[float]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        checked_constructor(cls)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}: expected an Optimizer, got {describe(optimizer)}")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming the scheduler with "
                    f"last_epoch={last_epoch}"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._seen = optimizer.count
        self._start()

    def _start(self) -> None:
        """Take the step that sets the first learning rate."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of a group at ``last_epoch``.

        ``lr`` is its current learning rate, ``base`` the initial one.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither next_lr nor get_lr")

    def at(self, base: float) -> float | None:
        """Return the learning rate at ``last_epoch`` in closed form, if there is one."""
        return None

    def get_lr(self) -> list[float]:
        """Return the learning rate at ``last_epoch`` for each group."""
        groups = zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        return [self.next_lr(group["lr"], base) for group, base in groups]

    def get_last_lr(self) -> list[float]:
        """Return the learning rates that the last step set."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Advance by one, or to ``epoch``; call it after the optimiser's step."""
        if self._step_count == 1 and self.optimizer.count == self._seen:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value of the schedule is "
                "skipped. Call `optimizer.step()` first.",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._go(epoch)

    def _go(self, epoch: int | None = None) -> None:
        """Set ``last_epoch`` and the learning rates."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        lrs: list[Any] = [None]
        if epoch is not None:
            lrs = [self.at(base) for base in self.base_lrs]
        self._set(self.get_lr() if None in lrs else lrs)

    def _set(self, lrs: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            group["lr"] = lr
        self._last_lr = lrs

    def state_dict(self) -> dict[str, Any]:
        """Return all attributes except the optimiser and functions."""
        return {k: v for k, v in self.__dict__.items() if k not in ("optimizer", "_seen") and not functions_in(v)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.__dict__.update(state_dict)


def functions_in(value: Any) -> bool:
    """Return whether a value is a function or contains one in a list; functions are not saved."""
    return callable(value) or (isinstance(value, list) and any(callable(v) for v in value))
