"""Find the range of a value in which a gradient is wrong, over all failing and passing points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.explain.evidence import Case
from tinygrad_lite.testing.verdict.point import Array

CHANCE = 1e-3  # largest accepted probability that wrong elements are adjacent by chance
FADED = 0.3  # an error that falls below this part of its median fades out instead of ending at an edge
RIGHT = 3  # right values required beyond an edge
WIDE = 1.0  # distance to the next right value from which an error may have faded out in between


class Data(NamedTuple):
    """The elements of one point: values that a branch may test, their errors, the options."""

    values: dict[str, Array]
    off: Array  # relative error; NaN if doubtful, 0 if right
    options: dict[str, Any]


class Band(NamedTuple):
    """Wrong values from ``low`` to ``high``; the next right ones are ``under`` and ``over`` (infinite: none)."""

    under: float
    low: float
    high: float
    over: float


def elements(c: Case, flat: bool) -> Data:
    """Return the elements of a failing point; ``flat``: the wrong gradients are zero, or should be."""
    plain = c.right & (c.big | flat)  # a zero gradient does not show that other numbers would be right
    off = np.where(c.bad, c.off, np.where(plain, 0.0, np.nan))
    return Data(values_for(c.x, c.index, c.arrays, c.y), off, c.options)


def outputs(c: Case) -> Data | None:
    """Return the outputs of a failing point, wrong where any of their derivatives is."""
    if c.Ja is None or c.Jn is None or c.y is None or c.y.size != len(c.Jn):
        return None
    gap, size = np.abs(c.Ja - c.Jn).max(1), np.maximum(np.abs(c.Jn), np.abs(c.Ja)).max(1)
    off = gap / np.maximum(size, 1e-300)
    off = np.where(off > 1e-4, off, np.where((off < 1e-6) & (size > 1e-6 * size.max()), 0.0, np.nan))
    known = {"y": c.y, "|y|": np.abs(c.y)}
    for j, b in enumerate(c.arrays):
        t = _aligned(b, c.y.shape)
        if t is not None:
            known[f"input {j}"] = t
    return Data(known, off.reshape(c.y.shape), c.options)


def values_for(x: Array, index: int, arrays: Sequence[Array], y: Array | None) -> dict[str, Array]:
    """Return all values of the shape of ``x`` that a branch may test."""
    known = {"x": x, "|x|": np.abs(x)}
    if y is not None and y.shape == x.shape:
        known |= {"y": y, "|y|": np.abs(y)}
    for j, b in enumerate(arrays):
        t = None if j == index else _aligned(b, x.shape)
        if t is not None:
            known[f"input {j}"] = t
            if b.dtype.kind == "f" and b.shape == x.shape:
                known |= {f"x - input {j}": x - t, f"|x - input {j}|": np.abs(x - t)}
    return known


def _aligned(b: Array, shape: tuple[int, ...]) -> Array | None:
    """Broadcast ``b`` to a shape, aligned at the last axes or, with one value per row, at the first."""
    if b.dtype.kind == "b" or not b.ndim:
        return None
    for t in (b, b.reshape(b.shape + (1,) * (len(shape) - b.ndim)) if b.ndim < len(shape) else b):
        if t.ndim <= len(shape):
            try:
                return np.broadcast_to(t, shape)
            except ValueError:
                continue
    return None


def band(data: Sequence[Data]) -> str | None:
    """Find the range of one quantity in which, and only there, gradients are wrong; prefer an option as its limit."""
    names = [name for name in data[0].values if all(name in d.values for d in data)]
    plain = None
    for groups in _groupings(data):
        for name in names:
            found, chance = [], len(names) * 2.0
            for group in groups:
                values, off = _pooled(group, name)
                wrong, known = int((off > 0).sum()), int((off >= 0).sum())
                if not wrong:
                    continue
                one = _between(values, off)
                if one is None:
                    break
                found.append((one, group[0].options))
                chance *= (known - wrong + 1) / math.comb(known, wrong)
            else:
                if found and chance < CHANCE:
                    text = _text(name, found)
                    if "(with" not in text and {t.lstrip("-") for t in text.split()} & data[0].options.keys():
                        return text
                    plain = plain or text
    return plain


def _groupings(data: Sequence[Data]) -> Iterator[list[list[Data]]]:
    """Yield all points together, then grouped by each option, then by all options."""
    yield [[d._replace(options={}) for d in data]]
    keys = [k for k in data[0].options if len({repr(d.options.get(k)) for d in data}) > 1]
    for chosen in [[k] for k in keys] + ([keys] if len(keys) > 1 else []):
        groups: dict[str, list[Data]] = {}
        for d in data:
            groups.setdefault(repr([d.options.get(k) for k in chosen]), []).append(d)
        if len(groups) < len(data):
            yield [
                [d._replace(options={k: d.options.get(k) for k in chosen}) for d in group] for group in groups.values()
            ]


def _pooled(group: Sequence[Data], name: str) -> tuple[Array, Array]:
    """Return distinct values in ascending order and their errors, one entry per value and state."""
    values = np.concatenate([d.values[name].ravel() for d in group]).astype(float)
    off = np.concatenate([d.off.ravel() for d in group])
    states = np.where(np.isnan(off), -1.0, np.sign(off))  # in doubt, right, wrong
    _, first = np.unique(np.stack([values, states]), axis=1, return_index=True)  # in order of the values
    return values[first], off[first]


def _between(values: Array, off: Array) -> Band | None:
    """Return the range of wrong values, if no other value is in it and the error ends abruptly at an edge."""
    bad = np.flatnonzero(off > 0)
    first, last = int(bad[0]), int(bad[-1])
    if len(bad) < 2 or last - first + 1 > len(bad):
        return None
    plain = FADED * float(np.median(off[bad]))
    if last + 1 < len(values) and values[last + 1] - values[last] > max(WIDE, 0.2 * abs(values[last])):
        return None
    below, above = off[max(first - RIGHT, 0) : first], off[last + 1 : last + 1 + RIGHT]
    lower = len(below) == RIGHT and bool((below == 0).all())
    upper = len(above) == RIGHT and bool((above == 0).all())
    if not (lower and off[first] > plain or upper and off[last] > plain):
        return None
    return Band(
        float(values[first - 1]) if lower else -math.inf,
        float(values[first]),
        float(values[last]),
        float(values[last + 1]) if upper else math.inf,
    )


def _text(name: str, found: Sequence[tuple[Band, dict[str, Any]]]) -> str:
    if len(found) == 1:
        one, options = found[0]
        text = _range(name, _edge(one.under, one.low), _edge(one.high, one.over))
        return f"{text} ({_with(options)})" if options and len(options) < 3 else text
    low = _named([(b.under, b.low, o) for b, o in found])
    high = _named([(b.high, b.over, o) for b, o in found])
    if low is not None and high is not None:
        return _range(name, low, high)
    shown = [f"{_range(name, _edge(b.under, b.low), _edge(b.high, b.over))} ({_with(o)})" for b, o in found[:3]]
    return "; ".join(shown)


def _with(options: dict[str, Any]) -> str:
    return "with " + ", ".join(f"{k}={v!r}" for k, v in options.items())


def _range(name: str, low: str, high: str) -> str:
    if not low:
        return f"for {name} < {high}"
    if high:
        return f"for {name} between {low} and {high}"
    return f"for {name} > {low}"


def _edge(one: float, other: float) -> str:
    """Return a round number between two neighbours, or both if they are far apart; "" for no edge."""
    if math.isinf(one) or math.isinf(other):
        return ""
    if one <= 0 <= other:
        return "0"
    if abs(other - one) > 0.2 * abs(one + other):
        return f"a limit in [{one:.3g}, {other:.3g}]"
    for digits in range(-6, 9):
        step = 10.0**-digits
        t = math.ceil(one / step) * step
        if one <= t <= other:
            return f"{t:.6g}"
    return f"{other:.6g}"


def _named(edges: Sequence[tuple[float, float, dict[str, Any]]]) -> str | None:
    """Return the edge as a number that fits all points, or as an option."""
    if any(math.isinf(a) or math.isinf(b) for a, b, _ in edges):
        return "" if all(math.isinf(a) or math.isinf(b) for a, b, _ in edges) else None
    exact = min(b - a for a, b, _ in edges)
    for key in edges[0][2]:  # an option that varies by more than the edges are uncertain, and fits, is no coincidence
        values = [o[key] for _, _, o in edges]
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        fits = numbers and all(a <= v <= b for (a, b, _), v in zip(edges, values, strict=True))
        if fits and max(values) - min(values) > exact:
            return key
    low, high = max(a for a, _, _ in edges), min(b for _, b, _ in edges)
    if low <= high:
        return _edge(low, high)
    forms: tuple[tuple[str, Callable[[float], float]], ...] = (
        ("{}", lambda t: t),
        ("-{}", lambda t: -t),
        ("2 * {}", lambda t: 2 * t),
        ("{} / 2", lambda t: t / 2),
        ("{} squared", lambda t: t * t),
        ("1 - {}", lambda t: 1 - t),
        ("1 / {}", lambda t: 1 / t if t else math.nan),
    )
    for key in edges[0][2]:
        if any(isinstance(o[key], bool) or not isinstance(o[key], (int, float)) for _, _, o in edges):
            continue
        for form, f in forms:
            if all(a <= f(o[key]) <= b for a, b, o in edges):
                return form.format(key)
    return None
