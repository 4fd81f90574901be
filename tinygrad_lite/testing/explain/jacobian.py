"""Analytic and numeric Jacobians of small points: for explanations, never for the verdict."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinygrad_lite.testing.verdict.differences import Scan
from tinygrad_lite.testing.verdict.point import Array, Outs, Point, Vector, flatten

MANY = 64  # elements of inputs, and of outputs, up to which whole Jacobians are compared


class Worst(NamedTuple):
    """The derivative d out[output] / d input[element] with the largest error."""

    input: int
    element: tuple[int, ...]
    output: str
    analytic: float
    numeric: float
    error: float
    summary: str  # "2/4 elements, inputs 1/1"


class Jacobians:
    """Per float input: numeric Jacobian (outputs x elements), its error and, for few outputs, the analytic one."""

    def __init__(self, p: Point, kinks: bool = True) -> None:
        self.p = p
        self.outs: Outs = p.fresh(p.x)[0]
        self.numeric: list[Vector] = []
        self.error: list[Vector] = []
        sides: list[tuple[Vector, Vector]] = []
        for k, q in enumerate(p.scales()):
            columns = [_column(p, k, m) for m in range(q.size)]
            size = sum(a.size for a in self.outs.arrays if a.dtype.kind == "f")
            numbers, errors, up, down = (np.array([c[t] for c in columns]).reshape(q.size, size).T for t in range(4))
            self.numeric.append(numbers)
            self.error.append(errors)
            sides.append((up, down))
        self.size = self.numeric[0].shape[0] if self.numeric else 0
        dead = ~np.isfinite(flatten(self.outs))
        for table in self.numeric if dead.any() else ():
            table[dead] = 0  # infinite outputs have no derivative to compare
        self.analytic: list[Vector] | None = None
        if self.size <= MANY:
            rows = [p.vjp(p.x, v) for v in np.eye(self.size)]
            self.analytic = [
                np.array([r[k].ravel() for r in rows]).reshape(self.size, p.x[i].size) for k, i in enumerate(p.fl)
            ]
            for table in self.analytic if dead.any() else ():
                table[dead] = 0
            # at a kink the analytic slope is right if it lies between the sides
            for k, (up, down) in enumerate(sides if kinks else []):
                self.numeric[k] = _chosen(self.analytic[k], self.numeric[k], up, down)

    def pulled(self, v: Vector) -> list[Vector]:
        """Return the numeric gradients of ``v . f``, shaped like the inputs."""
        return [(v @ J).reshape(self.p.x[i].shape) for J, i in zip(self.numeric, self.p.fl, strict=True)]

    def worst(self) -> Worst | None:
        """Return the entry with the largest disagreement, relative to the scale of its input element."""
        p = self.p
        combined = self.analytic is None
        v = np.random.default_rng(1).standard_normal(self.size)
        A = [g.reshape(1, -1) for g in p.vjp(p.x, v)] if self.analytic is None else self.analytic
        N = [(v @ J).reshape(1, -1) for J in self.numeric] if combined else self.numeric
        best, counts = None, []
        for k, q in enumerate(p.scales()):
            if not q.size or not A[k].size:
                counts.append(0)
                continue
            gap = np.nan_to_num(np.abs(A[k] - N[k]), nan=np.inf, posinf=np.inf)
            gap = np.where(np.isfinite(N[k]), gap, 0.0) * q.ravel()
            size = np.where(np.isfinite(A[k]), np.maximum(np.abs(A[k]), np.abs(np.nan_to_num(N[k]))), 1.0) * q.ravel()
            counts.append(int((gap > 1e-6 * size.max()).any(0).sum()))
            o, e = divmod(int(np.argmax(gap)), gap.shape[1])
            if gap[o, e] > 0 and (best is None or gap[o, e] > best[0]):
                best = (float(gap[o, e]), k, o, e)
        if best is None:
            return None
        _, k, o, e = best
        shape = p.x[p.fl[k]].shape
        error = float(np.abs(v) @ self.error[k][:, e]) if combined else float(self.error[k][o, e])
        return Worst(
            p.fl[k],
            tuple(int(t) for t in np.unravel_index(e, shape)),
            "a random combination of outputs" if combined else output_name(self.outs.arrays, o),
            float(A[k][o, e]),
            float(N[k][o, e]),
            error,
            f"{max(counts[k], 1)}/{A[k].shape[1]} elements, inputs {max(sum(c > 0 for c in counts), 1)}/{len(p.fl)}",
        )


def worst_of(p: Point) -> Worst | None:
    """Return the worst derivative of a small point; None if the point is large or the rule raises."""
    try:
        return Jacobians(p).worst() if sum(p.x[i].size for i in p.fl) <= MANY else None
    except Exception:  # a rule that rejects a one-hot g: the report does without
        return None


def _chosen(a: Vector, n: Vector, up: Vector, down: Vector) -> Vector:
    """Replace numeric slopes by analytic ones that lie between differing one-sided slopes."""
    low, high = np.fmin(up, down), np.fmax(up, down)
    kink = high - low > 1e-3 * (np.abs(up) + np.abs(down))
    slack = 1e-6 * (high - low)
    return np.asarray(np.where(kink & (low - slack <= a) & (a <= high + slack), a, n))


def _column(p: Point, k: int, m: int) -> tuple[Vector, Vector, Vector, Vector]:
    """Return the slopes of all outputs along one element, their errors, and both one-sided slopes.

    The slope is the more exact one of two step sizes; at the edge of a domain it is one-sided.
    """
    d = [np.zeros(p.x[i].shape) for i in p.fl]
    d[k].flat[m] = 1.0
    s = Scan(p, d, np.ones(0))
    q = float(p.scales()[k].flat[m])
    best, error = np.full(s.y0.shape, np.nan), np.full(s.y0.shape, np.inf)
    for h in (1e-3 * q, 1e-5 * q):
        central, fine, up, down = s.level(h)
        e = np.abs(central - fine)
        better = np.isfinite(central) & ~(e >= error)
        best, error = np.where(better, central, best), np.where(better, e, error)
    side = np.where(np.isfinite(up), up, down)
    return np.where(np.isfinite(best), best, side), error, up, down


def output_name(arrays: list[Array], o: int) -> str:
    """Return the name of the o-th output element; "" if there is only one."""
    floats = [(number, a) for number, a in enumerate(arrays) if a.dtype.kind == "f"]
    if sum(a.size for _, a in floats) == 1:
        return ""
    for number, a in floats:
        if o < a.size:
            index = ",".join(str(int(t)) for t in np.unravel_index(o, a.shape))
            return f"output {number}[{index}]" if len(arrays) > 1 else f"output[{index}]"
        o -= a.size
    return ""
