"""Recurrent layers over a whole sequence, one op each: RNN, LSTM and GRU.

The contribution of the inputs (``outer``) is computed for all time steps by one product before the loop, and so are the
factors of the backward pass that do not depend on later time steps. The loops contain only the recurrence itself.

Sources: Elman 1990; Hochreiter, Schmidhuber 1997 and Gers et al. 2000 (LSTM); Cho et al. 2014 (GRU).
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
from tinygrad_lite.ops.shape.joining import unbind_op
from tinygrad_lite.ops.threads import multiply


def _before(first: Any, later: Any, reverse: bool) -> Any:
    """Return the state before each time step."""
    first = first.reshape((1, *first.shape))
    parts = [later[1:], first] if reverse else [first, later[:-1]]
    return np.concatenate(parts, axis=0)


def _asked(g: Any) -> Any:
    """Return the gradient of each time step, or None if there is none."""
    return None if g is None else unbind_op(g, 0)


def given(g: Any, like: Any) -> Any:
    """Return the gradient of an output, zeros if it has none."""
    return new.zeros_like(like) if g is None else g


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


def joined(op: Any, *arrays: Any, **options: Any) -> Any:
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


# ------------------------------------------------------------------------------------------------ gates
def _laid_out(weight: Any, bias: Any, gates: int, steps: int) -> Any:
    """Return ``weight`` (gates * H, K) as (gates, K, H), or with the bias as one more row (gates, K + 1, H).

    One product then opens all gates of a time step, each in memory of its own. With enough steps a contiguous copy
    pays: BLAS takes half the time per step.
    """
    n, k = weight.shape[0] // gates, weight.shape[1]
    turned = weight.reshape((gates, n, k)).swapaxes(1, 2)
    if bias is None and steps <= 2:
        return turned
    laid = new.empty((gates, k + (bias is not None), n), weight.dtype)
    laid[:, :k] = turned
    if bias is not None:
        laid[:, k] = bias.reshape((gates, n))
    return laid


def _with_one(h: Any, bias: Any) -> Any:
    """Return room for a state, with a last column of ones that the bias is multiplied with; None without a bias."""
    return None if bias is None else new.ones((h.shape[0], h.shape[1] + 1), h.dtype)


def _pushed(room: Any, h: Any) -> Any:
    """Return the state ``h``, written into ``room`` unless that is None."""
    if room is None:
        return h
    room[:, : h.shape[1]] = h
    return room


def logistic(a: Any) -> None:
    """Replace ``a`` by ``1 / (1 + exp(-a))``: half the time of the same by a tanh.

    The exponential of a large number overflows, and its reciprocal is 0, as it should be.
    """
    np.negative(a, out=a)
    np.exp(a, out=a)
    np.add(a, new.scalar(1.0, a.dtype), out=a)
    np.divide(new.scalar(1.0, a.dtype), a, out=a)


def by_gate(x: Any, gates: int) -> Any:
    """Return a view (..., gates, N, H) of ``x`` (..., N, gates * H)."""
    return x.reshape((*x.shape[:-1], gates, x.shape[-1] // gates)).swapaxes(-2, -3)


def _side_by_side(x: Any) -> Any:
    """Return ``x`` (L, gates, N, H) as (L, N, gates * H)."""
    length, gates, batch, n = x.shape
    return x.swapaxes(1, 2).reshape((length, batch, gates * n))


def bare(*arrays: Any) -> bool:
    """Return whether all are arrays, and no Tensors."""
    return all(v.__class__ is np.ndarray for v in arrays)


# ------------------------------------------------------------------------------------------------ LSTM
def opened_gates(a: Any, c: Any, now: Any, t: Any, h: Any) -> None:
    """Open the gates ``a`` (4, N, H) in place; write the new cell, its tanh and the output."""
    logistic(a[:2])
    logistic(a[3])
    np.tanh(a[2], out=a[2])
    np.multiply(a[1], c, out=now)
    np.multiply(a[0], a[2], out=t)
    np.add(now, t, out=now)
    np.tanh(now, out=t)
    np.multiply(a[3], t, out=h)


def closed_gates(d_h: Any, d_c: Any, a: Any, c: Any, t: Any, room: Any, into: Any) -> None:
    """Write the gradients of the gates to ``into`` (4, N, H); ``d_c``, that of the cell, grows by the output's share.

    ``t`` is the tanh of the cell after the step, ``c`` the cell before it, ``room`` scratch memory like ``a``.
    """
    times, subtract, one = np.multiply, np.subtract, new.scalar(1.0, a.dtype)
    slope = room[2]
    times(t, t, slope)
    subtract(one, slope, slope)
    times(slope, a[3], slope)
    times(slope, d_h, slope)
    np.add(d_c, slope, d_c)
    times(a, a, room)
    subtract(a[:2], room[:2], room[:2])  # s (1 - s), the slope of a gate
    subtract(one, room[2], room[2])
    subtract(a[3], room[3], room[3])
    times(room[0], a[2], room[0])
    times(room[1], c, room[1])
    times(room[2], a[0], room[2])
    times(room[3], t, room[3])
    times(room[:3], d_c, into[:3])
    times(room[3], d_h, into[3])


def _lstm_back(
    g_hs: Any, hs: Any, cs: Any, opened: Any, hidden: Any, cell: Any, weight: Any, g_c: Any, reverse: bool
) -> Any:
    """Return the gradients of an LSTM on bare arrays, one time step at a time in memory that stays in the cache."""
    length, batch, n = cs.shape
    found = new.empty((length, batch, 4 * n), hs.dtype)
    t, d_c, room = new.empty((batch, n), hs.dtype), new.zeros((batch, n), hs.dtype), new.empty((4, batch, n), hs.dtype)
    back_h: Any = None
    for k in _order(length, not reverse):
        before = k + 1 if reverse else k - 1
        c = cs[before] if 0 <= before < length else cell
        d_h = g_hs[k] if back_h is None else np.add(g_hs[k], back_h, back_h)
        if g_c is not None:
            np.add(d_c, g_c[k], d_c)
        np.tanh(cs[k], t)
        closed_gates(d_h, d_c, opened[k], c, t, room, by_gate(found[k], 4))
        back_h = multiply(found[k], weight)
        np.multiply(d_c, opened[k, 1], d_c)
    flat = found.reshape(-1, 4 * n)
    g_weight = product(flat.T, _rows(_before(hidden, hs, reverse)))
    return found, back_h, d_c, g_weight, np.dot(new.row_of_ones(len(flat), flat.dtype), flat), None


def _lstm_again(y2: Any, cell: Any, project: Any, reverse: bool) -> Any:
    """Return outputs and cells of an LSTM from its opened gates, to the last bit as it computed them."""
    n, c = cell.shape[-1], cell
    lead = y2.shape[0], y2.shape[2]
    hs = new.empty((*lead, n if project is None else project.shape[0]), y2.dtype)
    cs = new.empty((*lead, n), y2.dtype)
    for t in _order(len(y2), reverse):
        a = y2[t]
        cs[t] = c = a[1] * c + a[0] * a[2]
        h = a[3] * np.tanh(c)
        hs[t] = h if project is None else multiply(h, project.T)
    return hs, cs, y2


def _lstm_rule(
    g: Any, y0: Any, y1: Any, y2: Any, hidden: Any, cell: Any, weight: Any, project: Any, reverse: Any
) -> Any:
    hs, cs, opened = y = y0, y1, y2
    g_hs = given(g[0], hs)
    if project is None and g[2] is None and bare(g_hs, *y, hidden, cell, weight) and (g[1] is None or bare(g[1])):
        return _lstm_back(g_hs, hs, cs, opened, hidden, cell, weight, g[1], reverse)
    g_h, g_c, g_a = unbind_op(g_hs, 0), _asked(g[1]), _asked(None if g[2] is None else _side_by_side(g[2]))
    i, f, z, o = (opened[:, k] for k in range(4))
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
    together=_lstm_rule, recompute=_lstm_again, kind="activation", label="LSTM", promote="equal",
    public=False, samples=Samples(draw=_lstm_draw, call=joined),
)  # fmt: skip
def lstm_steps(
    outer: Array, hidden: Array, cell: Array, weight: Array, bias: Array = None, project: Array = None,
    reverse: bool = False, keep: bool = True,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Return outputs (L, N, P), cells (L, N, H) and gate values (L, 4, N, H) of an LSTM.

    ``outer`` (L, N, 4 H) is the contribution of the inputs to the gates: input, forget, new value, output. Without
    ``keep``, where no gradients will be asked for, there are only the last cells (1, N, H), and no gate values.
    """
    length, batch, n = len(outer), cell.shape[0], cell.shape[1]
    opened = new.empty((length if keep else 1, 4, batch, n), outer.dtype)
    hs = new.empty((length, batch, hidden.shape[-1]), outer.dtype)
    cs = new.empty((length if keep else 1, batch, n), outer.dtype)
    w, outer, state = _laid_out(weight, bias, 4, length), by_gate(outer, 4), _with_one(hidden, bias)
    h, c, room, out = hidden, cell, new.empty((batch, n), outer.dtype), new.empty((batch, n), outer.dtype)
    with np.errstate(over="ignore"):
        for t in _order(length, reverse):
            a = multiply(_pushed(state, h), w, out=opened[t if keep else 0])
            np.add(a, outer[t], out=a)
            h, now = hs[t] if project is None else out, cs[t if keep else 0]
            opened_gates(a, c, now, room, h)
            c = now
            if project is not None:
                hs[t] = h = multiply(h, project.T)
    return hs, cs, opened if keep else opened[:0]


