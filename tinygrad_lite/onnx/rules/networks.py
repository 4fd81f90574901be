"""Normalisation and recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.onnx.errors import OnnxExporterError
from tinygrad_lite.onnx.graph import Value
from tinygrad_lite.onnx.rules.table import SINGLE, rule

SINGLE.update(normalise="LayerNormalization", lstm_steps="LSTM", gru_steps="GRU", rnn_steps="RNN")
SINGLE.update(lstm_cell="LSTM", gru_cell="GRU", rnn_cell="RNN")


@rule("normalise")
def _normalise(g: Any, c: Any, input: Any, weight: Any, bias: Any, axes: Any, eps: Any, center: Any) -> Any:
    at = sorted(a % input.ndim for a in axes)
    tail = input.shape[at[0] :]
    if center and at == list(range(at[0], input.ndim)) and input.shape[at[0] :] == input.other[at[0] :]:
        fits = all(v is None or v.shape == tail for v in (weight, bias))
        if fits and (weight is not None or bias is None):
            scale = np.ones(tail, input.dtype) if weight is None else weight
            return g.LayerNormalization(input, scale, bias, axis=at[0], epsilon=float(eps))
    return _scaled(g, c, input, weight, bias, at, eps, center)[0]


@rule("normalise_batch")
def _normalise_batch(g: Any, y: Any, input: Any, weight: Any, bias: Any, axes: Any, eps: Any) -> Any:
    at = sorted(a % input.ndim for a in axes)
    found = _scaled(g, lambda v: np.asarray(v, input.dtype), input, weight, bias, at, eps, True)
    keep = [i for i in range(input.ndim) if y[1].shape[i] == input.shape[i]] if y[1].ndim == input.ndim else None
    if keep is None:
        return [found[0], None, None]
    return found


def _scaled(g: Any, c: Any, x: Any, weight: Any, bias: Any, axes: Any, eps: Any, center: bool) -> list[Any]:
    """Return the normalised input, the mean and the variance."""
    mean = g.ReduceMean(x, axes, keepdims=1) if center else None
    away = g.Sub(x, mean) if center else x
    var = g.ReduceMean(g.Mul(away, away), axes, keepdims=1)
    y = g.Div(away, g.Sqrt(g.Add(var, c(eps))))
    y = g.Mul(y, weight) if weight is not None else y
    return [g.Add(y, bias) if bias is not None else y, mean, var]


@rule("normalise_known")
def _normalise_known(g: Any, input: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: Any) -> Any:
    scale = np.ones(input.fixed(1, "batch_norm"), input.dtype) if weight is None else weight
    shift = np.zeros(input.shape[1], input.dtype) if bias is None else bias
    return g.BatchNormalization(input, scale, shift, mean, var, epsilon=float(eps))


# ------------------------------------------------------------------------------------------------ masks, no ops
@rule("numbers()")
def _numbers(g: Any, y: Any, x0: Any) -> Any:
    return g.Where(x0, np.asarray(-np.inf, y.dtype), np.zeros((), y.dtype))


rule("sum()")(lambda g, x0, x1: g.Add(x0, x1))


@rule("blind()")
def _blind(g: Any, x0: Any) -> Any:
    """Convert which queries of attention may attend to nothing."""
    lowest = g.Equal(x0, np.asarray(-np.inf, x0.dtype))
    return g.cast(g.ReduceMin(g.cast(lowest, np.int32), [-1], keepdims=1), bool)


# ------------------------------------------------------------------------------------------------ recurrent layers
ORDER = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}
"""The gates in ONNX's order, by their place in PyTorch's."""


def _gates(g: Any, kind: str, weight: Any, size: int) -> Any:
    """Return a weight or a bias with its gates in ONNX's order."""
    if kind == "RNN":
        return weight
    at = np.concatenate([np.arange(size) + k * size for k in ORDER[kind]])
    return g.Gather(weight, at, axis=0)


