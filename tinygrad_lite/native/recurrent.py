"""LSTM and GRU over a whole sequence in one call: products in registers, gates in one pass; the rows are the batch.

Weights are packed as panels of `WIDTH` columns, which stay in the first-level cache while all rows of the batch go
past. The gradients of the weights are one large product each, by BLAS.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.native import mathematics as m
from tinygrad_lite.native.elementwise import solid
from tinygrad_lite.native.language import WIDTH, Kernel, Value, kernel
from tinygrad_lite.native.library import SHARED, call
from tinygrad_lite.native.tiles import Tile, add_products, tile_of, zeros
from tinygrad_lite.ops.linalg.matmul import product
from tinygrad_lite.ops.networks.cells import share
from tinygrad_lite.ops.threads import divided, multiply

MOST = 43.0
"""Beyond this a gate stays as closed as it is, 2e-19, so that the product of two reciprocals is finite."""
LEAST = 1 << 9
"""Numbers of a cell from which a step of its own pays."""
SHORTEST = 4
"""Steps below which packing the weights costs more than it saves."""
SIZES = "n n n n"
"""Steps, batch, hidden units, and whether time runs backwards."""


def _product(
    k: Kernel, tile: tuple[int, int], out: Value, a: Value, w: Value, rows: Value, inner: Value, wide: Value
) -> None:  # fmt: skip
    """Write ``a @ w`` for rows of ``inner`` numbers and ``wide`` columns, both multiples of the tile."""
    (block, vectors), panel = tile, tile[1] * WIDTH
    with k.loop(0, wide, panel) as column, k.loop(0, rows, block) as r:
        here, seen = w.at(column * inner), [a.at((r + i) * inner) for i in range(block)]
        sums = zeros(k, tile)
        with k.loop(0, inner) as t:
            add_products(
                k, sums, [row[t] for row in seen], [here.vector(t * panel + j * WIDTH) for j in range(vectors)]
            )
        for i, of_row in enumerate(sums):
            for j, one in enumerate(of_row):
                out.put_vector((r + i) * wide + column + j * WIDTH, one)


def _padded(k: Kernel, n: Value, to: int) -> Value:
    return (n + (to - 1)) // to * to


def _rows(k: Kernel, lo: Value, hi: Value, tile: Tile, batch: Value) -> tuple[Value, Value, Value]:
    """Return the first row of these blocks of the batch, their rows, and the same with those that are padding."""
    first = lo * tile[0]
    return first, k.least(hi * tile[0], batch) - first, (hi - lo) * tile[0]


def _time(k: Kernel, step: Value, length: Value, backwards: Value) -> Value:
    return k.select(backwards > 0, length - 1 - step, step)


def _opened(k: Kernel, x: list[Value], cell: Value) -> tuple[list[Value], Value, Value]:
    """Return the values of an LSTM's gates, the new cell and the output."""
    t2 = m.above_tanh(k, x[2])
    into, fresh = m.reciprocals(m.below_sigmoid(k, x[0], MOST), t2 + 2.0)
    fresh = k.call("copysign", t2 * fresh, x[2])
    past, shown = m.reciprocals(*[m.below_sigmoid(k, x[i], MOST) for i in (1, 3)])
    now = past * cell + into * fresh
    return [into, past, fresh, shown], now, shown * m.tanh(k, now)


def _closed(k: Kernel, b: list[Value], cell: Value, before: Value, g: Value, g_cell: Value) -> tuple[Any, Value]:
    """Return the gradients of an LSTM's gates, whose values are ``b``, and of the cell before."""
    s, slope = m.tanh(k, cell), [v - v * v for v in b]
    c = g_cell + (1.0 - s * s) * b[3] * g
    d = [slope[0] * b[2] * c, slope[1] * before * c, (1.0 - b[2] * b[2]) * b[0] * c, slope[3] * s * g]
    return d, c * b[1]


