"""Write a failure into the report: numbers, suspected cause, and a call that repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from tinygrad_lite.testing.explain.context import Outcome
from tinygrad_lite.testing.explain.diagnose import ADVICE, diagnose
from tinygrad_lite.testing.explain.jacobian import worst_of
from tinygrad_lite.testing.report import GradReport, source_of
from tinygrad_lite.testing.verdict.point import CLOCK, NUMBERS, Failure, Point

SECONDS = 20.0  # time for shrinking and explaining a failure
PRINTED = 200  # elements up to which arrays are written out in a reproduction


@contextmanager
def explaining(report: GradReport) -> Iterator[None]:
    """Limit the time of what is done inside, and note in the report if it was used up."""
    if CLOCK.deadline is not None:  # inside another one
        yield
        return
    CLOCK.start(SECONDS)
    try:
        yield
    finally:
        if CLOCK.expired:
            report.notes.append(
                f"the explanation stopped after {SECONDS:g} s: the input may not be the smallest, the cause not found"
            )
        CLOCK.start(None)


def describe(
    report: GradReport,
    failure: Failure,
    function: str,
    outcomes: Sequence[Outcome] | None = None,
    inputs: int | None = None,
) -> None:
    """Write a failure into the report: its point, the suspected cause and a call that repeats it.

    ``outcomes``: the failing points to explain and the passing ones to compare them with (by default the point alone).
    ``function`` and ``inputs``: see `reproduction`.
    """
    with explaining(report):
        _explained(report, failure, outcomes)
    report.reproduction = reproduction(failure.data["point"], function, inputs)


def _explained(report: GradReport, failure: Failure, outcomes: Sequence[Outcome] | None) -> None:
    _copy(report, failure)
    also = dict.fromkeys(f"also: {f.kind}" + (f" ({f.text})" if f.text else "") for f in failure.data.get("also", ()))
    report.notes += also
    for text in failure.data["point"].warnings[:2]:
        if text not in report.notes:
            report.notes.append(text)
    if "advice" in failure.data:
        report.suspicion = failure.data["advice"] or None
        return
    alone = [Outcome("normal", failure.data["point"], True)]
    report.suspicion = diagnose(failure.kind, alone if outcomes is None else outcomes)
    report.suspicion = _completed(report, failure, outcomes)
    written = next((f for f in failure.data.get("also", ()) if "modifies" in f.kind and "incoming" not in f.kind), None)
    if written is not None:  # other patterns may follow from it
        report.suspicion = f"{ADVICE[written.kind]}; {report.suspicion}"


def _completed(report: GradReport, failure: Failure, outcomes: Sequence[Outcome] | None) -> str | None:
    """Add what the numbers of the report say to the suspicion: ties that each get g, an eps or a clip."""
    text, a, n = report.suspicion or "", failure.data.get("analytic"), failure.data.get("numeric")
    if failure.kind != "wrong value" or a is None or n is None:
        return report.suspicion
    if "(ties)" in text and n and abs(a / n - round(a / n)) < 1e-6 and round(a / n) > 1:
        return f"{text}: each tied element gets the full g; divide it by their number"
    if "divided by a count once too often" in text and "axis 0" in text:
        return f"{text}; a mean over the batch inside the layer is fine if the loss that follows is a sum"
    special = all(o.mode in ("wide", "large", "special") for o in outcomes or () if o.failed)
    several = sum(o.failed for o in outcomes or ()) > 0
    if several and special and (n == 0 or abs(a - n) < 0.02 * abs(a) and "exceeds" in text):
        start = "the function is flat here" if n == 0 else "nearly flat here"
        return f"{start}: an eps or clip that the gradient ignores; {text}"
    return report.suspicion


def _copy(report: GradReport, failure: Failure) -> None:
    p: Point = failure.data["point"]
    report.ok, report.kind, report.detail = False, failure.kind, failure.text
    report.smallest = tuple(p.given)
    report.options = {k: v for k, v in p.kw.items() if k != "_inputs"}
    report.analytic, report.numeric = failure.data.get("analytic"), failure.data.get("numeric")
    report.error = failure.data.get("error") if failure.kind in NUMBERS else None
    if "input" in failure.data:
        report.input = p.label(failure.data["input"])
    if failure.kind in NUMBERS:
        w = worst_of(p)  # if None, the report keeps the numbers along the failing direction
        if w is not None:
            report.input, report.element, report.output = p.label(w.input), w.element, w.output or None
            report.analytic, report.numeric, report.error, report.wrong = w.analytic, w.numeric, w.error, w.summary


def facts(report: GradReport, needed: str) -> list[str]:
    """Say what the smallest example shows, for failures without a common pattern."""
    shown = []
    if report.analytic == 0 and report.numeric:
        shown = ["zero gradient in the smallest example: a path is cut, or taken as constant"]
    elif report.numeric == 0 and report.analytic:
        shown = [
            "the gradient should be zero in the smallest example: the function is flat there, or terms should cancel"
        ]
    return [*shown, *([needed] if needed else [])]


def reproduction(p: Point, function: str, inputs: int | None = None) -> str:
    """Return the source of a call that checks the same point again; it takes large arrays from the report.

    For a pullback the first ``inputs`` arrays are inputs, the others one g per output.
    """
    arrays = [np.asarray(a) for a in p.given]
    kw = {k: v for k, v in p.kw.items() if k != "_inputs"}
    options = f", kwargs={kw!r}" if kw else ""
    n = p.kw.get("_inputs", inputs)
    if sum(a.size for a in arrays) <= PRINTED:
        texts = [source_of(a) for a in arrays]
        xs, gs, hint = ", ".join(texts[:n]), f"[{', '.join(texts[n:])}]", ""
    else:
        part = "" if n is None else f"[:{n}]"
        xs, gs = f"*report.smallest{part}", f"report.smallest[{n}:]"
        hint = "  (report: .report of the error, or what the check returned)"
    if n is not None:
        return f"gradgradcheck({function}, {xs}, grad_outputs={gs}{options}, seed={p.seed}){hint}"
    return f"gradcheck({function}, {xs}{options}, seed={p.seed}){hint}"
