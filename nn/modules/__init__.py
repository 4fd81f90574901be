"""Layers under PyTorch's longer import path: ``tinygrad_lite.nn.modules``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinygrad_lite.nn.modules import (
    activation as activation,
    adaptive as adaptive,
    batchnorm as batchnorm,
    channelshuffle as channelshuffle,
    container as container,
    conv as conv,
    distance as distance,
    dropout as dropout,
    flatten as flatten,
    fold as fold,
    instancenorm as instancenorm,
    lazy as lazy,
    linear as linear,
    loss as loss,
    module as module,
    normalization as normalization,
    padding as padding,
    pixelshuffle as pixelshuffle,
    pooling as pooling,
    rnn as rnn,
    sparse as sparse,
    transformer as transformer,
    upsampling as upsampling,
    utils as utils,
)


def __getattr__(name: str) -> Any:
    """Find a layer by the name it has in `tinygrad_lite.nn`."""
    layers = vars(import_module("tinygrad_lite.nn"))  # this file is imported by that one
    if name.startswith("_") or name not in layers:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return layers[name]
