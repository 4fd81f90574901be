"""The tracer: it computes on bare arrays, and writes every call down with the memory that it reads and writes."""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from tinygrad_lite.compiled.numbers import Symbol
from tinygrad_lite.compiled.program import Call, Memory, Refused, Region
from tinygrad_lite.compiled.recorded import Recorded, bare, masked, masked_ufunc, stripped
from tinygrad_lite.engine.arrays import warnings_now
from tinygrad_lite.engine.backward import finite
from tinygrad_lite.engine.source import OURS
from tinygrad_lite.engine.versions import owner

QUESTIONS = (np.shape, np.ndim, np.size, np.result_type, np.shares_memory, np.may_share_memory, np.can_cast,
             np.isscalar, np.iscomplexobj, np.isrealobj, np.common_type)  # fmt: skip
VIEWS = (np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to, np.diagonal, np.split,
         np.atleast_1d, np.atleast_2d, np.array_split, np.rollaxis, np.broadcast_arrays)  # fmt: skip
WRITERS = (np.put_along_axis, np.put, np.place, np.putmask, np.fill_diagonal)
REDUCTIONS = {np.sum: np.add, np.max: np.maximum, np.amax: np.maximum, np.min: np.minimum, np.amin: np.minimum,
              np.any: np.logical_or, np.all: np.logical_and, np.prod: np.multiply}  # fmt: skip
SIMPLE = frozenset((int, float, bool, str, type(None), slice))
INNER = ("engine/tensor.py", "compiled/trace.py", "compiled/recorded.py")
FILLS: dict[Any, Any] = {np.zeros_like: 0, np.ones_like: 1}


def root(a: Any) -> Any:
    """Return the array that owns the memory of ``a``, as `owner` does, which also knows arrays of other kinds."""
    while (base := a.base) is not None:
        if type(base) is not ndarray and type(base) is not Recorded:
            return owner(a)
        a = base
    return a


def address(a: Any) -> int:
    """Return where the first element lies."""
    return int(a.__array_interface__["data"][0])


def unwatched(method: Callable[..., Any]) -> Callable[..., Any]:
    """Switch off the profile function that watches the user's code (`effects`) while the tracer works."""

    @functools.wraps(method)
    def call(*args: Any, **words: Any) -> Any:
        watch = sys.getprofile()
        if watch is None:
            return method(*args, **words)
        sys.setprofile(None)
        try:
            return method(*args, **words)
        finally:
            sys.setprofile(watch)

    return call


