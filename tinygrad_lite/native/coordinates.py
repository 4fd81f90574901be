"""Coordinate descent on a quadratic with an L1 penalty, one coefficient after the other."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.native import routes
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import done


@kernel("d* d* d* d* n n")
def coordinate_rounds(
    k: Kernel, lo: Value, hi: Value, w: Value, slope: Value, G: Value, l1: Value, m: Value, positive: Value
) -> None:
    """Minimise 1/2 w G w - b w + sum l1 |w| over each coefficient once a round; ``slope`` is G w - b."""
    with k.loop(lo, hi, few=True), k.loop(0, m, few=True) as j:
        row = G.at(j * m)
        bend, old = row[j], w[j]
        new = moved(k, old * bend - slope[j], l1[j], bend, positive)
        w[j] = new
        change = new - old
        with k.loop(0, k.select(change.same(0.0), k.lift(0, "n"), m)) as i:
            slope[i] = k.fma(row[i], change, slope[i])


@kernel("d* d* d* d* d* d d n n n")
def coordinate_rows(
    k: Kernel, lo: Value, hi: Value, w: Value, left: Value, X: Value, l1: Value, bend: Value, l2: Value, share: Value,
    m: Value, n: Value, positive: Value,
) -> None:  # fmt: skip
    """Minimise share/2 |y - X w|² + l2/2 |w|² + sum l1 |w| likewise; ``left`` is y - X w, ``X`` has a column a row."""
    with k.loop(lo, hi, few=True), k.loop(0, m, few=True) as j:
        row, old = X.at(j * n), w[j]
        along = k.var(0.0, "d")
        along.set(0.0)
        with k.loop(0, n) as i:
            along.add(row[i] * left[i])
        new = moved(k, bend[j] * old + along.get() * share, l1[j], bend[j] + l2, positive)
        w[j] = new
        change = old - new
        with k.loop(0, k.select(change.same(0.0), k.lift(0, "n"), n)) as i:
            left[i] = k.fma(row[i], change, left[i])


def moved(k: Kernel, goal: Value, l1: Value, bend: Value, positive: Value) -> Value:
    """Return the minimum of bend/2 w² - goal w + l1 |w|."""
    size = k.select(positive > 0, goal, k.call("fabs", goal)) - l1
    return k.select((size > 0.0) & (bend > 0.0), k.call("copysign", size, goal) / bend, 0.0)


def rounds(count: int, w: Any, slope: Any, G: Any, l1: Any, positive: bool) -> bool:
    """Take rounds of coordinate descent with a Gram matrix, in place; return False to decline."""
    return routes.in_use() and done(coordinate_rounds, count, 0, w, slope, G, l1, len(w), int(positive))


def row_rounds(count: int, w: Any, left: Any, X: Any, bends: Any, strengths: Any, positive: bool) -> bool:
    """Take rounds of coordinate descent with residuals, in place; return False to decline.

    ``bends`` are the L1 penalties and the curvatures, ``strengths`` the L2 penalty and the weight of all rows.
    """
    sizes = (*X.shape, int(positive))
    (l1, bend), (l2, total) = bends, strengths
    return routes.in_use() and done(coordinate_rows, count, 0, w, left, X, l1, bend, l2, 1 / total, *sizes)
