"""Normalisation of single samples, by PyTorch's import path."""

from tinygrad_lite.nn.normalisation import (
    GroupNorm as GroupNorm,
    LayerNorm as LayerNorm,
    LocalResponseNorm as CrossMapLRN2d,
    LocalResponseNorm as LocalResponseNorm,
    RMSNorm as RMSNorm,
)
