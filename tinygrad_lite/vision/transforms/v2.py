"""torchvision's second version of the transforms, for single images: the same classes, and a few new names.

Bounding boxes, masks and videos beside an image are not transformed.
"""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError
from tinygrad_lite.nn import Module
from tinygrad_lite.vision.images import is_image
from tinygrad_lite.vision.transforms import functional as functional
from tinygrad_lite.vision.transforms.transforms import *  # noqa: F403
from tinygrad_lite.vision.transforms.transforms import __all__ as _names

__all__ = ["Identity", "RGB", "ToDtype", "ToImage", "ToPureTensor", "functional", *_names]


class ToImage(Module):
    """Converts a Pillow image or an array (H, W[, C]) to a tensor (C, H, W) with the same values.

    >>> import numpy as np
    >>> ToImage()(np.zeros((2, 3, 1), dtype=np.uint8)).shape
    (1, 2, 3)
    """

    def forward(self, img: Any) -> Tensor:
        """Return the tensor."""
        if isinstance(img, Tensor):
            return img
        if is_image(img):
            return functional.pil_to_tensor(img)
        if not hasattr(img, "ndim") or img.ndim not in (2, 3):
            raise ArgumentError(f"ToImage: expected a PIL Image, a tensor or an array (H, W[, C]), got {type(img)}")
        from tinygrad_lite.ops.creation import tensor

        return tensor((img[:, :, None] if img.ndim == 2 else img).transpose(2, 0, 1).copy())


class ToDtype(Module):
    """Converts a tensor to ``dtype``; with ``scale``, also its values to the range of that dtype.

    >>> import tinygrad_lite as tl
    >>> ToDtype(tl.float32, scale=True)(tl.tensor([[255]], dtype=tl.uint8))
    tensor([[1.]])
    """

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        self.dtype = dtype
        self.scale = scale

    def forward(self, img: Any) -> Any:
        """Return the converted tensor; other inputs stay."""
        if not isinstance(img, Tensor):
            return img
        return functional.convert_image_dtype(img, self.dtype) if self.scale else img.to(self.dtype)


class Identity(Module):
    """Returns its input.

    >>> Identity()(3)
    3
    """

    def forward(self, img: Any) -> Any:
        """Return the input."""
        return img


class ToPureTensor(Identity):
    """Returns its input: tensors have no subclasses for images here.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.v2.ToPureTensor()(tl.ones(1))
    tensor([1.])
    """


class RGB(Module):
    """Converts an image to three channels.

    >>> import tinygrad_lite as tl
    >>> RGB()(tl.ones(1, 2, 2)).shape
    (3, 2, 2)
    """

    def forward(self, img: Any) -> Any:
        """Return the image with three channels."""
        if is_image(img):
            return img.convert("RGB")
        return img if img.shape[-3] == 3 else functional.rgb_to_grayscale(img, 3)
