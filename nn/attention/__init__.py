"""Attention: the layer with several heads, masks for it, and attention with scores of your own.

`bias` and `flex_attention` are imported by name, as in PyTorch.
"""

from tinygrad_lite.nn.attention.backend import (
    WARN_FOR_UNFUSED_KERNELS as WARN_FOR_UNFUSED_KERNELS,
    SDPBackend as SDPBackend,
    activate_flash_attention_impl as activate_flash_attention_impl,
    current_flash_attention_impl as current_flash_attention_impl,
    list_flash_attention_impls as list_flash_attention_impls,
    register_flash_attention_impl as register_flash_attention_impl,
    restore_flash_attention_impl as restore_flash_attention_impl,
    sdpa_kernel as sdpa_kernel,
)
from tinygrad_lite.nn.attention.multihead import (
    MultiheadAttention as MultiheadAttention,
    multi_head_attention_forward as multi_head_attention_forward,
    scaled_dot_product_attention as scaled_dot_product_attention,
)

__all__ = ["MultiheadAttention"]
