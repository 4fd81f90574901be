"""Passes over a recording: fold constants, share equal calls, drop copies and dead calls, plan memory."""

from __future__ import annotations

import copy
import itertools
from collections import Counter, defaultdict
from typing import Any

import numpy as np

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.program import Call, Memory, Region, contiguous


def outputs(r: Recording) -> list[Region]:
    """Return the regions that are read after the program: results and gradients."""
    found = [*r.outs, *(g for _, _, g in r.grads if g is not None)]
    return found if r.gradient is None else [*found, *(g for _, _, g in r.gradient.leaves)]


def kept(r: Recording) -> set[int]:
    """Return the memories that a backward pass reads after the forward program; it may run more than once."""
    made = {w.memory.id for c in r.calls[: r.split] for w in c.outs}
    return made & {x.memory.id for c in r.calls[r.split :] for x in c.reads()}


def optimise(r: Recording) -> None:
    """Run all passes."""
    r.recorded = len(r.calls)
    fold(r)
    merge(r)
    share(r)
    split(r)
    separate(r)
    share(r)
    drop_dead(r)
    r.tracer.close()


def fold(r: Recording) -> None:
    """Drop calls that read constants only; their results are constants."""
    writes = Counter(w.memory.id for c in r.calls for w in c.outs)
    changing = {m.id for m in r.tracer.memories if m.kind not in ("constant", "temp")}
    changing |= {m.id for m in r.tracer.memories if writes[m.id] > 1 or (m.kind == "constant" and writes[m.id])}
    changing |= {m.id for m in r.tracer.memories if m.kind == "temp" and not writes[m.id]}
    open_: list[Call] = []  # calls whose results may be constant yet
    for c in r.calls:
        fixed = c.kind not in ("scalar", "random") and not c.updates and all([w.full for w in c.outs])
        if not fixed or not changing.isdisjoint([x.memory.id for x in c.reads()]):
            changing.update([w.memory.id for w in c.outs])
        else:
            open_.append(c)
    more = True
    while more:  # what is read may have turned out to change later on
        still = []
        for c in open_:
            if changing.isdisjoint([x.memory.id for x in c.reads()]):
                still.append(c)
            else:
                changing.update([w.memory.id for w in c.outs])
        more, open_ = len(still) < len(open_), still
    left = []
    for c in r.calls:  # a check of constants has been made
        if not changing.isdisjoint([x.memory.id for x in c.outs or c.reads()]):
            left.append(c)
            continue
        for w in c.outs:
            w.memory.kind = "constant"
    r.calls = left


def merge(r: Recording) -> None:
    """Let equal constants be one, so that calls with them are equal too."""
    written = {w.memory.id for c in r.calls for w in c.outs}
    first: dict[Any, Memory] = {}
    by: dict[int, Memory] = {}
    for m in r.tracer.memories:
        if m.kind == "constant" and m.id not in written and m.nbytes <= 1 << 16:
            key = m.own.tobytes(), m.shape, m.strides, m.dtype.str
            by[m.id] = first.setdefault(key, m)

    def one(x: Region) -> Region:
        m = by.get(x.memory.id, x.memory)
        return x if m is x.memory else Region(m, x.offset, x.shape, x.strides, x.dtype)

    for c in r.calls:
        c.swap(one)
    r.outs = [one(x) for x in r.outs]


