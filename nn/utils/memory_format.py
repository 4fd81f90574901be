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
    """Return ``module`` unchanged: convolutions choose the layout of their weights themselves.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.convert_conv2d_weight_memory_format(tl.nn.Conv2d(1, 2, 3), tl.channels_last)
    Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
    """
    return module


@named
def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Return ``module`` unchanged: convolutions choose the layout of their weights themselves.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.convert_conv3d_weight_memory_format(tl.nn.Conv3d(1, 2, 3), tl.channels_last_3d)
    Conv3d(1, 2, kernel_size=(3, 3, 3), stride=(1, 1, 1))
    """
    return module
