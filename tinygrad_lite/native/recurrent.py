"""LSTM and GRU over a whole sequence in one call: products in registers, gates in one pass; the rows are the batch.

Weights are packed as panels of `WIDTH` columns, which stay in the first-level cache while all rows of the batch go
past. The gradients of the weights are one large product each, by BLAS.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.native import mathematics as m
from tinygrad_lite.native.elementwise import solid
from tinygrad_lite.native.language import WIDTH, Kernel, Value, kernel
from tinygrad_lite.native.library import load, place
from tinygrad_lite.ops.threads import multiply, split

SHORTEST = 4
"""Steps below which packing the weights costs more than it saves."""
SIZES = "n n n n"
"""Steps, batch, hidden units, and whether time runs backwards."""


def _product(k: Kernel, block: int, out: Value, a: Value, w: Value, rows: Value, inner: Value, wide: Value) -> None:
    """Write ``a @ w`` for rows (a multiple of ``block``) of ``inner`` numbers, ``w`` in panels, ``wide`` columns."""
    with k.loop(0, wide, WIDTH) as column, k.loop(0, rows, block) as r:
        panel, seen = w.at(column * inner), [a.at((r + i) * inner) for i in range(block)]
        sums = [k.var(0.0, "v") for _ in range(block)]
        with k.loop(0, inner) as t:
            v = panel.vector(t * WIDTH)
            for i in range(block):
                sums[i].set(k.fma(seen[i][t].spread(), v, sums[i]))
        for i in range(block):
            out.put_vector((r + i) * wide + column, sums[i])


def _padded(k: Kernel, n: Value, to: int) -> Value:
    return (n + (to - 1)) // to * to


def _time(k: Kernel, step: Value, length: Value, backwards: Value) -> Value:
    return k.select(backwards > 0, length - 1 - step, step)


@cache
def forward(gates: int, block: int) -> Kernel:
    """Return the kernel of an LSTM (4 gates) or a GRU (3) that computes ``block`` rows at a time."""

    def body(
        k: Kernel, lo: Value, hi: Value, hs: Value, cs: Value, opened: Value, state: Value, cells: Value, pre: Value,
        outer: Value, w: Value, bias: Value, length: Value, batch: Value, n: Value, backwards: Value,
    ) -> None:  # fmt: skip
        rows, wide = hi - lo, _padded(k, n, WIDTH)
        with k.loop(0, length) as step:
            t = _time(k, step, length, backwards)
            _product(k, block, pre, state, w, _padded(k, rows, block), n, wide * gates)
            with k.loop(0, rows) as r:
                row, said = t * batch + lo + r, outer.at((t * batch + lo + r) * n * gates)
                inside, h, c = pre.at(r * wide * gates), state.at(r * n), cells.at(r * n)
                a = [opened.at(((t * 4 + i) * batch + lo + r) * n) for i in range(4)]
                with k.loop(0, n) as j:
                    x = [inside[wide * i + j] + bias[n * i + j] for i in range(gates)]
                    y = [said[n * i + j] for i in range(gates)]
                    if gates == 4:
                        values = [m.sigmoid(k, x[i] + y[i]) if i != 2 else m.tanh(k, x[i] + y[i]) for i in range(4)]
                        cell = values[1] * c[j] + values[0] * values[2]
                        c[j] = cell
                        cs[row * n + j] = cell
                        now = values[3] * m.tanh(k, cell)
                    else:
                        reset, keep = m.sigmoid(k, x[0] + y[0]), m.sigmoid(k, x[1] + y[1])
                        fresh = m.tanh(k, y[2] + reset * x[2])
                        values, now = [reset, keep, x[2], fresh], fresh + keep * (h[j] - fresh)
                    for i in range(4):
                        a[i][j] = values[i]
                    h[j] = now
                    hs[row * n + j] = now

    body.__name__ = f"recurrent_{gates}_{block}"
    return kernel("f* f* f* f* f* f* f* f* f* " + SIZES)(body)


@cache
def backward(gates: int, block: int) -> Kernel:
    """Return the kernel that pulls gradients back through `forward`, to the gates and the first state."""

    def body(
        k: Kernel, lo: Value, hi: Value, found: Value, inward: Value, back: Value, d_cells: Value, room: Value,
        states: Value, opened: Value, first: Value, g_hs: Value, g_cs: Value, w: Value, length: Value, batch: Value,
        n: Value, backwards: Value,
    ) -> None:  # fmt: skip
        rows, wide = hi - lo, _padded(k, n, WIDTH)
        with k.loop(0, length) as step:
            t = _time(k, length - 1 - step, length, backwards)
            before = k.select(backwards > 0, t + 1, t - 1)
            started = step < length - 1
            before = k.select(started, before, 0)
            with k.loop(0, rows) as r:
                row = t * batch + lo + r
                a = [opened.at(((t * 4 + i) * batch + lo + r) * n) for i in range(4)]
                older, oldest = states.at((before * batch + lo + r) * n), first.at((lo + r) * n)
                d_h, d_c, into = back.at(r * wide), d_cells.at(r * n), room.at(r * n * gates)
                out, also = found.at(row * n * gates), inward.at(row * n * gates)
                with k.loop(0, n) as j:
                    b = [v[j] for v in a]
                    slope = [v - v * v for v in b]
                    earlier = k.select(started, older[j], oldest[j])
                    g = g_hs[row * n + j] + d_h[j]
                    if gates == 4:
                        s = m.tanh(k, states[row * n + j])
                        c = d_c[j] + g_cs[row * n + j] + (1.0 - s * s) * b[3] * g
                        d = [slope[0] * b[2] * c, slope[1] * earlier * c, (1.0 - b[2] * b[2]) * b[0] * c]
                        d.append(slope[3] * s * g)
                        d_c[j] = c * b[1]
                        inner = d
                    else:
                        fresh = (1.0 - b[3] * b[3]) * (1.0 - b[1]) * g
                        reset, keep = slope[0] * b[2] * fresh, slope[1] * g * (earlier - b[3])
                        d, inner = [reset, keep, fresh], [reset, keep, fresh * b[0]]
                        d_c[j] = g * b[1]  # what goes past the product
                    for i in range(gates):
                        out[n * i + j] = d[i]
                        into[n * i + j] = inner[i]
                        if gates == 3:
                            also[n * i + j] = inner[i]
            _product(k, block, back, room, w, _padded(k, rows, block), n * gates, wide)
            if gates == 3:
                with k.loop(0, rows) as r:
                    d_h, past = back.at(r * wide), d_cells.at(r * n)
                    with k.loop(0, n) as j:
                        d_h[j] = d_h[j] + past[j]

    body.__name__ = f"recurrent_back_{gates}_{block}"
    return kernel("f* " * 11 + SIZES)(body)


def _panels(w: Any) -> Any:
    """Return a matrix (inner, columns) as panels of `WIDTH` columns."""
    return np.ascontiguousarray(w.reshape(w.shape[0], -1, WIDTH).swapaxes(0, 1))


def _wide(n: int) -> int:
    return -(-n // WIDTH) * WIDTH


def _fits(outer: Any, gates: int, *parts: Any) -> bool:
    given = [v for v in parts if v is not None]
    return (
        solid(outer) and outer.ndim == 3 and len(outer) >= SHORTEST and outer.shape[1] > 0
        and all(v.__class__ is np.ndarray and v.dtype is outer.dtype for v in given)
    )  # fmt: skip


def _run(batch: int, work: int, some: Callable[[range, int, Callable[..., Any]], None], block: int) -> None:
    """Call ``some`` for parts of the batch with the padded number of rows, and with a maker of scratch memory."""

    def part(rows: range) -> None:
        some(rows, -(-len(rows) // block) * block, lambda *shape: np.zeros(shape, np.float32))

    split(batch, work, part)


def _block(batch: int) -> int:
    return min(range(min(batch, 4), 7), key=lambda r: (-(-batch // r) * (r + 2), -r))


def _steps(gates: int, outer: Any, hidden: Any, cell: Any, weight: Any, bias: Any, reverse: bool) -> Any:
    (length, batch, _), n = outer.shape, hidden.shape[1]
    block, wide, dtype = _block(batch), _wide(n), outer.dtype
    hs, opened = np.empty((length, batch, n), dtype), np.empty((length, 4, batch, n), dtype)
    cs = np.empty((length, batch, n) if gates == 4 else (1,), dtype)
    room = np.zeros((gates, wide, n), dtype)
    room[:, :n] = weight.reshape(gates, n, n)
    w = _panels(room.reshape(gates * wide, n).T)
    bias = np.zeros(gates * n, dtype) if bias is None else np.ascontiguousarray(bias)
    run = load(forward(gates, block))

    def some(rows: range, padded: int, zeros: Any) -> None:
        state, cells, pre = zeros(padded, n), zeros(len(rows), n), zeros(padded, gates * wide)
        state[: len(rows)] = hidden[rows.start : rows.stop]
        if gates == 4:
            cells[:] = cell[rows.start : rows.stop]
        given = hs, cs, opened, state, cells, pre, outer, w, bias
        run(rows.start, rows.stop, *map(place, given), length, batch, n, reverse)

    _run(batch, length * batch * gates * n * n, some, block)
    return (hs, cs, opened) if gates == 4 else (hs, opened)


def _back(gates: int, g_hs: Any, g_cs: Any, states: Any, opened: Any, first: Any, weight: Any, reverse: bool) -> Any:
    """Return the gradients of the gates, those that go into the product (GRU), and those of the first states."""
    length, batch, n = g_hs.shape
    block, wide, dtype = _block(batch), _wide(n), g_hs.dtype
    found = np.empty((length, batch, gates * n), dtype)
    inward = np.empty(found.shape if gates == 3 else (1,), dtype)
    d_h, d_c = np.empty((batch, n), dtype), np.empty((batch, n), dtype)
    room = np.zeros((gates * n, wide), dtype)
    room[:, :n] = weight
    w, first = _panels(room), np.ascontiguousarray(first)
    run = load(backward(gates, block))

    def some(rows: range, padded: int, zeros: Any) -> None:
        here = slice(rows.start, rows.stop)
        back, cells, into = zeros(padded, wide), zeros(len(rows), n), zeros(padded, gates * n)
        given = found, inward, back, cells, into, states, opened, first, g_hs, g_cs, w
        run(rows.start, rows.stop, *map(place, given), length, batch, n, reverse)
        d_h[here], d_c[here] = back[: len(rows), :n], cells

    _run(batch, length * batch * gates * n * n, some, block)
    return found, inward, d_h, d_c


def _of_weights(d: Any, hs: Any, hidden: Any, reverse: bool) -> tuple[Any, Any]:
    """Return the gradients of weight and bias from those of the gates."""
    parts = [hs[1:], hidden[None]] if reverse else [hidden[None], hs[:-1]]
    before, flat = np.concatenate(parts, axis=0), d.reshape(-1, d.shape[-1])
    return multiply(flat.T, before.reshape(-1, hs.shape[-1])), np.dot(new.row_of_ones(len(flat), flat.dtype), flat)


def lstm(
    outer: Any, hidden: Any, cell: Any, weight: Any, bias: Any, project: Any, reverse: bool
) -> Any:  # fmt: skip
    """Compute `lstm_steps` without a projection."""
    if project is not None or not _fits(outer, 4, hidden, cell, weight, bias):
        return NotImplemented
    return _steps(4, outer, hidden, cell, weight, bias, reverse)


def lstm_back(
    g: Any, y0: Any, y1: Any, y2: Any, hidden: Any, cell: Any, weight: Any, project: Any, reverse: bool
) -> Any:  # fmt: skip
    """Compute the rule of `lstm_steps` where the gates themselves have no gradient."""
    g_hs, g_cs = np.ascontiguousarray(g[0]), np.ascontiguousarray(g[1])
    if project is not None or not _fits(g_hs, 4, g_cs, y1, y2, hidden, cell, weight) or g[2].any():
        return NotImplemented
    if not (solid(g_hs, g_cs, y0, y1) and y2.flags.c_contiguous):
        return NotImplemented
    found, _, d_h, d_c = _back(4, g_hs, g_cs, y1, y2, cell, weight, reverse)
    return found, d_h, d_c, *_of_weights(found, y0, hidden, reverse), None


def gru(outer: Any, hidden: Any, weight: Any, bias: Any, reverse: bool) -> Any:
    """Compute `gru_steps`."""
    if not _fits(outer, 3, hidden, weight, bias):
        return NotImplemented
    return _steps(3, outer, hidden, None, weight, bias, reverse)


def gru_back(g: Any, y0: Any, y1: Any, hidden: Any, weight: Any, reverse: bool) -> Any:
    """Compute the rule of `gru_steps` where the gates themselves have no gradient."""
    g_hs = np.ascontiguousarray(g[0])
    if not _fits(g_hs, 3, y0, y1, hidden, weight) or not (solid(g_hs, y0) and y1.flags.c_contiguous) or g[1].any():
        return NotImplemented
    found, inward, d_h, _ = _back(3, g_hs, g_hs, y0, y1, hidden, weight, reverse)
    return found, d_h, *_of_weights(inward, y0, hidden, reverse)