@cache
def forward(gates: int, tile: Tile, keep: bool) -> Kernel:
    """Return the kernel of an LSTM (4 gates) or a GRU (3); without ``keep`` it writes the outputs alone."""

    def body(
        k: Kernel, lo: Value, hi: Value, hs: Value, cs: Value, opened: Value, state: Value, cells: Value, pre: Value,
        outer: Value, w: Value, bias: Value, length: Value, batch: Value, n: Value, backwards: Value,
    ) -> None:  # fmt: skip
        first, rows, padded = _rows(k, lo, hi, tile, batch)
        each = _padded(k, n, WIDTH)
        wide = _padded(k, each * gates, tile[1] * WIDTH)
        state, cells, pre = state.at(first * n), cells.at(first * n), pre.at(first * wide)
        with k.loop(0, length) as step:
            t = _time(k, step, length, backwards)
            _product(k, tile, pre, state, w, padded, n, wide)
            with k.loop(0, rows) as r:
                row, said = t * batch + first + r, outer.at((t * batch + first + r) * n * gates)
                inside, h, c = pre.at(r * wide), state.at(r * n), cells.at(r * n)
                a = [opened.at(((t * 4 + i) * batch + first + r) * n) for i in range(4)]
                with k.loop(0, n, apart=True) as j:
                    x = [inside[each * i + j] + bias[n * i + j] for i in range(gates)]
                    y = [said[n * i + j] for i in range(gates)]
                    if gates == 4:
                        values, cell, now = _opened(k, [u + v for u, v in zip(x, y, strict=True)], c[j])
                        c[j] = cell
                        if keep:
                            cs[row * n + j] = cell
                    else:
                        reset, update = m.reciprocals(*[m.below_sigmoid(k, x[i] + y[i], MOST) for i in range(2)])
                        fresh = m.tanh(k, y[2] + reset * x[2])
                        values, now = [reset, update, x[2], fresh], fresh + update * (h[j] - fresh)
                    for gate, value in zip(a, values, strict=True) if keep else ():
                        gate[j] = value
                    h[j] = now
                    hs[row * n + j] = now

    body.__name__ = f"recurrent_{gates}_{tile[0]}_{tile[1]}" + ("" if keep else "_alone")
    return kernel("f* f* f* f* f* f* f* f* f* " + SIZES)(body)


@cache
def backward(gates: int, tile: Tile) -> Kernel:
    """Return the kernel that pulls gradients back through `forward`, to the gates and the first state."""

    def body(
        k: Kernel, lo: Value, hi: Value, found: Value, inward: Value, back: Value, d_cells: Value, room: Value,
        states: Value, opened: Value, begun: Value, g_hs: Value, g_cs: Value, w: Value, length: Value, batch: Value,
        n: Value, backwards: Value, told: Value,
    ) -> None:  # fmt: skip
        first, rows, padded = _rows(k, lo, hi, tile, batch)
        wide = _padded(k, n, tile[1] * WIDTH)
        back, d_cells, room = back.at(first * wide), d_cells.at(first * n), room.at(first * n * gates)
        with k.loop(0, length) as step:
            t = _time(k, length - 1 - step, length, backwards)
            before = k.select(backwards > 0, t + 1, t - 1)
            started = step < length - 1
            before = k.select(started, before, 0)
            with k.loop(0, rows) as r:
                row = t * batch + first + r
                a = [opened.at(((t * 4 + i) * batch + first + r) * n) for i in range(4)]
                older, oldest = states.at((before * batch + first + r) * n), begun.at((first + r) * n)
                d_h, d_c, into = back.at(r * wide), d_cells.at(r * n), room.at(r * n * gates)
                out, also, g_c = found.at(row * n * gates), inward.at(row * n * gates), g_cs.at(row * told)
                with k.loop(0, n, apart=True) as j:
                    b = [v[j] for v in a]
                    earlier = k.select(started, older[j], oldest[j])
                    g = g_hs[row * n + j] + d_h[j]
                    if gates == 4:
                        d, d_c[j] = _closed(k, b, states[row * n + j], earlier, g, d_c[j] + g_c[j])
                        inner = d
                    else:
                        slope = [v - v * v for v in b[:2]]
                        fresh = (1.0 - b[3] * b[3]) * (1.0 - b[1]) * g
                        reset, keep = slope[0] * b[2] * fresh, slope[1] * g * (earlier - b[3])
                        d, inner = [reset, keep, fresh], [reset, keep, fresh * b[0]]
                        d_c[j] = g * b[1]  # what goes past the product
                    for i in range(gates):
                        out[n * i + j] = d[i]
                        into[n * i + j] = inner[i]
                        if gates == 3:
                            also[n * i + j] = inner[i]
            _product(k, tile, back, room, w, padded, n * gates, wide)
            if gates == 3:
                with k.loop(0, rows) as r:
                    d_h, past = back.at(r * wide), d_cells.at(r * n)
                    with k.loop(0, n) as j:
                        d_h[j] = d_h[j] + past[j]

    body.__name__ = f"recurrent_back_{gates}_{tile[0]}_{tile[1]}"
    return kernel("f* " * 11 + SIZES + " n")(body)


