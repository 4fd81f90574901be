"""Adamax: Adam scaled by a decaying maximum of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class Adamax(Optimizer):
    r"""Adamax: Adam scaled by a decaying maximum of the gradient.

    :math:`m \leftarrow \beta_1 m + (1-\beta_1) g,\quad u \leftarrow \max(\beta_2 u, |g| + \epsilon),\quad
    x \leftarrow x - \frac{\mathrm{lr}}{1-\beta_1^t}\, m / u`

    ``foreach`` and ``capturable`` are accepted and have no effect. Raises ValueError for invalid options.
    Source: Kingma and Ba 2015, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adamax([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.5, -1.5]
    """

    state_arrays = ("exp_avg", "exp_inf")
    not_negative = ("lr", "eps", "weight_decay")

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
        super().__init__(params, options(locals()))

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its averaged gradient."""
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        maximize, decay = group["maximize"], group["weight_decay"]
        for x, g, state, (m, u, work, move) in jobs:
            if maximize or decay:
                g = steered(x, g, maximize, decay, work)
            average(m, g, 1 - beta1, move)
            np.abs(g, work)
            np.add(work, eps, work)
            np.multiply(u, beta2, u)
            np.maximum(u, work, out=u)
            np.multiply(m, lr / (1 - beta1 ** state["step"]), move)
            np.divide(move, u, move)
            np.subtract(x, move, x)
