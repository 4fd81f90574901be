"""The search: examples one after the other, the first failure shrunk, explained and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.testing.diagnose import NUMBERS, diagnose, worst
from tinygrad_lite.testing.point import Failure, Point, Rule
from tinygrad_lite.testing.report import GradReport, source_of
from tinygrad_lite.testing.search import Source, schedule
from tinygrad_lite.testing.shrink import shrink
from tinygrad_lite.testing.trial import Sampler, Trial, quiet

THOROUGH = 3  # the first examples run every contract test


def check_rule(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Sequence[Any]],
    sampler: Sampler,
    *,
    examples: int = 30,
    seed: int = 0,
    kinks: str = "strict",
    name: str | None = None,
) -> GradReport:
    """Check a pair of plain NumPy functions on searched inputs.

    ``forward(*arrays, **options)`` returns ``(out, saved)``, ``backward(g, saved)`` one gradient per array (None for
    integer arrays). A function of several outputs returns a tuple and gets g as a tuple. ``sampler(src)`` draws
    everything from ``src`` and returns ``(arrays, options)``.

    >>> def forward(x): return np.tanh(x), x
    >>> def backward(g, x): return (g * (1 - np.tanh(x)),)
    >>> report = check_rule(forward, backward, lambda src: ((src.floats((src.size(3),)),), {}))
    >>> report.ok, report.kind
    (False, 'wrong value')
    """
    rule = Rule(forward, backward, name or getattr(forward, "__name__", "rule"))
    return search(Trial(rule, sampler, kinks), examples, seed, title=f"check_rule({rule.name})")


def search(trial: Trial, examples: int, seed: int, title: str, reproduce: str = "check_rule") -> GradReport:
    """Run a trial on searched inputs and report."""
    trial.learn(seed)
    report = GradReport(title, examples=examples)
    failures: list[tuple[int, Source, Failure]] = []
    for n in range(examples):
        src = Source.example(seed, n)
        try:
            p = trial.example(src, n < THOROUGH)
        except Failure as e:
            failures.append((n, src, e))
            if e.kind not in NUMBERS or len(failures) == 3:
                break
            continue
        if not failures:
            report.inconclusive += p.unclear
            report.notes += [t for t in p.warnings if t not in report.notes][: 3 - len(report.notes)]
    if failures:
        _explain(trial, report, failures, seed, examples, reproduce)
    return report


def find(trial: Trial, examples: int, seed: int) -> Failure | None:
    """The first failure of a search, neither shrunk nor explained."""
    trial.learn(seed)
    for n in range(examples):
        try:
            trial.example(Source.example(seed, n), n < THOROUGH)
        except Failure as e:
            return e
    return None


def _explain(
    trial: Trial,
    report: GradReport,
    failures: list[tuple[int, Source, Failure]],
    seed: int,
    examples: int,
    reproduce: str,
) -> None:
    """Diagnose on the largest generic failing example, report the shrunk first one."""
    n, src, first = failures[0]
    small = shrink(trial, seed, n, src.used, first)
    same = [f for f in failures if f[2].kind == first.kind]
    telling = min(same, key=_generic)[2]
    with quiet():
        describe(report, small.failure)
        try:
            report.suspicion = diagnose(telling.data["point"], telling)
        except Exception:  # an explanation is a kindness; the verdict stands without it
            report.suspicion = None
    before = [a.shape for a in first.data["point"].given]
    after = [a.shape for a in small.failure.data["point"].given]
    came = f"from {' '.join(str(list(s)) for s in before)}, " if before != after else ""
    report.origin = f'{came}example {n + 1} of {examples}, values "{schedule(n)[0]}"'
    report.examples = n + 1
    p: Point = small.failure.data["point"]
    report.reproduction = reproduction(p, reproduce if reproduce != "check_rule" else "(forward, backward)")


def _generic(item: tuple[int, Source, Failure]) -> tuple[bool, int, int]:
    n, src, e = item
    size = sum(a.size for a in e.data["point"].given)
    return src.mode not in ("normal", "negative"), -size if size < 60 else 0, n


def describe(report: GradReport, failure: Failure) -> None:
    """Copy a failure and its point into the report."""
    p: Point = failure.data["point"]
    report.ok, report.kind, report.detail = False, failure.kind, failure.text
    report.smallest, report.options = tuple(p.given), dict(p.kw)
    report.analytic, report.numeric = failure.data.get("analytic"), failure.data.get("numeric")
    report.error = failure.data.get("error") if failure.kind in NUMBERS else None
    if "input" in failure.data:
        report.input = p.label(failure.data["input"])
    if failure.kind in NUMBERS:
        try:
            w = worst(p)
        except Exception:  # the numbers along the failing direction are reported instead
            w = None
        if w is not None:
            report.input, report.element, report.output = p.label(w.input), w.element, w.output or None
            report.analytic, report.numeric, report.error, report.wrong = w.analytic, w.numeric, w.error, w.summary


def reproduction(p: Point, function: str) -> str:
    """A call that checks the same point again."""
    arrays = ", ".join(source_of(np.asarray(a)) for a in p.given)
    options = f", kwargs={p.kw!r}" if p.kw else ""
    return f"gradcheck({function}, {arrays}{options}, seed={p.seed})"
