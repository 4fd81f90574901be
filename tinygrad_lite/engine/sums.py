"""Sums over axes, and the adjoint of broadcasting: by BLAS where NumPy would start a loop for each short row."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new

F16 = np.dtype(np.float16)
LONGEST = 32
"""Longest row that counts as short: starting a row takes NumPy about as long as computing 30 elements."""
ROWS = 1024
"""Fewest rows for which looking at shapes pays."""


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


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes along which an input of ``shape`` was broadcast (the adjoint of broadcasting).

    >>> unbroadcast(np.ones((4, 2, 3)), (2, 1)).shape
    (2, 1)
    """
    dtype, extra = g.dtype, g.ndim - len(shape)
    if dtype is F16:  # added in float32 and rounded once
        return unbroadcast(g.astype(np.float32), shape).astype(F16)
    if extra < 0:  # a leaf that got further axes in no_grad since
        return g.reshape(shape)
    if extra:
        if g.__class__ is np.ndarray and shape == g.shape[-1:] and dtype.kind == "f":
            g = g if extra == 1 else g.reshape((prod(g.shape[:-1]), g.shape[-1]))
            row = new.row_of_ones(len(g), dtype)  # perhaps of a tracer, whose __class__ says ndarray too
            return row.dot(g) if type(row) is np.ndarray else np.dot(row, g)
        g = np.add.reduce(g, axis=0 if extra == 1 else tuple(range(extra)))
        if g.shape == shape:
            return g
    axes = tuple([i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1])
    if len(axes) == 1 and g.__class__ is np.ndarray:
        return summed(g, axes[0], True)
    return np.add.reduce(g, axis=axes, keepdims=True) if axes else g
