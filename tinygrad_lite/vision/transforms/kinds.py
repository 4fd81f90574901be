"""The functions for a kind of image: Pillow's or tensors."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError
from tinygrad_lite.vision.images import is_image
from tinygrad_lite.vision.transforms import on_images, on_tensors


def kernels(img: Any) -> Any:
    """Return the module with the functions for this kind of image."""
    if isinstance(img, Tensor):
        return on_tensors
    if is_image(img):
        return on_images
    raise ArgumentError(f"img should be PIL Image or Tensor. Got {type(img)}")
