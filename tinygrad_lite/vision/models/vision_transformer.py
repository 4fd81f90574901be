"""Vision transformers: patches of an image as a sequence.

Source: Dosovitskiy et al., "An image is worth 16x16 words", arXiv:2010.11929.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.vision.models.weights import network
from tinygrad_lite.vision.ops.layers import MLP

Norm = Callable[..., nn.Module]
_NORM: Norm = partial(nn.LayerNorm, eps=1e-6)


class MLPBlock(MLP):
    """Two linear layers with a GELU between them."""

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, dropout=dropout)
        linear: list[Any] = [self[0], self[3]]
        for layer in linear:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)


class EncoderBlock(nn.Module):
    """Self-attention and a `MLPBlock`, each after a normalisation and added to its input."""

    def __init__(self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float, attention_dropout: float,
                 norm_layer: Norm = _NORM) -> None:  # fmt: skip
        super().__init__()
        self.num_heads, self.ln_1 = num_heads, norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout, self.ln_2 = nn.Dropout(dropout), norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Any) -> Any:
        """Return the sequence (N, L, hidden_dim)."""
        x = self.ln_1(input)
        x = self.dropout(self.self_attention(x, x, x, need_weights=False)[0]) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Positions, the blocks, and a normalisation."""

    def __init__(self, seq_length: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float,
                 attention_dropout: float, norm_layer: Norm = _NORM) -> None:  # fmt: skip
        super().__init__()
        self.pos_embedding = nn.Parameter(make(new.zeros((1, seq_length, hidden_dim), "float32")))
        nn.init.normal_(self.pos_embedding, std=0.02)
        self.dropout = nn.Dropout(dropout)
        one = (num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer)
        self.layers = nn.Sequential(OrderedDict((f"encoder_layer_{i}", EncoderBlock(*one)) for i in range(num_layers)))
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Any) -> Any:
        """Return the sequence (N, L, hidden_dim)."""
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """A transformer over the patches of an image; images (N, 3, H, W) to scores (N, num_classes).

    >>> import tinygrad_lite as tl
    >>> VisionTransformer(8, 4, 1, 2, 16, 32, num_classes=5).eval()(tl.zeros(1, 3, 8, 8)).shape
    (1, 5)
    """

    def __init__(
        self, image_size: int, patch_size: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int,
        dropout: float = 0.0, attention_dropout: float = 0.0, num_classes: int = 1000,
        representation_size: int | None = None, norm_layer: Norm = _NORM,
    ) -> None:  # fmt: skip
        super().__init__()
        if image_size % patch_size:
            raise ValueError("Input shape indivisible by patch size!")
        self.image_size, self.patch_size, self.hidden_dim, self.num_classes = (
            image_size, patch_size, hidden_dim, num_classes)  # fmt: skip
        self.class_token = nn.Parameter(make(new.zeros((1, 1, hidden_dim), "float32")))
        self.conv_proj = nn.Conv2d(3, hidden_dim, patch_size, patch_size)
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout,
                               attention_dropout, norm_layer)  # fmt: skip
        heads: OrderedDict[str, nn.Module] = OrderedDict()
        if representation_size is not None:
            first: Any = nn.Linear(hidden_dim, representation_size)
            heads["pre_logits"], heads["act"] = first, nn.Tanh()
            nn.init.zeros_(first.bias)
        last: Any = nn.Linear(representation_size or hidden_dim, num_classes)
        heads["head"] = last
        self.heads = nn.Sequential(heads)
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / (3 * patch_size * patch_size)))
        projection: Any = self.conv_proj
        _ = [nn.init.zeros_(p) for p in (projection.bias, last.weight, last.bias)]

    def _process_input(self, x: Any) -> Any:
        if tuple(x.shape[2:]) != (self.image_size, self.image_size):
            raise ValueError(f"VisionTransformer: expected images of {self.image_size} pixels, got {tuple(x.shape)}")
        return self.conv_proj(x).flatten(2).permute(0, 2, 1)

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        x = self._process_input(x)
        x = self.encoder(cat([self.class_token.expand(x.shape[0], -1, -1), x], 1))
        return self.heads(x[:, 0])


def _vit(image_size: int = 224, **words: Any) -> VisionTransformer:
    return VisionTransformer(image_size, **words)


_BASE: dict[str, int] = {"num_layers": 12, "num_heads": 12, "hidden_dim": 768, "mlp_dim": 3072}
_LARGE: dict[str, int] = {"num_layers": 24, "num_heads": 16, "hidden_dim": 1024, "mlp_dim": 4096}
vit_b_16 = network("vit_b_16", _vit, patch_size=16, **_BASE)
vit_b_32 = network("vit_b_32", _vit, patch_size=32, **_BASE)
vit_l_16 = network("vit_l_16", _vit, patch_size=16, **_LARGE)
vit_l_32 = network("vit_l_32", _vit, patch_size=32, **_LARGE)
