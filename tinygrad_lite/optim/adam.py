"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_lite.optim.optimizer import Job, Optimizer, need, scalar, steered

AVERAGES = ("exp_avg", "exp_avg_sq")
WITH_MAXIMUM = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")


def check_adam(group: dict[str, Any]) -> None:
    """Raise ValueError where an option of Adam or one of its kin does not fit."""
    need(group["lr"] >= 0.0, "learning rate", group["lr"])
    need(group["eps"] >= 0.0, "epsilon value", group["eps"])
    for i, beta in enumerate(group["betas"]):
        need(0.0 <= beta < 1.0, f"beta parameter at index {i}", beta)
    need(group["weight_decay"] >= 0.0, "weight_decay value", group["weight_decay"])


class Adam(Optimizer):
    r"""Adam: steps scaled by running averages of the gradient and of its square.

    :math:`m \leftarrow \beta_1 m + (1-\beta_1) g,\quad v \leftarrow \beta_2 v + (1-\beta_2) g^2,\quad
    x \leftarrow x - \mathrm{lr}\,\hat m / (\sqrt{\hat v} + \epsilon)`

    with :math:`\hat m = m / (1-\beta_1^t)` and :math:`\hat v = v / (1-\beta_2^t)`. ``amsgrad`` divides by the largest
    :math:`v` so far. ``weight_decay`` adds :math:`\lambda x` to the gradient, or with ``decoupled_weight_decay`` shrinks
    the parameter by :math:`\mathrm{lr}\,\lambda x` instead. ``l1`` gives exact zeros (see `Optimizer`). ``foreach``,
    ``fused`` and ``capturable`` are accepted and change nothing.

    Raises ValueError for options that do not fit. Source: Kingma and Ba 2015, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> [round(v, 4) for v in x.tolist()]
    [0.5, -1.5]
    """

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
        super().__init__(params, {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay, "l1": l1, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError where an option does not fit."""
        check_adam(group)

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the state arrays of each parameter."""
        return WITH_MAXIMUM if group["amsgrad"] else AVERAGES

    def update(self, group: dict[str, Any], jobs: Iterator[Job]) -> None:
        """Move each parameter along its averaged gradient."""
        multiply, add, subtract, divide, sqrt = np.multiply, np.add, np.subtract, np.divide, np.sqrt
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        decoupled, amsgrad = group["decoupled_weight_decay"], group["amsgrad"]
        steer = group["maximize"] or (decay and not decoupled)
        if decoupled and group["maximize"]:
            group = {**group, "weight_decay": 0}
        dtype, counted = None, 0
        for x, g, step, arrays in jobs:
            if step != counted or x.dtype is not dtype:
                counted, dtype = step, x.dtype
                size, root = scalar(lr / (1 - beta1**step), x), scalar((1 - beta2**step) ** 0.5, x)
                new1, keep2, new2 = scalar(1 - beta1, x), scalar(beta2, x), scalar(1 - beta2, x)
                eps = scalar(group["eps"], x)
            m, v, a, b = arrays[0], arrays[1], arrays[-2], arrays[-1]
            if decay and decoupled:
                multiply(x, 1 - lr * decay, x)
            if steer:
                g = steered(x, g, group, a)
            subtract(g, m, b)
            multiply(b, new1, b)
            add(m, b, m)
            multiply(g, new2, b)
            multiply(b, g, b)
            multiply(v, keep2, v)
            add(v, b, v)
            if amsgrad:
                v = np.maximum(arrays[2], v, arrays[2])
            sqrt(v, a)
            divide(a, root, a)
            add(a, eps, a)
            multiply(m, size, b)
            divide(b, a, b)
            subtract(x, b, x)


class AdamW(Adam):
    r"""Adam with weight decay that does not pass through the averages: :math:`x \leftarrow x - \mathrm{lr}\,\lambda x`.

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
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, foreach=foreach, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True, l1=l1,
        )  # fmt: skip
