"""Elementwise ops as one loop each: activations, their slopes, and choices.

`each` writes the loops; a formula is a function of the numbers at one position.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.native import mathematics as m
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import call

COST = 32
"""What one element costs, in multiplications."""
ROOT_8_PI = math.sqrt(8 / math.pi)
Formula = Callable[..., Value]


def solid(first: Any, *others: Any) -> bool:
    """Return whether all are contiguous arrays of one shape and dtype."""
    if first.__class__ is not np.ndarray or not first.flags.c_contiguous:
        return False
    for a in others:  # `all` of a generator takes three times as long
        if a.__class__ is not np.ndarray or a.dtype is not first.dtype or a.shape != first.shape:
            return False
        if not a.flags.c_contiguous:
            return False
    return True


def each(name: str, arrays: int, formula: Formula, options: int = 0) -> Callable[..., Any]:
    """Return a function of ``arrays`` float32 arrays and ``options`` numbers that computes a formula elementwise.

    It ignores further arguments (``inplace``).
    """

    def body(k: Kernel, lo: Value, hi: Value, y: Value, *rest: Value) -> None:
        with k.loop(lo, hi) as i:
            y[i] = formula(k, *[a[i] for a in rest[:arrays]], *rest[arrays:])

    body.__name__ = name
    loop = kernel(" ".join(["f*"] * (arrays + 1) + ["f"] * options))(body)

    def run(*given: Any) -> Any:
        if not solid(*given[:arrays]):
            return NotImplemented
        y = np.empty(given[0].shape, given[0].dtype)
        call(loop, y.size, COST * y.size, y, *given[: arrays + options])
        return y

    return run


def _gelu(k: Kernel, x: Value) -> Value:
    a, _, p = m.gauss(k, x)
    return k.most(x, 0.0) - a * p


def _gelu_slope(k: Kernel, g: Value, x: Value) -> Value:
    a, e, p = m.gauss(k, x)
    q = p - a * e * (1 / math.sqrt(2 * math.pi))
    return g * k.select(x > 0.0, 1.0 - q, q)


def _gelu_tanh(k: Kernel, x: Value) -> Value:
    return x * m.sigmoid(k, (x + x * x * x * 0.044715) * ROOT_8_PI)  # (1 + tanh(u)) / 2 is sigmoid(2 u)


def _gelu_tanh_slope(k: Kernel, g: Value, x: Value) -> Value:
    x = k.most(k.least(x, 20.0), -20.0)
    square = x * x
    s = m.sigmoid(k, (x + square * x * 0.044715) * ROOT_8_PI)
    return g * (s * (1.0 + x * (1.0 - s) * (square * (3 * 0.044715) + 1.0) * ROOT_8_PI))


def _silu_slope(k: Kernel, g: Value, x: Value) -> Value:
    s = m.sigmoid(k, x)
    return g * (s * (1.0 + x * (1.0 - s)))


def _mish_slope(k: Kernel, g: Value, x: Value) -> Value:
    t = m.tanh(k, m.softplus(k, x))
    return g * (t + x * (1.0 - t * t) * m.sigmoid(k, x))


def _softplus(k: Kernel, x: Value, beta: Value, threshold: Value) -> Value:
    z = x * beta
    return k.select(z > threshold, x, m.softplus(k, z) / beta)


def _softplus_slope(k: Kernel, g: Value, x: Value, beta: Value, threshold: Value) -> Value:
    z = x * beta
    return k.select(z > threshold, g, g * m.sigmoid(k, z))


def _elu(k: Kernel, x: Value, alpha: Value, scale: Value, inside: Value) -> Value:
    return k.select(x > 0.0, x * scale, m.expm1(k, k.least(x, 0.0) * inside) * (scale * alpha))


def _elu_slope(k: Kernel, g: Value, y: Value, x: Value, alpha: Value, scale: Value, inside: Value) -> Value:
    return k.select(x > 0.0, g * scale, g * ((y + scale * alpha) * inside))


gelu = each("gelu", 1, _gelu)
gelu_slope = each("gelu_slope", 2, _gelu_slope)
gelu_tanh = each("gelu_tanh", 1, _gelu_tanh)
gelu_tanh_slope = each("gelu_tanh_slope", 2, _gelu_tanh_slope)
sigmoid = each("sigmoid", 1, m.sigmoid)
sigmoid_slope = each("sigmoid_slope", 2, lambda k, g, y: g * ((1.0 - y) * y))
tanh = each("tanh", 1, m.tanh)
tanh_slope = each("tanh_slope", 2, lambda k, g, y: (1.0 - y * y) * g)
exp = each("exp", 1, m.exp)
relu = each("relu", 1, lambda k, x: k.select(x <= 0.0, 0.0, x))
relu_slope = each("relu_slope", 2, lambda k, g, y: k.select(y > 0.0, g, 0.0))
leaky_slope = each("leaky_slope", 2, lambda k, g, x, s: k.select(x > 0.0, g, g * s), 1)
between = each("between", 2, lambda k, g, x, lo, hi: k.select((x > lo) & (x < hi), g, 0.0), 2)
silu = each("silu", 1, lambda k, x: x * m.sigmoid(k, x))
silu_slope = each("silu_slope", 2, _silu_slope)
softplus = each("softplus", 1, _softplus, 2)
softplus_slope = each("softplus_slope", 2, _softplus_slope, 2)
logsigmoid = each("logsigmoid", 1, lambda k, x: -m.softplus(k, -x))
logsigmoid_slope = each("logsigmoid_slope", 2, lambda k, g, x: g * m.sigmoid(k, -x))
mish = each("mish", 1, lambda k, x: x * m.tanh(k, m.softplus(k, x)))
mish_slope = each("mish_slope", 2, _mish_slope)
elu = each("elu", 1, _elu, 3)
elu_slope = each("elu_slope", 3, _elu_slope, 3)
