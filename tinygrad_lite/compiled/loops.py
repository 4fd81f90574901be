"""Which calls of a program become native loops: elementwise calls are fused, everything else keeps its order.

A `Loop` is one or more calls that `machine` writes as one function. What has no native form stays a `Call`. Memory
that only the calls of one loop use needs no room at all: its numbers stay in registers.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from typing import Any

import numpy as np

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.passes import kept, outputs
from tinygrad_lite.compiled.program import Call, Region
from tinygrad_lite.compiled.recorded import setitem
from tinygrad_lite.native import formulas

TYPES = {np.dtype(k): v for k, v in (("<f4", "f"), ("<f8", "d"), ("|b1", "b"), ("<i8", "n"), ("<i4", "i"))}
"""The types of the language of kernels, by dtype."""
LONGEST = 40
"""The most calls in one loop; longer ones run out of registers."""
WORK = 1 << 17
"""The most multiplications of a product that is written as loops; a larger one is BLAS's."""
REDUCTIONS = (np.add, np.maximum, np.minimum, np.multiply, np.logical_or, np.logical_and)


def kind_of(x: Region) -> str:
    """Return the type of a region's elements in the language of kernels, "" if it has none."""
    return TYPES.get(x.dtype, "")


def spread(x: Region, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the strides of a region that is broadcast to ``shape``, None if it does not fit."""
    if x.shape == shape:
        return x.strides
    extra = len(shape) - len(x.shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(x.shape, shape[extra:], strict=True)):
        return None
    return (0,) * extra + x.strides


def apart(a: Region, b: Region) -> bool:
    """Return whether two regions have no byte in common, or are the same."""
    if a.memory is not b.memory or a.key == b.key:
        return True
    (low, high, _), (first, last, _) = a.span(), b.span()
    return high <= first or last <= low


class Loop:
    """Calls that run as one native function: ``kind`` is "each", or one of `FORMS`."""

    __slots__ = ("calls", "dropped", "kind", "reads", "shape", "writes")

    def __init__(self, kind: str, call: Call, used: tuple[set[int], set[int]], shape: tuple[int, ...] = ()) -> None:
        self.kind, self.calls, self.shape = kind, [call], shape
        self.reads, self.writes = used
        self.dropped: set[int] = set()

    def takes(self, c: Call, reads: set[int], writes: set[int]) -> bool:
        """Return whether an elementwise call can run in the same loop: it reads and writes the same elements."""
        if self.kind != "each" or self.shape != c.outs[0].shape or len(self.calls) >= LONGEST:
            return False
        w, made = c.outs[0], self.writes
        if made.isdisjoint(reads) and made.isdisjoint(writes) and self.reads.isdisjoint(writes):
            return True
        for old in self.calls:
            mine = old.outs[0]
            for x in (*c.reads(), w):
                if x.memory is mine.memory and not apart(x, mine):
                    return False
            for x in old.reads():
                if x.memory is w.memory and not apart(x, w):
                    return False
        return True

    def regions(self) -> tuple[list[Region], list[Region]]:
        """Return the regions that are read from memory and those that are written to memory."""
        made: set[int] = set()
        reads: dict[int, Region] = {}
        writes: dict[int, Region] = {}
        each, dropped = self.kind == "each", self.dropped
        for c in self.calls:
            for x in c.reads():
                key = x.key
                if key not in reads and not (each and key in made):
                    reads[key] = x
            for w in c.outs:
                made.add(w.key)
                if w.memory.id not in dropped:
                    writes[w.key] = w
        return list(reads.values()), list(writes.values())

    def call(self) -> Call:
        """Return the loop as one call of the program."""
        reads, writes = self.regions()
        made = Call("native", self, reads, {}, writes)
        made.section, made.updates = self.calls[0].section, self.calls[0].updates
        return made


def number(v: Any) -> bool:
    """Return whether an operand is one number."""
    return type(v) in (int, float, bool) or isinstance(v, np.generic) and v.dtype.kind in "fib"


def elementwise(c: Call) -> bool:
    """Return whether a call can be a loop over elements."""
    if c.kind not in ("ufunc", "copy", "where") or c.words or len(c.outs) != 1 or c.updates:
        return False
    w = c.outs[0]
    if not kind_of(w) or 0 in w.shape:
        return False
    for v in c.ins:
        if isinstance(v, Region):
            if not kind_of(v) or spread(v, w.shape) is None or not apart(v, w):
                return False
        elif not number(v):
            return False
    types = [kind_of(v) if isinstance(v, Region) else "" for v in c.ins]
    if c.kind == "copy":
        return formulas.converts(types[0] or kind_of(w), kind_of(w))
    if c.kind == "where":
        return types[0] == "b" and all(t in ("", kind_of(w)) for t in types[1:])
    return formulas.has(c.function, types, kind_of(w), c.ins)


def reduction(c: Call) -> bool:
    """Return whether a call can be a loop that reduces axes."""
    if c.kind != "reduce" or c.function not in REDUCTIONS or set(c.words) - {"axis", "keepdims", "initial"}:
        return False
    if c.words.get("initial", None) not in (None, -math.inf) or "initial" in c.words and c.function is not np.maximum:
        return False
    x, w = c.ins[0], c.outs[0]
    if not isinstance(x, Region) or not kind_of(x) or kind_of(x) != kind_of(w) or 0 in x.shape or x.memory is w.memory:
        return False
    whole = c.function in (np.logical_or, np.logical_and)
    return (kind_of(x) == "b") == whole and (kind_of(x) in "fd" or c.function is not np.multiply)


def product(c: Call) -> bool:
    """Return whether a call is a product of matrices small enough for loops."""
    if c.kind not in ("dot", "matmul") or c.words or len(c.ins) != 2:
        return False
    a, b = c.ins
    if not isinstance(a, Region) or not isinstance(b, Region):
        return False
    w = c.outs[0]
    if {kind_of(a), kind_of(b), kind_of(w)} not in ({"f"}, {"d"}) or w.memory in (a.memory, b.memory):
        return False
    if 0 in (*a.shape, *b.shape) or not a.shape or not b.shape:
        return False
    if max(len(a.shape), len(b.shape)) > 2 and (c.kind == "dot" or min(len(a.shape), len(b.shape)) < 2):
        return False
    return bool(math.prod(w.shape) * a.shape[-1] <= WORK)


def selection(c: Call) -> bool:
    """Return whether a call takes elements along an axis, or of a contiguous array."""
    if c.kind != "take" or set(c.words) - {"axis"}:
        return False
    (a, index), w = c.ins, c.outs[0]
    if not isinstance(a, Region) or not isinstance(index, Region) or not kind_of(a) or 0 in (*a.shape, *w.shape):
        return False
    if kind_of(index) not in ("n", "i") or kind_of(a) != kind_of(w) or w.memory in (a.memory, index.memory):
        return False
    return c.words.get("axis") is not None or contiguous(a)


def contiguous(x: Region) -> bool:
    """Return whether a region is in row-major order without gaps."""
    n = x.dtype.itemsize
    for length, step in zip(x.shape[::-1], x.strides[::-1], strict=True):
        if length != 1 and step != n:
            return False
        n *= length
    return True


def placing(c: Call) -> bool:
    """Return whether a call writes to places along the only axis of an array."""
    if c.kind != "inplace" or c.function is not setitem or c.words or len(c.ins) != 3:
        return False
    (a, index, value), w = c.ins, c.outs[0]
    if not isinstance(index, Region) or kind_of(index) not in ("n", "i") or len(a.shape) != 1 or not kind_of(a):
        return False
    if a.key != w.key or index.memory is a.memory or 0 in (*a.shape, *index.shape):
        return False
    if isinstance(value, Region):
        fits = kind_of(value) == kind_of(a) and spread(value, index.shape) is not None
        return fits and value.memory is not a.memory
    return number(value)


def along(c: Call) -> bool:
    """Return whether a call is ``take_along_axis`` or ``put_along_axis``."""
    if c.words or c.function not in (np.take_along_axis, np.put_along_axis) or type(c.ins[-1]) is not int:
        return False
    a, index, w = c.ins[0], c.ins[1], c.outs[0]
    axis, other = c.ins[-1] % len(a.shape), c.ins[2] if c.function is np.put_along_axis else w
    if not isinstance(index, Region) or kind_of(index) not in ("n", "i") or not kind_of(a) or 0 in (*a.shape, *w.shape):
        return False
    if len(index.shape) != len(a.shape) or index.memory in (a.memory, w.memory):
        return False
    if any(n != m for i, (n, m) in enumerate(zip(a.shape, index.shape, strict=True)) if i != axis):
        return False
    if not isinstance(other, Region):
        return number(other)
    return kind_of(other) == kind_of(a) and other.memory is not a.memory and spread(other, index.shape) is not None


def largest(c: Call) -> bool:
    """Return whether a call finds the place of the largest number along an axis."""
    if c.kind != "call" or c.function is not np.argmax or len(c.ins) != 2 or type(c.ins[1]) is not int or c.words:
        return False
    x, w = c.ins[0], c.outs[0]
    ours = isinstance(x, Region) and kind_of(x) in tuple("fdni") and kind_of(w) == "n" and len(c.outs) == 1
    return ours and 0 not in x.shape and x.memory is not w.memory


def question(c: Call) -> bool:
    """Return whether a call is a check that a loop can make."""
    if c.kind != "check" or not isinstance(c.ins[0], Region):
        return False
    x = c.ins[0]
    if c.function == "finite":
        return c.words["value"] is True and kind_of(x) in ("f", "d")
    return kind_of(x) in tuple("bfd") and c.words["bool"] and math.prod(x.shape) == 1


def exact(r: Recording) -> str:
    """Return why a program needs every bit of NumPy's results, "" if it does not."""
    for c in r.calls:
        if c.kind == "check" and c.function == "same" and not c.words["bool"] and c.reads()[0].dtype.kind == "f":
            return f"it checks that a computed number is {c.words['value']!r}"
    return ""


FORMS = (("reduce", reduction), ("product", product), ("take", selection), ("put", placing), ("argmax", largest),
         ("along", along), ("check", question))  # fmt: skip
RAISING = ("check", "take", "put", "along")


def loops_of(calls: list[Call], lasting: Any) -> list[Any]:
    """Return calls and loops in an order that gives the same results; ``lasting(memory)``: it outlives the program."""
    units: list[Any] = []
    for c in calls:
        reads, writes = used = {x.memory.id for x in c.reads()}, {w.memory.id for w in c.outs}
        if elementwise(c):
            home = _home(units, c, reads, writes, lasting)
            if home is not None:
                home.calls.append(c)
                home.reads |= reads
                home.writes |= writes
            else:
                units.append(Loop("each", c, used, c.outs[0].shape))
            continue
        form = next((name for name, fits in FORMS if fits(c)), None)
        units.append(c if form is None else Loop(form, c, used))
    return units


def _home(units: list[Any], c: Call, reads: set[int], writes: set[int], lasting: Any) -> Loop | None:
    """Return the loop that takes ``c``: nothing between them may need the old order."""
    for u in units[: -min(len(units), 23) - 1 : -1]:
        if type(u) is Loop:
            if u.takes(c, reads, writes):
                return u
            made, used, raises = u.writes, u.reads, u.kind in RAISING
        else:
            raises = u.may_raise
            made, used = {w.memory.id for w in u.outs}, {x.memory.id for x in u.reads()}
            if u.kind == "random" or u.updates:
                made = made | used
        if not (made.isdisjoint(reads) and made.isdisjoint(writes) and used.isdisjoint(writes)):
            return None
        if raises and any(lasting(w.memory) for w in c.outs):
            return None
    return None


def lowered(r: Recording) -> Recording:
    """Return a copy of a recording in which the calls that can be loops are calls of kind "native"."""
    new = copy.copy(r)
    first = [c for c in r.calls if c.kind == "scalar"]
    # the numbers of a step first: nothing they need is computed by a call
    early = first if len({c.outs[0].memory.id for c in first}) == len(first) and r.gradient is None else []
    stays = {x.memory.id for x in outputs(r)} | kept(r)
    parts = [r.calls[: r.split], r.calls[r.split :]]
    found = []
    for part in parts:
        units = loops_of([c for c in part if c not in early], lambda m: m.kind != "temp" or m.id in stays)
        found.append(units)
    uses: Counter[int] = Counter()
    for c in r.calls:
        uses.update({x.memory.id for x in (*c.reads(), *c.outs)})
    for units in found:
        for u in units:
            if isinstance(u, Loop) and u.kind == "each":
                inside = Counter(m for c in u.calls for m in {x.memory.id for x in (*c.reads(), *c.outs)})
                temps = {w.memory.id for c in u.calls for w in c.outs if w.memory.kind == "temp"}
                u.dropped = {m for m in temps if m not in stays and inside[m] == uses[m]}
                if u.dropped:  # not those that are read before they are written to
                    u.dropped -= {x.memory.id for x in u.regions()[0]}
    forward, backward = ([u.call() if isinstance(u, Loop) else u for u in units] for units in found)
    new.calls = [*early, *forward, *backward]
    return new