def share(r: Recording) -> None:
    """Compute equal calls once, and leave out copies of memory that nothing changes afterwards."""
    forms = r.tracer.forms
    writes = Counter(w.memory.id for c in r.calls for w in c.outs)
    version: defaultdict[int, int] = defaultdict(int)
    alias: dict[int, tuple[Memory, int]] = {}
    table: dict[Any, Region] = {}
    left: list[Call] = []

    def moved(x: Region) -> Region:
        if x.memory.id not in alias:
            return x
        memory, shift = alias[x.memory.id]
        return Region(memory, x.offset + shift, x.shape, x.strides, x.dtype)

    for c in r.calls:
        for w in c.outs:
            version[w.memory.id] += 1
        if alias and not alias.keys().isdisjoint([x.memory.id for x in c.reads()]):
            c.swap(moved)
        w = c.outs[0] if c.outs else None
        if w is not None and len(c.outs) == 1 and not c.updates and w.memory.kind == "temp" and w.full \
                and writes[w.memory.id] == 1 and c.kind not in ("scalar", "random"):  # fmt: skip
            if c.kind == "copy" and isinstance(c.ins[0], Region) and c.ins[0].memory is not w.memory:
                source, m = c.ins[0], c.ins[0].memory
                same = (source.shape, source.strides, source.dtype) == (w.shape, w.strides, w.dtype)
                steady = m.kind == "temp" and writes[m.id] == version[m.id]
                if same and (steady or (m.kind == "constant" and not writes[m.id])):
                    alias[w.memory.id] = m, source.offset - w.offset
                    continue
            key = c.form(forms), *[(x.key, version[x.memory.id]) for x in c.reads()]
            if key in table:
                alias[w.memory.id] = table[key].memory, table[key].offset - w.offset
                continue
            table.setdefault(key, w)
        if c.kind == "check":
            key = _check_key(c, version)
            if key in table:
                continue
            table[key] = c.reads()[0]
        left.append(c)
    r.calls, r.outs = left, [moved(x) for x in r.outs]
    r.grads = [(t, name, g if g is None else moved(g)) for t, name, g in r.grads]
    if r.gradient is not None:
        r.gradient.leaves = [(t, name, moved(g)) for t, name, g in r.gradient.leaves]


def _check_key(c: Call, version: Any) -> Any:
    x = c.reads()[0]
    return "check", c.function, repr(c.words), x.key, version[x.memory.id]


def split(r: Recording) -> None:
    """Give parts of a temporary that are never used together memory of their own: rows of an optimiser's scratch."""
    out = {x.memory.id for x in outputs(r)}
    uses: dict[int, list[Region]] = {}
    for c in r.calls:
        for x in (*c.reads(), *c.outs):
            if x.memory.kind == "temp" and x.memory.id not in out and not x.full:
                uses.setdefault(x.memory.id, []).append(x)
            elif x.memory.kind == "temp":
                out.add(x.memory.id)
    moved: dict[int, Region] = {}
    for number, found in uses.items():
        parts: list[tuple[int, list[Region]]] = []  # end, regions
        for x in sorted(found, key=lambda x: x.span()[0]) if number not in out else ():
            low, high, _ = x.span()
            if parts and low < parts[-1][0]:
                parts[-1] = (max(high, parts[-1][0]), [*parts[-1][1], x])
            else:
                parts.append((high, [x]))
        for high, regions in parts:
            low = regions[0].span()[0]
            if high - low == regions[0].memory.nbytes:
                continue
            fresh = room_for(r, high - low, regions[0].dtype)
            moved |= {id(x): Region(fresh, x.offset - low, x.shape, x.strides, x.dtype) for x in regions}

    def by(x: Region) -> Region:
        return moved.get(id(x), x)

    for c in r.calls if moved else ():
        c.swap(by)
        c.outs = [by(w) for w in c.outs]


