"""Conversion of data to arrays: shapes, the default dtype, and the dtype of Python numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe


class Holder:
    """Base of Tensor with an ``array`` attribute, for modules that Tensor stands on."""

    __slots__ = ()

    array: Any


# ------------------------------------------------------------------------------------------------ NumPy's warnings
hush: Callable[[], Any]
"""Silence NumPy's floating-point warnings in this thread or task; `unhush` takes the returned token."""
unhush: Callable[[Any], Any]
"""Restore the warnings of before `hush`."""
reset: Callable[[Any], Any]
"""The same, faster; where it raises MemoryError, `unhush` is to be called."""
warnings_now: Callable[[], Any]
"""Return what the warnings are: the same object as before if they have not changed."""

try:  # np.errstate without its checks, which took a tenth of the backward pass of a small network
    from numpy._core.umath import _extobj_contextvar  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    hush, unhush = partial(np.seterr, all="ignore"), lambda before: np.seterr(**before)
    reset = unhush
    warnings_now = np.geterr
else:
    warnings_now = _extobj_contextvar.get
    _usual = warnings_now()
    with np.errstate(all="ignore"):
        hush = partial(_extobj_contextvar.set, _extobj_contextvar.get())
    reset = _extobj_contextvar.reset

    def _reset(token: Any) -> None:
        """Restore the warnings, also when memory is short: a failed reset has used the token up."""
        try:
            reset(token)
        except (MemoryError, RuntimeError):
            _extobj_contextvar.set(_usual if token.old_value is token.MISSING else token.old_value)

    unhush = _reset


# ------------------------------------------------------------------------------------------------ dtypes
class Size(tuple[int, ...]):
    """A shape: a tuple with `numel`.

    >>> import tinygrad_lite as tl
    >>> len(tl.zeros(3, 2).shape)
    2
    """

    __slots__ = ()

    def numel(self) -> int:
        """Return the number of elements."""
        count = 1
        for n in self:
            count *= n
        return count


class _Sizes(dict[tuple[int, ...], Size]):
    def __missing__(self, shape: tuple[int, ...]) -> Size:
        if len(self) >= 4096:
            self.clear()
        self[shape] = size = Size(shape)
        return size


SIZES = _Sizes()
"""Sizes by shape: a lookup costs a third of making one, and programs use few shapes."""

_program_dtype = [np.dtype(np.float32)]
_thread_dtype: ContextVar[np.dtype[Any] | None] = ContextVar("tinygrad_lite_dtype", default=None)


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype that Python floats become.

    >>> get_default_dtype()
    dtype('float32')
    """
    return _thread_dtype.get() or _program_dtype[0]


@named
def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype that Python floats become: in the main thread for the program, elsewhere for that thread.

    >>> import tinygrad_lite as tl
    >>> tl.set_default_dtype(tl.float64)
    >>> dtype = tl.zeros(1).dtype
    >>> tl.set_default_dtype(tl.float32)
    >>> dtype
    torch.float64
    """
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DTypeError(f"set_default_dtype: expected a floating dtype, got {chosen}")
    if threading.current_thread() is threading.main_thread():
        _program_dtype[0] = chosen
    else:
        _thread_dtype.set(chosen)


