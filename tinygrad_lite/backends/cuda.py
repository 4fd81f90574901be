"""CUDA's libraries: not used here. Their switches may be set and change nothing."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tinygrad_lite.engine.no_effect import NO_EFFECT, ignored

if TYPE_CHECKING:
    from collections.abc import Iterator

matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=True)
cufft_plan_cache = SimpleNamespace(max_size=0, size=0, clear=ignored("backends.cuda.cufft_plan_cache.clear", "no CUDA"))
NO_EFFECT["backends.cuda.matmul.allow_tf32"] = "there is no CUDA device"
enable_flash_sdp = ignored("backends.cuda.enable_flash_sdp", "attention has one implementation")
enable_mem_efficient_sdp = ignored("backends.cuda.enable_mem_efficient_sdp", "attention has one implementation")
enable_math_sdp = ignored("backends.cuda.enable_math_sdp", "attention has one implementation")


def is_built() -> bool:
    """Return False."""
    return False


def flash_sdp_enabled() -> bool:
    """Return False."""
    return False


def mem_efficient_sdp_enabled() -> bool:
    """Return False."""
    return False


def math_sdp_enabled() -> bool:
    """Return True: attention is computed by plain operations."""
    return True


@contextmanager
def sdp_kernel(*args: Any, **kwargs: Any) -> Iterator[None]:
    """Accept a choice of attention kernels for a ``with`` block; it changes nothing."""
    yield
