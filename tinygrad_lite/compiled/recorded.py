"""The array that records: it answers NumPy's protocols and asks the tracer to compute and to write the call down."""

# pyright: reportGeneralTypeIssues=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from tinygrad_lite.compiled.numbers import plain
from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.engine.versions import owner

CURRENT: list[Any] = []
"""The tracer at work, at most one; `capture` holds a lock."""


def bare(a: Any) -> Any:
    """Return a recording array as an ordinary one."""
    return ndarray.view(a, ndarray)


def stripped(value: Any) -> Any:
    """Return nested arguments with bare arrays and plain numbers."""
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([stripped(v) for v in value])
    if isinstance(value, ndarray):
        return value if kind is ndarray else bare(value)
    return plain(value)


def basic(index: Any) -> bool:
    """Return whether an index selects a view."""
    for j in index if isinstance(index, tuple) else (index,):
        kind = type(j)
        if kind is bool or not (kind is int or kind is slice or j is None or j is Ellipsis
                                or isinstance(j, (int, slice, np.integer))):  # fmt: skip
            return False
    return True


def getitem(a: Any, index: Any) -> Any:
    """Return ``a[index]``, for an index that selects a copy."""
    return a[index]


def setitem(a: Any, index: Any, value: Any) -> None:
    """Write into ``a[index]``."""
    a[index] = value


def masked(a: Any, value: Any, mask: Any) -> None:
    """Write where ``mask`` is true."""
    np.copyto(a, value, where=mask)


@functools.cache
def masked_ufunc(ufunc: Any) -> Any:
    """Return the function (out, *operands, mask) that runs ``ufunc`` where ``mask`` is true."""

    def call(out: Any, *operands: Any) -> None:
        ufunc(*operands[:-1], out=out, where=operands[-1])

    call.ufunc = ufunc  # type: ignore[attr-defined]
    return call


class Idle:
    """What a recording array asks when no recording runs: it computes like an ordinary one.

    A cache of the engine's may keep a recording array longer than the recording.
    """

    def ufunc(self, ufunc: Any, method: str, inputs: Any, words: Any) -> Any:
        """Run a ufunc."""
        return getattr(ufunc, method)(*stripped(inputs), **{k: stripped(v) for k, v in words.items()})

    def function(self, f: Any, args: Any, words: Any) -> Any:
        """Run one of NumPy's functions."""
        return f(*stripped(args), **{k: stripped(v) for k, v in words.items()})

    def call(self, kind: str, f: Any, args: Any, words: Any) -> Any:
        """Run any function."""
        return f(*stripped(args), **words)

    def read(self, a: Any, how: Callable[[Any], Any]) -> Any:
        """Return a number."""
        return how(bare(a))

    def copied(self, a: Any, dtype: Any, order: Any = "K") -> Any:
        """Return a copy."""
        return np.array(bare(a), dtype=dtype, order=order)

    def into(self, target: Any, value: Any) -> None:
        """Write a value."""
        target[...] = stripped(value)

    def constant(self, a: Any) -> Any:
        """Return an ordinary array."""
        return bare(a)

    def inplace(self, f: Any, a: Any, rest: Any) -> None:
        """Write some elements."""
        f(bare(a), *stripped(rest))


IDLE = Idle()


def _tracer() -> Any:
    return CURRENT[0] if CURRENT else IDLE


