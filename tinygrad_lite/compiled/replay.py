"""A program that is ready to run: copy the arguments in, run it, hand the results out."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.guards import Guard
from tinygrad_lite.compiled.passes import optimise
from tinygrad_lite.compiled.source import Built
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.engine.versions import tick
from tinygrad_lite.random import default_generator


class Program:
    """One recorded, optimised and verified step; its results have no graph."""

    def __init__(self, r: Recording, bumps: list[Any], form: Any = Built) -> None:
        self.r = r
        optimise(r)
        self.use(form(r))
        self.guard = Guard(r)
        self.changes = [(change, n, change.line) for change, n in bumps]
        self.live = {id(m.own) for m in r.tracer.memories if m.kind == "live"}
        self.live |= {id(a) for _, a in r.live_tensors}
        self.plain = r.result[0] == "new"
        forward = r.calls[: r.split]
        last = max((i for i, c in enumerate(forward) if c.may_raise), default=-1)
        early = {w.memory.id: w.memory for c in forward[: last + 1] for w in c.outs if w.memory.kind == "live"}
        self.early = [m.own for m in early.values()]
        self.draws = any(c.kind == "random" for c in forward[: last + 1])
        self.saving = bool(self.early or self.draws)
        self.calls = 0
        self.failed = -1  # the number of runs before a check inside the program failed
        self.waits = False  # for machine code, until it has run often enough
        self.missing: tuple[bool, ...] | None = None
        self.quick: Any = None
        self.key: Any = None

    def use(self, built: Any) -> None:
        """Run this form of the program from now on."""
        self.built, self.facts, self.frame = built, built.facts, built.frame()

    def missed(self) -> bool:
        """Note that a check has failed; return whether the run before failed too."""
        before, self.failed = self.failed, self.calls
        return before == self.calls

    def ran(self, frame: Any, flat: Any) -> Any:
        """Run the program in the memory of a frame; if it raises, nothing has changed."""
        if not self.saving:
            return frame.run(flat)
        saved = [a.copy() for a in self.early]
        random = default_generator().bit_generator.state if self.draws else None
        try:
            return frame.run(flat)
        except BaseException:
            for a, content in zip(self.early, saved, strict=True):
                a[...] = content
            if random is not None:
                default_generator().bit_generator.state = random
            raise

    def written(self) -> None:
        """Count the in-place writes of the program, each with its line in the step as written."""
        now = tick()
        for change, n, line in self.changes:
            change.count += n
            change.when, change.line = now, line

    def __call__(self, flat: Any, given: Any = None) -> Any:
        """Run the program; if it does not fit the numbers it raises, and nothing has changed."""
        if not self.frame.free():
            self.frame = self.built.frame(hand=False)  # somebody keeps gradients: each step makes its own from now on
        values = self.ran(self.frame, flat)
        if self.changes:
            self.written()
        self.calls += 1
        return make(values[0].copy()) if self.plain else wrapped(self.r, [v.copy() for v in values], flat, make)


def wrapped(r: Recording, arrays: list[Any], flat: Any, maker: Any) -> Any:
    """Return what the step returns; ``maker`` makes a tensor of an array that the program computed."""
    return shaped(r.result, [None] * len(arrays), arrays, flat, maker)


def shaped(form: Any, made: list[Any], arrays: list[Any], flat: Any, maker: Any) -> Any:
    """Return a result of this form; ``made``: the tensors around the arrays, where there is one already.

    A function of its own, as one inside `wrapped` that calls itself would keep the result until garbage is collected.
    """
    kind = form[0]
    if kind == "new":
        number = form[1]
        if made[number] is None:
            made[number] = maker(arrays[number])
        return made[number]
    if kind == "alias":  # another tensor around the same memory
        return make(shaped(("new", form[1]), made, arrays, flat, maker).array)
    if kind == "argument":
        return flat[form[1]]
    if kind in ("same", "value"):
        return form[1]
    if kind is dict:
        return {k: shaped(x, made, arrays, flat, maker) for k, x in zip(form[1], form[2], strict=True)}
    parts = [shaped(x, made, arrays, flat, maker) for x in form[1]]
    return kind(parts) if not hasattr(kind, "_make") else kind._make(parts)
