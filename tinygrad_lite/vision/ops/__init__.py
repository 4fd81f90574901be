"""torchvision's operators on boxes, the focal loss, and layers that its networks are built of."""

import sys as _sys

from tinygrad_lite.vision.ops import boxes as boxes, layers as layers
from tinygrad_lite.vision.ops.boxes import *  # noqa: F403
from tinygrad_lite.vision.ops.boxes import __all__ as _boxes
from tinygrad_lite.vision.ops.layers import *  # noqa: F403
from tinygrad_lite.vision.ops.layers import __all__ as _layers

__all__ = [*_boxes, *_layers]
misc = _sys.modules[f"{__name__}.misc"] = layers  # torchvision's name of the file


def __getattr__(name: str) -> object:
    raise AttributeError(f"tinygrad_lite.vision.ops has no {name!r}; networks for detection are not part of it")
