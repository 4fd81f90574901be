"""The suspected cause of a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tinygrad_lite.testing.explain.changed_calls import Asked, asked, beside, indices, masks, option
from tinygrad_lite.testing.explain.changed_inputs import dependence, experiments
from tinygrad_lite.testing.explain.changed_saved import saved_values
from tinygrad_lite.testing.explain.compare import compared
from tinygrad_lite.testing.explain.context import (
    UNKNOWN,
    Outcome,
    common,
    contradicted,
    deciding_option,
    shared_property,
)
from tinygrad_lite.testing.explain.evidence import Case, Hint
from tinygrad_lite.testing.explain.factors import factor
from tinygrad_lite.testing.explain.jacobian import MANY
from tinygrad_lite.testing.explain.patterns import hints, local, manner
from tinygrad_lite.testing.explain.ranges import Data, band, elements, outputs, values_for
from tinygrad_lite.testing.explain.terms import term
from tinygrad_lite.testing.verdict.point import NUMBERS, Point

T = TypeVar("T")
ORDINARY = ("normal", "negative", "spread")  # value modes whose values are nothing special
ENOUGH = 10  # failing points that are compared for an explanation

ADVICE = {
    "forward raises": "the function does not accept an input that its spec allows",
    "forward modifies its input": "an in-place operation on an argument: work on a copy",
    "forward is not deterministic": "random numbers or state inside the function: pass a seed",
    "backward raises": "the rule does not handle these shapes or options",
    "backward modifies the incoming gradient": "an in-place operation on g (g *= ..., g[mask] = 0): work on a copy",
    "backward modifies a saved input": "an in-place operation on a saved array: work on a copy",
    "wrong number of gradients": "one gradient per input, None for integers",
    "gradient missing": "the rule returns None for a float input",
    "wrong shape": "the gradient must have the shape of its input: sum over broadcast axes, keep axes of size 1",
    "wrong dtype": "the gradient must have the dtype of its input: a constant or an array of another dtype changed it",
    "backward is not deterministic (or accumulates)": (
        "the rule changes what it saved, adds into a buffer it keeps, or has a state of its own"
    ),
    "backward uses state of a later forward call": "values are kept on the function or module, not per call",
    "backward is not linear in the incoming gradient": "g is used twice, not at all, or through a nonlinear function",
    "depends on memory layout": "ravel/reshape order, strides or raw buffers are assumed to be C-contiguous",
    "cannot take a read-only broadcast gradient": "the rule writes into g or needs it contiguous",
    "wrong when one array is passed twice": "arguments are told apart by identity, or one is overwritten by the other",
    "raises in low precision": "something in forward or backward insists on float64",
    "far off in low precision": "e.g. overflow, cancellation, or an eps below the precision of float32",
    "gradient carries only float32 precision": "an intermediate of backward is cast to float32",
}
# Kinds that a wrong value can also cause: the numbers are looked at first.
DOUBTFUL = ("depends on memory layout", "far off in low precision")


NOTHING = "no gradient reaches"
ALONE = (NOTHING, "a gradient where the function", "not finite")  # nothing more to say
# What has many causes is said only if nothing more telling is found.
WEAK = (
    *("too large by a whole", "too small by a whole", "each output has", "each element of the input", "small"),
    *("off by a factor that is the same", "the error is the same", "off by a constant factor, another", "must "),
)


# Places at which a mistake at special values shows.
AT = ("x = 0", "x <= 0", "x >= 0", "tied", "equals another input", "largest")
# Where it is wrong: among the few points of one option a coincidence.
PLACES = ("wrong only", "gradient missing", "gradient passed")


def diagnose(kind: str, outcomes: Sequence[Outcome]) -> str | None:
    """The suspected cause, from the failing points (the main one first) and all that passed."""
    failing = [o for o in outcomes if o.failed]
    if kind in NUMBERS or kind.startswith(DOUBTFUL):
        text = _numbers(failing, outcomes)
        if text is not None and (kind in NUMBERS or text != UNKNOWN):
            return text
    return next((text for start, text in ADVICE.items() if kind.startswith(start)), None)


def _numbers(failing: Sequence[Outcome], outcomes: Sequence[Outcome]) -> str | None:
    room = max((_size(o.point) for o in failing if _size(o.point) <= MANY), default=0)
    cases: dict[str, list[Case]] = {}
    used, met = 0, _met(outcomes)
    for o in failing:
        if _size(o.point) < 4 <= room or not 0 < _size(o.point) <= MANY or used == ENOUGH:  # patterns need elements
            continue
        found = _kindly(compared, o.point, met) or {}
        used += bool(found)
        for name, c in found.items():
            c.ordinary = o.mode in ORDINARY
            cases.setdefault(name, []).append(c)
    known: dict[str, list[str]] = {}
    usual = max(map(len, cases.values()), default=0)
    for name, every in cases.items():
        if len(every) < usual / 2:  # where another input is wrong: a kink that differences do not see
            continue
        telling = _telling(every)
        text = _kindly(explained, telling, every, outcomes)
        prefix = telling[0].prefix if len({c.prefix for c in telling}) == 1 else ""
        if text or prefix:
            known.setdefault(prefix + text if text else f"wrong {prefix[:-2]}", []).append(name)
    texts = []
    for text, names in known.items():
        whole = len(known) == 1 and len(names) == len(failing[0].point.fl)
        texts.append(text if whole else f"{', '.join(names)}: {text}")
    points = _kindly(asked, outcomes) or []
    special = _kindly(beside, points)
    if special:  # what else is seen holds at that value by chance
        at = None if "equals input" in special else next((t for t in texts if any(place in t for place in AT)), None)
        decided = _kindly(option, points, outcomes)
        return "; ".join(t for t in (at or special, decided) if t)
    ignored = [t for t in texts if "ignores option" in t]
    if ignored:  # what else is seen follows from it
        return "; ".join(ignored)
    decided = _kindly(_decided, points, outcomes, any(map(_sure, known)))
    texts += [decided] if decided else []
    return "; ".join(texts) or _at_least(cases, len(failing[0].point.fl))


def _met(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """The values of each option in a search."""
    met: dict[str, dict[str, Any]] = {}
    for o in outcomes:
        for key, value in o.point.kw.items():
            met.setdefault(key, {})[repr(value)] = value
    return {key: list(values.values()) for key, values in met.items()}


def _at_least(cases: dict[str, list[Case]], inputs: int) -> str:
    """Which gradients are wrong, and what the error depends on."""
    alone = f", in the gradient of {_listed(list(cases))} alone" if 0 < len(cases) < inputs else ""
    depends = [text for every in list(cases.values())[:1] if (text := _kindly(dependence, _telling(every)))]
    return "; ".join([UNKNOWN + alone, *depends])


def _kindly(f: Callable[..., T], *args: Any) -> T | None:
    """An explanation is a kindness; the verdict stands without it."""
    try:
        return f(*args)
    except Exception:
        return None


def _decided(points: Sequence[Asked], outcomes: Sequence[Outcome], sure: bool) -> str | None:
    """What tells failing points from others: an option; where nothing else is known, indices, a mask, a property."""
    decided = deciding_option(outcomes) or option(points, outcomes)
    return decided if decided or sure else indices(points) or masks(points) or shared_property(outcomes)


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sure(text: str) -> bool:
    return UNKNOWN not in text and not text.startswith(("with ", *WEAK))


def _telling(cases: Sequence[Case]) -> list[Case]:
    """The points at which a pattern would show: generic ones with a plain error, as far as there are any."""
    generic = [c for c in cases if c.generic] or list(cases)
    generic = [c for c in generic if c.x.size > 2 or not c.x.ndim] or generic
    plain = [c for c in generic if c.rel > 0.02] or generic
    plain = [c for c in plain if c.big.sum() >= min(3, c.n.size)] or plain
    seen = [c for c in plain if c.Ja is not None]  # each output's derivatives are known
    return seen if len(seen) > 1 else plain


def explained(telling: Sequence[Case], every: Sequence[Case], outcomes: Sequence[Outcome]) -> str | None:
    """What all failing points of one input show, or all that share the value of one option."""
    with np.errstate(all="ignore"):
        shared = common([hints(c) for c in telling])
        shared = [h for h in shared if not _refuted(h, len(telling), every, outcomes)]
        found = _strong(telling, shared) or _by_option(telling)
        if not found:
            by_place, by_value = _where(telling, every, outcomes), saved_values(telling)
            plain = by_place and not any(t in by_place for t in ("wrong only in", " position", "wrong only near"))
            found = (by_place if plain else by_value or term(telling) or by_place) or experiments(telling)
        if found or not shared:
            return found
        return _small_error(telling) if shared[0].key == "small error" else shared[0].text


def _refuted(h: Hint, confirmed: int, every: Sequence[Case], outcomes: Sequence[Outcome]) -> bool:
    """Whether some example tells that a hint cannot be right."""
    if h.option is not None:
        lone = isinstance(h.option[1], float) and confirmed < 2 <= len(
            every
        )  # a limit that no element reaches fits too
        return lone or contradicted(*h.option, outcomes)
    if h.key.startswith(NOTHING):
        passed = [o.point for o in outcomes if not o.failed and o.mode in ORDINARY][:5]
        some = [p.vjp(p.x, np.ones(p.out(p.x).size))[p.fl.index(every[0].index)] for p in passed]
        return any(np.any(c.a) for c in every) or any(map(np.any, some))
    return False


def _strong(telling: Sequence[Case], shared: Sequence[Hint]) -> str | None:
    """A pattern that has few causes."""
    if shared and shared[0].key.startswith(ALONE):
        return shared[0].text
    ratio = factor(telling)
    if ratio:
        return ratio
    strong = [h for h in shared if not h.key.startswith(WEAK)]
    return _together(strong) if strong else None


def _by_option(telling: Sequence[Case]) -> str | None:
    """Patterns that differ from one value of an option to the next."""
    for key in telling[0].options:
        groups: dict[str, list[Case]] = {}
        for c in telling:
            groups.setdefault(repr(c.options.get(key)), []).append(c)
        if not 1 < len(groups) < len(telling):
            continue
        texts = {
            value: _strong(group, [h for h in common([hints(c) for c in group]) if not h.key.startswith(PLACES)])
            if len(group) > 2
            else factor(group)
            for value, group in groups.items()
            if len(group) > 1  # fewer agree by chance
        }
        told = [f"with {key}={value}: {text}" for value, text in texts.items() if text and "another" not in text]
        if told:
            return "; ".join(told[:3])
    return None


def _where(telling: Sequence[Case], every: Sequence[Case], outcomes: Sequence[Outcome]) -> str | None:
    """The values of something at which it is wrong, and only there."""
    hows = {manner(c) for c in telling}
    how = hows.pop() if len(hows) == 1 else "wrong only"
    if any(map(local, telling)):
        place = band([elements(c, manner(c) != "wrong only") for c in every] + _right(telling[0], outcomes))
        if place:
            return f"{how} {place}"
    rows = [d for c in every if (d := outputs(c)) is not None]
    place = band(rows) if len(rows) == len(every) else None
    if place:
        return f"wrong only through outputs {place}"
    if how != "wrong only" and all(map(local, telling)):
        return f"{how.rstrip(',')} at some elements: a mask, a limit or a branch"
    return None


def _together(strong: Sequence[Hint]) -> str:
    """The first hint; of places along axes those of every axis."""
    first = strong[0].text
    if " position" not in first:
        return first
    by_axis: dict[str, str] = {}
    for h in strong:
        place, _, axis = h.text.partition(" along ")
        if axis and " position" in place or " half" in place:
            by_axis.setdefault(axis, place)
    how = first[: first.index(" in ")]
    return how + " and".join(f"{place.removeprefix(how)} along {axis}" for axis, place in by_axis.items())


def _small_error(cases: Sequence[Case]) -> str | None:
    if not all(c.rel < 0.02 for c in cases):
        return None
    worst = max(c.rel for c in cases)
    return f"a small error (at most {worst:.0e} of the gradient): a constant, an eps, a precision or a small term"


def _right(c: Case, outcomes: Sequence[Outcome]) -> list[Data]:
    """The elements of this input at the points that passed."""
    found = []
    for o in outcomes:
        p = o.point
        if o.failed or not p.x[c.index].size or not all(np.isfinite(p.x[i]).all() for i in p.fl):
            continue
        x = p.x[c.index]
        y = p.out(p.x) if c.y is not None and c.y.shape == c.x.shape else np.zeros(0)
        known = values_for(x, c.index, p.x, y.reshape(x.shape) if y.size == x.size else None)
        found.append(Data(known, np.zeros(x.shape), p.kw))
    return found


def _size(p: Point) -> int:
    return sum(p.x[i].size for i in p.fl)
