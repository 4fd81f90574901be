"""torchvision's names on tinygrad_lite: data sets of images, transforms, and grids of pictures.

Images are Pillow images (extra ``vision``) or tensors ``(..., C, H, W)``. Pillow is imported on first use.

>>> from tinygrad_lite.vision import datasets, transforms, utils
>>> transforms.CenterCrop(2)
CenterCrop(size=(2, 2))
"""

from tinygrad_lite._version import __version__ as __version__
from tinygrad_lite.vision import (
    datasets as datasets,
    io as io,
    models as models,
    ops as ops,
    transforms as transforms,
    utils as utils,
)
from tinygrad_lite.vision.images import (
    get_image_backend as get_image_backend,
    set_image_backend as set_image_backend,
)

__all__ = ["datasets", "get_image_backend", "io", "models", "ops", "set_image_backend", "transforms", "utils"]


def _is_tracing() -> bool:
    return False


def get_video_backend() -> str:
    """Return "pyav": videos are not read."""
    return "pyav"


def set_video_backend(backend: str) -> None:
    """Accept a reader of videos; videos are not read."""
