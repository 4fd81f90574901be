"""Adamax: Adam with the largest gradient in place of the root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average, check_common, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer

FIELDS = ("exp_avg", "exp_inf")


class Adamax(Optimizer):
    r"""Adamax: Adam with the largest gradient of late in place of the root mean square.

    :math:`m \leftarrow \beta_1 m + (1-\beta_1) g,\quad u \leftarrow \max(\beta_2 u, |g| + \epsilon),\quad
    x \leftarrow x - \frac{\mathrm{lr}}{1-\beta_1^t}\, m / u`

    ``foreach`` and ``capturable`` are accepted and change nothing. Raises ValueError for options that do not fit.
    Source: Kingma and Ba 2015, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adamax([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.5, -1.5]
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError where an option does not fit."""
        check_common(group)

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the state arrays of each parameter."""
        return FIELDS

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Move each parameter along its averaged gradient."""
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        maximize, decay = group["maximize"], group["weight_decay"]
        for x, g, state, (m, u, a, b) in jobs:
            if maximize or decay:
                g = steered(x, g, maximize, decay, a)
            average(m, g, 1 - beta1, b)
            np.abs(g, b)
            np.add(b, eps, b)
            np.multiply(u, beta2, u)
            np.maximum(u, b, out=u)
            np.multiply(m, lr / (1 - beta1 ** state["step"]), b)
            np.divide(b, u, b)
            np.subtract(x, b, x)
