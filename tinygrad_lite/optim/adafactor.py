"""Adafactor: the squares of a matrix of gradients kept as one average per row and one per column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.source import user_frame
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.optim.optimizer import Optimizer, numbers, options


class Adafactor(Optimizer):
    """Adafactor: steps scaled by averages of squared gradients that need memory for rows and columns only.

    ``lr`` is the largest relative step size, ``beta2_decay`` how the average learns less over time, ``d`` the largest
    root mean square of a step, ``eps`` (None: of the dtype) the smallest root of an average and the smallest scale of
    a parameter. ``foreach`` has no effect.

    Source: Shazeer and Stern 2018, in PyTorch's form.

    >>> import tinygrad_lite as tl
    >>> tl.optim.Adafactor([tl.nn.Parameter(tl.zeros(2, 2))], lr=0.01)
    Adafactor (
    Parameter Group 0
        beta2_decay: -0.8
        d: 1.0
        eps: (None, 0.001)
        foreach: None
        lr: 0.01
        maximize: False
        weight_decay: 0.0
    )
    """

    not_negative = ("lr", "weight_decay")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for an option outside its range."""
        for what, value in (("Learning rate", group["lr"]), ("weight_decay", group["weight_decay"])):
            if not value >= 0.0:
                raise ValueError(f"{what} should be >= 0 but is: {value}")
        if not group["beta2_decay"] <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {group['beta2_decay']}")
        for i, eps in enumerate(group["eps"]):
            if eps is not None and not eps >= 0.0:
                raise ValueError(f"epsilon{i + 1} should be >= 0 but is: {eps}")
        if not group["d"] >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {group['d']}")

    def _take(self, closure: Callable[[], Any] | None, frame: Any) -> Any:
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        work = [(numbers(group), p) for group in self.param_groups for p in group["params"] if p.grad is not None]
        for _, p in work:
            if p.grad.array.shape != p.array.shape:
                raise ShapeError(f"Adafactor: a parameter {describe(p)} has a gradient {describe(p.grad)}")
        frame = user_frame(frame)
        for group, p in work:
            if p.array.size:
                self._one(group, p)
            bump(p.array, (frame.f_code, frame.f_lasti))
        return loss

    def _one(self, group: dict[str, Any], p: Any) -> None:
        x, g = p.array, -p.grad.array if group["maximize"] else p.grad.array
        state = self.state[p]
        if not state:
            state["step"] = make(new.zeros((), np.float32))
            if g.ndim > 1:
                state["row_var"] = make(new.zeros((*g.shape[:-1], 1), g.dtype))
                state["col_var"] = make(new.zeros((*g.shape[:-2], 1, g.shape[-1]), g.dtype))
            else:
                state["variance"] = make(new.zeros(g.shape, g.dtype))
        state["step"].array += 1
        count = state["step"].array.astype(np.float64)  # arrays of one number: a recorded step repeats what they follow
        eps1, eps2 = group["eps"]
        eps1 = float(np.finfo(x.dtype).eps) if eps1 is None else eps1
        share, size = (count ** group["beta2_decay"]).astype(x.dtype), x.size**0.5
        rate = np.fmax(eps2, _length(x) / size) * np.fmin(group["lr"], count**-0.5)
        if group["weight_decay"]:
            x *= 1 - group["lr"] * group["weight_decay"]
        square = g * g
        if g.ndim > 1:
            row, column = state["row_var"].array, state["col_var"].array
            row += share * (square.mean(-1, keepdims=True) - row)
            column += share * (square.mean(-2, keepdims=True) - column)
            variance = row @ column / np.maximum(row.mean(-2, keepdims=True), eps1)
        else:
            variance = state["variance"].array
            variance += share * (square - variance)
        update = g / np.sqrt(np.maximum(variance, eps1 * eps1))
        x -= update * (rate / np.fmax(1.0, _length(update) / (size * group["d"]))).astype(x.dtype)


def _length(a: Any) -> Any:
    return np.linalg.norm(a).astype(np.float64)
