"""Names of ``torch.cpu`` for scripts that write for any device: one device, whose operations are never pending."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

from tinygrad_lite import amp as amp
from tinygrad_lite.engine.no_effect import ignored

sys.modules[f"{__name__}.amp"] = amp  # the older path to `amp.autocast`

__all__ = ["current_device", "device_count", "is_available", "set_device", "synchronize"]
synchronize = ignored("cpu.synchronize", "every operation is finished when the call returns")
set_device = ignored("cpu.set_device", "there is one device")


def is_available() -> bool:
    """Return True."""
    return True


is_initialized = is_available


def device_count() -> int:
    """Return 1."""
    return 1


def current_device() -> str:
    """Return "cpu"."""
    return "cpu"


def stream(stream: Any = None) -> Any:
    """Return a context in which nothing is different."""
    return nullcontext(stream)
