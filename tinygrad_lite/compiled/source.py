"""The program as a function: every call writes into memory that is planned ahead."""

from __future__ import annotations

import itertools
import linecache
import math
import sys
import weakref
from collections import Counter
from typing import Any

import numpy as np

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.loops import lowered
from tinygrad_lite.compiled.machine import Machine, missed
from tinygrad_lite.compiled.naming import identifier
from tinygrad_lite.compiled.passes import outputs, plan, room, stacked, taken
from tinygrad_lite.compiled.program import Call, Missed, Region, array_of, contiguous
from tinygrad_lite.engine.arrays import hush, reset, unhush
from tinygrad_lite.engine.tensor import make


def put(target: Any, value: Any) -> None:
    """Copy a result into its place; another shape or dtype means that the program does not fit."""
    value = np.asarray(value)
    if value.shape != target.shape or value.dtype != target.dtype:
        raise Missed("a result of another shape")
    target[...] = value


def own(value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a result itself if it is a new array in row-major order, or all of one, else a copy that is."""
    if value.shape != shape or value.dtype != dtype:
        raise Missed("a result of another shape")
    if value.flags.c_contiguous and sys.getrefcount(value) <= NEW:
        base = value.base
        if base is None:
            return value
        if type(base) is np.ndarray and base.base is None and base.nbytes == value.nbytes:
            if sys.getrefcount(base) <= NEW + 1:
                return value
    return np.array(value, order="C")


NEW = 2
"""What `sys.getrefcount` says inside a function about an argument that nothing else refers to."""


def put_all(targets: Any, values: Any) -> None:
    """Copy several results into their places."""
    for target, value in zip(targets, values, strict=True):
        put(target, value)


def check(fits: Any) -> None:
    """Raise Missed unless a number is what it was when the step was recorded."""
    if not fits:
        raise Missed("a number is not what it was")


def same(a: Any, value: Any) -> bool:
    """Return whether the one element of ``a`` is ``value``; NaN is NaN."""
    found = a.item()
    return bool(found == value or (found != found and value != value))


def finite(a: Any) -> bool:
    """Return whether every element is finite."""
    return math.isfinite(a) if a.size == 1 else bool(np.isfinite(a).all())


class Frame:
    """The program with memory of its own: ``run`` and ``pull``, the arrays of the arguments and of the gradients.

    ``free()``: nobody but a variable has the gradients that the last run has left in it, so ``run`` may write there.
    """

    __slots__ = ("free", "inputs", "pull", "run", "seeds", "tables")

    run: Any
    free: Any
    tables: list[Any]
    pull: Any
    inputs: list[Any]
    seeds: list[Any]


EXACT = (np.add, np.subtract, np.multiply, np.divide)
"""Functions that NumPy computes alike for every layout of their operands, bit for bit."""
NEAR = 1 << 16
"""Bytes up to which a copy of an operand costs less than an iterator."""

OWN = ("run", "pull", "free", "measure", "hand", "flat", "gs", "token", "missed")
"""Names that the text of every program has."""


class Writer:
    """Turn calls into lines; the arrays and functions that they name stand in ``space``."""

    def __init__(self, r: Recording) -> None:
        self.r = r
        self.taken_over = taken(r)
        self.blocks, self.sizes, self.before = plan(r, self.taken_over)
        self.whole: dict[int, str] = {}  # the arrays that calls have returned, by memory
        self.parts: dict[int, list[str]] = {}  # all names of arrays in such memory
        self.made: list[str] = []  # lines that make them
        last = {x.memory.id: c for c in r.calls for x in (*c.reads(), *c.outs) if x.memory.id in self.taken_over}
        self.ends: dict[int, list[int]] = {}
        for number, c in last.items():
            self.ends.setdefault(id(c), []).append(number)
        self.views: dict[str, Region] = {}
        self.space: dict[str, Any] = {"put": put, "put_all": put_all, "check": check,
                                      "own": own, "place_of": place_of,
                                      "same": same, "finite": finite, "inf": math.inf, "nan": math.nan, "hush": hush,
                                      "unhush": unhush, "reset": reset, "make_tensor": make, "owners": sys.getrefcount,
                                      "put_number": dict.__setitem__,
                                      **r.objects}  # fmt: skip
        self.taken: dict[str, int] = dict.fromkeys([*self.space, *r.locals, *OWN], 1)
        self.names: dict[Any, str] = {}
        self.tables: dict[str, int] = {}  # the argument of each run of native loops
        self.entries: dict[str, str] = {}  # the same as arrays, where they change from run to run
        self.machine: Any = None

    def view(self, x: Region) -> str:
        """Return the name of the array of a region."""
        if x.key not in self.names:
            self.names[x.key] = name = identifier(x.memory.name, self.taken)
            if x.memory.id in self.taken_over:
                self.part(name, x)
                return name
            lasting = x.memory.kind not in ("temp", "input")
            self.space[name] = array_of(x) if lasting else None
            if not lasting:
                self.views[name] = x
        return self.names[x.key]

    def part(self, name: str, x: Region) -> None:
        """Note how an array comes about in memory that a call returns: it is what is returned, or a view of it."""
        self.parts.setdefault(x.memory.id, []).append(name)
        whole = self.whole.setdefault(x.memory.id, name)
        if whole != name:
            make, dtype = self.function(np.ndarray), self.object(x.dtype, "dtype", ("dtype", x.dtype.str))
            self.made.append(f"{name} = {make}({x.shape}, {dtype}, {whole}, {x.offset}, {x.strides})")

    def ended(self, calls: list[Call]) -> list[str]:
        """Return the line that gives up the arrays whose last use is in these calls."""
        names = [name for c in calls for m in self.ends.get(id(c), ()) for name in self.parts[m]]
        return [f"del {', '.join(names)}"] if names else []

    def object(self, value: Any, base: str, key: Any = None) -> str:
        """Return the name of any other object."""
        key = (base, id(value)) if key is None else key
        if key not in self.names:
            self.names[key] = name = identifier(base, self.taken)
            self.space[name] = value
        return self.names[key]

    def value(self, v: Any) -> str:
        """Return an argument as source."""
        if isinstance(v, Region):
            return self.view(v)
        if type(v) is tuple:
            return "(" + "".join(self.value(w) + ", " for w in v) + ")"
        if type(v) is list:
            return "[" + ", ".join(map(self.value, v)) + "]"
        if type(v) in (float, int, bool, type(None), str):
            return repr(v)
        return self.object(v, type(v).__name__)

    def function(self, f: Any) -> str:
        """Return the name of a function."""
        owner = getattr(f, "__self__", None)
        name = getattr(f, "__name__", "function")
        return self.object(f, f"{owner.__name__}_{name}" if isinstance(owner, np.ufunc) else name, ("function", f))

    def ufunc(self, c: Call, ins: list[str], words: str) -> str:
        """Return the line of a ufunc; numbers are 0-d arrays, which NumPy reads faster than Python's."""
        dtype = next((x.dtype for x in c.reads()), c.outs[0].dtype)
        if dtype.kind == "f":
            for i, v in enumerate(c.ins):
                if type(v) in (int, float):
                    ins[i] = self.object(np.array(v, dtype), "number", ("number", repr(v), dtype.str))
        out = "out=" if c.function in (np.maximum, np.minimum) else ""  # NumPy deprecates a third operand there
        w, first = c.outs[0], ""
        if not words and c.function in EXACT and {x.dtype for x in c.reads()} == {w.dtype}:
            w, first = self.aligned(c, ins)
        target = self.view(w)
        if target in ins and math.prod(w.shape) == 1:  # in place NumPy takes three times as long for one element
            place = "()" if not w.shape else "..."
            return f"{target}[{place}] = {self.function(c.function)}({', '.join(ins)}, {out}{self.spare(w)}{words})"
        return f"{first}{self.function(c.function)}({', '.join(ins)}, {out}{target}{words})"

    def spare(self, w: Region) -> str:
        """Return the name of memory of this shape whose contents do not matter."""
        return self.object(np.empty(w.shape, w.dtype), "spare", ("spare", w.shape, w.dtype.str))

    def aligned(self, c: Call, ins: list[str]) -> tuple[Region, str]:
        """Let NumPy do without an iterator, which takes twice as long as a small call.

        Operands of one element become 0-d; one that is broadcast or not in row-major order is copied first. Return
        where the result is written, and the copy.
        """

        def number(x: Region) -> Region:
            return Region(x.memory, x.offset, (), (), x.dtype)

        def block(x: Region) -> int:
            return self.blocks.get(x.memory.id, -1 - x.memory.id)

        w, odd = c.outs[0], set()
        for i, v in enumerate(c.ins):
            if isinstance(v, Region):
                if math.prod(v.shape) == 1:
                    ins[i] = self.view(number(v))
                elif v.shape != w.shape or v.strides != contiguous(v):
                    odd.add(ins[i])
        size = math.prod(w.shape)
        if len(odd) != 1 or w.strides != contiguous(w) or size * w.dtype.itemsize > NEAR:
            return number(w) if size == 1 else w, ""
        copy = self.spare(w) if block(w) in map(block, c.reads()) else self.view(w)
        ins[:] = [copy if text in odd else text for text in ins]
        return w, f"{copy}[...] = {odd.pop()}; "

    def along(self, c: Call) -> str:
        """Return the line of ``take_along_axis`` or ``put_along_axis`` of one column: faster as an index."""
        (a, index), value = c.ins[:2], c.outs[0] if c.function is np.take_along_axis else c.ins[2]
        shapes = {(a.shape[0], 1), index.shape, value.shape if isinstance(value, Region) else index.shape}
        if c.words or len(a.shape) != 2 or c.ins[-1] not in (1, -1) or len(shapes) > 1:
            return ""

        def column(x: Any) -> str:
            if not isinstance(x, Region):
                return self.value(x)
            return self.view(Region(x.memory, x.offset, x.shape[:1], x.strides[:1], x.dtype))

        rows = self.object(np.arange(a.shape[0]), "rows", ("rows", a.shape[0]))
        place = f"{self.view(a)}[{rows}, {column(index)}]"
        return f"{place} = {column(value)}" if c.kind == "inplace" else f"put({column(value)}, {place})"

    def line(self, c: Call) -> str:
        """Return the line of a call."""
        if c.function in (np.take_along_axis, np.put_along_axis) and (found := self.along(c)):
            return found
        ins = [self.value(v) for v in c.ins] if c.kind not in ("scalar",) else []
        words = "".join(f", {k}={self.value(v)}" for k, v in c.words.items())
        if c.kind == "check":
            expected = c.words["value"]
            if c.function == "finite":
                return f"check(finite({ins[0]}) is {expected})"
            return f"check(bool({ins[0]}) is {expected})" if c.words["bool"] else f"check(same({ins[0]}, {expected!r}))"
        if c.kind == "inplace":
            return f"{self.function(c.function)}({', '.join(ins)})"
        if c.kind == "ufunc":
            return self.ufunc(c, ins, words)
        target = self.view(c.outs[0])
        if c.kind == "dot" and isinstance(c.ins[0], Region):  # a function would look for overrides first
            return f"{ins[0]}.dot({ins[1]}, {target})"
        if c.kind in ("matmul", "dot"):
            return f"{self.function(c.function)}({ins[0]}, {ins[1]}, {target}{words})"
        if c.kind == "reduce":
            reduce = self.function(c.function.reduce)
            if set(c.words) - {"axis", "keepdims"}:
                return f"{reduce}({ins[0]}, out={target}{words})"
            return f"{reduce}({ins[0]}, {self.value(c.words['axis'])}, None, {target}, {bool(c.words.get('keepdims'))})"
        if c.kind == "copy":
            return f"{target}[...] = {ins[0]}"
        if c.kind == "scalar":
            return f"{target}[()] = {c.ins[0]}"
        if c.kind == "take":
            return f"{self.function(np.take)}({ins[0]}, {ins[1]}, {self.value(c.words['axis'])}, {target})"
        call = f"{self.function(c.function)}({', '.join(ins)}{words})"
        if len(c.outs) == 1 and c.outs[0].memory.id in self.taken_over:
            w = c.outs[0]
            return f"{target} = own({call}, {w.shape}, {self.object(w.dtype, 'dtype', ('dtype', w.dtype.str))})"
        if len(c.outs) == 1:
            return f"put({target}, {call})"
        return f"put_all(({', '.join(map(self.view, c.outs))}), {call})"

    def lines(self, calls: list[Call]) -> list[str]:
        """Return the lines of some calls; where the step as written silences NumPy's warnings, so do they."""
        found, quiet = [], False
        for native, some in itertools.groupby(calls, lambda c: c.kind == "native"):
            if native:
                found += ["unhush(token)"] if quiet else []
                quiet = False
                group = list(some)
                number = self.machine.add(group)
                table = identifier("table", self.taken)
                self.tables[table] = number
                found += self.entered(table, self.machine.tables[number])
                found += [f"if native_{number}({table}): missed()", *self.ended(group)]
                continue
            quiet = self.plain(list(some), found, quiet)
        if quiet:
            found.append("unhush(token)")
        return guarded(found)

    def entered(self, table: str, regions: list[Any]) -> list[str]:
        """Return the lines that put the addresses of arrays which calls have returned into a table of native loops."""
        places = [(i, x) for i, x in enumerate(regions) if type(x) is not int and x.memory.id in self.taken_over]
        if not places:
            return []
        self.entries[table] = name = identifier(f"{table}_entries", self.taken)
        return [f"{name}[{i}] = place_of({self.whole[x.memory.id]}) + {x.offset}" for i, x in places]

    def plain(self, calls: list[Call], found: list[str], quiet: bool) -> bool:
        """Add the lines of NumPy calls; return whether NumPy's warnings are off after them."""
        for c in calls:
            if c.quiet is not quiet:
                found.append("token = hush()" if c.quiet else "unhush(token)")
                quiet = c.quiet
            text = self.line(c)
            found += [("    " if quiet else "") + line for line in (*self.made, text, *self.ended([c]))]
            self.made = []
        return quiet


def guarded(lines: list[str]) -> list[str]:
    """Return the lines with every silenced part in a ``try``, so that an error does not leave the silence behind."""
    found: list[str] = []
    for text in lines:
        if text == "unhush(token)":
            found += [
                "finally:",
                "    try:",
                "        reset(token)",
                "    except MemoryError:",
                "        unhush(token)",
            ]
        else:
            found += [text, "try:"] if text == "token = hush()" else [text]
    return found


def compiled(parameters: Any, body: list[str], key: int) -> Any:
    """Return the function with this body that is made from objects with these names."""
    maker = "".join(f"    {x}\n" for x in body)
    maker = f"def make({', '.join(parameters)}):\n{maker}    return run, pull, free, measure\n"
    file = f"<compiled step {key:x}>"
    text = (len(maker), None, maker.splitlines(keepends=True), file)
    linecache.cache[file] = text
    found: dict[str, Any] = {}
    exec(compile(maker, file, "exec"), found)
    weakref.finalize(found["make"], forget, file, text).atexit = False
    return found["make"]


def forget(file: str, text: Any) -> None:
    """Drop the source of a program that is gone, unless another has taken its name."""
    if linecache.cache.get(file) is text:
        del linecache.cache[file]


class Built:
    """A program as a function that can be given memory, as often as there are calls between forward and backward."""

    def __init__(self, r: Recording, native: bool = False) -> None:
        facts: dict[str, Any] = {"recorded": r.recorded, "calls": len(r.calls)}
        given, r = r, lowered(r) if native else r
        free = {id(g) for g in handed(given)}
        if not native and r.gradient is None:
            r = stacked(r)
        w, split = Writer(r), r.split
        w.machine = Machine() if native else None
        self.inputs = [w.view(x) for x in r.inputs]
        self.seeds = [] if r.gradient is None else [w.view(x) for x in r.gradient.seeds]
        lines = [f"{n}[...] = flat[{i}].array" for i, n in enumerate(self.inputs)]
        lines += [f"{word} = {text}" for word, text in r.locals.items()] + w.lines(r.calls[:split])
        pairs = zip(given.grads, r.grads, strict=True)
        self.handed = {identifier("gradient", w.taken): new for (_, _, g), (_, _, new) in pairs if id(g) in free}
        names = {x.key: name for name, x in self.handed.items()}
        for t, _, g in r.grads:  # nothing below can fail
            made = "None" if g is None else f"make_tensor({w.view(g)}.copy())"
            if g is not None and g.key in names:
                made = f"{names[g.key]} if hand else {made}"
            lines.append(f"{w.object(t, 'p')}._grad = {made}")
        for e in r.optimisers:
            lines += [f"{w.object(e.o, 'optimizer')}.count += {e.steps}"] if e.steps else []
            for key, text, states, _ in e.after:
                name = identifier("new", w.taken)
                lines.append(f"{name} = {text}")
                lines += [f"put_number({w.object(s, 'state')}, {key!r}, {name})" for s in states]
        lines.append(f"return ({''.join(w.view(x) + ', ' for x in r.outs)})")
        leaves = [] if r.gradient is None else [w.view(g) for _, _, g in r.gradient.leaves]
        pull = [*(f"{n}[...] = gs[{i}]" for i, n in enumerate(self.seeds)), *w.lines(r.calls[split:]),
                f"return ({''.join(n + ', ' for n in leaves)})"]  # fmt: skip
        self.tables: dict[str, list[Any]] = {}
        self.loops = [c.function for c in r.calls if c.kind == "native"]
        if native:
            w.space.update({f"native_{i}": run for i, run in enumerate(w.machine.load())}, missed=missed)
            self.tables = {name: w.machine.tables[i] for name, i in w.tables.items()}
            w.space.update(dict.fromkeys([*self.tables, *w.entries.values()]))
        body = ["def run(flat):", *("    " + x for x in lines), "def pull(gs):", *("    " + x for x in pull)]
        body += freedom([(name, w.view(x)) for name, x in self.handed.items()], w.taken)
        w.space.update(dict.fromkeys(self.handed), hand=True)
        self.make, self.space, self.views = compiled(w.space, body, id(r)), w.space, w.views
        self.blocks, self.sizes, self.taken_over = w.blocks, w.sizes, w.taken_over
        self.entries = w.entries
        self.facts = {"bytes before": w.before, "bytes": sum(w.sizes), **facts}
        if native:
            self.facts["runs"] = len(self.tables)
            self.facts["loops"] = len(self.loops)
            self.facts["left to NumPy"] = sum(c.kind not in ("native", "scalar") for c in r.calls)

    def frame(self, hand: bool = True) -> Frame:
        """Return the program with memory of its own; ``hand``: gradients are handed over without a copy."""
        handing = {x.memory.id for x in self.handed.values()}
        others = {b for m, b in self.blocks.items() if m not in handing}
        blocks = [room(n) if i in others else None for i, n in enumerate(self.sizes)]
        space, own, mine = dict(self.space, hand=hand), dict[int, Any](), dict[int, Any]()
        for name, x in self.handed.items():
            mine[x.key] = piece(x, own)
            space[name] = make(mine[x.key])

        def array(x: Region) -> Any:
            m = x.memory
            if x.key in mine:
                return mine[x.key]
            if m.kind not in ("temp", "input"):
                return array_of(x)
            if m.id not in own:
                own[m.id] = blocks[self.blocks[m.id]] if m.id in self.blocks else room(m.nbytes)
            return array_of(x, own[m.id])

        for name, x in self.views.items():
            space[name] = array(x)
        f = Frame()
        f.tables = [own, blocks, mine]
        starts: dict[int, int] = {}  # addresses of memories

        def place(x: Region) -> int:
            number = x.memory.id
            if number in self.taken_over:
                return 0  # a call returns it
            if number not in starts:
                starts[number] = place_of(array(x)) - x.offset
            return starts[number] + x.offset

        for name, regions in self.tables.items():
            table = np.array([x if type(x) is int else place(x) for x in regions], np.uintp)
            f.tables.append(table)
            space[name] = place_of(table)
            space |= {self.entries[name]: table} if name in self.entries else {}
        f.inputs, f.seeds = [space[n] for n in self.inputs], [space[n] for n in self.seeds]
        f.run, f.pull, f.free, measure = self.make(**space)
        space.clear()
        measure()
        return f


def piece(x: Region, own: dict[int, Any]) -> Any:
    """Return an array of its own for a gradient that is handed over, in memory that others may share."""
    m = x.memory
    if m.id not in own:
        own[m.id] = np.empty(x.shape, x.dtype) if x.full else np.ndarray(m.nbytes, np.uint8, bytearray(m.nbytes))
    # over bytes it is no view of an array: a write to one gradient is none to those beside it
    return own[m.id] if x.full else np.ndarray(x.shape, x.dtype, own[m.id].base, x.offset)


def place_of(a: Any) -> int:
    """Return the address of an array."""
    return int(a.__array_interface__["data"][0])


def handed(r: Recording) -> list[Region]:
    """Return the gradients whose memory can be that of the array in ``p.grad``.

    It is as large as the array, nothing else comes from it, and nothing that may fail runs after it was written to.
    """
    found = []
    uses = Counter(x.memory.id for x in outputs(r))
    last = max((i for i, c in enumerate(r.calls) if c.may_raise), default=-1)
    early = {w.memory.id for c in r.calls[: last + 1] for w in c.outs}
    for _, _, g in r.grads:
        if g is not None and g.memory.kind == "temp" and g.full and uses[g.memory.id] == 1:
            if g.memory.id not in early and g.strides == contiguous(g):
                found.append(g)
    return found


def freedom(pairs: list[tuple[str, str]], taken: dict[str, int]) -> list[str]:
    """Return the functions ``free`` and ``measure`` for tensors and their arrays: each has as many owners as at first.

    The second owner of a tensor is the variable whose gradient it is.
    """
    if not pairs:
        return ["free = measure = lambda: True"]
    asks, counts = [], []
    for t, a in pairs:
        n, m = identifier("owners", taken), identifier("owners", taken)
        asks += [f"owners({t}) <= {n} and owners({a}) <= {m} and {t}.array is {a} and not {t}.tracked",
                 f"{t}.node is {t}.hooks is {t}._grad is {t}.base is None"]  # fmt: skip
        counts += [f"{n} = owners({t}) + 1", f"{m} = owners({a})"]
    numbers = [text.partition(" ")[0] for text in counts]
    return [f"{' = '.join(numbers)} = 0", "def free():", f"    return not hand or {' and '.join(asks)}",
            "def measure():", f"    nonlocal {', '.join(numbers)}", *("    " + x for x in counts)]  # fmt: skip
