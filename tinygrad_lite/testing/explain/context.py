"""Compare failing with passing examples: find the option or property of the inputs that separates them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.explain.evidence import Hint
from tinygrad_lite.testing.verdict.point import Array, Point

UNKNOWN = "no simple pattern: a term is missing or wrong"
CHANCE = 0.01  # largest accepted probability of a coincidence, times the number of alternatives tried
LIKELY = 0.05  # the same for a pattern, which holds at all failing points in any case
ALTERNATIVES = 12  # positions along axes that are tried


class Outcome(NamedTuple):
    """One example of a search: its value mode, its point, and whether it failed."""

    mode: str
    point: Point
    failed: bool


def common(lists: Sequence[Sequence[Hint]]) -> list[Hint]:
    """Return the hints that no failing point contradicts, in order of significance."""
    found: dict[str, Hint] = {}
    for h in [h for hints in lists for h in hints]:
        if h.key not in found or h.supports and not found[h.key].supports:
            found[h.key] = h
    out = []
    for key, h in found.items():
        alike = [[o for o in hints if o.key == key][:1] for hints in lists]
        chance = ALTERNATIVES * math.prod(o.chance or 1e-9 for same in alike for o in same)
        if h.supports and all(alike) and chance < LIKELY:
            out.append(h)
    return out


def coincidence(failed: int, passed: int, members: int) -> float:
    """Return the probability that all failing examples are among ``members`` of all examples by chance."""
    return math.comb(members, failed) / math.comb(failed + passed, failed)


def deciding_option(outcomes: Sequence[Outcome]) -> str | None:
    """Find an option whose value separates failing from passing examples."""
    general = [o for o in outcomes if _general(o.point)]
    failed, passed = [o.point for o in general if o.failed], [o.point for o in general if not o.failed]
    if not failed or not passed:
        return None
    tried = sum(len({repr(_value(o.point, key)) for o in general}) for key in failed[0].kw)
    for key in failed[0].kw:
        bad, good = ({repr(_value(p, key)) for p in points} for points in (failed, passed))
        several = sum(len([p for p in passed if repr(_value(p, key)) == value]) > 1 for value in good) == len(good)
        if bad & good or tried / math.comb(len(general), len(failed)) > CHANCE:
            continue
        if len(good) == 1 and several:
            more = f", wrong with {', '.join(sorted(bad))}" if len(bad) < 4 else ", wrong otherwise"
            return f"right with {key} = {min(good)}{more}: see how backward uses option {key}"
        if len(bad) == 1:
            return f"wrong only with option {key} = {min(bad)} (right with {', '.join(sorted(good)[:4])})"
    return None


def contradicted(key: str, value: Any, outcomes: Sequence[Outcome]) -> bool:
    """Whether the examples rule out that backward assumes ``value`` for option ``key`` in every call.

    If it does, calls with that value pass and most others fail (not all: no element may reach a limit).
    """
    general = [o for o in outcomes if _general(o.point)]
    alike = [o.failed for o in general if _same(o.point, key, value)]
    other = [o.failed for o in general if not _same(o.point, key, value)]
    return any(alike) or sum(other) < 0.5 * len(other)


def _same(p: Point, key: str, value: Any) -> bool:
    now = p.kw.get(key)
    if key in ("axis", "dim") and isinstance(now, int) and isinstance(value, int) and p.fl:
        return (now - value) % max(p.x[p.fl[0]].ndim, 1) == 0
    return bool(now == value)


def _general(p: Point) -> bool:
    """Whether the point is general enough for a bug to show."""
    x = [p.x[i] for i in p.fl]
    return any(a.size > 2 and np.ptp(a) > 0 and all(n > 1 for n in a.shape) for a in x)


def _value(p: Point, key: str) -> Any:
    value = p.kw.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and key in ("axis", "dim") and p.fl:
        nd = p.x[p.fl[0]].ndim
        return value if value < 0 else value - nd  # counted from the end, so that the last axis is always -1
    return value


def shared_property(outcomes: Sequence[Outcome]) -> str | None:
    """Find a property of all failing examples that too few passing ones share for a coincidence."""
    general = [o.point for o in outcomes if o.failed or _ordinary(o.point)]
    failed = [o.point for o in outcomes if o.failed]
    if not failed or len(failed) == len(general):
        return None
    rated = []
    for k, (text, test) in enumerate(PROPERTIES):
        if all(map(test, failed)):
            rated.append((coincidence(len(failed), len(general) - len(failed), sum(map(test, general))), k, text))
    rated = [r for r in sorted(rated) if r[0] < (CHANCE if "equal" in r[2] or "index" in r[2] else CHANCE / 10)]
    if not rated:
        return None
    near = [text for chance, _, text in rated if chance <= 3 * rated[0][0]][:2]
    return f"seen only {' or '.join(near)}"


def _ordinary(p: Point) -> bool:
    """Whether a bug could show: no input is empty, and some elements are not zero."""
    return all(a.size for a in p.given) and any(a.size > 1 and a.any() for a in _floats(p))


def _floats(p: Point) -> list[Array]:
    return [p.x[i] for i in p.fl]


def _ints(p: Point) -> list[Array]:
    return [a for a in p.given if a.dtype.kind in "iu" and a.size]


def _meeting(arrays: Sequence[Array]) -> bool:
    return any(bool(np.isin(a, b).any()) for i, a in enumerate(arrays) for b in arrays[:i])


def _equal(a: Array) -> bool:
    return bool(len(np.unique(a)) < a.size)


PROPERTIES: tuple[tuple[str, Callable[[Point], bool]], ...] = (
    ("where elements of an input are equal (ties)", lambda p: any(_equal(a) for a in _floats(p))),
    ("where elements of two inputs are equal (ties)", lambda p: _meeting(_floats(p))),
    ("where elements have equal absolute values (ties)", lambda p: any(_equal(np.abs(a)) for a in _floats(p))),
    ("where an input holds a zero", lambda p: any(bool((a == 0).any()) for a in _floats(p))),
    ("where an index occurs more than once", lambda p: any(_equal(a) for a in _ints(p))),
    ("where an index is negative", lambda p: any(bool((a < 0).any()) for a in _ints(p))),
    ("where an index is 0", lambda p: any(bool((a == 0).any()) for a in _ints(p))),
    (
        "when the shapes of the inputs differ (broadcasting)",
        lambda p: len({a.shape for a in _floats(p)}) > 1,
    ),
    ("when an axis has size 1", lambda p: any(1 in a.shape for a in _floats(p))),
    ("with 3 or more axes", lambda p: any(a.ndim > 2 for a in _floats(p))),
    ("where an input exceeds 10 in size", lambda p: any(bool((np.abs(a) > 10).any()) for a in _floats(p))),
)
