"""Attention as a function: with dropout of the weights, and with the heads of `MultiheadAttention`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn.noise import dropout
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.networks.attention import attention_weights, future_mask

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Array:  # fmt: skip
    r"""Return :math:`\operatorname{softmax}(Q K^\top / \sqrt{E}) V`: (L, E), (S, E), (S, V) give (L, V).

    Any axes may stand before these.

    ``attn_mask``: booleans (True: look) or numbers added to the scores. ``is_causal``: a query sees no later key. A
    query that may look at nothing gives zeros. ``enable_gqa``: several heads of queries share one of keys.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.scaled_dot_product_attention(tl.zeros(1, 2), tl.ones(3, 2), tl.eye(3))
    tensor([[0.3333, 0.3333, 0.3333]])
    """
    if is_causal and attn_mask is not None:
        raise RuntimeError("scaled_dot_product_attention: explicit attn_mask should not be set when is_causal=True")
    if value.shape[-2] != key.shape[-2]:
        raise ShapeError(f"scaled_dot_product_attention: {describe(key)} keys but {describe(value)} values")
    if enable_gqa:
        times = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(times, -3), value.repeat_interleave(times, -3)
    mask = future_mask(query.shape[-2], key.shape[-2]) if is_causal else attn_mask
    weights = attention_weights(query, key, mask, scale)
    return (dropout(weights, dropout_p) if dropout_p else weights) @ value


def joined_masks(attn_mask: Any, padding: Any, n: int, heads: int, length: int, source: int, dtype: Any) -> Any:
    """Return one mask of numbers for scores (N, heads, L, S) from masks in which True means "do not look"."""
    total: Any = None
    if attn_mask is not None:
        mask = _numbers(attn_mask, dtype)
        if mask.ndim == 3 and mask.shape == (n * heads, length, source):
            mask = mask.reshape((n, heads, length, source))
        elif mask.shape != (length, source):
            raise ShapeError(
                f"MultiheadAttention: attn_mask must be {(length, source)} or {(n * heads, length, source)}, got "
                f"{describe(mask)}"
            )
        total = mask
    if padding is not None:
        mask = _numbers(padding, dtype)
        if mask.shape not in ((n, source), (source,)):
            raise ShapeError(f"MultiheadAttention: key_padding_mask must be {(n, source)}, got {describe(mask)}")
        mask = mask.reshape((-1, 1, 1, source))
        total = mask if total is None else total + mask
    return total


def _numbers(mask: Any, dtype: Any) -> Any:
    if mask.dtype.kind == "b":
        return np.where(plain(mask), -np.inf, 0.0).astype(dtype)
    return mask
