"""Schedules composed of other schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from tinygrad_lite.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tinygrad_lite.optim.lr_scheduler.scheduler import LRScheduler, own, set_lr
from tinygrad_lite.optim.optimizer import Optimizer


class Combined(LRScheduler):
    """Base of composed schedules; each part keeps its own state."""

    def __init__(self, optimizer: Optimizer | None, schedulers: Sequence[Any]) -> None:
        name = type(self).__name__
        if not schedulers:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler) or isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"{name} does not support a {type(scheduler).__name__}, which is at index {i}")
            if scheduler.optimizer is not (optimizer or schedulers[0].optimizer):
                raise ValueError(f"{name} expects all schedulers to belong to the same optimizer, {i} does not")
        self.optimizer = optimizer or schedulers[0].optimizer
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the schedule and of each part."""
        own = {k: v for k, v in self.__dict__.items() if k not in ("optimizer", "_schedulers")}
        return {**own, "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        parts = state_dict["_schedulers"]
        if len(parts) != len(self._schedulers):
            raise ValueError(f"{type(self).__name__}: {len(parts)} states for {len(self._schedulers)} schedulers")
        for scheduler, state in zip(self._schedulers, parts, strict=True):
            scheduler.load_state_dict(state)
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "_schedulers"})


class SequentialLR(Combined):
    """Run schedules one after another, changing at the ``milestones``.

    >>> import tinygrad_lite as tl
    >>> o = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> warm = tl.optim.lr_scheduler.LinearLR(o, 0.5)
    >>> down = tl.optim.lr_scheduler.ExponentialLR(o, 0.9)
    >>> tl.optim.lr_scheduler.SequentialLR(o, [warm, down], [5]).get_last_lr()
    [0.05]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Any], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        super().__init__(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        # every schedule took its first step when it was made: undo that, and let only the first one take it again
        for group in optimizer.param_groups:
            set_lr(group, group["initial_lr"])
        rewind(self._schedulers)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._start()
        self._last_lr = first.get_last_lr()

    def step(self, epoch: int | None = None) -> None:
        """Advance by one."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i and self._milestones[i - 1] == self.last_epoch:
            scheduler._go(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(Combined):
    """Apply several schedules in turn to the same learning rate.

    >>> import tinygrad_lite as tl
    >>> o = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> warm = tl.optim.lr_scheduler.LinearLR(o, 0.5)
    >>> down = tl.optim.lr_scheduler.ExponentialLR(o, 0.9)
    >>> tl.optim.lr_scheduler.ChainedScheduler([warm, down]).get_last_lr()
    [0.05]
    """

    def __init__(self, schedulers: Sequence[Any], optimizer: Optimizer | None = None) -> None:
        super().__init__(optimizer, schedulers)
        self._last_lr = [own(group["lr"]) for group in self.optimizer.param_groups]

    def step(self, epoch: int | None = None) -> None:
        """Advance every schedule by one."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [own(group["lr"]) for group in self.optimizer.param_groups]


def rewind(schedulers: Sequence[Any]) -> None:
    """Take one step back, in nested schedules too."""
    for scheduler in schedulers:
        if isinstance(scheduler, Combined):
            rewind(scheduler._schedulers)
        else:
            scheduler.last_epoch -= 1
