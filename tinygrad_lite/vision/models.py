"""torchvision's models are not part of this package; using one says so."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"tinygrad_lite.vision.models has no {name!r}: torchvision's networks and pretrained weights are not part of "
        f"tinygrad_lite; build the network from tinygrad_lite.nn and load a state dict with load_state_dict"
    )
