"""The guards of a program: everything outside the arguments that it takes for granted, checked at every call.

All of it is one generated expression, with the objects as constants. Where it fails, the same questions are asked one
by one: a learning rate may change, and the reason for a new recording is told.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.engine.divert import UPDATES
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.hooks import ACTIVE
from tinygrad_lite.optim.hooks import AFTER, BEFORE
from tinygrad_lite.optim.state import State


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

    def terms(self, c: Constants) -> list[str]:
        """Return the conditions as source."""
        o, states = c(self.o), c(self.entry.states)
        found = [] if self.entry.idle else [f"{o}.state == {states}"]
        found += [f"len({o}.param_groups) == {len(self.before)}", f"not {o}._optimizer_step_pre_hooks",
                  f"not {o}._optimizer_step_post_hooks"]  # fmt: skip
        for i, (g, before, params) in enumerate(zip(self.groups, self.before, self.params, strict=True)):
            name = c(g)
            found.append(
                f"{o}.param_groups[{i}] is {name} and {name} == {c(before)} and {name}['params'] == {c(params)}"
            )
        found += [f"len({c(s)}) == {n}" if n else f"not {c(s)}" for s, n in self.keys]
        found += [f"{c(s)}[{k!r}] is {c(t)}" for s, k, t in self.tensors]
        for key, states_, first in self.shared:
            found.append(" == ".join(f"{c(s)}[{key!r}]" for s in (first, *states_[1:])))
        return found

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
        if not entry.idle and o.state != entry.states and not self.refreshed():
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
        if entry.idle or list(o.state) != list(entry.states):
            return bool(entry.idle)
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


def renamed(text: str, names: dict[str, str]) -> str:
    """Return a formula with variables replaced."""
    return re.sub(r"[A-Za-z_]\w*", lambda m: names.get(m[0], m[0]), text)


class Constants:
    """Short names for the objects that a generated condition compares with."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.space: dict[str, Any] = {}

    def __call__(self, value: Any) -> str:
        """Return the name of an object."""
        name = self.names.setdefault(id(value), f"k{len(self.names)}")
        self.space[name] = value
        return name


class Guard:
    """All guards of one program. ``variables`` are tensors that a step may give gradients to, ``others`` its state."""

    def __init__(self, r: Recording) -> None:
        self.native = len(UPDATES)
        self.r, self.reach, self.whole = r, r.reach, r.gradient is None
        state = {id(t) for e in r.optimisers for t in e.tensors}
        live = [(t, array, t.tracked, t._grad is None) for t, array in r.live_tensors]
        self.variables = [x for x in live if id(x[0]) not in state]
        self.others = [x for x in live if id(x[0]) in state]
        self.optimisers = [OptimiserGuard(e, r.locals) for e in r.optimisers]
        self.grads = self.whole or any("grad" in code.co_names for code in r.reach.codes)
        self.assumed = None
        if r.tracer.assumed:
            source = ", ".join(f"(({text}) == {value})" for text, value in r.tracer.assumed.items())
            lines = "".join(f"    {word} = {text}\n" for word, text in r.locals.items())
            space = dict(r.objects)
            exec(f"def assumed():\n{lines}    return all(({source},))\n", space)
            self.assumed = space["assumed"]
            self.texts = [f"{text} is {value}" for text, value in r.tracer.assumed.items()]
        self.text, self.space = self.condition()

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return the expression that asks everything at once, and its constants; a program fits where it is True."""
        c = Constants()
        terms = [f"not {c(ACTIVE)}", f"not {c(BEFORE)}", f"not {c(AFTER)}", f"len({c(UPDATES)}) == {self.native}"]
        for t, array, tracked, none in self.variables:
            name = c(t)
            terms.append(
                f"{name}.array is {c(array)} and {name}.node is None and {'' if tracked else 'not '}{name}.tracked"
            )
            if self.grads:
                terms.append(f"{name}._grad is {'' if none else 'not '}None")
            if self.whole:
                terms.append(f"not {name}.hooks")
        terms += [f"{c(t)}.array is {c(array)}" for t, array, _, _ in self.others]
        for o in self.optimisers:
            terms += o.terms(c)
        terms += self.reach.terms(c)
        objects = {name: c(o) for name, o in self.r.objects.items()}
        for text, value in self.r.tracer.assumed.items():
            text = renamed(text, {k: f"({v})" for k, v in self.r.locals.items()})
            terms.append(f"({renamed(text, objects)}) == {value!r}")
        return " and ".join(terms), c.space

    @functools.cached_property
    def fits(self) -> Any:
        """The expression as a function; a call that goes the express way has it inside that, and never needs it."""
        space = dict(self.space)
        # a comparison fails for some objects of the user's
        exec(f"def fits():\n    try:\n        return {self.text}\n    except Exception:\n        return False", space)
        return space["fits"]

    def changed(self) -> str | None:
        """Return what differs from the time of the recording, or None."""
        return None if self.fits() is True else self.reason()

    def reason(self) -> str | None:
        """Ask one by one, and return what differs, or None."""
        if ACTIVE or BEFORE or AFTER:
            return "hooks for all modules or optimizers"
        if len(UPDATES) != self.native:
            return "whether native loops are in use"
        for t, array, tracked, none in self.variables:
            if t.array is not array:
                return "the memory of a tensor"
            if t.tracked is not tracked or t.node is not None:
                return "requires_grad of a tensor"
            if self.grads and (t._grad is None) is not none:
                return "whether a tensor has a gradient"
            if self.whole and t.hooks:
                return "the hooks of a tensor"
        for t, array, _, _ in self.others:
            if t.array is not array:
                return "the memory of the state of an optimizer"
        for o in self.optimisers:
            if (found := o.changed()) is not None:
                return found
        if (found := self.reach.changed()) is not None:
            return found
        if self.assumed is not None and not self.assumed():
            return "a number of the optimizer"
        return None
