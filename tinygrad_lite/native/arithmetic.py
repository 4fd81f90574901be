"""Arithmetic of two arrays in any layout: `ops.elementwise.short_rows` asks for it.

NumPy is as fast in one thread, except along short last axes, of which one or two vectors are a row. Several threads
share large arrays. Every number is that of NumPy, to the last bit.
"""

from __future__ import annotations

import itertools
from functools import cache, lru_cache
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine.divert import DeclinedError
from tinygrad_lite.native.language import WIDTH, Kernel, Value, kernel
from tinygrad_lite.native.library import call
from tinygrad_lite.native.routes import LARGE
from tinygrad_lite.native.tiles import masks
from tinygrad_lite.ops.threads import blas

FORMULAS: dict[Any, Any] = {
    np.add: lambda a, b: a + b, np.subtract: lambda a, b: a - b, np.multiply: lambda a, b: a * b,
    np.divide: lambda a, b: a / b,
}  # fmt: skip
COST = 32
"""What one element costs, in multiplications."""


@cache
def flat(ufunc: Any, a_wide: bool, b_wide: bool) -> Kernel:
    """Return the kernel for arrays that lie in memory like the result; the others have one number."""

    def body(k: Kernel, lo: Value, hi: Value, y: Value, a: Value, b: Value) -> None:
        with k.loop(lo, hi) as i:
            y[i] = FORMULAS[ufunc](a[i if a_wide else 0], b[i if b_wide else 0])

    body.__name__ = f"flat_{ufunc.__name__}_{int(a_wide)}{int(b_wide)}"
    return kernel("f* f* f*")(body)


@cache
def loops(ufunc: Any, vectors: int, a_wide: bool, b_wide: bool, deep: bool) -> Kernel:
    """Return the kernel for rows of so many vectors, 0 for any number of them.

    ``wide``: whether an operand has more than one number in a row. ``deep``: whether there is a middle axis.
    """

    def body(
        k: Kernel, lo: Value, hi: Value, y: Value, a: Value, b: Value, middle: Value, n: Value, a0: Value, a1: Value,
        b0: Value, b1: Value,
    ) -> None:  # fmt: skip
        masks = [k.first(n - j * WIDTH) for j in range(vectors)]

        def row(x: Value, z: Value, out: Value) -> None:
            for j, mask in enumerate(masks):
                u = x.part(j * WIDTH, mask) if a_wide else x[0].spread()
                v = z.part(j * WIDTH, mask) if b_wide else z[0].spread()
                out.put_part(j * WIDTH, FORMULAS[ufunc](u, v), mask)
            if not vectors:
                with k.loop(0, n, apart=True) as t:
                    out[t] = FORMULAS[ufunc](x[t if a_wide else 0], z[t if b_wide else 0])

        with k.loop(lo, hi) as i:
            if not deep:
                row(a.at(i * a0), b.at(i * b0), y.at(i * n))
                return
            with k.loop(0, middle) as m:
                row(a.at(i * a0 + m * a1), b.at(i * b0 + m * b1), y.at((i * middle + m) * n))

    body.__name__ = f"rows_{ufunc.__name__}_{vectors}_{a_wide:d}{b_wide:d}{deep:d}"
    return kernel("f* f* f* " + "n " * 6)(body)


def _axes(shape: tuple[int, ...], *operands: tuple[tuple[int, ...], tuple[int, ...]]) -> list[list[int]] | None:
    """Return size and distances of the elements of both operands along as few axes as possible, 0 for a broadcast.

    None for more than three axes, or for rows whose elements do not lie side by side.
    """
    steps = []
    for sizes, strides in operands:
        if any(s & 3 for s in strides):
            return None
        own = [0 if n == 1 else s >> 2 for n, s in zip(sizes, strides, strict=True)]
        steps.append([0] * (len(shape) - len(own)) + own)
    out: list[list[int]] = []
    for n, s, t in zip(shape, *steps, strict=True):
        if n == 1:
            continue
        if out and out[-1][1] == n * s and out[-1][2] == n * t:
            out[-1] = [out[-1][0] * n, s, t]
        else:
            out.append([n, s, t])
    return out if 1 <= len(out) <= 3 and max(out[-1][1:]) == 1 > -min(out[-1][1:]) else None


def _ordered(sizes: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Return whether the axes lie in memory in their order; NumPy keeps another order in the result."""
    steps = [s for n, s in zip(sizes, strides, strict=True) if n > 1 and s]
    return all(s >= t for s, t in itertools.pairwise(steps))


@lru_cache(maxsize=1024)
def _plan(ufunc: Any, a: Any, b: Any, alone: bool) -> tuple[Any, ...] | None:
    """Return the shape of the result, the kernel, its rows and numbers, for operands of such shapes and strides.

    None where NumPy is as fast; ``alone``: there is one thread.
    """
    shape = np.broadcast_shapes(a[0], b[0])
    axes = _axes(shape, a, b)
    if axes is None:
        return None
    n, *wide = axes[-1]
    short = len(axes) > 1 and n <= 2 * WIDTH and masks()
    if not short and (alone or prod(shape) < LARGE or not (_ordered(*a) and _ordered(*b))):
        return None
    a_wide, b_wide = (s == 1 for s in wide)
    if len(axes) == 1:
        return shape, flat(ufunc, a_wide, b_wide), n
    (rows, a0, b0), (middle, a1, b1) = axes[0], axes[1] if len(axes) == 3 else (1, 0, 0)
    run = loops(ufunc, -(-n // WIDTH) if short else 0, a_wide, b_wide, len(axes) == 3)
    return shape, run, rows, middle, n, a0, a1, b0, b1


def applied(ufunc: Any, a: Any, b: Any) -> Any:
    """Return ``ufunc(a, b)`` where one of the kernels is faster than NumPy."""
    if b.__class__ in (float, np.float32):
        b = np.array(b, np.float32)
    if type(a) is not np.ndarray or type(b) is not np.ndarray or a.dtype is not b.dtype or a.dtype.char != "f":
        return NotImplemented
    if ufunc not in FORMULAS:
        return NotImplemented
    plan = _plan(ufunc, (a.shape, a.strides), (b.shape, b.strides), blas().threads() == 1)
    if plan is None:
        return NotImplemented
    shape, run, rows, *numbers = plan
    y = np.empty(shape, a.dtype)
    try:
        call(run, rows, COST * y.size, y, a, b, *numbers)
    except DeclinedError:
        return NotImplemented
    return y
