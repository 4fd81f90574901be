"""Tables of all public functions for the documentation, read from the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinygrad_lite.engine.op import OPS, PUBLIC
from tinygrad_lite.engine.tensor import FUNCTIONS, UFUNCS, Tensor


@dataclass(frozen=True)
class Entry:
    """One function: name, kind of op, whether it is a method, NumPy spellings, checked order, summary.

    ``order`` is the highest order of derivatives that the gradient checks cover: 0 for an op without gradient, None for
    a composition of other ops.
    """

    name: str
    kind: str
    method: bool
    numpy: tuple[str, ...]
    order: int | None
    summary: str


def numpy_spellings() -> dict[str, list[str]]:
    """Return the NumPy functions that each function implements, by its name."""
    known: dict[Any, str] = {}
    for name, function in PUBLIC.items():
        known.setdefault(function, name)
    for op in OPS.values():
        known.setdefault(op.call, op.name)
    out: dict[str, list[str]] = {}
    for f, answer in {**UFUNCS, **FUNCTIONS}.items():
        module = getattr(f, "__module__", None) or "numpy"
        spelled = f"{module}.{f.__name__}".replace("numpy", "np", 1)
        out.setdefault(known.get(answer, answer.__name__.rstrip("_")), []).append(spelled)
    return out


def summary_of(function: Callable[..., Any]) -> str:
    """Return the first sentence of a function's documentation."""
    return (inspect.getdoc(function) or "").split("\n\n")[0].split("\n")[0]


def entries() -> list[Entry]:
    """Return one entry per public function, in alphabetical order.

    >>> [e.order for e in entries() if e.name in ("isnan", "relu", "std")]
    [0, 2, None]
    """
    spellings = numpy_spellings()
    by_call = {op.call: op for op in OPS.values()}
    out = []
    for name in sorted(PUBLIC):
        function = PUBLIC[name]
        if inspect.isclass(function) or name.endswith("_"):  # the in-place form of its namesake
            continue
        op = by_call.get(function)
        order = None if op is None else op.samples.order if op.places and op.samples is not None else 0
        out.append(
            Entry(
                name=name,
                kind="composition" if op is None else op.kind,
                method=hasattr(Tensor, name),
                numpy=tuple(sorted(spellings.get(name, ()))),
                order=order,
                summary=summary_of(function),
            )
        )
    return out


def markdown() -> str:
    """Return the table of all public functions as Markdown.

    >>> markdown().splitlines()[0]
    '| function | kind | method | NumPy | derivatives | what it returns |'
    """
    lines = [
        "| function | kind | method | NumPy | derivatives | what it returns |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for e in entries():
        spelled = ", ".join(f"`{n}`" for n in e.numpy)
        order = "of its parts" if e.order is None else "none" if e.order == 0 else f"checked to order {e.order}"
        cells = (f"`{e.name}`", e.kind, "yes" if e.method else "", spelled, order, e.summary.replace("|", "\\|"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def numpy_markdown() -> str:
    """Return the table of the NumPy functions that work on tensors as Markdown."""
    pairs = sorted((f, ours) for ours, spelled in numpy_spellings().items() for f in spelled)
    lines = ["| NumPy | answered by |", "| --- | --- |", *(f"| `{f}` | `{ours}` |" for f, ours in pairs)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print both tables."""
    print(markdown())
    print(numpy_markdown())


if __name__ == "__main__":
    main()
