"""Normalisation and recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_lite.nn.functional as F
from tinygrad_lite.engine.op import OPS, PUBLIC as P
from tinygrad_lite.errors import FileError
from tinygrad_lite.onnx.operators.table import array_of, operator, tensor


@operator("BatchNormalization")
def _batch_norm(
    x: Any, scale: Any, b: Any, mean: Any, var: Any, epsilon: float = 1e-5, momentum: float = 0.9,
    training_mode: int = 0, spatial: int = 1,
) -> Any:  # fmt: skip
    if training_mode:
        raise FileError("onnx.load: BatchNormalization in training mode is not supported")
    return OPS["normalise_known"].call(x, mean, var, scale, b, epsilon)


@operator("InstanceNormalization")
def _instance_norm(x: Any, scale: Any, b: Any, epsilon: float = 1e-5) -> Any:
    return F.instance_norm(x, weight=scale, bias=b, eps=epsilon)


@operator("LayerNormalization")
def _layer_norm(
    x: Any, scale: Any, b: Any = None, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1, *, outputs: int
) -> Any:
    axes = tuple(range(axis % x.ndim, x.ndim))
    if outputs == 1 and tuple(scale.shape) == tuple(x.shape[axes[0] :]):
        return F.layer_norm(x, tuple(scale.shape), scale, b, epsilon)
    mean = x.mean(axes, keepdim=True)
    inverse = ((x - mean).square().mean(axes, keepdim=True) + epsilon).rsqrt()
    y = (x - mean) * inverse * scale
    y = y if b is None else y + b
    return y if outputs == 1 else (y, mean, inverse)[:outputs]


@operator("RMSNormalization")
def _rms_norm(x: Any, scale: Any, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Any:
    axes = tuple(range(axis % x.ndim, x.ndim))
    return x * (x.square().mean(axes, keepdim=True) + epsilon).rsqrt() * scale


@operator("GroupNormalization")
def _group_norm(
    x: Any, scale: Any, bias: Any, num_groups: int, epsilon: float = 1e-5, stash_type: int = 1, *, opset: int
) -> Any:
    if opset < 21:  # one factor for each group
        times = x.shape[1] // num_groups
        scale, bias = P["repeat_interleave"](scale, times), P["repeat_interleave"](bias, times)
    return F.group_norm(x, num_groups, scale, bias, epsilon)


@operator("LpNormalization")
def _lp_normalization(x: Any, axis: int = -1, p: int = 2) -> Any:
    return x / P["norm"](x, p, axis, True)


@operator("MeanVarianceNormalization")
def _mean_variance(x: Any, axes: Any = (0, 2, 3)) -> Any:
    d = x - x.mean(tuple(axes), keepdim=True)
    return d / (d.square().mean(tuple(axes), keepdim=True).sqrt() + 1e-9)


@operator("LRN")
def _lrn(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0) -> Any:
    return F.local_response_norm(x, size, alpha, beta, bias)


# ------------------------------------------------------------------------------------------------ recurrent layers
BACK = {"LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2], "RNN": [0]}
"""The gates in PyTorch's order, by their place in ONNX's."""
ACTIVATIONS = {"LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"], "RNN": ["tanh"]}


def _turned(w: Any, kind: str, size: int) -> Any:
    """Return a weight or bias with its gates in PyTorch's order."""
    if kind == "RNN":
        return w
    return w[np.concatenate([np.arange(size) + k * size for k in BACK[kind]])]


@operator("LSTM", "GRU", "RNN")
def _recurrent(
    x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None, c: Any = None, peepholes: Any = None,
    hidden_size: int | None = None, direction: str = "forward", activations: Any = None, layout: int = 0,
    linear_before_reset: int = 0, input_forget: int = 0, clip: float | None = None, activation_alpha: Any = None,
    activation_beta: Any = None, output_sequence: int = 0, *, kind: str, outputs: int,
) -> Any:  # fmt: skip
    if layout:
        x, h, c = x.movedim(0, 1), *(None if s is None else s.movedim(0, 1) for s in (h, c))
    size, count = r.shape[-1], w.shape[0]
    known = [str(a).lower() for a in activations or ACTIVATIONS[kind] * count]
    whole = lengths is None or bool((array_of(lengths) == x.shape[0]).all())
    gated = known == ACTIVATIONS[kind] * count or kind == "RNN" and set(known) <= {"tanh", "relu"}
    if not whole or not gated or peepholes is not None or input_forget or clip is not None:
        raise FileError(
            f"onnx.load: {kind} with sequence lengths, peepholes, clip or other activations is not supported"
        )
    outs, lasts = [], []
    for i in range(count):
        reverse = direction == "reverse" or i == 1
        states = [tensor(np.zeros((x.shape[1], size), x.array.dtype)) if s is None else s[i] for s in (h, c)]
        both = _biases(b, i, kind, size, r.shape[1])
        run = _linear_gru if kind == "GRU" and not linear_before_reset else _layer
        y, last = run(kind, x, _turned(w[i], kind, size), _turned(r[i], kind, size), both, states, reverse, known[i])
        outs.append(y)
        lasts.append([y[0 if reverse else -1], last])
    y = P["stack"](outs, 1)
    found = [y, P["stack"]([s[0] for s in lasts], 0)]
    if kind == "LSTM":
        found.append(P["stack"]([s[1] for s in lasts], 0))
    if layout:
        found = [found[0].permute((2, 0, 1, 3)), *(s.movedim(0, 1) for s in found[1:])]
    return tuple(found[:outputs]) if outputs > 1 else found[0]


def _biases(b: Any, i: int, kind: str, size: int, rows: int) -> list[Any]:
    if b is None:
        return [None, None]
    return [_turned(part, kind, size) for part in (b[i][:rows], b[i][rows:])]


def _layer(kind: str, x: Any, w: Any, r: Any, b: Any, states: Any, reverse: bool, activation: str) -> tuple[Any, Any]:
    outer = F.linear(x, w, b[0])
    if kind == "LSTM":
        hs, cs, _ = OPS["lstm_steps"].call(outer, states[0], states[1], r, b[1], None, reverse)
        return hs, cs[0 if reverse else -1]
    if kind == "GRU":
        return OPS["gru_steps"].call(outer, states[0], r, b[1], reverse)[0], None
    return OPS["rnn_steps"].call(outer, states[0], r, b[1], reverse, activation == "relu"), None


def _linear_gru(kind: str, x: Any, w: Any, r: Any, b: Any, states: Any, reverse: bool, _: str) -> tuple[Any, Any]:
    """Return the states of a GRU that resets the state before the product, unlike PyTorch's."""
    size, h, found = r.shape[-1], states[0], []
    outer = F.linear(x, w, b[0])
    inner = b[1]
    for t in range(x.shape[0])[:: -1 if reverse else 1]:
        gates = outer[t][:, : 2 * size] + h @ r[: 2 * size].t()
        gates = P["sigmoid"](gates if inner is None else gates + inner[: 2 * size])
        new = outer[t][:, 2 * size :] + (gates[:, :size] * h) @ r[2 * size :].t()
        new = P["tanh"](new if inner is None else new + inner[2 * size :])
        z = gates[:, size:]
        h = (1 - z) * new + z * h
        found.append(h)
    return P["stack"](found[::-1] if reverse else found, 0), None
