"""Which examples fail and which pass: an option or a property of the inputs that tells them apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.explain.evidence import Hint
from tinygrad_lite.testing.verdict.point import Array, Point

UNKNOWN = "no simple pattern: a term is missing or wrong"
CHANCE = 0.01  # probability of a coincidence, times the number of things tried, below which it is none


LIKELY = 0.05  # the same for a property: what is said is true of all examples anyway


ALTERNATIVES = 12  # positions along axes that are tried


class Outcome(NamedTuple):
    """One example of a search, and of which kind its values are."""

    mode: str
    point: Point
    failed: bool


def common(lists: Sequence[Sequence[Hint]]) -> list[Hint]:
    """The hints that no failing point contradicts, most telling first."""
    found: dict[str, Hint] = {}
    for h in [h for hints in lists for h in hints]:
        if h.key not in found or h.telling and not found[h.key].telling:
            found[h.key] = h
    out = []
    for key, h in found.items():
        alike = [[o for o in hints if o.key == key][:1] for hints in lists]
        chance = ALTERNATIVES * math.prod(o.chance or 1e-9 for same in alike for o in same)
        if h.telling and all(alike) and chance < LIKELY:
            out.append(h)
    return out


def coincidence(failed: int, passed: int, members: int) -> float:
    """Probability that all failing examples fall by chance into ``members`` of all examples."""
    return math.comb(members, failed) / math.comb(failed + passed, failed)


def deciding_option(outcomes: Sequence[Outcome]) -> str | None:
    """An option whose value tells failing examples from passing ones."""
    told = [o for o in outcomes if _tells(o.point)]
    failed, passed = [o.point for o in told if o.failed], [o.point for o in told if not o.failed]
    if not failed or not passed:
        return None
    tried = sum(len({repr(_value(o.point, key)) for o in told}) for key in failed[0].kw)
    for key in failed[0].kw:
        bad, good = ({repr(_value(p, key)) for p in points} for points in (failed, passed))
        several = sum(len([p for p in passed if repr(_value(p, key)) == value]) > 1 for value in good) == len(good)
        if bad & good or tried / math.comb(len(told), len(failed)) > CHANCE:
            continue
        if len(good) == 1 and several:
            more = f", wrong with {', '.join(sorted(bad))}" if len(bad) < 4 else ", wrong otherwise"
            return f"right with {key} = {min(good)}{more}: see how backward uses option {key}"
        if len(bad) == 1:
            return f"wrong only with option {key} = {min(bad)} (right with {', '.join(sorted(good)[:4])})"
    return None


def contradicted(key: str, value: Any, outcomes: Sequence[Outcome]) -> bool:
    """Whether the examples tell that backward does not take ``value`` for option ``key`` in every call.

    A call with that very value must pass; few of the others may (a limit that no element reaches).
    """
    told = [o for o in outcomes if _tells(o.point)]
    alike = [o.failed for o in told if _same(o.point, key, value)]
    other = [o.failed for o in told if not _same(o.point, key, value)]
    return any(alike) or sum(other) < 0.5 * len(other)


def _same(p: Point, key: str, value: Any) -> bool:
    now = p.kw.get(key)
    if key in ("axis", "dim") and isinstance(now, int) and isinstance(value, int) and p.fl:
        return (now - value) % max(p.x[p.fl[0]].ndim, 1) == 0
    return bool(now == value)


def _tells(p: Point) -> bool:
    """Whether the point is general enough for its passing to mean something."""
    x = [p.x[i] for i in p.fl]
    return any(a.size > 2 and np.ptp(a) > 0 and all(n > 1 for n in a.shape) for a in x)


def _value(p: Point, key: str) -> Any:
    value = p.kw.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and key in ("axis", "dim") and p.fl:
        nd = p.x[p.fl[0]].ndim
        return value if value < 0 else value - nd  # counted from the end, so that -1 is always the last axis
    return value


def shared_property(outcomes: Sequence[Outcome]) -> str | None:
    """A property that all failing examples have and so few passing ones that this is no coincidence."""
    told = [o.point for o in outcomes if o.failed or _ordinary(o.point)]
    failed = [o.point for o in outcomes if o.failed]
    if not failed or len(failed) == len(told):
        return None
    rated = []
    for k, (text, test) in enumerate(PROPERTIES):
        if all(map(test, failed)):
            rated.append((coincidence(len(failed), len(told) - len(failed), sum(map(test, told))), k, text))
    rated = [r for r in sorted(rated) if r[0] < (CHANCE if "equal" in r[2] or "index" in r[2] else CHANCE / 10)]
    if not rated:
        return None
    near = [text for chance, _, text in rated if chance <= 3 * rated[0][0]][:2]
    return f"seen only {' or '.join(near)}"


def _ordinary(p: Point) -> bool:
    """Whether a mistake could have shown: nothing is empty, and not all is zero."""
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
