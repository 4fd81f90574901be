"""Loops of a program as machine code: one function per loop, and one for each run of loops between two NumPy calls."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite.compiled.loops import RAISING, Loop, kind_of, spread
from tinygrad_lite.compiled.program import Call, Missed, Region
from tinygrad_lite.native import formulas, library
from tinygrad_lite.native.language import LOOPS, TYPES, Kernel, Value

Axes = list[tuple[int, list[int]]]
"""Axes of a nest of loops: the length, and the step of each region in bytes."""


def joined(shape: Any, strides: list[Any]) -> Axes:
    """Return the axes without those of length 1, with neighbours as one where every region can be walked so."""
    axes: Axes = []
    for i, n in enumerate(shape):
        steps = [s[i] for s in strides]
        if n == 1:
            continue
        if axes and all(old == new * n for old, new in zip(axes[-1][1], steps, strict=True)):
            axes[-1] = (axes[-1][0] * n, steps)
        else:
            axes.append((n, steps))
    return axes


class Writer(Kernel):
    """The function of one loop; its arguments are the addresses of regions."""

    def __init__(self, regions: list[Region]) -> None:
        super().__init__("", "", lambda k: None)
        self.lines, self.head, self.count = [], [], itertools.count()
        self.regions = regions
        self.places = {x.key: i for i, x in enumerate(regions)}
        self.failed: Any = None

    def base(self, x: Region) -> Value:
        """Return the address of a region."""
        return Value(self, f"%a{self.places[x.key]}", kind_of(x) + "*")

    def moved(self, place: Value, index: Any, step: int) -> Value:
        """Return the address ``index`` steps further on."""
        if step == 0 or type(index) is int and index == 0:
            return place
        index = self.lift(index, "n")
        off = index if step == 1 else index * step
        return self.put(f"getelementptr inbounds i8, ptr {place.name}, i64 {off.name}", place.type)

    @contextmanager
    def nest(self, axes: Axes, places: list[Value]) -> Iterator[list[Value]]:
        """Open loops over some axes; yield the addresses inside."""
        if not axes:
            yield places
            return
        (n, steps), rest = axes[0], axes[1:]
        with self.loop(0, n) as i:
            here = [self.moved(p, i, t) for p, t in zip(places, steps, strict=True)]
            with self.nest(rest, here) as inner:
                yield inner

    def function(self, name: str) -> str:
        """Return the text of the function; it returns 0, or 1 where the program does not fit the numbers."""
        many = len(self.regions)
        signature = ", ".join(f"ptr noalias %a{i}" for i in range(many))
        result = "0"
        if self.failed is not None:
            result = self.put(f"zext i1 {self.failed.get().name} to i32", "i").name
        body = "\n".join([*self.head, *self.lines])
        head = f"define internal i32 @{name}_body({signature}) noinline nounwind {{\nentry:\n"
        body = f"{head}{body}\n  ret i32 {result}\n}}\n"
        loads = [f"  %p{i} = getelementptr ptr, ptr %t, i64 {i}\n  %a{i} = load ptr, ptr %p{i}\n" for i in range(many)]
        call = f"  %r = call i32 @{name}_body({', '.join(f'ptr %a{i}' for i in range(many))})\n  ret i32 %r\n"
        return f"{body}define i32 @{name}(ptr %t) nounwind {{\n{''.join(loads)}{call}}}\n"

    def fail(self, where: Value) -> None:
        """Note that the program does not fit where a condition holds."""
        self.failed.set(self.failed.get() | where)


def written(loop: Loop, regions: list[Region]) -> Writer:
    """Return the writer with the function of a loop."""
    reads, writes = loop.regions()
    w = Writer(regions)
    if loop.kind in RAISING:
        w.failed = w.var(0, "b")
    {"each": each, "reduce": reduce, "product": product, "take": take, "put": put, "check": check,
     "along": along, "argmax": argmax}[loop.kind](w, loop, reads, writes)  # fmt: skip
    return w


# ------------------------------------------------------------------------------------------------ kinds of loops
def each(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write a fused elementwise loop."""
    shape = loop.shape
    strides = [spread(x, shape) for x in w.regions]
    with w.nest(joined(shape, strides), [w.base(x) for x in w.regions]) as places:
        known: dict[Any, Value] = {}
        stored = {x.key for x in writes}

        def operand(v: Any) -> Any:
            if not isinstance(v, Region):
                return v.item() if isinstance(v, np.generic) else v
            if v.key not in known:
                known[v.key] = places[w.places[v.key]][0]
            return known[v.key]

        last = {c.outs[0].key: i for i, c in enumerate(loop.calls)}
        for i, c in enumerate(loop.calls):
            out = c.outs[0]
            kind, values = kind_of(out), [operand(v) for v in c.ins]
            if c.kind == "copy":
                y = values[0].to(kind) if isinstance(values[0], Value) else w.lift(values[0], kind)
            elif c.kind == "where":
                y = w.select(values[0], w.lift(values[1], kind), w.lift(values[2], kind))
            else:
                y = formulas.value(w, c.function, kind, values)
            known[out.key] = y
            if out.key in stored and last[out.key] == i:
                places[w.places[out.key]][0] = y


