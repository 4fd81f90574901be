"""Values of small arrays, and statistics of arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SMALL = 1024
"""Arrays of up to this many elements are kept by value."""


def kept(array: Any) -> Any:
    """Return a small array as a number or nested lists, None for a large one."""
    return array.tolist() if array.size <= SMALL else None


def statistics(array: Any) -> dict[str, float]:
    """Return min, max, mean and std of the finite elements, the norm, and how many are not finite.

    >>> statistics(np.array([3.0, 4.0]))
    {'min': 3.0, 'max': 4.0, 'mean': 3.5, 'std': 0.5, 'norm': 5.0, 'nonfinite': 0}
    """
    x = array.ravel().astype(np.float64, copy=False)
    ok = np.isfinite(x)
    lost = int(x.size - np.count_nonzero(ok))
    if lost:
        x = x[ok]
    if not x.size:
        return {**dict.fromkeys(("min", "max", "mean", "std", "norm"), math.nan), "nonfinite": lost}
    scale = float(np.abs(x).max())
    norm = 0.0 if not scale else scale * float(np.sqrt(np.square(x / scale).sum()))
    with np.errstate(over="ignore"):
        spread, middle = float(x.std()), float(x.mean())
    return {
        "min": float(x.min()), "max": float(x.max()), "mean": middle, "std": spread, "norm": norm, "nonfinite": lost,
    }  # fmt: skip


def trouble(array: Any) -> str:
    """Return ``"NaN"`` or ``"inf"`` if the array has such an element, else an empty string."""
    if array.dtype.kind != "f" or not array.size:
        return ""
    flat = array if array.ndim == 1 else array.ravel()
    with np.errstate(all="ignore"):
        if math.isfinite(flat.dot(flat)):
            return ""
        return "NaN" if np.isnan(flat).any() else "inf" if np.isinf(flat).any() else ""
