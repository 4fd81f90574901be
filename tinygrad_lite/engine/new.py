"""The one door through which ops, rules and optimisers create arrays.

``new.zeros(shape, dtype)`` is NumPy's own function, found as an attribute of this module at every call. So a tracer can
put functions in their place that write the creation down, and a library of arrays of another kind its own functions
(`redirect`, `KINDS`), without patching NumPy, and at no cost while unused. Import the module, never a name from it.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.lib import stride_tricks

DEFAULT_INTEGER = np.dtype(int)
"""What NumPy makes of Python's integers: int64, but int32 on 32-bit platforms (browsers) and old Windows builds."""


def int64(found: Any) -> Any:
    """Return indices or counts that NumPy made, as int64: on 32-bit platforms, as in browsers, they are int32.

    >>> int64(np.argmax([1, 3])).dtype
    dtype('int64')
    """
    return found if found.dtype == np.int64 else found.astype(np.int64)


def widened(make: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of NumPy make int64 of Python's integers, unless a dtype or an array says otherwise."""

    @functools.wraps(make)
    def wide(*args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        made = make(*args, **kwargs) if dtype is None else make(*args, dtype=dtype, **kwargs)
        given = dtype is not None or any(hasattr(a, "dtype") or isinstance(a, (type, np.dtype)) for a in args)
        return made.astype(np.int64) if made.dtype == DEFAULT_INTEGER and not given else made

    return wide


_WIDENED: dict[str, Callable[..., Any]] = {}
if DEFAULT_INTEGER != np.int64:
    _WIDENED = {name: widened(getattr(np, name)) for name in ("full", "arange", "array", "asarray")}


def numpys(name: str) -> Any:
    """Return NumPy's function of a name behind the door; one that makes int64 where NumPy itself would not."""
    return _WIDENED.get(name) or getattr(np, name, None) or getattr(stride_tricks, name)


zeros, ones, empty, full = np.zeros, np.ones, np.empty, np.full
zeros_like, ones_like, empty_like, full_like = np.zeros_like, np.ones_like, np.empty_like, np.full_like
arange, linspace, eye, tri, indices = np.arange, np.linspace, np.eye, np.tri, np.indices
tril_indices, triu_indices = np.tril_indices, np.triu_indices
array, asarray, ascontiguousarray, frombuffer = np.array, np.asarray, np.ascontiguousarray, np.frombuffer
ndarray, as_strided = np.ndarray, stride_tricks.as_strided
globals().update(_WIDENED)

NAMES = (
    "zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "arange", "linspace",
    "eye", "tri", "indices", "tril_indices", "triu_indices", "array", "asarray", "ascontiguousarray", "frombuffer",
    "ndarray", "as_strided",
)  # fmt: skip
"""Every function of NumPy that makes an array out of something else and stands behind this door.

``ndarray(shape, dtype, a, offset, strides)`` and ``as_strided`` are views of ``a`` that no protocol of NumPy sees.
"""

_maker: ContextVar[Any] = ContextVar("tinygrad_lite_maker", default=None)
_lock = threading.Lock()
_here = sys.modules[__name__]
REDIRECTED = [0]
KINDS: dict[Any, Any] = {}
"""Makers of arrays that are not NumPy's, by the class of the arrays: those of a device (`devices.Kind`)."""


@functools.lru_cache(maxsize=256)
def _shared_scalar(value: float, dtype: Any) -> Any:
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


def scalar(value: float, dtype: Any) -> Any:
    """Return a number as a 0-d array, shared and read-only: NumPy reads it twice as fast as a Python number.

    >>> scalar(0.5, np.float32)
    array(0.5, dtype=float32)
    """
    if REDIRECTED[0] and (maker := _maker.get()) is not None:
        return dtype.type(value) if maker in KINDS.values() else array(value, dtype)
    return _shared_scalar(value, dtype)


@functools.lru_cache(maxsize=64)
def _shared(n: int, dtype: Any) -> Any:
    array = np.ones(n, dtype)
    array.flags.writeable = False
    return array


def row_of_ones(n: int, dtype: Any) -> Any:
    """Return ``n`` ones, shared and read-only up to 65,536: ``np.dot`` with them is the fastest sum over rows.

    >>> row_of_ones(3, np.float32)
    array([1., 1., 1.], dtype=float32)
    """
    if n > 1 << 16 or REDIRECTED[0]:
        return ones(n, dtype)
    return _shared(n, dtype)


def cached(function: Callable[..., Any]) -> Any:
    """Cache the results of a function that builds constant arrays, except inside `redirect`.

    A result built by another maker must neither be kept for later calls nor replaced by one of NumPy.

    >>> table = cached(lambda n: arange(n))
    >>> table(3) is table(3)
    True
    """
    kept = functools.lru_cache(maxsize=128)(function)

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return function(*args) if REDIRECTED[0] and _maker.get() is not None else kept(*args)

    call.cache_clear = kept.cache_clear  # type: ignore[attr-defined]
    return call


def whole(function: Callable[..., Any]) -> Any:
    """Let a maker see a function as one call: its loops or threads depend on the numbers, its result on nothing else.

    >>> from types import SimpleNamespace
    >>> @whole
    ... def longest(a):
    ...     return max(a.tolist())
    >>> with redirect(SimpleNamespace(whole=lambda function, args, words: (function.__name__, args))):
    ...     longest(3)
    ('longest', (3,))
    """

    @functools.wraps(function)
    def call(*args: Any, **words: Any) -> Any:
        if REDIRECTED[0] and (maker := getattr(_maker.get(), "whole", None)) is not None:
            return maker(function, args, words)
        return function(*args, **words)

    return call


def redirected() -> bool:
    """Return whether a maker creates the arrays here, such as the recorder of a step."""
    return _maker.get() is not None


def straight() -> bool:
    """Return whether an op should compute one way whatever the numbers are: what is recorded here becomes machine code.

    A way that is chosen by the numbers is a check in the recording; where it fails, the recording is of no use.
    """
    ask = getattr(_maker.get(), "straight", None) if REDIRECTED[0] else None
    return ask is not None and ask()


def seen_whole(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return the result of a function that a maker sees as one call; NotImplemented if it sees the steps of each."""
    if (current := _maker.get()) is None:
        return function(*args)
    maker = getattr(current, "whole", None)
    return NotImplemented if maker is None else maker(function, args, {})


def writes_are_seen() -> bool:
    """Return whether the maker of this thread sees functions that write into arrays as one call."""
    return hasattr(_maker.get(), "writing")


def writing(function: Callable[..., Any], targets: tuple[Any, ...], *args: Any) -> None:
    """Call ``function(*targets, *args)``, which writes into the targets, so that a maker sees it as one call."""
    maker = getattr(_maker.get(), "writing", None)
    if maker is None:
        function(*targets, *args)
    else:
        maker(function, targets, args)


def _either(name: str) -> Callable[..., Any]:
    plain = numpys(name)

    @functools.wraps(plain)
    def make(*args: Any, **kwargs: Any) -> Any:
        maker = _maker.get()
        if maker is None and args:  # a copy of an array of another kind is one too
            maker = KINDS.get(args[0].__class__)
        return (plain if maker is None else getattr(maker, name, plain))(*args, **kwargs)

    return make


def _divert() -> None:
    with _lock:
        REDIRECTED[0] += 1
        if REDIRECTED[0] == 1:
            globals().update({name: _either(name) for name in NAMES})


def _restore() -> None:
    with _lock:
        REDIRECTED[0] -= 1
        if not REDIRECTED[0]:
            globals().update({name: numpys(name) for name in NAMES})


def add_kind(array: type, maker: Any) -> Callable[[], None]:
    """From now on let ``maker`` create what is made out of an array of the class ``array``, or in `placed`.

    Returns a function that undoes it.
    """
    _divert()
    KINDS[array] = maker

    def undo() -> None:
        del KINDS[array]
        _restore()

    return undo


def is_array(x: Any) -> bool:
    """Return whether ``x`` is an array: NumPy's, or one of `KINDS`."""
    return isinstance(x, np.ndarray) or x.__class__ in KINDS


def like(array: Any) -> Any:
    """Return the functions that make arrays of the kind of ``array``: those of this module for NumPy's.

    >>> like(np.ones(1)).zeros(2)
    array([0., 0.])
    """
    return KINDS.get(array.__class__, _here)


def beside(array: Any, x: Any) -> Any:
    """Return an array of NumPy's, such as a mask that was drawn, as one of the kind of ``x``, a tensor or an array."""
    kind = KINDS.get(getattr(x, "array", x).__class__) if KINDS else None
    return array if kind is None or array.__class__ is not np.ndarray else kind.asarray(array)


def writable(array: Any) -> bool:
    """Return whether an array may be written to: only NumPy's can be read-only."""
    return bool(getattr(array.flags, "writeable", True))


@contextmanager
def placed(maker: Any) -> Iterator[None]:
    """Let a maker of `KINDS` create the arrays of this thread or task inside the block; None for NumPy's functions."""
    token = _maker.set(maker)
    try:
        yield
    finally:
        _maker.reset(token)


@contextmanager
def redirect(maker: Any) -> Iterator[None]:
    """Let ``maker``'s functions of the same names create the arrays of this thread or task inside the block.

    Other threads keep NumPy's. A function that ``maker`` does not have stays NumPy's too.

    >>> from types import SimpleNamespace
    >>> from tinygrad_lite.engine import new
    >>> with redirect(SimpleNamespace(zeros=lambda shape, dtype=float: "mine")):
    ...     new.zeros(3), new.ones(1)
    ('mine', array([1.]))
    >>> new.zeros(1)
    array([0.])
    """
    _divert()
    token = _maker.set(maker)
    try:
        yield
    finally:
        _maker.reset(token)
        _restore()
