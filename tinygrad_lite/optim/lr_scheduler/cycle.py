"""Schedules that cycle the learning rate up and down, and the momentum the opposite way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygrad_lite.optim.lr_scheduler.scheduler import LRScheduler, per_group, set_momentum
from tinygrad_lite.optim.optimizer import Optimizer


def start_momentum(optimizer: Optimizer, least: Any, most: Any, first: bool) -> tuple[list[float], list[float]]:
    """Return the lowest and highest momentum of each group; if ``first``, write them into the groups."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    low, high = per_group("base_momentum", optimizer, least), per_group("max_momentum", optimizer, most)
    if first:
        for group, a, b in zip(optimizer.param_groups, low, high, strict=True):
            set_momentum(group, b)
            group["base_momentum"], group["max_momentum"] = a, b
    return low, high


class OneCycleLR(LRScheduler):
    """Raise the learning rate to ``max_lr``, then lower it.

    The rise takes the fraction ``pct_start`` of all steps.
    It starts at ``max_lr / div_factor`` and ends at that divided by ``final_div_factor``, along a cosine or a line
    (``anneal_strategy``); with ``three_phase`` it first returns to its start. The momentum moves the opposite way. Call
    `step` once per batch. Raises ValueError for invalid options, and after more than ``total_steps`` steps.

    Source: Smith and Topin 2019.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> tl.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10).get_last_lr()
    [0.0040000000000000036]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        counts = {"total_steps": total_steps}
        if total_steps is None:
            counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        for name, value in counts.items():
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"Expected positive integer {name}, but got {value}")
        self.total_steps = math.prod(v for v in counts.values() if v is not None)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        self.use_beta1 = cycle_momentum and "betas" in optimizer.defaults
        top, end = float(pct_start * self.total_steps) - 1, self.total_steps - 1
        self._schedule_phases = [_phase(top, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            self._schedule_phases += [
                _phase(2 * top, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                _phase(end, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            self._schedule_phases += [_phase(end, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        if last_epoch == -1:
            for group, most in zip(optimizer.param_groups, per_group("max_lr", optimizer, max_lr), strict=True):
                group["initial_lr"], group["max_lr"] = most / div_factor, most
                group["min_lr"] = group["initial_lr"] / final_div_factor
        if cycle_momentum:
            start_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def between(self, a: float, b: float, part: float) -> float:
        """Interpolate between ``a`` (``part`` 0) and ``b`` (``part`` 1)."""
        if self._anneal_func_type == "cos":
            return b + (a - b) / 2.0 * (math.cos(math.pi * part) + 1)
        return (b - a) * part + a

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group, and set its momentum."""
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"Tried to step {t} times. The specified number of total steps is {self.total_steps}")
        phases = self._schedule_phases
        i = next((i for i, phase in enumerate(phases) if t <= phase["end_step"]), len(phases) - 1)
        start, phase = phases[i - 1]["end_step"] if i else 0.0, phases[i]
        part = (t - start) / (phase["end_step"] - start)
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                low, high = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, self.between(low, high, part))
        return [self.between(group[phase["start_lr"]], group[phase["end_lr"]], part) for group in groups]


def _phase(end: float, lr: str, to_lr: str, momentum: str, to_momentum: str) -> dict[str, Any]:
    """Return one phase: its last step, and the options of a group between which it interpolates."""
    return {"end_step": end, "start_lr": lr, "end_lr": to_lr, "start_momentum": momentum, "end_momentum": to_momentum}


class CyclicLR(LRScheduler):
    """Cycle between ``base_lr`` and ``max_lr``; the momentum moves the opposite way.

    ``mode``: "triangular", "triangular2" (half as high each time), "exp_range" (times ``gamma ** step``), or a
    ``scale_fn`` of the cycle or of the step (``scale_mode`` "cycle" or "iterations"). Source: Smith 2017.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> tl.optim.lr_scheduler.CyclicLR(optimizer, 0.01, 0.1).get_last_lr()
    [0.01]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError("mode is invalid and scale_fn is None")
        starts = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, starts, strict=True):
                group["lr"] = lr
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        self.total_size = float(step_size_up + (step_size_up if step_size_down is None else step_size_down))
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = "betas" in optimizer.defaults
            low, high = start_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
            self.base_momentums, self.max_momentums = low, high
        super().__init__(optimizer, last_epoch)
        self.base_lrs = starts

    def scale_fn(self, n: float) -> float:
        """Return the relative height of cycle (or step) ``n``."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(n)
        if self.mode == "exp_range":
            return float(self.gamma**n)
        return 1.0 if self.mode == "triangular" else 1 / 2.0 ** (n - 1)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group, and set its momentum."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            momenta = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in momenta:
                set_momentum(group, high - (high - low) * part * scale)
        return [a + (b - a) * part * scale for a, b in zip(self.base_lrs, self.max_lrs, strict=True)]
