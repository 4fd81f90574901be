"""Transforms between Pillow images, arrays and tensors, and of a tensor's values."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.nn import Module
from tinygrad_lite.vision.transforms import functional as F
from tinygrad_lite.vision.transforms.on_tensors import top_value

__all__ = ["ConvertImageDtype", "LinearTransformation", "Normalize", "PILToTensor", "ToPILImage", "ToTensor"]


class ToTensor:
    """Converts a Pillow image or an array (H, W, C) to a tensor (C, H, W); bytes 0..255 become floats 0..1.

    >>> import numpy as np
    >>> ToTensor()(np.full((2, 3), 255, dtype=np.uint8)).shape
    (1, 2, 3)
    """

    def __call__(self, pic: Any) -> Tensor:
        """Return the tensor."""
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """Converts a Pillow image to a tensor (C, H, W) with the same values.

    >>> PILToTensor()
    PILToTensor()
    """

    def __call__(self, pic: Any) -> Tensor:
        """Return the tensor."""
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ConvertImageDtype(Module):
    """Converts a tensor to ``dtype`` and scales its values to the range of that dtype.

    >>> import tinygrad_lite as tl
    >>> ConvertImageDtype(tl.uint8)(tl.tensor([[0.0, 1.0]]))
    tensor([[  0, 255]], dtype=uint8)
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        top_value(dtype)
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """Return the converted tensor."""
        return F.convert_image_dtype(image, self.dtype)


class ToPILImage:
    """Converts a tensor (C, H, W) or an array (H, W, C) to a Pillow image.

    ``mode`` is Pillow's; by default it follows from the dtype and the number of channels: "L", "LA", "RGB" or "RGBA"
    for bytes and floats (which are multiplied by 255), "I" for int32, "I;16" for int16.

    >>> ToPILImage(mode="RGB")
    ToPILImage(mode=RGB)
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        """Return the Pillow image."""
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class Normalize(Module):
    """Returns (x - mean[c]) / std[c] for each channel c of a floating tensor (..., C, H, W).

    >>> import tinygrad_lite as tl
    >>> Normalize((0.5,), (0.25,))(tl.ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """Return the normalised tensor."""
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(Module):
    """Returns (flatten(x) - mean_vector) @ transformation_matrix in the shape of x, such as for whitening.

    >>> import tinygrad_lite as tl
    >>> LinearTransformation(2 * tl.eye(2), tl.ones(2))(tl.tensor([[[1.0, 3.0]]]))
    tensor([[[0., 4.]]])
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        shape = tuple(transformation_matrix.shape)
        if shape[0] != shape[1]:
            raise ShapeError(f"transformation_matrix should be square. Got {shape} rectangular matrix.")
        if mean_vector.shape[0] != shape[0]:
            raise ShapeError(
                f"mean_vector should have the same length {mean_vector.shape[0]} as any one of the dimensions of the "
                f"transformation_matrix [{shape}]"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        """Return the transformed tensor."""
        c, h, w = tensor.shape[-3:]
        if c * h * w != len(self.transformation_matrix):
            raise ShapeError(
                f"Input tensor and transformation matrix have incompatible shape.[{c} x {h} x {w}] != "
                f"{len(self.transformation_matrix)}"
            )
        flat = tensor.reshape(-1, c * h * w) - self.mean_vector
        return (flat @ self.transformation_matrix.to(flat.dtype)).reshape(tensor.shape)

    def __repr__(self) -> str:
        matrix, mean = self.transformation_matrix.tolist(), self.mean_vector.tolist()
        return f"{type(self).__name__}(transformation_matrix={matrix}, mean_vector={mean})"
