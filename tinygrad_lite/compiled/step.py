"""A compiled step or function: choose a program, or record one, or run as written."""

from __future__ import annotations

import functools
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from tinygrad_lite.compiled.capture import Capture, Recording, locked
from tinygrad_lite.compiled.effects import watching
from tinygrad_lite.compiled.guards import Guard
from tinygrad_lite.compiled.passes import optimise
from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.compiled.reach import Reach
from tinygrad_lite.compiled.source import build, wrapped
from tinygrad_lite.compiled.verify import Snapshot, verify
from tinygrad_lite.engine.arrays import get_default_dtype
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import change_of, owner, tick
from tinygrad_lite.random import default_generator

SHAPES = 8
"""The number of programs, one per shape of the arguments, after which a step stays eager."""
RETRIES = 16
"""The number of recordings for equal arguments, after guards failed, after which a step stays eager."""


class Program:
    """One recorded, optimised and verified step."""

    def __init__(self, r: Recording, bumps: list[Any]) -> None:
        self.r = r
        optimise(r)
        self.run, self.inputs, self.source, self.facts, self.space = build(r)
        self.guard = Guard(r)
        self.grads = [t for t, _, _ in r.grads]
        self.changes = [(change_of(a), n) for a, n in bumps]
        self.after = [(key, states) for e in r.optimisers for key, _, states, _ in e.after]
        self.counts = [(e.o, e.steps) for e in r.optimisers if e.steps]
        self.live = {id(m.own) for m in r.tracer.memories if m.kind == "live"}
        self.live |= {id(a) for _, a in r.live_tensors}
        self.plain = r.result[0] == "new"
        last = max((i for i, c in enumerate(r.calls) if c.may_raise), default=-1)
        early = {w.memory.id: w.memory for c in r.calls[: last + 1] for w in c.outs if w.memory.kind == "live"}
        self.early = [m.own for m in early.values()]
        self.draws = any(c.kind == "random" for c in r.calls[: last + 1])
        self.calls = 0

    def __call__(self, flat: list[Tensor]) -> Any:
        """Run the program; raise Missed with nothing changed if it does not fit the numbers."""
        for t, target in zip(flat, self.inputs, strict=True):
            target[...] = t.array
        if self.early or self.draws:
            saved = [a.copy() for a in self.early]
            random = default_generator().bit_generator.state if self.draws else None
            try:
                value, grads, numbers = self.run()
            except Exception:
                for a, content in zip(self.early, saved, strict=True):
                    a[...] = content
                if random is not None:
                    default_generator().bit_generator.state = random
                raise
        else:
            value, grads, numbers = self.run()
        for p, g in zip(self.grads, grads, strict=True):
            p._grad = None if g is None else make(g.copy())
        put = dict.__setitem__
        for (key, states), number in zip(self.after, numbers, strict=True):
            for s in states:
                put(s, key, number)
        for o, n in self.counts:
            o.count += n
        if self.changes:
            now, frame = tick(), sys._getframe(1)
            for change, n in self.changes:
                change.count += n
                change.when = now
                change.line = frame.f_code, frame.f_lasti
        self.calls += 1
        return make(value.copy()) if self.plain else wrapped(self.r.result, value, make)


def flatten(value: Any, flat: list[Tensor]) -> Any:
    """Collect the tensors of an argument and return what must stay equal about it; raise Refused for other objects."""
    if isinstance(value, Tensor):
        if value.node is not None or value.tracked or value.level or type(value) is not Tensor:
            raise Refused("an argument requires gradients or is no plain tensor")
        flat.append(value)
        return value.array.shape, value.array.dtype, value.array.strides
    if value is None or type(value) in (int, float, bool, str):
        return type(value), value
    if type(value) in (list, tuple):
        return type(value), tuple(flatten(v, flat) for v in value)
    if type(value) is dict:
        return dict, tuple((k, flatten(v, flat)) for k, v in value.items())
    raise Refused(f"an argument is a {type(value).__name__}; tensors and numbers can be given to a compiled step")


