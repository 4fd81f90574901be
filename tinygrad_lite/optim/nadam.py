"""NAdam: Adam with Nesterov's look-ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.optim.formula import average, average_square, decays, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class NAdam(Optimizer):
    r"""NAdam: Adam with Nesterov's look-ahead.

    With Adam's averages :math:`m, v`, :math:`\mu_t = \beta_1 (1 - \tfrac12\, 0.96^{t\psi})` and
    :math:`\Pi_t = \prod_{i \le t} \mu_i`:

    :math:`x \leftarrow x - \mathrm{lr}\left(\frac{(1-\mu_t)\,g}{1-\Pi_t} + \frac{\mu_{t+1}\,m}{1-\Pi_{t+1}}\right)
    \Big/ \left(\sqrt{v / (1-\beta_2^t)} + \epsilon\right)`

    :math:`\psi` is ``momentum_decay``. ``decoupled_weight_decay`` shrinks the parameter instead of adding to the
    gradient. ``foreach`` and ``capturable`` are accepted and have no effect.

    Raises ValueError for invalid options. Source: Dozat 2016, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = NAdam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.4718, -1.4718]
    """

    state_arrays = ("exp_avg", "exp_avg_sq")
    not_negative = ("lr", "eps", "weight_decay", "momentum_decay")

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
        super().__init__(params, options(locals(), "foreach capturable differentiable"))

    @staticmethod
    def advance(state: dict[str, Any], group: dict[str, Any]) -> None:
        """Update the product of all momenta so far."""
        state["mu_product"] = state.get("mu_product", 1.0) * momentum(group, state["step"])

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its gradient and its average of the next step."""
        multiply, divide, add = np.multiply, np.divide, np.add
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        (keep, decay), maximize = decays(group), group["maximize"]
        new1, new2 = 1 - beta1, 1 - beta2
        for x, g, state, (m, v, work, move) in jobs:
            step, product = state["step"], state["mu_product"]
            mu, mu_next = momentum(group, step), momentum(group, step + 1)
            # numbers become arrays before the first write into x: without memory it keeps its value
            now, ahead, size, least, kept = (
                new.array(value, x.dtype)
                for value in (
                    -lr * (1.0 - mu) / (1.0 - product), -lr * mu_next / (1.0 - product * mu_next), 1 - beta2**step,
                    eps, keep,
                )
            )  # fmt: skip
            if maximize or decay:
                g = steered(x, g, maximize, decay, work)
            average(m, g, new1, move)
            average_square(v, g, beta2, new2, move)
            multiply(g, now, move)
            divide(v, size, work)
            np.sqrt(work, work)
            add(work, least, work)
            divide(move, work, move)
            if keep != 1.0:
                multiply(x, kept, x)
            add(x, move, x)
            multiply(m, ahead, move)
            divide(move, work, move)
            add(x, move, x)


def momentum(group: dict[str, Any], step: int) -> float:
    """Return the momentum of one step; it grows towards beta1."""
    value: float = group["betas"][0] * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"]))
    return value
