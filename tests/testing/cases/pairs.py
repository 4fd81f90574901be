"""Functions of two arguments that broadcast: ties, branches, quadrants."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case, pair, unbroadcast


def maximum_f(a, b):
    return np.maximum(a, b), (a, b)


def maximum_b(g, s, bug=""):
    a, b = s
    wa, wb = (a > b) + 0.5 * (a == b), (b > a) + 0.5 * (a == b)
    if bug == "double":
        wa, wb = (a >= b) * 1.0, (b >= a) * 1.0
    if bug == "none":
        wa, wb = (a > b) * 1.0, (b > a) * 1.0
    ga, gb = g * wa.astype(g.dtype), g * wb.astype(g.dtype)
    return (ga, gb) if bug == "shape" else (unbroadcast(ga, a.shape), unbroadcast(gb, b.shape))


case(
    "maximum",
    pair(),
    maximum_f,
    maximum_b,
    {
        "double": "equals another|tie|term|x = |two inputs are equal",
        "none": "equals another|tie|missing|x = |two inputs are equal",
        "shape": "sum over broadcast",
    },
)


def where_f(c, a, b):
    return np.where(c, a, b), (c, a.shape, b.shape)


def where_b(g, s, bug=""):
    c, sa, sb = s
    if bug == "swapped":
        c = ~c
    return None, unbroadcast(g * c, sa), unbroadcast(g * ~c, sb)


def where_s(src):
    shape = (src.size(3, 0), src.size(4, 0))
    return (src.floats(shape) > 0, src.floats(shape), src.floats(shape[1:] if src.chance() else (1, shape[1]))), {}


case("where", where_s, where_f, where_b, {"swapped": "branches are swapped|other|flat|missing|places"})


def mul_f(a, b):
    return a * b, (a, b)


def mul_b(g, s, bug=""):
    a, b = s
    ga, gb = unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)
    if bug == "leading":  # sums new leading axes, forgets stretched ones
        gb = (g * a).sum(tuple(range(a.ndim - b.ndim)))
    if bug == "mean" and b.size and a.size > b.size:
        gb = gb / (a.size // b.size)
    if bug == "alias" and a is b:
        ga = g * 2 * a
    if bug == "wrote":
        gb = gb.copy()
        a *= 0
    return ga, gb


case(
    "mul",
    pair(),
    mul_f,
    mul_b,
    {"leading": "sum over broadcast", "mean": "1/|divided", "alias": "identity", "wrote": "in-place|writes into g"},
)


def atan2_f(y, x):
    return np.arctan2(y, x), (y, x)


def atan2_b(g, s, bug=""):
    y, x = s
    r = x * x + y * y
    gy, gx = g * x / r, (g if bug == "sign" else -g) * y / r
    return unbroadcast(gy, y.shape), unbroadcast(gx, x.shape)


case("arctan2", pair((-5.0, 5.0), (0.1, 5.0)), atan2_f, atan2_b, {"sign": "-1"})
