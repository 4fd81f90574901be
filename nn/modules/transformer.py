"""Transformers, by PyTorch's import path."""

from typing import Any

from tinygrad_lite.nn.container import ModuleList
from tinygrad_lite.nn.transformer import *  # noqa: F403
from tinygrad_lite.nn.transformer import _activation as _get_activation_fn  # noqa: F401


def _get_clones(module: Any, N: int) -> ModuleList:
    from copy import deepcopy

    return ModuleList([deepcopy(module) for _ in range(N)])
