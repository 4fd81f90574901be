"""The program as readable NumPy, and as a function."""

from __future__ import annotations

import linecache
import math
import re
from typing import Any

import numpy as np

from tinygrad_lite.compiled.capture import Recording, identifier
from tinygrad_lite.compiled.passes import plan
from tinygrad_lite.compiled.program import Call, Missed, Region, array_of

SECTIONS = {"forward": "forward", "backward": "backward", "update": "update"}


def put(target: Any, value: Any) -> None:
    """Copy a result into its place; another shape or dtype means that the program does not fit."""
    value = np.asarray(value)
    if value.shape != target.shape or value.dtype != target.dtype:
        raise Missed("a result of another shape")
    target[...] = value


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
    return bool(np.isfinite(a).all())


class Writer:
    """Turn calls into lines; the arrays and functions that they name stand in ``space``."""

    def __init__(self, r: Recording) -> None:
        self.r = r
        self.blocks, self.before, self.after = plan(r)
        self.space: dict[str, Any] = {"copyto": np.copyto, "put": put, "put_all": put_all, "check": check,
                                      "same": same, "finite": finite, "inf": math.inf, "nan": math.nan}  # fmt: skip
        self.taken: dict[str, int] = dict.fromkeys([*self.space, *r.locals, *r.objects], 1)
        self.names: dict[Any, str] = {}
        self.constants: dict[Any, str] = {}
        self.functions: dict[int, str] = {}
        self.memories: dict[int, str] = {}
        self.notes: dict[str, str] = {}
        self.first: dict[str, Region] = {}
        self.shown: dict[str, str] = {}
        for _, name, region in r.grads:
            if region is not None and region.memory.id not in self.memories:
                self.memories[region.memory.id] = identifier(f"grad_{name}", self.taken)

    def memory(self, x: Region, label: str) -> str:
        """Return the name of a memory: the user's, or one after the op that computed it."""
        m = x.memory
        if m.id not in self.memories:
            if m.kind == "constant":
                self.memories[m.id] = identifier("constant", self.taken)
            elif m.kind == "temp":
                rule = re.match(r"gradient of (\w+) for (\w+)", label)
                base = f"d_{rule[1]}" if rule else label.rpartition(": ")[2].replace(" ", "_") or "value"
                self.memories[m.id] = identifier(base, self.taken)
            else:
                self.memories[m.id] = identifier(m.name, self.taken)
        return self.memories[m.id]

    def view(self, x: Region, label: str = "") -> str:
        """Return the name of the array of a region."""
        if x.key not in self.names:
            base = self.memory(x, label)
            name = base if base not in self.space else identifier(base, self.taken)
            self.names[x.key] = name
            self.space[name] = array_of(x, self.blocks.get(x.memory.id))
            shape = "x".join(map(str, x.shape)) or "one number"
            if name == base:
                self.first[base] = x
            else:
                self.shown[name] = shown_view(self.first.get(base), x, base) or name
            if x.memory.kind == "constant" and not x.shape:
                self.shown[name] = repr(self.space[name].item())
            if self.shown.get(name, name) == name:
                self.notes[name] = f"{x.dtype} {shape}" + ("" if name == base else f", a part of {base}")
        return self.names[x.key]

    def constant(self, value: Any, base: str) -> str:
        """Return the name of any other object."""
        key = (base, id(value))
        if key not in self.constants:
            name = identifier(base, self.taken)
            self.constants[key] = name
            self.space[name] = value
        return self.constants[key]

    def number(self, value: Any, dtype: Any) -> str:
        """Return the name of a number as a 0-d array, which NumPy reads faster than a Python number."""
        key = ("number", repr(value), dtype.str)
        if key not in self.constants:
            word = re.sub(r"\W", "_", f"{value:g}".replace("-", "m"))
            name = identifier(f"c_{word}", self.taken)
            self.constants[key] = name
            self.space[name] = np.array(value, dtype)
            self.shown[name] = repr(value)
        return self.constants[key]

    def value(self, v: Any, label: str) -> str:
        """Return an argument as source."""
        if isinstance(v, Region):
            return self.view(v, label)
        if type(v) is tuple:
            return "(" + "".join(self.value(w, label) + ", " for w in v) + ")"
        if type(v) is list:
            return "[" + ", ".join(self.value(w, label) for w in v) + "]"
        if type(v) in (float, int, bool, type(None), str):
            return repr(v)
        return self.constant(v, getattr(v, "__name__", type(v).__name__))

    def function(self, f: Any) -> str:
        """Return the name of a function."""
        if id(f) not in self.functions:
            name = getattr(f, "__name__", "function")
            owner = getattr(f, "__self__", None)
            if isinstance(owner, np.ufunc):
                name = f"{owner.__name__}_{name}"
            self.functions[id(f)] = self.constant(f, name)
        return self.functions[id(f)]

    def line(self, c: Call) -> str:
        """Return the line of a call."""
        ins = [self.value(v, c.label) for v in c.ins] if c.kind not in ("scalar",) else []
        words = "".join(f", {k}={self.value(v, c.label)}" for k, v in c.words.items())
        if c.kind == "check":
            if c.function == "finite":
                return f"check(finite({ins[0]}) is {c.words['value']})"
            asked = (
                f"bool({ins[0]}) is {c.words['value']}" if c.words["bool"] else f"same({ins[0]}, {c.words['value']!r})"
            )
            return f"check({asked})"
        if c.kind == "inplace":
            return f"{self.function(c.function)}({', '.join(ins)})"
        w = c.outs[0]
        if c.kind == "ufunc":
            dtype = next((x.dtype for x in c.reads()), w.dtype)
            if dtype.kind == "f":
                ins = [self.number(v, dtype) if type(v) in (int, float) else s for v, s in zip(c.ins, ins, strict=True)]
            out = "out=" if c.function in (np.maximum, np.minimum) else ""  # NumPy deprecates a third operand there
            return f"{self.function(c.function)}({', '.join(ins)}, {out}{self.view(w, c.label)}{words})"
        target = self.view(w, c.label) if len(c.outs) == 1 else ""
        if c.kind == "matmul":
            return f"{self.function(c.function)}({ins[0]}, {ins[1]}, {target}{words})"
        if c.kind == "reduce":
            reduce = self.constant(c.function.reduce, f"{c.function.__name__}_reduce") \
                if (c.function, "r") not in self.constants else self.constants[c.function, "r"]  # fmt: skip
            self.constants[c.function, "r"] = reduce
            if set(c.words) - {"axis", "keepdims"}:
                return f"{reduce}({ins[0]}, out={target}{words})"
            kept = ", True" if c.words.get("keepdims") else ""
            return f"{reduce}({ins[0]}, {self.value(c.words['axis'], c.label)}, None, {target}{kept})"
        if c.kind == "copy":
            return f"copyto({target}, {ins[0]}, 'unsafe')"
        if c.kind == "dot":
            return f"{self.function(np.dot)}({ins[0]}, {ins[1]}, {target})"
        if c.kind == "scalar":
            return f"{target}[()] = {c.ins[0]}"
        if c.kind == "take":
            return f"{self.function(np.take)}({ins[0]}, {ins[1]}, {self.value(c.words['axis'], c.label)}, {target})"
        if c.kind == "random":
            call = f"{self.function(c.function)}({', '.join(ins)}{words})"
            return f"put({target}, {call})"
        call = f"{self.function(c.function)}({', '.join(ins)}{words})"
        if len(c.outs) == 1:
            return f"put({target}, {call})"
        return f"put_all(({', '.join(self.view(x, c.label) for x in c.outs)}), {call})"

    def body(self) -> list[str]:
        """Return the lines of the program with its comments."""
        lines: list[str] = []
        section = label = None
        for c in self.r.calls:
            text = self.line(c)
            if c.section != section:
                section, label = c.section, None
                lines.append(f"# ---- {section}")
            if c.label and c.label != label:
                label = c.label
                lines.append(f"# {label}")
            lines.append(text)
            for w in c.outs:  # the shape stands beside the first write
                if w.memory.kind == "temp" and (note := self.notes.pop(self.view(w), None)) is not None:
                    lines[-1] += ("  # " if "  # " not in lines[-1] else ", ") + note
        return lines


