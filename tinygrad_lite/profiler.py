"""Where the time goes: every op and module of a block of code, forward and backward, with its time and its bytes.

A `profile` is an observer of the engine. While none is watching, nothing of this runs.

>>> import tinygrad_lite as tl
>>> net = tl.nn.Sequential(tl.nn.Linear(3, 2), tl.nn.Tanh())
>>> with profile() as p:
...     net(tl.ones(4, 3)).sum().backward()
>>> [(row.name, row.calls) for row in sorted(p.by_op())]
[('linear', 1), ('sum', 1), ('tanh', 1)]
>>> sorted(row.name for row in p.by_module())
['', 'Sequential', 'Sequential.0', 'Sequential.1']
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, Self

import numpy as np

from tinygrad_lite.graph import MODE
from tinygrad_lite.tensor import Tensor

__all__ = ["Event", "Row", "profile"]

FORWARD, BACKWARD, MODULE = "forward", "backward", "module"


class Event(NamedTuple):
    """One thing that took time: ``phase`` is "forward", "backward" or "module"; times in seconds, from the start."""

    name: str
    phase: str
    module: str
    start: float
    seconds: float
    bytes: int
    kept: int
    shape: Any


@dataclass(order=True)
class Row:
    """What one op, or one module with all it contains, took in all: seconds, bytes made, bytes kept for backward."""

    name: str
    calls: int = 0
    forward: float = 0.0
    backward: float = 0.0
    bytes: int = 0
    kept: int = 0

    @property
    def total(self) -> float:
        """Seconds, forward and backward."""
        return self.forward + self.backward


def nbytes(values: Any) -> int:
    """Return the bytes of the arrays in ``values``; one array counts once."""
    found: dict[int, int] = {}
    stack = [values]
    while stack:
        v = stack.pop()
        if isinstance(v, (tuple, list)):
            stack.extend(v)
        elif isinstance(v, Tensor):
            stack.append(v.array)
        elif isinstance(v, np.ndarray):
            found[id(v)] = v.nbytes
    return sum(found.values())


def readable(count: float) -> str:
    """Return a number of bytes for people.

    >>> readable(5_242_880)
    '5.0 MiB'
    """
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


class profile:  # noqa: N801 - PyTorch's name
    """Measure a ``with`` block: `table` to read, `by_op` and `by_module` to compute with, `export_chrome_trace` to see.

    ``events`` is everything that was seen, in order. Time is wall-clock time of this thread; watching costs a few
    microseconds per op, which are in the numbers: read them as shares. A block can be entered again and adds up.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.seconds = 0.0
        self._stack: list[tuple[Any, str, float]] = []
        self._where: dict[int, str] = {}  # module of a recorded step, by its number
        self._origin = self._last = self._begun = 0.0

    def __enter__(self) -> Self:
        mode = MODE.get()
        MODE.set(mode.but(observers=(*mode.observers, self), outer=mode))
        self._begun = self._last = perf_counter()
        self._origin = self._origin or self._begun
        return self

    def __exit__(self, *exc: object) -> None:
        self.seconds += perf_counter() - self._begun
        MODE.set(MODE.get().outer or MODE.get().but(observers=()))

    # -------------------------------------------------------------------------------- told by the engine
    def enter(self, module: Any, args: Any) -> None:
        """A module call begins."""
        name = type(module).__name__
        if self._stack:
            parent, path, _ = self._stack[-1]
            known = next((key for key, child in parent._modules.items() if child is module), name)
            name = f"{path}.{known}"
        self._stack.append((module, name, perf_counter()))

    def leave(self, module: Any, output: Any) -> None:
        """A module call ends."""
        _, path, start = self._stack.pop()
        self._note(type(module).__name__, MODULE, path, start, nbytes(output), 0, None)

    def before(self, op: Any, args: Any) -> None:
        """An op begins."""
        self._last = perf_counter()

    def after(self, op: Any, args: Any, out: Any, frame: Any) -> None:
        """An op is done."""
        now = perf_counter()
        outs = out if isinstance(out, tuple) else (out,)
        path, kept = self._path(), 0
        node = next((t.node for t in outs if isinstance(t, Tensor) and t.node is not None), None)
        if node is not None:
            node = node.inputs[0] if node.op.is_pick else node
            self._where[node.seq] = path
            kept = nbytes(node.saved)
        shape = tuple(outs[0].shape) if hasattr(outs[0], "shape") else None
        self._note(op.name, FORWARD, path, self._last, nbytes(outs), kept, shape, now)
        self._last = perf_counter()

    def starts(self) -> None:
        """A backward pass begins."""
        self._last = perf_counter()

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """A rule of a backward pass is done."""
        now = perf_counter()
        size = gp.nbytes if hasattr(gp, "nbytes") else 0
        self._note(node.op.name, BACKWARD, self._where.get(node.seq, ""), self._last, size, 0, node.shape, now)
        self._last = perf_counter()

    def _path(self) -> str:
        return self._stack[-1][1] if self._stack else ""

    def _note(
        self, name: str, phase: str, path: str, start: float, size: int, kept: int, shape: Any, end: float | None = None
    ) -> None:  # fmt: skip
        seconds = (end or perf_counter()) - start
        self.events.append(Event(name, phase, path, start - self._origin, seconds, size, kept, shape))

    # -------------------------------------------------------------------------------- the answers
    def by_op(self) -> list[Row]:
        """Return one `Row` per op, the most expensive first."""
        return self._rows((e, (e.name,)) for e in self.events if e.phase != MODULE)

    def by_module(self) -> list[Row]:
        """Return one `Row` per module path with everything inside it; "" is the whole block."""

        def around(path: str) -> list[str]:
            parts = path.split(".") if path else []
            return ["", *(".".join(parts[: i + 1]) for i in range(len(parts)))]

        rows = self._rows((e, around(e.module)) for e in self.events if e.phase != MODULE)
        calls = {"": 1}
        for e in self.events:
            if e.phase == MODULE:
                calls[e.module] = calls.get(e.module, 0) + 1
        for row in rows:
            row.calls = calls.get(row.name, 0)
        return rows

    def _rows(self, seen: Iterable[tuple[Event, Iterable[str]]]) -> list[Row]:
        rows: dict[str, Row] = {}
        for e, names in seen:
            for name in names:
                row = rows.setdefault(name, Row(name))
                if e.phase == FORWARD:
                    row.calls += 1
                    row.forward += e.seconds
                    row.bytes += e.bytes
                    row.kept += e.kept
                else:
                    row.backward += e.seconds
                    row.bytes += e.bytes
        return sorted(rows.values(), key=lambda row: -row.total)

    def table(self, by: str = "op", limit: int = 30) -> str:
        """Return the ``limit`` most expensive rows as text, ``by`` "op" or "module".

        Columns: calls, milliseconds forward and backward, their share of all time in ops, bytes made, bytes kept for
        backward. Modules contain what is inside them. Raises ValueError for another ``by``.
        """
        if by not in ("op", "module"):
            raise ValueError(f"profile.table: by must be 'op' or 'module', got {by!r}")
        rows = self.by_op() if by == "op" else self.by_module()
        whole = sum(row.total for row in self.by_op()) or 1.0
        lines = [(by, "calls", "forward ms", "backward ms", "share", "made", "kept")]
        for row in rows[:limit]:
            lines.append((
                row.name or "(all)", str(row.calls), f"{row.forward * 1e3:.3f}", f"{row.backward * 1e3:.3f}",
                f"{row.total / whole:.1%}", readable(row.bytes), readable(row.kept),
            ))  # fmt: skip
        wide = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        text = [
            "  ".join([line[0].ljust(wide[0]), *(c.rjust(w) for c, w in zip(line[1:], wide[1:], strict=True))])
            for line in lines
        ]
        text.insert(1, "  ".join("-" * w for w in wide))
        if len(rows) > limit:
            text.append(f"... and {len(rows) - limit} more")
        text.append(f"{whole * 1e3:.3f} ms in ops, {self.seconds * 1e3:.3f} ms in all")
        return "\n".join(text)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write all events as a trace for chrome://tracing, Perfetto or Speedscope."""
        process, thread = os.getpid(), threading.get_ident()
        in_order = sorted(self.events, key=lambda e: (e.start, -e.seconds))
        events = [
            {
                "name": e.module if e.phase == MODULE else e.name, "cat": e.phase, "ph": "X", "ts": e.start * 1e6,
                "dur": e.seconds * 1e6, "pid": process, "tid": thread,
                "args": {"module": e.module, "bytes": e.bytes, "kept": e.kept, "shape": str(e.shape)},
            }
            for e in in_order
        ]  # fmt: skip
        Path(path).write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}))
