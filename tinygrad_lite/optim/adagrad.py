"""Adagrad: steps scaled by the sum of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.optim.formula import steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class Adagrad(Optimizer):
    r"""Adagrad: steps scaled by the sum of all squared gradients so far.

    :math:`s \leftarrow s + g^2,\quad x \leftarrow x - \frac{\mathrm{lr}}{1 + (t-1)\,\eta}\, g / (\sqrt s + \epsilon)`

    with :math:`\eta` the ``lr_decay``; :math:`s` starts at ``initial_accumulator_value``. ``foreach`` and ``fused`` are
    accepted and have no effect. Raises ValueError for invalid options. Source: Duchi et al. 2011.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adagrad([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.5, -1.5]
    """

    state_arrays = ("sum",)
    not_negative = ("lr", "eps", "weight_decay", "lr_decay", "initial_accumulator_value")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, options(locals(), "weight_decay initial_accumulator_value foreach maximize differentiable fused")
        )
        for group in self.param_groups:
            for p in group["params"]:
                self._looked_up(p, group, self.fields(group))

    def initial(self, field: str, x: Any, group: dict[str, Any]) -> Any:
        """Return the initial sum."""
        return new.like(x).full(x.shape, group["initial_accumulator_value"], x.dtype)

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its scaled gradient."""
        eps, maximize, decay = group["eps"], group["maximize"], group["weight_decay"]
        for x, g, state, (s, work, move) in jobs:
            if maximize or decay:
                g = steered(x, g, maximize, decay, move)
            np.multiply(g, g, work)
            np.add(s, work, s)
            np.sqrt(s, work)
            np.add(work, eps, work)
            np.multiply(g, group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"]), move)
            np.divide(move, work, move)
            np.subtract(x, move, x)
