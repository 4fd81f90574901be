"""The base of all learning rate schedules."""

from __future__ import annotations

import warnings
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from tinygrad_lite.engine.arguments import checked_constructor, named_constructor
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import describe
from tinygrad_lite.optim.optimizer import Optimizer

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler."
)


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return one value per group: a list as it is, anything else repeated."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [own(value) for _ in range(groups)]
    if len(value) != groups:
        raise ValueError(f"Expected {groups} values for {name}, but got {len(value)}")
    return list(map(own, value))


def set_momentum(group: dict[str, Any], value: float) -> None:
    """Set the momentum of a group: ``momentum``, or the first of ``betas``."""
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


@named_constructor
class LRScheduler:
    """Base of schedules: `step` sets the learning rate of every group.

    A new schedule defines `next_lr`, the learning rate of one group computed from its current one (then schedules can
    be combined), or `get_lr`, the learning rates of all groups. ``last_epoch`` counts the steps from 0.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> class Halve(tl.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base * 0.5 ** self.last_epoch for base in self.base_lrs]
    ...
    >>> schedule = Halve(optimizer)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.05]
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
                group.setdefault("initial_lr", own(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming the scheduler with "
                    f"last_epoch={last_epoch}"
                )
        self.base_lrs = [own(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._seen = optimizer.count
        self._start()

    def _start(self) -> None:
        """Take the step that sets the first learning rate."""
        self._step_count = 0
        self._is_initial = True
        self._get_lr_called_within_step = False  # unused; part of the state as PyTorch saves it
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
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
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
            set_lr(group, lr)
        self._last_lr = [own(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return all attributes except the optimiser.

        A callable object is saved as its attributes, a function as None.
        """
        return {k: saved_form(v) for k, v in self.__dict__.items() if k not in ("optimizer", "_seen")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; functions stay those of this schedule."""
        for name, value in state_dict.items():
            mine = self.__dict__.get(name)
            if holds_functions(mine):
                several = zip(mine, value, strict=False) if isinstance(mine, list) else [(mine, value)]
                for function, attributes in several:
                    if attributes:
                        function.__dict__.update(attributes)
            else:
                self.__dict__[name] = value


class _LRScheduler(LRScheduler):
    """The name of `LRScheduler` in older programs."""


def own(lr: Any) -> Any:
    """Return a learning rate that later changes leave alone: a copy of a tensor, or the number."""
    return lr.clone() if isinstance(lr, Tensor) else lr


def set_lr(group: dict[str, Any], lr: Any) -> None:
    """Set the learning rate of a group; a tensor keeps its place and gets the new value."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def holds_functions(value: Any) -> bool:
    """Return whether a value is a function or a list with one in it."""
    return callable(value) or (isinstance(value, list) and any(callable(v) for v in value))


def saved_form(value: Any) -> Any:
    """Return a value as it is saved: functions as None, callable objects as their attributes."""
    if not holds_functions(value):
        return value
    if isinstance(value, list):
        return [saved_form(v) for v in value]
    return None if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType)) else dict(value.__dict__)