def to_array(data: Any, dtype: Any = None, copy: bool = True, name: str = "tensor", numbers: Any = None) -> Any:
    """Turn ``data`` into an array: Python floats get the default dtype (all numbers ``numbers``), arrays keep theirs.

    Raises DTypeError for strings, objects and complex numbers, ShapeError for ragged lists.
    """
    if isinstance(data, Holder):
        data = data.array
    elif hasattr(data, "__array__") and not isinstance(data, np.generic) and data.__class__ not in new.KINDS:
        data = np.asarray(data)  # another library's
    if new.is_array(data):
        # NumPy would choose another memory order for a broadcast array
        order: Any = "C" if 0 in data.strides else "K"
        array = new.array(data, dtype=dtype, copy=True, order=order) if copy else new.asarray(data, dtype=dtype)
    else:
        kept = None  # the dtype that tensors, arrays and NumPy's numbers bring along
        if isinstance(data, (list, tuple)):
            data, kinds = _plain_lists(data, name)
            if not kinds <= PYTHON:
                kept = _common(kinds)
        elif hasattr(data, "dtype"):
            kept = np.dtype(data.dtype)
        array = _from_numbers(data, dtype, name, copy)
        if dtype is None and array.dtype.kind in "biuf":
            wanted = (numbers if numbers and isinstance(data, list) else kept or numbers) or (
                get_default_dtype() if array.dtype == np.float64 else array.dtype
            )
            if array.dtype != wanted:
                with np.errstate(over="ignore", invalid="ignore"):
                    array = array.astype(wanted)
    if array.dtype.kind not in "biuf":
        fix = {"c": "complex numbers are not supported; pass real and imaginary part", "O": "pass numbers"}
        raise DTypeError(
            f"{name}: cannot compute with dtype {array.dtype} ({describe(data)}); "
            f"{fix.get(array.dtype.kind, 'convert it to numbers first')}"
        )
    return array


PYTHON = {float, int, bool}


def _from_numbers(data: Any, dtype: Any, name: str, copy: bool) -> Any:
    """Return an array of (nested lists of) numbers; raise in this package's words."""
    whole = dtype is not None and np.dtype(dtype).kind in "iu"
    try:
        first = None if whole else dtype  # NumPy refuses -1 as uint8, PyTorch wraps it
        with np.errstate(over="ignore", invalid="ignore") if first is not None else nullcontext():
            array = new.array(data, dtype=first) if copy else new.asarray(data, dtype=first)
    except (ValueError, TypeError, OverflowError) as error:
        kind = ShapeError if "inhomogeneous" in str(error) else DTypeError
        why = "nested lists of unequal length" if kind is ShapeError else str(error)
        raise kind(f"{name}: cannot make an array of {describe(data)}: {why}") from None
    if dtype is None and array.dtype == np.uint64 and not hasattr(data, "dtype"):  # Python's numbers from 2 ** 63 on
        raise OptionError(f"{name}: {describe(data)} does not fit into int64; pass dtype=uint64 or float64")
    if not whole or array.dtype == dtype or array.dtype.kind not in "biuf":
        return array
    if array.size:
        for extreme in (array.min(), array.max()):
            check_number(name, extreme, np.dtype(dtype))
    return array.astype(dtype)


def check_number(name: str, value: Any, dtype: np.dtype[Any]) -> None:
    """Raise OptionError unless ``dtype`` can hold a number, as PyTorch does: infinities and wrapped negatives pass.

    >>> check_number("full", 300, np.dtype("uint8"))
    Traceback (most recent call last):
    tinygrad_lite.errors.OptionError: full: the value 300 cannot be converted to uint8 without overflow
    """
    if dtype.kind == "b":
        return
    if dtype.kind == "f":
        fits = not np.isfinite(value) or abs(value) <= float(np.finfo(dtype).max)
    else:
        limits = np.iinfo(dtype)
        wraps = dtype.kind == "u" and not isinstance(value, (float, np.floating))
        low = -int(limits.max) if wraps else int(limits.min)
        fits = bool(np.isfinite(value)) and low <= value <= int(limits.max)
    if not fits:
        raise OptionError(f"{name}: the value {value} cannot be converted to {dtype} without overflow")


def number(name: str, value: Any, dtype: Any) -> Any:
    """Return one Python number as a 0-d array of ``dtype``, without a detour through another dtype.

    Raises OptionError if it does not fit.

    >>> number("fill_", 0.1, np.float64)
    array(0.1)
    """
    chosen = np.dtype(dtype)
    if value.__class__ is float and chosen.char in "fd" and -1e38 < value < 1e38:
        return new.asarray(value, chosen)
    wide = new.asarray(value)
    if wide.dtype.kind not in "biuf":
        raise DTypeError(f"{name}: expected a number, got {describe(value)}")
    if name != "setitem" or chosen != np.float16:  # PyTorch lets those become infinite
        check_number(name, value, chosen)
    with np.errstate(over="ignore"):
        return wide.astype(chosen)


