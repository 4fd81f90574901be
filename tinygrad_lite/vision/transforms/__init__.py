"""Transforms of images with torchvision's names; each takes Pillow images and, where it makes sense, tensors.

Random transforms draw from the generator that `tinygrad_lite.manual_seed` seeds.

>>> import tinygrad_lite as tl
>>> Compose([CenterCrop(2), Normalize(0.5, 0.5)])(tl.ones(3, 4, 4)).shape
(3, 2, 2)
"""

from tinygrad_lite.vision.transforms import functional as functional, transforms as transforms, v2 as v2
from tinygrad_lite.vision.transforms.transforms import *  # noqa: F403
from tinygrad_lite.vision.transforms.transforms import __all__ as _names

__all__ = ["functional", "transforms", "v2", *_names]


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"tinygrad_lite.vision.transforms has no {name!r}; ElasticTransform and the transforms of boxes and videos are "
        f"not part of it"
    )
