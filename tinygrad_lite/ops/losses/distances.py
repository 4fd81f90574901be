"""Losses beyond the usual three: each with PyTorch's name and arguments, composed of ops.

A loss is the mean of its terms unless ``reduction`` is 'sum' or 'none'. Input and target must have the same shape.
"""

from __future__ import annotations

import math
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.activation import logsigmoid, sigmoid
from tinygrad_lite.ops.elementwise.arithmetic import abs, clip, log, maximum, minimum, where
from tinygrad_lite.ops.indexing.getitem import plain, take_along
from tinygrad_lite.ops.losses.criteria import check_weight, old_words, reduced_by, weighted
from tinygrad_lite.ops.losses.loss import same_shape, share

PAIR = Samples("(...),(...)->()", options={"reduction": ("mean", "sum", "none")}, min=1)


# ------------------------------------------------------------------------------------------------ numbers
@function(method=False)
def l1_loss(
    input: Array,
    target: Array,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Array:
    """Return the mean of ``|input - target|``; the slope at 0 is 0."""
    old_words("l1_loss", size_average, reduce)
    same_shape("l1_loss", input, target)
    each = abs(input - target)
    return reduced_by("l1_loss", each, reduction) if weight is None else weighted("l1_loss", each, weight, reduction)


@function(method=False)
def smooth_l1_loss(
    input: Array,
    target: Array,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Array:
    """Return ``d² / (2 beta)`` for differences below ``beta``, ``|d| - beta / 2`` above."""
    old_words("smooth_l1_loss", size_average, reduce)
    if beta < 0:
        raise OptionError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    same_shape("smooth_l1_loss", input, target)
    d = abs(input - target)
    return reduced_by("smooth_l1_loss", where(d < beta, d * d * (0.5 / beta), d - 0.5 * beta), reduction)


@function(method=False)
def huber_loss(input: Array, target: Array, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Array:
    """Return ``d² / 2`` for differences below ``delta``, ``delta (|d| - delta / 2)`` above (Huber 1964)."""
    if delta <= 0:
        raise OptionError(f"huber_loss: delta must be positive, got {delta}")
    same_shape("huber_loss", input, target)
    d = abs(input - target)
    each = where(d < delta, d * d * 0.5, (d - 0.5 * delta) * delta)
    return (
        reduced_by("huber_loss", each, reduction) if weight is None else weighted("huber_loss", each, weight, reduction)
    )


# ------------------------------------------------------------------------------------------------ probabilities
def _logits_rule(g: Array, input: Array, target: Array, reduction: str) -> Array:
    return (sigmoid(input) - target) * share(g, prod(input.shape), reduction)


@op(
    input=_logits_rule, target=lambda g, input, reduction: -input * share(g, prod(input.shape), reduction),
    kind="loss", label="BCE of scores", promote="same", public=False, samples=PAIR,
)  # fmt: skip
def bce_logits(input: Array, target: Array, reduction: str = "mean") -> Array:
    """Return ``log(1 + e^x) - t x``: the binary cross-entropy of ``sigmoid(input)``, exact for large scores."""
    same_shape("binary_cross_entropy_with_logits", input, target)
    each = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    return reduced_by("binary_cross_entropy_with_logits", each, reduction)


@function(method=False)
def binary_cross_entropy_with_logits(
    input: Array, target: Array, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", pos_weight: Any = None,
) -> Array:  # fmt: skip
    """Return the binary cross-entropy of ``sigmoid(input)``; ``pos_weight`` weighs the positive targets."""
    name = "binary_cross_entropy_with_logits"
    old_words(name, size_average, reduce)
    if weight is None and pos_weight is None:
        return bce_logits(input, target, reduction)
    if pos_weight is None:
        each = bce_logits(input, target, "none")
    else:
        same_shape(name, input, target)
        # -p t log s(x) - (1 - t) log s(-x)
        each = -(target * logsigmoid(input) * pos_weight + (1 - target) * logsigmoid(-input))
    return reduced_by(name, each if weight is None else each * weight, reduction)


@function(method=False)
def kl_div(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
    log_target: bool = False,
) -> Array:  # fmt: skip
    """Return ``target * (log target - input)``: ``input`` holds log-probabilities.

    ``target`` holds probabilities, or with ``log_target`` their logarithms.

    ``reduction='batchmean'`` divides the sum by the number of samples, as the divergence is defined.
    """
    old_words("kl_div", size_average, reduce)
    same_shape("kl_div", input, target)
    if log_target:
        each = np.exp(target) * (target - input)
    else:
        zero = target == 0
        each = where(zero, 0.0, target * (log(where(zero, 1.0, target)) - input))
    if reduction == "batchmean":
        return each.sum() / input.shape[0]
    return reduced_by("kl_div", each, reduction)


@function(method=False)
def poisson_nll_loss(
    input: Array, target: Array, log_input: bool = True, full: bool = False, size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``e^input - target input`` (``log_input``), or ``input - target log(input + eps)``.

    ``full`` adds Stirling's approximation of ``log target!`` for targets above 1.
    """
    old_words("poisson_nll_loss", size_average, reduce)
    same_shape("poisson_nll_loss", input, target)
    each = np.exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        many = target > 1
        t = where(many, target, 2.0)
        each = each + where(many, t * log(t) - t + 0.5 * log(2 * math.pi * t), 0.0)
    return reduced_by("poisson_nll_loss", each, reduction)


@function(method=False)
def gaussian_nll_loss(
    input: Array, target: Array, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Array:
    """Return ``(log var + (input - target)² / var) / 2``; variances below ``eps`` count as ``eps``."""
    same_shape("gaussian_nll_loss", input, target)
    shape = tuple(input.shape)
    if isinstance(var, (int, float)):
        var = new.full(shape, var, input.dtype)
    if tuple(var.shape) != shape:
        if tuple(var.shape) == shape[:-1]:
            var = var.reshape((*shape[:-1], 1))
        elif tuple(var.shape) != (*shape[:-1], 1):
            raise ShapeError(
                f"gaussian_nll_loss: var must have the shape of input {describe(input)}, it is {describe(var)}"
            )
    raw = new.asarray(plain(var))
    if (raw < 0).any():
        raise OptionError("gaussian_nll_loss: var has negative entry/entries")
    var = var + np.maximum(eps - raw, 0).astype(raw.dtype)  # raised to eps, the gradient passing
    d = input - target
    each = 0.5 * (log(var) + d * d / var)
    return reduced_by("gaussian_nll_loss", each + 0.5 * math.log(2 * math.pi) if full else each, reduction)


# ------------------------------------------------------------------------------------------------ margins
@function(method=False)
def hinge_embedding_loss(
    input: Array,
    target: Array,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Array:
    """Return ``input`` where the target is 1, ``max(0, margin - input)`` where it is -1."""
    old_words("hinge_embedding_loss", size_average, reduce)
    same_shape("hinge_embedding_loss", input, target)
    return reduced_by(
        "hinge_embedding_loss",
        where(target == 1, input, 0.0) + where(target == -1, _above(margin - input), 0.0),
        reduction,
    )


def _above(x: Any) -> Any:
    return where(x > 0, x, 0.0)


@function(method=False)
def soft_margin_loss(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Array:
    """Return ``log(1 + exp(-target * input))`` for targets 1 and -1."""
    old_words("soft_margin_loss", size_average, reduce)
    same_shape("soft_margin_loss", input, target)
    return reduced_by("soft_margin_loss", -logsigmoid(target * input), reduction)


@function(method=False)
def margin_ranking_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``max(0, -target * (input1 - input2) + margin)``: target 1 wants the first to be larger, -1 the second."""
    old_words("margin_ranking_loss", size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise ShapeError(
            f"margin_ranking_loss: all inputs should have the same number of axes, got {describe(input1)}, "
            f"{describe(input2)} and {describe(target)}"
        )
    return reduced_by("margin_ranking_loss", _above(-target * (input1 - input2) + margin), reduction)


def _scores(name: str, input: Any, target: Any, one: bool) -> tuple[Any, Any, bool]:
    """Return scores (N, C) and targets (N, ...) for a batch or a single sample."""
    t = new.asarray(plain(target))
    if t.dtype.kind not in "iu":
        raise DTypeError(f"{name}: targets must be integers, target is {describe(target)}; use .long()")
    alone = input.ndim == 1
    x = input.reshape((1, -1)) if alone else input
    t = t.reshape((1,) if one else (1, -1)) if alone else t
    expected = tuple(x.shape[:1]) if one else tuple(x.shape)
    if x.ndim != 2 or t.shape != expected:
        raise ShapeError(f"{name}: input {describe(input)} and target {describe(target)} do not fit together")
    bad = (t < (0 if one else -1)) | (t >= x.shape[1])
    if bad.any():
        raise IndexError(f"{name}: target {int(t[bad].flat[0])} is out of bounds for {x.shape[1]} classes")
    return x, t, alone


@function(method=False)
def multi_margin_loss(
    input: Array, target: Array, p: int = 1, margin: float = 1.0, weight: Any = None, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return the mean over wrong classes of ``max(0, margin - right score + wrong score) ** p``."""
    old_words("multi_margin_loss", size_average, reduce)
    if p not in (1, 2):
        raise OptionError("only p == 1 and p == 2 supported")
    x, t, alone = _scores("multi_margin_loss", input, target, True)
    right = take_along(x, t[:, None], 1)
    others = (new.arange(x.shape[1]) != t[:, None]).astype(x.dtype)
    each = _above(margin - right + x)
    each = each * each if p == 2 else each
    if weight is not None:
        each = each * check_weight("multi_margin_loss", x, weight)[t][:, None].astype(x.dtype)
    loss = (each * others).sum(1) / x.shape[1]
    return reduced_by("multi_margin_loss", loss.reshape(()) if alone and reduction == "none" else loss, reduction)


@function(method=False)
def multilabel_margin_loss(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Array:
    """Return ``max(0, 1 - right score + wrong score)`` over all pairs; -1 ends a list of right classes."""
    old_words("multilabel_margin_loss", size_average, reduce)
    x, t, alone = _scores("multilabel_margin_loss", input, target, False)
    ended = np.cumsum(t < 0, axis=1) > 0
    listed = ~ended
    safe = np.where(listed, t, 0)
    is_right = new.zeros(t.shape, bool)
    np.put_along_axis(is_right, safe, True, 1)
    # class 0 stands in for what is not listed: right only if it really is
    is_right[:, 0] = (listed & (t == 0)).any(1) if t.shape[1] else False
    right = take_along(x, safe, 1)
    pairs = _above(1 - right.reshape((*right.shape, 1)) + x.reshape((x.shape[0], 1, x.shape[1])))
    counts = (listed[:, :, None] & ~is_right[:, None, :]).astype(x.dtype)
    loss = (pairs * counts).sum((1, 2)) / x.shape[1]
    return reduced_by("multilabel_margin_loss", loss.reshape(()) if alone and reduction == "none" else loss, reduction)


@function(method=False)
def multilabel_soft_margin_loss(
    input: Array,
    target: Array,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Array:
    """Return the binary cross-entropy of the scores of each class, averaged over the classes."""
    old_words("multilabel_soft_margin_loss", size_average, reduce)
    each = bce_logits(input, target, "none")
    if weight is not None:
        each = each * weight
    return reduced_by("multilabel_soft_margin_loss", each.mean(-1), reduction)


# ------------------------------------------------------------------------------------------------ vectors
@function(method=False)
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """Return the cosine of the angle between ``x1`` and ``x2`` along ``dim``, lengths being at least ``eps``."""
    squares1, squares2 = (x1 * x1).sum(axis=dim), (x2 * x2).sum(axis=dim)
    return (x1 * x2).sum(axis=dim) / (maximum(squares1, eps * eps) * maximum(squares2, eps * eps)) ** 0.5


@function(method=False)
def pairwise_distance(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Array:
    """Return the p-norm of ``x1 - x2 + eps`` along the last axis; its slope at 0 is 0."""
    d = abs(x1 - x2 + eps)
    if p == math.inf:
        return d.amax(axis=-1, keepdims=keepdim)
    total = (d if p == 1 else d * d if p == 2 else d**p).sum(axis=-1, keepdims=keepdim)
    return total if p == 1 else where(total == 0, 0.0, where(total == 0, 1.0, total) ** (1 / p))


@function(method=False)
def cosine_embedding_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``1 - cos`` where the target is 1, ``max(0, cos - margin)`` where it is -1."""
    old_words("cosine_embedding_loss", size_average, reduce)
    if tuple(input1.shape) != tuple(input2.shape) or tuple(target.shape) != tuple(input1.shape[:-1]):
        raise ShapeError(
            f"cosine_embedding_loss: inputs (N, D) and target (N), or (D) and (): got {describe(input1)}, "
            f"{describe(input2)} and {describe(target)}"
        )
    products, a, b = (input1 * input2).sum(-1), (input1 * input1).sum(-1), (input2 * input2).sum(-1)
    cosine = products / ((a + 1e-12) * (b + 1e-12)) ** 0.5
    each = where(target == 1, 1 - cosine, 0.0) + where(target == -1, _above(cosine - margin), 0.0)
    return reduced_by("cosine_embedding_loss", each, reduction)


@function(method=False)
def triplet_margin_loss(
    anchor: Array, positive: Array, negative: Array, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``max(0, margin + |anchor - positive| - |anchor - negative|)``."""
    old_words("triplet_margin_loss", size_average, reduce)

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=reduction
    )


@function(method=False)
def triplet_margin_with_distance_loss(
    anchor: Array, positive: Array, negative: Array, *, distance_function: Any = None, margin: float = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return `triplet_margin_loss` with a distance of one's own."""
    if margin <= 0:
        raise OptionError(f"triplet_margin_loss: margin must be greater than 0, got {margin}")
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced_by("triplet_margin_loss", clip(near - far + margin, 0.0, None), reduction)