def room_for(r: Recording, nbytes: int, dtype: Any) -> Memory:
    """Return a new temporary memory."""
    number = len(r.tracer.memories)
    size = dtype.itemsize
    r.tracer.memories.append(Memory(number, "temp", f"t{number}", (nbytes // size,), (size,), dtype))
    return r.tracer.memories[-1]


def separate(r: Recording) -> None:
    """Give every value of a temporary its own memory, so that in-place calls become plain ones."""
    writes = Counter(w.memory.id for c in r.calls for w in c.outs if w.memory.kind == "temp")
    uses: dict[int, list[tuple[int, bool, Region]]] = {m: [] for m, n in writes.items() if n > 1}
    for i, c in enumerate(r.calls) if uses else ():
        for x in c.reads():
            if x.memory.id in uses:
                uses[x.memory.id].append((i, False, x))
        for w in c.outs:
            if w.memory.id in uses:
                uses[w.memory.id].append((i, True, w))
    out = {x.memory.id for x in outputs(r)}
    read: dict[int, dict[int, Region]] = {}  # what takes the place of regions, by call
    wrote: dict[int, dict[int, Region]] = {}
    for number, found in uses.items():
        for k, (i, writes_it, region) in enumerate(found):
            if not writes_it or r.calls[i].updates:
                continue
            low, high, solid = region.span()
            readers = _readers(r, found, k, low, high) if solid else None
            if readers is None or (number in out and not readers[1]):
                continue
            fresh = room_for(r, high - low, region.dtype)
            for j, x, table in ((i, region, wrote), *((j, x, read) for j, x in readers[0])):
                moved = Region(fresh, x.offset - low, x.shape, x.strides, x.dtype)
                table.setdefault(j, {})[id(x)] = moved
    for i, by in read.items():
        r.calls[i].swap(lambda x, by=by: by.get(id(x), x))
    for i, by in wrote.items():
        r.calls[i].outs = [by.get(id(w), w) for w in r.calls[i].outs]


def _readers(r: Recording, uses: Any, k: int, low: int, high: int) -> tuple[list[tuple[int, Region]], bool] | None:
    """Return the reads of exactly the value that use ``k`` writes, by call, and whether it is overwritten in the end.

    None if they are mixed with others.
    """
    found: list[tuple[int, Region]] = []
    gone: list[tuple[int, int]] = []  # parts that hold another value by now
    at = uses[k][0]
    for j, wrote, x in itertools.islice(uses, k + 1, None):
        first, last, solid = x.span()
        if last <= low or first >= high:
            continue
        if wrote:
            if j == at or r.calls[j].updates or not solid:
                return None
            if first <= low and last >= high:
                return found, True
            gone.append((first, last))
        elif gone and any(a <= first and last <= b for a, b in gone):
            continue
        elif first < low or last > high or gone and any(a < last and first < b for a, b in gone):
            return None
        else:
            found.append((j, x))
    return found, False


def drop_dead(r: Recording) -> None:
    """Drop calls whose results nothing reads."""
    live = {x.memory.id for x in outputs(r)}
    left = []
    for c in reversed(r.calls):
        lasting = any(w.memory.kind not in ("temp", "constant") or w.memory.id in live for w in c.outs)
        if lasting or c.kind in ("random", "check"):
            left.append(c)
            reads = c.reads()
            for w in c.outs:
                if w.full and not c.updates and w.memory.kind == "temp":
                    live.discard(w.memory.id)
            live.update(x.memory.id for x in reads)
    r.calls = left[::-1]


SMALL = 1 << 12
"""Bytes of a gradient up to which a call costs more than what it computes."""


def stacked(r: Recording) -> Recording:
    """Return the recording with small gradients side by side in memory where an optimiser multiplies all by a number.

    That is one call then, instead of one for each parameter.
    """
    writes = Counter(w.memory.id for c in r.calls for w in c.outs)
    last = {w.memory.id: i for i, c in enumerate(r.calls) for w in c.outs}
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    for i, c in enumerate(r.calls):
        if c.kind == "ufunc" and c.section == "update" and len(c.ins) == 2 and not c.words:
            (x, s), w = c.ins, c.outs[0]
            parts = [v for v in (x, w) if isinstance(v, Region) and v.memory.kind == "temp" and v.full]
            if len(parts) == 2 and isinstance(s, Region) and s.shape == () and writes[s.memory.id] <= 1 and all(
                writes[v.memory.id] == 1 and v.strides == contiguous(v) and v.memory.nbytes <= SMALL
                and v.dtype == s.dtype for v in parts
            ):  # fmt: skip
                group = groups[c.function, s.key, c.quiet]
                if max(last[x.memory.id], last.get(s.memory.id, -1)) < (group or [i])[0]:
                    group.append(i)
    place: dict[int, tuple[Memory, int]] = {}
    first: dict[int, Call | None] = {}
    for group in groups.values():
        some = [r.calls[i] for i in group]
        if len(some) > 1 and not {c.ins[0].memory.id for c in some} & place.keys():
            size = sum(c.outs[0].memory.nbytes for c in some)
            sides, offset = [room_for(r, size, some[0].outs[0].dtype) for _ in "xy"], 0
            for c in some:
                for x, m in zip((c.ins[0], c.outs[0]), sides, strict=True):
                    place[x.memory.id] = m, offset
                offset += c.outs[0].memory.nbytes
            one = copy.copy(some[0])
            one.ins, one.outs, one._reads = (sides[0].whole, some[0].ins[1]), [sides[1].whole], None
            first |= dict.fromkeys(group) | {group[0]: one}

    def by(x: Region) -> Region:
        m, offset = place.get(x.memory.id, (x.memory, 0))
        return x if m is x.memory else Region(m, x.offset + offset, x.shape, x.strides, x.dtype)

    r, calls = copy.copy(r), r.calls
    r.calls = []
    for i, c in enumerate(calls):
        new = first.get(i, c)
        if new is c and place.keys() & {x.memory.id for x in (*c.reads(), *c.outs)}:
            new = copy.copy(c)
            new.swap(by)
            new.outs = [by(w) for w in c.outs]
        r.calls += [] if new is None else [new]
    r.outs = [by(x) for x in r.outs]
    r.grads = [(t, name, g if g is None else by(g)) for t, name, g in r.grads]
    return r


TAKEN = 1 << 16
"""Bytes from which the array that a call returns is used itself: a copy into planned memory would cost more."""


def taken(r: Recording) -> set[int]:
    """Return the temporaries that are the arrays which calls return, not planned memory into which they are copied."""
    writes = Counter(w.memory.id for c in r.calls for w in c.outs)
    stays = {x.memory.id for x in outputs(r)} | kept(r)
    found = set()
    for c in r.calls:
        if c.kind in ("call", "where", "random") and len(c.outs) == 1 and c.function is not np.take_along_axis:
            w, m = c.outs[0], c.outs[0].memory
            if m.kind == "temp" and m.nbytes >= TAKEN and m.id not in stays and writes[m.id] == 1:
                found |= {m.id} if w.full and w.strides == contiguous(w) else set()
    return found


def plan(r: Recording, without: set[int]) -> tuple[dict[int, int], list[int], int]:
    """Return (block of each temporary memory, bytes of each block, bytes of all temporaries).

    Temporaries with disjoint lives share a block. Those in ``without`` have memory of their own.
    """
    last: dict[int, int] = {}
    for i, c in enumerate(r.calls):
        for x in (*c.reads(), *c.outs):
            last[x.memory.id] = i
    out = {x.memory.id for x in outputs(r)} | kept(r)
    dying: dict[int, list[int]] = {}
    for number, i in last.items():
        dying.setdefault(i, []).append(number)
    blocks: dict[int, int] = {}
    sizes: list[int] = []
    pool: dict[int, list[int]] = {}
    before = 0
    for i, c in enumerate(r.calls):
        early = _reusable(c, last, i, blocks, out)
        if early is not None:
            pool[early.nbytes].append(blocks[early.id])
        for w in c.outs:
            m = w.memory
            if m.kind == "temp" and m.id not in blocks and m.id not in without:
                before += m.nbytes
                free = pool.setdefault(m.nbytes, [])
                if free and m.id not in out:
                    blocks[m.id] = free.pop()
                else:
                    blocks[m.id] = len(sizes)
                    sizes.append(m.nbytes)
        for number in dying.get(i, ()):
            if number in blocks and number not in out and (early is None or number != early.id):
                m = r.tracer.memories[number]
                pool.setdefault(m.nbytes, []).append(blocks[number])
    return blocks, sizes, before


def room(nbytes: int) -> Any:
    """Return memory that begins at a cache line."""
    raw = np.zeros(nbytes + 64, np.uint8)
    start = -raw.__array_interface__["data"][0] % 64
    return raw[start : start + nbytes]


def _reusable(c: Call, last: dict[int, int], i: int, blocks: Any, out: set[int]) -> Memory | None:
    """Return the memory of an operand that an elementwise call may overwrite with its result."""
    if c.kind not in ("ufunc", "copy"):
        return None
    w, reads = c.outs[0], c.reads()
    for x in reads:
        m = x.memory  # one element is slow to overwrite, see `Writer.ufunc`
        if m.kind != "temp" or last[m.id] != i or m.id not in blocks or m.id in out or m.nbytes == x.dtype.itemsize:
            continue
        same = (x.shape, x.strides, x.dtype, x.offset) == (w.shape, w.strides, w.dtype, w.offset)
        if same and w.memory.id not in blocks and all(q.key == x.key for q in reads if q.memory is m):
            return m
    return None