class Recorded(ndarray):
    """An ndarray that says it is a plain one, so that the engine takes its usual paths."""

    __class__ = property(lambda self: ndarray)
    place: Any = None
    """Where it lies, once the tracer has found out."""

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__.pop("place", None)  # a.shape = ...
        object.__setattr__(self, name, value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _tracer().ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _tracer().function(func, args, kwargs)

    def __bool__(self) -> bool:
        return _tracer().read(self, bool)  # type: ignore[no-any-return]

    def __float__(self) -> float:
        return _tracer().read(self, float)  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return _tracer().read(self, int)  # type: ignore[no-any-return]

    def __index__(self) -> int:
        return _tracer().read(self, operator.index)  # type: ignore[no-any-return]

    def item(self, *args: Any) -> Any:
        """Return one element as a number."""
        return _tracer().read(self if not args else self[args], lambda a: a.item())

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def _reduced(self, ufunc: Any, axis: Any, out: Any, keepdims: Any, dtype: Any = None, words: Any = None) -> Any:
        given = {"axis": axis, "dtype": dtype, "out": out, "keepdims": keepdims, **(words or {})}
        return _tracer().ufunc(ufunc, "reduce", (self,), given)

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **words: Any) -> Any:
        """Sum."""
        return self._reduced(np.add, axis, out, keepdims, dtype, words)

    def prod(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **words: Any) -> Any:
        """Multiply."""
        return self._reduced(np.multiply, axis, out, keepdims, dtype, words)

    def max(self, axis: Any = None, out: Any = None, keepdims: Any = False, **words: Any) -> Any:
        """Return the largest."""
        return self._reduced(np.maximum, axis, out, keepdims, words=words)

    def min(self, axis: Any = None, out: Any = None, keepdims: Any = False, **words: Any) -> Any:
        """Return the smallest."""
        return self._reduced(np.minimum, axis, out, keepdims, words=words)

    def any(self, axis: Any = None, out: Any = None, keepdims: Any = False, **words: Any) -> Any:
        """Return whether any is true."""
        return self._reduced(np.logical_or, axis, out, keepdims, words=words)

    def all(self, axis: Any = None, out: Any = None, keepdims: Any = False, **words: Any) -> Any:
        """Return whether all are true."""
        return self._reduced(np.logical_and, axis, out, keepdims, words=words)

    def astype(  # type: ignore[override]
        self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """Copy in another dtype."""
        if not copy and self.dtype == dtype:
            return self
        return _tracer().copied(self, dtype, order)

    def tolist(self) -> Any:
        """Return the numbers of a constant."""
        return _tracer().constant(self).tolist()

    def copy(self, order: Any = "C") -> Any:
        """Copy."""
        return _tracer().copied(self, self.dtype, order)

    def flatten(self, order: Any = "C") -> Any:
        """Copy as one axis."""
        return _tracer().copied(self, self.dtype, order).reshape(-1)

    def ravel(self, order: Any = "C") -> Any:
        """Return as one axis."""
        if order != "C":
            raise Refused(f"ravel(order={order!r}) is not recorded")
        return self.reshape(-1)

    def fill(self, value: Any) -> None:
        """Fill with a number."""
        _tracer().into(bare(self), value)

    def reshape(self, *shape: Any, **words: Any) -> Any:
        """Return with another shape: a view where that is possible."""
        if words.get("order", "C") != "C":
            raise Refused("reshape in another order is not recorded")
        r = ndarray.reshape(bare(self), *shape)
        if r.size == 0 or owner(r) is owner(bare(self)):
            return ndarray.reshape(self, *shape)
        return ndarray.reshape(_tracer().copied(self, self.dtype, "C"), *shape)

    def __getitem__(self, index: Any) -> Any:
        if basic(index):  # the Ellipsis makes one element an array, too
            parts = index if isinstance(index, tuple) else (index,)
            # on the recording array itself, so that the view's base is what the engine expects
            for j in parts:
                if j is Ellipsis:
                    return ndarray.__getitem__(self, index)
            return ndarray.__getitem__(self, (*parts, ...))
        return _tracer().call("call", getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        if not basic(index):
            _tracer().inplace(setitem, self, (index, value))
            return
        target = bare(self[index])
        if type(value) is Recorded and value.__array_interface__ == target.__array_interface__:
            return  # x[i] += y has written already
        _tracer().into(target, value)


def _by_function(name: str) -> Any:
    function = getattr(np, name)

    def method(self: Any, *args: Any, **words: Any) -> Any:
        return _tracer().function(function, (self, *args), words)

    return method


def _refused(name: str) -> Any:
    def method(self: Any, *args: Any, **words: Any) -> Any:
        raise Refused(f"ndarray.{name} is not recorded")

    return method


_VIEWS = (
    "T", "view", "transpose", "swapaxes", "squeeze", "diagonal", "setflags", "__array_finalize__", "__len__",
    "__new__",
    "__array_wrap__", "__array_interface__", "__array_struct__", "__init__", "__init_subclass__", "__class__",
    "__subclasshook__", "__getattribute__", "__setattr__", "__delattr__", "__dir__", "__sizeof__", "__hash__",
    "__class_getitem__", "__array_prepare__", "__array_priority__", "__doc__", "__dlpack_device__",
)  # fmt: skip
_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
_OPERATORS = {f"__{p}{n}__" for n in (*_BINARY, "divmod") for p in ("", "r", "i")}
_OPERATORS |= {f"__{n}__" for n in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert")}
for _name in ("dot", "take", "argmax", "argmin", "cumsum", "cumprod", "repeat", "clip", "std", "var", "mean", "trace",
              "nonzero", "argsort", "searchsorted", "choose", "compress", "round"):  # fmt: skip
    setattr(Recorded, _name, _by_function(_name))
for _name in dir(ndarray):
    if (
        _name not in vars(Recorded)
        and _name not in _VIEWS
        and _name not in _OPERATORS
        and callable(getattr(ndarray, _name))
    ):
        setattr(Recorded, _name, _refused(_name))
