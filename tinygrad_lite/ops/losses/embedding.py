"""Similarities and distances of vectors, and the losses made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.promotion import result_dtype
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import clip, minimum, where
from tinygrad_lite.ops.elementwise.cast import to
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.linalg.norm import norm
from tinygrad_lite.ops.losses.margin import not_below
from tinygrad_lite.ops.losses.reduction import old_words, reduced, together


@function(method=False, functional=True)
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """Return the cosine of the angle between ``x1`` and ``x2`` along ``dim``, with lengths raised to ``eps``.

    The two broadcast first.

    >>> import tinygrad_lite as tl
    >>> tl.cosine_similarity(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]))
    tensor([0.8000])
    """
    x1, x2 = together("cosine_similarity", x1, x2, quiet=True)
    dtype = result_dtype([x1, x2], floating=True)
    x1, x2 = to(x1, dtype), to(x2, dtype)
    return (_directions(x1, dim, eps) * _directions(x2, dim, eps)).sum(axis=dim)


def _directions(x: Array, dim: int, eps: float) -> Array:
    """Return ``x`` divided by its length, so that no product of lengths overflows."""
    length = norm(x, 2.0, dim, True)
    short = np.maximum(eps - plain(length), 0)  # the gradient passes, as in PyTorch
    return x / (length + short.astype(length.dtype) if short.any() else length)


@function(method=False, functional=True)
def pairwise_distance(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Array:
    """Return the p-norm of ``x1 - x2 + eps`` along the last axis; its slope at 0 is 0.

    >>> import tinygrad_lite as tl
    >>> tl.pairwise_distance(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]))
    tensor([1.4142])
    """
    return norm(x1 - x2 + eps, p, -1, keepdim)


@function(method=False, functional=True)
def cosine_embedding_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``1 - cos`` where the target is 1, ``max(0, cos - margin)`` where it is -1.

    >>> import tinygrad_lite as tl
    >>> tl.cosine_embedding_loss(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([1.0]))
    tensor(0.2000)
    """
    reduction = old_words("cosine_embedding_loss", size_average, reduce, reduction)
    if tuple(input1.shape) != tuple(input2.shape) or tuple(target.shape) != tuple(input1.shape[:-1]):
        raise ShapeError(
            f"cosine_embedding_loss: inputs (N, D) and target (N), or (D) and (): got {describe(input1)}, "
            f"{describe(input2)} and {describe(target)}"
        )
    products, a, b = (input1 * input2).sum(-1), (input1 * input1).sum(-1), (input2 * input2).sum(-1)
    cosine = products / ((a + 1e-12) * (b + 1e-12)) ** 0.5
    each = where(target == 1, 1 - cosine, 0.0) + where(target == -1, not_below(cosine - margin), 0.0)
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
    """Return ``input`` where the target is 1, ``max(0, margin - input)`` where it is -1, their sum elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.hinge_embedding_loss(tl.tensor([0.2, 0.9]), tl.tensor([1.0, -1.0]))
    tensor(0.1500)
    """
    reduction = old_words("hinge_embedding_loss", size_average, reduce, reduction)
    input, target = together("hinge_embedding_loss", input, target, quiet=True)
    each = where(target != -1, input, 0.0) + where(target != 1, not_below(margin - input), 0.0)
    return reduced("hinge_embedding_loss", each, reduction)


@function(method=False, functional=True)
def triplet_margin_loss(
    anchor: Array, positive: Array, negative: Array, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return ``max(0, margin + |anchor - positive| - |anchor - negative|)``.

    >>> import tinygrad_lite as tl
    >>> tl.triplet_margin_loss(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([[0.0, 0.0]]))
    tensor(0.1781)
    """
    reduction = old_words("triplet_margin_loss", size_average, reduce, reduction)

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
    """Return `triplet_margin_loss` with ``distance_function`` instead of the p-norm.

    >>> import tinygrad_lite as tl
    >>> tl.triplet_margin_with_distance_loss(
    ...     tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([[0.0, 0.0]])
    ... )
    tensor(0.1781)
    """
    if margin <= 0:
        raise OptionError(f"triplet_margin_loss: margin must be greater than 0, got {margin}")
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced("triplet_margin_loss", clip(near - far + margin, 0.0, None), reduction)