# ------------------------------------------------------------------------------------------------ GRU
def _gru_again(y1: Any, hidden: Any, reverse: bool) -> Any:
    """Return the states of a GRU from its gates, to the last bit as it computed them."""
    n, h = hidden.shape[-1], hidden
    hs = new.empty((y1.shape[0], y1.shape[2], n), y1.dtype)
    for t in _order(len(y1), reverse):
        a = y1[t]
        hs[t] = h = a[3] + a[1] * (h - a[3])
    return hs, y1


def _gru_back(g_hs: Any, hs: Any, opened: Any, hidden: Any, weight: Any, reverse: bool) -> Any:
    """Return the gradients of a GRU on bare arrays, one time step at a time in memory that stays in the cache."""
    length, batch, n = hs.shape
    found, inward = (new.empty((length, batch, 3 * n), hs.dtype) for _ in range(2))
    room, fresh_g, back = new.empty((2, batch, n), hs.dtype), new.empty((batch, n), hs.dtype), None
    times, subtract, one = np.multiply, np.subtract, new.scalar(1.0, hs.dtype)
    for k in _order(length, not reverse):
        before = k + 1 if reverse else k - 1
        a, h = opened[k], hs[before] if 0 <= before < length else hidden
        fresh, into, inner = a[3], by_gate(found[k], 3), by_gate(inward[k], 3)
        d = g_hs[k] if back is None else np.add(g_hs[k], back, back)
        times(fresh, fresh, fresh_g)
        subtract(one, fresh_g, fresh_g)
        subtract(one, a[1], room[0])
        times(fresh_g, room[0], fresh_g)
        times(fresh_g, d, fresh_g)
        times(a[:2], a[:2], room)
        subtract(a[:2], room, room)  # s (1 - s), the slope of a gate
        times(room[0], a[2], room[0])
        times(room[0], fresh_g, inner[0])
        times(room[1], d, room[1])
        into[2] = fresh_g
        times(fresh_g, a[0], inner[2])
        subtract(h, fresh, fresh_g)
        times(room[1], fresh_g, inner[1])
        into[:2] = inner[:2]
        times(d, a[1], fresh_g)
        back = multiply(inward[k], weight)
        np.add(back, fresh_g, back)
    flat = inward.reshape(-1, 3 * n)
    g_weight = product(flat.T, _rows(_before(hidden, hs, reverse)))
    return found, back, g_weight, np.dot(new.row_of_ones(len(flat), flat.dtype), flat)


