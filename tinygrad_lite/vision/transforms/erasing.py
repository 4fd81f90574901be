"""The transform that erases a random rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError
from tinygrad_lite.nn import Module
from tinygrad_lite.vision.transforms import functional as F
from tinygrad_lite.vision.transforms.crops import check_ranges, drawn_rectangle
from tinygrad_lite.vision.transforms.draws import chance, integer

__all__ = ["RandomErasing"]


class RandomErasing(Module):
    """Sets a random rectangle of a tensor (..., C, H, W) to a value, with probability ``p``.

    Args:
        p: probability.
        scale: range of the area, as a part of the image.
        ratio: range of height / width.
        value: the value, one for each channel, or "random" for standard normal numbers.
        inplace: change the tensor itself.

    Source: Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang (2017), Random erasing data augmentation, arXiv:1708.04896.

    >>> import tinygrad_lite as tl
    >>> int((RandomErasing(p=1.0, scale=(0.2, 0.3))(tl.ones(1, 10, 10)) == 0).sum()) > 0
    True
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Any = (0.02, 0.33),
        ratio: Any = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise ArgumentError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise OptionError(f"If value is str, it should be 'random', got {value!r}")
        check_ranges(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise OptionError(f"Scale should be between 0 and 1, got {scale}")
        if p < 0 or p > 1:
            raise OptionError(f"Random erasing probability should be between 0 and 1, got {p}")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Any, ratio: Any, value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Draw top, left, height and width of the rectangle, and its values; the whole image itself if none fits."""
        channels, height, width = img.shape[-3:]
        for _ in range(10):
            h, w = (round(edge) for edge in drawn_rectangle(height * width, scale, ratio))
            if h < height and w < width:
                v = tl.randn(channels, h, w) if value is None else tl.tensor(list(value))[:, None, None]
                return integer(0, height - h + 1), integer(0, width - w + 1), h, w, v
        return 0, 0, height, width, img

    def forward(self, img: Tensor) -> Tensor:
        """Return the tensor, changed or not."""
        if not chance(self.p):
            return img
        value: list[float] | None = None
        if not isinstance(self.value, str):
            value = [float(v) for v in (self.value if isinstance(self.value, (list, tuple)) else [self.value])]
            if len(value) not in (1, img.shape[-3]):
                raise ShapeError(
                    f"If value is a sequence, it should have either a single value or {img.shape[-3]} (number of "
                    f"input channels)"
                )
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
