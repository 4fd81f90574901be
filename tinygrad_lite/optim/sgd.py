"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.optim.formula import need, shrink, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class SGD(Optimizer):
    r"""Stochastic gradient descent, optionally with momentum or Nesterov's look-ahead.

    :math:`b \leftarrow \mu b + (1 - \tau)\,g, \qquad x \leftarrow x - \mathrm{lr}\, b`

    with momentum :math:`\mu` and dampening :math:`\tau`; the first step takes :math:`b = g`. ``weight_decay`` adds
    :math:`\lambda x` to the gradient, ``nesterov`` moves along :math:`g + \mu b`, ``maximize`` climbs. ``l1``
    adds an L1 penalty of that weight to the loss, by a proximal step: it makes weights exactly zero. ``foreach`` and
    ``fused`` are accepted and have no effect.

    Raises ValueError for invalid options. Source: Sutskever et al. 2013, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SGD([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.tolist()
    [0.5, -1.0]
    """

    state_arrays = ("momentum_buffer",)
    counts = False
    not_negative = ("lr", "weight_decay", "momentum", "l1")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        l1: float = 0.0,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for invalid options."""
        super().check(group)
        need(not group.get("l1") or group["momentum"] < 1.0, "momentum value for a step with l1", group["momentum"])
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def saved(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state of one parameter as PyTorch keeps it, without the number of steps."""
        return {k: v for k, v in state.items() if k != "step"}

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the state arrays: a running sum, with momentum only."""
        return self.state_arrays if group["momentum"] else ()

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its gradient, or along its running sum."""
        multiply, add, subtract = np.multiply, np.add, np.subtract
        momentum, dampening, nesterov = group["momentum"], group["dampening"], group["nesterov"]
        maximize, decay = group["maximize"], group["weight_decay"]
        # momentum multiplies a steady gradient by up to this factor, so the penalty is multiplied by it too
        l1 = group.get("l1", 0.0)
        if l1:
            l1 *= group["lr"] * ((1 - dampening) / (1 - momentum) if momentum else 1.0)
        dtype: Any = None
        lr = keep = share = dtype
        for x, g, state, arrays in jobs:
            if x.dtype is not dtype:
                dtype = x.dtype
                lr = new.scalar(group["lr"], dtype)
                if momentum:
                    keep, share = new.scalar(momentum, dtype), new.scalar(1 - dampening, dtype)
            move = arrays[-1]
            if maximize or decay:
                g = steered(x, g, maximize, decay, arrays[-2])
            if momentum:
                m = arrays[0]
                if dampening and state["step"] == state.began:
                    m[...] = g
                else:
                    multiply(m, keep, m)
                    add(m, multiply(g, share, move) if dampening else g, m)
                g = add(g, multiply(m, keep, move), move) if nesterov else m
            subtract(x, multiply(g, lr, move), x)
            if l1:
                shrink(x, l1, move)
