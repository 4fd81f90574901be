"""The encoder and decoder layers of a transformer, their stacks, and the whole.

Source: Vaswani et al., Attention is all you need, 2017.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import counted
from tinygrad_lite.engine.tensor import get_default_dtype, make
from tinygrad_lite.nn import functional as F, init
from tinygrad_lite.nn.attention import MultiheadAttention
from tinygrad_lite.nn.container import ModuleList
from tinygrad_lite.nn.dropout import Dropout
from tinygrad_lite.nn.linear import Linear
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.normalisation import LayerNorm
from tinygrad_lite.ops.networks.attention import future_mask

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip


def _activation(given: Any) -> Callable[[Any], Any]:
    if isinstance(given, str):
        if given not in ("relu", "gelu"):
            raise RuntimeError(f"activation should be relu/gelu, not {given}")
        return F.relu if given == "relu" else F.gelu
    return given  # type: ignore[no-any-return]


class _Layer(Module):
    """Base of encoder and decoder layers: self-attention and two linear layers."""

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

    # The parts have PyTorch's names, and pass what it passes: programs replace them, and the attention's `forward`.
    def _sa_block(self, x: Any, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False) -> Any:
        return self.dropout1(_looked(self.self_attn, x, x, attn_mask, key_padding_mask, is_causal))

    def _ff_block(self, x: Any) -> Any:
        return self._last_dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def _last_dropout(self, x: Any) -> Any:
        return self.dropout2(x)


def _looked(attention: Any, x: Any, memory: Any, mask: Any, padding: Any, causal: bool) -> Any:
    """Return what queries ``x`` see in ``memory``."""
    return attention(
        x, memory, memory, attn_mask=mask, key_padding_mask=padding, is_causal=causal, need_weights=False
    )[0]  # fmt: skip


class TransformerEncoderLayer(_Layer):
    """Compute self-attention, then two linear layers.

    Each is added to its input and normalised.

    >>> import tinygrad_lite as tl
    >>> tl.nn.TransformerEncoderLayer(8, 2, 16)(tl.ones(5, 3, 8)).shape
    (5, 3, 8)
    """

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Return ``src`` (L, N, d_model) after the layer."""
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), src_mask, src_key_padding_mask, is_causal=is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, src_mask, src_key_padding_mask, is_causal=is_causal))
        return self.norm2(x + self._ff_block(x))


class TransformerDecoderLayer(_Layer):
    """Compute self-attention, attention to a memory, then two linear layers.

    Each is added to its input and normalised.

    >>> import tinygrad_lite as tl
    >>> tl.nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)(tl.ones(1, 3, 8), tl.ones(1, 5, 8)).shape
    (1, 3, 8)
    """

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
        x, other = tgt, (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), tgt_mask, tgt_key_padding_mask, tgt_is_causal)
            x = x + self._mha_block(self.norm2(x), *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))
        x = self.norm2(x + self._mha_block(x, *other))
        return self.norm3(x + self._ff_block(x))

    def _mha_block(self, x: Any, mem: Any, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False) -> Any:
        return self.dropout2(_looked(self.multihead_attn, x, mem, attn_mask, key_padding_mask, is_causal))

    def _last_dropout(self, x: Any) -> Any:
        return self.dropout3(x)


class _Stack(Module):
    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.num_layers = counted(type(self).__name__, "num_layers", num_layers)
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.add_module("norm", norm)

    norm: Module | None


class TransformerEncoder(_Stack):
    """A stack of copies of one encoder layer.

    >>> import tinygrad_lite as tl
    >>> tl.nn.TransformerEncoder(tl.nn.TransformerEncoderLayer(8, 2, 16), 2)(tl.ones(5, 1, 8)).shape
    (5, 1, 8)
    """

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
            src = layer(
                src, src_mask=mask, is_causal=bool(is_causal), src_key_padding_mask=src_key_padding_mask
            )  # fmt: skip
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(_Stack):
    """A stack of copies of one decoder layer.

    >>> import tinygrad_lite as tl
    >>> tl.nn.TransformerDecoder(tl.nn.TransformerDecoderLayer(8, 2, 16), 2)(tl.ones(3, 1, 8), tl.ones(5, 1, 8)).shape
    (3, 1, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None, tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """Return ``tgt`` after all layers."""
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder together: forward(src, tgt).

    >>> import tinygrad_lite as tl
    >>> tl.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)(tl.ones(1, 5, 8), tl.ones(1, 3, 8)).shape
    (1, 3, 8)
    """

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
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None, memory_mask: Any = None,
        src_key_padding_mask: Any = None, tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """Return the decoded ``tgt``."""
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """Return the causal (sz, sz) mask: 0 where a query may look, else -inf."""
        return make(np.where(future_mask(sz, sz), 0.0, -np.inf).astype(dtype or get_default_dtype()))
