"""The report of a check, as text, HTML and JSON."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_lite.autograd.gradcheck import GradcheckError as GradcheckError
from tinygrad_lite.errors import visible
from tinygrad_lite.testing.verdict.point import Array, Point


@dataclass
class GradReport:
    """The result of a gradient check; truthy if the gradient is right.

    >>> import tinygrad_lite as tl
    >>> report = tl.testing.gradcheck(tl.tanh, tl.tensor([0.5, -1.0], dtype=tl.float64))
    >>> report.ok, bool(report)
    (True, True)
    """

    title: str
    ok: bool = True
    inconclusive: int = 0  # directions along which differences were too inexact to decide
    kind: str | None = None  # what is wrong: "wrong value", "wrong shape", ...
    detail: str = ""
    suspicion: str | None = None  # the likely cause
    smallest: tuple[Array, ...] = ()  # the smallest failing input
    input: str | None = None  # the input whose gradient is wrong
    element: tuple[int, ...] | None = None
    output: str | None = None  # the output whose derivative it is
    analytic: float | None = None
    numeric: float | None = None
    error: float | None = None  # estimated error of ``numeric``
    wrong: str = ""  # how many elements and inputs are wrong: "2/4 elements, inputs 1/1"
    options: dict[str, Any] = field(default_factory=dict)
    origin: str = ""  # where the failing input came from
    reproduction: str = ""
    examples: int = 0  # points checked
    notes: list[str] = field(default_factory=list)
    outputs: int = 0  # elements of the float outputs at all points
    compared: int = 0  # those of them that were finite and compared
    inputs: int = 0  # elements of the inputs differentiated, at all points

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"<GradReport {self}>"

    def count(self, points: Sequence[Point]) -> None:
        """Count what was compared at these points; a check that compared nothing is not ok."""
        for p in points:
            elements = sum(p.x[i].size for i in p.fl)
            self.outputs += p.outputs
            self.inputs += elements
            self.compared += p.compared if elements else 0
        if self.compared < self.outputs and any(p.compared < p.outputs for p in points):
            left = sum(p.outputs - p.compared for p in points)
            self.notes.append(f"not compared: {left} of {self.outputs} output values, which are infinite or NaN")
        if self.ok and not self.compared and any(p.outputs or not p.refused for p in points) and self.inputs:
            self.ok, self.kind = False, "nothing compared"
            self.notes = [n for n in self.notes if not n.startswith("not compared")]
            self.detail = (
                "every output is infinite or NaN" if self.outputs else "the function has no floating-point output"
            )
            self.suspicion = "inconclusive: pass inputs where the outputs are finite"

    def __str__(self) -> str:
        return visible("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        if self.ok:
            points = f"{self.examples} point{'s' * (self.examples != 1)} checked"
            doubt = (
                f", {self.inconclusive} direction{'s' * (self.inconclusive != 1)} undecided"
                if self.inconclusive
                else ""
            )
            return [f"{self.title}: ok, {points}{doubt}", *(f"  {t}" for t in self.notes)]
        where = f", {self.input}" if self.input else ""
        where += f", element ({','.join(map(str, self.element))})" if self.element is not None else ""
        lines = [f"{self.title}: {str(self.kind).upper()}{where}"]
        if self.analytic is not None and self.numeric is not None and (self.element is not None or not self.detail):
            of = f" of {self.output}" if self.output else ""
            analytic, numeric = _apart(self.analytic, self.numeric)
            lines.append(
                f"  analytic {analytic}   numeric {numeric} +- {self.error or 0:.0e}{of}"
                + (f"   worst of {self.wrong}" if self.wrong else "")
            )
        elif self.detail and self.detail != self.input:
            lines.append(f"  {self.detail}")
        parts = [f"options {' '.join(f'{k}={v!r}' for k, v in self.options.items())}"] if self.options else []
        parts += [f"smallest input {' '.join(_brief(a) for a in self.smallest)}"] if self.smallest else []
        if parts or self.origin:
            lines.append("  " + "    ".join(parts) + (f"  ({self.origin})" if self.origin else ""))
        lines += [f"  suspected: {self.suspicion}"] if self.suspicion else []
        lines += [f"  {t}" for t in self.notes]
        lines += [f"  reproduce: {self.reproduction}"] if self.reproduction else []
        return lines

    def to_json(self) -> str:
        """Return the report as a JSON object; arrays become nested lists."""
        data = {k: v for k, v in vars(self).items() if k != "smallest"}
        data["smallest"] = [{"dtype": str(a.dtype), "shape": a.shape, "values": a.tolist()} for a in self.smallest]
        return json.dumps(_plain(data))

    def _repr_html_(self) -> str:
        color = "#2e7d32" if self.ok else "#c62828"
        first, *rest = (html.escape(line.strip()) for line in self._lines())
        style = f"border-left:4px solid {color};padding:4px 12px;margin:4px 0"
        return (
            f'<div style="{style}"><b style="color:{color}">{first}</b><pre style="margin:4px 0">'
            + "\n".join(rest)
            + "</pre></div>"
        )


def finish(report: GradReport, raise_exception: bool) -> GradReport:
    """Return the report, or raise it as `GradcheckError` if it failed and ``raise_exception`` is on."""
    if not report.ok and raise_exception:
        raise GradcheckError(str(report), report)
    return report


def _plain(value: Any) -> Any:
    """Convert tuples, NumPy numbers, infinities and functions, which JSON lacks."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _apart(a: float, b: float) -> tuple[str, str]:
    """Return two different numbers with as many digits as show the difference."""
    texts = _number(a), _number(b)
    for digits in range(5, 18):
        if texts[0] != texts[1] or a == b:
            break
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
    return texts


def _number(x: float) -> str:
    return f"{x:.4f}" if 1e-3 <= abs(x) < 1e4 and math.isfinite(x) else f"{x:.4g}"


def _brief(a: Array) -> str:
    """Return small arrays in full and large ones as dtype and shape."""
    if a.size > 24:
        return f"{a.dtype}[{','.join(map(str, a.shape))}]"
    text = np.array2string(
        a, separator=",", precision=4, max_line_width=10**6, floatmode="maxprec", suppress_small=True
    )
    text = text.replace("\n", "").replace(" ", "").replace(".,", ",").replace(".]", "]")
    return text if a.size else f"empty[{','.join(map(str, a.shape))}]"


def source_of(a: Array) -> str:
    """Return a Python expression that evaluates to exactly this array."""
    dtype = (
        ""
        if a.dtype in (np.dtype(np.float64),)
        else f", dtype=np.{a.dtype.name}"
        if a.dtype != bool
        else ", dtype=bool"
    )
    if a.size == 0:
        return f"np.zeros({a.shape}{dtype})"
    if a.size > 1 and a.size * 4 > 24 and (a == a.flat[0]).all():
        return f"np.full({a.shape}, {_literal(a.flat[0])}{dtype})"

    def nested(b: Array) -> str:
        return f"[{', '.join(nested(t) for t in b)}]" if b.ndim else _literal(b[()])

    return f"np.array({nested(a)}{dtype})"


def _literal(x: Any) -> str:
    if isinstance(x, np.floating):
        text = repr(float(x))
        return f"np.{text}" if text in ("inf", "nan") else "-np.inf" if text == "-inf" else text
    return repr(x.item())
