"""Shared parts of the update formulas; all work in place on bare arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def need(fits: bool, what: str, value: Any) -> None:
    """Raise PyTorch's ValueError for an invalid option, unless it ``fits``."""
    if not fits:
        raise ValueError(f"Invalid {what}: {value}")


def decays(group: dict[str, Any]) -> tuple[float, float]:
    """Return the factor that shrinks each parameter, and the weight decay to add to its gradient."""
    if group["decoupled_weight_decay"]:
        return 1 - group["lr"] * group["weight_decay"], 0
    return 1.0, group["weight_decay"]


def steered(x: Any, g: Any, maximize: bool, decay: float, out: Any) -> Any:
    """Return the gradient to descend along: negated to ``maximize``, plus ``decay * x``; in ``out`` if changed."""
    if maximize:
        g = np.negative(g, out)
    if decay:
        g = np.add(g, x * decay if g is out else np.multiply(x, decay, out), out)
    return g


def shrink(x: Any, by: Any, out: Any) -> None:
    r"""Move ``x`` towards zero by ``by`` and stop there: :math:`x \leftarrow \operatorname{sign}(x)\max(|x| - by, 0)`.

    This is the proximal step of an L1 penalty. It makes weights exactly zero, unlike a penalty in the loss.
    """
    np.minimum(x, by, out=out)
    np.maximum(out, -by, out=out)
    np.subtract(x, out, x)


def average(m: Any, g: Any, new: Any, out: Any) -> None:
    """Update a running average: ``m += new * (g - m)``."""
    np.subtract(g, m, out)
    np.multiply(out, new, out)
    np.add(m, out, m)


def average_square(v: Any, g: Any, keep: Any, new: Any, out: Any) -> None:
    """Update a running average of squares: ``v = keep * v + new * g * g``."""
    np.multiply(g, new, out)
    np.multiply(out, g, out)
    np.multiply(v, keep, v)
    np.add(v, out, v)