def _gru_rule(g: Any, y0: Any, y1: Any, hidden: Any, weight: Any, reverse: Any) -> Any:
    hs, opened = y0, y1
    g_hs = given(g[0], hs)
    if g[1] is None and bare(g_hs, hs, opened, hidden, weight):
        return _gru_back(g_hs, hs, opened, hidden, weight, reverse)
    g_h, g_a = unbind_op(g_hs, 0), _asked(g[1])
    r, z, inner, fresh = (opened[:, k] for k in range(4))
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
        a_r, a_z, a_inner, a_new = (g[1][:, k] for k in range(4))
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
    together=_gru_rule, recompute=_gru_again, kind="activation", label="GRU", promote="equal",
    public=False, samples=Samples(draw=lambda src: _draw(3, 1, src), call=joined),
)  # fmt: skip
def gru_steps(
    outer: Array, hidden: Array, weight: Array, bias: Array = None, reverse: bool = False, keep: bool = True
) -> tuple[Array, Array]:
    """Return the states (L, N, H) of a GRU, and its gates (L, 4, N, H): reset, update, state's part, new value.

    ``outer`` (L, N, 3 H) is the contribution of the inputs to the gates: reset, update, new value. Without ``keep``,
    where no gradients will be asked for, there are no gates.
    """
    length, batch, n = len(outer), hidden.shape[0], hidden.shape[-1]
    opened = new.empty((length if keep else 1, 4, batch, n), outer.dtype)
    hs = new.empty((length, batch, n), outer.dtype)
    h, w, outer, state = hidden, _laid_out(weight, bias, 3, length), by_gate(outer, 3), _with_one(hidden, bias)
    with np.errstate(over="ignore"):
        for t in _order(length, reverse):
            a, said = opened[t if keep else 0], outer[t]
            multiply(_pushed(state, h), w, out=a[:3])
            np.add(a[:2], said[:2], out=a[:2])
            logistic(a[:2])
            fresh, now = a[3], hs[t]
            np.multiply(a[0], a[2], out=fresh)
            np.add(fresh, said[2], out=fresh)
            np.tanh(fresh, out=fresh)
            np.subtract(h, fresh, out=now)
            np.multiply(now, a[1], out=now)
            h = np.add(now, fresh, out=now)
    return hs, opened if keep else opened[:0]


# zeros for every gate of every time step would only be looked through and found to be zeros
OPS["lstm_steps"].materialize = OPS["gru_steps"].materialize = False
