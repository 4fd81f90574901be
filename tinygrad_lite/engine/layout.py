"""The memory layout of results: where ``.view`` can tell, results lie in memory as PyTorch's do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy import ndarray

from tinygrad_lite.engine import new


def contiguous(y: Any) -> Any:
    """Return an array in row-major order: itself or a copy."""
    return new.ascontiguousarray(y) if y.ndim else y


def copied(y: Any, *operands: Any) -> Any:
    """Return an array in row-major order that shares no memory with the operands."""
    for x in operands:
        if x.__class__ is ndarray and y.base is not None and (y.base is x or y.base is x.base) or y is x:
            return new.array(y, order="C")
    return contiguous(y)


def order_of(shape: tuple[int, ...], operands: Sequence[Any]) -> list[int]:
    """Return the axes of an elementwise result from the fastest to the slowest in memory.

    It is PyTorch's rule: of two axes that one is faster which has the smaller stride in the first operand that
    distinguishes them. Axes of stride 0, such as broadcast ones, distinguish nothing.

    >>> import numpy as np
    >>> order_of((2, 3), [np.ones((3, 2)).T, np.ones((2, 3))])
    [0, 1]
    """
    n = len(shape)
    strides = []
    for x in operands:
        if x.__class__ is ndarray and x.ndim:
            own = [
                0 if k == 1 and shape[n - x.ndim + i] != 1 else s
                for i, (k, s) in enumerate(zip(x.shape, x.strides, strict=True))
            ]
            strides.append([0] * (n - x.ndim) + own)
    order = list(range(n))[::-1]
    for i in range(1, n):
        here = i
        for j in range(i - 1, -1, -1):
            found = _slower(order[j], order[here], shape, strides)
            if found < 0:
                break
            if found > 0:
                order[j], order[here] = order[here], order[j]
                here = j
    return order


def _slower(a: int, b: int, shape: tuple[int, ...], strides: list[list[int]]) -> int:
    """Return 1 if axis ``a`` has to stand behind axis ``b``, -1 if before it, 0 if that does not matter."""
    for s in strides:
        if s[a] and s[b]:
            if s[a] != s[b]:
                return 1 if s[a] > s[b] else -1
            if shape[a] > shape[b]:
                return 1
    return 0


def dense(shape: tuple[int, ...], order: Sequence[int]) -> list[int]:
    """Return the strides in elements of an array without gaps whose axes have the given ``order``, fastest first.

    >>> dense((2, 3), [0, 1])
    [1, 2]
    """
    strides, step = [0] * len(shape), 1
    for axis in order:
        strides[axis], step = step, step * max(shape[axis], 1)
    return strides


def arranged(y: Any, operands: Sequence[Any]) -> Any:
    """Return the result of an elementwise op in the memory layout that PyTorch gives it: itself or a copy."""
    if y.ndim < 2 or not y.size:
        return y
    order = order_of(y.shape, operands)
    if all(n == 1 or s == w * y.itemsize for n, s, w in zip(y.shape, y.strides, dense(y.shape, order), strict=True)):
        return y
    out = empty(y.shape, y.dtype, order)
    out[...] = y
    return out


def empty(shape: tuple[int, ...], dtype: Any, order: Sequence[int]) -> Any:
    """Return an uninitialised array without gaps whose axes have the given ``order`` in memory, fastest first."""
    slowest_first = list(order)[::-1]
    out = new.empty([shape[i] for i in slowest_first], dtype)
    return out.transpose([slowest_first.index(i) for i in range(len(shape))])
