"""A compiled function in the graph: its forward pass is one node, and its backward pass another program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.replay import Program, wrapped
from tinygrad_lite.engine.arrays import hush, unhush
from tinygrad_lite.engine.backward import pull
from tinygrad_lite.engine.differentiate import differentiate
from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.node import pick, record
from tinygrad_lite.engine.tensor import Tensor, make, wrap
from tinygrad_lite.engine.versions import CHANGES, owner
from tinygrad_lite.errors import GradientError
from tinygrad_lite.random import default_generator

FRAMES = 8
"""The number of frames that are kept for the next calls."""


def tensors_of(result: Any) -> list[Tensor]:
    """Return the tensors in what a function returned."""
    if isinstance(result, Tensor):
        return [result]
    values = result.values() if type(result) is dict else result if isinstance(result, (list, tuple)) else ()
    return [t for v in values for t in tensors_of(v)]


class Held:
    """The memory of one call, between its forward and its backward pass; given back when the graph is freed."""

    __slots__ = ("args", "before", "frame", "mode", "pool", "random")

    args: Any
    before: list[Any]
    mode: bool
    random: Any

    def __init__(self, pool: list[Any], frame: Any) -> None:
        self.pool, self.frame = pool, frame

    def __del__(self) -> None:
        if len(self.pool) < FRAMES:
            self.pool.append(self.frame)


class Differentiable(Program):
    """A program whose results belong to the graph, with the program of its backward pass."""

    is_pick, rules, singular, frees, samples, sequence, promote = False, (), False, True, None, None, None
    kind, flops, materialize = "other", None, False

    def __init__(self, r: Recording, bumps: list[Any], form: Any, function: Any, name: str) -> None:
        super().__init__(r, bumps, form)
        self.function, self.wanted = function, r.gradient.present
        self.name = self.label = f"compiled {name}"
        self.leaves = r.gradient.leaves
        self.params = self.arrays = tuple(n for _, n, _ in self.leaves)
        used = {x.memory.id for c in r.calls[r.split :] for x in c.reads()}
        self.inputs = [i for i, x in enumerate(r.inputs) if x.memory.id in used]
        self.variables = [(t, a) for t, a in r.live_tensors if t.tracked]
        kept = [m for m in r.tracer.memories if m.id in used and m.kind == "live"]
        self.kept = [m.own for m in kept]
        self.saved_names = ("frame", *(f"argument {i}" for i in range(len(r.inputs))), *(m.name for m in kept))
        self.uses = ((-1, (*(i + 1 for i in self.inputs), *range(1 + len(r.inputs), len(self.saved_names)))),)
        forward = r.calls[: r.split]
        self.changed = list({w.memory.id: w.memory.own for c in forward for w in c.outs if w.memory.kind == "live"}
                            .values())  # fmt: skip
        self.random = any(c.kind == "random" for c in forward)
        self.tracked = [i for i, t in enumerate(r.news) if t]

    def use(self, built: Any) -> None:
        """Run this form of the program from now on."""
        super().use(built)
        self.pool: list[Any] = [self.frame]

    def __call__(self, flat: list[Tensor], given: Any = None) -> Any:
        """Run the forward program and record its node."""
        try:
            frame = self.pool.pop()
        except IndexError:
            frame = self.built.frame()
        held = Held(self.pool, frame)
        held.args, held.mode = given, MODE.get().guard
        held.before = [a.copy() for a in self.changed]
        held.random = default_generator().bit_generator.state if self.random else None
        values = self.ran(frame, flat)
        if self.changes:
            self.written()
        self.calls += 1
        arrays = [v.copy() for v in values]
        inputs = []
        for origin, _, _ in self.leaves:
            t = flat[origin] if type(origin) is int else origin
            inputs.append(t.node or t)
        saved = (held, *(t.array for t in flat), *self.kept)
        outs = [arrays[i] for i in self.tracked]
        several = len(outs) > 1
        shapes, dtypes = [a.shape for a in outs], [a.dtype for a in outs]
        shape, dtype = (shapes, dtypes) if several else (shapes[0], dtypes[0])
        node = record(self, tuple(inputs), saved, (), shape, dtype, MODE.get().place, depth=3)
        found = {id(a): pick(node, i) if several else node for i, a in enumerate(outs)}
        return wrapped(self.r, arrays, flat, lambda a: make(a, found.get(id(a))))

    # -------------------------------------------------------------------------------- the engine's side
    def rewrap(self, node: Any, wrap: Any) -> list[Any]:
        """Return the saved values as a list, which `gather` takes as the sign of a recorded backward pass."""
        return list(node.saved or ())

    def gather(self, node: Any, g: Any, saved: Any) -> Iterator[tuple[int, Any]]:
        """Run the backward program and yield (place of the leaf, gradient)."""
        gs = g if isinstance(g, tuple) else (g,)
        held = saved[0]
        present = tuple(x is not None for x in gs)
        plain = type(saved) is not list and all(x is None or type(x) is np.ndarray for x in gs)
        if plain and present == self.wanted and held.mode == MODE.get().guard:
            for i in self.inputs:  # read anew, as the rules of the written function would
                held.frame.inputs[i][...] = saved[1 + i]
            try:
                found = held.frame.pull([x for x in gs if x is not None])
            except FloatingPointError:
                raise
            except Exception:
                found = None
            if found is not None:
                for i, a in enumerate(found):
                    if a is not None:
                        yield i, a.copy()
                return
        elif plain:
            self.missing = present
        yield from self.again(node, gs, saved, type(saved) is list)

    def again(self, node: Any, gs: Any, saved: Any, create: bool) -> Iterator[tuple[int, Any]]:
        """Run the function as written once more, and its backward pass: where the backward program does not fit.

        That is a second derivative, or a result without gradient that had one when the program was recorded.
        """
        for t, a in self.variables:
            change = CHANGES.get(id(owner(a)))
            if t.array is not a or change is not None and change.when > node.seq:
                raise GradientError(f"{self.name}: backward needs a parameter as it was, but it was changed since")
        held, flat = saved[0], []
        for i, a in enumerate(saved[1 : 1 + len(self.r.inputs)]):
            place = next((k for k, (o, _, _) in enumerate(self.leaves) if type(o) is int and o == i), None)
            if place is None:
                flat.append(make(a))
            elif create:
                flat.append(wrap(a, node.inputs[place]))
            else:
                flat.append(make(a))
                flat[-1].tracked = True
        now = [a.copy() for a in self.changed]
        random = default_generator().bit_generator.state
        for a, content in zip(self.changed, held.before, strict=True):
            a[...] = content
        if held.random is not None:
            default_generator().bit_generator.state = held.random
        try:
            with switch(grad=True):
                result = self.function(held.args, flat)
        finally:
            for a, content in zip(self.changed, now, strict=True):
                a[...] = content
            default_generator().bit_generator.state = random
        outs = ordered(result, self.r, flat)
        if [t.shape for t in outs] != [self.r.outs[i].shape for i in self.tracked]:
            raise GradientError(f"{self.name}: cannot be run again for its gradient: it returns something else now")
        targets = [flat[o] if type(o) is int else o for o, _, _ in self.leaves]
        pairs = [(t, g) for t, g in zip(outs, gs, strict=True) if g is not None and t.tracked]
        if create:
            found = differentiate([t for t, _ in pairs], [g for _, g in pairs], targets, True, True, self.name)
            keys = [t.node or t for t in targets]
        else:
            before = hush()
            try:
                found = pull([(t.node or t, g) for t, g in pairs])
            finally:
                unhush(before)
            keys = targets
        for i, key in enumerate(keys):
            if key in found:
                yield i, found[key]


def ordered(result: Any, r: Recording, flat: list[Tensor]) -> list[Tensor]:
    """Return the computed tensors of a result that are tracked in the recording, in its order."""
    seen: dict[int, Tensor] = {}
    forms = [(r.result, result)]
    while forms:
        form, value = forms.pop()
        if form[0] == "new":
            seen.setdefault(form[1], value)
        elif form[0] is dict:
            forms += [(f, value[k]) for f, k in zip(form[2], form[1], strict=True)]
        elif isinstance(form[0], type):
            forms += zip(form[1], value, strict=True)
    return [seen[i] for i, tracked in enumerate(r.news) if tracked]


def both_passes(result: Any, r: Recording, flat: list[Tensor], seeds: list[Any]) -> list[Any]:
    """Return what a run as written has returned, and the gradients of the leaves for these gradients of its results."""
    outs = ordered(result, r, flat)
    values = [t.array for t in tensors_of(result)]
    wanted = [t for t, on in zip(outs, r.gradient.present, strict=True) if on]
    before = hush()
    try:
        found = pull([(t.node or t, g.copy()) for t, g in zip(wanted, seeds, strict=True)])
    finally:
        unhush(before)
    grads = [found.get(flat[o] if type(o) is int else o) for o, _, _ in r.gradient.leaves]
    return [values, grads]


def seeds_of(r: Recording) -> list[Any]:
    """Return gradients of the results for a test."""
    random = np.random.default_rng(7)
    return [random.uniform(0.5, 1.5, x.shape).astype(x.dtype) for x in r.gradient.seeds]


def programs_passes(program: Differentiable, flat: list[Tensor], seeds: list[Any]) -> list[Any]:
    """Return the same of its program."""
    values = program.ran(program.frame, flat)
    arrays = [v.copy() for v in values]
    result = wrapped(program.r, arrays, flat, make)
    found = program.frame.pull([g.copy() for g in seeds])
    return [[t.array for t in tensors_of(result)], [None if a is None else a.copy() for a in found]]
