"""The program call by call, without text: before loops become machine code, the calls themselves run once."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.passes import kept, outputs
from tinygrad_lite.compiled.program import Call, Region, array_of, replaced
from tinygrad_lite.compiled.source import Frame, check, finite, put, same
from tinygrad_lite.engine.arrays import hush, unhush
from tinygrad_lite.engine.tensor import make


class Walked:
    """A program to be run once or twice, in the place of a `Built`."""

    handed: dict[str, Region] = {}  # noqa: RUF012 - never changed

    def __init__(self, r: Recording) -> None:
        self.r = r
        self.facts = {"recorded": r.recorded, "calls": len(r.calls)}
        stays = {x.memory.id for x in (*r.inputs, *outputs(r))} | kept(r)
        self.ends: dict[int, list[int]] = {}  # the temporaries whose last use a call is
        for number, i in {x.memory.id: i for i, c in enumerate(r.calls) for x in (*c.reads(), *c.outs)}.items():
            if r.tracer.memories[number].kind == "temp" and number not in stays:
                self.ends.setdefault(i, []).append(number)

    def frame(self, hand: bool = True) -> Frame:
        """Return the program with memory of its own."""
        walk, f = Walk(self), Frame()
        f.run, f.pull, f.free = walk.run, walk.pull, lambda: True
        f.inputs = [walk.array(x) for x in self.r.inputs]
        f.seeds = [] if self.r.gradient is None else [walk.array(x) for x in self.r.gradient.seeds]
        return f


class Walk:
    """One set of memory, in which the calls run one after another."""

    def __init__(self, walked: Walked) -> None:
        self.r, self.ends = walked.r, walked.ends
        self.blocks: dict[int, Any] = {}
        self.arrays: dict[int, dict[Any, Any]] = {}  # by memory, then by region

    def array(self, x: Any) -> Any:
        """Return the array of a region."""
        if type(x) is not Region:
            return x
        m = x.memory
        known = self.arrays.setdefault(m.id, {})
        found = known.get(x.key)
        if found is None:
            if m.kind not in ("temp", "input"):
                found = array_of(x)
            else:
                if m.id not in self.blocks:
                    self.blocks[m.id] = np.empty(m.nbytes, np.uint8)
                found = np.ndarray(x.shape, x.dtype, self.blocks[m.id], x.offset, x.strides)
            known[x.key] = found
        return found

    def run(self, flat: Any) -> Any:
        """Run the forward program, or all of it, and return its results."""
        r = self.r
        for x, t in zip(r.inputs, flat, strict=True):
            self.array(x)[...] = t.array
        numbers = dict(r.objects)
        for word, text in r.locals.items():
            numbers[word] = eval(text, numbers)
        self.walk(range(r.split), numbers)
        for t, _, g in r.grads:
            t._grad = None if g is None else make(self.array(g).copy())
        for e in r.optimisers:
            e.o.count += e.steps
            for key, text, states, _ in e.after:
                value = eval(text, numbers)
                for s in states:
                    dict.__setitem__(s, key, value)
        return tuple(map(self.array, r.outs))

    def pull(self, gs: Any) -> Any:
        """Run the backward program and return the gradients."""
        r = self.r
        for x, g in zip(r.gradient.seeds, gs, strict=True):
            self.array(x)[...] = g
        self.walk(range(r.split, len(r.calls)), {})
        return tuple([self.array(g) for _, _, g in r.gradient.leaves])

    def walk(self, places: range, numbers: dict[str, Any]) -> None:
        """Run some calls; each temporary is given up after its last use."""
        for i in places:
            c = self.r.calls[i]
            if c.quiet:
                token = hush()
                try:
                    self.call(c, numbers)
                finally:
                    unhush(token)
            else:
                self.call(c, numbers)
            for number in self.ends.get(i, ()):
                self.arrays.pop(number, None)
                self.blocks.pop(number, None)

    def call(self, c: Call, numbers: dict[str, Any]) -> None:
        """Run one call."""
        kind, f = c.kind, c.function
        outs = [self.array(w) for w in c.outs]
        if kind == "scalar":
            outs[0][()] = eval(c.ins[0], numbers)
            return
        ins = [self.array(v) if type(v) not in (tuple, list) else replaced(v, self.array) for v in c.ins]
        words = {k: replaced(v, self.array) for k, v in c.words.items()} if c.words else c.words
        if kind == "check":
            expected = words["value"]
            if f == "finite":
                check(finite(ins[0]) is expected)
            else:
                check(bool(ins[0]) is expected if words["bool"] else same(ins[0], expected))
        elif kind == "inplace":
            f(*ins)
        elif kind == "copy":
            np.copyto(outs[0], ins[0], "unsafe")
        elif kind in ("ufunc", "matmul", "dot"):
            f(*ins, out=outs[0], **words)
        elif kind == "reduce":
            f.reduce(ins[0], out=outs[0], **words)
        elif kind == "take":
            f(*ins, words["axis"], outs[0])
        elif len(outs) == 1:
            put(outs[0], f(*ins, **words))
        else:
            for target, value in zip(outs, f(*ins, **words), strict=True):
                put(target, value)
