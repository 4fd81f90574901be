"""A compiled step or function: choose a program, or record one, or run as written."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import warnings
import weakref
from contextlib import nullcontext
from typing import Any

from tinygrad_lite.compiled.arguments import Bypass, flatten, names_of, placeholders, quick_check, rebuilt, shown
from tinygrad_lite.compiled.capture import Capture, locked
from tinygrad_lite.compiled.drawn import Drawing
from tinygrad_lite.compiled.effects import watching
from tinygrad_lite.compiled.express import MISS, express
from tinygrad_lite.compiled.gradients import Differentiable, both_passes, programs_passes, seeds_of
from tinygrad_lite.compiled.loops import exact
from tinygrad_lite.compiled.makers import Lean, fusible
from tinygrad_lite.compiled.printed import Printed, Unprintable
from tinygrad_lite.compiled.program import Missed, Refused
from tinygrad_lite.compiled.reach import Reach
from tinygrad_lite.compiled.replay import Program
from tinygrad_lite.compiled.saved import save
from tinygrad_lite.compiled.source import Built
from tinygrad_lite.compiled.verify import Snapshot, close, equal, verify
from tinygrad_lite.compiled.walked import Walked
from tinygrad_lite.engine import new
from tinygrad_lite.engine.arrays import get_default_dtype
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.source import OURS
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.engine.versions import change_of, owner
from tinygrad_lite.native.library import works
from tinygrad_lite.native.routes import in_use
from tinygrad_lite.ops.threads import get_num_threads, set_num_threads

SHAPES = 8
"""The number of programs, one per shape of the arguments, after which a step stays eager."""
RETRIES = 16
"""The number of recordings for equal arguments, after guards failed, after which a step stays eager."""
WARM = 200
"""The number of runs of a program after which the default backend makes machine code: a few would not repay it."""
RECORDING: set[int] = set()
"""The threads in which a recording is being made: what is compiled inside runs as written meanwhile."""


def name_of(function: Any) -> str:
    """Return the name of a function, or of the class of a module."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", None) or type(function).__name__)


class Way:
    """The generated function for calls whose program fits, if there is one, and whether a call is running.

    An object of its own, as attributes of `Compiled` are slow to find: it has a ``__getattr__``.
    """

    __slots__ = ("busy", "express")

    def __init__(self) -> None:
        self.busy, self.express = False, None

    express: Any


