"""ASGD: gradient descent that also keeps the average of the parameters over the steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent with decreasing steps.

    :math:`x \leftarrow (1 - \lambda \eta_t)\, x - \eta_t\, g, \quad \eta_{t+1} = \mathrm{lr} / (1 + \lambda\,
    \mathrm{lr}\, t)^\alpha`, and from step ``t0`` on :math:`a \leftarrow a + (x - a) / (t - t_0)`, before that
    :math:`a = x`.

    The average is ``optimizer.state[x]["ax"]``; copy it into the parameters to use it. ``lambd`` is
    :math:`\lambda`. ``foreach`` and ``capturable`` are accepted and have no effect. Raises ValueError for invalid
    options. Source: Polyak, Juditsky 1992, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = ASGD([x], lr=0.25, lambd=0.0)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.tolist(), optimizer.state[x]["ax"].tolist()
    ([0.5, -1.0], [0.5, -1.0])
    """

    state_arrays = ("ax",)
    not_negative = ("lr", "weight_decay")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its gradient, and its average."""
        maximize, decay = group["maximize"], group["weight_decay"]
        lr, lambd = group["lr"], group["lambd"]
        states: dict[int, dict[str, Any]] = {}  # a large parameter has several jobs with one state
        for x, g, state, (mean, work, move) in jobs:
            states[id(state)] = state
            eta, share = state.get("eta", lr), state.get("mu", 1.0)
            if maximize or decay:
                g = steered(x, g, maximize, decay, work)
            np.multiply(x, 1 - lambd * eta, x)
            np.multiply(g, eta, move)
            np.subtract(x, move, x)
            if share == 1:
                np.copyto(mean, x)
            else:
                np.subtract(x, mean, work)
                np.multiply(work, share, work)
                np.add(mean, work, mean)
        for state in states.values():
            state["eta"] = lr / (1 + lambd * lr * state["step"]) ** group["alpha"]
            state["mu"] = 1 / max(1, state["step"] - group["t0"])
