"""torchvision's detection operators are not part of this package; using one says so."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"tinygrad_lite.vision.ops has no {name!r}: torchvision's operators for boxes and detection are not part of "
        f"tinygrad_lite"
    )
