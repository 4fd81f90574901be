"""PyTorch's rules for combining dtypes, applied before NumPy sees the arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, to_array
from tinygrad_lite.errors import DTypeError, describe

F16, F32, F64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
FLOATING = ("float", "single", "quotient")
NUMPY_1 = np.lib.NumpyVersion(np.__version__) < "2.0.0"
"""NumPy 1 promotes 0-d results by the value of a Python number, so there numbers are cast first."""


def keeping(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``forward`` with 0-d results in the dtype of its operands: NumPy 1 makes float64 of float32 and a number.

    >>> keeping(lambda x: np.float64(x) * 2)(np.ones((), np.float32)).dtype
    dtype('float32')
    """

    @functools.wraps(forward)
    def kept(*args: Any, **words: Any) -> Any:
        y = forward(*args, **words)
        if getattr(y, "ndim", 1) == 0 and y.dtype == F64:
            given = {a.dtype for a in args if getattr(getattr(a, "dtype", None), "kind", "") == "f"}
            return y.astype(given.pop()) if len(given) == 1 else y
        return y

    return kept


_LEVEL = {"b": 0, "i": 1, "u": 1, "f": 2}


def _rank_and_dtype(value: Any) -> tuple[int, np.dtype[Any]] | None:
    """Return the rank of an operand in promotion (2: with axes, 1: 0-d, 0: Python number) and its dtype."""
    a = value.array if isinstance(value, Tensor) else value
    if isinstance(a, (bool, np.bool_)):
        return 0, np.dtype(bool)
    if isinstance(a, (int, np.integer)):
        return 0, np.dtype(np.int64)
    if isinstance(a, (float, np.floating)):
        return 0, get_default_dtype()
    if hasattr(a, "dtype"):
        return (2 if a.ndim else 1), a.dtype
    return None


def result_dtype(values: Iterable[Any], floating: bool = False) -> np.dtype[Any]:
    """Return PyTorch's result dtype: bool < int < float first, then arrays with axes before 0-d ones before numbers.

    With ``floating`` an integer result becomes the default float.

    >>> result_dtype([np.zeros(2, np.float32), np.zeros((), np.float64), 1.5])
    dtype('float32')
    >>> result_dtype([np.zeros(2, np.int64), 1.5])
    dtype('float32')
    """
    by_rank: dict[int, np.dtype[Any]] = {}
    for value in values:
        known = _rank_and_dtype(value)
        if known is not None:
            rank, dtype = known
            if dtype.kind not in _LEVEL:
                raise DTypeError(f"cannot compute with dtype {dtype}")
            old = by_rank.get(rank)
            if old is None or _LEVEL[dtype.kind] > _LEVEL[old.kind]:
                by_rank[rank] = dtype
            elif _LEVEL[dtype.kind] == _LEVEL[old.kind]:
                by_rank[rank] = np.promote_types(old, dtype)
    chosen: np.dtype[Any] | None = None
    for rank in sorted(by_rank, reverse=True):
        if chosen is None or _LEVEL[by_rank[rank].kind] > _LEVEL[chosen.kind]:
            chosen = by_rank[rank]
    if chosen is None or (floating and chosen.kind != "f"):
        return get_default_dtype()
    return chosen


def one_dtype(name: str, values: Iterable[Any]) -> None:
    """Raise for tensors of different dtypes, which PyTorch does not promote in products and layers."""
    found = {v.array.dtype for v in values if isinstance(v, Tensor) and not v.level}
    if len(found) > 1:
        kinds = " and ".join(sorted(str(d) for d in found))
        raise DTypeError(f"{name}: expected tensors of one dtype, got {kinds}; use .to(dtype)")


def promoted(name: str, values: Sequence[Any], how: str) -> list[Any]:
    """Return ``values`` with arrays and tensors cast to their common dtype (casting a tensor is recorded).

    ``how``: "same"; "float" turns integers into floats; "equal" raises for tensors of different dtypes, which PyTorch
    does not promote in products and layers. "difference" and "power" are "same" without bools, or without integers to
    a negative number. "single" is "float", but float16 is computed in float32 and rounded once; "product" and
    "quotient" are "same" and "float", where that holds beside a number that float16 cannot represent.
    """
    if how == "equal":
        one_dtype(name, values)
    elif how != "power" and (usual := _beside_numbers(values)) is not None:
        return usual
    out = []
    for v in values:
        if v is None or isinstance(v, (Tensor, np.ndarray, int, float, np.generic)):
            out.append(v)
        elif isinstance(v, (list, tuple)):
            out.append(to_array(v, name=name))
        elif hasattr(v, "__array_ufunc__") or hasattr(v, "__array_namespace__"):
            return list(values)  # another array library has its own rules
        else:
            raise DTypeError(f"{name}: expected tensors, arrays or numbers, got {describe(v)}")
    dtype = result_dtype(out, how in FLOATING)
    if how in ("difference", "power"):
        _refuse(how, out, dtype)
        if how == "power" and isinstance(out[0], int) and dtype.kind == "f" and np.ndim(out[1]) > 1:  # type: ignore[arg-type]
            return [float(out[0]), _cast(out[1], dtype)]  # `pow` lays the powers of a number out in its own way
    return [v if v is None else _cast(v, dtype) for v in out]


def _beside_numbers(values: Sequence[Any]) -> list[Any] | None:
    """Return ``values`` promoted if they are one array of floats with axes and numbers: a common case."""
    dtype = None
    for v in values:
        if v.__class__ is float or v.__class__ is int:
            if not -1e38 < v < 1e38:
                return None
        elif v is not None:
            a = v.array if isinstance(v, Tensor) else v
            if dtype is not None or a.__class__ is not np.ndarray or not a.ndim or a.dtype.char not in "fd":
                return None
            dtype = a.dtype
    if dtype is None:
        return None
    return [new.asarray(v, dtype) if v.__class__ is float or v.__class__ is int else v for v in values]


def _refuse(how: str, values: Sequence[Any], dtype: np.dtype[Any]) -> None:
    first, second = values
    if how == "difference" and any(v.__class__ is bool or getattr(v, "dtype", F32).kind == "b" for v in values):
        what = f"(input {describe(first)}, other {describe(second)})"
        raise DTypeError(f"sub: not defined for bool tensors; use ^ or logical_xor {what}")
    if how == "power" and dtype.kind in "iu" and second.__class__ is int and second < 0:
        raise DTypeError("pow: integers cannot be raised to negative integer powers; use .float() or float_power")


def halved(values: Sequence[Any], how: str) -> bool:
    """Return whether an op on ``values`` gives float16 but has to be computed in float32 (see `promoted`)."""
    if not any(getattr(v, "dtype", None) == F16 for v in values) or result_dtype(values) != F16:
        return False
    with np.errstate(over="ignore"):
        return how == "single" or any(v.__class__ in (int, float) and float(np.float16(v)) != v for v in values)


def _cast(v: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(v, Tensor):
        return v if v.array.dtype == dtype else v.to(dtype)
    if v.__class__ is int and dtype.kind in "iu":  # wraps around, as in PyTorch
        return new.asarray(v).astype(dtype)
    with np.errstate(over="ignore"):
        return new.asarray(v, dtype)
