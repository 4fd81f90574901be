"""torchvision's operators on boxes, maps under boxes, the focal loss, and layers that its networks are built of."""

import sys as _sys

from tinygrad_lite.vision.ops import boxes as boxes, layers as layers, roi as _roi
from tinygrad_lite.vision.ops.boxes import *  # noqa: F403
from tinygrad_lite.vision.ops.boxes import __all__ as _boxes
from tinygrad_lite.vision.ops.layers import *  # noqa: F403
from tinygrad_lite.vision.ops.layers import __all__ as _layers
from tinygrad_lite.vision.ops.roi import *  # noqa: F403
from tinygrad_lite.vision.ops.roi import __all__ as _parts

__all__ = [*_boxes, *_layers, *_parts]
poolers = _sys.modules[f"{__name__}.poolers"] = _roi  # torchvision's names of files
misc = _sys.modules[f"{__name__}.misc"] = layers


def __getattr__(name: str) -> object:
    raise AttributeError(f"tinygrad_lite.vision.ops has no {name!r}; networks for detection are not part of it")
