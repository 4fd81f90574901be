"""Compare an analytic slope with finite differences along one direction: agree, fail or unclear."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_lite.testing.verdict import kinks, saturation
from tinygrad_lite.testing.verdict.differences import Estimate, Row, Scan, dot, plateau
from tinygrad_lite.testing.verdict.point import Array, Point, Vector

TRUST = 8.0  # how many estimated errors a disagreement must exceed
CLEAR = 0.05  # the estimated error must be below this part of the disagreement before a rule is called wrong
NEIGHBOURS = (24, 120)  # points next to a kink; with many tied elements few points rarely show every order
INF = math.inf


class Verdict(NamedTuple):
    """``word`` is "agree", "fail", "kink" (wrong at this point, perhaps right around it) or "unclear"."""

    word: str
    numeric: float
    error: float


def judge(
    p: Point, d: Sequence[Vector], v: Vector, a: float, slack: float, grads: Sequence[Vector], rtol: float, floor: float
) -> Verdict:
    """Compare the slope ``a`` of ``v . f`` along d with differences.

    ``slack`` is the rounding error of ``a``; ``rtol`` and ``floor`` are the relative and absolute differences that are
    always allowed.
    """
    s = Scan(p, d, v)
    mag = sum(float(np.abs(di * g).sum()) for di, g in zip(d, grads, strict=True))
    quick = _quick(s, v, a, mag, rtol)
    if quick is not None:
        return quick
    slack += rtol * mag + floor
    rows = s.rows(grads)
    central = plateau(rows, "central")
    if not math.isfinite(a):
        return _not_finite(rows, central, a)
    sides = [q for q in (plateau(rows, "up"), plateau(rows, "down")) if q]
    if not central:  # the edge of a domain: one side only
        return _one_side(sides, a, slack)
    best = _most_believable(central)
    e, n, j, _ = best
    if abs(a - n) <= TRUST * e + slack:
        return Verdict("agree", n, e)
    if not e < CLEAR * abs(a - n):
        return Verdict("unclear", n, e)
    if kinks.between_sides(rows, j, a, TRUST * e + slack, mag):
        return Verdict("agree", n, e)
    if len(sides) == 1 and _fits(min(sides[0]), a, slack):
        return Verdict("agree", n, e)
    gap = kinks.gap(rows, j)
    corner = gap > max(1e-6 * (abs(n) + abs(a)), kinks.NOISY * rows[j].noise)
    if corner or kinks.ties(p):
        room = TRUST * e + slack + 1e-6 * abs(a)
        for count in NEIGHBOURS:
            low, high = kinks.nearby(p, d, v, s, count)
            if low - room <= a <= high + room:
                return Verdict("agree", n, e)
    if abs(a - n) < 1e-3 * (abs(a) + abs(n)) and abs(a - n) <= TRUST * _jitter(p, d, v, a):
        return Verdict("agree", n, e)
    if not gap > 0.1 * abs(a - n) and saturation.integrates(p, d, v, s, abs(a - n), TRUST):
        # right around this point: either rounding is the cause, or the rule is wrong at this point only
        return Verdict("kink" if _wrong_here(p, d, v, rows, a, n) else "agree", n, e)
    if saturation.lost_in_rounding(p, d, v, a, n):
        return Verdict("unclear", n, e)
    return Verdict("kink" if corner else "fail", n, e)


def _wrong_here(p: Point, d: Sequence[Vector], v: Vector, rows: Sequence[Row], a: float, n: float) -> bool:
    """Whether a slope that is right around this point is wrong at it by more than rounding explains.

    Ordinary step sizes, not only the finest, must show the slope n, and a must not change when inputs move by an ulp.
    """
    gap = abs(a - n)
    if not gap > 1e-3 * (abs(a) + abs(n)):
        return False
    if any(r.still or not abs(r.central - n) < CLEAR * gap for r in rows[2:5]):
        return False
    for x in [x for _ in range(4) for x in kinks.shaken(p)]:
        if not abs(_slope(p, d, v, x) - a) < CLEAR * gap:
            return False
    return True


def _jitter(p: Point, d: Sequence[Vector], v: Vector, a: float) -> float:
    """Return the rounding error of the analytic slope around this point, from its second differences."""
    moves = [kinks.shaken(p, 1e-6) for _ in range(3)]
    return max(abs(_slope(p, d, v, x) - 2 * a + _slope(p, d, v, z)) for x, z in moves)


def _slope(p: Point, d: Sequence[Vector], v: Vector, x: Sequence[Array]) -> float:
    return sum(float((g * di)[di != 0].sum()) for g, di in zip(p.vjp(x, v), d, strict=True))


def _quick(s: Scan, v: Vector, a: float, mag: float, rtol: float) -> Verdict | None:
    """Accept a smooth function that agrees at one step size; None if that does not decide."""
    central, fine, _, _ = s.level(1e-3)
    n, c = dot(v, central), dot(v, fine)
    if math.isfinite(n) and math.isfinite(a):
        if abs(a - n) <= 0.1 * rtol * mag and s.noise(1e-3) <= 1e-7 * mag:
            return Verdict("agree", n, abs(c - n))
        if mag == 0 and n == 0 and c == 0:
            return Verdict("agree", 0.0, 0.0)
    return None


def _not_finite(rows: Sequence[Row], central: Sequence[Estimate], a: float) -> Verdict:
    """Judge an infinite or NaN slope: wrong where the differences converge to a finite one."""
    sides = [side for side in (plateau(rows, "up"), plateau(rows, "down")) if side]
    settled = [[q for q in side if q.error <= 1e-3 * abs(q.value) + 1e-12] for side in (*sides, central)]
    good = [q for side in settled for q in side]
    if math.isinf(a) and (not any(q.level >= 6 for q in good) or not all(settled[: len(sides)])):
        return Verdict("unclear", a, INF)  # sqrt at 0 looks finite at coarse steps; one side may be infinite
    return Verdict("fail", good[0].value, good[0].error) if good else Verdict("unclear", math.nan, INF)


def _one_side(sides: Sequence[Sequence[Estimate]], a: float, slack: float) -> Verdict:
    if not sides:
        return Verdict("unclear", math.nan, INF)
    best = min(q for side in sides for q in side)
    if _fits(best, a, slack):
        return Verdict("agree", best.value, best.error)
    return Verdict("fail" if best.error < CLEAR * abs(a - best.value) else "unclear", best.value, best.error)


def _fits(q: Estimate, a: float, slack: float) -> bool:
    return abs(a - q.value) <= TRUST * q.error + slack


def _most_believable(central: Sequence[Estimate]) -> Estimate:
    """Return the level with the smallest error, unless a finer one clearly contradicts it."""
    # forward in low precision is a staircase: steps that change nothing do not count if a coarser plateau exists
    moving = [q for q in central if not q.still]
    if moving and min(moving).error < CLEAR * abs(min(moving).value):
        central = moving
    best = min(central)
    for q in central:
        if q.level > best.level and abs(q.value - best.value) > TRUST * (best.error + q.error):
            if q.error < 0.02 * abs(q.value):
                best = q
    return best
