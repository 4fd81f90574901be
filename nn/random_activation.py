"""Activations that draw random numbers: randomised leaky ReLU and Gumbel softmax.

Source: Jang et al. 2017 (Gumbel softmax).
"""

from __future__ import annotations

from operator import index

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import fits
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ArgumentError, describe
from tinygrad_lite.nn.dropout import check_numbers
from tinygrad_lite.ops.elementwise.activation import leaky_relu, softmax
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.random import default_generator

__all__ = ["gumbel_softmax", "rrelu"]


@function(public=False)
def rrelu(
    input: Array, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Array:
    """Return leaky ReLU, in training with a random slope per element.

    Otherwise the slope is the middle of ``lower`` and ``upper``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.rrelu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.2292,  0.5000,  2.0000])
    """
    if lower > upper:
        raise ValueError(f"rrelu: lower bound {lower} must not be greater than upper bound {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    check_numbers("rrelu", input)
    slope = default_generator().uniform(lower, upper, tuple(input.shape)).astype(input.dtype)
    return where(plain(input) >= 0, input, input * slope)


@function(public=False)
def gumbel_softmax(logits: Array, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Array:
    """Return a random, nearly one-hot vector along ``dim``.

    It is differentiable in the ``logits``.

    ``hard``: exactly one-hot, with the gradient of the soft one.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.gumbel_softmax(tl.tensor([[1.0, 2.0]]), hard=True).sum()
    tensor(1.)
    """
    if not fits(float, tau):  # before anything is drawn
        raise ArgumentError(f"gumbel_softmax: tau must be a number, got {describe(tau)}")
    if not fits(int, dim) or dim.__class__ is bool:
        raise ArgumentError(f"gumbel_softmax: dim must be an integer, got {describe(dim)}")
    check_numbers("gumbel_softmax", logits)
    hard = bool(hard)
    if not -max(logits.ndim, 1) <= index(dim) < max(logits.ndim, 1):
        raise IndexError(f"gumbel_softmax: dim {dim} is out of range for {describe(logits)}")
    noise = default_generator().gumbel(size=tuple(logits.shape)).astype(logits.dtype)
    y = softmax((logits + noise) / tau, dim)
    if not hard:
        return y
    soft = new.asarray(plain(y))
    one = new.zeros_like(soft)
    if soft.ndim:
        np.put_along_axis(one, np.expand_dims(soft.argmax(dim), dim), 1, dim)
    else:
        one += 1
    return y + (one - soft)
