"""PyTorch's older import path of `tinygrad_lite.profiler`, which stands above this room: found when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Find a name of `tinygrad_lite.profiler`."""
    return getattr(import_module("tinygrad_lite.profiler"), name)
