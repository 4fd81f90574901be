"""The guards of a program: everything outside the arguments that it takes for granted, checked at every call."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.hooks import ACTIVE
from tinygrad_lite.optim.hooks import AFTER, BEFORE
from tinygrad_lite.optim.optimizer import State


class OptimiserGuard:
    """The groups and the state of one optimiser."""

    def __init__(self, entry: Any, locals_: dict[str, str]) -> None:
        self.o = o = entry.o
        self.entry = entry
        self.groups = o.param_groups
        self.symbols = [
            {k for k in g if f"{entry.name}.param_groups[{i}][{k!r}]" in locals_.values()}
            for i, g in enumerate(o.param_groups)
        ]
        self.before = [dict(g) for g in o.param_groups]
        self.params = [list(g["params"]) for g in o.param_groups]
        self.changed_key: Any = None
        self.shared = [(key, states, states[0]) for key, states in entry.numbers.values() if len(states) > 1]
        self.tensors = [(s, k, v) for s in entry.states.values() for k, v in dict(s).items() if isinstance(v, Tensor)]
        self.keys = [(s, len(s)) for s in entry.states.values()]

    def changed(self) -> str | None:
        """Return what differs, or None."""
        o, entry = self.o, self.entry
        groups = o.param_groups
        if len(groups) != len(self.before):
            return "the number of parameter groups"
        for i, (group, before) in enumerate(zip(groups, self.before, strict=True)):
            if group["params"] != self.params[i]:
                return "the parameters of a group"
            if group is not self.groups[i]:
                return "a parameter group"
            if group != before:
                if len(group) != len(before):
                    return "the options of a parameter group"
                for key, value in group.items():
                    old = before.get(key, self)
                    if value is old:
                        continue
                    if key in self.symbols[i] and type(value) in (int, float):
                        before[key] = value
                    elif key == "params" or type(value) is not type(old) or value != old:
                        self.changed_key = (id(o), i, key) if type(value) in (int, float) else None
                        return f"{key!r} of a parameter group"
        if o.state != entry.states and not self.refreshed():
            return "the state of the optimizer"
        for s, n in self.keys:
            if len(s) != n:
                return "the state of the optimizer"
        for s, key, tensor in self.tensors:
            if s.get(key) is not tensor:
                return f"the state '{key}'"
        for key, states, first in self.shared:
            value = first[key]
            for s in states:
                if s[key] != value:
                    return f"the state '{key}' of some parameters"
        if o._optimizer_step_pre_hooks or o._optimizer_step_post_hooks:
            return "the hooks of the optimizer"
        return None

    def refreshed(self) -> bool:
        """Put the recorded state objects back where an eager step has made new ones around the same tensors."""
        o, entry = self.o, self.entry
        if list(o.state) != list(entry.states):
            return False
        for p, s in entry.states.items():
            now = o.state[p]
            if set(now) != set(s) or any(now[k] is not v for k, v in s.items() if isinstance(v, Tensor)):
                return False
        for p, s in entry.states.items():
            now = o.state[p]
            if now is not s:
                dict.update(s, now)
                if type(s) is State:
                    s.array = None
                dict.__setitem__(o.state, p, s)
        return True


class Guard:
    """All guards of one program."""

    def __init__(self, r: Recording) -> None:
        self.reach = r.reach
        self.tensors = [(t, array, t.tracked, t._grad is None) for t, array in r.live_tensors]
        self.optimisers = [OptimiserGuard(e, r.locals) for e in r.optimisers]
        self.assumed = None
        if r.tracer.assumed:
            source = ", ".join(f"(({text}) == {value})" for text, value in r.tracer.assumed.items())
            lines = "".join(f"    {word} = {text}\n" for word, text in r.locals.items())
            space = dict(r.objects)
            exec(f"def assumed():\n{lines}    return all(({source},))\n", space)
            self.assumed = space["assumed"]
            self.texts = [f"{text} is {value}" for text, value in r.tracer.assumed.items()]

    def changed(self) -> str | None:
        """Return what differs from the time of the recording, or None."""
        if ACTIVE or BEFORE or AFTER:
            return "hooks for all modules or optimizers"
        for t, array, tracked, none in self.tensors:
            if t.array is not array:
                return "the memory of a tensor"
            if t.tracked is not tracked or t.node is not None:
                return "requires_grad of a tensor"
            if (t._grad is None) is not none:
                return "whether a tensor has a gradient"
            if t.hooks:
                return "the hooks of a tensor"
        for o in self.optimisers:
            if (found := o.changed()) is not None:
                return found
        if (found := self.reach.changed()) is not None:
            return found
        if self.assumed is not None and not self.assumed():
            return "a number of the optimizer"
        return None