def _bias(g: Any, kind: str, outer: Any, inner: Any, size: int, dtype: Any) -> Any:
    """Return the biases of inputs and states as one operand (1, 2 * gates * size)."""
    if outer is None and inner is None:
        return None
    none = np.zeros(len(ORDER[kind]) * size, dtype)
    both = [_gates(g, kind, b, size) if b is not None else none for b in (outer, inner)]
    return g.Unsqueeze(g.Concat(*both, axis=0), [0])


def _layer(
    g: Any, kind: str, x: Any, w: Any, b: Any, weight: Any, bias: Any, states: Any, **attributes: Any
) -> list[str]:  # fmt: skip
    """Add one direction of one recurrent layer; return its outputs and last states."""
    size = weight.shape[1]
    inputs = [x, g.Unsqueeze(_gates(g, kind, w, size), [0]), g.Unsqueeze(_gates(g, kind, weight, size), [0]),
              _bias(g, kind, b, bias, size, weight.dtype), None, *(g.Unsqueeze(s, [0]) for s in states)]  # fmt: skip
    found: list[str] = g.node(kind, inputs, outputs=1 + len(states), hidden_size=size, **attributes)
    return [g.Squeeze(found[0], [1]), *(g.Squeeze(s, [0]) for s in found[1:])]


def _inputs(g: Any, outer: Value, gates: int) -> tuple[Any, Any, Any]:
    """Return what a layer's share of the inputs was computed from: inputs, weight and bias.

    The engine computes it for all time steps at once; ONNX's layers do it themselves. A share that comes from
    elsewhere gets an identity as its weight.
    """
    name, operands = g.origin.get(outer.name, ("", {}))
    if name == "linear" and operands["input"].ndim == 3:
        return operands["input"], operands["weight"], operands["bias"]
    return outer, np.eye(gates, dtype=outer.dtype), None


def _direction(reverse: bool) -> str:
    return "reverse" if reverse else "forward"


@rule("lstm_steps")
def _lstm(
    g: Any, y: Any, outer: Any, hidden: Any, cell: Any, weight: Any, bias: Any, project: Any, reverse: Any, keep: Any
) -> Any:
    if project is not None:
        raise OnnxExporterError("LSTM with proj_size: ONNX has no projections")
    x, w, b = _inputs(g, outer, weight.shape[0])
    hs, _, last = _layer(g, "LSTM", x, w, b, weight, bias, [hidden, cell], direction=_direction(reverse))
    cells = g.fresh("cells")
    g.final[cells] = last, 0 if reverse else -1
    return [hs, cells, None]


@rule("gru_steps")
def _gru(g: Any, outer: Any, hidden: Any, weight: Any, bias: Any, reverse: Any, keep: Any) -> Any:
    x, w, b = _inputs(g, outer, weight.shape[0])
    hs = _layer(g, "GRU", x, w, b, weight, bias, [hidden], direction=_direction(reverse), linear_before_reset=1)[0]
    return [hs, None]


@rule("rnn_steps")
def _rnn(g: Any, outer: Any, hidden: Any, weight: Any, bias: Any, reverse: Any, rectified: Any) -> Any:
    x, w, b = _inputs(g, outer, weight.shape[0])
    kind = ["Relu" if rectified else "Tanh"]
    return _layer(g, "RNN", x, w, b, weight, bias, [hidden], direction=_direction(reverse), activations=kind)[0]


@rule("lstm_cell")
def _lstm_cell(g: Any, input: Any, hidden: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    _, h, c = _layer(g, "LSTM", g.Unsqueeze(input, [0]), w_ih, b_ih, w_hh, b_hh, [hidden, cell])
    return [h, c, None]


@rule("gru_cell")
def _gru_cell(g: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    x = g.Unsqueeze(input, [0])
    return [_layer(g, "GRU", x, w_ih, b_ih, w_hh, b_hh, [hidden], linear_before_reset=1)[1], None]


@rule("rnn_cell")
def _rnn_cell(
    g: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, rectified: Any
) -> Any:  # fmt: skip
    kind = ["Relu" if rectified else "Tanh"]
    return _layer(g, "RNN", g.Unsqueeze(input, [0]), w_ih, b_ih, w_hh, b_hh, [hidden], activations=kind)[1]
