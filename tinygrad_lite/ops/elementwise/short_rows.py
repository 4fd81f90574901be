"""Elementwise ufuncs of two arrays whose last axis is short, such as the knots of a spline or the classes of a point.

NumPy calls its inner loop once per row where rows are not next to each other in memory or are broadcast, which costs
more than a row of a few elements. Such an operand is first copied by whole rows, so that the ufunc runs once along all
of them. The elements of the result are those of the plain call, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.sums import LONGEST, ROWS

FAST: list[tuple[int, int, Callable[[Any, Any, Any], Any]]] = []
"""A function that returns ``ufunc(a, b)`` of so many rows or elements, or NotImplemented, if there is one."""


def applied(ufunc: Any, a: Any, b: Any) -> Any:
    """Return ``ufunc(a, b)``, with operands of many short rows laid out row by row first."""
    if a.__class__ is not np.ndarray:
        return ufunc(a, b)
    if FAST and a.size >= FAST[-1][1] and (result := FAST[-1][2](ufunc, a, b)) is not NotImplemented:
        return result
    if b.__class__ is not np.ndarray or a.size < ROWS > b.size or not (a.ndim and b.ndim and a.size and b.size):
        return ufunc(a, b)
    if a.shape == b.shape and a.flags.c_contiguous and b.flags.c_contiguous:  # one long row
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