class Tracer:
    """Write calls down, and the memory that they use."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.memories: list[Memory] = []
        self.known: dict[int, Memory] = {}  # by id of the array that owns it
        self.assumed: dict[str, Any] = {}
        self.scalars: dict[Any, Any] = {}
        self.forms: dict[Any, int] = {}  # numbers of calls, by what equal ones have in common
        self.thread = threading.get_ident()
        self.loud, self.warnings, self.quiet = np.geterr(), warnings_now(), False

    # -------------------------------------------------------------------------------- memory
    def register(self, a: Any, kind: str, name: str) -> Memory:
        """Return the memory of an array, a new one if it is not known yet."""
        own = root(a)
        memory = self.known.get(id(own))
        if memory is None:
            plain = own if type(own) is ndarray else bare(own)
            memory = Memory(len(self.memories), kind, name, own.shape, own.strides, own.dtype, plain)
            self.memories.append(memory)
            self.known[id(own)] = self.known[id(plain)] = memory
            if kind == "temp":  # it may die before the recording ends, and another array may get its id
                known, number = self.known, id(own)
                memory.ref = weakref.ref(own, lambda _: known.pop(number, None))
        return memory

    def state(self, a: Any, kind: str, name: str) -> Any:
        """Return a recording array for memory that outlives the call."""
        self.register(a, kind, name)
        return bare(a).view(Recorded)

    def region(self, a: Any) -> Region:
        """Return where an array lies; memory that no call made is live: it is read anew at every call."""
        recorded = type(a) is Recorded
        if recorded and (x := a.place) is not None and x.memory.id < len(self.memories) \
                and self.memories[x.memory.id] is x.memory:  # fmt: skip
            return x  # type: ignore[no-any-return]
        own = root(a)
        memory = self.known.get(id(own))
        if memory is None:
            if recorded:
                raise Refused(f"an array of shape {a.shape} comes from a call that was not recorded")
            steady = not own.flags.writeable and (own.base is None)
            memory = self.register(a, "constant" if steady else "live", f"array{len(self.memories)}")
        offset = 0
        if a is not own and (own.shape != a.shape or own.strides != a.strides):
            offset = address(a) - address(own)
        x = Region(memory, offset, a.shape, a.strides, a.dtype)
        if recorded:
            a.__dict__["place"] = x
        return x

    def fresh(self, a: Any, kind: str = "temp") -> Any:
        """Return a recording array for a new result."""
        a = np.asarray(a)
        own = root(a)
        if own.nbytes != a.nbytes or id(own) in self.known:
            a = a.copy(order="K")
        self.register(a, kind, f"t{len(self.memories)}")
        return a.view(Recorded)

    def close(self) -> None:
        """Forget the arrays of temporaries: the recording is over, and its constants are known."""
        for m in self.memories:
            if m.kind == "temp":
                m.own = m.ref = None
        self.known = {i: m for i, m in self.known.items() if m.own is not None}
        self.scalars.clear()

    # -------------------------------------------------------------------------------- numbers
    def assume(self, text: str, value: Any) -> Any:
        """Return ``value``, and make it a guard that the formula keeps it."""
        self.assumed[text] = value
        return value

    def read(self, a: Any, how: Callable[[Any], Any]) -> Any:
        """Return a traced value as a number: a check of the program for the engine, refused to a user's line."""
        frame: Any = sys._getframe(2)
        if frame.f_code is finite.__code__:
            value = bool(np.isfinite(bare(a)).all())
            self.record("check", "finite", (self.region(a),), {"value": value}, [])
            return how(bare(a))
        while frame is not None and frame.f_code.co_filename.endswith(INNER):
            frame = frame.f_back
        if frame is None or not (OURS[frame.f_code.co_filename] or "numpy" in frame.f_code.co_filename):
            line = "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}: "
            raise Refused(f"{line}a number is read from a computed value inside the step")
        value = how(bare(a))
        if bare(a).ndim == 0 or bare(a).size == 1:
            self.record("check", "same", (self.region(a),), {"value": bare(a).item() if how is not bool else value,
                                                             "bool": how is bool}, [])  # fmt: skip
        else:
            raise Refused("numbers are read from a computed array")
        return value

    def constant(self, a: Any) -> Any:
        """Return an array that nothing has written to as an ordinary one."""
        memory = self.region(a).memory
        if memory.kind != "constant" or any(w.memory is memory for c in self.calls for w in c.outs):
            raise Refused("the numbers of a computed array are read")
        return bare(a)

    def scalar(self, symbol: Symbol, dtype: Any) -> Any:
        """Return a symbol as a 0-d array that the program fills."""
        key = (symbol.text, np.dtype(dtype).str)
        if key not in self.scalars:
            a = self.fresh(np.array(symbol.value, dtype))
            self.record("scalar", None, (symbol.text,), {}, [self.region(a)])
            self.scalars[key] = a
        return self.scalars[key]

    # -------------------------------------------------------------------------------- calls
    def argument(self, value: Any) -> Any:
        """Return an argument as it is written down: arrays as regions."""
        kind = type(value)
        if kind is tuple or kind is list:
            return kind([self.argument(v) for v in value])
        if isinstance(value, ndarray):
            return self.region(value)
        if kind is Symbol:
            return self.region(self.scalar(value, np.float64))
        return value

    def both(self, values: Any) -> tuple[Any, Any]:
        """Return arguments as they are written down, and as a function takes them."""
        regions, given = [], []
        for v in values:
            kind = type(v)
            if kind is Recorded:
                regions.append(self.region(v))
                given.append(ndarray.view(v, ndarray))
            elif kind in SIMPLE:
                regions.append(v)
                given.append(v)
            else:
                regions.append(self.argument(v))
                given.append(stripped(v))
        return tuple(regions), given

    def record(self, kind: str, function: Any, ins: Any, words: dict[str, Any], outs: list[Region]) -> None:
        """Write a call down."""
        if threading.get_ident() != self.thread:
            raise Refused("a part of the step runs in another thread")
        c = Call(kind, function, ins, words, outs)
        self.calls.append(c)
        warnings = warnings_now()
        if warnings is not self.warnings:
            self.warnings, self.quiet = warnings, np.geterr() != self.loud
        c.quiet = self.quiet
        fixed = kind not in ("scalar", "random")
        for x in c.reads() if fixed else ():
            if not x.memory.fixed:
                fixed = False
                break
        if not fixed:
            for w in outs:
                if w.memory.kind == "temp":
                    w.memory.fixed, w.memory.own = False, None

    @unwatched
    def ufunc(self, ufunc: Any, method: str, inputs: tuple[Any, ...], words: dict[str, Any]) -> Any:
        """Run and record a ufunc."""
        out = words.pop("out", None)
        out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
        if method == "at":
            return self.inplace(ufunc.at, inputs[0], inputs[1:])
        if (mask := words.pop("where", True)) is not True:
            out, inputs = (inputs[ufunc.nin], inputs[: ufunc.nin]) if len(inputs) > ufunc.nin else (out, inputs)
            if out is None or words or method != "__call__":
                raise Refused(f"np.{ufunc.__name__} with where= and without out= is not recorded")
            self.inplace(masked_ufunc(ufunc), out, (*inputs, mask))
            return out
        if method == "reduce":
            words = {k: v for k, v in words.items() if v is not None or k == "axis"}
            if len(inputs) > 1:
                words["axis"], inputs = inputs[1], inputs[:1]
            words.setdefault("axis", 0)
            return self.call("reduce", ufunc, inputs, words, out, ufunc.reduce)
        if method != "__call__":
            return self.call("call", getattr(ufunc, method), inputs, words, out)
        if len(inputs) > ufunc.nin:
            out, inputs = inputs[ufunc.nin], inputs[: ufunc.nin]
        if ufunc.nout > 1:
            if out is not None and any(o is not None for o in out):
                raise Refused(f"np.{ufunc.__name__} with out= is not recorded")
            return self.call("call", ufunc, inputs, words)
        if any(type(i) is Symbol for i in inputs):
            dtype = next((i.dtype for i in inputs if isinstance(i, ndarray)), np.dtype(float))
            inputs = tuple(self.scalar(i, dtype) if type(i) is Symbol else i for i in inputs)
        return self.call("matmul" if ufunc is np.matmul else "ufunc", ufunc, inputs, words, out)

    @unwatched
    def call(self, kind: str, function: Any, ins: Any, words: dict[str, Any], out: Any = None, run: Any = None) -> Any:
        """Run and record a call of any function without side effects."""
        run = run or function
        regions, given = self.both(ins)
        named = {k: self.argument(v) for k, v in words.items()} if words else words
        given_words = {k: stripped(v) for k, v in words.items()} if words else words
        if out is not None:
            target = self.region(out)
            run(*given, **given_words, out=bare(out))
            self.record(kind, function, regions, named, [target])
            return out
        r = run(*given, **given_words)
        if r is NotImplemented:
            return r
        if type(r) is tuple and any(x is None for x in r):
            return self.partly(function, r, regions, named)
        if isinstance(r, (tuple, list)):
            outs = [self.fresh(x) for x in r]
            self.record("call", function, regions, named, [self.region(o) for o in outs])
            return type(r)(outs) if type(r) in (list, tuple) else type(r)(*outs)
        a = np.asarray(r)
        if a.dtype == object:
            raise Refused(f"{getattr(function, '__name__', function)} returned no numbers")
        if isinstance(r, ndarray) and id(root(a)) in self.known:  # a view of a known array
            return a.view(Recorded)
        o = self.fresh(a if isinstance(r, ndarray) else np.array(r))
        self.record(kind, function, regions, named, [self.region(o)])
        return o

    def partly(self, function: Any, r: Any, ins: Any, words: Any) -> Any:
        """Record a call that returns None for some of its results."""
        kept = [i for i, x in enumerate(r) if x is not None]

        def call(*args: Any, **given: Any) -> Any:
            found = function(*args, **given)
            return tuple([found[i] for i in kept])

        call.__name__ = getattr(function, "__name__", "call")
        outs = [None if x is None else self.fresh(x) for x in r]
        self.record("call", call, ins, words, [self.region(outs[i]) for i in kept])
        return tuple(outs)

    @unwatched
    def inplace(self, function: Any, a: Any, rest: Any) -> None:
        """Run and record a call that writes to some elements of its first argument."""
        regions, target = self.argument((a, *rest)), self.region(a)
        function(bare(a), *stripped(rest))
        self.record("inplace", function, regions, {}, [target])

    @unwatched
    def copied(self, a: Any, dtype: Any, order: Any = "K") -> Any:
        """Record a copy of an array."""
        o = self.fresh(np.array(bare(a), dtype=dtype, order=order))
        self.record("copy", np.copyto, (self.region(a),), {}, [self.region(o)])
        return o

    @unwatched
    def into(self, target: Any, value: Any) -> None:
        """Record a write of a value into all of ``target``."""
        value = self.scalar(value, target.dtype) if type(value) is Symbol else value
        source = self.argument(
            value if isinstance(value, (ndarray, int, float, bool, np.generic)) else np.asarray(value)
        )
        target[...] = stripped(value)
        self.record("copy", np.copyto, (source,), {}, [self.region(target)])

    @unwatched
    def function(self, f: Any, args: Any, words: dict[str, Any]) -> Any:
        """Run and record one of NumPy's functions."""
        words = dict(words)
        out = words.pop("out", None)
        if f is np.copyto:
            if words.get("where", True) is not True:
                return self.inplace(masked, args[0], (args[1], words["where"]))
            return self.into(bare(args[0]), args[1])
        if f in REDUCTIONS and len(args) <= 2 and set(words) <= {"axis", "keepdims", "initial", "dtype"}:
            words = {"axis": args[1] if len(args) > 1 else None, **words}
            return self.ufunc(REDUCTIONS[f], "reduce", args[:1], {**words, "out": out})
        if f is np.dot:
            return self.call("dot", f, args[:2], {}, args[2] if len(args) > 2 else out)
        if f is np.reshape and type(args[0]) is Recorded:
            return args[0].reshape(*args[1:], **words)
        if f is np.ravel and type(args[0]) is Recorded:
            return args[0].ravel(*args[1:], **words)
        if f in QUESTIONS:
            return f(*stripped(args), **words)
        if f in VIEWS:
            if f is not np.broadcast_to and type(args[0]) is Recorded:
                return f._implementation(*args, **words)
            r = f(*stripped(args), **words)
            return r.view(Recorded) if isinstance(r, ndarray) else type(r)([x.view(Recorded) for x in r])
        if f in (np.empty_like, np.zeros_like, np.ones_like, np.full_like):
            return self.filled(f, args, words)
        if f in WRITERS:
            if words:
                raise Refused(f"np.{f.__name__} with keywords is not recorded")
            return self.inplace(f, args[0], args[1:])
        if f in (np.sort, np.partition) or f.__module__.partition(".")[0] != "numpy":
            return self.call("call", f, args, words)
        if f is np.take and words.get("mode", "raise") == "raise" and type(args[0]) is Recorded:
            axis = args[2] if len(args) > 2 else words.get("axis")
            return self.call("take", f, args[:2], {"axis": axis}, out if len(args) < 4 else args[3])
        if f is np.where and len(args) == 3:
            return self.call("where", f, args, {})
        if f.__name__ in (
            "save",
            "savez",
            "savetxt",
            "shuffle",
            "array2string",
            "array_repr",
            "array_str",
            "apply_along_axis",
        ):
            raise Refused(f"np.{f.__name__} is not recorded")
        return self.call("call", f, args, words, out)

    @unwatched
    def filled(self, f: Any, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        """Record an array like another one."""
        a = self.fresh(f(*stripped(args), **{k: stripped(v) for k, v in words.items()}))
        if f is not np.empty_like:
            value = FILLS[f] if f in FILLS else args[1] if len(args) > 1 else words["fill_value"]
            self.record("copy", np.copyto, (self.argument(value),), {}, [self.region(a)])
        return a