def rebuilt(value: Any, tensors: Any) -> Any:
    """Return an argument with its tensors replaced, in order."""
    if isinstance(value, Tensor):
        return next(tensors)
    if type(value) in (list, tuple):
        return type(value)(rebuilt(v, tensors) for v in value)
    if type(value) is dict:
        return {k: rebuilt(v, tensors) for k, v in value.items()}
    return value


class Compiled:
    """A function whose runs become programs; made by `compile`."""

    def __init__(self, function: Any, fullgraph: bool = False) -> None:
        self._function, self._fullgraph = function, fullgraph
        self._programs: dict[Any, list[Program]] = {}
        self._recordings: dict[Any, int] = {}
        self._eager: str | None = None
        self._busy = False
        self._watched: dict[Any, Reach] = {}
        self._symbolic: set[Any] = set()
        self._misses: list[str] = []
        self._thread = threading.get_ident()
        self._last: Program | None = None
        self.__doc__ = getattr(function, "__doc__", None)
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __getattr__(self, name: str) -> Any:
        """Find the attributes of the function or module itself."""
        return getattr(self.__dict__["_function"], name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind as a method."""
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for these arguments; record one, or run as written, where there is none."""
        mode = MODE.get()
        if self._eager is not None or self._busy or mode.observers or threading.get_ident() != self._thread:
            return self._function(*args, **kwargs)
        self._busy = True
        try:
            return self._call(mode, args, kwargs)
        finally:
            self._busy = False

    def _call(self, mode: Any, args: Any, kwargs: Any) -> Any:
        flat: list[Tensor] = []
        try:
            form = flatten(args, flat), flatten(kwargs, flat) if kwargs else None
            key = form, mode.grad, mode.guard, mode.inference, get_default_dtype()
            hash(key)
        except Refused as error:
            return self._refuse(str(error), args, kwargs)
        reason = "the first call"
        for program in self._programs.get(key, ()):
            changed = program.guard.changed()
            if changed is None and flat:
                changed = next((f"argument {i} is a variable of the step" for i, t in enumerate(flat)
                                if id(owner(t.array)) in program.live), None)  # fmt: skip
            if changed is None:
                try:
                    result = program(flat)
                except FloatingPointError:
                    raise
                except Exception as error:
                    self._missed(key, f"a check inside the program: {error}")
                    return self._function(*args, **kwargs)
                self._last = program
                return result
            reason = changed
            for o in program.guard.optimisers:
                if o.changed_key is not None:
                    self._symbolic.add(o.changed_key)
        return self._record(key, reason, args, kwargs, flat)

    # -------------------------------------------------------------------------------- eager
    def _missed(self, key: Any, why: str) -> None:
        self._misses.append(why)
        n = self._recordings[key] = self._recordings.get(key, 0) + 1
        if n > RETRIES:
            self._give_up(f"its guards fail too often ({why})")

    def _give_up(self, why: str) -> None:
        self._eager = why
        name = getattr(self._function, "__name__", type(self._function).__name__)
        if self._fullgraph:
            raise RuntimeError(f"compile: {name} cannot become a program: {why}")
        warnings.warn(f"compile: {name} runs as it is written: {why}", RuntimeWarning, stacklevel=5)

    def _refuse(self, why: str, args: Any, kwargs: Any) -> Any:
        self._give_up(why)
        return self._function(*args, **kwargs)

    # -------------------------------------------------------------------------------- recording
    def _record(self, key: Any, reason: str, args: Any, kwargs: Any, flat: list[Tensor]) -> Any:
        """Run as written, and make a program for the next call if this one is like the watched one before."""
        if key in self._programs:
            self._missed(key, reason)
        if self._eager is not None:
            return self._function(*args, **kwargs)
        try:
            reach = self._watched.get(key)
            if reach is None or reach.changed() is not None:
                return self._watch(key, args, kwargs)
            reach = Reach(self._function)
            program = self._program(reach, args, kwargs, flat)
        except Refused as error:
            return self._refuse(str(error), args, kwargs)
        result = self._function(*args, **kwargs)

        def run(inputs: list[Tensor]) -> Any:
            each = iter(inputs)
            return self._function(*rebuilt(args, each), **rebuilt(kwargs, each))

        counts = [(change, change.count) for change, _ in program.changes]
        try:
            changed = reach.changed()
            if changed is not None:
                raise Refused(f"the step changes {changed}")
            if not all(o.refreshed() for o in program.guard.optimisers):
                raise Refused("the state of an optimizer has no fixed form yet")
            verify(run, program, flat, program.r)
        except Exception as error:
            self._give_up(str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}")
            return result
        finally:
            for change, n in counts:
                change.count = n
        program.calls = 0
        self._programs.setdefault(key, []).insert(0, program)
        del self._programs[key][4:]
        self._last = program
        return result

    def _program(self, reach: Reach, args: Any, kwargs: Any, flat: list[Tensor]) -> Program:
        """Record the step and put everything back that the recording has changed."""
        capture = Capture(self._function, (args, kwargs), flat, self._symbolic, reach)
        tensors = [t for _, t in capture.tensors]
        opts = [o for _, o in reach.optimizers]
        states = [v for o in opts for s in o.state.values() for v in s.values() if isinstance(v, Tensor)]
        arrays = [t.array for t in (*tensors, *states, *flat)] + [a for _, a in reach.arrays]
        before = Snapshot(arrays, tensors, opts)
        versions = [(a, change_of(a), change_of(a).count) for a, _ in before.arrays]
        try:
            with locked():
                recording = capture.run()
            bumps = [(a, change.count - n) for a, change, n in versions if change.count > n]
        except Exception as error:
            inner = error if isinstance(error, Refused) else error.__cause__
            if isinstance(inner, Refused):
                raise inner from None
            raise Refused(f"recording failed: {type(error).__name__}: {error}") from error
        finally:
            before.restore()
            for _, change, n in versions:
                change.count = n
        try:
            return Program(recording, bumps)
        except Exception as error:
            raise Refused(f"building failed: {type(error).__name__}: {error}") from error

    def _watch(self, key: Any, args: Any, kwargs: Any) -> Any:
        """Run as written, watching for effects that a program could not repeat."""
        if key in self._watched:
            self._missed(key, "variables of the step change from call to call")
        elif len(self._watched) >= SHAPES:
            raise Refused(f"more than {SHAPES} shapes of its arguments")
        if self._eager is not None:
            return self._function(*args, **kwargs)
        reach = Reach(self._function)
        with watching(reach.codes) as watch:
            result = self._function(*args, **kwargs)
        self._watched[key] = reach
        changed = reach.changed()
        if watch.found or changed:
            self._give_up(watch.found or f"the step changes {changed}")
        return result

    # -------------------------------------------------------------------------------- looking at it
    @property
    def source(self) -> str:
        """The program that ran last, as readable NumPy; empty while there is none."""
        return "" if self._last is None else self._last.source

    def explain(self) -> str:
        """Return a text: programs by shape, guards, what stays eager and why."""
        name = getattr(self._function, "__name__", type(self._function).__name__)
        lines = [f"{name}: " + (f"runs as it is written: {self._eager}" if self._eager else "compiled")]
        for key, programs in self._programs.items():
            for p in programs:
                f = p.facts
                lines.append(
                    f"  arguments {_shown(key[0][0])}: {f['recorded']} calls recorded, {f['calls']} left, "
                    f"{f['bytes before']:,} bytes of temporaries in {f['bytes']:,}, {p.calls} runs"
                )
                if p.guard.assumed is not None:
                    lines += [f"    guard: {text}" for text in p.guard.texts]
                lines.append(f"    guards: {len(p.guard.tensors)} tensors, {len(p.guard.reach.watched)} objects, "
                             f"{len(p.guard.reach.names) + len(p.guard.reach.cells)} variables")  # fmt: skip
        lines += [f"  recorded again: {why}" for why in self._misses[-8:]]
        return "\n".join(lines)

    def save_source(self, path: Any) -> None:
        """Write the program that ran last to a file, to be read."""
        if self._last is None:
            raise RuntimeError("save_source: there is no program yet; call the step twice first")
        Path(path).write_text(self._last.source, encoding="utf-8")

    def __repr__(self) -> str:
        return f"compile({self._function!r})"


def _shown(form: Any) -> str:
    return (
        ", ".join("x".join(map(str, part[0])) or "0-d" if type(part[0]) is tuple else str(part[1]) for part in form[1])
        or "none"
    )
