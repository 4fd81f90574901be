"""Losses that ask for a margin between right and wrong scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.smooth import logsigmoid
from tinygrad_lite.ops.indexing.getitem import plain, take_along
from tinygrad_lite.ops.losses.classification import bce_logits, check_weight
from tinygrad_lite.ops.losses.reduction import fits, old_words, reduced, same_shape, together
from tinygrad_lite.ops.shape.reshaping import BadIndex


def above(x: Any) -> Any:
    """Return ``x`` where it is positive and 0 elsewhere."""
    return where(x > 0, x, 0.0)


@function(method=False, functional=True)
def soft_margin_loss(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Array:
    """Return ``log(1 + exp(-target * input))`` for targets 1 and -1.

    >>> import tinygrad_lite as tl
    >>> tl.soft_margin_loss(tl.tensor([0.2, 0.9]), tl.tensor([1.0, -1.0]))
    tensor(0.9196)
    """
    reduction = old_words("soft_margin_loss", size_average, reduce, reduction)
    if not fits(target.shape, input.shape):
        same_shape("soft_margin_loss", input, target)
    return reduced("soft_margin_loss", -logsigmoid(target * input), reduction)


@function(method=False, functional=True)
def margin_ranking_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``max(0, -target * (input1 - input2) + margin)``: target 1 wants the first to be larger, -1 the second.

    >>> import tinygrad_lite as tl
    >>> tl.margin_ranking_loss(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]), tl.tensor([1.0, -1.0]))
    tensor(0.)
    """
    reduction = old_words("margin_ranking_loss", size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise ShapeError(
            f"margin_ranking_loss: all inputs should have the same number of axes, got {describe(input1)}, "
            f"{describe(input2)} and {describe(target)}"
        )
    return reduced("margin_ranking_loss", not_below(-target * (input1 - input2) + margin), reduction)


def not_below(x: Any) -> Any:
    """Return ``x`` where it is not negative and 0 elsewhere; unlike `above` the gradient passes at 0."""
    return where(x >= 0, x, 0.0)


def _scores(name: str, input: Any, target: Any, one: bool) -> tuple[Any, Any, bool]:
    """Return scores (N, C) and targets (N, ...) for a batch or a single sample."""
    t = new.asarray(plain(target))
    if t.dtype.kind not in "iu":
        raise DTypeError(f"{name}: targets must be integers, target is {describe(target)}; use .long()")
    alone = input.ndim <= 1
    x = input.reshape((1, -1)) if alone else input
    t = t.reshape((1,) if one else (1, -1)) if alone else t
    expected = tuple(x.shape[:1]) if one else tuple(x.shape)
    if x.ndim != 2 or t.shape != expected:
        raise ShapeError(f"{name}: input {describe(input)} and target {describe(target)} do not fit together")
    bad = (t < (0 if one else -1)) | (t >= x.shape[1])
    if bad.any():
        raise IndexError(f"{name}: target {int(t[bad].flat[0])} is out of bounds for {x.shape[1]} classes")
    return x, t, alone


@function(method=False, functional=True)
def multi_margin_loss(
    input: Array, target: Array, p: int = 1, margin: float = 1.0, weight: Any = None, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return the mean over wrong classes of ``max(0, margin - right score + wrong score) ** p``.

    >>> import tinygrad_lite as tl
    >>> tl.multi_margin_loss(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([0]))
    tensor(0.)
    """
    reduction = old_words("multi_margin_loss", size_average, reduce, reduction)
    if p not in (1, 2):
        raise OptionError("only p == 1 and p == 2 supported")
    x, t, alone = _scores("multi_margin_loss", input, target, True)
    right = take_along(x, t[:, None], 1)
    others = (new.arange(x.shape[1]) != t[:, None]).astype(x.dtype)
    each = above(margin - right + x)
    each = each * each if p == 2 else each
    if weight is not None:
        each = each * check_weight("multi_margin_loss", x, weight)[t][:, None].astype(x.dtype)
    loss = (each * others).sum(1) / x.shape[1]
    return reduced("multi_margin_loss", loss.reshape(()) if alone and reduction == "none" else loss, reduction)


@function(method=False, functional=True)
def multilabel_margin_loss(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Array:
    """Return ``max(0, 1 - right score + wrong score)`` over all pairs; -1 ends a list of right classes.

    >>> import tinygrad_lite as tl
    >>> tl.multilabel_margin_loss(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([[0, 2, -1]]))
    tensor(0.4667)
    """
    reduction = old_words("multilabel_margin_loss", size_average, reduce, reduction)
    x, t, alone = _scores("multilabel_margin_loss", input, target, False)
    ended = np.cumsum(t < 0, axis=1) > 0
    listed = ~ended
    safe = np.where(listed, t, 0)
    is_right = new.zeros(t.shape, bool)
    np.put_along_axis(is_right, safe, True, 1)
    # class 0 also replaces the entries after -1: it is right only if it is listed
    is_right[:, 0] = (listed & (t == 0)).any(1) if t.shape[1] else False
    right = take_along(x, safe, 1)
    pairs = above(1 - right.reshape((*right.shape, 1)) + x.reshape((x.shape[0], 1, x.shape[1])))
    counts = (listed[:, :, None] & ~is_right[:, None, :]).astype(x.dtype)
    loss = (pairs * counts).sum((1, 2)) / x.shape[1]
    return reduced("multilabel_margin_loss", loss.reshape(()) if alone and reduction == "none" else loss, reduction)


@function(method=False, functional=True)
def multilabel_soft_margin_loss(
    input: Array,
    target: Array,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Array:
    """Return the binary cross-entropy of the scores of each class, averaged over the classes.

    >>> import tinygrad_lite as tl
    >>> tl.multilabel_soft_margin_loss(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([[1.0, 0.0, 1.0]]))
    tensor(0.5818)
    """
    reduction = old_words("multilabel_soft_margin_loss", size_average, reduce, reduction)
    if not input.ndim:
        raise BadIndex("multilabel_soft_margin_loss: expected the scores of several classes, got a 0-d tensor")
    classes = input.shape[-1]
    input, target = together("multilabel_soft_margin_loss", input, target, quiet=True)
    each = bce_logits(input, target, "none")
    if weight is not None:
        each = each * weight
    return reduced("multilabel_soft_margin_loss", each.sum(-1) / (classes or np.nan), reduction)
