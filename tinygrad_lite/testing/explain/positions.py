"""Describe where a gradient is wrong, independently of the size of the input."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_lite.testing.verdict.point import Array


def conditions(
    bad: Array, x: Array, others: Sequence[Array] = (), keys: Sequence[tuple[int, Array]] = ()
) -> Iterator[tuple[str, bool]]:
    """Yield conditions that hold exactly at the wrong elements, and whether they are significant here.

    ``keys``: positions and values of the integer and boolean inputs.
    """
    for name, cond, sure in _by_keys(x, keys):
        if np.array_equal(bad, cond):
            yield name, sure and not cond.all()
    for name, cond in (
        ("at x = 0", x == 0),
        ("for x < 0", x < 0),
        ("for x <= 0", x <= 0),
        ("for x > 0", x > 0),
        ("for x >= 0", x >= 0),
        ("where it equals another input", _meets(x, others)),
        ("at tied values", tied(x)),
        ("at values of the same size", tied(np.abs(x))),
        ("at the largest element", x == x.max(initial=-math.inf)),
    ):
        if np.array_equal(bad, cond):
            yield name, not cond.all()
    for name, cond in (
        ("at some elements with x = 0", x == 0),
        ("at some elements that equal another input", _meets(x, others)),
        ("at some tied values", tied(x)),
    ):
        if cond.sum() <= 0.7 * cond.size and not (bad & ~cond).any() and (~bad & ~cond).sum() > 1:
            yield name, True


def rows(bad: Array) -> Iterator[tuple[int, str, float]]:
    """Yield axis, wrong positions along it and their probability by chance, if other positions are right."""
    axes = range(bad.ndim)
    hits = [bad.any(tuple(i for i in axes if i != ax), keepdims=True) for ax in axes]
    box = bool(np.array_equal(np.logical_and.reduce(np.broadcast_arrays(*hits)), bad)) if hits else False
    for ax, n in enumerate(bad.shape):
        rest = tuple(i for i in range(bad.ndim) if i != ax)
        hit: Array = np.asarray(bad.any(rest))
        count = int(hit.sum())
        if bad.all():  # all positions are near the ends
            yield from ((ax, name, 1.0) for name in ("near both ends", "near the beginning", "near the end"))
        if n < 2 or not 0 < count < n:
            continue
        chance = 1 / (math.comb(bad.size, int(bad.sum())) if box else math.comb(n, count))
        for name, cond in _positions(n):
            if np.array_equal(hit, cond):
                yield ax, name, chance
        inner = np.flatnonzero(~hit)
        if n > 2 and not hit[inner[0] : inner[-1] + 1].any():  # wrong up to a position, or from one on
            start, end = bool(hit[0]), bool(hit[-1])
            name = "near both ends" if start and end else "near the beginning" if start else "near the end"
            yield ax, name, chance * (count - 1 if start and end else 1)


def _positions(n: int) -> Iterator[tuple[str, Array]]:
    at = np.arange(n)
    ends = (at == 0) | (at == n - 1)
    yield "in the first position", at == 0
    yield "in the last position", at == n - 1
    yield "in all positions but the first", at > 0
    yield "in all positions but the last", at < n - 1
    yield "in the first and the last position", ends
    yield "in the inner positions (neither first nor last)", ~ends
    if n % 2 == 0:
        yield "in the first half", at < n // 2
        yield "in the second half", at >= n // 2
    yield "in every second position", at % 2 == 0
    yield "in every second position from 1", at % 2 == 1
    for i in range(1, n - 1):
        yield f"in position {i}", at == i


def _by_keys(x: Array, keys: Sequence[tuple[int, Array]]) -> Iterator[tuple[str, Array, bool]]:
    """Yield the elements that a boolean input selects, and the rows that an integer input selects."""
    for j, b in keys:
        if b.dtype.kind == "b" and b.ndim:
            mask = b.reshape(b.shape + (1,) * (x.ndim - b.ndim)) if b.shape == x.shape[: b.ndim] else b
            try:
                mask = np.broadcast_to(mask, x.shape)
            except ValueError:
                continue
            yield from ((f"where input {j} is True", mask, True), (f"where input {j} is False", ~mask, True))
        elif b.dtype.kind in "iu" and b.size and x.ndim and len(x):
            picked = np.isin(np.arange(len(x)), b % len(x)).reshape((-1,) + (1,) * (x.ndim - 1))
            sure = b.shape[:1] != x.shape[:1]  # of equal length it may hold one key per row
            yield f"in the rows that input {j} picks", np.broadcast_to(picked, x.shape), sure
            yield f"in the rows that input {j} does not pick", np.broadcast_to(~picked, x.shape), sure


def tied(x: Array) -> Array:
    """Return the elements whose value occurs more than once."""
    _, inverse, count = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray(count[inverse].reshape(x.shape) > 1)


def _meets(x: Array, others: Sequence[Array]) -> Array:
    """Return the elements that equal the broadcast element of another input."""
    meets = np.zeros(x.shape, bool)
    for b in others:
        try:
            equal = x == b
        except ValueError:
            continue
        extra = tuple(range(equal.ndim - x.ndim))
        equal = equal.any(extra)
        stretched = tuple(i for i, n in enumerate(x.shape) if n == 1 and equal.shape[i] != 1)
        meets |= equal.any(stretched, keepdims=True) if stretched else equal
    return meets
