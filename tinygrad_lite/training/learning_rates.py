"""The learning-rate finder: losses along a growing rate, and what they suggest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.errors import require


class LearningRates(NamedTuple):
    """Result of `Trainer.find_lr`: rates, smoothed losses, and the suggested rate.

    ``suggestion`` is the rate at which the loss fell fastest per factor of the rate, None where it never fell.

    >>> import tinygrad_lite as tl
    >>> model = tl.nn.Linear(2, 1)
    >>> data = [(tl.ones(4, 2), tl.ones(4, 1))]
    >>> trainer = tl.training.Trainer(
    ...     model, tl.nn.MSELoss(), tl.optim.SGD(model.parameters(), lr=0.1), progress=False
    ... )
    >>> found = trainer.find_lr(data, steps=20)
    >>> len(found.rates) == len(found.losses)
    True
    """

    rates: list[float]
    losses: list[float]
    suggestion: float | None

    def plot(self, ax: Any = None) -> Any:
        """Plot the losses over the rates and return the Matplotlib axes; the suggestion is marked."""
        pyplot = require("matplotlib.pyplot", extra="plot")
        axes = pyplot.subplots()[1] if ax is None else ax
        axes.semilogx(self.rates, self.losses)
        if self.suggestion is not None:
            axes.axvline(self.suggestion, linestyle="--", label=f"{self.suggestion:.2g}")
            axes.legend()
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        return axes


def search(steps: Iterable[tuple[float, float]], smooth: float = 0.9) -> LearningRates:
    """Collect rates and exponentially smoothed losses until they explode.

    >>> search([(0.1, 3.0), (0.2, 2.9), (0.4, 1.0), (0.8, 0.9), (1.6, 50.0)], smooth=0.0).suggestion
    0.2
    """
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    for rate, loss in steps:
        mean = smooth * mean + (1 - smooth) * loss
        now = mean / (1 - smooth ** (len(rates) + 1))
        if losses and now > 4 * min(losses):
            break
        rates.append(rate)
        losses.append(now)
    # differences over a window: the first batches differ more by chance than by their rates
    window = max(1, len(losses) // 10)
    first = max(window, len(losses) // 4)
    drops = np.array([losses[i + window] - losses[i - window] for i in range(first, len(losses) - window)])
    steepest = first + int(drops.argmin()) if len(drops) and drops.min() < 0 else None
    return LearningRates(rates, losses, None if steepest is None else rates[steepest])
