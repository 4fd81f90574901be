"""Find a missing or superfluous term: a constant, a product of inputs, another gradient."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_lite.testing.explain.evidence import LOOSE, Case
from tinygrad_lite.testing.explain.factors import candidates
from tinygrad_lite.testing.verdict.point import Array

POINTS = 3  # points that a term must fit


def term(cases: Sequence[Case]) -> str | None:
    """Find one term that explains every failing point."""
    if len(cases) < POINTS:
        return None
    fits = [dict(_terms(c)) for c in cases]
    for key, text in fits[0].items():
        if all(key in more for more in fits):
            return text
    return _whole(cases)


def _terms(c: Case) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of every term that fits at one point."""
    d = c.n - c.a
    for j, (a, n) in c.others.items():
        for what, t in (("gradient", n), ("returned gradient", a)):
            if t.shape == d.shape and np.abs(t).max(initial=0) > 1e-3 * c.top:
                yield from _signed(c, d, t, f"the {what} of input {j}", f"{what} {j}")
    if c.v is None:
        return
    rest = _reduced(c.v, c.x.shape)
    if rest is not None and np.abs(rest).min(initial=1) > 1e-6:
        for key, text, value in (("number 1", "the term g", 1.0), *_numbers(c)):
            yield from _signed(c, d, value * rest, text, key)
    named = list(_quantities(c))
    for (k1, f1), (k2, f2) in itertools.combinations_with_replacement(named, 2):
        try:
            product = _reduced(c.v * f1 * f2, c.x.shape)
        except ValueError:  # shapes that do not broadcast
            continue
        if product is not None:
            one = k2 if k1 == "1" else f"{k1} * {k2}"
            yield from _signed(c, d, product, "the term g" if one == "1" else f"the term g * {one}", one)


def _numbers(c: Case) -> Iterator[tuple[str, str, float]]:
    for key, text, value in candidates(c):
        yield key, f"the term g * ({text})", value


def _signed(c: Case, d: Array, t: Array, text: str, key: str) -> Iterator[tuple[str, str]]:
    if not np.isfinite(t).all():
        return
    room = LOOSE * np.abs(d).max(initial=0)
    if np.abs(d - t).max(initial=0) <= room:
        yield f"+{key}", f"too small by {text}"
    elif np.abs(d + t).max(initial=0) <= room:
        yield f"-{key}", f"too large by {text}"


def _quantities(c: Case) -> Iterator[tuple[str, Array]]:
    """Yield the factors that a term may have, with shapes that broadcast to the output."""
    yield "1", np.ones(())
    for j, b in enumerate(c.arrays):
        if b.dtype.kind == "f" and b.size:
            for name, t in (
                (f"input {j}", b),
                (f"1/input {j}", 1 / b),
                (f"exp(input {j})", np.exp(b)),
                (f"exp(-input {j})", np.exp(-b)),
            ):
                if np.isfinite(t).all() and np.abs(t).max() < 1e6:
                    yield name, t
    if c.y is not None and c.y.size:
        yield from (("y", c.y), ("1/y", 1 / c.y))
    yield from c.parts


def _reduced(t: Array, shape: tuple[int, ...]) -> Array | None:
    """Sum ``t`` down to a shape, or broadcast it to a larger one; None if neither is possible."""
    if t.ndim < len(shape) or any(n not in (1, m) for n, m in zip(shape[::-1], t.shape[::-1], strict=False)):
        try:
            return np.broadcast_to(t, shape)
        except ValueError:
            return None
    t = t.sum(tuple(range(t.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and t.shape[i] != 1)
    return np.asarray(t.sum(axes, keepdims=True) if axes else t)


def _whole(cases: Sequence[Case]) -> str | None:
    """Find a term that is g times an integer, a different one at each point."""
    found = []
    for c in cases:
        g = None if c.v is None else _reduced(c.v, c.x.shape)
        if g is None or not np.abs(g).min(initial=1) > 1e-6:
            return None
        t = (c.n - c.a) / g
        if not np.ptp(t) < LOOSE or not abs(t.flat[0] - round(float(t.flat[0]))) < LOOSE:
            return None
        found.append(round(float(t.flat[0])))
    if max(found) < 0 or min(found) > 0:
        how = "small" if min(found) > 0 else "large"
        return f"too {how} by the term g times a whole number, a different one at each point: a count is wrong"
    return None
