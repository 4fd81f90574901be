"""Recurrent layers over a whole sequence, one op each: RNN, LSTM and GRU.

The contribution of the inputs (``outer``) is computed for all time steps by one product before the loop, and so are the
factors of the backward pass that do not depend on later time steps. The loops contain only the recurrence itself.

Sources: Elman 1990; Hochreiter, Schmidhuber 1997 and Gers et al. 2000 (LSTM); Cho et al. 2014 (GRU).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.linalg.matmul import product
from tinygrad_lite.ops.shape.joining import unbind_op
from tinygrad_lite.ops.threads import multiply


def _cut(x: Any, count: int) -> list[Any]:
    """Return ``x`` cut into ``count`` equal parts along its last axis."""
    n = x.shape[-1] // count
    return [x[..., i * n : (i + 1) * n] for i in range(count)]


def _before(first: Any, later: Any, reverse: bool) -> Any:
    """Return the state before each time step."""
    first = first.reshape((1, *first.shape))
    parts = [later[1:], first] if reverse else [first, later[:-1]]
    return np.concatenate(parts, axis=0)


def _asked(g: Any) -> Any:
    """Return the gradient of each time step, or None if all are zero."""
    return None if isinstance(g, np.ndarray) and not g.any() else unbind_op(g, 0)


def _rows(x: Any) -> Any:
    return x.reshape((-1, x.shape[-1]))


def _order(length: int, reverse: bool) -> range:
    return range(length)[::-1] if reverse else range(length)


def _in_time(steps: list[Any], reverse: bool) -> Any:
    """Stack the results of a backward loop in the order of time."""
    return np.stack(steps if reverse else steps[::-1], axis=0)


def _weights(d: Any, before: Any) -> tuple[Any, Any]:
    """Return the gradients of recurrent weight and bias from those of the gates."""
    flat = _rows(d)
    return product(flat.T, _rows(before)), flat.sum(axis=0)


# ------------------------------------------------------------------------------------------------ RNN
def _draw(gates: int, states: int, src: Any) -> Any:
    length, n, h = src.size(3, lo=1, hi=4), src.size(2, hi=2), src.size(2, hi=3)
    arrays = [src.floats((length, n, gates * h)), *(src.floats((n, h)) for _ in range(states))]
    arrays += [src.floats((gates * h, h)), src.floats((gates * h,))]
    return arrays, {"reverse": src.choice([False, True])}


def _joined(op: Any, *arrays: Any, **options: Any) -> Any:
    """Join the outputs that a layer uses, so that the gradient check covers all of them."""
    out = op(*arrays, **options)
    return out if not isinstance(out, tuple) else np.concatenate(out[: max(len(out) - 1, 1)], axis=-1)


def _rnn_rule(g: Any, y: Any, hidden: Any, weight: Any, reverse: Any, rectified: Any) -> Any:
    slopes = unbind_op(where(y > 0, new.ones((), y.dtype), 0.0) if rectified else 1 - y * y, 0)
    gs, back, found = unbind_op(g, 0), None, []
    for t in _order(y.shape[0], not reverse):
        d = (gs[t] if back is None else gs[t] + back) * slopes[t]
        back = product(d, weight)
        found.append(d)
    d = _in_time(found, reverse)
    return d, back, *_weights(d, _before(hidden, y, reverse))


@op(
    together=_rnn_rule, recompute=True, kind="activation", label="RNN", promote="equal", public=False,
    samples=Samples(draw=lambda src: _draw(1, 1, src)),
)  # fmt: skip
def rnn_steps(
    outer: Array, hidden: Array, weight: Array, bias: Array = None, reverse: bool = False, rectified: bool = False
) -> Array:
    """Return the states (L, N, H) of ``h = tanh(outer[t] + h @ weight.T + bias)``, or of a ReLU if ``rectified``."""
    pre = outer if bias is None else outer + bias
    out, h, w = new.empty_like(pre), hidden, weight.T
    for t in _order(len(pre), reverse):
        here = out[t]
        multiply(h, w, out=here)
        here += pre[t]
        h = np.maximum(here, 0, out=here) if rectified else np.tanh(here, out=here)
    return out


# ------------------------------------------------------------------------------------------------ LSTM
def _lstm_back(
    g_hs: Any, hs: Any, cs: Any, opened: Any, hidden: Any, cell: Any, weight: Any, g_c: Any, reverse: bool
) -> Any:
    """Return the gradients of an LSTM on bare arrays, one time step at a time in memory that stays in the cache."""
    length, n = len(hs), cs.shape[-1]
    found = new.empty_like(opened)
    batch = hs.shape[1]
    t, d_c, d_h = (new.empty((batch, n), hs.dtype) for _ in range(3))
    back_c, back_h = new.zeros((batch, n), hs.dtype), new.empty((batch, n), hs.dtype)
    times, add, subtract = np.multiply, np.add, np.subtract
    first = True
    for k in _order(length, not reverse):
        a, d = opened[k], found[k]
        i, f, z, o = a[:, :n], a[:, n : 2 * n], a[:, 2 * n : 3 * n], a[:, 3 * n :]
        before = k + 1 if reverse else k - 1
        c = cs[before] if 0 <= before < length else cell
        if first:
            d_h, first = g_hs[k], False
        else:
            d_h = add(g_hs[k], back_h, back_h)
        np.tanh(cs[k], t)
        times(t, t, d_c)
        subtract(1, d_c, d_c)
        times(d_c, o, d_c)
        times(d_c, d_h, d_c)
        add(d_c, back_c, d_c)
        if g_c is not None:
            add(d_c, g_c[k], d_c)
        times(a, a, d)
        subtract(a, d, d)  # s (1 - s), the slope of a gate
        part = d[:, 2 * n : 3 * n]
        times(z, z, part)
        subtract(1, part, part)
        times(part, i, part)
        times(part, d_c, part)
        part = d[:, :n]
        times(part, z, part)
        times(part, d_c, part)
        part = d[:, n : 2 * n]
        times(part, c, part)
        times(part, d_c, part)
        part = d[:, 3 * n :]
        times(part, t, part)
        times(part, d_h, part)
        back_h = multiply(d, weight)
        times(d_c, f, back_c)
    flat = found.reshape(-1, 4 * n)
    g_weight = product(flat.T, _rows(_before(hidden, hs, reverse)))
    return found, back_h, back_c, g_weight, np.dot(new.row_of_ones(len(flat), flat.dtype), flat), None


def _lstm_again(y2: Any, cell: Any, project: Any, reverse: bool) -> Any:
    """Return outputs and cells of an LSTM from its opened gates, to the last bit as it computed them."""
    n, c = cell.shape[-1], cell
    hs = new.empty((*y2.shape[:2], n if project is None else project.shape[0]), y2.dtype)
    cs = new.empty((*y2.shape[:2], n), y2.dtype)
    for t in _order(len(y2), reverse):
        a = y2[t]
        cs[t] = c = a[:, n : 2 * n] * c + a[:, :n] * a[:, 2 * n : 3 * n]
        h = a[:, 3 * n :] * np.tanh(c)
        hs[t] = h if project is None else multiply(h, project.T)
    return hs, cs, y2


def _lstm_rule(
    g: Any, y0: Any, y1: Any, y2: Any, hidden: Any, cell: Any, weight: Any, project: Any, reverse: Any
) -> Any:
    hs, cs, opened = y = y0, y1, y2
    bare = [*g, *y, hidden, cell, weight]
    if project is None and all(v.__class__ is np.ndarray for v in bare) and not g[2].any():
        return _lstm_back(g[0], hs, cs, opened, hidden, cell, weight, g[1] if g[1].any() else None, reverse)
    g_h, g_c, g_a = unbind_op(g[0], 0), _asked(g[1]), _asked(g[2])
    i, f, z, o = _cut(opened, 4)
    t = np.tanh(cs)
    slope = np.concatenate([i * (1 - i), f * (1 - f), 1 - z * z, o * (1 - o)], axis=-1)
    # factors from the gradient of the cell (the first three gates) and of the output (the last) to that of the gates
    factor = unbind_op(np.concatenate([z, _before(cell, cs, reverse), i, t], axis=-1) * slope, 0)
    slopes = None if g_a is None else unbind_op(slope, 0)
    into, keep = unbind_op(o * (1 - t * t), 0), unbind_op(f, 0)
    back_h = back_c = None
    found, shown = [], []
    for k in _order(hs.shape[0], not reverse):
        d_h = g_h[k] if back_h is None else g_h[k] + back_h
        d_o = d_h if project is None else product(d_h, project)
        d_c = d_o * into[k] if back_c is None else back_c + d_o * into[k]
        if g_c is not None:
            d_c = d_c + g_c[k]
        d = np.concatenate([d_c, d_c, d_c, d_o], axis=-1) * factor[k]
        if g_a is not None and slopes is not None:
            d = d + g_a[k] * slopes[k]
        back_h, back_c = product(d, weight), d_c * keep[k]
        found.append(d)
        shown.append(d_h)
    d = _in_time(found, reverse)
    g_project = None if project is None else product(_rows(_in_time(shown, reverse)).T, _rows(o * t))
    return d, back_h, back_c, *_weights(d, _before(hidden, hs, reverse)), g_project


def _lstm_draw(src: Any) -> Any:
    arrays, options = _draw(4, 2, src)
    if src.chance():
        n, h = arrays[2].shape
        p = src.size(1, hi=2)
        arrays[1] = src.floats((n, p))
        arrays[3] = src.floats((4 * h, p))
        arrays.append(src.floats((p, h)))
    return arrays, options


@op(
    together=_lstm_rule, recompute=_lstm_again, kind="activation", label="LSTM", promote="equal", public=False,
    samples=Samples(draw=_lstm_draw, call=_joined),
)  # fmt: skip
def lstm_steps(
    outer: Array, hidden: Array, cell: Array, weight: Array, bias: Array = None, project: Array = None,
    reverse: bool = False,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Return outputs (L, N, P), cells (L, N, H) and gate values (L, N, 4 H) of an LSTM.

    ``outer`` (L, N, 4 H) is the contribution of the inputs to the gates: input, forget, new value, output.
    """
    pre = outer if bias is None else outer + bias
    n = cell.shape[-1]
    opened = new.empty_like(pre)
    hs = new.empty((*pre.shape[:2], hidden.shape[-1]), pre.dtype)
    cs = new.empty((*pre.shape[:2], n), pre.dtype)
    # sigmoid(x) = (1 + tanh(x / 2)) / 2, so one tanh computes all gates
    half = new.full(4 * n, 0.5, pre.dtype)
    half[2 * n : 3 * n] = 1
    # with enough time steps a contiguous copy pays: BLAS takes half the time per step
    rest, h, c, w = 1 - half, hidden, cell, new.ascontiguousarray(weight.T) if len(pre) > 2 else weight.T
    for t in _order(len(pre), reverse):
        a = opened[t]
        multiply(h, w, out=a)
        a += pre[t]
        a *= half
        np.tanh(a, out=a)
        a *= half
        a += rest
        cs[t] = c = a[:, n : 2 * n] * c + a[:, :n] * a[:, 2 * n : 3 * n]
        h = a[:, 3 * n :] * np.tanh(c)
        hs[t] = h = h if project is None else multiply(h, project.T)
    return hs, cs, opened


