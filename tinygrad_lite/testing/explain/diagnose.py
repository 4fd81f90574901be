"""Find the suspected cause of a failure from all examples of a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tinygrad_lite.testing.explain.changed_calls import Repeatable, indices, masks, nearby, option, repeatable
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
from tinygrad_lite.testing.explain.conventions import convention
from tinygrad_lite.testing.explain.evidence import Case, Hint
from tinygrad_lite.testing.explain.factors import factor
from tinygrad_lite.testing.explain.jacobian import MANY
from tinygrad_lite.testing.explain.patterns import hints, local, manner
from tinygrad_lite.testing.explain.ranges import Data, band, elements, outputs, values_for
from tinygrad_lite.testing.explain.terms import term
from tinygrad_lite.testing.verdict.point import NUMBERS, Point

T = TypeVar("T")
ORDINARY = ("normal", "negative", "spread")  # value modes without special values
ENOUGH = 10  # failing points compared for an explanation

ADVICE = {
    "forward raises": "the function rejects an input that its spec allows",
    "forward modifies its input": "an in-place operation on an argument: work on a copy",
    "forward is not deterministic": "random numbers or state inside the function: pass a seed",
    "backward raises": "the rule does not handle these shapes or options",
    "backward modifies the incoming gradient": "an in-place operation on g (g *= ..., g[mask] = 0): work on a copy",
    "backward modifies a saved input": "an in-place operation on a saved array: work on a copy",
    "wrong number of gradients": "one gradient per input, None for integers",
    "gradient missing": "the rule returns None for a float input",
    "wrong shape": "the gradient must have the shape of its input: sum over broadcast axes, keep axes of size 1",
    "wrong dtype": "the gradient must have the dtype of its input: a constant or an array of another dtype changed it",
    "backward works only once per forward call": (
        "backward removes or overwrites what forward saved: keep it, or call forward before every backward"
    ),
    "forward mode": "jvp and the backward pass take different rules for the same operation",
    "backward is not deterministic (or accumulates)": (
        "the rule changes its saved values, adds into a buffer that it keeps, or has other state"
    ),
    "backward uses state of a later forward call": "values are kept on the function or module, not per call",
    "backward is not linear in the incoming gradient": "g is used twice, not at all, or through a nonlinear function",
    "depends on memory layout": "ravel/reshape order, strides or raw buffers are assumed to be C-contiguous",
    "cannot take a read-only broadcast gradient": "the rule writes into g or needs it contiguous",
    "wrong when one array is passed twice": "the rule compares arguments by identity, or overwrites one with the other",
    "raises in low precision": "forward or backward works in float64 only",
    "far off in low precision": "e.g. overflow, cancellation, or an eps below the precision of float32",
    "gradient carries only float32 precision": "an intermediate of backward is cast to float32",
}
# Kinds that a wrong value can also cause, so the numbers are explained first.
DOUBTFUL = ("depends on memory layout", "far off in low precision")
NOTHING = "no gradient reaches"
ALONE = (NOTHING, "a gradient where the function", "not finite")  # complete explanations
# Patterns with many possible causes, reported only without a more specific one.
WEAK = (
    *("too large by a whole", "too small by a whole", "each output has", "each element of the input", "small"),
    *("off by a factor that is the same", "the error is the same", "off by a constant factor, a different", "must "),
)

# Places that name special values.
AT = ("x = 0", "x <= 0", "x >= 0", "tied", "equals another input", "largest")
# Places that few points of one option may share by coincidence.
PLACES = ("wrong only", "gradient missing", "gradient passed")


def diagnose(kind: str, outcomes: Sequence[Outcome]) -> str | None:
    """Return the suspected cause, from the failing points (the main one first) and the passing ones."""
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
        size = _size(o.point)
        if size < 4 <= room or not 0 < size <= MANY or used == ENOUGH:  # patterns need several elements
            continue
        found = _attempt(compared, o.point, met) or {}
        used += bool(found)
        for name, c in found.items():
            c.ordinary = o.mode in ORDINARY
            cases.setdefault(name, []).append(c)
    known: dict[str, list[str]] = {}
    usual = max(map(len, cases.values()), default=0)
    for name, every in cases.items():
        if len(every) < usual / 2:  # wrong at few points: probably an unnoticed kink
            continue
        clearest = _clearest(every)
        text = _attempt(explained, clearest, every, outcomes)
        prefix = clearest[0].prefix if len({c.prefix for c in clearest}) == 1 else ""
        if text or prefix:
            known.setdefault(prefix + text if text else f"wrong {prefix[:-2]}", []).append(name)
    texts = []
    for text, names in known.items():
        whole = len(known) == 1 and len(names) == len(failing[0].point.fl)
        texts.append(text if whole else f"{', '.join(names)}: {text}")
    points = _attempt(repeatable, outcomes) or []
    special = _attempt(nearby, points)
    if special:  # other patterns hold at that value by chance
        at = None if "equals input" in special else next((t for t in texts if any(place in t for place in AT)), None)
        decided = _attempt(option, points, outcomes)
        return "; ".join(t for t in (at or special, decided) if t)
    ignored = [t for t in texts if "ignores option" in t]
    if ignored:  # other patterns follow from it
        return "; ".join(ignored)
    decided = _attempt(_decided, points, outcomes, any(map(_sure, known)))
    texts += [decided] if decided else []
    return "; ".join(texts) or _at_least(cases, len(failing[0].point.fl))


def _met(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """Return the values of each option in a search."""
    met: dict[str, dict[str, Any]] = {}
    for o in outcomes:
        for key, value in o.point.kw.items():
            met.setdefault(key, {})[repr(value)] = value
    return {key: list(values.values()) for key, values in met.items()}


def _at_least(cases: dict[str, list[Case]], inputs: int) -> str:
    """Say which gradients are wrong and what the error depends on, for lack of a pattern."""
    alone = f", in the gradient of {_listed(list(cases))} alone" if 0 < len(cases) < inputs else ""
    depends = [text for every in list(cases.values())[:1] if (text := _attempt(dependence, _clearest(every)))]
    return "; ".join([UNKNOWN + alone, *depends])


def _attempt(f: Callable[..., T], *args: Any) -> T | None:
    """Call an explanation; None if it raises, because the verdict does not depend on it."""
    try:
        return f(*args)
    except Exception:
        return None


def _decided(points: Sequence[Repeatable], outcomes: Sequence[Outcome], sure: bool) -> str | None:
    """Find what separates failing from passing points: an option or, if nothing is known yet, anything else."""
    decided = deciding_option(outcomes) or option(points, outcomes)
    return decided if decided or sure else indices(points) or masks(points) or shared_property(outcomes)


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sure(text: str) -> bool:
    return UNKNOWN not in text and not text.startswith(("with ", *WEAK))


def _clearest(cases: Sequence[Case]) -> list[Case]:
    """Select the points that show a pattern best: generic ones with a clear error, if there are any."""
    generic = [c for c in cases if c.generic] or list(cases)
    generic = [c for c in generic if c.x.size > 2 or not c.x.ndim] or generic
    plain = [c for c in generic if c.rel > 0.02] or generic
    plain = [c for c in plain if c.big.sum() >= min(3, c.n.size)] or plain
    seen = [c for c in plain if c.Ja is not None]  # whole Jacobians are known
    return seen if len(seen) > 1 else plain


def explained(clearest: Sequence[Case], every: Sequence[Case], outcomes: Sequence[Outcome]) -> str | None:
    """Explain all failing points of one input, or those of each value of an option."""
    with np.errstate(all="ignore"):
        known = convention(clearest)
        if known:
            return known
        shared = common([hints(c) for c in clearest])
        shared = [h for h in shared if not _refuted(h, len(clearest), every, outcomes)]
        found = _strong(clearest, shared) or _by_option(clearest)
        if not found:
            by_place, by_value = _where(clearest, every, outcomes), saved_values(clearest)
            plain = by_place and not any(t in by_place for t in ("wrong only in", " position", "wrong only near"))
            found = (by_place if plain else by_value or term(clearest) or by_place) or experiments(clearest)
        if found or not shared:
            return found
        return _small_error(clearest) if shared[0].key == "small error" else shared[0].text


def _refuted(h: Hint, confirmed: int, every: Sequence[Case], outcomes: Sequence[Outcome]) -> bool:
    """Whether an example contradicts a hint."""
    if h.option is not None:
        # of a float option, often a limit, many values fit where no element reaches it
        lone = isinstance(h.option[1], float) and confirmed < 2 <= len(every)
        return lone or contradicted(*h.option, outcomes)
    if h.key.startswith(NOTHING):
        passed = [o.point for o in outcomes if not o.failed and o.mode in ORDINARY][:5]
        some = [p.vjp(p.x, np.ones(p.out(p.x).size))[p.fl.index(every[0].index)] for p in passed]
        return any(np.any(c.a) for c in every) or any(map(np.any, some))
    return False


def _strong(clearest: Sequence[Case], shared: Sequence[Hint]) -> str | None:
    """Return a pattern that has few possible causes."""
    if shared and shared[0].key.startswith(ALONE):
        return shared[0].text
    ratio = factor(clearest)
    if ratio:
        return ratio
    strong = [h for h in shared if not h.key.startswith(WEAK)]
    return _together(strong) if strong else None


def _by_option(clearest: Sequence[Case]) -> str | None:
    """Explain the points of each value of an option separately."""
    for key in clearest[0].options:
        groups: dict[str, list[Case]] = {}
        for c in clearest:
            groups.setdefault(repr(c.options.get(key)), []).append(c)
        if not 1 < len(groups) < len(clearest):
            continue
        texts = {
            value: _strong(group, [h for h in common([hints(c) for c in group]) if not h.key.startswith(PLACES)])
            if len(group) > 2
            else factor(group)
            for value, group in groups.items()
            if len(group) > 1  # a single point fits by chance
        }
        found = [f"with {key}={value}: {text}" for value, text in texts.items() if text and "a different" not in text]
        if found:
            return "; ".join(found[:3])
    return None


def _where(clearest: Sequence[Case], every: Sequence[Case], outcomes: Sequence[Outcome]) -> str | None:
    """Find a range of values in which the gradient is wrong, and only there."""
    hows = {manner(c) for c in clearest}
    how = hows.pop() if len(hows) == 1 else "wrong only"
    if any(map(local, clearest)):
        place = band([elements(c, manner(c) != "wrong only") for c in every] + _right(clearest[0], outcomes))
        if place:
            return f"{how} {place}"
    rows = [d for c in every if (d := outputs(c)) is not None]
    place = band(rows) if len(rows) == len(every) else None
    if place:
        return f"wrong only through outputs {place}"
    if how != "wrong only" and all(map(local, clearest)):
        return f"{how.rstrip(',')} at some elements: a mask, a limit or a branch"
    return None


def _together(strong: Sequence[Hint]) -> str:
    """Return the text of the first hint; join positions along several axes."""
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
    """Return the elements of this input at the passing points."""
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
