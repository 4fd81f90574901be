"""The numeric test of one point: random cotangents, directions, and unclear results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.testing.verdict.judge import TRUST, Verdict, judge
from tinygrad_lite.testing.verdict.kinks import shaken, ties
from tinygrad_lite.testing.verdict.point import (
    EPS,
    Failure,
    Outs,
    Point,
    Profile,
    Vector,
    flatten,
    float32_values,
    unflatten,
)

RTOL = 1e-8  # relative error that analytic slopes may have
ROUNDED = 1e3 * EPS  # outputs this small relative to the inputs may be rounding, which weights would magnify


class Numbers:
    """Analytic gradients for one cotangent, their rounding error, and their tests."""

    def __init__(self, p: Point, v: Vector, outs: Outs, saved: object, rtol: float) -> None:
        self.p, self.v = p, v
        raw = p.pull(unflatten(v, outs), saved)
        self.grads = [np.array(raw[i], np.float64) for i in p.fl]
        self.scales = [np.array(q) for q in p.scales()]
        self.hidden = _hidden(p, flatten(outs), self.grads)
        for g, q, hidden in zip(self.grads, self.scales, self.hidden, strict=True):
            g[hidden] = 0
            q[hidden] = 0
        low = [
            2e3 * float(np.finfo(t.dtype).eps) for t in raw if t is not None and t.dtype.kind == "f" and t.itemsize < 8
        ]
        self.rtol = max([rtol, *low])
        self.sens = _sensitivity(p, v, self.grads)
        size = sum(float(np.abs(g * q)[np.isfinite(g)].sum()) for g, q in zip(self.grads, self.scales, strict=True))
        self.floor = 1e-13 * (max(p.profile.typical, size) + float(np.abs(v * flatten(outs))[v != 0].sum()))
        loose, absolute = p.allowed
        self.rtol = max(self.rtol, loose)
        self.absolute = absolute * float(np.abs(v).sum())

    def verdict(self, d: Sequence[Vector]) -> tuple[float, Verdict]:
        """Return the analytic slope along d and the verdict of the differences."""
        d = [np.where(hidden, 0.0, di) for hidden, di in zip(self.hidden, d, strict=True)]
        a = sum(float((g * di)[di != 0].sum()) for g, di in zip(self.grads, d, strict=True))
        slack = TRUST * sum(float((t * np.abs(di))[di != 0].sum()) for t, di in zip(self.sens, d, strict=True))
        slack = slack if math.isfinite(a) else 0.0
        slack += self.absolute * sum(float(np.abs(di).sum()) for di in d) if self.absolute else 0.0
        return a, judge(self.p, d, self.v, a, slack, self.grads, self.rtol, self.floor)

    def single(self, i: int, k: int) -> list[Vector]:
        """Return the direction that moves one element by its scale."""
        d = [np.zeros_like(q) for q in self.scales]
        d[i].flat[k] = self.scales[i].flat[k]
        return d

    def test(self, name: str, d: Sequence[Vector]) -> None:
        """Raise if the slope along d is wrong; count it as unclear if single elements are unclear too."""
        p = self.p
        with np.errstate(all="ignore"):
            a = sum(float((g * di)[di != 0].sum()) for g, di in zip(self.grads, d, strict=True))
        if not math.isfinite(a):
            for i, g in enumerate(self.grads):
                for k in np.flatnonzero(~np.isfinite(g))[:3]:
                    self._element(i, int(k), "non-finite gradient")
            return
        a, verdict = self.verdict(d)
        if verdict.word == "unclear":
            pool = [(i, int(k)) for i, q in enumerate(d) for k in np.flatnonzero(q)]
            picked = [pool[m] for m in p.rng.permutation(len(pool))[:6]]
            words = [self._element(i, k, "wrong value").word for i, k in picked]
            if "unclear" in words or not words:
                p.unclear += 1
        else:
            self._raise(verdict, "wrong value", f"along {name}", a)

    def _element(self, i: int, k: int, kind: str) -> Verdict:
        a, verdict = self.verdict(self.single(i, k))
        q = float(self.scales[i].flat[k])
        scaled = Verdict(verdict.word, verdict.numeric / q, verdict.error / q)
        where = f"{self.p.label(self.p.fl[i])}, element {_index(self.scales[i].shape, k)}"
        self._raise(scaled, kind, where, a / q, input=self.p.fl[i], element=k)
        return verdict

    def _raise(self, verdict: Verdict, kind: str, where: str, a: float, **data: int) -> None:
        if verdict.word not in ("fail", "kink"):
            return
        text = f"{where}: analytic {a:.10g}, numeric {verdict.numeric:.10g} +- {verdict.error:.1g}"
        if verdict.word == "kink" and self.p.kinks == "report" and math.isfinite(a):
            self.p.warnings.append(f"no derivative here and the gradient is none of the one-sided slopes, {text}")
            return
        raise Failure(kind, text, analytic=a, numeric=verdict.numeric, error=verdict.error, **data)


def _index(shape: tuple[int, ...], k: int) -> str:
    return "(" + ",".join(str(int(i)) for i in np.unravel_index(k, shape)) + ")"


def numeric(p: Point, rtol: float = RTOL, one: bool = False) -> None:
    """Raise ``Failure`` if a gradient disagrees with differences, along all directions or only ``one``."""
    outs, saved = p.fresh(p.x)
    y = flatten(outs)
    live = np.isfinite(y)
    p.outputs, p.compared = y.size, int(live.sum())
    if not live.any() or not sum(p.x[i].size for i in p.fl):
        return
    y = np.where(live, y, 0.0) if not live.all() else y
    for attempt in range(2):
        v = p.rng.standard_normal(y.shape) * live
        saved = p.again(saved)
        if attempt:  # a second cotangent balances outputs of different scale
            size = np.abs(y[live])
            top = size.max()
            if not (size > 0).all() or top < 1e3 * size.min():
                break
            exact = np.abs(y) > ROUNDED * max(1.0, *(float(np.abs(p.x[i]).max(initial=0)) for i in p.fl))
            v = v * np.where(exact, np.minimum(top / np.where(live, np.abs(y), 1.0), 1e4), 1.0)
        numbers = Numbers(p, v, outs, saved, rtol)
        for name, d in directions(p, numbers) if not one else [joint(p, numbers)]:
            numbers.test(name, d)
        if one:
            break


def _hidden(p: Point, y: Vector, grads: Sequence[Vector]) -> list[NDArray[np.bool_]]:
    """Mark elements whose gradient is not finite because they move an output that is not finite.

    No g is right there: zero times an infinite local derivative is NaN in plain NumPy.
    """
    marks = [np.zeros(g.shape, bool) for g in grads]
    dead = ~np.isfinite(y)
    if not dead.any():
        return marks
    for i, g, mark in zip(p.fl, grads, marks, strict=True):
        for k in np.flatnonzero(~np.isfinite(g)):
            for value in (0.5 * p.x[i].flat[k], 0.0, 1.0, -1.0, 0.1):
                arrays = list(p.x)
                arrays[i] = np.array(p.x[i])
                arrays[i].flat[k] = value
                try:
                    other = p.out(arrays)
                except Exception:
                    continue
                if other.shape == y.shape and not np.array_equal(other[dead], y[dead], equal_nan=True):
                    mark.flat[k] = True
                    break
    return marks


def joint(p: Point, numbers: Numbers) -> tuple[str, list[Vector]]:
    """Return a random direction of all elements of all inputs."""
    return "a random direction", [_normal(p, q) for q in numbers.scales]


def _normal(p: Point, q: Vector) -> Vector:
    z = p.rng.standard_normal(q.shape)  # every element moves by at least a third of its scale
    return np.asarray(np.copysign(np.sqrt(0.9 * z * z + 0.1), z) * q)


def directions(p: Point, numbers: Numbers) -> Iterator[tuple[str, list[Vector]]]:
    """Yield directions: one per input, all inputs together, groups of tied elements, some single elements."""
    rng, scales = p.rng, numbers.scales
    name, full = joint(p, numbers)
    if len(scales) > 1:
        for i, q in enumerate(scales):
            if q.size:
                move = [t if j == i else np.zeros_like(t) for j, t in enumerate(full)]
                yield f"a random direction of {p.label(p.fl[i])}", move
    yield name, full
    if not ties(p):
        return
    uniq, count = np.unique(np.concatenate([p.x[i].ravel() for i in p.fl]), return_counts=True)
    for u in uniq[np.argsort(-count)][:3]:
        step = abs(float(u)) or min(
            float(q[(p.x[i] == 0) & (q > 0)].min(initial=math.inf)) for i, q in zip(p.fl, scales, strict=True)
        )
        if not math.isfinite(step):
            continue
        yield f"all elements equal to {u:g}", [np.where(p.x[i] == u, step, 0.0) for i in p.fl]
    for _ in range(2):  # one-sided slopes of single elements locate kinks
        i = int(rng.integers(len(scales)))
        if scales[i].size:
            k = int(rng.integers(scales[i].size))
            if not scales[i].flat[k] > 0:
                continue
            yield f"{p.label(p.fl[i])}, element {_index(scales[i].shape, k)}", numbers.single(i, k)


def _sensitivity(p: Point, v: Vector, grads: Sequence[Vector]) -> list[Vector]:
    """Return the rounding error of the analytic gradient: its change when inputs move by an ulp, ties kept."""
    worst = [np.zeros(t.shape) for t in grads]
    for _ in range(2):
        both = [[np.abs(t - g) for t, g in zip(p.vjp(x, v), grads, strict=True)] for x in shaken(p)]
        for w, s, t in zip(worst, *both, strict=True):
            np.maximum(w, np.fmin(np.nan_to_num(s, posinf=0), np.nan_to_num(t, posinf=0)), out=w)
    return worst


def learn(p: Point, profile: Profile) -> None:
    """Update ``profile`` from an ordinary point: the precision of the outputs and the size of a slope."""
    outs, _ = p.fresh(p.x)
    y = flatten(outs)
    live = np.isfinite(y)
    if not live.any() or not sum(p.x[i].size for i in p.fl):
        return
    rng = p.rng
    near = p.moved([p.x[i] * (1 + 1e-3 * rng.uniform(-1, 1, p.x[i].shape)) for i in p.fl])
    low = float32_values([y, p.out(near)])
    eps = max(float(np.finfo(a.dtype).eps) for a in outs.arrays if a.dtype.kind == "f")
    profile.eps = max(profile.eps, 6e-8 if low else EPS, eps)
    grads = p.vjp(p.x, rng.standard_normal(y.shape) * live)
    scaled = [np.abs(g * q)[np.isfinite(g)] for g, q in zip(grads, p.scales(), strict=True)]
    profile.typical = max(profile.typical, sum(float(t.sum()) for t in scaled))


def full_precision(p: Point) -> None:
    """Raise ``Failure`` if outputs are float64 but gradients have only float32 precision."""
    if p.profile.eps > 1e-12 or any(p.given[i].dtype != np.float64 for i in p.fl):
        return
    near = p.moved([p.x[i] * (1 + 1e-3 * p.rng.uniform(-1, 1, p.x[i].shape)) for i in p.fl])
    y = p.out(near)
    for i, g in zip(p.fl, p.vjp(near, p.rng.standard_normal(y.shape)), strict=True):
        if float32_values([g]):
            raise Failure("gradient carries only float32 precision", p.label(i), input=i)
