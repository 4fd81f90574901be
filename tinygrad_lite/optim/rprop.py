"""Rprop: steps from the signs of the gradient only, for full batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.optim.formula import need, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options


class Rprop(Optimizer):
    r"""Rprop: a step size per element, adapted by gradient signs; for full batches.

    :math:`s \leftarrow \operatorname{clip}(s\,\eta_\pm, s_{min}, s_{max}),\quad
    x \leftarrow x - \operatorname{sign}(g)\,s`

    with :math:`\eta_+` where the sign is unchanged, else :math:`\eta_-`, and then the element skips one step.
    :math:`s` starts at ``lr``. ``foreach`` and ``capturable`` are accepted and have no effect.

    Raises ValueError for invalid options. Source: Riedmiller and Braun 1993.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Rprop([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.5, -1.5]
    """

    state_arrays = ("prev", "step_size")
    not_negative = ("lr",)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals(), "capturable"))

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for invalid options."""
        super().check(group)
        need(0.0 < group["etas"][0] < 1.0 < group["etas"][1], "eta values", group["etas"])

    def initial(self, field: str, x: Any, group: dict[str, Any]) -> Any:
        """Return the initial state array."""
        return new.like(x).full(x.shape, group["lr"] if field == "step_size" else 0.0, x.dtype)

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each element by its step size, against the sign of its gradient."""
        (shorter, longer), (least, most), maximize = group["etas"], group["step_sizes"], group["maximize"]
        for x, g, _, (before, size, work, move) in jobs:
            g = steered(x, g, maximize, 0, work)
            np.multiply(g, before, move)
            before[...] = g
            turned = move < 0
            before[turned] = 0
            np.copyto(size, np.multiply(size, longer, work), where=move > 0)
            np.copyto(size, np.multiply(size, shorter, work), where=turned)
            np.maximum(size, least, out=size)
            np.minimum(size, most, out=size)
            np.sign(before, move)
            move[move != move] = 0  # NaN has no sign
            np.multiply(move, size, move)
            np.subtract(x, move, x)
