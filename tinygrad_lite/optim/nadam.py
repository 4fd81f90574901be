"""NAdam: Adam that looks ahead as Nesterov's momentum does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average, average_square, check_common, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer

FIELDS = ("exp_avg", "exp_avg_sq")


class NAdam(Optimizer):
    r"""NAdam: Adam that looks ahead as Nesterov's momentum does.

    With Adam's averages :math:`m, v`, :math:`\mu_t = \beta_1 (1 - \tfrac12\, 0.96^{t\psi})` and
    :math:`\Pi_t = \prod_{i \le t} \mu_i`:

    :math:`x \leftarrow x - \mathrm{lr}\left(\frac{(1-\mu_t)\,g}{1-\Pi_t} + \frac{\mu_{t+1}\,m}{1-\Pi_{t+1}}\right)
    \Big/ \left(\sqrt{v / (1-\beta_2^t)} + \epsilon\right)`

    :math:`\psi` is ``momentum_decay``. ``decoupled_weight_decay`` shrinks the parameter instead of adding to the
    gradient. ``foreach`` and ``capturable`` are accepted and change nothing.

    Raises ValueError for options that do not fit. Source: Dozat 2016, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = NAdam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.4718, -1.4718]
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError where an option does not fit."""
        check_common(group, "momentum_decay")

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the state arrays of each parameter."""
        return FIELDS

    @staticmethod
    def advance(state: dict[str, Any], group: dict[str, Any]) -> None:
        """Keep the product of all momenta so far."""
        state["mu_product"] = state.get("mu_product", 1.0) * momentum(group, state["step"])

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Move each parameter along its gradient and along the average as it will be."""
        multiply, divide, add = np.multiply, np.divide, np.add
        lr, (beta1, beta2), eps, decay = group["lr"], group["betas"], group["eps"], group["weight_decay"]
        maximize, keep = group["maximize"], 1.0
        if group["decoupled_weight_decay"]:
            keep, decay = 1 - lr * decay, 0
        new1, new2 = 1 - beta1, 1 - beta2
        for x, g, state, (m, v, a, b) in jobs:
            step, product = state["step"], state["mu_product"]
            mu, mu_next = momentum(group, step), momentum(group, step + 1)
            if keep != 1.0:
                multiply(x, keep, x)
            if maximize or decay:
                g = steered(x, g, maximize, decay, a)
            average(m, g, new1, b)
            average_square(v, g, beta2, new2, b)
            multiply(g, -lr * (1.0 - mu) / (1.0 - product), b)
            divide(v, 1 - beta2**step, a)
            np.sqrt(a, a)
            add(a, eps, a)
            divide(b, a, b)
            add(x, b, x)
            multiply(m, -lr * mu_next / (1.0 - product * mu_next), b)
            divide(b, a, b)
            add(x, b, x)


def momentum(group: dict[str, Any], step: int) -> float:
    """Return the momentum of one step; it grows towards beta1."""
    return float(group["betas"][0] * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"])))
