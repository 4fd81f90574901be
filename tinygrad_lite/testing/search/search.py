"""The builtin search: run examples in order; shrink, explain and report the first failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.samples import Arr, Ints
from tinygrad_lite.testing.explain.context import UNKNOWN, Outcome
from tinygrad_lite.testing.explain.jacobian import MANY
from tinygrad_lite.testing.report import GradReport
from tinygrad_lite.testing.search.describe import describe, explaining, facts
from tinygrad_lite.testing.search.one_example import Trial, quiet
from tinygrad_lite.testing.search.samplers import Spec, sampler_of
from tinygrad_lite.testing.search.shrink import shrink
from tinygrad_lite.testing.search.source import Sampler, Source, schedule
from tinygrad_lite.testing.verdict.point import NUMBERS, Failure, OutOfTime, Point, Rule

THOROUGH = 3  # the first examples, which run every contract test
# rank of value modes, the most general first; 1 for all others
SPECIAL = {"normal": 0, "negative": 0, "spread": 0, "constant": 2, "allzero": 2}
FAILING = 4  # failing points that suffice for an explanation
MORE = 8  # additional ordinary examples for an explanation


@named
def check_rule(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Sequence[Any]],
    sampler: Sampler | Spec,
    *more: Spec,
    examples: int = 30,
    seed: int = 0,
    kinks: str = "strict",
    name: str | None = None,
    wrt: Sequence[int] | None = None,
    contract: bool = True,
) -> GradReport:
    """Check a pair of plain NumPy functions on searched inputs.

    ``forward(*arrays, **options)`` returns ``(out, saved)``, ``backward(g, saved)`` one gradient per array (None for
    integer arrays). A function of several outputs returns a tuple and gets g as a tuple. ``sampler(src)`` draws
    everything from ``src`` and returns ``(arrays, options)``; `Arr` and `Ints` specs, or arrays as examples, do as
    well. ``wrt`` selects inputs by position, ``contract=False`` compares numbers only. ``examples`` points are tested
    in full. As many again are tested along one direction only, to reach rare combinations of options.

    >>> import numpy as np
    >>> def forward(x): return np.tanh(x), x
    >>> def backward(g, x): return (g * (1 - np.tanh(x)),)
    >>> report = check_rule(forward, backward, lambda src: ((src.floats((src.size(3),)),), {}))
    >>> report.ok, report.kind
    (False, 'wrong value')
    """
    places = None if wrt is None else tuple(wrt)
    rule = Rule(forward, backward, str(name or getattr(forward, "__name__", "rule")), places)
    described = isinstance(sampler, (Arr, Ints, np.ndarray))
    drawn: Any = sampler_of([sampler, *more]) if described else sampler  # type: ignore[list-item]
    return search(Trial(rule, drawn, kinks, contract=contract), examples, seed, title=f"check_rule({rule.name})")


def search(trial: Trial, examples: int, seed: int, title: str, reproduce: str = "check_rule") -> GradReport:
    """Run a trial on searched inputs and return the report."""
    if examples < 1:
        raise ValueError(f"{title}: examples must be at least 1, got {examples}")
    trial.learn(seed)
    report = GradReport(title, examples=examples)
    failure, first, origin = None, -1, Source(seed)
    full: list[Outcome] = []
    brief: list[Outcome] = []
    points: list[Point] = []
    for n in range(2 * examples):
        if n >= examples and sum(o.failed for o in full) >= FAILING:
            break
        src = Source.example(seed, n)
        judged = full if n < examples else brief
        try:
            p = _judged(trial, src, n, examples)
        except Failure as e:
            soft = bool(e.data.get("soft"))
            judged.append(Outcome(src.mode, e.data["point"], not soft))
            points.append(e.data["point"])
            if failure is None or failure.data.get("soft") and not soft:
                failure, first, origin = e, n, src
            if not soft and failure.kind not in NUMBERS:
                break
            continue
        points.append(p)
        judged.append(Outcome(src.mode, p, False))
        if failure is None:
            report.inconclusive += p.unclear
            report.notes += [t for t in p.warnings if t not in report.notes][: 3 - len(report.notes)]
    if failure is not None:
        with quiet(), explaining(report):
            small = shrink(trial, seed, first, origin, failure)
            if failure.kind in NUMBERS:
                more = [_ordinary(trial, seed, n) for n in range(2 * examples, 2 * examples + MORE)]
                full += [o for o in more if o is not None]
            few = sum(o.failed for o in full) < FAILING
            # a point that passed along one direction may be wrong along another: it proves nothing
            outcomes = _general_first(full + [o for o in brief if o.failed and few])
            describe(report, small.failure, "(forward, backward)" if reproduce == "check_rule" else reproduce, outcomes)
            if report.suspicion and report.suspicion.startswith(UNKNOWN):
                report.suspicion = "; ".join([*facts(report, small.needed), report.suspicion])
        before = [a.shape for a in failure.data["point"].given]
        after = [a.shape for a in report.smallest]
        came = f"from {' '.join(str(list(s)) for s in before)}, " if before != after else ""
        which = f"example {first + 1}" if first < examples else f"brief example {first + 1 - examples}"
        report.origin = f'{came}{which} of {examples}, values "{schedule(first)[0]}"'
        report.examples = min(first + 1, examples)
    report.count(points)
    return report


def _ordinary(trial: Trial, seed: int, n: int) -> Outcome | None:
    """Run one more example of ordinary values, for explanations only."""
    src = Source.example(seed, n, mode="normal")
    try:
        return Outcome(src.mode, trial.example(src, False), False)
    except Failure as e:
        return Outcome(src.mode, e.data["point"], e.kind in NUMBERS)
    except OutOfTime:
        return None


def _general_first(outcomes: list[Outcome]) -> list[Outcome]:
    """Sort failing points by generality and size, and append the passing ones."""

    def generic(o: Outcome) -> tuple[int, bool, int]:
        size = sum(a.size for a in o.point.given)
        alike = any(len(set(a.shape)) < a.ndim for a in o.point.given)  # axes that a pattern could mix up
        return SPECIAL.get(o.mode, 1), alike, -size if size <= MANY else 0

    failed = [o for o in outcomes if o.failed]
    whole = [o for o in failed if o.point.compared == o.point.outputs]  # patterns may not show beside infinite outputs
    return sorted(whole or failed, key=generic) + [o for o in outcomes if not o.failed]


def find(trial: Trial, examples: int, seed: int) -> Failure | None:
    """Return the first failure of a search, neither shrunk nor explained."""
    trial.learn(seed)
    for n in range(2 * examples):
        try:
            _judged(trial, Source.example(seed, n), n, examples)
        except Failure as e:
            return e
    return None


def _judged(trial: Trial, src: Source, n: int, examples: int) -> Point:
    """Judge example ``n``: the first ones with every test, ``examples`` in full, as many again in brief.

    A bug that needs a rare combination of options and sizes is found by more points, not by more tests of each.
    """
    return trial.example(src, n < THOROUGH, brief=n >= examples)
