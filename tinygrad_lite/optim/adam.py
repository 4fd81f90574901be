"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.optim.formula import average, average_square, decays, shrink, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer, options

AVERAGES = ("exp_avg", "exp_avg_sq")
WITH_MAXIMUM = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")


class Adam(Optimizer):
    r"""Adam: steps scaled by running averages of the gradient and of its square.

    :math:`m \leftarrow \beta_1 m + (1-\beta_1) g,\quad v \leftarrow \beta_2 v + (1-\beta_2) g^2,\quad
    x \leftarrow x - \mathrm{lr}\,\hat m / (\sqrt{\hat v} + \epsilon)`

    with :math:`\hat m = m / (1-\beta_1^t)` and :math:`\hat v = v / (1-\beta_2^t)`. ``amsgrad`` divides by the largest
    :math:`v` so far. ``weight_decay`` adds :math:`\lambda x` to the gradient, or with ``decoupled_weight_decay``
    shrinks the parameter by :math:`\mathrm{lr}\,\lambda x` instead. ``l1`` adds an L1 penalty of that weight to
    the loss, by a proximal step: it makes weights exactly zero. ``foreach``, ``fused`` and ``capturable`` are accepted
    and have no effect.

    Raises ValueError for invalid options. Source: Kingma and Ba 2015, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.5, -1.5]
    """

    not_negative = ("lr", "eps", "weight_decay", "l1")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        l1: float = 0.0,
    ) -> None:
        super().__init__(params, options(locals(), "foreach capturable differentiable fused decoupled_weight_decay"))

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the state arrays of each parameter."""
        return WITH_MAXIMUM if group["amsgrad"] else AVERAGES

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update each parameter along its averaged gradient."""
        multiply, divide = np.multiply, np.divide
        lr, (beta1, beta2), (keep, decay) = group["lr"], group["betas"], decays(group)
        maximize, amsgrad, l1 = group["maximize"], group["amsgrad"], lr * group.get("l1", 0.0)
        dtype: Any = None
        size = root = new1 = keep2 = new2 = eps = dtype
        known = 0
        for x, g, state, arrays in jobs:
            if state["step"] != known or x.dtype is not dtype:
                known, dtype = state["step"], x.dtype
                size = new.array(lr / (1 - beta1**known), dtype)  # a new value in each step, so not shared
                root = new.array((1 - beta2**known) ** 0.5, dtype)
                new1, keep2, new2, eps = (
                    new.scalar(value, dtype) for value in (1 - beta1, beta2, 1 - beta2, group["eps"])
                )
            m, v, work, move = arrays[0], arrays[1], arrays[-2], arrays[-1]
            if keep != 1.0:
                multiply(x, keep, x)
            if maximize or decay:
                g = steered(x, g, maximize, decay, work)
            average(m, g, new1, move)
            average_square(v, g, keep2, new2, move)
            if amsgrad:
                v = np.maximum(arrays[2], v, out=arrays[2])
            np.sqrt(v, work)
            divide(work, root, work)
            np.add(work, eps, work)
            multiply(m, size, move)
            divide(move, work, move)
            np.subtract(x, move, x)
            if l1:
                shrink(x, divide(l1, work, work), move)  # the threshold is scaled like the step of each element


class AdamW(Adam):
    r"""AdamW: Adam with decoupled weight decay.

    It shrinks the parameter first, :math:`x \leftarrow x - \mathrm{lr}\,\lambda x`.
    Everything else is `Adam`. Source: Loshchilov and Hutter 2019.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = AdamW([x], lr=0.5, weight_decay=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.45, -1.4]
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        l1: float = 0.0,
    ) -> None:
        super().__init__(params, **options(locals()), decoupled_weight_decay=True)
