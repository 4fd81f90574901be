"""Where a gradient is wrong, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygrad_lite.testing.point import Array


def where(bad: Array, x: Array, others: Sequence[Array] = ()) -> str:
    """The place of the bad elements: a condition on x, ties, a threshold, a border, or their number."""
    for name, cond in (
        ("at x = 0", x == 0),
        ("for x < 0", x < 0),
        ("for x <= 0", x <= 0),
        ("for x > 0", x > 0),
        ("for x >= 0", x >= 0),
        ("where it equals another input", _meets(x, others)),
        ("at tied values", tied(x)),
        ("at the largest element", x == x.max(initial=-math.inf)),
        ("everywhere", np.ones(x.shape, bool)),
    ):
        if np.array_equal(bad, cond):
            return name
    ok = ~bad
    enough = min(bad.sum(), ok.sum()) > 1
    for name, t in (("|x|", np.abs(x)), ("x", x)):
        if enough and t[bad].min() > t[ok].max():
            return f"for {name} > {t[ok].max():.3g}"
        if enough and t[bad].max() < t[ok].min():
            return f"for {name} < {t[ok].min():.3g}"
    for ax in range(x.ndim):
        rows = np.unique(np.argwhere(bad)[:, ax])
        if len(rows) < x.shape[ax] and np.take(bad, rows, ax).mean() > 0.9:
            first, last = rows[0] == 0, rows[-1] == x.shape[ax] - 1
            edge = "border" if first and last else "first" if first else "last" if last else "some"
            return f"in the {edge} {len(rows)} of {x.shape[ax]} along axis {ax}"
    for name, cond in (
        ("where x = 0", x == 0),
        ("where it equals another input", _meets(x, others)),
        ("among tied values", tied(x)),
    ):
        if not (bad & ~cond).any() and (ok & ~cond).sum() > 1:
            return name
    return f"at {int(bad.sum())} of {bad.size} elements"


def tied(x: Array) -> Array:
    """Elements whose value occurs more than once."""
    _, inverse, count = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray(count[inverse].reshape(x.shape) > 1)


def _meets(x: Array, others: Sequence[Array]) -> Array:
    """Elements that equal an element which another input sets against them."""
    meets = np.zeros(x.shape, bool)
    for b in others:
        try:
            equal = x == b
        except ValueError:
            continue
        extra = tuple(range(equal.ndim - x.ndim))
        equal = equal.any(extra)
        stretched = tuple(i for i, n in enumerate(x.shape) if n == 1 and equal.shape[i] != 1)
        meets |= equal.any(stretched, keepdims=True) if stretched else equal
    return meets
