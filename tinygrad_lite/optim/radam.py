"""RAdam: Adam that scales steps only once the variance of the scale is small."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average, average_square, decays, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class RAdam(Optimizer):
    r"""RAdam: Adam that scales steps only once the variance of the scale is small.

    With :math:`\rho_\infty = 2/(1-\beta_2) - 1` and :math:`\rho_t = \rho_\infty - 2t\beta_2^t/(1-\beta_2^t)`, the
    step is :math:`\mathrm{lr}\,\hat m` while :math:`\rho_t \le 5`, and then

    :math:`\mathrm{lr}\,\hat m \sqrt{1-\beta_2^t} / (\sqrt v + \epsilon) \cdot
    \sqrt{\frac{(\rho_t-4)(\rho_t-2)\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\rho_t}}`

    ``decoupled_weight_decay`` shrinks the parameter instead of adding to the gradient. ``foreach`` and ``capturable``
    are accepted and have no effect. Raises ValueError for invalid options. Source: Liu et al. 2020.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RAdam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.0, 0.0]
    """

    state_arrays = ("exp_avg", "exp_avg_sq")
    not_negative = ("lr", "eps", "weight_decay")

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
        super().__init__(params, options(locals(), "foreach capturable decoupled_weight_decay differentiable"))

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its averaged gradient."""
        multiply, divide = np.multiply, np.divide
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        (keep, decay), maximize = decays(group), group["maximize"]
        new1, new2, end = 1 - beta1, 1 - beta2, 2 / (1 - beta2) - 1
        for x, g, state, (m, v, work, move) in jobs:
            step = state["step"]
            if keep != 1.0:
                multiply(x, keep, x)
            if maximize or decay:
                g = steered(x, g, maximize, decay, work)
            average(m, g, new1, move)
            average_square(v, g, beta2, new2, move)
            divide(m, 1 - beta1**step, move)
            multiply(move, lr, move)
            rest = 1 - beta2**step
            rho = end - 2 * step * beta2**step / rest
            if rho > 5.0:
                np.sqrt(v, work)
                np.add(work, eps, work)
                divide(rest**0.5, work, work)
                multiply(move, work, move)
                multiply(move, ((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)) ** 0.5, move)
            np.subtract(x, move, x)