def _plain_lists(data: Any, name: str, depth: int = 1) -> tuple[Any, set[Any]]:
    """Return nested lists with tensors of one element as numbers, and the types and dtypes in them."""
    if depth > 64:  # as many axes as an array has at most; perhaps a list holds itself
        raise ShapeError(f"{name}: lists are nested more than 64 deep")
    out: list[Any] = []
    kinds: set[Any] = set()
    for d in data:
        if d.__class__ in PYTHON:
            kinds.add(d.__class__)
        elif isinstance(d, (list, tuple)):
            d, inner = _plain_lists(d, name, depth + 1)
            kinds |= inner
        elif isinstance(d, Holder):
            if d.array.size != 1:
                raise ShapeError(
                    f"{name}: only tensors of one element can stand in a list, one is {describe(d)}; use stack or cat"
                )
            kinds.add(d.array.dtype)
            d = d.array.item()
        else:
            kinds.add(np.dtype(d.dtype) if hasattr(d, "dtype") else d.__class__)
        out.append(d)
    return out, kinds


LEVELS = {"b": 0, "i": 1, "u": 1, "f": 2}


def _common(kinds: set[Any]) -> np.dtype[Any] | None:
    """Return the dtype PyTorch gives to a list of numbers of these types and dtypes; None if one is unknown."""
    natural = {float: get_default_dtype(), int: np.dtype(np.int64), bool: np.dtype(bool)}
    common: np.dtype[Any] | None = None
    for kind in kinds:
        dtype = natural.get(kind, kind)
        if not isinstance(dtype, np.dtype) or dtype.kind not in LEVELS:
            return None
        if common is None or LEVELS[dtype.kind] > LEVELS[common.kind]:
            common = dtype
        elif LEVELS[dtype.kind] == LEVELS[common.kind]:
            common = np.promote_types(common, dtype)
    return common


class finfo:  # noqa: N801 - PyTorch's name
    """The limits of a floating dtype, of the default one by default, as Python numbers: ``eps``, ``max``, ``tiny`` ...

    >>> import tinygrad_lite as tl
    >>> tl.finfo(tl.float16).bits, tl.finfo(tl.float16).max
    (16, 65504.0)
    """

    bits: int
    eps: float
    max: float
    min: float
    resolution: float
    smallest_normal: float
    tiny: float

    def __init__(self, type: Any = None) -> None:
        try:
            chosen = np.dtype(get_default_dtype() if type is None else type)
        except (TypeError, ValueError) as error:  # a string may have letters that no encoding has
            raise DTypeError(f"finfo: expected a floating dtype, got {describe(type)}") from error
        if chosen.kind != "f":
            raise TypeError(f"finfo: expected a floating dtype, got {chosen}; use iinfo")
        found = np.finfo(chosen)
        self.bits, self.dtype = int(found.bits), chosen.name
        self.resolution = 10.0**-found.precision
        for name in ("eps", "max", "min", "smallest_normal", "tiny"):
            setattr(self, name, float(getattr(found, name)))

    def __repr__(self) -> str:
        words = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{w}={getattr(self, w):.6g}' for w in words)}, dtype={self.dtype})"


@named
def iinfo(type: Any) -> np.iinfo[Any]:
    """Return the limits of an integer dtype: ``min``, ``max`` and ``bits``.

    >>> import tinygrad_lite as tl
    >>> tl.iinfo(tl.uint8).max
    255
    """
    chosen = np.dtype(type)
    if chosen.kind not in "iu":
        raise TypeError(f"iinfo: expected an integer dtype, got {chosen}; use finfo")
    return _IntegerLimits(chosen)


class _IntegerLimits(np.iinfo):
    """NumPy's limits of an integer dtype, printed in one line."""

    def __repr__(self) -> str:
        limits = [
            f"{w}={v if abs(v) < 1e6 else format(float(v), 'g')}" for w, v in (("min", self.min), ("max", self.max))
        ]
        return f"iinfo({', '.join(limits)}, dtype={self.dtype})"

    __str__ = __repr__
