"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.optim.formula import average, average_square, check_common, scalar, shrink, steered
from tinygrad_lite.optim.optimizer import Job, Optimizer

AVERAGES = ("exp_avg", "exp_avg_sq")
WITH_MAXIMUM = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")


class Adam(Optimizer):
    r"""Adam: steps scaled by running averages of the gradient and of its square.

    :math:`m \leftarrow \beta_1 m + (1-\beta_1) g,\quad v \leftarrow \beta_2 v + (1-\beta_2) g^2,\quad
    x \leftarrow x - \mathrm{lr}\,\hat m / (\sqrt{\hat v} + \epsilon)`

    with :math:`\hat m = m / (1-\beta_1^t)` and :math:`\hat v = v / (1-\beta_2^t)`. ``amsgrad`` divides by the largest
    :math:`v` so far. ``weight_decay`` adds :math:`\lambda x` to the gradient, or with ``decoupled_weight_decay``
    shrinks the parameter by :math:`\mathrm{lr}\,\lambda x` instead. ``l1`` adds an L1 penalty of that weight to
    the loss, by a proximal step: it makes weights exactly zero. ``foreach``,
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
        check_common(group, "l1")

    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the state arrays of each parameter."""
        return WITH_MAXIMUM if group["amsgrad"] else AVERAGES

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Move each parameter along its averaged gradient."""
        multiply, divide = np.multiply, np.divide
        lr, (beta1, beta2), eps, decay = group["lr"], group["betas"], group["eps"], group["weight_decay"]
        maximize, amsgrad, keep, l1 = group["maximize"], group["amsgrad"], 1.0, lr * group["l1"]
        if group["decoupled_weight_decay"]:
            keep, decay = 1 - lr * decay, 0
        dtype: Any = None
        size = root = new1 = keep2 = new2 = tiny = dtype
        known = 0
        for x, g, state, arrays in jobs:
            if state["step"] != known or x.dtype is not dtype:
                known, dtype = state["step"], x.dtype
                size = np.array(lr / (1 - beta1**known), dtype)  # other numbers in each step
                root = np.array((1 - beta2**known) ** 0.5, dtype)
                new1, keep2, new2 = scalar(1 - beta1, dtype), scalar(beta2, dtype), scalar(1 - beta2, dtype)
                tiny = scalar(eps, dtype)
            m, v, a, b = arrays[0], arrays[1], arrays[-2], arrays[-1]
            if keep != 1.0:
                multiply(x, keep, x)
            if maximize or decay:
                g = steered(x, g, maximize, decay, a)
            average(m, g, new1, b)
            average_square(v, g, keep2, new2, b)
            if amsgrad:
                v = np.maximum(arrays[2], v, out=arrays[2])
            np.sqrt(v, a)
            divide(a, root, a)
            np.add(a, tiny, a)
            multiply(m, size, b)
            divide(b, a, b)
            np.subtract(x, b, x)
            if l1:
                shrink(x, divide(l1, a, a), b)  # in the scale of each element's step


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
