"""Conversion of data to arrays: shapes, the default dtype, and the dtype of Python numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.errors import DTypeError, ShapeError, describe


class Holder:
    """Base of Tensor with an ``array`` attribute, for modules that Tensor stands on."""

    __slots__ = ()

    array: Any


# ------------------------------------------------------------------------------------------------ NumPy's warnings
hush: Callable[[], Any]
"""Silence NumPy's floating-point warnings in this thread or task; `unhush` takes the returned token."""
unhush: Callable[[Any], Any]
"""Restore the warnings of before `hush`."""

try:  # np.errstate without its checks, which took a tenth of the backward pass of a small network
    from numpy._core.umath import _extobj_contextvar  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    hush, unhush = partial(np.seterr, all="ignore"), lambda before: np.seterr(**before)
else:
    with np.errstate(all="ignore"):
        hush, unhush = partial(_extobj_contextvar.set, _extobj_contextvar.get()), _extobj_contextvar.reset


# ------------------------------------------------------------------------------------------------ dtypes
class Size(tuple[int, ...]):
    """A shape: a tuple with `numel`."""

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


def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype that Python floats become: in the main thread for the program, elsewhere for that thread."""
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
    if isinstance(data, np.ndarray):
        array = new.array(data, dtype=dtype, copy=True) if copy else new.asarray(data, dtype=dtype)
    else:
        if isinstance(data, (list, tuple)):
            data = _without_tensors(data)
        try:
            array = new.array(data, dtype=dtype) if copy else new.asarray(data, dtype=dtype)
        except (ValueError, TypeError, OverflowError) as error:
            kind = ShapeError if "inhomogeneous" in str(error) else DTypeError
            why = "nested lists of unequal length" if kind is ShapeError else str(error)
            raise kind(f"{name}: cannot make an array of {describe(data)}: {why}") from None
        if dtype is None and (array.dtype == np.float64 or numbers is not None) and not _has_dtype(data):
            array = array.astype(numbers or get_default_dtype()) if array.dtype.kind in "biuf" else array
    if array.dtype.kind not in "biuf":
        fix = {"c": "complex numbers are not supported; pass real and imaginary part", "O": "pass numbers"}
        raise DTypeError(
            f"{name}: cannot compute with dtype {array.dtype} ({describe(data)}); "
            f"{fix.get(array.dtype.kind, 'convert it to numbers first')}"
        )
    return array


def _without_tensors(data: Any) -> Any:
    return [
        _without_tensors(d) if isinstance(d, (list, tuple)) else d.array if isinstance(d, Holder) else d for d in data
    ]


def _has_dtype(data: Any) -> bool:
    """Return whether the first number inside nested lists has a dtype of its own."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return hasattr(data, "dtype")
