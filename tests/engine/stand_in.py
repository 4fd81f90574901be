"""A strict stand-in for the arrays of a GPU, as a module with CuPy's names over NumPy's memory.

It has what CuPy has: NumPy's protocols, methods and ``flags`` without ``writeable``. It refuses what CuPy refuses, and
more: an implicit conversion to NumPy, NumPy's arrays as operands or indices, the methods of ufuncs that CuPy lacks.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib import mixins, stride_tricks

SEEN: dict[str, set[str]] = {}
"""NumPy's functions that were called through the protocols, and with which words: CuPy needs one of each name."""
USED: set[str] = set()
"""Methods and attributes of arrays that were used."""
WORDS = {"out", "dtype", "casting", "axis", "keepdims"}
METHODS = {"reduce": ("add", "multiply"), "accumulate": ("add", "multiply"), "reduceat": ("add",),
           "at": ("add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor")}  # fmt: skip
ABSENT = (
    "__array_interface__", "__array_struct__", "ctypes", "data", "tofile", "tobytes", "newbyteorder", "setflags",
    "setfield", "getfield", "itemset", "resize",
)  # fmt: skip


class LeakError(TypeError):
    """A step that a GPU's array would not allow."""


def bare(x: Any, *, strict: bool = True) -> Any:
    """Return nested arguments with the memory of the stand-ins; raise for NumPy's arrays among them."""
    if isinstance(x, ndarray):
        return x._memory
    if strict and isinstance(x, np.ndarray):
        raise LeakError(f"an array of NumPy's, {x.dtype}{x.shape}, beside those of the device")
    if type(x) in (tuple, list):
        return type(x)([bare(v, strict=strict) for v in x])
    if isinstance(x, dict):
        return {k: bare(v, strict=strict) for k, v in x.items()}
    return x


def dressed(y: Any, base: Any = None) -> Any:
    """Return nested results with stand-ins for arrays and NumPy's numbers."""
    if isinstance(y, (np.ndarray, np.generic)):
        return ndarray._of(np.asarray(y), base)
    if isinstance(y, (tuple, list)):
        parts = [dressed(v, base) for v in y]
        return type(y)(*parts) if hasattr(y, "_fields") else type(y)(parts)
    return y


class ndarray(mixins.NDArrayOperatorsMixin):  # noqa: N801 - the name in CuPy
    """The stand-in: it holds memory of NumPy's and lets nobody see it."""

    __array_priority__ = 100

    @classmethod
    def _of(cls, memory: Any, base: Any = None) -> Any:
        self = cls.__new__(cls)
        self._memory = memory
        within = isinstance(base, ndarray) and memory.base is not None and np.may_share_memory(memory, base._memory)
        self.base = (base if base.base is None else base.base) if within else None
        return self

    shape = property(lambda self: self._memory.shape)
    dtype = property(lambda self: self._memory.dtype)
    ndim = property(lambda self: self._memory.ndim)
    size = property(lambda self: self._memory.size)
    nbytes = property(lambda self: self._memory.nbytes)
    itemsize = property(lambda self: self._memory.itemsize)
    strides = property(lambda self: self._memory.strides)
    T = property(lambda self: dressed(self._memory.T, self))

    @property
    def flags(self) -> Any:
        f = self._memory.flags
        return SimpleNamespace(
            c_contiguous=f.c_contiguous, f_contiguous=f.f_contiguous, owndata=f.owndata, forc=f.forc, fnc=f.fnc
        )

    def __array__(self, *args: Any, **words: Any) -> Any:
        raise LeakError("an implicit conversion to an array of NumPy's")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        if method != "__call__" and method != "outer" and ufunc.__name__ not in METHODS[method]:
            raise LeakError(f"{ufunc.__name__}.{method}, which CuPy does not have")
        if not words.keys() <= WORDS:
            raise LeakError(f"{ufunc.__name__} with {', '.join(words.keys() - WORDS)}, which CuPy does not have")
        SEEN.setdefault(ufunc.__name__, set())
        y = getattr(ufunc, method)(*map(bare, inputs), **bare(words))
        out = words.get("out")
        return dressed(y) if out is None else out[0] if len(out) == 1 else out

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        SEEN.setdefault(".".join([*function.__module__.split(".")[1:], function.__name__]), set()).update(words)
        if any(t not in (ndarray, np.ndarray) for t in types):
            return NotImplemented
        if words.keys() & {"initial", "where"} and function is not np.copyto:
            raise LeakError(f"{function.__name__} with initial or where, which CuPy does not have")
        owner = next((a for a in args if isinstance(a, ndarray)), None)
        out = words.get("out")
        y = function(*bare(args), **bare(words))
        return dressed(y, owner) if out is None else out

    def __getattr__(self, name: str) -> Any:
        if name in ABSENT or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._memory, name)
        USED.add(name)
        if not callable(found):
            return dressed(found, self)

        def method(*args: Any, **words: Any) -> Any:
            if words.keys() & {"initial", "where"}:
                raise LeakError(f".{name} with initial or where, which CuPy does not have")
            return dressed(found(*bare(args), **bare(words)), self)

        return method

    def __getitem__(self, index: Any) -> Any:
        return dressed(self._memory[bare(index)], self)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._memory[bare(index)] = bare(value)

    def __len__(self) -> int:
        return len(self._memory)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._memory)

    def __int__(self) -> int:
        return int(self._memory)

    def __float__(self) -> float:
        return float(self._memory)

    def __index__(self) -> int:
        return self._memory.__index__()

    def __repr__(self) -> str:
        return f"stand_in({self._memory!r})"


def asnumpy(a: Any) -> Any:
    """Return a copy in main memory: the explicit way back."""
    return a._memory.copy()


def _creating(name: str) -> Any:
    def make(*args: Any, **words: Any) -> Any:
        strict = not name.endswith("asarray") and name not in ("array", "ascontiguousarray")
        y = getattr(np, name)(*bare(args, strict=strict), **bare(words, strict=strict))
        if args and isinstance(args[0], ndarray) and y is args[0]._memory:
            return args[0]
        return dressed(y if args and isinstance(args[0], ndarray) else (y.copy() if isinstance(y, np.ndarray) else y))

    return make


zeros, ones, empty, full, zeros_like, ones_like, empty_like, full_like = map(
    _creating, ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like")
)
arange, linspace, eye, tri, indices, tril_indices, triu_indices = map(
    _creating, ("arange", "linspace", "eye", "tri", "indices", "tril_indices", "triu_indices")
)
array, asarray, ascontiguousarray = map(_creating, ("array", "asarray", "ascontiguousarray"))


def _as_strided(x: Any, shape: Any = None, strides: Any = None) -> Any:
    return dressed(stride_tricks.as_strided(x._memory, shape, strides), x)


lib = SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=_as_strided))
