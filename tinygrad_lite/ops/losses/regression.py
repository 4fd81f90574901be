"""Losses of numbers: squares, absolute values, Huber's, and likelihoods of counts and normal variables."""

from __future__ import annotations

import math
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import abs, where
from tinygrad_lite.ops.elementwise.exponential import log
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.losses.reduction import PAIR, old_words, reduced, same_shape, together, weighted
from tinygrad_lite.ops.reductions.reduction import ratio


def _mse(g: Array, a: Array, b: Array, reduction: str) -> Array:
    d = a - b
    if reduction == "mean" and d.__class__ is np.ndarray and d.ndim:
        if type(g) is np.ndarray or isinstance(g, np.generic):
            d *= float(g) * 2 / (d.size or np.nan)
            return d
        if isinstance(g, np.ndarray):  # a tracer's array: the same in double precision
            d *= (g.astype(np.float64) * 2 / (d.size or np.nan)).astype(d.dtype)
            return d
    return d * (g * (2 / (prod(a.shape) or np.nan)) if reduction == "mean" else g * 2)


@op(
    input=lambda g, input, target, reduction: _mse(g, input, target, reduction),
    target=lambda g, input, target, reduction: _mse(g, target, input, reduction),
    kind="loss", label="MSE", promote="same", public=False, samples=PAIR,
)  # fmt: skip
def mse_loss_op(input: Array, target: Array, reduction: str = "mean") -> Array:
    """Return the mean (or sum, or each) of ``(input - target) ** 2``; both have the same shape."""
    same_shape("mse_loss", input, target)
    d = input - target
    if reduction == "mean" and d.size and d.dtype.char != "e":
        flat = d.ravel()
        return ratio(flat.dot(flat), d.size)
    return reduced("mse_loss", d * d, reduction)


@function(method=False, functional=True)
def mse_loss(
    input: Array,
    target: Array,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Array:
    """Return the mean (or sum, or each) of ``weight * (input - target) ** 2``; with weights the mean is weighted.

    >>> import tinygrad_lite as tl
    >>> tl.mse_loss(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.0250)
    """
    if weight is None and size_average is None and reduce is None:
        try:  # the usual call asks for no shapes
            return mse_loss_op(input, target, reduction)
        except ShapeError:
            pass
    reduction = old_words("mse_loss", size_average, reduce, reduction)
    input, target = together("mse_loss", input, target)
    if weight is None:
        return mse_loss_op(input, target, reduction)
    return weighted("mse_loss", mse_loss_op(input, target, "none"), weight, reduction)


@function(method=False, functional=True)
def l1_loss(
    input: Array,
    target: Array,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Array:
    """Return the mean of ``|input - target|``; the slope at 0 is 0.

    >>> import tinygrad_lite as tl
    >>> tl.l1_loss(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.1500)
    """
    reduction = old_words("l1_loss", size_average, reduce, reduction)
    input, target = together("l1_loss", input, target)
    each = abs(input - target)
    return reduced("l1_loss", each, reduction) if weight is None else weighted("l1_loss", each, weight, reduction)


@function(method=False, functional=True)
def smooth_l1_loss(
    input: Array,
    target: Array,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Array:
    """Return ``d² / (2 beta)`` for differences below ``beta``, ``|d| - beta / 2`` above.

    >>> import tinygrad_lite as tl
    >>> tl.smooth_l1_loss(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.0125)
    """
    reduction = old_words("smooth_l1_loss", size_average, reduce, reduction)
    if beta < 0:
        raise OptionError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    input, target = together("smooth_l1_loss", input, target)
    e = input - target  # its square, not that of |e|, which has no second derivative at 0
    d = abs(e)
    return reduced("smooth_l1_loss", where(d >= beta, d - 0.5 * beta, e * e * (0.5 / beta)), reduction)


@function(method=False, functional=True)
def huber_loss(input: Array, target: Array, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Array:
    """Return ``d² / 2`` for differences below ``delta``, ``delta (|d| - delta / 2)`` above (Huber 1964).

    >>> import tinygrad_lite as tl
    >>> tl.huber_loss(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.0125)
    """
    if delta <= 0:
        raise OptionError(f"huber_loss: delta must be positive, got {delta}")
    input, target = together("huber_loss", input, target)
    e = input - target
    d = abs(e)
    each = where(d >= delta, (d - 0.5 * delta) * delta, e * e * 0.5)
    return reduced("huber_loss", each, reduction) if weight is None else weighted("huber_loss", each, weight, reduction)


@function(method=False, functional=True)
def poisson_nll_loss(
    input: Array, target: Array, log_input: bool = True, full: bool = False, size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``e^input - target input`` (``log_input``), or ``input - target log(input + eps)``.

    ``full`` adds Stirling's approximation of ``log target!`` for targets above 1.

    >>> import tinygrad_lite as tl
    >>> tl.poisson_nll_loss(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(1.3905)
    """
    reduction = old_words("poisson_nll_loss", size_average, reduce, reduction)
    input, target = together("poisson_nll_loss", input, target, quiet=True)
    each = np.exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        many = target > 1
        t = where(many, target, 2.0)
        each = each + where(many, t * log(t) - t + 0.5 * log(2 * math.pi * t), 0.0)
    return reduced("poisson_nll_loss", each, reduction)


@function(method=False, functional=True)
def gaussian_nll_loss(
    input: Array, target: Array, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Array:
    """Return ``(log var + (input - target)² / var) / 2``; variances below ``eps`` count as ``eps``.

    >>> import tinygrad_lite as tl
    >>> tl.gaussian_nll_loss(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]), tl.tensor([1.0, 0.5]))
    tensor(-0.1583)
    """
    shape = tuple(input.shape)
    input, target = together("gaussian_nll_loss", input, target, quiet=True)
    if isinstance(var, (int, float)):
        var = new.full(shape, var, input.dtype)
    if tuple(var.shape) != shape:
        if tuple(var.shape) == shape[:-1]:
            var = var.reshape((*shape[:-1], 1))
        elif len(var.shape) != len(shape) or [m for n, m in zip(shape, var.shape, strict=True) if n != m] != [1]:
            raise ShapeError(
                f"gaussian_nll_loss: var must have the shape of input {describe(input)}, it is {describe(var)}"
            )
    raw = new.asarray(plain(var))
    if (raw < 0).any():
        raise OptionError("gaussian_nll_loss: var has negative entry/entries")
    var = var + np.maximum(eps - raw, 0).astype(raw.dtype)  # raised to eps, the gradient passing
    d = input - target
    each = 0.5 * (log(var) + d * d / var)
    return reduced("gaussian_nll_loss", each + 0.5 * math.log(2 * math.pi) if full else each, reduction)
