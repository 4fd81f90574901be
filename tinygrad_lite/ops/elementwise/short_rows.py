"""Elementwise ufuncs of two arrays whose last axis is short, such as the knots of a spline or the classes of a point.

NumPy calls its inner loop once per row where rows are not next to each other in memory or are broadcast, which costs
more than a row of a few elements. Such an operand is first copied by whole rows, so that the ufunc runs once along all
of them. The elements of the result are those of the plain call, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new

LONGEST = 32
"""Longest row for which a copy pays: starting a row takes NumPy about as long as computing 30 elements."""
ROWS = 1024
"""Fewest rows for which looking at shapes pays."""


FAST: list[tuple[int, int, Callable[[Any, Any, Any], Any]]] = []
"""A function that returns ``ufunc(a, b)`` of so many rows or elements, or NotImplemented, if there is one."""


def applied(ufunc: Any, a: Any, b: Any) -> Any:
    """Return ``ufunc(a, b)``, with operands of many short rows laid out row by row first."""
    if FAST and a.size >= FAST[-1][1] and (result := FAST[-1][2](ufunc, a, b)) is not NotImplemented:
        return result
    if b.__class__ is not np.ndarray or a.__class__ is not np.ndarray or not a.ndim or not b.ndim:
        return ufunc(a, b)
    n = max(a.shape[-1], b.shape[-1])
    if not 2 <= n <= LONGEST or (rows := max(a.size // a.shape[-1], b.size // b.shape[-1])) < ROWS:
        return ufunc(a, b)
    if FAST and rows >= FAST[-1][0] and (result := FAST[-1][2](ufunc, a, b)) is not NotImplemented:
        return result
    x, y = _rows(a, n), _rows(b, n)
    return ufunc(a, b) if x is None or y is None else ufunc(x, y)


def _rows(a: Any, n: int) -> Any:
    """Return ``a`` in rows of ``n`` elements next to each other, or with one number for several rows.

    None if that is impossible: its axes lie in another order, or it is one row for all.
    """
    many = a.ndim > 1 and a.shape[-2] > 1
    if a.shape[-1] == 1 and not many:
        return a
    if not many:
        return None
    if a.flags.c_contiguous and a.shape[-1] == n:
        return a
    before = 0
    for k, s in zip(a.shape[-2::-1], a.strides[-2::-1], strict=True):
        if k > 1 and s < before:
            return None
        before = s if k > 1 else before
    if a.shape[-1] == 1:
        return np.repeat(a, n, axis=-1)
    if a.shape[-1] != n or a.strides[-1] != a.itemsize or a.strides[-2] < n * a.itemsize or a.dtype.hasobject:
        return None
    return new.ascontiguousarray(a.view(f"V{n * a.itemsize}")).view(a.dtype)


def summed(a: Any, axis: int, keepdims: bool) -> Any:
    """Return the sum of ``a`` over one axis; of many float32 by BLAS, several times as fast.

    Along the last axis for short rows only: NumPy adds long ones pairwise, which rounds less.
    """
    shape, n, bare = a.shape, a.shape[axis], a.__class__ is np.ndarray
    axis %= a.ndim
    last = axis == a.ndim - 1
    many = a.size >= ROWS * n if last else a.size >= 4 * ROWS and n <= 4 * ROWS
    if not (bare and many and 2 <= n and (not last or n <= LONGEST) and a.dtype.char == "f" and a.flags.c_contiguous):
        reduce: Any = np.add.reduce  # NumPy's stubs accept only a literal keepdims
        return reduce(a, axis=axis, keepdims=keepdims)
    one = new.row_of_ones(n, a.dtype)
    total = np.dot(a.reshape(-1, n), one) if last else np.matmul(one, a.reshape(prod(shape[:axis]), n, -1))
    return total.reshape((*shape[:axis], *((1,) if keepdims else ()), *shape[axis + 1 :]))
