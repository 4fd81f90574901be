"""RAdam: Adam that waits with scaling until the variance of its scale is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average, average_square, check_common, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer

FIELDS = ("exp_avg", "exp_avg_sq")


class RAdam(Optimizer):
    r"""RAdam: Adam that waits with scaling until the variance of its scale is known.

    With :math:`\rho_\infty = 2/(1-\beta_2) - 1` and :math:`\rho_t = \rho_\infty - 2t\beta_2^t/(1-\beta_2^t)`, the
    step is :math:`\mathrm{lr}\,\hat m` while :math:`\rho_t \le 5`, and then

    :math:`\mathrm{lr}\,\hat m \sqrt{1-\beta_2^t} / (\sqrt v + \epsilon) \cdot
    \sqrt{\frac{(\rho_t-4)(\rho_t-2)\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\rho_t}}`

    ``decoupled_weight_decay`` shrinks the parameter instead of adding to the gradient. ``foreach`` and ``capturable``
    are accepted and change nothing. Raises ValueError for options that do not fit. Source: Liu et al. 2020.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RAdam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.0, 0.0]
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError where an option does not fit."""
        check_common(group)

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the state arrays of each parameter."""
        return FIELDS

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Move each parameter along its averaged gradient."""
        multiply, divide = np.multiply, np.divide
        lr, (beta1, beta2), eps, decay = group["lr"], group["betas"], group["eps"], group["weight_decay"]
        maximize, keep = group["maximize"], 1.0
        if group["decoupled_weight_decay"]:
            keep, decay = 1 - lr * decay, 0
        new1, new2, end = 1 - beta1, 1 - beta2, 2 / (1 - beta2) - 1
        for x, g, state, (m, v, a, b) in jobs:
            step = state["step"]
            if keep != 1.0:
                multiply(x, keep, x)
            if maximize or decay:
                g = steered(x, g, maximize, decay, a)
            average(m, g, new1, b)
            average_square(v, g, beta2, new2, b)
            divide(m, 1 - beta1**step, b)
            multiply(b, lr, b)
            rest = 1 - beta2**step
            rho = end - 2 * step * beta2**step / rest
            if rho > 5.0:
                np.sqrt(v, a)
                np.add(a, eps, a)
                divide(rest**0.5, a, a)
                multiply(b, a, b)
                multiply(b, ((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)) ** 0.5, b)
            np.subtract(x, b, x)
