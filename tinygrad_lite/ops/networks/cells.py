"""Recurrent cells, one time step as one op each: RNN, LSTM and GRU.

Sources: see `recurrent`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import OPS, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.linalg.matmul import product
from tinygrad_lite.ops.networks.recurrent import bare, by_gate, closed_gates, given, joined, logistic, opened_gates

LARGE = 1 << 21
"""Multiplications from which `linear` may have a faster way than BLAS."""


def share(x: Any, weight: Any) -> Any:
    """Return ``x @ weight.T``, what the input or the state contributes to the gates."""
    if x.size * len(weight) < LARGE:
        return product(x, weight.T)
    return OPS["linear"].forward(x, weight)


def _draw(gates: int, states: int, src: Any) -> Any:
    n, k, h = src.size(2, hi=2), src.size(2, hi=3), src.size(2, hi=3)
    shapes = (n, k), *[(n, h)] * states, (gates * h, k), (gates * h, h)
    arrays = [src.floats(shape) for shape in shapes]
    return arrays + ([src.floats((gates * h,)), src.floats((gates * h,))] if src.chance() else []), {}


# ------------------------------------------------------------------------------------------------ LSTM
def _lstm_rule(g: Any, y1: Any, y2: Any, input: Any, hidden: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any) -> Any:
    (g_h, g_c), g_a, (batch, n) = (given(v, cell) for v in g[:2]), g[2], cell.shape
    if g_a is None and bare(g_h, g_c, y1, y2, input, hidden, cell, w_ih, w_hh):
        d_c, d = new.array(g_c), new.empty((batch, 4 * n), cell.dtype)
        closed_gates(g_h, d_c, y2, cell, np.tanh(y1), new.empty(y2.shape, y2.dtype), by_gate(d, 4))
        g_cell = np.multiply(d_c, y2[1], d_c)
        g_b = None if b_ih is None else np.dot(new.row_of_ones(batch, d.dtype), d)
    else:
        i, f, z, o = (y2[k] for k in range(4))
        t = np.tanh(y1)
        d_c = g_c + g_h * o * (1 - t * t)
        s_i, s_f, s_z, s_o = i * (1 - i), f * (1 - f), 1 - z * z, o * (1 - o)
        parts = [d_c * z, d_c * cell, d_c * i, g_h * t]
        if g_a is not None:  # the gates have gradients only when the rule itself is differentiated
            parts = [part + g_a[k] for k, part in enumerate(parts)]
        d = np.concatenate([part * s for part, s in zip(parts, (s_i, s_f, s_z, s_o), strict=True)], axis=-1)
        g_cell, g_b = d_c * f, None if b_ih is None else d.sum(axis=0)
    return product(d, w_ih), product(d, w_hh), g_cell, product(d.T, input), product(d.T, hidden), g_b, g_b


def _lstm_again(y2: Any, cell: Any) -> Any:
    """Return output and cell from the opened gates, to the last bit as `lstm_cell` computed them."""
    c = y2[1] * cell + y2[0] * y2[2]
    return y2[3] * np.tanh(c), c, y2


@op(
    together=_lstm_rule, recompute=_lstm_again, kind="activation", label="LSTM", promote="equal", public=False,
    samples=Samples(draw=lambda src: _draw(4, 2, src), call=joined),
)  # fmt: skip
def lstm_cell(
    input: Array, hidden: Array, cell: Array, w_ih: Array, w_hh: Array, b_ih: Array = None, b_hh: Array = None
) -> tuple[Array, Array, Array]:
    """Return output (N, H), cell (N, H) and gate values (4, N, H) of one time step of an LSTM.

    Shapes: input (N, K), hidden and cell (N, H), weights (4 H, K) and (4 H, H), biases (4 H) or None.
    """
    pre = share(hidden, w_hh)
    pre += share(input, w_ih)
    if b_ih is not None:
        pre += b_ih + b_hh
    opened = new.ascontiguousarray(by_gate(pre, 4))
    c, t, h = new.empty(cell.shape, pre.dtype), new.empty(cell.shape, pre.dtype), new.empty(cell.shape, pre.dtype)
    with np.errstate(over="ignore"):
        opened_gates(opened, cell, c, t, h)
    return h, c, opened


# ------------------------------------------------------------------------------------------------ GRU
def _gru_rule(g: Any, y1: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any) -> Any:
    g_h, g_a, (r, z, inner, fresh) = given(g[0], hidden), g[1], (y1[k] for k in range(4))
    d_z, d_fresh = (hidden - fresh) * g_h, (1 - z) * g_h
    if g_a is not None:  # the gates have gradients only when the rule itself is differentiated
        d_z, d_fresh = d_z + g_a[1], d_fresh + g_a[3]
    d_fresh = d_fresh * (1 - fresh * fresh)
    d_r, d_inner = d_fresh * inner, d_fresh * r
    if g_a is not None:
        d_r, d_inner = d_r + g_a[0], d_inner + g_a[2]
    both = [d_r * (r - r * r), d_z * (z - z * z)]
    d, d_in = np.concatenate([*both, d_fresh], axis=-1), np.concatenate([*both, d_inner], axis=-1)
    sums = (None, None) if b_ih is None else (d.sum(axis=0), d_in.sum(axis=0))
    return product(d, w_ih), product(d_in, w_hh) + z * g_h, product(d.T, input), product(d_in.T, hidden), *sums


def _gru_again(y1: Any, hidden: Any) -> Any:
    """Return state and gates from the gates, to the last bit as `gru_cell` computed them."""
    return y1[3] + y1[1] * (hidden - y1[3]), y1


@op(
    together=_gru_rule, recompute=_gru_again, kind="activation", label="GRU", promote="equal", public=False,
    samples=Samples(draw=lambda src: _draw(3, 1, src), call=joined),
)  # fmt: skip
def gru_cell(
    input: Array, hidden: Array, w_ih: Array, w_hh: Array, b_ih: Array = None, b_hh: Array = None
) -> tuple[Array, Array]:
    """Return the state (N, H) after one time step of a GRU, and its gates (4, N, H) like `gru_steps`.

    Shapes: input (N, K), hidden (N, H), weights (3 H, K) and (3 H, H), biases (3 H) or None.
    """
    said, inner = share(input, w_ih), share(hidden, w_hh)
    if b_ih is not None:
        said += b_ih
        inner += b_hh
    said, inner = by_gate(said, 3), by_gate(inner, 3)
    a, h = new.empty((4, *hidden.shape), hidden.dtype), new.empty(hidden.shape, hidden.dtype)
    np.add(said[:2], inner[:2], out=a[:2])
    a[2] = inner[2]
    with np.errstate(over="ignore"):
        logistic(a[:2])
    np.multiply(a[0], a[2], out=a[3])
    np.add(a[3], said[2], out=a[3])
    np.tanh(a[3], out=a[3])
    np.subtract(hidden, a[3], out=h)
    np.multiply(h, a[1], out=h)
    np.add(h, a[3], out=h)
    return h, a


# ------------------------------------------------------------------------------------------------ RNN
def _rnn_rule(g: Any, y: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, rectified: Any) -> Any:
    d = g * (where(y > 0, new.ones((), y.dtype), 0.0) if rectified else 1 - y * y)
    g_b = None if b_ih is None else d.sum(axis=0)
    return product(d, w_ih), product(d, w_hh), product(d.T, input), product(d.T, hidden), g_b, g_b


@op(
    together=_rnn_rule, recompute=True, kind="activation", label="RNN", promote="equal", public=False,
    samples=Samples(draw=lambda src: _draw(1, 1, src)), layout=None,
)  # fmt: skip
def rnn_cell(
    input: Array, hidden: Array, w_ih: Array, w_hh: Array, b_ih: Array = None, b_hh: Array = None,
    rectified: bool = False,
) -> Array:  # fmt: skip
    """Return the state (N, H) after one time step of an RNN with tanh, or with ReLU if ``rectified``."""
    h = share(hidden, w_hh)
    h += share(input, w_ih)
    if b_ih is not None:
        h += b_ih + b_hh
    return np.maximum(h, 0, out=h) if rectified else np.tanh(h, out=h)


# zeros for every gate would only be looked through and found to be zeros
OPS["lstm_cell"].materialize = OPS["gru_cell"].materialize = False
