"""Attention with several heads, and the encoder and decoder layers of a transformer.

Source: Vaswani et al., Attention is all you need, 2017.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import get_default_dtype, make
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn import functional as F, init
from tinygrad_lite.nn.attending import joined_masks
from tinygrad_lite.nn.container import ModuleList
from tinygrad_lite.nn.dropout import Dropout
from tinygrad_lite.nn.linear import Linear, new_parameter
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.normalisation import LayerNorm
from tinygrad_lite.nn.parameter import Parameter
from tinygrad_lite.ops.linalg.matmul import linear
from tinygrad_lite.ops.networks.attention import attention_weights, future_mask
from tinygrad_lite.ops.shape.reshaping import cat

__all__ = [
    "MultiheadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
]  # fmt: skip


class MultiheadAttention(Module):
    """Attention with ``num_heads`` heads: forward(query, key, value) returns the result and the weights.

    Query (L, N, E), key (S, N, kdim), value (S, N, vdim); batch first with ``batch_first``; or without N. In
    ``key_padding_mask`` (N, S) and ``attn_mask`` (L, S) True means: do not look; numbers are added to the scores.
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
        same = self.kdim == embed_dim == self.vdim
        e = embed_dim
        self.register_parameter("in_proj_weight", new_parameter(np.zeros((3 * e, e)), dtype) if same else None)
        for name, width in (("q", e), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{name}_proj_weight", None if same else new_parameter(np.zeros((e, width)), dtype))
        self.register_parameter("in_proj_bias", new_parameter(np.zeros(3 * e), dtype) if bias else None)
        self.out_proj = Linear(e, e, bias, dtype=dtype)
        self.register_parameter("bias_k", new_parameter(np.zeros((1, 1, e)), dtype) if add_bias_kv else None)
        self.register_parameter("bias_v", new_parameter(np.zeros((1, 1, e)), dtype) if add_bias_kv else None)
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
        """Return the result in the shape of ``query``, and the weights (N, L, S) (per head if not averaged) or None."""
        alone, same = query.ndim == 2, query is key is value
        if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
            raise ShapeError(
                f"MultiheadAttention: query, key and value must have 2 or 3 axes, got {describe(query)}, "
                f"{describe(key)}, {describe(value)}"
            )
        widths = (query.shape[-1], key.shape[-1], value.shape[-1])
        if widths != (self.embed_dim, self.kdim, self.vdim):
            raise ShapeError(
                f"MultiheadAttention: expected last axes {(self.embed_dim, self.kdim, self.vdim)} of query, key, "
                f"value, got {widths}"
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
            nothing = make(np.zeros((n, 1, e), q.dtype))
            k, v = cat([k, nothing], 1), cat([v, nothing], 1)
            extra += 1
        source = k.shape[1]
        mask = joined_masks(attn_mask, key_padding_mask, n, self.num_heads, length, source - extra, q.dtype)
        if mask is not None and extra:
            mask = F.pad(mask if hasattr(mask, "array") else make(mask), (0, extra))
        heads = [x.reshape((n, x.shape[1], self.num_heads, self.head_dim)).permute(0, 2, 1, 3) for x in (q, k, v)]
        weights = attention_weights(heads[0], heads[1], mask)
        if self.dropout and self.training:
            weights = F.dropout(weights, self.dropout)
        y = (weights @ heads[2]).permute(0, 2, 1, 3).reshape((n, length, e))
        y = self.out_proj(y)
        y = y.reshape((length, e)) if alone else y if self.batch_first else y.permute(1, 0, 2)
        if not need_weights:
            return y, None
        weights = weights.mean(1) if average_attn_weights else weights
        return y, (weights.reshape(tuple(weights.shape[1:])) if alone else weights)


def _activation(given: Any) -> Callable[[Any], Any]:
    if isinstance(given, str):
        if given not in ("relu", "gelu"):
            raise RuntimeError(f"activation should be relu/gelu, not {given}")
        return F.relu if given == "relu" else F.gelu
    return given  # type: ignore[no-any-return]


class _Layer(Module):
    """What encoder and decoder layers share: attention to oneself and two linear layers."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = F.relu,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self._second_attention(d_model, nhead, dropout, bias, batch_first, dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self._third_norm(d_model, layer_norm_eps, bias, dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self._third_dropout(dropout)
        self.activation = _activation(activation)

    def _second_attention(self, *settings: Any) -> None:
        """Encoders have none."""

    def _third_norm(self, *settings: Any) -> None:
        """Encoders have none."""

    def _third_dropout(self, p: float) -> None:
        """Encoders have none."""

    def _attend(self, x: Any, mask: Any, padding: Any) -> Any:
        return self.dropout1(self.self_attn(x, x, x, padding, False, mask)[0])

    def _feed(self, x: Any, drop: Any) -> Any:
        return drop(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoderLayer(_Layer):
    """Attention to oneself and two linear layers, each added to its input and normalised.

    >>> import tinygrad_lite as tl
    >>> tl.nn.TransformerEncoderLayer(8, 2, 16)(tl.ones(5, 3, 8)).shape
    (5, 3, 8)
    """

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Return ``src`` (L, N, d_model) after the layer."""
        x = src
        if self.norm_first:
            x = x + self._attend(self.norm1(x), src_mask, src_key_padding_mask)
            return x + self._feed(self.norm2(x), self.dropout2)
        x = self.norm1(x + self._attend(x, src_mask, src_key_padding_mask))
        return self.norm2(x + self._feed(x, self.dropout2))


class TransformerDecoderLayer(_Layer):
    """Attention to oneself, attention to a memory, and two linear layers, each added to its input and normalised."""

    multihead_attn: MultiheadAttention
    norm3: LayerNorm
    dropout3: Dropout

    def _second_attention(self, *settings: Any) -> None:
        d_model, nhead, dropout, bias, batch_first, dtype = settings
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)

    def _third_norm(self, *settings: Any) -> None:
        d_model, eps, bias, dtype = settings
        self.norm3 = LayerNorm(d_model, eps, bias=bias, dtype=dtype)

    def _third_dropout(self, p: float) -> None:
        self.dropout3 = Dropout(p)

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None, tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None, tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """Return ``tgt`` (L, N, d_model) after the layer."""

        def look(x: Any) -> Any:
            return self.dropout2(self.multihead_attn(x, memory, memory, memory_key_padding_mask, False, memory_mask)[0])

        x = tgt
        if self.norm_first:
            x = x + self._attend(self.norm1(x), tgt_mask, tgt_key_padding_mask)
            x = x + look(self.norm2(x))
            return x + self._feed(self.norm3(x), self.dropout3)
        x = self.norm1(x + self._attend(x, tgt_mask, tgt_key_padding_mask))
        x = self.norm2(x + look(x))
        return self.norm3(x + self._feed(x, self.dropout3))


class _Stack(Module):
    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.add_module("norm", norm)

    norm: Module | None


class TransformerEncoder(_Stack):
    """A stack of copies of one encoder layer."""

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        """Return ``src`` after all layers."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(_Stack):
    """A stack of copies of one decoder layer."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None, tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """Return ``tgt`` after all layers."""
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder together: forward(src, tgt)."""

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = F.relu, custom_encoder: Any = None,
        custom_decoder: Any = None, layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        settings: Any = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
            device,
            dtype,
        )

        def last() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*settings), num_encoder_layers, last()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*settings), num_decoder_layers, last()
        )
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None, memory_mask: Any = None,
        src_key_padding_mask: Any = None, tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """Return the decoded ``tgt``."""
        memory = self.encoder(src, src_mask, src_key_padding_mask)
        return self.decoder(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """Return the (sz, sz) mask that hides the future: 0 where to look, -inf elsewhere."""
        return make(np.where(future_mask(sz, sz), 0.0, -np.inf).astype(dtype or get_default_dtype()))
