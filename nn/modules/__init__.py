"""Layers under PyTorch's longer import path: ``tinygrad_lite.nn.modules``.

Most of its modules only show what stands in other files of `tinygrad_lite.nn`; they are made from one table.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from tinygrad_lite.nn.modules import module as module, transformer as transformer, utils as utils

sys.modules["tinygrad_lite.nn.common_types"] = utils

# the files in which a module looks for names, and PyTorch's names for some of theirs
PATHS = {
    "activation": "activation attention softmax", "adaptive": "adaptive",
    "batchnorm": "normalisation lazy _NormBase=_Running", "channelshuffle": "pixelshuffle",
    "container": "container parameter_container",
    "conv": "conv lazy _ConvNd=_Base _ConvTransposeNd=_ConvTranspose", "distance": "embedding", "dropout": "dropout",
    "flatten": "flatten", "fold": "conv", "instancenorm": "normalisation lazy", "lazy": "lazy", "linear": "linear lazy",
    "loss": "losses _Loss=Loss _WeightedLoss=_Weighted",
    "normalization": "normalisation CrossMapLRN2d=LocalResponseNorm", "padding": "padding",
    "pixelshuffle": "pixelshuffle", "pooling": "pooling", "rnn": "recurrent RNNBase=_Recurrent RNNCellBase=_Cell",
    "sparse": "embedding", "upsampling": "upsampling",
}  # fmt: skip


class Path(ModuleType):
    """A module of ``torch.nn.modules``, whose names stand in other files."""

    def __init__(self, name: str, described: str) -> None:
        super().__init__(f"{__name__}.{name}", f"Layers of {described.split()[0]}, by PyTorch's import path.")
        words = described.split()
        self._files = [w for w in words if "=" not in w]
        self._renamed = dict(w.split("=") for w in words if "=" in w)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [n for f in self._homes() for n in getattr(f, "__all__", ())]
        for home in () if name.startswith("__") else self._homes():
            wanted = self._renamed.get(name, name)
            if hasattr(home, wanted):
                return getattr(home, wanted)
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")

    def _homes(self) -> list[ModuleType]:
        return [import_module(f"tinygrad_lite.nn.{f}") for f in self._files]


for _name, _described in PATHS.items():
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = Path(_name, _described)


def __getattr__(name: str) -> Any:
    """Find a layer by the name it has in `tinygrad_lite.nn`."""
    layers = vars(import_module("tinygrad_lite.nn"))  # this file is imported by that one
    if name.startswith("_") or name not in layers:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return layers[name]
