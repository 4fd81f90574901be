"""Schedules with one formula for all steps; several of them can be combined on one optimiser."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_lite.optim.lr_scheduler.scheduler import LRScheduler, per_group
from tinygrad_lite.optim.optimizer import Optimizer


class LambdaLR(LRScheduler):
    """Set the initial learning rate times ``lr_lambda(epoch)``.

    ``lr_lambda`` is one function, or a list with one per group.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.tensor(1.0, requires_grad=True)], lr=8.0)
    >>> schedule = LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [2.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = per_group("lr_lambda", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group."""
        return [base * f(self.last_epoch) for f, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(LRScheduler):
    """Multiply the learning rate by ``lr_lambda(epoch)``.

    ``lr_lambda`` is one function, or a list with one per group.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> tl.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.9).get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = per_group("lr_lambda", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the learning rate of each group."""
        groups = zip(self.optimizer.param_groups, self.lr_lambdas, strict=True)
        return [g["lr"] if self._is_initial else g["lr"] * f(self.last_epoch) for g, f in groups]


class StepLR(LRScheduler):
    """Multiply the learning rate by ``gamma`` every ``step_size`` steps.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> schedule = tl.optim.lr_scheduler.StepLR(optimizer, 2)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: step_size must be at least 1, got {step_size}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        return lr if self.last_epoch == 0 or self.last_epoch % self.step_size else lr * self.gamma

    def at(self, base: float) -> float:
        """Return the learning rate of one group in closed form."""
        return float(base * self.gamma ** (self.last_epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """Multiply the learning rate by ``gamma`` at each of the ``milestones``.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> tl.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4]).get_last_lr()
    [0.1]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones: dict[int, int] = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        times = self.milestones.get(self.last_epoch, 0)
        return float(lr * self.gamma**times) if times else lr

    def at(self, base: float) -> float:
        """Return the learning rate of one group in closed form."""
        return float(base * self.gamma ** sum(n for m, n in self.milestones.items() if m <= self.last_epoch))


class ConstantLR(LRScheduler):
    """Multiply the learning rate by ``factor`` for the first ``total_iters`` steps.

    >>> import tinygrad_lite as tl
    >>> tl.optim.lr_scheduler.ConstantLR(tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)).get_last_lr()
    [0.03333333333333333]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1.0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        if self.last_epoch == 0:
            return lr * self.factor
        return lr * (1.0 / self.factor) if self.last_epoch == self.total_iters else lr

    def at(self, base: float) -> float:
        """Return the learning rate of one group in closed form."""
        return base if self.last_epoch >= self.total_iters else base * self.factor


class LinearLR(LRScheduler):
    """Scale the learning rate by a factor that changes linearly.

    It goes from ``start_factor`` to ``end_factor`` in ``total_iters`` steps.

    >>> import tinygrad_lite as tl
    >>> tl.optim.lr_scheduler.LinearLR(tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)).get_last_lr()
    [0.03333333333333333]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1.0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if not 0 <= end_factor <= 1.0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))

    def at(self, base: float) -> float:
        """Return the learning rate of one group in closed form."""
        part = min(self.total_iters, self.last_epoch) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * part)


class ExponentialLR(LRScheduler):
    """Multiply the learning rate by ``gamma`` in every step.

    >>> import tinygrad_lite as tl
    >>> tl.optim.lr_scheduler.ExponentialLR(tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1), 0.9).get_last_lr()
    [0.1]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        return lr if self._is_initial else lr * self.gamma

    def at(self, base: float) -> float:
        """Return the learning rate of one group in closed form."""
        return float(base * self.gamma**self.last_epoch)


class PolynomialLR(LRScheduler):
    """Decay to zero in ``total_iters`` steps as ``(1 - t / total_iters) ** power``.

    >>> import tinygrad_lite as tl
    >>> tl.optim.lr_scheduler.PolynomialLR(tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)).get_last_lr()
    [0.1]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        t, end = self.last_epoch, self.total_iters
        if self._is_initial or t > end:
            return lr
        return float(lr * ((1.0 - t / end) / (1.0 - (t - 1) / end)) ** self.power)

    def at(self, base: float) -> float:
        """Return the learning rate of one group in closed form."""
        return float(base * (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """Decay along half a cosine to ``eta_min`` in ``T_max`` steps, then rise again.

    Source: Loshchilov and Hutter 2017.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> schedule = tl.optim.lr_scheduler.CosineAnnealingLR(optimizer, 2)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(self, optimizer: Optimizer, T_max: float, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: T_max must be at least 1, got {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        t, end, least = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return lr
        if self._step_count == 1 and t > 0:
            return self.at(base)
        if (t - 1 - end) % (2 * end) == 0:
            # at the turning point the ratio below would be 0 / 0
            return lr + (base - least) * (1 - math.cos(math.pi / end)) / 2
        return (1 + math.cos(math.pi * t / end)) / (1 + math.cos(math.pi * (t - 1) / end)) * (lr - least) + least

    def at(self, base: float) -> float:
        """Return the learning rate of one group in closed form."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Decay along half a cosine to ``eta_min`` in ``T_0`` steps, then restart.

    Each round takes ``T_mult`` times as long as the last. ``step(epoch)`` accepts fractions:
    ``schedule.step(epoch + batch / batches)``. Source: Loshchilov and Hutter 2017.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.nn.Parameter(tl.zeros(1))], lr=0.1)
    >>> schedule = tl.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        self.T_0 = self.T_i = T_0
        self.T_mult, self.eta_min = T_mult, eta_min
        self.T_cur: Any = last_epoch
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr: float, base: float) -> float:
        """Return the learning rate of one group."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2

    def step(self, epoch: Any = None) -> None:
        """Advance by one, or to ``epoch``, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        else:
            self.T_i, self.T_cur = self.T_0, epoch
            if self.T_mult == 1:
                self.T_cur = epoch % self.T_0
            else:
                while self.T_cur >= self.T_i:
                    self.T_cur -= self.T_i
                    self.T_i *= self.T_mult
        self._step_count += 1
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())
