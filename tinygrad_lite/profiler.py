"""Profile a block of code: time and bytes of every op and module, forward and backward.

A `profile` is an observer of the engine; a program without one pays nothing.

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

import functools
import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from time import perf_counter, time_ns
from typing import Any, NamedTuple, Self

import numpy as np

from tinygrad_lite.engine.arguments import named, named_constructor
from tinygrad_lite.engine.mode import MODE, Observer, enter, leave
from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.engine.printing import html_table
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.serialization.atomic import replacing

__all__ = [
    "Event", "ProfilerAction", "ProfilerActivity", "Row", "profile", "record_function", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip

FORWARD, BACKWARD, MODULE = "forward", "backward", "module"


class Event(NamedTuple):
    """One timed op, gradient rule or module call.

    ``phase`` is "forward", "backward" or "module"; times are in seconds.
    ``call`` is the number of the module call in which an op ran; outside of modules it numbers the stretches between
    backward passes. ``step`` is the number of the recorded node, the same forward and backward, 0 for no node.

    >>> import tinygrad_lite as tl
    >>> with tl.profiler.profile() as p:
    ...     y = tl.ones(2).exp()
    ...
    >>> [(event.name, event.phase) for event in p.events]
    [('exp', 'forward')]
    """

    name: str
    phase: str
    module: str
    start: float
    seconds: float
    bytes: int
    kept: int
    shape: Any
    call: int = 0
    step: int = 0


class Place(NamedTuple):
    """The module call that is running: the module, its path, its start time and its number."""

    module: Any
    path: str
    start: float
    call: int


@dataclass(order=True)
class Row:
    """Totals of one op, or of one module and its submodules.

    ``bytes`` were created, ``kept`` is kept for backward; times are in seconds.

    >>> import tinygrad_lite as tl
    >>> with tl.profiler.profile() as p:
    ...     y = tl.ones(2).exp()
    ...
    >>> [(row.name, row.calls) for row in p.by_op()]
    [('exp', 1)]
    """

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
    """Return the bytes of the arrays in ``values``; each array counts once."""
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
    """Return a number of bytes with a unit.

    >>> readable(5_242_880)
    '5.0 MiB'
    """
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


NO_EFFECT["profiler.profile(activities=, schedule=, with_stack=)"] = "everything in the block is recorded"


class Averages(list[Row]):
    """The totals of a profile by op, as ``torch.profiler`` returns them."""

    def __init__(self, rows: list[Row], text: Callable[..., str]) -> None:
        super().__init__(rows)
        self._text = text

    def table(self, sort_by: str | None = None, row_limit: int = 100, **ignored: Any) -> str:
        """Return the most expensive rows as text; they are sorted by total time, whatever ``sort_by`` says."""
        return self._text("op", row_limit)


class ProfilerActivity(Enum):
    """What to profile: only the CPU exists.

    >>> import tinygrad_lite as tl
    >>> [str(a) for a in tl.profiler.ProfilerActivity]
    ['ProfilerActivity.CPU', 'ProfilerActivity.CUDA', 'ProfilerActivity.XPU', 'ProfilerActivity.MTIA']
    """

    CPU = 0
    CUDA = 1
    XPU = 2
    MTIA = 3


class ProfilerAction(Enum):
    """What a schedule says about a step.

    >>> import tinygrad_lite as tl
    >>> schedule = tl.profiler.schedule(wait=1, warmup=1, active=1)
    >>> [schedule(step).name for step in range(3)]
    ['NONE', 'WARMUP', 'RECORD_AND_SAVE']
    """

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


@named
def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Return the function from steps to actions; `profile` records every step all the same.

    >>> [schedule(wait=1, warmup=1, active=1)(step).name for step in range(3)]
    ['NONE', 'WARMUP', 'RECORD_AND_SAVE']
    """

    def action(step: int) -> ProfilerAction:
        whole = wait + warmup + active
        step -= skip_first - (wait if skip_first_wait else 0)
        at = step % whole
        if step < 0 or (repeat and step // whole >= repeat) or at < wait:
            return ProfilerAction.NONE
        last = ProfilerAction.RECORD_AND_SAVE if at == whole - 1 else ProfilerAction.RECORD
        return ProfilerAction.WARMUP if at < wait + warmup else last

    return action


@named
def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """Return a function for ``on_trace_ready`` that writes a Chrome trace into a folder.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> folder = tempfile.mkdtemp()
    >>> with tl.profiler.profile(on_trace_ready=tl.profiler.tensorboard_trace_handler(folder)):
    ...     y = tl.ones(2).exp()
    ...
    >>> len(os.listdir(folder))
    1
    """

    def write(profile: Any) -> None:
        folder = Path(dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        profile.export_chrome_trace(folder / f"{worker_name or 'worker'}.{time_ns()}.pt.trace.json")

    return write


@named
def supported_activities() -> set[ProfilerActivity]:
    """Return the CPU.

    >>> import tinygrad_lite as tl
    >>> tl.profiler.supported_activities()
    {<ProfilerActivity.CPU: 0>}
    """
    return {ProfilerActivity.CPU}


@named_constructor
class record_function:  # noqa: N801 - PyTorch's name
    """Name a part of the program in the running profiles: a ``with`` block or a decorator.

    >>> import tinygrad_lite as tl
    >>> with profile() as p:
    ...     with record_function("square"):
    ...         _ = tl.ones(2) * 2
    >>> [row.name for row in p.by_module()]
    ['', 'square']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.part = type(name, (), {"named_modules": lambda self: ()})()
        self.watching: list[Any] = []

    def __enter__(self) -> Self:
        self.watching.append([o for o in MODE.get().observers if isinstance(o, profile)])
        for observer in self.watching[-1]:
            observer.enter(self.part, ())
        return self

    def __exit__(self, *exc: object) -> None:
        for observer in self.watching.pop():
            observer.leave(self.part, None)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function."""

        @functools.wraps(function)
        def named(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return named


@named_constructor
class profile(Observer):  # noqa: N801 - PyTorch's name
    """Measure the time and bytes of every op in a ``with`` block.

    `table` returns the totals as text, `by_op` and `by_module` as rows.
    ``events`` lists all events in order; `export_chrome_trace` writes them to a file. Times are wall-clock times of
    this thread and include a few microseconds of overhead per op, so read them as shares. A profile can be entered
    again and accumulates. ``tinygrad_lite.viz.draw(model, x, profile=p, color_by="time")`` shows it in a picture.

    >>> import tinygrad_lite as tl
    >>> with tl.profiler.profile() as p:
    ...     y = tl.ones(2).exp()
    ...
    >>> len(p.table().splitlines()) > 1
    True
    """

    def __init__(
        self, *, activities: Any = None, schedule: Any = None, on_trace_ready: Callable[[Any], Any] | None = None,
        record_shapes: bool = True, profile_memory: bool = True, with_stack: bool = False, **ignored: Any,
    ) -> None:  # fmt: skip
        self.on_trace_ready = on_trace_ready
        self.events: list[Event] = []
        self.seconds = 0.0
        self._stack: list[Place] = []
        self._calls = 0
        self._where: dict[int, Place] = {}  # of a recorded node, by its number
        self._roots: dict[int, tuple[Any, str]] = {}  # outermost modules and their names, by id
        self._names: dict[int, str] = {}  # paths of the modules inside the outermost one that is running
        self._origin = self._last = self._begun = 0.0
        self._outside = Place(None, "", 0.0, 0)

    def __enter__(self) -> Self:
        mode = MODE.get()
        self._begun = self._last = perf_counter()
        self._origin = self._origin or self._begun
        self._apart()
        enter(mode.but(observers=(*mode.observers, self), outer=mode))
        return self

    def __exit__(self, kind: Any = None, error: Any = None, trace: Any = None) -> None:
        try:
            leave()
        except MemoryError:
            leave()
        self.seconds += perf_counter() - self._begun
        if self.on_trace_ready is not None and kind is None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Do nothing: everything in the block is recorded, without a schedule."""

    # -------------------------------------------------------------------------------- observing
    def enter(self, module: Any, args: Any) -> None:
        """Note the start of a module call."""
        if self._stack:
            inside = self._names.get(id(module))
            path = f"{self._stack[0].path}.{inside}" if inside else f"{self._stack[-1].path}.{type(module).__name__}"
        else:
            path = self.named(module)
            self._names = {id(child): name for name, child in module.named_modules()}
        self._calls += 1
        self._stack.append(Place(module, path, perf_counter(), self._calls))

    def named(self, module: Any) -> str:
        """Return the name of an outermost module: its class, numbered if there are several."""
        if id(module) not in self._roots:
            taken, name = {known for _, known in self._roots.values()}, type(module).__name__
            count = 1 + sum(known.partition("~")[0] == name for known in taken)
            self._roots[id(module)] = (module, name if count == 1 else f"{name}~{count}")
        return self._roots[id(module)][1]

    def leave(self, module: Any, output: Any) -> None:
        """Record a module call."""
        place = self._stack.pop()
        self._note(type(module).__name__, MODULE, place, place.start, nbytes(output), 0, None)

    def before(self, op: Any, args: Any) -> None:
        """Note the start of an op."""
        self._last = perf_counter()

    def after(self, op: Any, args: Any, out: Any, frame: Any) -> None:
        """Record an op."""
        now = perf_counter()
        outs = out if isinstance(out, tuple) else (out,)
        place, kept, step = self._stack[-1] if self._stack else self._outside, 0, 0
        node = next((t.node for t in outs if isinstance(t, Tensor) and t.node is not None), None)
        if node is not None:
            node = node.inputs[0] if node.op.is_pick else node
            self._where[node.seq] = place
            kept, step = nbytes(node.saved), node.seq
        shape = tuple(outs[0].shape) if hasattr(outs[0], "shape") else None
        self._note(op.name, FORWARD, place, self._last, nbytes(outs), kept, shape, now, step)
        self._last = perf_counter()

    def backward_starts(self) -> None:
        """Note the start of a backward pass."""
        self._apart()
        self._last = perf_counter()

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """Record a gradient rule."""
        now = perf_counter()
        size = gp.nbytes if hasattr(gp, "nbytes") else 0
        place = self._where.get(node.seq, self._outside)
        self._note(node.op.name, BACKWARD, place, self._last, size, 0, node.shape, now, node.seq)
        self._last = perf_counter()

    def _apart(self) -> None:
        self._calls += 1
        self._outside = Place(None, "", 0.0, self._calls)

    def _note(
        self, name: str, phase: str, place: Place, start: float, size: int, kept: int, shape: Any,
        end: float | None = None, step: int = 0,
    ) -> None:  # fmt: skip
        seconds, since = (end or perf_counter()) - start, start - self._origin
        self.events.append(Event(name, phase, place.path, since, seconds, size, kept, shape, place.call, step))

    # -------------------------------------------------------------------------------- results
    def by_op(self) -> list[Row]:
        """Return one `Row` per op, the most expensive first."""
        return self._rows((e, (e.name,)) for e in self.events if e.phase != MODULE)

    def by_module(self) -> list[Row]:
        """Return one `Row` per module path, submodules included; "" is the whole block."""

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

        Columns: calls, milliseconds forward and backward, their share of the total time in ops, bytes created, bytes
        kept for backward. A module includes its submodules. Raises ValueError for another ``by``.
        """
        head, *lines = self._cells(by, limit)
        wide = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
        text = [
            "  ".join([line[0].ljust(wide[0]), *(c.rjust(w) for c, w in zip(line[1:], wide[1:], strict=True))])
            for line in (head, *lines)
        ]
        text.insert(1, "  ".join("-" * w for w in wide))
        return "\n".join([*text, *self._notes(by, limit)])

    def _cells(self, by: str, limit: int) -> list[tuple[str, ...]]:
        if by not in ("op", "module"):
            raise ValueError(f"profile.table: by must be 'op' or 'module', got {by!r}")
        rows = self.by_op() if by == "op" else self.by_module()
        whole = sum(row.total for row in self.by_op()) or 1.0
        head: tuple[str, ...] = by, "calls", "forward ms", "backward ms", "share", "made", "kept"
        return [head] + [
            (row.name or "(all)", str(row.calls), f"{row.forward * 1e3:.3f}", f"{row.backward * 1e3:.3f}",
             f"{row.total / whole:.1%}", readable(row.bytes), readable(row.kept))
            for row in rows[:limit]
        ]  # fmt: skip

    def _notes(self, by: str, limit: int) -> list[str]:
        ops = self.by_op()
        more = len(ops if by == "op" else self.by_module()) - limit
        whole = sum(row.total for row in ops) or 1.0
        return [f"... and {more} more"] * (more > 0) + [
            f"{whole * 1e3:.3f} ms in ops, {self.seconds * 1e3:.3f} ms in all"
        ]

    def _repr_html_(self) -> str:
        head, *lines = self._cells("op", 30)
        return html_table(head, lines) + "".join(f"<div>{note}</div>" for note in self._notes("op", 30))

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> Averages:
        """Return the totals by op, with a ``table(sort_by, row_limit)`` as in PyTorch."""
        return Averages(self.by_op(), self.table)

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
        with replacing(path) as file:
            file.write(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}).encode())