class Compiled:
    """A function whose runs become programs; made by `compile`.

    >>> import tinygrad_lite as tl
    >>> @tl.compile
    ... def twice(x):
    ...     return x * 2
    ...
    >>> twice(tl.ones(2))
    tensor([2., 2.])
    >>> type(twice).__name__
    'Compiled'
    """

    __compiled__ = True

    def __init__(self, function: Any, fullgraph: bool = False, native: bool | None = None) -> None:
        self._function, self._fullgraph, self._native = function, fullgraph, native
        self._programs: dict[Any, list[Program]] = {}
        self._recordings: dict[Any, int] = {}
        self._eager: str | None = None
        self._way = Way()
        self._watched: dict[Any, Reach] = {}
        self._settled: set[Any] = set()
        self._symbolic: set[Any] = set()
        self._present: dict[Any, Any] = {}
        self._misses: list[str] = []
        self._thread = threading.get_ident()
        self._last: Program | None = None
        self._frame: Any = None
        self._bound: Any = None
        self.__wrapped__ = function
        for name in ("__doc__", "__name__", "__qualname__", "__module__"):
            if hasattr(function, name):
                setattr(self, name, getattr(function, name))

    def __getattr__(self, name: str) -> Any:
        """Find the attributes of the function itself."""
        if name == "_function":
            raise AttributeError(name)
        return getattr(self._function, name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind as a method: each instance has programs of its own."""
        if instance is None:
            return self
        self._bound = weakref.WeakKeyDictionary() if self._bound is None else self._bound
        if instance not in self._bound:
            self._bound[instance] = Compiled(
                functools.partial(self._function, weakref.proxy(instance)), self._fullgraph, self._native
            )
        return self._bound[instance]

    def __reduce__(self) -> Any:
        return type(self), (self._function, self._fullgraph, self._native)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for these arguments; record one, or run as written, where there is none."""
        way = self._way
        if (express := way.express) is not None and not kwargs and not way.busy:
            way.busy = True
            try:
                result = express(args)
            except FloatingPointError:
                raise
            except Missed:
                result = MISS
            except Exception as error:
                self._missed(self._last.key, f"a check inside the program: {error}")  # type: ignore[union-attr]
                return self._function(*args)
            finally:
                way.busy = False
            if result is not MISS:
                return result
        mode, thread = MODE.get(), threading.get_ident()
        if self._eager is not None or way.busy or mode.observers or thread != self._thread or thread in RECORDING:
            return self._function(*args, **kwargs)
        way.busy = True
        try:
            return self._call(mode, args, kwargs)
        finally:
            way.busy = False

    def _call(self, mode: Any, args: Any, kwargs: Any) -> Any:
        flat: list[Tensor] = []
        objects: list[Any] = []
        try:
            form = flatten(args, flat, objects), flatten(kwargs, flat, objects) if kwargs else None
            key = form, mode.grad, mode.guard, mode.inference, get_default_dtype()
            hash(key)
        except Bypass:
            return self._function(*args, **kwargs)
        except Refused as error:
            return self._refuse(str(error), args, kwargs)
        reason, missed, twice = "the first call", False, False
        for i, program in enumerate(self._programs.get(key, ())):
            changed = program.guard.changed()
            if changed is None and flat:
                changed = next((f"argument {n} is a variable of the step" for n, t in enumerate(flat)
                                if id(owner(t.array)) in program.live), None)  # fmt: skip
            if changed is None and program.missing is not None:
                changed = "which results have gradients"
                self._present[key] = program.missing
            if changed is None:
                if program.waits and program.calls >= WARM:
                    self._warm(program, (args, kwargs, flat), objects)
                    program = self._programs[key][i]
                try:
                    result = program(flat, (args, kwargs, flat))
                except FloatingPointError:
                    raise
                except Missed as error:
                    changed, missed, twice = f"a check inside the program: {error}", True, twice or program.missed()
                except Exception as error:
                    self._missed(key, f"a check inside the program: {error}")
                    return self._function(*args, **kwargs)
                else:
                    self._ran(program)
                    return result
            reason = changed
            for o in program.guard.optimisers:
                if o.changed_key is not None:
                    self._symbolic.add(o.changed_key)
        if missed and not twice:  # these numbers may be an exception
            self._misses = [*self._misses[-7:], f"ran as written: {reason}"]
            return self._function(*args, **kwargs)
        return self._record(key, reason, (args, kwargs, flat), objects)

    # -------------------------------------------------------------------------------- eager
    def _missed(self, key: Any, why: str) -> None:
        self._misses = [*self._misses[-7:], f"recorded again: {why}"]
        n = self._recordings[key] = self._recordings.get(key, 0) + 1
        if n > RETRIES:
            self._give_up(f"its guards fail too often ({why})")

    def _give_up(self, why: str) -> None:
        self._eager, self._way.express = why, None
        if self._fullgraph:
            raise RuntimeError(f"compile: {name_of(self._function)} cannot become a program: {why}")
        level, frame = 1, sys._getframe(0)
        while frame.f_back is not None and OURS[frame.f_code.co_filename]:
            level, frame = level + 1, frame.f_back
        warnings.warn(
            f"compile: {name_of(self._function)} runs as it is written: {why}", RuntimeWarning, stacklevel=level
        )

    def _refuse(self, why: str, args: Any, kwargs: Any, key: Any = None) -> Any:
        self._leave(why, key)
        return self._function(*args, **kwargs)

    def _leave(self, why: str, key: Any) -> None:
        """Give up, or only this recording where there is a program for other numbers."""
        if any(program.failed >= 0 for program in self._programs.get(key, ())):
            self._missed(key, why)
        else:
            self._give_up(why)

    # -------------------------------------------------------------------------------- recording
    def _again(self, given: Any, flat: list[Tensor]) -> Any:
        """Run as written, with other tensors as arguments."""
        args, kwargs, old = given
        by = {id(t): n for t, n in zip(old, flat, strict=True)}
        return self._function(*rebuilt(args, by), **rebuilt(kwargs, by))

    def _record(self, key: Any, reason: str, given: Any, objects: Any) -> Any:
        """Run as written, and make a program for the next call if this one is like the watched one before."""
        args, kwargs, flat = given
        if key in self._programs:
            self._missed(key, reason)
        if self._eager is not None:
            return self._function(*args, **kwargs)
        RECORDING.add(self._thread)
        collecting = gc.isenabled()
        gc.disable()  # thousands of small objects are made, and next to none of them is garbage
        try:
            return self._recorded(key, given, objects)
        finally:
            RECORDING.discard(self._thread)
            if collecting:
                gc.enable()

    def _recorded(self, key: Any, given: Any, objects: Any) -> Any:
        args, kwargs, flat = given
        try:
            reach = self._watched.get(key)
            if reach is None or reach.changed() is not None:
                return self._watch(key, args, kwargs, objects)
            reach = Reach(self._function, objects)
            program = self._program(key, reach, given, "fusible" if self._native else "")
        except Refused as error:
            return self._refuse(str(error), args, kwargs, key)
        result = self._function(*args, **kwargs)
        counts = [(change, change.count) for change, *_ in program.changes]
        try:
            changed = reach.changed()
            if changed is not None:
                raise Refused(f"the step changes {changed}")
            if not all(o.refreshed() for o in program.guard.optimisers):
                raise Refused("the state of an optimizer has no fixed form yet")
            if self._native:
                program = self._lowered(program, key, reach, given, False)
            else:
                self._verify(program, given)
            program.waits = self._native is None and in_use()
        except Exception as error:
            self._leave(str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}", key)
            return result
        finally:
            for change, n in counts:
                change.count = n
        program.calls, program.key = 0, key
        program.quick = quick_check(args, kwargs, key, program.live)
        self._programs.setdefault(key, []).insert(0, program)
        del self._programs[key][4:]
        self._ran(program)
        return result

    def _ran(self, program: Program) -> None:
        if program is not self._last or self._frame is not program.frame:
            self._last, self._frame = program, program.frame
            self._way.express = express(program, self._thread, RECORDING, WARM if program.waits else None)

    def _warm(self, program: Program, given: Any, objects: Any) -> None:
        """Make machine code of a program that has run often; where llvmlite fails, it stays as it is."""
        program.waits, self._frame = False, None
        counts, calls, key = [(change, change.count) for change, *_ in program.changes], program.calls, program.key
        RECORDING.add(self._thread)
        try:
            if works():
                better = self._lowered(program, key, Reach(self._function, objects), given, True)
                better.key, better.quick, better.calls = key, program.quick, calls
                self._programs[key] = [better if p is program else p for p in self._programs[key]]
        finally:
            RECORDING.discard(self._thread)
            program.calls = calls
            for change, n in counts:
                change.count = n

    def _lowered(self, program: Program, key: Any, reach: Reach, given: Any, checked: bool) -> Program:
        """Return the program as machine code, or for NumPy where that would not be the same but for rounding.

        ``checked``: the program has run beside the step as written already.
        """
        why, plain = exact(program.r), program.built
        if not why:
            try:
                better = program
                calls = [c for c in program.r.calls if c.kind in ("call", "inplace")]
                if program.r.chose or any(fusible(c.function, c.outs[0]) for c in calls):
                    better = self._program(key, reach, given, "fusible")
                native = Built(better.r, native=True)
                self._verify(better, given, native)
                return better
            except Exception as error:
                why = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
                program.use(plain)
        if not checked:
            if program.r.declined:
                program = self._program(key, reach, given)
            else:
                program.use(Built(program.r))
            self._verify(program, given)
        program.facts["native"] = f"runs without native loops of its own: {why}"
        return program

    def _verify(self, program: Program, given: Any, native: Built | None = None) -> None:
        """Run the step as written and its program side by side on other numbers, then the program as machine code."""
        flat, r, plain = given[2], program.r, program.built

        def written(inputs: list[Tensor]) -> Any:
            with new.redirect(Lean()) if r.declined else nullcontext():
                if not isinstance(program, Differentiable):
                    return self._again(given, inputs)
                for p, t in zip(inputs, flat, strict=True):
                    p.tracked = t.tracked
                return both_passes(self._again(given, inputs), r, inputs, seeds_of(r))

        def replayed(built: Any, inputs: list[Tensor]) -> Any:
            if program.built is not built:
                program.use(built)
            if not isinstance(program, Differentiable):
                return program(inputs)
            return programs_passes(program, inputs, seeds_of(r))

        forms = [(functools.partial(replayed, plain), equal)]
        forms += [(functools.partial(replayed, native), close)] if native else []
        verify(written, forms, flat, r, program.guard.assumed)

    def _program(self, key: Any, reach: Reach, given: Any, without: str = "") -> Program:
        """Record the step and put everything back that the recording has changed.

        ``without`` some kernels the program does not run as NumPy calls: it becomes machine code, or a file.
        """
        args, kwargs, old = given
        flat = placeholders(old)
        by = {id(t): n for t, n in zip(old, flat, strict=True)}
        known = {id(t): n for n, t in reach.tensors}
        for t in old:
            if id(t) in known:
                raise Refused(f"the argument '{known[id(t)]}' is also a variable of the step")
        arguments = rebuilt(args, by), rebuilt(kwargs, by)
        present, words = self._present.get(key), names_of(self._function, given)
        capture = Capture(self._function, arguments, flat, self._symbolic, reach, present, words, without)
        tensors = [t for _, t in capture.tensors]
        opts = [o for _, o in reach.optimizers]
        states = [v for o in opts for s in o.state.values() for v in s.values() if isinstance(v, Tensor)]
        arrays = [t.array for t in (*tensors, *states, *flat)] + [a for _, a in reach.arrays]
        before = Snapshot(arrays, tensors, opts)
        versions = [(a, change_of(a), change_of(a).count) for a, _ in before.arrays]
        try:
            with locked():
                recording = capture.run()
            bumps = [(change, change.count - n) for _, change, n in versions if change.count > n]
            recording.spare = {id(a): copy for a, copy in before.arrays}
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
            form = Walked if without else Built
            if recording.gradient is None:
                return Program(recording, bumps, form)
            return Differentiable(recording, bumps, form, self._again, name_of(self._function))
        except Exception as error:
            raise Refused(f"building failed: {type(error).__name__}: {error}") from error

    def _watch(self, key: Any, args: Any, kwargs: Any, objects: Any) -> Any:
        """Run as written, watching for effects that a program could not repeat."""
        if key in self._watched:
            self._missed(key, "variables of the step change from call to call")
        elif len(self._watched) >= SHAPES:
            raise Refused(f"more than {SHAPES} shapes of its arguments")
        if self._eager is not None:
            return self._function(*args, **kwargs)
        reach = Reach(self._function, objects)
        with watching(reach.codes) as watch:
            result = self._function(*args, **kwargs)
        changed = reach.changed()
        if changed and not watch.found and key not in self._settled:
            self._settled.add(key)  # a first call may put a module into the mode in which the next one finds it
            return result
        self._watched[key] = reach
        if watch.found or changed:
            self._give_up(watch.found or f"the step changes {changed}")
        return result

    # -------------------------------------------------------------------------------- looking at it
    @property
    def source(self) -> str:
        """The program that ran last, as readable NumPy; empty while there is none."""
        return "" if self._last is None else Printed(self._last.r, name_of(self._function)).text(alone=False)

    def explain(self) -> str:
        """Return a text: programs by shape, guards, what stays eager and why."""
        lines = [
            f"{name_of(self._function)}: " + (f"runs as it is written: {self._eager}" if self._eager else "compiled")
        ]
        for key, programs in self._programs.items():
            for p in programs:
                f = p.facts
                lines.append(
                    f"  arguments {shown(key[0][0])}: {f['recorded']} calls recorded, {f['calls']} left, "
                    f"{f['bytes before']:,} bytes of temporaries in {f['bytes']:,}, {p.calls} runs"
                )
                if "loops" in f:
                    lines.append(f"    native: {f['loops']} loops in {f['runs']} runs, "
                                 f"{f['left to NumPy']} calls left to NumPy")  # fmt: skip
                lines += [f"    {f['native']}"] if "native" in f else []
                lines += [f"    native: after {WARM} runs"] if p.waits else []
                if p.guard.assumed is not None:
                    lines += [f"    guard: {text}" for text in p.guard.texts]
                lines.append(f"    guards: {len(p.guard.variables)} tensors, {len(p.guard.reach.watched)} objects, "
                             f"{len(p.guard.reach.names) + len(p.guard.reach.cells)} variables")  # fmt: skip
        lines += [f"  {why}" for why in self._misses]
        return "\n".join(lines)

    def save_source(self, path: Any) -> None:
        """Write the program that ran last to ``path``, and its numbers beside it; the file needs NumPy alone.

        The function in it has the name and the arguments of this one and takes arrays. It goes on from the numbers of
        now. A compiled module becomes two functions, ``forward`` and ``backward``. Raises RuntimeError if there is no
        program yet, or if a call in it has no name in NumPy.
        """
        if self._last is None:
            raise RuntimeError("save_source: there is no program yet; call the step three times first")
        r = self._last.r
        try:
            if any("tinygrad_lite" in (getattr(c.function, "__module__", None) or "") for c in r.calls):
                r = self._alone(self._last).r
            save(Printed(r, name_of(self._function)), path)
        except (Unprintable, Refused) as error:
            raise RuntimeError(f"save_source: the program cannot run with NumPy alone: {error}") from error

    def _alone(self, program: Program) -> Program:
        """Record a program once more, without kernels that NumPy does not have."""
        threads = get_num_threads()
        RECORDING.add(self._thread)
        set_num_threads(1)
        try:
            return self._program(program.key, program.r.reach, program.r.given, "kernels")
        finally:
            set_num_threads(threads)
            RECORDING.discard(self._thread)

    def __graph__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the program that ran last as a graph, for `tinygrad_lite.viz.draw`; with arguments it runs first."""
        if args or kwargs:
            for _ in range(3 if self._last is None else 1):
                self(*args, **kwargs)
        if self._last is None:
            raise RuntimeError("draw: there is no program yet; call the step three times first, or draw(step, *inputs)")
        return Drawing(self._last.r, self._last.built).graph(f"compiled {name_of(self._function)}")

    def __repr__(self) -> str:
        return f"compile({self._function!r})"
