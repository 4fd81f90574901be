"""RMSprop: steps scaled by a running average of the squared gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average, average_square, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options

CHOICES = {
    (False, False): ("square_avg",),
    (True, False): ("square_avg", "momentum_buffer"),
    (False, True): ("square_avg", "grad_avg"),
    (True, True): ("square_avg", "momentum_buffer", "grad_avg"),
}
"""State arrays by (momentum, centered)."""


class RMSprop(Optimizer):
    r"""RMSprop: steps scaled by a running average of the squared gradient.

    :math:`v \leftarrow \alpha v + (1-\alpha) g^2,\quad x \leftarrow x - \mathrm{lr}\, g / (\sqrt v + \epsilon)`

    ``centered`` divides by the running standard deviation :math:`\sqrt{v - \bar g^2}`, ``momentum`` keeps a running sum
    of the scaled gradients. ``foreach`` and ``capturable`` are accepted and have no effect.

    Raises ValueError for invalid options. Source: Hinton's lectures 2012; centered: Graves 2013.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RMSprop([x], lr=0.05)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.5, -1.5]
    """

    not_negative = ("lr", "eps", "weight_decay", "momentum", "alpha")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params, options(locals(), "alpha eps centered weight_decay capturable foreach maximize differentiable")
        )

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the state arrays of each parameter."""
        return CHOICES[bool(group["momentum"]), bool(group["centered"])]

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its scaled gradient or a running sum of these."""
        lr, alpha, eps, momentum = (group[name] for name in ("lr", "alpha", "eps", "momentum"))
        maximize, decay, centered = group["maximize"], group["weight_decay"], group["centered"]
        for x, g, _, arrays in jobs:
            v, work, move = arrays[0], arrays[-2], arrays[-1]
            if maximize or decay:
                g = steered(x, g, maximize, decay, work)
            average_square(v, g, alpha, 1 - alpha, move)
            if centered:
                mean = arrays[-3]
                average(mean, g, 1 - alpha, move)
                v = np.subtract(v, np.multiply(mean, mean, move), move)
            np.sqrt(v, move)
            np.add(move, eps, move)
            if momentum:
                m = arrays[1]
                np.divide(g, move, move)
                np.multiply(m, momentum, m)
                np.add(m, move, m)
                np.multiply(m, lr, move)
            else:
                np.multiply(g, lr, work)
                np.divide(work, move, move)
            np.subtract(x, move, x)
