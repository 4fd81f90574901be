"""Attention: `scaled_dot_product_attention`, and the layer with several heads.

Source: Vaswani et al., Attention is all you need, 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.tensor import Array, Tensor, make
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.nn import init
from tinygrad_lite.nn.dropout import dropout
from tinygrad_lite.nn.linear import NonDynamicallyQuantizableLinear, new_parameter
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.linalg.matmul import linear
from tinygrad_lite.ops.networks.attention import attention_weights, future_mask
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.ops.shape.moving import ordered_like
from tinygrad_lite.ops.windows.padding import pad

__all__ = ["MultiheadAttention"]


@named
def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Array:  # fmt: skip
    r"""Return :math:`\operatorname{softmax}(Q K^\top / \sqrt{E}) V`.

    Query (L, E), key (S, E) and value (S, V) give (L, V).

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
    y = (dropout(weights, dropout_p) if dropout_p else weights) @ value
    return y if dropout_p or query.ndim != 4 else _laid_like(query, key, value, y)


def _laid_like(query: Array, key: Array, value: Array, y: Array) -> Array:
    """Return ``y`` with its axes in memory as in ``query``, as PyTorch's fused attention does.

    So heads that were split off by ``view`` and ``transpose`` can be put together by ``transpose`` and ``view``.
    """
    raw = [x.array if isinstance(x, Tensor) else x for x in (query, key, value)]
    if raw[0].ndim != 4 or raw[0].flags.c_contiguous or value.shape[-1] != query.shape[-1]:
        return y
    if any(x.strides[-1] != x.itemsize for x in raw):
        return y
    return ordered_like(y, query)


class AttentionShapeError(ShapeError, AssertionError):
    """Shapes of queries, keys, values or masks that do not fit; PyTorch raises AssertionError."""


class AttentionMaskError(DTypeError, AssertionError):
    """A mask of integers; PyTorch raises AssertionError."""


def joined_masks(attn_mask: Any, padding: Any, n: int, heads: int, length: int, source: int, dtype: Any) -> Any:
    """Return one additive mask for scores (N, heads, L, S).

    In boolean masks True means "do not look".
    """
    for name, given in (("attn_mask", attn_mask), ("key_padding_mask", padding)):
        if given is not None and given.dtype.kind not in "bf":
            raise AttentionMaskError(
                f"MultiheadAttention: only bool and floating types of {name} are supported, got {describe(given)}"
            )
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
            raise AttentionShapeError(
                f"MultiheadAttention: key_padding_mask must be {(n, source)}, got {describe(mask)}"
            )
        mask = mask.reshape((-1, 1, 1, source))
        total = mask if total is None else computed("sum", (total, mask), total + mask)
    return total


def _undefined(weights: Any, mask: Any) -> Any:
    """Return ``weights`` with NaN in the rows in which ``mask`` leaves nothing to look at.

    So PyTorch answers if it is asked for the weights; otherwise they are zeros there.
    """
    if mask is None:
        return weights
    blind = computed("blind", (mask,), (new.asarray(plain(mask)) == -np.inf).all(axis=-1, keepdims=True))
    return where(blind, np.nan, weights) if blind.any() else weights


def _numbers(mask: Any, dtype: Any) -> Any:
    if mask.dtype.kind == "b":
        return computed("numbers", (mask,), np.where(plain(mask), -np.inf, 0.0).astype(dtype))
    return mask


