"""Memory formats of convolution weights."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.no_effect import NO_EFFECT

_WHY = "convolutions choose the layout of their weights themselves"
NO_EFFECT["nn.utils.convert_conv2d_weight_memory_format"] = _WHY
NO_EFFECT["nn.utils.convert_conv3d_weight_memory_format"] = _WHY


@named
def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Return ``module`` unchanged: convolutions choose the layout of their weights themselves."""
    return module


@named
def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Return ``module`` unchanged: convolutions choose the layout of their weights themselves."""
    return module
