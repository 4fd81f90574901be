"""Transforms that resize, crop and pad."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError
from tinygrad_lite.nn import Module
from tinygrad_lite.vision.transforms import functional as F
from tinygrad_lite.vision.transforms.draws import integer, uniform
from tinygrad_lite.vision.transforms.interpolation import InterpolationMode, mode_of

__all__ = ["CenterCrop", "FiveCrop", "Pad", "RandomCrop", "RandomResizedCrop", "Resize", "TenCrop"]


def pair(size: Any, message: str = "Please provide only two dimensions (h, w) for size.") -> Any:
    """Return ``size`` as two numbers.

    >>> pair(3), pair([3]), pair([3, 4])
    ((3, 3), (3, 3), [3, 4])
    """
    if isinstance(size, (int, float)):
        return int(size), int(size)
    if len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ShapeError(message)
    return size


class Resize(Module):
    """Resizes to ``(h, w)``, or the smaller edge to one number while the proportions stay.

    ``max_size`` limits the longer edge. With ``antialias``, shrinking a tensor bilinearly or bicubically averages the
    pixels it merges, as Pillow always does.

    >>> import tinygrad_lite as tl
    >>> Resize(4)(tl.rand(3, 8, 16)).shape
    (3, 4, 8)
    """

    def __init__(
        self,
        size: Any,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise ArgumentError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ShapeError("If size is a sequence, it should have 1 or 2 values")
        self.size = size
        self.max_size = max_size
        self.interpolation = mode_of(interpolation)
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        """Return the resized image."""
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop(Module):
    """Cuts out the middle; an image that is too small is first padded with 0.

    >>> import tinygrad_lite as tl
    >>> CenterCrop(1)(tl.arange(9.0).reshape(1, 3, 3))
    tensor([[[4.]]])
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        """Return the middle of the image."""
        return F.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(Module):
    """Adds pixels at the borders; see `functional.pad`.

    >>> import tinygrad_lite as tl
    >>> Pad((1, 0), fill=7)(tl.zeros(1, 1, 1))
    tensor([[[7., 0., 7.]]])
    """

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        if not isinstance(padding, (int, float, tuple, list)):
            raise ArgumentError(f"Got inappropriate padding arg: {padding!r}")
        if not isinstance(fill, (int, float, tuple, list)):
            raise ArgumentError(f"Got inappropriate fill arg: {fill!r}")
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise OptionError("Padding mode should be either constant, edge, reflect or symmetric")
        if isinstance(padding, Sequence) and len(padding) not in (1, 2, 4):
            raise ShapeError(
                f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple"
            )
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        """Return the padded image."""
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop(Module):
    """Cuts out a rectangle at a random place.

    Args:
        size: ``(h, w)`` or one number.
        padding: pixels to add first, as in `Pad`.
        pad_if_needed: pad an image that is smaller than ``size``.
        fill: value of the added pixels.
        padding_mode: as in `Pad`.

    >>> import tinygrad_lite as tl
    >>> RandomCrop(2)(tl.rand(3, 5, 5)).shape
    (3, 2, 2)
    """

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = tuple(pair(size))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of the rectangle."""
        _, h, w = F.get_dimensions(img)
        height, width = output_size
        if h < height or w < width:
            raise ShapeError(f"Required crop size {(height, width)} is larger than input image size {(h, w)}")
        return integer(0, h - height + 1), integer(0, w - width + 1), height, width

    def forward(self, img: Any) -> Any:
        """Return the rectangle."""
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, h, w = F.get_dimensions(img)
        if self.pad_if_needed and w < self.size[1]:
            img = F.pad(img, [self.size[1] - w, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and h < self.size[0]:
            img = F.pad(img, [0, self.size[0] - h], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


def check_ranges(scale: Any, ratio: Any) -> None:
    """Check the ranges of area and aspect ratio of `RandomResizedCrop` and `RandomErasing`."""
    if not isinstance(scale, Sequence):
        raise ArgumentError(f"Scale should be a sequence, got {scale!r}")
    if not isinstance(ratio, Sequence):
        raise ArgumentError(f"Ratio should be a sequence, got {ratio!r}")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=3)


def drawn_rectangle(area: float, scale: Any, ratio: Any) -> tuple[float, float]:
    """Draw the lengths of two edges: a part ``scale`` of the area, the first ``ratio`` times as long as the other."""
    part = area * uniform(scale[0], scale[1])
    aspect = math.exp(uniform(math.log(ratio[0]), math.log(ratio[1])))
    return math.sqrt(part * aspect), math.sqrt(part / aspect)


class RandomResizedCrop(Module):
    """Cuts out a rectangle of random place, area and proportions, and resizes it.

    Args:
        size: ``(h, w)`` or one number.
        scale: range of the area, as a part of the image.
        ratio: range of width / height.
        interpolation: an `InterpolationMode` or Pillow's number of it.
        antialias: as in `Resize`.

    >>> import tinygrad_lite as tl
    >>> RandomResizedCrop(2)(tl.rand(3, 9, 9)).shape
    (3, 2, 2)
    """

    def __init__(
        self,
        size: Any,
        scale: Any = (0.08, 1.0),
        ratio: Any = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size)
        check_ranges(scale, ratio)
        self.interpolation = mode_of(interpolation)
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(img: Any, scale: Any, ratio: Any) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of the rectangle."""
        _, height, width = F.get_dimensions(img)
        for _ in range(10):
            w, h = (round(edge) for edge in drawn_rectangle(height * width, scale, ratio))
            if 0 < w <= width and 0 < h <= height:
                return integer(0, height - h + 1), integer(0, width - w + 1), h, w
        # The largest rectangle in the middle whose proportions are allowed.
        w, h = width, height
        if width / height < min(ratio):
            h = round(width / min(ratio))
        elif width / height > max(ratio):
            w = round(height * max(ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img: Any) -> Any:
        """Return the resized rectangle."""
        place = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *place, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(v, 4) for v in values) for values in (self.scale, self.ratio))
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


class FiveCrop(Module):
    """Cuts out the four corners and the middle: a tuple of five images.

    >>> import tinygrad_lite as tl
    >>> [crop.item() for crop in FiveCrop(1)(tl.arange(9.0).reshape(1, 3, 3))]
    [0.0, 2.0, 6.0, 8.0, 4.0]
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        """Return the five images."""
        return F.five_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class TenCrop(Module):
    """Cuts out five images as `FiveCrop` does, and five of the mirror image.

    >>> import tinygrad_lite as tl
    >>> len(TenCrop(1)(tl.rand(1, 3, 3)))
    10
    """

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = pair(size)
        self.vertical_flip = vertical_flip

    def forward(self, img: Any) -> Any:
        """Return the ten images."""
        return F.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"
