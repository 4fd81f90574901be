"""Adadelta: steps in the unit of the parameter, without a learning rate to choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average_square, check_common, need, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer

FIELDS = ("square_avg", "acc_delta")


class Adadelta(Optimizer):
    r"""Adadelta: steps in the unit of the parameter, without a learning rate to choose.

    :math:`v \leftarrow \rho v + (1-\rho) g^2,\quad \delta = \sqrt{\frac{u + \epsilon}{v + \epsilon}}\, g,\quad
    u \leftarrow \rho u + (1-\rho)\delta^2,\quad x \leftarrow x - \mathrm{lr}\,\delta`

    ``foreach`` and ``capturable`` are accepted and change nothing. Raises ValueError for options that do not fit.
    Source: Zeiler 2012.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adadelta([x])
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.9968, -1.9968]
    """

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
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError where an option does not fit."""
        check_common(group)
        need(0.0 <= group["rho"] <= 1.0, "rho value", group["rho"])

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the state arrays of each parameter."""
        return FIELDS

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Move each parameter by what it moved of late, in proportion to its gradient."""
        lr, rho, eps, maximize, decay = (group[name] for name in ("lr", "rho", "eps", "maximize", "weight_decay"))
        for x, g, _, (v, u, a, b, c) in jobs:
            if maximize or decay:
                g = steered(x, g, maximize, decay, a)
            average_square(v, g, rho, 1 - rho, b)
            np.sqrt(np.add(v, eps, b), b)
            np.sqrt(np.add(u, eps, c), c)
            np.divide(c, b, c)
            np.multiply(c, g, c)
            average_square(u, c, rho, 1 - rho, b)
            np.multiply(c, lr, b)
            np.subtract(x, b, x)
