"""For saturated functions, where small steps only show rounding: integrate the analytic slope instead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_lite.testing.verdict.differences import Scan, dot
from tinygrad_lite.testing.verdict.point import Point, Vector


def lost_in_rounding(p: Point, d: Sequence[Vector], v: Vector, a: float, n: float) -> bool:
    """Whether differences in extended precision support the analytic slope ``a`` and not ``n``.

    A function such as ``(x + 1e8) - 1e8`` rounds its input away: its differences in float64 are those of a staircase.
    """
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        return False
    gap, near = abs(a - n), 0
    for h in (1.0, 0.3, 0.1, 0.03, 0.01):
        values = []
        for t in (h, -h):
            wide = list(p.x)
            for i, di in zip(p.fl, d, strict=True):
                wide[i] = np.asarray(p.x[i].astype(np.longdouble) + t * di)
            try:
                values.append(p.out(wide))
            except Exception:  # it takes float64 only
                return False
        slope = dot(v, values[0] - values[1]) / (2 * h)
        near = near + 1 if abs(slope - a) < 0.05 * gap else 0
        if near == 2:
            return True
    return False


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


def integrates(p: Point, d: Sequence[Vector], v: Vector, s: Scan, gap: float, trust: float) -> bool:
    """Whether the analytic slope, integrated over x +- h d, gives the change of f.

    Accepts a saturated tanh, 1 - y*y and the like. ``gap`` is the disagreement to explain, ``trust`` the number of
    estimated rounding errors allowed.
    """
    for h in (1e-1, 1e-2, 1e-3, 1e-4):
        change = dot(v, s.at(h) - s.at(-h)) / (2 * h)
        if not np.isfinite(change) or trust * s.noise(h) > 0.05 * gap:
            continue
        total = 0.0
        for t, w in zip(_NODES, _WEIGHTS, strict=True):
            grads = p.vjp(p.moved([p.x[i] + t * h * di for i, di in zip(p.fl, d, strict=True)]), v)
            total += 0.5 * w * sum(float((q * di)[di != 0].sum()) for q, di in zip(grads, d, strict=True))
        if abs(total - change) < 0.03 * gap:
            return True
    return False
