"""Matrix products of float32, whose rows or columns a crew shares; BLAS computes each part."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine.divert import DeclinedError
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import call, sgemm


@cache
def some_of(by_rows: bool, a_turned: bool, b_turned: bool) -> Kernel:
    """Return the kernel that computes some rows, or some columns, of a product."""

    def body(
        k: Kernel, lo: Value, hi: Value, c: Value, a: Value, b: Value, blas: Value, m: Value, n: Value, inner: Value,
        step: Value, a_length: Value, b_length: Value, c_length: Value,
    ) -> None:  # fmt: skip
        if by_rows:
            m, a, c = hi - lo, a.at(lo * step), c.at(lo * c_length)
        else:
            n, b, c = hi - lo, b.at(lo * step), c.at(lo)
        k.gemm(blas, (a_turned, b_turned), (m, n, inner), (a, a_length), (b, b_length), (c, c_length), 0.0)

    body.__name__ = f"product_{by_rows:d}{a_turned:d}{b_turned:d}"
    return kernel("f* f* f* p " + "n " * 7)(body)


@cache
def batch_of(a_turned: bool, b_turned: bool) -> Kernel:
    """Return the kernel that computes some of many products; a matrix has two numbers, as of an image and a head."""

    def body(
        k: Kernel, lo: Value, hi: Value, c: Value, a: Value, b: Value, blas: Value, m: Value, n: Value, inner: Value,
        a_length: Value, b_length: Value, heads: Value, a0: Value, a1: Value, b0: Value, b1: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi, few=True) as i:
            first, second = i // heads, i % heads
            left, right = a.at(first * a0 + second * a1), b.at(first * b0 + second * b1)
            k.gemm(
                blas,
                (a_turned, b_turned),
                (m, n, inner),
                (left, a_length),
                (right, b_length),
                (c.at(i * m * n), n),
                0.0,
            )

    body.__name__ = f"products_{a_turned:d}{b_turned:d}"
    return kernel("f* f* f* p " + "n " * 10)(body)


def _layout(a: Any) -> tuple[bool, int] | None:
    """Return whether a matrix is stored by columns, and how far its rows (or columns) lie apart; None: neither."""
    rows, columns = a.strides[-2:]
    if columns == 4 and rows >= 4 * a.shape[-1] and rows % 4 == 0:
        return False, rows // 4
    if rows == 4 and columns >= 4 * a.shape[-2] and columns % 4 == 0:
        return True, columns // 4
    return None


def product(a: Any, b: Any, out: Any, work: int) -> Any:
    """Return ``a @ b``, written into ``out`` unless it is None; NotImplemented for what is not computed here."""
    given = (a, b) if out is None else (a, b, out)
    if not all(v.__class__ is np.ndarray and v.ndim >= 2 and v.dtype == np.float32 for v in given) or not sgemm():
        return NotImplemented
    if a.shape[-1] != b.shape[-2] or not a.size or not b.size:
        return NotImplemented
    layouts = _layout(a), _layout(b)
    if None in layouts:
        return NotImplemented
    try:
        return (_one if a.ndim == b.ndim == 2 else _many)(a, b, out, work, *layouts)
    except DeclinedError:
        return NotImplemented


def _one(a: Any, b: Any, out: Any, work: int, a_layout: Any, b_layout: Any) -> Any:
    (m, inner), n = a.shape, b.shape[1]
    y = np.empty((m, n), np.float32) if out is None else out
    layout = _layout(y)
    if y.shape != (m, n) or layout is None or layout[0]:
        return NotImplemented
    (a_turned, a_length), (b_turned, b_length), by_rows = a_layout, b_layout, m >= n
    step = (1 if a_turned else a_length) if by_rows else b_length if b_turned else 1
    run, given = some_of(by_rows, a_turned, b_turned), (y, a, b, sgemm(), m, n, inner, step, a_length, b_length)
    # one part per thread: for each, BLAS lays out one of the matrices again
    call(run, m if by_rows else n, work, *given, layout[1], each=1)
    return y


def _many(a: Any, b: Any, out: Any, work: int, a_layout: Any, b_layout: Any) -> Any:
    lead = a.shape[:-2]
    if len(lead) > 2 or b.shape[:-2] != lead or any(s % 4 for s in (*a.strides, *b.strides)):
        return NotImplemented
    m, n = a.shape[-2], b.shape[-1]
    y = np.empty((*lead, m, n), np.float32) if out is None else out
    if y.shape != (*lead, m, n) or not y.flags.c_contiguous:
        return NotImplemented
    heads, steps = lead[-1], [([0, *(s // 4 for s in v.strides[:-2])])[-2:] for v in (a, b)]
    (a_turned, a_length), (b_turned, b_length) = a_layout, b_layout
    given = y, a, b, sgemm(), m, n, a.shape[-1], a_length, b_length, heads, *steps[0], *steps[1]
    call(batch_of(a_turned, b_turned), prod(lead), work, *given)
    return y
