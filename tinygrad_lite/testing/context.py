"""Which examples fail and which pass: an option that decides it, or the cause that all failing points share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.evidence import Hint
from tinygrad_lite.testing.point import Point

# True of many a special point, telling only when true of all.
NEEDS_ALL = (
    "no gradient reaches this input: zero is returned",
    "a gradient where the function does not depend on this input",
)
UNKNOWN = "no simple pattern: a term is missing or wrong"


class Outcome(NamedTuple):
    """One example of a search."""

    n: int
    point: Point
    failed: bool


def deciding_option(outcomes: Sequence[Outcome]) -> str | None:
    """An option whose value tells failing examples from passing ones."""
    told = [o for o in outcomes if _tells(o.point)]
    failed, passed = [o.point for o in told if o.failed], [o.point for o in told if not o.failed]
    if not _telling(len(failed), len(passed)):
        return None
    for key in failed[0].kw:
        bad, good = ({repr(_value(p, key)) for p in points} for points in (failed, passed))
        if bad & good:
            continue
        if len(good) == 1:
            return f"right with {key} = {min(good)}, wrong otherwise: see how backward uses option {key}"
        if len(bad) == 1:
            return f"wrong only with option {key} = {min(bad)}"
    return None


def _tells(p: Point) -> bool:
    """Whether the point is general enough for its passing to mean something."""
    x = [p.x[i] for i in p.fl]
    return any(a.size > 2 and np.ptp(a) > 0 and all(n > 1 for n in a.shape) for a in x)


def _telling(failed: int, passed: int) -> bool:
    """Whether a property that splits the points just so is hardly chance: few of so many ways to split them."""
    return math.comb(failed + passed, failed) >= 20


def _value(p: Point, key: str) -> Any:
    value = p.kw.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and key in ("axis", "dim") and p.fl:
        nd = p.x[p.fl[0]].ndim
        return value if value < 0 else value - nd  # counted from the end, so that -1 is always the last axis
    return value


def shared_shape(outcomes: Sequence[Outcome]) -> str | None:
    """A property of the shapes that tells failing examples from passing ones."""
    told = [
        o for o in outcomes if all(a.size for a in o.point.given) and sum(o.point.x[i].size for i in o.point.fl) > 1
    ]
    if not _telling(sum(o.failed for o in told), sum(not o.failed for o in told)):
        return None
    tests: tuple[tuple[str, Callable[[Point], bool]], ...] = (
        ("when the shapes of the inputs differ (broadcasting)", lambda p: len({p.x[i].shape for i in p.fl}) > 1),
        ("when an axis has size 1", lambda p: any(1 in p.x[i].shape for i in p.fl)),
        ("with 3 or more axes", lambda p: any(p.x[i].ndim > 2 for i in p.fl)),
    )
    for text, test in tests:
        if all(test(o.point) == o.failed for o in told):
            return f"wrong only {text}"
    return None


def agreed(lists: Sequence[Sequence[Hint]]) -> Hint | None:
    """The first hint of the main point that most failing points share; of a lone point, its first."""
    full = [hints for hints in lists if hints]
    if not full:
        return None
    factors = {
        h.key: sum(any(h.key == o.key for o in hints) for hints in full) for h in full[0] if h.key.startswith("factor")
    }
    best = [h for h in full[0] if factors.get(h.key, 0) == max(factors.values(), default=0) > 0]
    if best and factors[best[0].key] >= 0.6 * len(full):
        return Hint(
            best[0].key, " or ".join(h.text.removeprefix("off by ") if k else h.text for k, h in enumerate(best[:2]))
        )
    for hint in full[0]:
        same = [h for hints in full for h in hints if h.key == hint.key]
        everywhere = hint.key in NEEDS_ALL or "=" in hint.key  # an option that is ignored is ignored in every call
        if len(same) >= (len(lists) if everywhere else max(0.6 * len(full), min(len(lists), 2))):
            places = [_family(h.text) for h in same if " elements" not in h.text]
            usual = max(places, key=places.count, default=_family(hint.text))
            return next((h for h in same if _family(h.text) == usual), hint)
    alone = len(lists) == 1  # a place or an option that other failing points do not confirm is a coincidence
    return next(
        (h for h in full[0] if alone or not (h.key in NEEDS_ALL or h.key.startswith("wrong only") or "=" in h.key)),
        None,
    )


def _family(text: str) -> str:
    """A text without its numbers."""
    return re.sub(r"[\d.]+", "#", text)
