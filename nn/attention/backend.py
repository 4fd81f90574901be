"""PyTorch's choice of attention kernels: scripts may make it, and results do not depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from tinygrad_lite.engine.no_effect import NO_EFFECT, ignored

ONE = "attention is computed in one way"
NO_EFFECT["nn.attention.sdpa_kernel"] = ONE
WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(Enum):
    """The ways in which PyTorch computes attention; here there is one, with PyTorch's results."""

    ERROR, MATH, FLASH_ATTENTION, EFFICIENT_ATTENTION, CUDNN_ATTENTION, OVERRIDEABLE = range(-1, 5)


@contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[None]:
    """Accept a choice of `SDPBackend`; results do not depend on it."""
    yield


activate_flash_attention_impl = ignored("nn.attention.activate_flash_attention_impl", ONE)
register_flash_attention_impl = ignored("nn.attention.register_flash_attention_impl", ONE)
restore_flash_attention_impl = ignored("nn.attention.restore_flash_attention_impl", ONE)
list_flash_attention_impls = ignored("nn.attention.list_flash_attention_impls", ONE, [])
current_flash_attention_impl = ignored("nn.attention.current_flash_attention_impl", ONE)
