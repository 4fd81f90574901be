"""GELU and its derivative in float32, computed in blocks that stay in the cache.

``Phi(-a) = exp(-a a / 2) Q(1 / (1 + 0.3 a))`` with Q of degree 8, fitted to a relative error of 6e-8 for a <= 14.5.
Selecting by masks would take ten times as long in NumPy, so ``x Phi(x) = max(x, 0) - |x| Phi(-|x|)`` covers both signs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.engine import new

F32 = np.dtype(np.float32)
BLOCK = 1 << 14
Q = tuple(
    new.array(v, np.float32)
    for v in (
        0.03840739279985428,
        -0.16930745542049408,
        0.22895176708698273,
        -0.0768396407365799,
        0.14276525378227234,
        0.09458587318658829,
        0.12194526195526123,
        0.11948420852422714,
        7.372373147518374e-06,
    )
)
HALF, MINUS_HALF, ONE, MINUS_TWO, SPREAD, TOP, DENSITY = (
    new.array(v, np.float32) for v in (0.5, -0.5, 1, -2, 0.3, 16, 1 / math.sqrt(2 * math.pi))
)


def gelu(x: Any, slope: bool) -> Any:
    """Return ``x Phi(x)``, or its derivative ``Phi(x) + x phi(x)``."""
    flat = new.ascontiguousarray(x).reshape(-1)
    out = new.empty(flat.size, np.float32)
    n = min(flat.size, BLOCK)
    scratch = new.empty((4, n), np.float32)
    multiply, add, subtract = np.multiply, np.add, np.subtract
    with np.errstate(under="ignore", over="ignore", invalid="ignore"):
        for i in range(0, flat.size, BLOCK):
            s = flat[i : i + BLOCK]
            e, a, t, p = scratch[:, : s.size]
            o = out[i : i + BLOCK]
            np.abs(s, a)
            np.minimum(a, TOP, out=a)  # infinity times the zero below would be NaN
            multiply(a, a, e)
            multiply(e, MINUS_HALF, e)
            np.exp(e, e)
            multiply(a, SPREAD, t)
            add(t, ONE, t)
            np.divide(ONE, t, t)
            multiply(t, Q[0], p)
            for q in Q[1:-1]:
                add(p, q, p)
                multiply(p, t, p)
            add(p, Q[-1], p)
            multiply(p, e, p)  # Phi(-|x|)
            if slope:  # the derivative at -|x|, and one minus it where x > 0
                multiply(e, DENSITY, e)
                multiply(e, a, e)
                subtract(p, e, p)
                multiply(p, MINUS_TWO, t)
                add(t, ONE, t)
                multiply(t, s > 0, t)
                add(p, t, o)
            else:
                multiply(p, a, p)
                np.maximum(s, 0, out=o)
                subtract(o, p, o)
    return out.reshape(x.shape)