# ------------------------------------------------------------------------------------------------ GRU
def _gru_again(y1: Any, hidden: Any, reverse: bool) -> Any:
    """Return the states of a GRU from its gates, to the last bit as it computed them."""
    n, h = hidden.shape[-1], hidden
    hs = new.empty((*y1.shape[:2], n), y1.dtype)
    for t in _order(len(y1), reverse):
        a = y1[t]
        fresh = a[:, 2 * n : 3 * n]
        hs[t] = h = fresh + a[:, n : 2 * n] * (h - fresh)
    return hs, y1


def _gru_rule(g: Any, y0: Any, y1: Any, hidden: Any, weight: Any, reverse: Any) -> Any:
    hs, opened = y0, y1
    g_h, g_a = unbind_op(g[0], 0), _asked(g[1])
    r, z, fresh, inner = _cut(opened, 4)
    before = _before(hidden, hs, reverse)
    # the gradient of every gate is a multiple of that of the state
    to_new = (1 - z) * (1 - fresh * fresh)
    to_reset = inner * r * (1 - r)
    to_update = z * (1 - z)
    outward = np.concatenate([to_new * to_reset, (before - fresh) * to_update, to_new], axis=-1)
    inward = np.concatenate([to_new * to_reset, (before - fresh) * to_update, to_new * r], axis=-1)
    more: Any = None
    more_in: Any = None
    if g_a is not None:  # the gates have gradients only when the rule itself is differentiated
        a_r, a_z, a_new, a_inner = _cut(g[1], 4)
        d_new = a_new * (1 - fresh * fresh)
        d_r, d_z = d_new * to_reset + a_r * (r * (1 - r)), a_z * to_update
        more = unbind_op(np.concatenate([d_r, d_z, d_new], axis=-1), 0)
        more_in = unbind_op(np.concatenate([d_r, d_z, d_new * r + a_inner], axis=-1), 0)
    keep, outs, ins = unbind_op(z, 0), unbind_op(outward, 0), unbind_op(inward, 0)
    back, found, found_in = None, [], []
    for t in _order(hs.shape[0], not reverse):
        d = g_h[t] if back is None else g_h[t] + back
        wide = np.concatenate([d, d, d], axis=-1)
        d_out, d_in = wide * outs[t], wide * ins[t]
        if more is not None:
            d_out, d_in = d_out + more[t], d_in + more_in[t]
        back = d * keep[t] + product(d_in, weight)
        found.append(d_out)
        found_in.append(d_in)
    return _in_time(found, reverse), back, *_weights(_in_time(found_in, reverse), before)