def build(r: Recording) -> Any:
    """Return (function of the input arrays, source, facts)."""
    w = Writer(r)
    inputs = [w.view(x) for x in r.inputs]
    lines = [f"{word} = {text}" for word, text in r.locals.items()]
    for name, o in r.objects.items():
        w.space[name] = o
    lines += w.body()
    returned = _result(w, r.result)
    grads = ", ".join("None" if g is None else w.view(g) for _, _, g in r.grads)
    after: list[str] = []
    for entry in r.optimisers:
        after += [text for _, text, _, _ in entry.after]
    lines.append(f"return ({returned}, ({grads}{',' if grads else ''}), ({''.join(t + ', ' for t in after)}))")
    head = [f"# {name}: {note}" for name, note in w.notes.items()]
    text = "\n".join(["def step():", *("    " + x for x in (*head, *lines))]) + "\n"
    source = re.sub(r"#.*|\b[A-Za-z_]\w*", lambda m: w.shown.get(m[0], m[0]), text)  # comments stay
    space = w.space
    parameters = ", ".join(space)
    maker = f"def make({parameters}):\n" + "".join("    " + x + "\n" for x in text.splitlines()) + "    return step\n"
    file = f"<compiled step {id(r):x}>"
    linecache.cache[file] = (len(maker), None, maker.splitlines(keepends=True), file)
    found: dict[str, Any] = {}
    exec(compile(maker, file, "exec"), found)
    facts = {"bytes before": w.before, "bytes": w.after, "recorded": getattr(r, "recorded", 0), "calls": len(r.calls)}
    return found["make"](**space), [space[n] for n in inputs], source, facts, space


def shown_view(first: Any, x: Region, base: str) -> str | None:
    """Return a view as NumPy source, where that is simple: a transpose or another shape."""
    if first is None or x.offset != first.offset or x.dtype != first.dtype or not (first.full and x.full):
        return None
    if len(x.shape) == 2 and x.shape == first.shape[::-1] and x.strides == first.strides[::-1]:
        return f"{base}.T"
    return f"{base}.reshape{x.shape}" if _contiguous(x) and _contiguous(first) else None


def _contiguous(x: Region) -> bool:
    n = x.dtype.itemsize
    for d, t in zip(x.shape[::-1], x.strides[::-1], strict=True):
        if d != 1:
            if t != n:
                return False
            n *= d
    return True


def _result(w: Writer, result: Any) -> str:
    kind = result[0]
    if kind == "new":
        return w.view(result[1])
    if kind in (list, tuple):
        return "(" + "".join(_result(w, x) + ", " for x in result[1]) + ")"
    if kind is dict:
        return "(" + "".join(_result(w, x) + ", " for x in result[2]) + ")"
    return "None"


def wrapped(result: Any, value: Any, make: Any) -> Any:
    """Return what the step returns, from the arrays of the program."""
    kind = result[0]
    if kind == "new":
        return make(value.copy())
    if kind in ("same", "value"):
        return result[1]
    if kind is dict:
        return {k: wrapped(x, v, make) for k, x, v in zip(result[1], result[2], value, strict=True)}
    return kind(wrapped(x, v, make) for x, v in zip(result[1], value, strict=True))
