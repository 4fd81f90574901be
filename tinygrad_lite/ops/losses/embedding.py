"""Similarities and distances of vectors, and the losses made of them."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import abs, clip, maximum, minimum, where
from tinygrad_lite.ops.losses.margin import above
from tinygrad_lite.ops.losses.reduction import old_words, reduced, same_shape


@function(method=False, functional=True)
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """Return the cosine of the angle between ``x1`` and ``x2`` along ``dim``, with lengths clipped at ``eps``."""
    squares1, squares2 = (x1 * x1).sum(axis=dim), (x2 * x2).sum(axis=dim)
    return (x1 * x2).sum(axis=dim) / (maximum(squares1, eps * eps) * maximum(squares2, eps * eps)) ** 0.5


@function(method=False, functional=True)
def pairwise_distance(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Array:
    """Return the p-norm of ``x1 - x2 + eps`` along the last axis; its slope at 0 is 0."""
    d = abs(x1 - x2 + eps)
    if p == math.inf:
        return d.amax(axis=-1, keepdims=keepdim)
    total = (d if p == 1 else d * d if p == 2 else d**p).sum(axis=-1, keepdims=keepdim)
    return total if p == 1 else where(total == 0, 0.0, where(total == 0, 1.0, total) ** (1 / p))


@function(method=False, functional=True)
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
    each = where(target == 1, 1 - cosine, 0.0) + where(target == -1, above(cosine - margin), 0.0)
    return reduced("cosine_embedding_loss", each, reduction)


@function(method=False, functional=True)
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
    return reduced(
        "hinge_embedding_loss",
        where(target == 1, input, 0.0) + where(target == -1, above(margin - input), 0.0),
        reduction,
    )


@function(method=False, functional=True)
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


@function(method=False, functional=True)
def triplet_margin_with_distance_loss(
    anchor: Array, positive: Array, negative: Array, *, distance_function: Any = None, margin: float = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return `triplet_margin_loss` with ``distance_function`` instead of the p-norm."""
    if margin <= 0:
        raise OptionError(f"triplet_margin_loss: margin must be greater than 0, got {margin}")
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced("triplet_margin_loss", clip(near - far + margin, 0.0, None), reduction)
