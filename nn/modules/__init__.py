"""Layers under PyTorch's longer import path: ``tinygrad_lite.nn.modules``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinygrad_lite.nn.modules import module as module


def __getattr__(name: str) -> Any:
    """Find a layer by the name it has in `tinygrad_lite.nn`."""
    layers = vars(import_module("tinygrad_lite.nn"))  # this file is imported by that one
    if name.startswith("_") or name not in layers:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return layers[name]