@cache
def cell_forward() -> Kernel:
    """Return the kernel of one step of an LSTM, of which the products are known."""

    def body(
        k: Kernel, lo: Value, hi: Value, hs: Value, cs: Value, opened: Value, pre: Value, also: Value, bias: Value,
        cell: Value, batch: Value, n: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as r:
            one, other = pre.at(r * n * 4), also.at(r * n * 4)
            gates = [opened.at((batch * i + r) * n) for i in range(4)]
            with k.loop(0, n, apart=True) as j:
                x = [one[n * i + j] + other[n * i + j] + bias[n * i + j] for i in range(4)]
                values, cs[r * n + j], hs[r * n + j] = _opened(k, x, cell[r * n + j])
                for gate, value in zip(gates, values, strict=True):
                    gate[j] = value

    body.__name__ = "cell_4"
    return kernel("f* f* f* f* f* f* f* n n")(body)


@cache
def cell_backward() -> Kernel:
    """Return the kernel that pulls gradients back to the gates of one step, and to the cell before it."""

    def body(
        k: Kernel, lo: Value, hi: Value, found: Value, back: Value, g_h: Value, g_c: Value, cs: Value, opened: Value,
        cell: Value, batch: Value, n: Value,
    ) -> None:  # fmt: skip
        with k.loop(lo, hi) as r:
            gates = [opened.at((batch * i + r) * n) for i in range(4)]
            with k.loop(0, n, apart=True) as j:
                at = r * n + j
                d, back[at] = _closed(k, [gate[j] for gate in gates], cs[at], cell[at], g_h[at], g_c[at])
                for i in range(4):
                    found[r * n * 4 + n * i + j] = d[i]

    body.__name__ = "cell_back_4"
    return kernel("f* f* f* f* f* f* f* n n")(body)


def _panels(w: Any, tile: Tile) -> Any:
    """Return a matrix (inner, columns) as panels of as many columns as the tile has, the last ones zeros."""
    (inner, columns), panel = w.shape, tile[1] * WIDTH
    room = np.zeros((-(-columns // panel), inner, panel), np.float32)
    whole = columns // panel
    room[:whole] = w[:, : whole * panel].reshape(inner, whole, panel).swapaxes(0, 1)
    if whole < len(room):
        room[whole, :, : columns - whole * panel] = w[:, whole * panel :]
    return room


def _wide(n: int) -> int:
    return -(-n // WIDTH) * WIDTH


def _fits(outer: Any, gates: int, *parts: Any) -> bool:
    given = [v for v in parts if v is not None]
    return (
        solid(outer) and outer.ndim == 3 and len(outer) >= SHORTEST and outer.shape[1] > 0
        and all(v.__class__ is np.ndarray and v.dtype is outer.dtype for v in given)
    )  # fmt: skip


def _tile(batch: int, work: int, columns: int) -> tuple[Tile, int]:
    """Return the tile for a product, and the rows of its blocks."""
    block, vectors = tile_of(-(-batch // divided(batch, work, SHARED, 1)[0]), columns // WIDTH)
    return (block, vectors), -(-batch // block) * block


def _steps(
    gates: int, outer: Any, hidden: Any, cell: Any, weight: Any, bias: Any, reverse: bool, keep: bool
) -> Any:  # fmt: skip
    (length, batch, _), n = outer.shape, hidden.shape[1]
    each, dtype = _wide(n), outer.dtype
    hs, opened = np.empty((length, batch, n), dtype), np.empty((length if keep else 0, 4, batch, n), dtype)
    cs = np.empty((length if keep else 1, batch, n) if gates == 4 else (1,), dtype)
    work = length * batch * gates * n * n
    tile, padded = _tile(batch, work, gates * each)
    room = np.zeros((gates, each, n), dtype) if each > n else weight.reshape(gates, n, n)
    if each > n:
        room[:, :n] = weight.reshape(gates, n, n)
    w = _panels(room.reshape(gates * each, n).T, tile)
    bias = np.zeros(gates * n, dtype) if bias is None else np.ascontiguousarray(bias)
    state, cells = np.zeros((padded, n), dtype), np.empty((batch, n), dtype)
    pre = np.empty((padded, len(w) * tile[1] * WIDTH), dtype)
    state[:batch] = hidden
    if gates == 4:
        cells[:] = cell
    given = hs, cs, opened, state, cells, pre, outer, w, bias
    call(forward(gates, tile, keep), padded // tile[0], work, *given, length, batch, n, int(reverse), each=1)
    if not keep and gates == 4:
        cs[0] = cells
    return (hs, cs, opened) if gates == 4 else (hs, opened)


def _back(gates: int, g_hs: Any, g_cs: Any, states: Any, opened: Any, first: Any, weight: Any, reverse: bool) -> Any:
    """Return the gradients of the gates, those that go into the product (GRU), and those of the first states."""
    (length, batch, n), dtype = g_hs.shape, g_hs.dtype
    found = np.empty((length, batch, gates * n), dtype)
    inward = np.empty(found.shape if gates == 3 else (1,), dtype)
    work = length * batch * gates * n * n
    tile, padded = _tile(batch, work, _wide(n))
    w, first = _panels(weight, tile), np.ascontiguousarray(first)
    told = 0 if g_cs is None else n  # between its rows: without one all rows are the same zeros
    g_cs = np.zeros(n, dtype) if g_cs is None else g_cs
    back, cells = np.zeros((padded, len(w) * tile[1] * WIDTH), dtype), np.zeros((batch, n), dtype)
    into = np.zeros((padded, gates * n), dtype)
    given = found, inward, back, cells, into, states, opened, first, g_hs, g_cs, w
    call(backward(gates, tile), padded // tile[0], work, *given, length, batch, n, int(reverse), told, each=1)
    return found, inward, np.ascontiguousarray(back[:batch, :n]), cells


def _of_weights(d: Any, hs: Any, hidden: Any, reverse: bool) -> tuple[Any, Any]:
    """Return the gradients of weight and bias from those of the gates."""
    flat, n = d.reshape(-1, d.shape[-1]), hs.shape[-1]
    begun, others, before = (d[-1], d[:-1], hs[1:]) if reverse else (d[0], d[1:], hs[:-1])
    g_weight = multiply(others.reshape(-1, d.shape[-1]).T, before.reshape(-1, n))
    if hidden.any():
        g_weight += multiply(begun.T, hidden)
    return g_weight, np.dot(new.row_of_ones(len(flat), flat.dtype), flat)


def _gradient(g: Any, like: Any) -> Any:
    """Return the gradient of an output as a contiguous array; zeros if it has none."""
    return np.zeros_like(like) if g is None else np.ascontiguousarray(g)


def lstm(
    outer: Any, hidden: Any, cell: Any, weight: Any, bias: Any, project: Any, reverse: bool, keep: bool
) -> Any:  # fmt: skip
    """Compute `lstm_steps` without a projection."""
    if project is not None or not _fits(outer, 4, hidden, cell, weight, bias):
        return NotImplemented
    return _steps(4, outer, hidden, cell, weight, bias, reverse, keep)


def lstm_back(
    g: Any, y0: Any, y1: Any, y2: Any, hidden: Any, cell: Any, weight: Any, project: Any, reverse: bool
) -> Any:  # fmt: skip
    """Compute the rule of `lstm_steps` where the gates themselves have no gradient."""
    if project is not None or g[2] is not None:
        return NotImplemented
    g_hs, g_cs = _gradient(g[0], y0), None if g[1] is None else _gradient(g[1], y1)
    if not (_fits(g_hs, 4, g_cs, y1, y2, hidden, cell, weight) and solid(g_hs, y0, y1) and y2.flags.c_contiguous):
        return NotImplemented
    found, _, d_h, d_c = _back(4, g_hs, g_cs, y1, y2, cell, weight, reverse)
    return found, d_h, d_c, *_of_weights(found, y0, hidden, reverse), None


def gru(outer: Any, hidden: Any, weight: Any, bias: Any, reverse: bool, keep: bool) -> Any:
    """Compute `gru_steps`."""
    if not _fits(outer, 3, hidden, weight, bias):
        return NotImplemented
    return _steps(3, outer, hidden, None, weight, bias, reverse, keep)


def gru_back(g: Any, y0: Any, y1: Any, hidden: Any, weight: Any, reverse: bool) -> Any:
    """Compute the rule of `gru_steps` where the gates themselves have no gradient."""
    if g[1] is not None:
        return NotImplemented
    g_hs = _gradient(g[0], y0)
    if not (_fits(g_hs, 3, y0, y1, hidden, weight) and solid(g_hs, y0) and y1.flags.c_contiguous):
        return NotImplemented
    found, inward, d_h, _ = _back(3, g_hs, None, y0, y1, hidden, weight, reverse)
    return found, d_h, *_of_weights(inward, y0, hidden, reverse)


def lstm_cell(input: Any, hidden: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """Compute `lstm_cell` of many numbers."""
    if cell.size < LEAST or not solid(cell, hidden) or cell.ndim != 2:
        return NotImplemented
    given = [v for v in (input, w_ih, w_hh, b_ih, b_hh) if v is not None]
    if not all(v.__class__ is np.ndarray and v.dtype is cell.dtype for v in given):
        return NotImplemented
    (batch, n), dtype = cell.shape, cell.dtype
    h, c, opened = np.empty((batch, n), dtype), np.empty((batch, n), dtype), np.empty((4, batch, n), dtype)
    pre, also = share(hidden, w_hh), share(input, w_ih)
    bias = np.zeros(4 * n, dtype) if b_ih is None else b_ih + b_hh
    call(cell_forward(), batch, 64 * cell.size, h, c, opened, pre, also, bias, cell, batch, n)
    return h, c, opened


def lstm_cell_back(
    g: Any, y1: Any, y2: Any, input: Any, hidden: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any
) -> Any:  # fmt: skip
    """Compute the rule of `lstm_cell` where the gates themselves have no gradient."""
    given = [v for v in (*g, y2, input, hidden, w_ih, w_hh) if v is not None]
    if cell.size < LEAST or not all(v.__class__ is np.ndarray and v.dtype is cell.dtype for v in given):
        return NotImplemented
    g_h, g_c = _gradient(g[0], y1), _gradient(g[1], y1)
    if not solid(g_h, g_c, y1, cell) or not y2.flags.c_contiguous or g[2] is not None and g[2].any():
        return NotImplemented
    (batch, n), dtype = cell.shape, cell.dtype
    d, g_cell = np.empty((batch, 4 * n), dtype), np.empty((batch, n), dtype)
    call(cell_backward(), batch, 64 * cell.size, d, g_cell, g_h, g_c, y1, y2, cell, batch, n)
    g_b = None if b_ih is None else np.dot(new.row_of_ones(batch, dtype), d)
    return product(d, w_ih), product(d, w_hh), g_cell, product(d.T, input), product(d.T, hidden), g_b, g_b