class MultiheadAttention(Module):
    """Compute attention with ``num_heads`` heads.

    ``forward(query, key, value)`` returns the output and the attention weights.

    Query (L, N, E), key (S, N, kdim), value (S, N, vdim); batch first with ``batch_first``; or without N. In
    ``key_padding_mask`` (N, S) and ``attn_mask`` (L, S) True means: do not look; numbers are added to the scores.

    >>> import tinygrad_lite as tl
    >>> tl.nn.MultiheadAttention(8, 2, batch_first=True)(tl.ones(1, 5, 8), tl.ones(1, 5, 8), tl.ones(1, 5, 8))[0].shape
    (1, 5, 8)
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.head_dim, self.add_zero_attn = embed_dim // num_heads, add_zero_attn
        same = self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        e = embed_dim

        def register_zeros(name: str, *shape: int, use: bool = True) -> None:
            self.register_parameter(name, new_parameter(new.zeros(shape), dtype) if use else None)

        register_zeros("in_proj_weight", 3 * e, e, use=same)
        for name, width in (("q", e), ("k", self.kdim), ("v", self.vdim)):
            register_zeros(f"{name}_proj_weight", e, width, use=not same)
        register_zeros("in_proj_bias", 3 * e, use=bias)
        self.out_proj = NonDynamicallyQuantizableLinear(e, e, bias, dtype=dtype)
        if add_bias_kv:
            register_zeros("bias_k", 1, 1, e)
            register_zeros("bias_v", 1, 1, e)
        else:
            self.bias_k = self.bias_v = None
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for w in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if w is not None:
                init.xavier_uniform_(w)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)
        for b in (self.bias_k, self.bias_v):
            if b is not None:
                init.xavier_normal_(b)

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        e, w, b = self.embed_dim, self.in_proj_weight, self.in_proj_bias
        if w is not None and query is key is value:
            whole = linear(query, w, b)  # one product for all three
            return [whole[..., i * e : (i + 1) * e] for i in range(3)]
        weights = (
            [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
            if w is None
            else [w[i * e : (i + 1) * e] for i in range(3)]
        )
        biases = [None] * 3 if b is None else [b[i * e : (i + 1) * e] for i in range(3)]
        return [linear(x, m, c) for x, m, c in zip((query, key, value), weights, biases, strict=True)]

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
        attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Return the output, shaped like ``query``, and the attention weights.

        The weights are (N, L, S), one set per head with ``average_attn_weights=False``, or None without
        ``need_weights``.
        """
        alone, same = query.ndim == 2, query is key is value
        if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
            raise AttentionShapeError(
                f"MultiheadAttention: query, key and value must have 2 or 3 axes, got {describe(query)}, "
                f"{describe(key)}, {describe(value)}"
            )
        widths = (query.shape[-1], key.shape[-1], value.shape[-1])
        if widths != (self.embed_dim, self.kdim, self.vdim):
            raise AttentionShapeError(
                f"MultiheadAttention: expected last axes {(self.embed_dim, self.kdim, self.vdim)} of query, key, "
                f"value, got {widths}"
            )
        if key.shape[:-1] != value.shape[:-1]:
            raise AttentionShapeError(
                f"MultiheadAttention: key {describe(key)} and value {describe(value)} must have the same length and "
                "batch"
            )
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")

        def batch_first(x: Any) -> Any:
            return x.reshape((1, *x.shape)) if alone else x if self.batch_first else x.permute(1, 0, 2)

        query = batch_first(query)
        key = query if same else batch_first(key)
        value = query if same else batch_first(value)
        n, length, e = query.shape
        q, k, v = self._projected(query, key, value)
        extra = 0
        if self.bias_k is not None and self.bias_v is not None:
            k, v = (cat([x, b.expand(n, 1, e)], 1) for x, b in ((k, self.bias_k), (v, self.bias_v)))
            extra += 1
        if self.add_zero_attn:
            nothing = make(new.zeros((n, 1, e), q.dtype))
            k, v = cat([k, nothing], 1), cat([v, nothing], 1)
            extra += 1
        source = k.shape[1]
        mask = joined_masks(attn_mask, key_padding_mask, n, self.num_heads, length, source - extra, q.dtype)
        if mask is not None and extra:
            mask = pad(mask if hasattr(mask, "array") else make(mask), (0, extra))
        heads = [x.reshape((n, x.shape[1], self.num_heads, self.head_dim)).permute(0, 2, 1, 3) for x in (q, k, v)]
        weights = _undefined(attention_weights(heads[0], heads[1], mask), mask if need_weights else None)
        if self.dropout and self.training:
            weights = dropout(weights, self.dropout)
        y = (weights @ heads[2]).permute(2, 0, 1, 3).reshape((length, n, e))  # contiguous in this order, as in PyTorch
        y = self.out_proj(y)
        y = y.reshape((length, e)) if alone else y.permute(1, 0, 2) if self.batch_first else y
        if not need_weights:
            return y, None
        weights = weights.mean(1) if average_attn_weights else weights
        return y, (weights.reshape(tuple(weights.shape[1:])) if alone else weights)


@named
def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int, in_proj_weight: Any, in_proj_bias: Any,
    bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float, out_proj_weight: Any, out_proj_bias: Any,
    training: bool = True, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None, average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Return output and weights of `MultiheadAttention` with these weights; batches are the second axis.

    >>> import tinygrad_lite as tl
    >>> a = tl.nn.MultiheadAttention(8, 2)
    >>> x = tl.ones(5, 1, 8)
    >>> y, weights = tl.nn.functional.multi_head_attention_forward(
    ...     x,
    ...     x,
    ...     x,
    ...     8,
    ...     2,
    ...     a.in_proj_weight,
    ...     a.in_proj_bias,
    ...     None,
    ...     None,
    ...     False,
    ...     0.0,
    ...     a.out_proj.weight,
    ...     a.out_proj.bias,
    ... )
    >>> y.shape, weights.shape
    ((5, 1, 8), (1, 5, 5))
    """
    if static_k is not None or static_v is not None:
        raise NotImplementedError("multi_head_attention_forward: static_k and static_v are not supported")
    e, layer = query.shape[-1], MultiheadAttention.__new__(MultiheadAttention)
    if e != embed_dim_to_check:
        raise AttentionShapeError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {e}")
    Module.__init__(layer)
    vars(layer).update(
        embed_dim=e, num_heads=num_heads, head_dim=e // num_heads, dropout=dropout_p, batch_first=False,
        kdim=key.shape[-1], vdim=value.shape[-1], add_zero_attn=add_zero_attn, in_proj_bias=in_proj_bias,
        in_proj_weight=None if use_separate_proj_weight else in_proj_weight, q_proj_weight=q_proj_weight,
        k_proj_weight=k_proj_weight, v_proj_weight=v_proj_weight, bias_k=bias_k, bias_v=bias_v, training=training,
        out_proj=lambda y: linear(y, out_proj_weight, out_proj_bias),
    )  # fmt: skip
    return layer.forward(query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal)
