"""Finite differences along one direction at many step sizes, each with an estimated error."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinygrad_lite.testing.verdict.point import EPS, Array, Point, Vector

LEVELS = 12  # step sizes 10^-1 ... 10^-LEVELS, relative to each element's scale


class Row(NamedTuple):
    """The slopes of ``v . f`` at one step size."""

    h: float
    central: float  # Richardson from central differences
    up: float  # one-sided, second order
    down: float
    low: float  # smallest and largest slope if each output may take either side
    high: float
    still: bool  # no output changed at all
    noise: float  # rounding error of the slope


class Estimate(NamedTuple):
    """The slope at one step size; sorts by its estimated error."""

    error: float
    value: float
    level: int
    still: bool


class Scan:
    """The function along x + t d: outputs cached per t, slopes per output."""

    def __init__(self, p: Point, d: Sequence[Vector], v: Vector, base: list[Array] | None = None) -> None:
        self.p, self.d, self.v = p, d, v
        self.x = p.x if base is None else base
        self.y0 = p.out(self.x)
        # outputs with v = 0 do not count: they may be infinite
        self.counts = v != 0 if v.size == self.y0.size else np.ones(self.y0.shape, bool)
        self._seen: dict[float, Vector] = {}

    def again(self, v: Vector) -> Scan:
        """Return a scan for another v that shares the outputs."""
        other = copy.copy(self)
        other.v, other.counts = v, v != 0
        return other

    def at(self, t: float) -> Vector:
        """Return the outputs at x + t d; NaN where the function raises."""
        y = self._seen.get(t)
        if y is None:
            arrays = list(self.x)
            for i, di in zip(self.p.fl, self.d, strict=True):
                arrays[i] = np.asarray(self.x[i] + t * di)
            try:
                y = self.p.out(arrays)
            except Exception:
                y = np.full(self.y0.shape, np.nan)
            if y.shape != self.y0.shape:
                y = np.full(self.y0.shape, np.nan)
            self._seen[t] = y
        return y

    def level(self, h: float) -> tuple[Vector, Vector, Vector, Vector]:
        """Return slopes per output: Richardson, central at h/2, forward, backward."""
        a, b, c, d, z = self.at(h), self.at(h / 2), self.at(-h / 2), self.at(-h), self.y0
        coarse, fine = (a - d) / (2 * h), (b - c) / h
        return (4 * fine - coarse) / 3, fine, (4 * b - 3 * z - a) / h, (3 * z - 4 * c + d) / h

    def noise(self, h: float) -> float:
        """Rounding error of a slope at step h, from the size of the outputs there."""
        size = np.abs(self.y0)
        for y in (self.at(h), self.at(-h)):
            size = np.where(np.isfinite(y), np.maximum(size, np.abs(y)), size)
        return 4 * self.p.profile.eps * float(np.abs(self.v).sum() * size[self.counts].max(initial=0)) / h

    def row(self, h: float, stepped: float) -> Row:
        """Return the slopes at step size h; ``stepped`` is the rounding error of the step itself."""
        central, _, up, down = self.level(h)
        v, m = self.v, self.v != 0
        a, b = (v * up)[m], (v * down)[m]
        still = bool((self.at(h) == self.y0)[m].all() and (self.at(-h) == self.y0)[m].all())
        return Row(
            h,
            dot(v, central),
            float(a.sum()),
            float(b.sum()),
            float(np.minimum(a, b).sum()),
            float(np.maximum(a, b).sum()),
            still,
            self.noise(h) + stepped / h,
        )

    def rows(self, grads: Sequence[Vector]) -> list[Row]:
        """Return the rows of all step sizes, coarse to fine."""
        stepped = EPS * sum(
            float(np.abs(g * self.p.x[i])[di != 0].sum()) for g, i, di in zip(grads, self.p.fl, self.d, strict=True)
        )
        stepped = stepped if np.isfinite(stepped) else 0.0
        return [self.row(10.0**-j, stepped) for j in range(1, LEVELS + 1)]


def dot(v: Vector, slopes: Vector) -> float:
    """Return v . slopes without the outputs where v = 0, so that 0 * inf is not NaN."""
    total = float(v @ slopes)
    if np.isfinite(total):
        return total
    m = v != 0
    return float((v[m] * slopes[m]).sum())


def plateau(rows: Sequence[Row], column: str) -> list[Estimate]:
    """Estimate slope and error per step size: disagreement with the neighbours plus rounding.

    ``e_j = 0.5 |D_j - D_j+1| + 0.01 |D_j - D_j-1| + 0.05 |D_j+1 - D_j+2| + noise_j``. One-sided slopes are of lower
    order and noisier, so their neighbours weigh more.
    """
    central = column == "central"
    values = [float(getattr(r, column)) for r in rows]
    # the rounding seen at finer steps counts too: the outputs do not show cancellation inside the function
    finer = list(zip(rows, values, strict=True))
    out = []
    for j in range(1, len(rows) - 1):
        before, here, after = values[j - 1 : j + 2]
        if not (np.isfinite(here) and np.isfinite(after)):
            continue
        e = 0.5 * abs(here - after) + rows[j].noise * (1 if central else 4)
        e += (0.01 if central else 0.1) * abs(here - before) if np.isfinite(before) else abs(here - after)
        if j + 2 < len(rows) and np.isfinite(values[j + 2]):
            e += 0.05 * abs(after - values[j + 2])
        e += max((abs(t - here) * r.h for r, t in finer[j + 2 :] if np.isfinite(t)), default=0.0) / rows[j].h
        out.append(Estimate(e, here, j, rows[j].still))
    return out
