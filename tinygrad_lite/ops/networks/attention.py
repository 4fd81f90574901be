"""Attention weights: a softmax over the products of queries and keys.

Source: Vaswani et al., Attention is all you need, 2017.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.elementwise.activation import softmax
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.linalg.matmul import matmul
from tinygrad_lite.ops.losses.reduction import fits
from tinygrad_lite.ops.shape.reshaping import transpose

__all__ = ["attention_weights", "future_mask"]


def future_mask(queries: int, keys: int) -> Any:
    """Return a boolean mask (queries, keys) that is True where the key is not later than the query."""
    return np.tril(new.ones((queries, keys), bool))


def attention_weights(query: Array, key: Array, mask: Any = None, scale: float | None = None) -> Array:
    """Return ``softmax(scale * query @ key.T)`` over the keys: (..., L, E) and (..., S, E) give (..., L, S).

    A floating ``mask`` is added to the scores; a boolean one is True where a query may attend. A query that may attend
    to no key gets weights of 0.
    """
    if query.shape[-1] != key.shape[-1]:
        raise ShapeError(f"attention: queries {describe(query)} and keys {describe(key)} differ in their last axis")
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else math.inf
    scores = matmul(query * scale, transpose(key, -2, -1))
    if mask is None:
        return softmax(scores, -1)
    shape = tuple(scores.shape)
    if not fits(mask.shape, shape):
        raise ShapeError(f"attention: mask {describe(mask)} does not broadcast to the scores {shape}")
    if mask.dtype.kind == "b":
        scores = where(plain(mask), scores, -np.inf)
    else:
        scores = scores + mask
    with np.errstate(invalid="ignore"):
        weights = softmax(scores, -1)
    # a query that sees nothing has weights of NaN; to look for it in one column takes no time
    if not np.isnan(new.asarray(plain(weights))[..., :1]).any():
        return weights
    blind = computed("blind", (scores,), (new.asarray(plain(scores)) == -np.inf).all(axis=-1, keepdims=True))
    if not blind.any():
        return weights
    return where(blind, 0.0, softmax(where(blind, 0.0, scores), -1))
