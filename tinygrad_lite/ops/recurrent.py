"""One step of a recurrent cell after its matrix products: gates, state, and their rule as one op each.

Sources: Hochreiter, Schmidhuber 1997 and Gers et al. 2000 (LSTM), Cho et al. 2014 (GRU).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.ops.activation import sigmoid
from tinygrad_lite.ops.arrange import split_
from tinygrad_lite.ops.shape import cat
from tinygrad_lite.registry import op
from tinygrad_lite.samples import Samples
from tinygrad_lite.tensor import Array


def parts(x: Any, count: int) -> tuple[Any, ...]:
    """Return ``x`` cut into ``count`` equal parts along its last axis."""
    n = x.shape[-1] // count
    return split_(x, tuple(n * i for i in range(1, count)), -1)  # type: ignore[no-any-return]


def _first_two(op: Any, *arrays: Any) -> Any:
    h, c, _ = op(*arrays)
    return cat([h, c], -1)


def _lstm_samples(src: Any) -> Any:
    n, h = src.size(2), src.size(2)
    return (src.floats((n, 4 * h)), src.floats((n, h))), {}


def _lstm_rule(g: Any, y: Any, cell: Any) -> Any:
    g_h, g_c, g_a = g
    _, new, gates = y
    i, f, z, o = parts(gates, 4)
    g_i, g_f, g_z, g_o = parts(g_a, 4)
    t = np.tanh(new)
    d = g_c + g_h * o * (1 - t * t)
    slopes = [
        (d * z + g_i) * (i * (1 - i)), (d * cell + g_f) * (f * (1 - f)), (d * i + g_z) * (1 - z * z),
        (g_h * t + g_o) * (o * (1 - o)),
    ]  # fmt: skip
    return cat(slopes, -1), d * f


@op(
    together=_lstm_rule,
    kind="activation",
    label="LSTM",
    public=False,
    samples=Samples(draw=_lstm_samples, call=_first_two),
)
def lstm_point(gates: Array, cell: Array) -> tuple[Array, Array, Array]:
    """Return the new output and cell (N, H), and the opened gates, from the gates (N, 4 H) and the old cell.

    Gates in the order input, forget, new value, output.
    """
    n = cell.shape[-1]
    opened = sigmoid(gates)
    opened[..., 2 * n : 3 * n] = np.tanh(gates[..., 2 * n : 3 * n])
    i, f, z, o = parts(opened, 4)
    new = f * cell + i * z
    return o * np.tanh(new), new, opened


def _gru_samples(src: Any) -> Any:
    n, h = src.size(2), src.size(2)
    return (src.floats((n, 3 * h)), src.floats((n, 3 * h)), src.floats((n, h))), {}


def _first(op: Any, *arrays: Any) -> Any:
    return op(*arrays)[0]


def _gru_rule(g: Any, y: Any, inner: Any, hidden: Any) -> Any:
    g_h, g_a = g
    r, z, n = parts(y[1], 3)
    g_r, g_z, g_n = parts(g_a, 3)
    last = parts(inner, 3)[2]
    d_n = (g_h * (1 - z) + g_n) * (1 - n * n)
    d_z = (g_h * (hidden - n) + g_z) * (z * (1 - z))
    d_r = (d_n * last + g_r) * (r * (1 - r))
    return cat([d_r, d_z, d_n], -1), cat([d_r, d_z, d_n * r], -1), g_h * z


@op(together=_gru_rule, kind="activation", label="GRU", public=False, samples=Samples(draw=_gru_samples, call=_first))
def gru_point(outer: Array, inner: Array, hidden: Array) -> tuple[Array, Array]:
    """Return the new state (N, H) and the opened gates, from what input and state say (N, 3 H) and the old state.

    Gates in the order reset, update, new value.
    """
    n = hidden.shape[-1]
    rz = sigmoid(outer[..., : 2 * n] + inner[..., : 2 * n])
    new = np.tanh(outer[..., 2 * n :] + rz[..., :n] * inner[..., 2 * n :])
    z = rz[..., n:]
    return (1 - z) * new + z * hidden, np.concatenate([rz, new], -1)
