"""Optimisers in a recording: their state is swapped, and their numbers become symbols with a formula."""

from __future__ import annotations

import sys
from typing import Any

from tinygrad_lite.compiled.naming import identifier
from tinygrad_lite.compiled.numbers import Symbol, plain
from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.compiled.reach import of_package
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.optim.lbfgs import LBFGS
from tinygrad_lite.optim.state import State


class Unshared(dict[Any, Any]):
    """The scratch memory of an optimiser in a recording: none is kept, so that each parameter has its own."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Forget it."""


class Optimiser:
    """One optimiser in a recording: its state tensors, its numbers, and how they change."""

    def __init__(self, name: str, o: Any) -> None:
        self.name, self.o = name, o
        self.idle = not o.state or isinstance(o, LBFGS)
        """Whether the step only clears its gradients, as the closure of L-BFGS does: its state does not matter then."""
        self.states = {} if self.idle else dict(o.state)
        self.contents = {p: dict(s) for p, s in self.states.items()}
        self.tensors: list[Tensor] = []
        self.numbers: dict[str, tuple[Any, list[Any]]] = {}  # variable: (key, states that share it)
        self.after: list[tuple[str, str, Any, Any]] = []  # (key, formula, states, value)
        self.count, self.steps = o.count, 0


def prepare(capture: Any, entry: Optimiser) -> None:
    """Swap the state of an optimiser, and make its numbers symbols."""
    o, tracer = entry.o, capture.tracer
    name = identifier(entry.name or "optimizer", capture.taken)
    entry.name = name
    capture.objects[name] = o
    if o._optimizer_step_pre_hooks or o._optimizer_step_post_hooks:
        raise Refused(f"{name}: an optimiser with hooks")
    scratch, state = o._scratch, o.state
    capture.undo.append(lambda: (o.__dict__.update(_scratch=scratch), o.__dict__.pop("_take", None)))
    o._scratch = Unshared()
    for i, group in enumerate(o.param_groups):
        for key, value in list(group.items()):
            if key == "lr" and type(value) not in (int, float):
                raise Refused(f"{name}: a learning rate that is no number")
            if (key == "lr" or (id(o), i, key) in capture.symbolic) and type(value) in (int, float):
                word = identifier(f"{name}_{key}" if len(o.param_groups) == 1 else f"{name}_{key}_{i}", capture.taken)
                capture.locals[word] = f"{name}.param_groups[{i}][{key!r}]"
                group[key] = Symbol(value, word, tracer)
                capture.undo.append(lambda g=group, k=key, v=value: dict.__setitem__(g, k, v))
    if entry.idle:
        o.__dict__["_take"] = lambda *args: idle_step(name, o)
        return
    swap_state(capture, entry)

    def back() -> None:
        o.state = state
        dict.clear(o.state)
        for p, s in entry.states.items():
            dict.__setitem__(o.state, p, s)
            dict.clear(s)
            dict.update(s, entry.contents[p])
            if type(s) is State:
                s.array = None

    capture.undo.append(back)
    take, labels = type(o)._take, capture.labels

    def taken(*args: Any) -> Any:
        labels.mark("")
        labels.section = "update"
        labels.update = f"{type(o).__name__} step"
        entry.steps += 1
        done, watch = len(tracer.calls), sys.getprofile()
        if of_package(type(o)):
            sys.setprofile(None)
        try:
            return take(o, *args)
        finally:
            sys.setprofile(watch)
            labels.mark(labels.update)
            labels.by_parameter(tracer.calls[done:], {tracer.region(p.array).memory.id for p in entry.states})
            labels.update, labels.section = "", "forward"

    o.__dict__["_take"] = taken


def idle_step(name: str, o: Any) -> None:
    """Refuse a step of an optimiser that was taken for idle."""
    if o.state:
        raise Refused(f"{name}: {type(o).__name__} chooses its steps by their results; compile its closure")
    raise Refused(f"{name} has taken no step yet")


def swap_state(capture: Any, entry: Optimiser) -> None:
    """Swap the state tensors of an optimiser, and make the numbers beside them symbols; equal ones share one."""
    name, tracer = entry.name, capture.tracer
    shared: dict[tuple[str, Any], str] = {}
    names = {id(t): n for n, t in capture.tensors}
    for p, s in entry.states.items():
        content = entry.contents[p]
        for key, value in content.items():
            if isinstance(value, Tensor):
                capture.swap(value, "live", f"{names.get(id(p), name)}_{key}")
                entry.tensors.append(value)
            elif type(value) in (int, float):
                if (key, value) not in shared:
                    word = shared[key, value] = identifier(f"{name}_{key}", capture.taken)
                    entry.numbers[word] = (key, [])
                    capture.objects[f"{word}_state"] = s
                    capture.locals[word] = f"{word}_state[{key!r}]"
                word = shared[key, value]
                entry.numbers[word][1].append(s)
                dict.__setitem__(s, key, Symbol(value, word, tracer))
            elif value is not None:
                raise Refused(f"{name}: the state '{key}' is neither a tensor nor a number")
        if type(s) is State:
            s.array = None


def finish(capture: Any, entry: Optimiser) -> None:
    """Note how the numbers of an optimiser have changed."""
    o = entry.o
    if not entry.idle and list(o.state) != list(entry.states):
        raise Refused(f"{entry.name}: a parameter has no state yet")
    for word, (key, states) in entry.numbers.items():
        found = set()
        for p, s in entry.states.items():
            if any(s is x for x in states):
                value = o.state[p].get(key)
                # an ordinary number follows from comparisons, which are guards
                found.add(value.text if type(value) is Symbol else repr(value))
        if len(found) != 1:
            raise Refused(f"{entry.name}: the state '{key}' goes on differently for some parameters")
        text = found.pop()
        if text != word:
            value = next(plain(o.state[p][key]) for p, s in entry.states.items() if any(s is x for x in states))
            entry.after.append((key, text, states, value))
    for p in entry.states:
        now, before = o.state[p], entry.contents[p]
        if set(now) != set(before) or any(now[k] is not v for k, v in before.items() if isinstance(v, Tensor)):
            raise Refused(f"{entry.name}: the state of a parameter has no fixed form yet")
        if any(not isinstance(now[k], (int, float)) for k, v in before.items() if type(v) in (int, float)):
            raise Refused(f"{entry.name}: a number of the state is not recorded")
    for i, group in enumerate(o.param_groups):
        for key, value in group.items():
            if type(value) is Symbol and value.text not in capture.locals:
                raise Refused(f"{entry.name}: the step changes {key!r} of a parameter group")
            if key == "lr" and type(value) is not Symbol:
                raise Refused(f"{entry.name}: the step changes the learning rate of group {i}")
