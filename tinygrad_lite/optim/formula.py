"""Pieces that the formulas of several optimisers share; all work in place on bare arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np


def need(fits: bool, what: str, value: Any) -> None:
    """Raise PyTorch's ValueError for an option that does not fit."""
    if not fits:
        raise ValueError(f"Invalid {what}: {value}")


def check_common(group: dict[str, Any], *positive: str) -> None:
    """Check the learning rate and ``weight_decay``, ``eps`` and ``betas`` where a group has them."""
    need(group["lr"] >= 0.0, "learning rate", group["lr"])
    if "eps" in group:
        need(group["eps"] >= 0.0, "epsilon value", group["eps"])
    for i, beta in enumerate(group.get("betas", ())):
        need(0.0 <= beta < 1.0, f"beta parameter at index {i}", beta)
    need(group.get("weight_decay", 0.0) >= 0.0, "weight_decay value", group.get("weight_decay"))
    for name in positive:
        need(group[name] >= 0.0, f"{name} value", group[name])


@lru_cache(maxsize=256)
def scalar(value: float, dtype: Any) -> Any:
    """Return a number as a 0-d array, shared and read-only: NumPy takes it twice as fast as a Python number."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


def steered(x: Any, g: Any, maximize: bool, decay: float, out: Any) -> Any:
    """Return the gradient to descend along: negated to ``maximize``, ``decay * x`` added; in ``out`` if changed."""
    if maximize:
        g = np.negative(g, out)
    if decay:
        g = np.add(g, x * decay if g is out else np.multiply(x, decay, out), out)
    return g


def shrink(x: Any, by: Any, out: Any) -> None:
    r"""Move ``x`` towards zero by ``by`` and stop there: :math:`x \leftarrow \operatorname{sign}(x)\max(|x| - by, 0)`.

    This is the proximal step of an L1 penalty. It makes weights exactly zero, which a penalty in the loss never does.
    """
    np.minimum(x, by, out=out)
    np.maximum(out, -by, out=out)
    np.subtract(x, out, x)


def average(m: Any, g: Any, new: Any, out: Any) -> None:
    """Move a running average: ``m += new * (g - m)``."""
    np.subtract(g, m, out)
    np.multiply(out, new, out)
    np.add(m, out, m)


def average_square(v: Any, g: Any, keep: Any, new: Any, out: Any) -> None:
    """Move a running average of squares: ``v = keep * v + new * g * g``."""
    np.multiply(g, new, out)
    np.multiply(out, g, out)
    np.multiply(v, keep, v)
    np.add(v, out, v)
