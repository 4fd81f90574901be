"""Arithmetic of arrays with a short last axis in any layout, one vector per row: `ops.elementwise.short_rows`."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.engine.divert import DeclinedError
from tinygrad_lite.native.language import WIDTH, Kernel, Value, kernel
from tinygrad_lite.native.library import call
from tinygrad_lite.native.tiles import masks

FORMULAS: dict[Any, Any] = {
    np.add: lambda a, b: a + b, np.subtract: lambda a, b: a - b, np.multiply: lambda a, b: a * b,
    np.divide: lambda a, b: a / b,
}  # fmt: skip
COST = 4
"""What one element costs, in multiplications."""


@cache
def loops(ufunc: Any, vectors: int, a_wide: bool, b_wide: bool) -> Kernel:
    """Return the kernel for rows of so many vectors; ``wide``: whether an operand has more than one number in a row."""

    def body(
        k: Kernel, lo: Value, hi: Value, y: Value, a: Value, b: Value, middle: Value, n: Value, a0: Value, a1: Value,
        b0: Value, b1: Value,
    ) -> None:  # fmt: skip
        masks = [k.first(n - j * WIDTH) for j in range(vectors)]
        with k.loop(lo, hi) as i, k.loop(0, middle) as m:
            x, z, out = a.at(i * a0 + m * a1), b.at(i * b0 + m * b1), y.at((i * middle + m) * n)
            for j, mask in enumerate(masks):
                u = x.part(j * WIDTH, mask) if a_wide else x[0].spread()
                v = z.part(j * WIDTH, mask) if b_wide else z[0].spread()
                out.put_part(j * WIDTH, FORMULAS[ufunc](u, v), mask)

    body.__name__ = f"short_{ufunc.__name__}_{vectors}_{int(a_wide)}{int(b_wide)}"
    return kernel("f* f* f* " + "n " * 6)(body)


def _steps(a: Any, ndim: int) -> list[int] | None:
    """Return how far apart the elements of an array are along three axes, 0 where it is broadcast."""
    steps = [0 if n == 1 else s >> 2 for n, s in zip(a.shape, a.strides, strict=True)]
    if any(s & 3 for s in a.strides) or steps[-1] not in (0, 1):
        return None
    steps = [0] * (ndim - a.ndim) + steps
    return steps if ndim == 3 else [steps[0], 0, steps[1]]


def applied(ufunc: Any, a: Any, b: Any) -> Any:
    """Return ``ufunc(a, b)`` where the last axis has at most two vectors, and the rows are not next to one another."""
    ndim = max(a.ndim, b.ndim)
    if type(a) is not np.ndarray or type(b) is not np.ndarray or a.dtype is not b.dtype or a.dtype.char != "f":
        return NotImplemented
    if not 2 <= ndim <= 3 or ufunc not in FORMULAS:
        return NotImplemented
    if a.shape == b.shape and a.flags.c_contiguous and b.flags.c_contiguous:
        return NotImplemented
    shape = np.broadcast_shapes(a.shape, b.shape)
    of_a, of_b = _steps(a, ndim), _steps(b, ndim)
    n, rows, middle = shape[-1], shape[0], shape[1] if ndim == 3 else 1
    if n > 2 * WIDTH or of_a is None or of_b is None or not masks():
        return NotImplemented
    y = np.empty(shape, a.dtype)
    run = loops(ufunc, -(-n // WIDTH), of_a[2] == 1, of_b[2] == 1)
    try:
        call(run, rows, COST * y.size, y, a, b, middle, n, *of_a[:2], *of_b[:2])
    except DeclinedError:
        return NotImplemented
    return y