@op(
    together=_gru_rule, recompute=_gru_again, kind="activation", label="GRU", promote="equal", public=False,
    samples=Samples(draw=lambda src: _draw(3, 1, src), call=_joined),
)  # fmt: skip
def gru_steps(
    outer: Array, hidden: Array, weight: Array, bias: Array = None, reverse: bool = False
) -> tuple[Array, Array]:
    """Return the states (L, N, H) of a GRU, and its gates with the state's part of the new value (L, N, 4 H).

    ``outer`` (L, N, 3 H) is the contribution of the inputs to the gates: reset, update, new value.
    """
    length, batch, n = len(outer), hidden.shape[0], hidden.shape[-1]
    opened = new.empty((length, batch, 4 * n), outer.dtype)
    hs = new.empty((length, batch, n), outer.dtype)
    h, w = hidden, new.ascontiguousarray(weight.T) if length > 2 else weight.T
    for t in _order(length, reverse):
        inner = multiply(h, w)
        if bias is not None:
            inner += bias
        a, said = opened[t], outer[t]
        rz = a[:, : 2 * n]
        np.add(inner[:, : 2 * n], said[:, : 2 * n], out=rz)
        rz *= 0.5  # sigmoid by tanh
        np.tanh(rz, out=rz)
        rz *= 0.5
        rz += 0.5
        a[:, 3 * n :] = inner[:, 2 * n :]
        fresh = np.tanh(said[:, 2 * n :] + a[:, :n] * inner[:, 2 * n :], out=a[:, 2 * n : 3 * n])
        hs[t] = h = fresh + a[:, n : 2 * n] * (h - fresh)
    return hs, opened
