"""The program as a person would write it: plain NumPy expressions, and a file that runs with NumPy alone."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.naming import identifier
from tinygrad_lite.compiled.program import Call, Region, array_of, contiguous
from tinygrad_lite.compiled.recorded import getitem, masked, setitem
from tinygrad_lite.ops.indexing.embedding import add_rows

SIGNS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.floor_divide: "//", np.power: "**",
         np.greater: ">", np.greater_equal: ">=", np.less: "<", np.less_equal: "<=", np.equal: "==",
         np.not_equal: "!="}  # fmt: skip
SUMS = {np.add: "sum", np.maximum: "max", np.minimum: "min", np.multiply: "prod", np.logical_and: "all",
        np.logical_or: "any"}  # fmt: skip
SELF_CONTAINED = (add_rows.op.forward.__wrapped__,)
"""Functions that need NumPy alone: a file contains their source."""


class Unprintable(Exception):
    """A call that NumPy alone does not have."""


class Printer:
    """Turn calls into expressions; a variable is a memory, and its views are written as NumPy spells them."""

    def __init__(self, r: Recording) -> None:
        self.r = r
        self.taken: dict[str, int] = dict.fromkeys(["np", "data", "view", "save", "inf", "nan", *r.locals], 1)
        self.names: dict[int, str] = {}
        self.base: dict[int, Region] = {}
        self.given: dict[str, Any] = {}
        self.equal: dict[Any, str] = {}
        self.uses_view = False
        self.notes: list[str] = []
        self.random = False
        self.foreign: list[str] = []
        self.helpers: dict[str, Any] = {}
        writes: dict[int, int] = {}
        for c in r.calls:
            for w in c.outs:
                writes[w.memory.id] = writes.get(w.memory.id, 0) + 1
        self.writes = writes
        for x in (*r.inputs, *(r.gradient.seeds if r.gradient else ())):
            self.names[x.memory.id], self.base[x.memory.id] = identifier(x.memory.name, self.taken), x
        wanted = [(n, g) for _, n, g in (r.gradient.leaves if r.gradient else r.grads) if g is not None]
        self.wanted = {g.memory.id: f"grad_{n}" for n, g in wanted if g.memory.kind == "temp"}

    # -------------------------------------------------------------------------------- names
    def lasting(self, x: Region) -> str:
        """Return the name of memory that is there before the program: variables, states, constants."""
        m = x.memory
        if m.id not in self.names:
            array = array_of(m.whole)
            base = m.name if m.kind == "live" else self.constant(array)
            key = (array.tobytes(), array.shape, array.strides, array.dtype.str) if m.kind == "constant" else m.id
            self.names[m.id] = name = self.equal.get(key) or identifier(base, self.taken)
            self.base[m.id] = Region(m, 0, array.shape, array.strides, array.dtype)
            self.given[name], self.equal[key] = array, name
        return self.names[m.id]

    def constant(self, a: Any) -> str:
        """Return a name for a constant that says what is in it, where that is simple."""
        if a.size and a.dtype.kind in "fiu" and (a == a.flat[0]).all() and a.flat[0] in (0, 1):
            return f"{'ones' if a.flat[0] else 'zeros'}_{'x'.join(map(str, a.shape))}".replace("x", "_")
        return "table" if a.ndim else "number"

    def fresh(self, w: Region, label: str) -> str:
        """Return the name of a new variable, after the op that computed it."""
        rule = re.search(r"gradient of (\w+) for (\w+)", label)
        if w.memory.id in self.wanted:
            base = self.wanted[w.memory.id]
        elif rule:
            base = f"d_{rule[1]}"
        else:
            base = "change" if " step" in label else label.rpartition(": ")[2].replace(" ", "_") or "value"
        self.names[w.memory.id] = name = identifier(base, self.taken)
        self.base[w.memory.id] = w
        return name

    # -------------------------------------------------------------------------------- views
    def view(self, x: Region) -> str:
        """Return a region as an expression."""
        m = x.memory
        if m.id not in self.names:
            if m.kind == "temp" and m.id in self.writes:
                raise Unprintable("a value is read before it is written")
            self.lasting(x)
        if m.kind == "constant" and not x.shape:
            number = array_of(x)
            literal = number.dtype == np.float32 or number.dtype == bool
            return repr(number.item()) if literal else f"np.{number.dtype.name}({number.item()!r})"
        name, base = self.names[m.id], self.base[m.id]
        if (x.shape, x.strides, x.offset, x.dtype) == (base.shape, base.strides, base.offset, base.dtype):
            return name
        return self.part(name, base, x) or self.raw(name, base, x)

    def raw(self, name: str, base: Region, x: Region) -> str:
        """Return a region by its place in memory."""
        if base.strides != contiguous(base):
            raise Unprintable(f"a view of {name}, which is not contiguous")
        self.uses_view = True
        return f"view({name}, {x.dtype.str!r}, {x.shape}, {x.strides}, {x.offset - base.offset})"

    def part(self, name: str, base: Region, x: Region) -> str | None:
        """Return a region as a transpose, a reshape, a broadcast or a slice, if it is one."""
        if x.dtype != base.dtype:
            return None
        shape = str(x.shape).replace(",)", ")")
        if x.offset == base.offset and math.prod(x.shape) == math.prod(base.shape):
            if len(x.shape) == 2 and x.shape == base.shape[::-1] and x.strides == base.strides[::-1]:
                return f"{name}.T"
            if x.strides == contiguous(x) and base.strides == contiguous(base):
                return f"{name}.reshape{shape}"
            order = sorted(range(len(x.shape)), key=lambda i: (-x.strides[i], i))
            before = sorted(range(len(base.shape)), key=lambda i: (-base.strides[i], i))
            if len(order) == len(before):
                axes = [0] * len(order)
                for i, j in zip(order, before, strict=True):
                    axes[i] = j
                moved = tuple(base.shape[j] for j in axes), tuple(base.strides[j] for j in axes)
                if moved == (x.shape, x.strides):
                    return (
                        f"{name}.T"
                        if axes == [*range(len(axes))][::-1]
                        else f"{name}.transpose({', '.join(map(str, axes))})"
                    )
            if base.strides == contiguous(base):
                whole = Region(x.memory, x.offset, [x.shape[i] for i in order], [x.strides[i] for i in order], x.dtype)
                if whole.strides == contiguous(whole):
                    axes = sorted(range(len(order)), key=order.__getitem__)
                    middle = str(whole.shape).replace(",)", ")")
                    return f"{name}.reshape{middle}.transpose({', '.join(map(str, axes))})"
        if x.offset == base.offset and (found := broadcast(base, x)):
            return found.format(name)
        return sliced(name, base, x)

    # -------------------------------------------------------------------------------- calls
    def value(self, v: Any) -> str:
        """Return an argument as source."""
        if isinstance(v, Region):
            return self.view(v)
        if type(v) is tuple:
            return "(" + ", ".join(map(self.value, v)) + ("," if len(v) == 1 else "") + ")"
        if type(v) is list:
            return "[" + ", ".join(map(self.value, v)) + "]"
        if type(v) in (float, int, bool, type(None), str):
            return repr(v)
        if v is Ellipsis:
            return "..."
        if isinstance(v, slice):
            return f"slice({v.start}, {v.stop}, {v.step})"
        if isinstance(v, (np.dtype, type)):
            return f"np.dtype({np.dtype(v).name!r})"
        if isinstance(v, np.generic):
            return f"np.{v.dtype.name}({v.item()!r})"
        if isinstance(v, np.random.Generator):
            self.random = True
            return "rng"
        self.foreign.append(f"an argument of {type(v).__name__}")
        return type(v).__name__.lower()

    def index(self, v: Any) -> str:
        """Return an index as source."""
        parts = v if isinstance(v, tuple) else (v,)
        return ", ".join(
            ":".join("" if n is None else str(n) for n in ((j.start, j.stop) if j.step is None else
                     (j.start, j.stop, j.step))) if isinstance(j, slice) else self.value(j) for j in parts
        )  # fmt: skip

    def function(self, f: Any) -> str:
        """Return the name by which NumPy knows a function."""
        f = getattr(f, "as_numpy", f)
        owner, name = getattr(f, "__self__", None), getattr(f, "__name__", "")
        if isinstance(owner, np.ufunc):
            return f"np.{owner.__name__}.{name}"
        for path, space in (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft),
                            ("np.lib.stride_tricks", np.lib.stride_tricks)):  # fmt: skip
            if getattr(space, name, None) is f:
                return f"{path}.{name}"
        if f in SELF_CONTAINED:
            self.helpers[name] = f
        else:
            self.foreign.append(name)
        return name

    def expression(self, c: Call) -> str:
        """Return the right side of a call."""
        w = c.outs[0]
        if c.kind == "copy":
            source = c.ins[0]
            if isinstance(source, Region):
                text = self.view(source)
                if source.shape == w.shape:
                    return f"{text}.copy()" if source.dtype == w.dtype else f"{text}.astype({w.dtype.name!r})"
                return f"np.broadcast_to({text}, {w.shape}).astype({w.dtype.name!r})"
            name = {0: "zeros", 1: "ones"}.get(source) if type(source) in (int, float) else None
            tail = f", {w.dtype.name!r})"
            return f"np.{name}({w.shape}{tail}" if name else f"np.full({w.shape}, {source!r}{tail}"
        if c.kind == "scalar":
            return f"np.{w.dtype.name}({bare(c.ins[0])})"
        ins, given = [self.value(v) for v in c.ins], dict(c.words)
        if c.kind == "reduce":
            axis = given.pop("axis")
            known = c.function in SUMS
            name = f"np.{SUMS[c.function]}" if known else self.function(c.function.reduce)
            words = "" if axis is None and known else f", axis={axis!r}"
            return f"{name}({ins[0]}{words}{self.words(given, keepdims=False)})"
        if c.function is getitem:
            return f"{ins[0]}[{self.index(c.ins[1])}]"
        if c.kind == "random":
            self.random = True
            return f"rng.{c.function.__name__}({', '.join(ins[1:])}{self.words(given)})"
        turned = any(x.shape == w.shape and x.strides != contiguous(x) for x in c.reads())
        if c.kind == "ufunc" and w.strides == contiguous(w) and turned:  # NumPy's result would be turned as well
            given["order"] = "C"
        if c.kind == "ufunc" and not given:
            natural = {x.dtype for x in c.reads() if x.shape or len(c.reads()) == 1}
            if len(ins) == 2 and c.function in SIGNS and len(natural) == 1:
                ins = [f"({t})" if t.startswith("-") else t for t in ins]
                return f"{ins[0]} {SIGNS[c.function]} {ins[1]}"
            if c.function is np.negative:
                return f"-{ins[0]}"
        if c.kind == "take":
            given = {k: v for k, v in given.items() if v is not None}
        return f"{self.function(c.function)}({', '.join(ins)}{self.words(given)})"

    def words(self, given: dict[str, Any], **defaults: Any) -> str:
        """Return keyword arguments that are not the defaults."""
        return "".join(f", {k}={self.value(v)}" for k, v in given.items() if k not in defaults or defaults[k] != v)

    def line(self, c: Call) -> str:
        """Return the statement of a call."""
        if c.kind == "check":
            text, value = self.view(c.reads()[0]), c.words["value"]
            if c.function == "finite":
                return f"assert np.isfinite({text}).all()" + ("" if value else " == False")
            if c.words["bool"]:
                return f"assert {text}" if value else f"assert not {text}"
            return f"assert {text} == {value!r}" if value == value else f"assert np.isnan({text})"
        if c.kind == "scalar" and self.writes[c.outs[0].memory.id] == 1:
            self.names[c.outs[0].memory.id] = f"np.{c.outs[0].dtype.name}({bare(c.ins[0])})"
            self.base[c.outs[0].memory.id] = c.outs[0]
            return ""
        if c.kind == "inplace":
            target = self.value(c.ins[0])
            if c.function is setitem:
                return f"{target}[{self.index(c.ins[1])}] = {self.value(c.ins[2])}"
            if (ufunc := getattr(c.function, "ufunc", None)) is not None:
                *ins, mask = map(self.value, c.ins[1:])
                return f"{self.function(ufunc)}({', '.join(ins)}, out={target}, where={mask})"
            if c.function is masked:
                return f"np.copyto({target}, {self.value(c.ins[1])}, where={self.value(c.ins[2])})"
            return f"{self.function(c.function)}({', '.join([target, *map(self.value, c.ins[1:])])})"
        text = self.expression(c)
        targets = [self.target(w, c) for w in c.outs]
        if len(targets) == 1 and targets[0].endswith("[...]") and c.kind == "ufunc" and not c.words:
            name, sign = targets[0][:-5], SIGNS.get(c.function, "")
            if sign in ("+", "-", "*", "/") and name.isidentifier() and text.startswith(f"{name} {sign} "):
                return f"{name} {sign}= {text[len(name) + 3 :]}"
        if c.kind == "copy" and targets[0].endswith("[...]"):
            text = text.removesuffix(".copy()")
        return f"{', '.join(targets)} = {text}"

    def target(self, w: Region, c: Call) -> str:
        """Return the left side of a call: a new variable, or a part of a known one."""
        m = w.memory
        if m.kind == "temp" and m.id not in self.names:
            if w.full and not c.updates:
                name = self.fresh(w, c.label)
                self.notes.append(f"{w.dtype} {'x'.join(map(str, w.shape)) or 'one number'}")
                return name
            raise Unprintable("a value is written part by part")
        if m.kind == "temp" and w.full and w.key == self.base[m.id].key:
            return self.names[m.id]
        text = self.view(w)
        return text if re.fullmatch(r"\w+\[[^\]]*\]", text) else f"{text}[...]"

    # -------------------------------------------------------------------------------- the text
    def empty(self, w: Region, c: Call) -> str:
        """Return the statement that makes an array whose parts are written one by one."""
        m = w.memory
        own = m.whole
        name = self.fresh(
            own if own.full else Region(m, 0, (m.nbytes // w.dtype.itemsize,), (w.dtype.itemsize,), w.dtype), c.label
        )
        return f"{name} = np.empty({self.base[m.id].shape}, {self.base[m.id].dtype.name!r})"

    def body(self, calls: list[Call]) -> list[str]:
        """Return the lines of some calls, with a comment where the op or the section changes."""
        lines: list[str] = []
        section = label = None
        for c in calls:
            if c.section != section:
                section, label = c.section, None
                lines.append(f"# ---- {section}")
            if c.label and c.label != label:
                label = c.label
                lines.append(f"# {label}")
            for w in c.outs:
                turned = c.kind in ("matmul", "dot") and w.strides != contiguous(w)
                parts = not w.full or c.updates or turned
                if w.memory.kind == "temp" and w.memory.id not in self.names and parts:
                    lines.append(self.empty(w, c))
            text = self.line(c)
            if not text:
                continue
            lines.append(f"{text}  # {', '.join(self.notes)}" if self.notes else text)
            self.notes.clear()
        return lines


def bare(text: str) -> str:
    """Return a formula without the brackets around all of it."""
    depth = 0
    for i, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return text[1:-1] if sign == ")" and i == len(text) - 1 and text[0] == "(" else text
    return text


def broadcast(base: Region, x: Region) -> str | None:
    """Return a format for a region that repeats its base, or None."""
    extra = len(x.shape) - len(base.shape)
    if extra < 0 or any(x.strides[:extra]):
        return None
    for n, t, m, u in zip(x.shape[extra:], x.strides[extra:], base.shape, base.strides, strict=True):
        if not (n == m and (t == u or n == 1) or m == 1 and t == 0):
            return None
    return f"np.broadcast_to({{}}, {x.shape})"


def sliced(name: str, base: Region, x: Region) -> str | None:
    """Return a region as basic indexing of its base, or None."""
    rest, start = x.offset - base.offset, []
    if rest < 0 or any(t < 0 for t in (*base.strides, *x.strides)):
        return None
    order = sorted(range(len(base.shape)), key=lambda i: -base.strides[i])
    first = dict.fromkeys(order, 0)
    for i in order:
        if base.strides[i]:
            first[i], rest = divmod(rest, base.strides[i])
    if rest:
        return None
    axes = list(zip(x.shape, x.strides, strict=True))
    for i, (n, t) in enumerate(zip(base.shape, base.strides, strict=True)):
        left = len(base.shape) - i
        if (
            axes
            and (len(axes) >= left or (t and axes[0][1] and axes[0][1] % t == 0))
            and (t == 0 and axes[0][0] == 1 or axes[0][0] == 1 or t and axes[0][1] % t == 0)
        ):
            m, u = axes.pop(0)
            step = u // t if t and m > 1 else 1
            stop = first[i] + (m - 1) * step + 1
            if stop > n or step < 1:
                return None
            whole = (first[i], stop, step) == (0, n, 1)
            start.append(
                ":" if whole else f"{first[i] or ''}:{'' if stop == n else stop}" + (f":{step}" if step > 1 else "")
            )
        else:
            start.append(str(first[i]))
    if axes:
        return None
    while len(start) > 1 and start[-1] == ":":
        start.pop()
    return f"{name}[{', '.join(start)}]"


class Printed:
    """The text of a program, and what it needs to run without this package."""

    def __init__(self, r: Recording, title: str) -> None:
        self.r, self.title = r, title
        p = self.printer = Printer(r)
        word = re.sub(r"\W", "_", title) or "step"
        split = r.split
        words = ", ".join(p.view(x) for x in r.inputs)
        start = [f"{word_} = {text}" for word_, text in r.locals.items()]
        lines = p.body(r.calls[:split])
        changes = [(name_of_number(r, e, key, states), text) for e in r.optimisers for key, text, states, _ in e.after]
        known = set(p.names)
        form = returned(r.result, [p.view(x) for x in r.outs], [p.view(x) for x in r.inputs])
        if r.gradient is None:
            self.bodies = [(word, words, lines, changes, form)]
        else:
            back = p.body(r.calls[split:])
            read = [m for m in dict.fromkeys(x.memory.id for c in r.calls[split:] for x in c.reads())
                    if m in known and (r.tracer.memories[m].kind in ("temp", "input"))]  # fmt: skip
            seeds = {x.memory.id for x in r.gradient.seeds}
            kept = [p.names[m] for m in read if m not in seeds]
            saved = f"({', '.join(kept)}{',' if len(kept) == 1 else ''})"
            grads = [p.view(g) for _, _, g in r.gradient.leaves]
            gs = ", ".join(p.view(x) for x in r.gradient.seeds)
            take = [f"{saved[1:-1]} = saved"] if kept else []
            outs = "(" + ", ".join(f"{n}" for n in grads) + ("," if len(grads) == 1 else "") + ")"
            self.bodies = [("forward", words, lines, changes, f"{form}, {saved}"),
                           ("backward", f"saved, {gs}", take + back, [], outs)]  # fmt: skip
        self.numbers = start

    def text(self, alone: bool) -> str:
        """Return the source; ``alone``: as part of a file in which numbers are global."""
        parts = []
        for name, words, lines, changes, form in self.bodies:
            head = [] if alone else self.header(lines)
            stored = [n for n, _ in changes] + [m[1] for x in lines if (m := re.match(r"(\w+) [-+*/]= ", x))]
            numbers = [f"global {', '.join(dict.fromkeys(stored))}"] if alone and stored else []
            body = [*head, *numbers, *([] if alone or name == "backward" else self.numbers), *lines]
            body += [f"{n} = {bare(t)}" for n, t in changes] + [f"return {form}"]
            parts.append("\n".join([f"def {name}({words}):", *("    " + x for x in body)]) + "\n")
        return "\n\n".join(parts) if alone else "\n".join(parts)

    def header(self, lines: list[str]) -> list[str]:
        """Return comments that say what the variables from outside are."""
        used = set(re.findall(r"\w+", "\n".join(lines)))
        p = self.printer
        found = [(p.names[x.memory.id], x.dtype, x.shape) for x in self.r.inputs]
        found += [(n, a.dtype, a.shape) for n, a in p.given.items()]
        return [f"# {n}: {d} {'x'.join(map(str, s)) or 'one number'}" for n, d, s in found if n in used]


def name_of_number(r: Recording, entry: Any, key: str, states: Any) -> str:
    """Return the variable that holds a number of an optimiser's state."""
    return str(next(word for word, (k, found) in entry.numbers.items() if k == key and found is states))


def returned(form: Any, names: Any, arguments: Any) -> str:
    """Return what the function returns as source."""
    kind: Any = form[0]
    if kind in ("new", "alias"):
        return str(names[form[1]])
    if kind == "argument":
        return str(arguments[form[1]])
    if kind == "same":
        return "None"
    if kind == "value":
        return repr(form[1])
    if kind is dict:
        parts = [f"{k!r}: {returned(x, names, arguments)}" for k, x in zip(form[1], form[2], strict=True)]
        return "{" + ", ".join(parts) + "}"
    text = ", ".join(returned(x, names, arguments) for x in form[1])
    return f"[{text}]" if kind is list else f"({text}{',' if len(form[1]) == 1 else ''})"
