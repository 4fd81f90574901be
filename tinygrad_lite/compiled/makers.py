"""How arrays are created while a step is recorded: NumPy's constructors, and the random generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinygrad_lite.compiled.numbers import Symbol
from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.compiled.recorded import Recorded, bare, stripped
from tinygrad_lite.compiled.trace import FILLS, Tracer
from tinygrad_lite.engine import new
from tinygrad_lite.engine.divert import DeclinedError
from tinygrad_lite.random import Generator


def _holds(value: Any) -> bool:
    if type(value) in (list, tuple):
        return any(_holds(v) for v in value)
    return type(value) in (Recorded, Symbol)


FUSED = ("elementwise", "rows", "updates")
CELLS = ("recurrent_lstm_cell", "recurrent_lstm_cell_back")
"""Kernels of one step of a layer, whose products and gates become loops too."""
LARGE = 1 << 20
"""Elements from which a kernel is faster than loops in any case: it runs on several threads."""


def fusible(function: Any, first: Any) -> bool:
    """Return whether a native kernel only saves passes over its arrays, as fused loops do too."""
    room, _, name = (getattr(function, "__module__", None) or "").rpartition(".")
    if room != "tinygrad_lite.native" or getattr(first, "size", 0) >= LARGE:
        return False
    return name in FUSED or function.__name__ in CELLS


class Maker:
    """The constructors that `engine.new` uses during a recording.

    ``without``: "" records every kernel as a call; "fusible" leaves out those that loops replace; "kernels" leaves out
    all that NumPy does not have, so that the program runs with NumPy alone. ``declined``: the step as written calls
    kernels that were left out, or chooses by its numbers what to do where the recording goes one way.
    """

    def __init__(self, tracer: Tracer, without: str = "") -> None:
        self._tracer, self._without, self.declined = tracer, without, False
        self.chose = False  # what to do by the numbers
        for name in ("arange", "linspace", "eye", "tri", "indices", "tril_indices", "triu_indices"):
            setattr(self, name, self._constant(getattr(np, name)))

    def _constant(self, function: Any) -> Any:
        def make(*args: Any, **words: Any) -> Any:
            if any(_holds(v) for v in (*args, *words.values())):
                raise Refused(f"np.{function.__name__} of a computed value is not recorded")
            r = function(*args, **words)
            if isinstance(r, tuple):
                return tuple(self._tracer.fresh(x, "constant") for x in r)
            return self._tracer.fresh(r, "constant")

        return make

    def straight(self) -> bool:
        """Return whether ops go one way whatever the numbers are: where loops need not have every bit of NumPy's."""
        one_way = self._without == "fusible"
        self.declined, self.chose = self.declined or one_way, not one_way
        return one_way

    def _made(self, function: Any, shape: Any, args: Any, words: Any, value: Any) -> Any:
        a = self._tracer.fresh(function(shape, *args, **words))
        if value is not None:
            self._tracer.record("copy", np.copyto, (self._tracer.argument(value),), {}, [self._tracer.region(a)])
        return a

    def empty(self, shape: Any, *args: Any, **words: Any) -> Any:
        """Return an array without values."""
        return self._made(np.empty, shape, args, words, None)

    def zeros(self, shape: Any, *args: Any, **words: Any) -> Any:
        """Return zeros."""
        return self._made(np.zeros, shape, args, words, 0)

    def ones(self, shape: Any, *args: Any, **words: Any) -> Any:
        """Return ones."""
        return self._made(np.ones, shape, args, words, 1)

    def full(self, shape: Any, fill_value: Any, *args: Any, **words: Any) -> Any:
        """Return an array of one value."""
        if isinstance(fill_value, Symbol):
            raise Refused("an array filled with a number that may change")
        return self._made(np.full, shape, (fill_value, *args), words, fill_value)

    def _like(self, f: Any, a: Any, args: Any, words: Any) -> Any:
        if isinstance(a, np.ndarray):
            return self._tracer.filled(f, (a, *args), words)
        value = None if f is np.empty_like else FILLS[f] if f in FILLS else args[0]
        return self._made(lambda x, *r, **w: f(x, *r, **w), a, args, words, value)

    def zeros_like(self, a: Any, *args: Any, **words: Any) -> Any:
        """Return zeros like ``a``."""
        return self._like(np.zeros_like, a, args, words)

    def ones_like(self, a: Any, *args: Any, **words: Any) -> Any:
        """Return ones like ``a``."""
        return self._like(np.ones_like, a, args, words)

    def empty_like(self, a: Any, *args: Any, **words: Any) -> Any:
        """Return an array like ``a`` without values."""
        return self._like(np.empty_like, a, args, words)

    def full_like(self, a: Any, *args: Any, **words: Any) -> Any:
        """Return an array of one value like ``a``."""
        return self._like(np.full_like, a, args, words)

    def array(self, x: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", **words: Any) -> Any:
        """Return a copy as an array."""
        if isinstance(x, Symbol):
            return self._tracer.scalar(x, dtype or np.float64)
        if isinstance(x, np.ndarray):
            if not copy and (dtype is None or x.dtype == dtype):
                return x
            return self._tracer.copied(x, dtype or x.dtype, order)
        if type(x) in (list, tuple) and _holds(x):
            a = self._tracer.function(np.stack, (list(x),), {})
            return a if dtype is None or a.dtype == dtype else a.astype(dtype)
        return self._tracer.fresh(np.array(x, dtype=dtype, copy=copy, order=order, **words), "constant")

    def asarray(self, x: Any, dtype: Any = None, order: Any = None, **words: Any) -> Any:
        """Return an array, the same one where possible."""
        if isinstance(x, np.ndarray) and order is None:
            return x if dtype is None or x.dtype == dtype else self._tracer.copied(x, dtype)
        return self.array(x, dtype, order=order or "K")

    def ascontiguousarray(self, x: Any, dtype: Any = None) -> Any:
        """Return an array in row-major order."""
        if isinstance(x, np.ndarray):
            if x.flags.c_contiguous and (dtype is None or x.dtype == dtype) and x.ndim:
                return x
            a = self._tracer.copied(x, dtype or x.dtype, "C")
            return a if a.ndim else a.reshape(1)
        return self.array(x, dtype, order="C")

    def ndarray(self, shape: Any, dtype: Any = float, buffer: Any = None, offset: int = 0, strides: Any = None) -> Any:
        """Return a view of an array by its place in memory."""
        if type(buffer) is not Recorded:
            return np.ndarray(shape, dtype, buffer, offset, strides)
        return np.ndarray(shape, dtype, bare(buffer), offset, strides).view(Recorded)

    def as_strided(self, x: Any, shape: Any = None, strides: Any = None, **words: Any) -> Any:
        """Return a view of an array by its strides."""
        a = as_strided(bare(x), shape, strides)
        return a.view(Recorded) if type(x) is Recorded else a

    def whole(self, function: Any, args: Any, words: Any) -> Any:
        """Return the result of a function that is one call of the program."""
        if self._declines(function, args[0]):
            raise DeclinedError
        if self._without == "kernels" and function.__module__.startswith("tinygrad_lite.ops.windows."):
            return function(*args, **words)
        if any(_holds(v) for v in (*args, *words.values())):
            return self._tracer.call("call", function, args, words, run=new.redirect(None)(function))
        return function(*args, **words)

    def _declines(self, function: Any, first: Any) -> bool:
        if self._without == "kernels":
            return (getattr(function, "__module__", None) or "").startswith("tinygrad_lite.native.")
        declined = self._without == "fusible" and fusible(function, first)
        self.declined = self.declined or declined
        return declined

    def writing(self, function: Any, targets: Any, args: Any) -> None:
        """Record a function that writes into several arrays."""
        tracer = self._tracer
        if self._declines(function, targets[0]):
            raise DeclinedError
        given, outs = tracer.argument((*targets, *args)), [tracer.region(t) for t in targets]
        new.redirect(None)(function)(*stripped((*targets, *args)))
        tracer.record("inplace", function, given, {}, outs)

    def frombuffer(self, *args: Any, **words: Any) -> Any:
        """Refuse: memory of another object."""
        raise Refused("np.frombuffer is not recorded")


class Lean:
    """Runs a step as written without the kernels that loops replace: a program without them has the same numbers."""

    def straight(self) -> bool:
        """Say that ops go one way whatever the numbers are."""
        return True

    def whole(self, function: Any, args: Any, words: Any) -> Any:
        """Return the result of a function, which may be a kernel."""
        if fusible(function, args[0]):
            raise DeclinedError
        return new.redirect(None)(function)(*args, **words)

    def writing(self, function: Any, targets: Any, args: Any) -> None:
        """Run a function that writes into several arrays, which may be a kernel."""
        if fusible(function, targets[0]):
            raise DeclinedError
        new.redirect(None)(function)(*targets, *args)


class Drawn(Generator):
    """The default generator during a recording: every draw is a call of the program, never shared or dropped."""

    tracer: Any


def _draw(name: str) -> Any:
    real = getattr(np.random.Generator, name)

    def method(self: Any, *args: Any, **words: Any) -> Any:
        if _holds(args) or _holds(list(words.values())) or words.get("out") is not None:
            raise Refused(f"a random draw ({name}) that depends on a computed value is not recorded")
        tracer = Drawn.tracer
        value = real(self, *args, **words)
        if not isinstance(value, np.ndarray):
            raise Refused(f"a single random number ({name}) is drawn in the step")
        a = tracer.fresh(value)
        tracer.record("random", real, (self, *args), words, [tracer.region(a)])
        return bare(a).view(Recorded)

    return method


def _no_draw(name: str) -> Any:
    def method(self: Any, *args: Any, **words: Any) -> Any:
        raise Refused(f"the random generator's {name} is not recorded")

    return method


for _name in dir(np.random.Generator):
    if not _name.startswith("_") and callable(getattr(np.random.Generator, _name)):
        _fits = _name in ("random", "standard_normal", "normal", "uniform", "integers", "exponential", "permutation")
        setattr(Drawn, _name, _draw(_name) if _fits else _no_draw(_name))
for _name in ("manual_seed", "seed", "get_state", "set_state"):
    setattr(Drawn, _name, _no_draw(_name))
