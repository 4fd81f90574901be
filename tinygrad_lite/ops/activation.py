"""Activation functions."""

from __future__ import annotations

import numpy as np

from tinygrad_lite.ops.elementwise import where
from tinygrad_lite.registry import op
from tinygrad_lite.samples import Samples, dims
from tinygrad_lite.tensor import Array

ONE = Samples("()->()")
ALONG = Samples("(...,n)->(...,n)", options={"dim": dims}, min=1)


@op(input=lambda g, y: where(y > 0, g, 0.0), kind="activation", label="ReLU", samples=ONE)
def relu(input: Array) -> Array:
    """Return ``max(input, 0)``; the slope at 0 is taken as 0."""
    return np.maximum(input, 0)


@op(input=lambda g, y: g * (1 - y * y), kind="activation", promote="float", numpy=np.tanh, samples=ONE)
def tanh(input: Array) -> Array:
    """Return the hyperbolic tangent."""
    return np.tanh(input)


@op(input=lambda g, y: g * (y * (1 - y)), kind="activation", label="σ", promote="float", samples=ONE)
def sigmoid(input: Array) -> Array:
    r"""Return the logistic function :math:`1 / (1 + e^{-x})`."""
    # the largest x whose exp is finite keeps NumPy from warning about an overflow that does no harm
    top = np.log(np.finfo(input.dtype).max)
    return 1 / (1 + np.exp(np.minimum(np.negative(input), top.astype(input.dtype))))


@op(
    input=lambda g, y, dim: y * (g - (g * y).sum(axis=dim, keepdims=True)),
    kind="activation", promote="float", samples=ALONG,
)  # fmt: skip
def softmax(input: Array, dim: int = -1) -> Array:
    r"""Return :math:`e^{x_i} / \sum_j e^{x_j}` along ``dim``."""
    e = np.exp(input - input.max(axis=dim, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=dim, keepdims=True)


@op(
    input=lambda g, y, dim: g - np.exp(y) * g.sum(axis=dim, keepdims=True),
    kind="activation", promote="float", samples=ALONG,
)  # fmt: skip
def log_softmax(input: Array, dim: int = -1) -> Array:
    r"""Return :math:`x_i - \log \sum_j e^{x_j}` along ``dim``."""
    z = input - input.max(axis=dim, keepdims=True, initial=-np.inf)
    return z - np.log(np.exp(z).sum(axis=dim, keepdims=True))
