"""Adadelta: updates scaled by the size of recent updates, without a learning rate to tune."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average_square, need, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class Adadelta(Optimizer):
    r"""Adadelta: updates scaled by recent updates, without a learning rate to tune.

    :math:`v \leftarrow \rho v + (1-\rho) g^2,\quad \delta = \sqrt{\frac{u + \epsilon}{v + \epsilon}}\, g,\quad
    u \leftarrow \rho u + (1-\rho)\delta^2,\quad x \leftarrow x - \mathrm{lr}\,\delta`

    ``foreach`` and ``capturable`` are accepted and have no effect. Raises ValueError for invalid options.
    Source: Zeiler 2012.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adadelta([x])
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.9968, -1.9968]
    """

    state_arrays = ("square_avg", "acc_delta")
    not_negative = ("lr", "eps", "weight_decay")
    scratch = 3

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals(), "capturable foreach differentiable"))

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for invalid options."""
        super().check(group)
        need(0.0 <= group["rho"] <= 1.0, "rho value", group["rho"])

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter by its gradient, scaled by its recent updates."""
        lr, rho, eps, maximize, decay = (group[name] for name in ("lr", "rho", "eps", "maximize", "weight_decay"))
        for x, g, _, (v, u, work, root, move) in jobs:
            if maximize or decay:
                g = steered(x, g, maximize, decay, work)
            average_square(v, g, rho, 1 - rho, root)
            np.sqrt(np.add(v, eps, root), root)
            np.sqrt(np.add(u, eps, move), move)
            np.divide(move, root, move)
            np.multiply(move, g, move)
            average_square(u, move, rho, 1 - rho, work)
            np.multiply(move, lr, move)
            np.subtract(x, move, x)