def first_of(ufunc: Any, kind: str) -> Any:
    """Return what a reduction starts with."""
    if ufunc is np.add:
        return 0
    if ufunc is np.multiply:
        return 1
    if ufunc in (np.logical_or, np.logical_and):
        return int(ufunc is np.logical_and)
    sign = -1 if ufunc is np.maximum else 1
    return sign * math.inf if kind in "fd" else sign * (2**31 - 1 if kind == "i" else 2**63 - 1)


def reduce(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write a reduction over some axes."""
    c, x, y = loop.calls[0], reads[0], writes[0]
    axis = c.words.get("axis")
    given = range(len(x.shape)) if axis is None else [axis] if isinstance(axis, int) else axis
    gone = {a % len(x.shape) for a in given} if x.shape else set()
    left = [i for i in range(len(x.shape)) if i not in gone]
    outer = [t for i, t in enumerate(y.strides) if not c.words.get("keepdims") or i in left]
    kept: Axes = joined([x.shape[i] for i in left], [[x.strides[i] for i in left], outer])
    folded: Axes = joined([x.shape[i] for i in sorted(gone)], [[x.strides[i] for i in sorted(gone)]])
    kind, start, places = kind_of(x), first_of(c.function, kind_of(x)), [w.base(x), w.base(y)]

    def both(a: Value, b: Value) -> Value:
        return formulas.value(w, c.function, kind, [a, b])

    inner = kept[-1] if kept else (1, [0, 0])
    by_rows = kept and folded and inner[0] >= 4 and abs(inner[1][0]) < abs(folded[-1][1][0])
    if by_rows:  # the axis that is left lies innermost: whole rows are added
        with w.nest(kept[:-1], places) as (a, b):
            with w.loop(0, inner[0]) as i:
                w.moved(b, i, inner[1][1])[0] = w.lift(start, kind)
            with w.nest([(n, [s[0], 0]) for n, s in folded], [a, b]) as (row, _), w.loop(0, inner[0]) as i:
                here = w.moved(b, i, inner[1][1])
                here[0] = both(here[0], w.moved(row, i, inner[1][0])[0])
        return
    with w.nest(kept, places) as (a, b):
        total = w.var(start, kind)
        with w.nest([(n, [s[0]]) for n, s in folded], [a]) as (place,):
            if c.function is np.add and kind in "fd":
                total.add(place[0])
            else:
                total.set(both(total.get(), place[0]))
        b[0] = total.get()


def product(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write a product of matrices: rows of the result grow by rows of the second factor where these are contiguous."""
    c = loop.calls[0]
    a, b, y = c.ins[0], c.ins[1], c.outs[0]
    (inner, ka), kb = (a.shape[-1], a.strides[-1]), (b.strides[-2] if len(b.shape) > 1 else b.strides[0])
    rows, ma = (a.shape[-2], a.strides[-2]) if len(a.shape) > 1 else (1, 0)
    columns, nb = (b.shape[-1], b.strides[-1]) if len(b.shape) > 1 else (1, 0)
    nc = y.strides[-1] if len(b.shape) > 1 else 0
    mc = y.strides[-2 if len(b.shape) > 1 else -1] if len(a.shape) > 1 else 0
    lead = y.shape[:-2] if len(y.shape) > 2 else ()
    batch = [spread_lead(x, lead) for x in (a, b, y)]
    size = y.dtype.itemsize
    kind = kind_of(y)
    with w.nest(joined(lead, batch), [w.base(a), w.base(b), w.base(y)]) as (pa, pb, pc):
        by_rows = columns >= 4 and nb == size and nc == size
        with w.loop(0, rows) as i:
            ra, rc = w.moved(pa, i, ma), w.moved(pc, i, mc)
            if by_rows:
                grow(w, inner, columns, (ra, ka), (pb, kb), rc)
            else:
                with w.loop(0, columns) as j:
                    column = w.moved(pb, j, nb)
                    total = w.var(0, kind)
                    with w.loop(0, inner) as k:
                        total.add(w.moved(ra, k, ka)[0] * w.moved(column, k, kb)[0])
                    w.moved(rc, j, nc)[0] = total.get()


def spread_lead(x: Region, lead: Any) -> Any:
    """Return the strides of the leading axes, broadcast."""
    own = Region(x.memory, x.offset, x.shape[:-2], x.strides[:-2], x.dtype)
    return spread(own, lead)


def grow(w: Writer, inner: int, columns: int, a: Any, b: Any, row: Value) -> None:
    """Write ``row = a @ b``, four rows of ``b`` at a time."""
    (ra, ka), (pb, kb) = a, b

    def some(k: Any, many: int, fresh: bool) -> None:
        factors = [w.moved(ra, k + q, ka)[0] for q in range(many)]
        lines = [w.moved(pb, k + q, kb) for q in range(many)]
        with w.loop(0, columns) as j:
            total = factors[0] * lines[0][j] if fresh else w.fma(factors[0], lines[0][j], row[j])
            for f, line in zip(factors[1:], lines[1:], strict=True):
                total = w.fma(f, line[j], total)
            row[j] = total

    head = inner % 4 or min(4, inner)
    some(w.lift(0, "n"), head, True)
    if inner > head:
        with w.loop(head, inner, 4) as k:
            some(k, 4, False)


def _inside(w: Writer, index: Value, n: int) -> Value:
    """Return an index from 0 to n - 1, and note one that is outside."""
    w.fail((index < -n) | (index >= n))
    index = w.select(index < 0, index + n, index)
    return w.select((index < 0) | (index >= n), w.lift(0, "n"), index)


def take(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write ``a.take(index, axis)``."""
    c = loop.calls[0]
    a, index, y, axis = c.ins[0], c.ins[1], c.outs[0], c.words.get("axis")
    if axis is None:
        n, step, axis, before, after = math.prod(a.shape), a.dtype.itemsize, 0, [], []
    else:
        axis %= len(a.shape)
        n, step = a.shape[axis], a.strides[axis]
        before, after = list(a.strides[:axis]), list(a.strides[axis + 1 :])
    many = len(index.shape)
    of_a, of_index = before + [0] * many + after, [0] * len(before) + list(index.strides) + [0] * len(after)
    axes = joined(y.shape, [of_a, of_index, list(y.strides)])
    with w.nest(axes, [w.base(a), w.base(index), w.base(y)]) as (pa, pi, py):
        py[0] = w.moved(pa, _inside(w, pi[0].to("n"), n), step)[0]


def put(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write ``a[index] = value`` for places along the only axis."""
    c = loop.calls[0]
    a, index, value = c.ins
    given = [w.base(index), *([w.base(value)] if isinstance(value, Region) else [])]
    strides = [index.strides, *([spread(value, index.shape)] if isinstance(value, Region) else [])]
    with w.nest(joined(index.shape, strides), given) as places:
        v = places[1][0] if isinstance(value, Region) else w.lift(value, kind_of(a))
        w.moved(w.base(a), _inside(w, places[0][0].to("n"), a.shape[0]), a.strides[0])[0] = v


def along(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write ``take_along_axis(a, index, axis)`` or ``put_along_axis(a, index, value, axis)``."""
    c = loop.calls[0]
    a, index, axis, putting = c.ins[0], c.ins[1], c.ins[-1] % len(c.ins[0].shape), c.updates
    other = c.ins[2] if putting else c.outs[0]
    steps = [0 if i == axis else t for i, t in enumerate(a.strides)]
    given = [index, *([other] if isinstance(other, Region) else [])]
    strides = [steps, *(spread(x, index.shape) for x in given)]
    with w.nest(joined(index.shape, strides), [w.base(a), *map(w.base, given)]) as (pa, pi, *po):
        here = w.moved(pa, _inside(w, pi[0].to("n"), a.shape[axis]), a.strides[axis])
        if putting:
            here[0] = po[0][0] if po else w.lift(other, kind_of(a))
        else:
            po[0][0] = here[0]


def argmax(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write the place of the first largest number, or of the first NaN, along an axis."""
    c = loop.calls[0]
    x, y, axis = c.ins[0], c.outs[0], c.ins[1] % len(c.ins[0].shape)
    left = [i for i in range(len(x.shape)) if i != axis]
    kept = joined([x.shape[i] for i in left], [[x.strides[i] for i in left], list(y.strides)])
    with w.nest(kept, [w.base(x), w.base(y)]) as (px, py):
        best, place = w.var(px[0], kind_of(x)), w.var(0, "n")
        with w.loop(1, x.shape[axis]) as i:
            v, now = w.moved(px, i, x.strides[axis])[0], best.get()
            better = (v > now) | (v.is_nan() & ~now.is_nan()) if v.type in "fd" else v > now
            best.set(w.select(better, v, now))
            place.set(w.select(better, i, place.get()))
        py[0] = place.get()


def check(w: Writer, loop: Loop, reads: list[Region], writes: list[Region]) -> None:
    """Write the check that everything is finite, or that a number is zero where it was."""
    c, x = loop.calls[0], reads[0]
    if c.function == "finite":
        with w.nest(joined(x.shape, [x.strides]), [w.base(x)]) as (place,):
            w.fail(~(w.call("fabs", place[0]) < math.inf))
    else:
        found = w.base(x)[0]
        found = found if found.type == "b" else ~found.same(0.0)
        w.fail(~found if c.words["value"] else found)


# ------------------------------------------------------------------------------------------------ the program
DRIVE = """
define i32 @drive(ptr %table) nounwind {
entry:
  br label %next
next:
  %at = phi ptr [ %table, %entry ], [ %after, %ran ]
  %loop = load ptr, ptr %at
  %end = icmp eq ptr %loop, null
  br i1 %end, label %done, label %run
run:
  %place = getelementptr i8, ptr %at, i64 16
  %failed = call i32 %loop(ptr %place)
  %missed = icmp ne i32 %failed, 0
  br i1 %missed, label %done, label %ran
ran:
  %size = getelementptr i8, ptr %at, i64 8
  %bytes = load i64, ptr %size
  %after = getelementptr i8, ptr %place, i64 %bytes
  br label %next
done:
  %result = phi i32 [ 0, %next ], [ 1, %run ]
  ret i32 %result
}
"""
"""Runs loops one after another: a table has the address of each, the bytes of its arguments, and the arguments."""


class Machine:
    """The machine code of a program: `add` runs of loops, then `load`; each is a table that one function works off."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}  # of functions, by what loops have in common
        self.loops: list[Any] = []
        self.tables: list[list[Any]] = []
        self.work: list[int] = []

    def add(self, calls: list[Call]) -> int:
        """Add a run of loops; return its number."""
        table: list[Any] = []
        for c in calls:
            loop: Loop = c.function
            regions = list({x.key: x for x in (*c.ins, *c.outs)}.values())
            number = self.numbers.setdefault(signature(loop, regions), len(self.loops))
            if number == len(self.loops):  # equal loops, of the steps of a recurrent layer for one, are one function
                self.loops.append((loop, regions))
            table += [number, 8 * len(regions), *regions]
        self.tables.append(table)
        self.work.append(sum(math.prod(x.shape) for c in calls for x in (*c.reads(), *c.outs)))
        return len(self.tables) - 1

    def text(self) -> str:
        """Return the LLVM module; loops of other shapes may have the same text, and are one function too."""
        first: dict[str, int] = {}
        parts = []
        for i, (loop, regions) in enumerate(self.loops):
            text = written(loop, regions).function("NAME")
            same = first.setdefault(text, i)
            parts.append(
                text.replace("@NAME", f"@loop{i}") if same == i else f"@loop{i} = alias i32 (ptr), ptr @loop{same}\n"
            )
        return declarations() + "".join(parts) + DRIVE + LOOPS

    def load(self) -> list[Callable[[int], None]]:
        """Return the functions of the runs, each to be called with the address of its table."""
        if not self.tables:
            return []
        # to write the text takes longer than to load the code: what the loops have in common says as much
        name = library.key(f"loops\n{sources()}\n{list(self.numbers)}")
        names = ["drive", *(f"loop{i}" for i in range(len(self.loops)))]
        # a higher level takes up to twice as long to compile, and gains nothing on loops of fixed length
        drive, *loops = library.loaded(self.text, names, name, level=1)
        for table in self.tables:
            place = 0
            while place < len(table):
                table[place] = loops[table[place]]
                place += 2 + table[place + 1] // 8
            table.append(0)
        return [_function(drive, n) for n in self.work]


@functools.cache
def sources() -> str:
    """Return a digest of the code that writes the loops."""
    digest = hashlib.sha256(library.sources().encode())
    for name in ("machine.py", "loops.py", "program.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


def signature(loop: Loop, regions: list[Region]) -> Any:
    """Return what two loops have in common that are one function; its text is the same in every process."""
    places: dict[Any, int] = {x.key: i for i, x in enumerate(regions)}

    def known(v: Any) -> Any:
        if isinstance(v, Region):
            return "region", places.setdefault(v.key, len(places))
        return type(v), repr(v)

    forms = tuple((x.shape, x.strides, x.dtype.str) for x in regions)
    calls = tuple(
        (
            c.kind,
            getattr(c.function, "__name__", c.function),
            *map(known, c.ins),
            "to",
            *map(known, c.outs),
            repr(c.words),
            *((w.dtype.str, w.shape) for w in c.outs),
        )
        for c in loop.calls
    )
    kept = tuple(w.memory.id not in loop.dropped for c in loop.calls for w in c.outs)
    return loop.kind, loop.shape, forms, calls, kept


FEW = 1 << 15
"""Elements below which a run keeps the interpreter lock: giving it up and taking it again costs more."""


def _function(address: int, work: int) -> Callable[[int], None]:
    kind = ctypes.PYFUNCTYPE if work < FEW else ctypes.CFUNCTYPE
    return kind(ctypes.c_int, ctypes.c_void_p)(address)


def missed() -> None:
    """Say that a check inside a run of loops failed."""
    raise Missed("a number is not what it was")


def declarations() -> str:
    """Return the declarations of the intrinsic functions that loops call."""
    from tinygrad_lite.native.language import LIBRARY, SUFFIXES

    return "".join(
        f"declare {TYPES[t]} @llvm.{name}.{SUFFIXES[t]}({', '.join([TYPES[t]] * len(arguments))})\n"
        for name, arguments in LIBRARY.items()
        for t in "fd"
    )
