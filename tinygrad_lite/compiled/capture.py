"""Run a step once under the tracer: swap its arrays for recording ones, run it, put everything back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from tinygrad_lite.compiled.effects import watching
from tinygrad_lite.compiled.makers import Drawn, Maker
from tinygrad_lite.compiled.naming import Labels, identifier, names_of
from tinygrad_lite.compiled.optimisers import Optimiser, finish, prepare
from tinygrad_lite.compiled.program import Memory, Refused, Region, array_of
from tinygrad_lite.compiled.reach import Reach
from tinygrad_lite.compiled.recorded import CURRENT, Recorded, bare
from tinygrad_lite.compiled.results import Results
from tinygrad_lite.compiled.trace import Tracer
from tinygrad_lite.engine import new
from tinygrad_lite.engine.arrays import hush, unhush
from tinygrad_lite.engine.backward import pull
from tinygrad_lite.engine.hooks import Retain
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import owner
from tinygrad_lite.ops import threads
from tinygrad_lite.random import Generator, default_generator

LOCK = threading.RLock()


class Recording:
    """A recorded step: the calls, what it starts from and what it leaves behind."""

    tracer: Tracer
    calls: list[Any]
    reach: Reach
    inputs: list[Region]
    given: Any = None
    """Arguments like those of the call that was recorded, and the tensors among them."""
    result: Any
    outs: list[Region]
    news: list[bool]
    grads: list[tuple[Tensor, str, Any]]
    gradient: Any = None  # a Gradient, where the backward pass is a program of its own
    recorded = 0
    declined = False
    """Whether the step as written does something else; see `Maker`."""
    chose = False
    """Whether the numbers decided what the step does."""
    optimisers: list[Optimiser]
    locals: dict[str, str]
    objects: dict[str, Any]
    live_tensors: list[tuple[Tensor, Any]]
    spare: dict[int, Any]
    """Copies of arrays, by id, that are not needed any more."""

    @property
    def split(self) -> int:
        """The number of calls of the forward program: all, unless the backward pass is a program of its own."""
        if self.gradient is None:
            return len(self.calls)
        return sum(c.section != "backward" for c in self.calls)


class Gradient:
    """The backward pass of a recorded function, which runs when the engine asks for it.

    ``present``: which of the computed results have a gradient. ``leaves``: (number of the argument or tensor, name,
    region of its gradient).
    """

    def __init__(self, present: tuple[bool, ...]) -> None:
        self.present, self.seeds, self.leaves = present, [], []

    present: tuple[bool, ...]
    seeds: list[Region]
    leaves: list[tuple[Any, str, Any]]


def roomy(a: Any) -> Any:
    """Return a copy of an argument in memory of its own, with the same strides."""
    if any(s <= 0 and n > 1 for s, n in zip(a.strides, a.shape, strict=True)) or a.size == 0:
        raise Refused("an argument is empty, expanded or flipped")
    raw = np.zeros(sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) + a.itemsize, np.uint8)
    copy = np.ndarray(a.shape, a.dtype, raw, 0, a.strides)
    copy[...] = a
    return copy


class Capture:
    """The state of one recording while it runs."""

    def __init__(
        self, function: Any, args: Any, flat: list[Any], symbolic: set[Any], reach: Reach, present: Any = None,
        words: list[str] | None = None, without: str = "",
    ) -> None:  # fmt: skip
        self.function, self.args, self.flat, self.symbolic, self.reach = function, args, flat, symbolic, reach
        self.present, self.words = present, words or [f"in{i}" for i in range(len(flat))]
        self.tracer, self.without = Tracer(), without
        self.taken: dict[str, int] = {}
        self.undo: list[Any] = []
        self.locals: dict[str, str] = {}
        self.objects: dict[str, Any] = {}
        self.tensors, self.paths = names_of(reach)
        self.labels = Labels(self.tracer, self.paths)
        self.live: list[tuple[Tensor, Any]] = []
        self.swapped: list[tuple[Tensor, Any]] = []
        self.start_grads: dict[int, Memory] = {}

    def swap(self, t: Tensor, kind: str, name: str, room: Any = None) -> None:
        """Give a tensor a recording array until the end."""
        array = t.array
        self.undo.append(lambda: setattr(t, "array", array))
        t.array = recorded = self.tracer.state(array if room is None else room, kind, identifier(name, self.taken))
        self.swapped.append((t, recorded))
        if kind == "live":
            self.live.append((t, array))

    def prepare(self) -> None:
        """Swap the arrays of everything that the step can reach."""
        for name, t in self.tensors:
            if t.node is not None:
                raise Refused(f"'{name}' was computed before the step and requires gradients")
            self.swap(t, "live", name)
            if t._grad is not None:
                self.swap(t._grad, "grad", f"grad_{name}")
                self.start_grads[id(t)] = self.tracer.region(t._grad.array).memory
        for name, a in self.reach.arrays:
            self.tracer.register(a, "live", identifier(name, self.taken))
        for i, t in enumerate(self.flat):
            if id(owner(t.array)) in self.tracer.known:
                raise Refused(f"argument {i} shares memory with a variable of the step")
            self.swap(t, "input", self.words[i], roomy(t.array))

    def run(self) -> Recording:
        """Run the step and return its recording; everything but the arrays' contents is put back."""
        r = Recording()
        r.optimisers = [Optimiser(n, o) for n, o in self.reach.optimizers]
        generator = default_generator()
        if type(generator) is not Generator:
            raise Refused("a random generator of another type is the default")
        mode = MODE.get()
        finished: Any = None
        try:
            self.prepare()
            for entry in r.optimisers:
                prepare(self, entry)
            with ExitStack() as stack:
                CURRENT.append(self.tracer)
                stack.callback(CURRENT.clear)
                scratch = threads._local.__dict__  # scratch memory of the kernels must not outlive the recording
                stack.callback(scratch.update, dict(scratch))
                stack.callback(scratch.clear)
                scratch.clear()
                Drawn.tracer = self.tracer
                generator.__class__ = Drawn
                stack.callback(setattr, generator, "__class__", Generator)
                stack.callback(MODE.set, mode)
                maker = Maker(self.tracer, self.without)
                stack.enter_context(new.redirect(maker))
                token = mode.but(observers=(self.labels,))
                MODE.set(token)
                with watching(self.reach.codes) as watch:
                    returned = self.function(*self.args[0], **self.args[1])
                    self.labels.mark("")
                if watch.found:
                    raise Refused(watch.found)
                if MODE.get() is not token:
                    raise Refused("the step changes the gradient mode")
                for entry in r.optimisers:
                    finish(self, entry)
                finished = self.results(r, returned)
                r.declined, r.chose = maker.declined, maker.chose
        finally:
            for undo in reversed(self.undo):
                undo()
            for _, t in self.tensors:
                if t._grad is not None and type(t._grad.array) is Recorded:
                    t._grad = make(np.array(bare(t._grad.array)))
        if finished is None:
            raise Refused("the step did not finish")
        for entry in r.optimisers:
            for key, _, states, value in entry.after:
                for s in states:
                    dict.__setitem__(s, key, value)
        r.tracer, r.calls, r.reach, r.live_tensors = self.tracer, self.tracer.calls, self.reach, self.live
        r.locals, r.objects = self.locals, self.objects
        for t, x in zip(self.flat, r.inputs, strict=True):  # placeholders: they keep no batch of the user's
            t.array = array_of(x)
        r.given = (*self.args, self.flat)
        return r

    def results(self, r: Recording, returned: Any) -> bool:
        """Note what the step returns and which gradients it leaves."""
        if any(t.array is not recorded for t, recorded in self.swapped):
            raise Refused("the step gives a tensor another array (.data = ...)")
        form = Results(self, returned)
        r.result, r.outs = form.result, form.regions
        r.news = [t.tracked for t in form.tensors]
        r.grads = []
        own_pass = self.labels.passes > 0
        if any(r.news) and not own_pass and not any(e.steps for e in r.optimisers):
            self.backward(r, [t for t in form.tensors if t.tracked])
        else:
            if self.reach.hooked:
                raise Refused(f"{self.reach.hooked[0]}: a tensor with hooks")
            if any(t.tracked for t in self.flat) and (own_pass or any(e.steps for e in r.optimisers)):
                raise Refused("an argument requires gradients, and the step runs a backward pass itself")
            for t in form.tensors:
                if t.node is not None and (not own_pass or t.node.saved is not None and t.node.op.frees is True):
                    raise Refused("it returns a tensor whose gradients may still be asked for")
            self.left(r)
        grads = {m.id for m in self.tracer.memories if m.kind == "grad"}
        inputs = {m.id for m in self.tracer.memories if m.kind == "input"}
        for c in self.tracer.calls:
            for x in (*c.reads(), *c.outs):
                if x.memory.id in grads:
                    raise Refused("gradients of an earlier step are added to; call zero_grad() in the step")
            for x in c.outs:
                if x.memory.id in inputs:
                    raise Refused("the step changes an argument in place")
        r.inputs = [self.tracer.region(t.array) for t in self.flat]
        return True

    def left(self, r: Recording) -> None:
        """Note the gradients that the step leaves in its variables."""
        names = {id(t): n for n, t in self.tensors}
        for _, t in self.tensors:
            before, name = self.start_grads.get(id(t)), names[id(t)]
            if t._grad is None:
                if before is not None:  # otherwise there is none before each call either: that is a guard
                    r.grads.append((t, name, None))
                continue
            if t._grad.tracked or t._grad.hooks:
                raise Refused(f"the gradient of '{name}' has a graph of its own")
            new_here = id(owner(t._grad.array)) not in self.tracer.known
            region = self.tracer.region(t._grad.array)
            if new_here:  # it follows from plain numbers alone
                region.memory.kind = "constant"
            if region.memory.kind == "grad":
                if region.memory is not before:
                    raise Refused("a gradient was moved to another tensor")
                continue  # no backward pass reached it
            if region.memory.kind not in ("temp", "constant"):
                raise Refused(f"the gradient of '{name}' shares memory with a variable")
            r.grads.append((t, name, region))

    def backward(self, r: Recording, roots: list[Tensor]) -> None:
        """Record the backward pass of a function: from gradients of its results to those of its leaves."""
        present = self.present if self.present is not None and len(self.present) == len(roots) else (True,) * len(roots)
        r.gradient = gradient = Gradient(present)
        tracer = self.tracer
        pairs: list[tuple[Any, Any]] = []
        for t, on in zip(roots, present, strict=True):
            if on:
                name = "grad" if len(roots) == 1 else f"grad_{len(pairs)}"
                # ones: a rule may leave out a gradient that is zero
                seed = tracer.state(np.ones(t.shape, t.dtype), "input", identifier(name, self.taken))
                gradient.seeds.append(tracer.region(seed))
                pairs.append((t.node or t, seed))
        before = hush()
        try:
            with watching(self.reach.codes) as watch:
                found = pull(pairs)
        finally:
            unhush(before)
        if watch.found:
            raise Refused(watch.found)
        self.labels.mark("")
        for c in tracer.calls:
            if c.section == "backward" and any(w.memory.kind == "live" for w in c.outs):
                raise Refused("a gradient changes a variable of the function")
        forward = {w.memory.id for c in tracer.calls if c.section != "backward" for w in c.outs}
        if any(w.memory.id in forward for c in tracer.calls if c.section == "backward" for w in c.outs):
            raise Refused("a gradient changes a value of the forward pass")
        for origin, name, t in (
            *((i, f"in{i}", t) for i, t in enumerate(self.flat)),
            *((t, n, t) for n, t in self.tensors),
        ):
            if t in found:
                gradient.leaves.append((origin, name, tracer.region(found[t])))
        if any(type(key) is Retain for key in found):
            raise Refused("retain_grad() inside the function")


@contextmanager
def locked() -> Iterator[None]:
    """Let one recording run at a time."""
    with LOCK:
        if CURRENT:
            raise Refused("a step inside another compiled step")
        yield
