"""Lower the learning rate when a metric stops improving."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.errors import describe
from tinygrad_lite.optim.lr_scheduler.scheduler import LRScheduler, own, per_group, set_lr
from tinygrad_lite.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rate by ``factor`` when a metric stops improving.

    It does so when the metric passed to `step` has not improved for more than ``patience`` steps. ``mode``: whether
    less ("min") or more ("max") is better. An improvement smaller than ``threshold`` (a fraction with
    ``threshold_mode`` "rel") does not count. After a reduction ``cooldown`` steps are not counted. ``min_lr`` is the
    lower bound; changes below ``eps`` are skipped. Raises ValueError for invalid options.

    >>> import tinygrad_lite as tl
    >>> optimizer = tl.optim.SGD([tl.tensor(1.0, requires_grad=True)], lr=8.0)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [4.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"ReduceLROnPlateau: expected an Optimizer, got {describe(optimizer)}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = per_group("min_lr", optimizer, min_lr)
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self.best = self.mode_worse = float("inf") if mode == "min" else -float("inf")
        self._last_lr = [own(group["lr"]) for group in optimizer.param_groups]

    @property
    def in_cooldown(self) -> bool:
        """Whether steps are not counted because of a recent reduction."""
        return bool(self.cooldown_counter > 0)

    def _is_better(self, a: float, best: float) -> bool:
        """Return whether the value ``a`` improves on the best so far."""
        sign = 1.0 if self.mode == "max" else -1.0
        if self.threshold_mode == "rel":
            edge = best * (1.0 + sign * self.threshold)
        else:
            edge = best + sign * self.threshold
        return a > edge if self.mode == "max" else a < edge

    def _reduce_lr(self, epoch: int) -> None:
        groups = self.optimizer.param_groups
        # groups added later share the last limit
        limits = self.min_lrs + self.min_lrs[-1:] * (len(groups) - len(self.min_lrs))
        for group, least in zip(groups, limits, strict=True):
            lr = max(float(group["lr"]) * self.factor, least)
            if group["lr"] - lr > self.eps:
                set_lr(group, lr)

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Record a new value of the metric: a number or a tensor with one element."""
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr(self.last_epoch)
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [own(group["lr"]) for group in self.optimizer.param_groups]
