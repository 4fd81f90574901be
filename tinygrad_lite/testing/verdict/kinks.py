"""Kinks: which slopes a rule may return where the one-sided slopes differ."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from tinygrad_lite.testing.verdict.differences import Row, Scan
from tinygrad_lite.testing.verdict.point import EPS, Array, Point, Vector

NOISY = 4.0  # rounding error of one-sided slopes relative to central ones


def ties(p: Point) -> bool:
    """Whether any two elements of the float inputs are equal."""
    values = np.concatenate([p.x[i].ravel() for i in p.fl]) if p.fl else np.zeros(0)
    values.sort()
    return bool((values[1:] == values[:-1]).any())


def shaken(p: Point, amount: float = 2 * EPS) -> tuple[list[Array], list[Array]]:
    """Return the inputs moved up and down by about an ulp; equal elements stay equal, zeros stay zero."""
    uniq, inverse = np.unique(np.concatenate([p.x[i].ravel() for i in p.fl]), return_inverse=True)
    shift = (amount * p.rng.uniform(-1, 1, uniq.shape))[inverse]
    both: tuple[list[Array], list[Array]] = ([], [])
    for parts, sign in zip(both, (1, -1), strict=True):
        at = 0
        for i in p.fl:
            a = p.x[i]
            parts.append(a * (1 + sign * shift[at : at + a.size].reshape(a.shape)))
            at += a.size
    return p.moved(both[0]), p.moved(both[1])


def gap(rows: Sequence[Row], level: int) -> float:
    """Return the width of the allowed slopes, the smallest around a level; 0 if unknown."""
    gaps = [r.high - r.low for r in rows[max(level - 1, 0) : level + 2] if np.isfinite(r.high - r.low)]
    return min(gaps, default=0.0)


def between_sides(rows: Sequence[Row], level: int, a: float, slack: float, mag: float) -> bool:
    """Whether ``a`` lies between the one-sided slopes, a side chosen per output, at this level or next to it."""
    for k in (level, level + 1, level - 1):
        low, high = rows[k].low, rows[k].high
        if not high - low > max(1e-7 * mag, NOISY * rows[k].noise):  # the sides differ by rounding only
            continue
        if np.isfinite(low) and np.isfinite(high) and low - slack <= a <= high + slack:
            return True
    return False


def nearby(p: Point, d: Sequence[Vector], v: Vector, s: Scan, count: int) -> tuple[float, float]:
    """Return the range of slopes of ``v . f`` along d at random points near x, per output (Clarke's interval)."""
    seen, scales = [], p.scales()
    # close enough to meet no other kink, far enough for differences to exceed rounding
    delta, h = (1e-5, 1e-8) if p.profile.eps < 1e-12 else (1e-2, 1e-3)
    for _ in range(count):
        base = p.moved([p.x[i] + delta * q * p.rng.uniform(-1, 1, q.shape) for i, q in zip(p.fl, scales, strict=True)])
        t = Scan(p, d, v, base)
        seen.append((t.at(h) - t.at(-h)) / (2 * h))
    _, _, up, down = s.level(max(1e-6, h))
    slopes = np.array([*seen, up, down])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an output may be NaN at every neighbour
        low, high = np.nanmin(slopes, axis=0), np.nanmax(slopes, axis=0)
    # where many independent kinks meet, no sample reaches every combination of branches
    many = (np.diff(np.sort(slopes, axis=0), axis=0) > 1e-3 * (high - low)).sum(axis=0) > 3
    width = high - low
    low, high = np.where(many, low - width, low), np.where(many, high + width, high)
    m = v != 0
    return float(np.minimum(v * low, v * high)[m].sum()), float(np.maximum(v * low, v * high)[m].sum())


def nudged(p: Point) -> None:
    """Move the point off its kinks, each float element by up to a thousandth of its scale."""
    for i, q in zip(p.fl, p.scales(), strict=True):
        p.x[i] = np.asarray(p.x[i] + 1e-3 * q * p.rng.uniform(0.2, 1, q.shape))
        p.given[i] = p.x[i].astype(p.given[i].dtype)
