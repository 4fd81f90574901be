"""Run a step once under the tracer: swap its arrays for recording ones, run it, put everything back."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from tinygrad_lite.compiled.effects import watching
from tinygrad_lite.compiled.makers import Drawn, Maker
from tinygrad_lite.compiled.numbers import Symbol
from tinygrad_lite.compiled.program import Memory, Refused, Region
from tinygrad_lite.compiled.reach import Reach
from tinygrad_lite.compiled.trace import CURRENT, Recorded, Tracer, bare
from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import MODE, Observer
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import owner
from tinygrad_lite.ops import threads
from tinygrad_lite.optim.optimizer import State
from tinygrad_lite.random import Generator, default_generator

LOCK = threading.RLock()


class Labels(Observer):
    """Say to which op, module and section the recorded calls belong."""

    __slots__ = ("done", "inside", "paths", "section", "stack", "tracer", "update")

    def __init__(self, tracer: Tracer, paths: dict[int, str]) -> None:
        self.tracer, self.paths, self.done, self.section, self.update = tracer, paths, 0, "forward", ""
        self.stack: list[str] = []

    def mark(self, text: str) -> None:
        """Label all calls since the last mark."""
        for c in self.tracer.calls[self.done :]:
            c.label, c.section = text, self.section
        self.done = len(self.tracer.calls)

    def before(self, op: Any, args: tuple[Any, ...]) -> None:
        """Mark what ran between two ops."""
        self.mark(self.update)

    def after(self, op: Any, args: tuple[Any, ...], out: Any, frame: Any) -> None:
        """Mark the calls of an op."""
        path = self.stack[-1] if self.stack else ""
        self.mark(f"{path}: {op.name}" if path else op.name)

    def enter(self, module: Any, args: tuple[Any, ...]) -> None:
        """Note the module."""
        self.stack.append(self.paths.get(id(module), type(module).__name__))

    def leave(self, module: Any, output: Any) -> None:
        """Forget the module."""
        self.mark("")
        self.stack.pop()

    def backward_starts(self) -> None:
        """Begin the section of the backward pass."""
        self.mark("")
        self.section = "backward"

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """Mark the calls of a rule."""
        names = getattr(node.op, "arrays", ())
        self.mark(f"gradient of {node.op.name} for {names[position] if position < len(names) else position}")


class Optimiser:
    """One optimiser in a recording: its state tensors, its numbers, and how they change."""

    def __init__(self, name: str, o: Any) -> None:
        self.name, self.o = name, o
        self.states = dict(o.state)
        self.contents = {p: dict(s) for p, s in o.state.items()}
        self.tensors: list[Tensor] = []
        self.numbers: dict[str, tuple[Any, list[Any]]] = {}  # variable: (key, states that share it)
        self.after: list[tuple[str, str, Any, Any]] = []  # (key, formula, states, value)
        self.count, self.steps = o.count, 0


class Recording:
    """A recorded step: the calls, what it starts from and what it leaves behind."""

    tracer: Tracer
    calls: list[Any]
    reach: Reach
    inputs: list[Region]
    result: Any
    grads: list[tuple[Tensor, str, Any]]
    optimisers: list[Optimiser]
    locals: dict[str, str]
    objects: dict[str, Any]
    live_tensors: list[tuple[Tensor, Any]]


def roomy(a: Any) -> Any:
    """Return a copy of an argument in memory of its own, with the same strides."""
    if any(s <= 0 and n > 1 for s, n in zip(a.strides, a.shape, strict=True)) or a.size == 0:
        raise Refused("an argument is empty, expanded or flipped")
    raw = np.zeros(sum((n - 1) * s for n, s in zip(a.shape, a.strides, strict=True)) + a.itemsize, np.uint8)
    copy = np.ndarray(a.shape, a.dtype, raw, 0, a.strides)
    copy[...] = a
    return copy


def identifier(text: str, taken: dict[str, int]) -> str:
    """Return a name for a variable, different from those taken."""
    name = re.sub(r"\W+", "_", text).strip("_") or "value"
    name = f"_{name}" if name[0].isdigit() else name
    n = taken.get(name, 0)
    taken[name] = n + 1
    return name if not n else identifier(f"{name}_{n}", taken)


def names_of(reach: Reach) -> tuple[list[tuple[str, Tensor]], dict[int, str]]:
    """Return every tensor with a name from the user's variables, and the path of every module."""
    tensors: dict[int, tuple[str, Tensor]] = {}
    paths: dict[int, str] = {}
    below = {id(c) for _, m in reach.modules for k, c in m.named_modules() if k}
    roots = sorted(reach.modules, key=lambda m: id(m[1]) in below)
    for name, m in roots:
        for k, c in m.named_modules():
            paths.setdefault(id(c), ".".join(x for x in (name, k) if x))
        for k, p in (*m.named_parameters(), *m.named_buffers()):
            tensors.setdefault(id(p), (f"{name}.{k}" if name else k, p))
    for name, t in reach.tensors:
        tensors.setdefault(id(t), (name, t))
    return list(tensors.values()), paths


class Capture:
    """The state of one recording while it runs."""

    def __init__(self, function: Any, args: Any, flat: list[Any], symbolic: set[Any], reach: Reach) -> None:
        self.function, self.args, self.flat, self.symbolic, self.reach = function, args, flat, symbolic, reach
        self.tracer = Tracer()
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
        given = {id(t) for t in self.flat}
        for name, t in self.tensors:
            if id(t) in given:
                raise Refused(f"the argument '{name}' is also a variable of the step")
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
            self.swap(t, "input", f"in{i}", roomy(t.array))

    def prepare_optimiser(self, entry: Optimiser) -> None:
        """Swap the state of an optimiser, and make its numbers symbols."""
        o, tracer = entry.o, self.tracer
        name = identifier(entry.name or "optimizer", self.taken)
        entry.name = name
        self.objects[name] = o
        if o._optimizer_step_pre_hooks or o._optimizer_step_post_hooks:
            raise Refused(f"{name}: an optimiser with hooks")
        scratch, state = o._scratch, o.state
        self.undo.append(lambda: (o.__dict__.update(_scratch=scratch), o.__dict__.pop("_take", None)))
        o._scratch = {}
        for i, group in enumerate(o.param_groups):
            for key, value in list(group.items()):
                if key == "lr" and type(value) not in (int, float):
                    raise Refused(f"{name}: a learning rate that is no number")
                if (key == "lr" or (id(o), i, key) in self.symbolic) and type(value) in (int, float):
                    word = identifier(f"{name}_{key}" if len(o.param_groups) == 1 else f"{name}_{key}_{i}", self.taken)
                    self.locals[word] = f"{name}.param_groups[{i}][{key!r}]"
                    group[key] = Symbol(value, word, tracer)
                    self.undo.append(lambda g=group, k=key, v=value: dict.__setitem__(g, k, v))
        if not entry.states:
            raise Refused(f"{name} has taken no step yet")
        self.swap_state(entry)

        def back() -> None:
            o.state = state
            dict.clear(o.state)
            for p, s in entry.states.items():
                dict.__setitem__(o.state, p, s)
                dict.clear(s)
                dict.update(s, entry.contents[p])
                if type(s) is State:
                    s.array = None

        self.undo.append(back)
        take, labels = type(o)._take, self.labels

        def taken(*args: Any) -> Any:
            labels.mark("")
            labels.section = "update"
            labels.update = f"{type(o).__name__} step"
            entry.steps += 1
            try:
                return take(o, *args)
            finally:
                labels.mark(labels.update)
                labels.update, labels.section = "", "forward"

        o.__dict__["_take"] = taken

    def swap_state(self, entry: Optimiser) -> None:
        """Swap the state tensors of an optimiser, and make the numbers beside them symbols; equal ones share one."""
        name, tracer = entry.name, self.tracer
        shared: dict[tuple[str, Any], str] = {}
        names = {id(t): n for n, t in self.tensors}
        for p, s in entry.states.items():
            content = entry.contents[p]
            for key, value in content.items():
                if isinstance(value, Tensor):
                    self.swap(value, "live", f"{names.get(id(p), name)}_{key}")
                    entry.tensors.append(value)
                elif type(value) in (int, float):
                    if (key, value) not in shared:
                        word = shared[key, value] = identifier(f"{name}_{key}", self.taken)
                        entry.numbers[word] = (key, [])
                        self.objects[f"{word}_state"] = s
                        self.locals[word] = f"{word}_state[{key!r}]"
                    word = shared[key, value]
                    entry.numbers[word][1].append(s)
                    dict.__setitem__(s, key, Symbol(value, word, tracer))
                elif value is not None:
                    raise Refused(f"{name}: the state '{key}' is neither a tensor nor a number")
            if type(s) is State:
                s.array = None

    def finish_optimiser(self, entry: Optimiser) -> None:
        """Note how the numbers of an optimiser have changed."""
        o = entry.o
        if list(o.state) != list(entry.states):
            raise Refused(f"{entry.name}: a parameter has no state yet")
        for word, (key, states) in entry.numbers.items():
            found = set()
            for p, s in entry.states.items():
                if any(s is x for x in states):
                    value = o.state[p].get(key)
                    if type(value) is not Symbol:
                        raise Refused(f"{entry.name}: the formula of the state '{key}' is not recorded")
                    found.add(value.text)
            if len(found) != 1:
                raise Refused(f"{entry.name}: the state '{key}' goes on differently for some parameters")
            text = found.pop()
            if text != word:
                value = next(o.state[p][key].value for p, s in entry.states.items() if any(s is x for x in states))
                entry.after.append((key, text, states, value))
        for p in entry.states:
            now, before = o.state[p], entry.contents[p]
            if set(now) != set(before) or any(now[k] is not v for k, v in before.items() if isinstance(v, Tensor)):
                raise Refused(f"{entry.name}: the state of a parameter has no fixed form yet")
            if any(type(now[k]) is not Symbol for k, v in before.items() if type(v) in (int, float)):
                raise Refused(f"{entry.name}: a number of the state is not recorded")
        for i, group in enumerate(o.param_groups):
            for key, value in group.items():
                if type(value) is Symbol and value.text not in self.locals:
                    raise Refused(f"{entry.name}: the step changes {key!r} of a parameter group")
                if key == "lr" and type(value) is not Symbol:
                    raise Refused(f"{entry.name}: the step changes the learning rate of group {i}")

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
                self.prepare_optimiser(entry)
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
                stack.enter_context(new.redirect(Maker(self.tracer)))
                token = mode.but(observers=(self.labels,))
                MODE.set(token)
                with watching(self.reach.codes) as watch:
                    returned = self.function(*self.args[0], **self.args[1])
                self.labels.mark("")
                if MODE.get() is not token:
                    raise Refused("the step changes the gradient mode")
                if watch.found:
                    raise Refused(watch.found)
                for entry in r.optimisers:
                    self.finish_optimiser(entry)
                finished = self.results(r, returned)
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
        r.tracer, r.calls, r.reach, r.locals, r.objects = (
            self.tracer,
            self.tracer.calls,
            self.reach,
            self.locals,
            self.objects,
        )
        r.live_tensors = self.live
        return r

    def results(self, r: Recording, returned: Any) -> bool:
        """Note what the step returns and which gradients it leaves."""
        tracer = self.tracer
        if any(t.array is not recorded for t, recorded in self.swapped):
            raise Refused("the step gives a tensor another array (.data = ...)")
        known = {id(t) for _, t in self.tensors} | {id(t) for t in self.flat}

        def result(v: Any) -> Any:
            if isinstance(v, Tensor):
                if id(v) in known:
                    return (
                        ("same", v) if not any(v is t for t in self.flat) else _refuse("the step returns an argument")
                    )
                if v.node is not None and v.node.saved is not None and v.node.op.frees is True:
                    _refuse("it returns a tensor whose gradients may still be asked for")
                if v.node is not None and not any(c.section == "backward" for c in tracer.calls):
                    _refuse("it returns a tensor whose gradients may still be asked for")
                region = tracer.region(v.array)
                if region.memory.kind not in ("temp", "constant"):
                    _refuse("it returns a view of a variable")
                return ("new", region, type(v))
            if type(v) in (list, tuple):
                return (type(v), [result(x) for x in v])
            if type(v) is dict:
                return (dict, list(v), [result(x) for x in v.values()])
            if v is None or type(v) in (int, float, str, bool):
                return ("value", v)
            raise Refused(f"the step returns an object of {type(v).__name__}")

        r.result = result(returned)
        r.grads = []
        names = {id(t): n for n, t in self.tensors}
        for t in self.flat:
            if t.tracked or t._grad is not None:
                raise Refused("an argument requires gradients")
        for _, t in self.tensors:
            before = self.start_grads.get(id(t))
            if t._grad is None:
                r.grads.append((t, names[id(t)], None))
                continue
            if t._grad.tracked or t._grad.hooks:
                raise Refused(f"the gradient of '{names[id(t)]}' has a graph of its own")
            region = tracer.region(t._grad.array)
            if region.memory.kind == "grad":
                if region.memory is not before:
                    raise Refused("a gradient was moved to another tensor")
                continue  # no backward pass reached it
            if region.memory.kind not in ("temp", "constant"):
                raise Refused(f"the gradient of '{names[id(t)]}' shares memory with a variable")
            r.grads.append((t, names[id(t)], region))
        grads = {m.id for m in tracer.memories if m.kind == "grad"}
        inputs = {m.id for m in tracer.memories if m.kind == "input"}
        for c in tracer.calls:
            if any(x.memory.id in grads for x in (*c.reads(), *c.outs)):
                raise Refused("gradients of an earlier step are added to; call zero_grad() in the step")
            if any(x.memory.id in inputs for x in c.outs):
                raise Refused("the step changes an argument in place")
        r.inputs = [tracer.region(t.array) for t in self.flat]
        return True


def _refuse(why: str) -> Any:
    raise Refused(why)


@contextmanager
def locked() -> Iterator[None]:
    """Let one recording run at a time."""
    with LOCK:
        if CURRENT:
            raise Refused("a step inside another compiled step")
        yield
