"""Transforms that mirror, rotate and distort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError
from tinygrad_lite.nn import Module
from tinygrad_lite.vision.transforms import functional as F
from tinygrad_lite.vision.transforms.chance import WithChance
from tinygrad_lite.vision.transforms.draws import integer, uniform
from tinygrad_lite.vision.transforms.interpolation import InterpolationMode, mode_of

__all__ = ["RandomAffine", "RandomHorizontalFlip", "RandomPerspective", "RandomRotation", "RandomVerticalFlip"]


def check_length(x: Any, name: str, lengths: tuple[int, ...] = (2,)) -> None:
    """Raise an error unless ``x`` is a sequence with one of these lengths."""
    wanted = " or ".join(str(n) for n in lengths)
    if not isinstance(x, Sequence):
        raise ArgumentError(f"{name} should be a sequence of length {wanted}.")
    if len(x) not in lengths:
        raise ShapeError(f"{name} should be a sequence of length {wanted}.")


def angles(x: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """Return a range of angles; one number stands for -x..x.

    >>> angles(5, "degrees")
    [-5.0, 5.0]
    """
    if isinstance(x, (int, float)):
        if x < 0:
            raise OptionError(f"If {name} is a single number, it must be positive.")
        return [-float(x), float(x)]
    check_length(x, name, lengths)
    return [float(v) for v in x]


def checked_fill(fill: Any) -> Any:
    """Return ``fill``, 0 for None."""
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, int, float)):
        raise ArgumentError(f"Fill should be either a sequence or a number, got {fill!r}.")
    return fill


def fill_for(img: Any, fill: Any) -> Any:
    """Return ``fill`` in floats for a tensor."""
    if not isinstance(img, Tensor):
        return fill
    return [float(v) for v in fill] if isinstance(fill, Sequence) else float(fill)


class RandomHorizontalFlip(WithChance):
    """Mirrors left and right with probability ``p``.

    >>> import tinygrad_lite as tl
    >>> RandomHorizontalFlip(p=1.0)(tl.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """

    def change(self, img: Any) -> Any:
        """Return the mirror image."""
        return F.hflip(img)


class RandomVerticalFlip(WithChance):
    """Mirrors top and bottom with probability ``p``.

    >>> RandomVerticalFlip()
    RandomVerticalFlip(p=0.5)
    """

    def change(self, img: Any) -> Any:
        """Return the mirror image."""
        return F.vflip(img)


class RandomRotation(Module):
    """Rotates by a random angle, counterclockwise.

    Args:
        degrees: range ``(min, max)`` of the angle, or one number for -degrees..degrees.
        interpolation: an `InterpolationMode` or Pillow's number of it.
        expand: enlarge the image so that nothing is cut off.
        center: ``(x, y)`` in pixels from the top left corner; the middle by default.
        fill: value of the pixels outside, or one for each channel.

    >>> import tinygrad_lite as tl
    >>> RandomRotation((180, 180))(tl.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.interpolation = mode_of(interpolation)
        self.degrees = angles(degrees, "degrees")
        if center is not None:
            check_length(center, "center")
        self.center = center
        self.expand = expand
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """Draw the angle."""
        return uniform(degrees[0], degrees[1])

    def forward(self, img: Any) -> Any:
        """Return the rotated image."""
        angle = self.get_params(self.degrees)
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, fill_for(img, self.fill))

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}, "
            f"expand={self.expand}{center}, fill={self.fill})"
        )


class RandomAffine(Module):
    """Rotates, translates, scales and shears by random amounts.

    Args:
        degrees: range of the angle, or one number for -degrees..degrees.
        translate: largest translation along x and y, as parts of width and height.
        scale: range of the scale.
        shear: range of the shear along x in degrees; four numbers also give that along y.
        interpolation: an `InterpolationMode` or Pillow's number of it.
        fill: value of the pixels outside, or one for each channel.
        center: ``(x, y)`` in pixels from the top left corner; the middle by default.

    >>> import tinygrad_lite as tl
    >>> RandomAffine(10, translate=(0.1, 0.1))(tl.rand(3, 5, 5)).shape
    (3, 5, 5)
    """

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Any = None,
    ) -> None:
        super().__init__()
        self.interpolation = mode_of(interpolation)
        self.degrees = angles(degrees, "degrees")
        if translate is not None:
            check_length(translate, "translate")
            if not all(0.0 <= t <= 1.0 for t in translate):
                raise OptionError(f"translation values should be between 0 and 1, got {translate}")
        if scale is not None:
            check_length(scale, "scale")
            if any(s <= 0 for s in scale):
                raise OptionError(f"scale values should be positive, got {scale}")
        if center is not None:
            check_length(center, "center")
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else angles(shear, "shear", (2, 4))
        self.fill = checked_fill(fill)
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[float], translate: Any, scale_ranges: Any, shears: Any, img_size: Sequence[int]
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draw angle, translation, scale and shear; ``img_size`` is (width, height)."""
        angle = uniform(degrees[0], degrees[1])
        moves = [0, 0]
        if translate is not None:
            moves = [round(uniform(-t * s, t * s)) for t, s in zip(translate, img_size, strict=True)]
        scale = 1.0 if scale_ranges is None else uniform(scale_ranges[0], scale_ranges[1])
        slants = [0.0, 0.0]
        for axis in range(len(shears or ()) // 2):
            slants[axis] = uniform(shears[2 * axis], shears[2 * axis + 1])
        return angle, (moves[0], moves[1]), scale, (slants[0], slants[1])

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, F.get_image_size(img))
        return F.affine(
            img, *drawn, interpolation=self.interpolation, fill=fill_for(img, self.fill), center=self.center
        )

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        parts += [f"{n}={getattr(self, n)}" for n in ("translate", "scale", "shear") if getattr(self, n) is not None]
        parts += [f"interpolation={self.interpolation.value}"] * (self.interpolation != InterpolationMode.NEAREST)
        parts += [f"fill={self.fill}"] * (self.fill != 0)
        parts += [f"center={self.center}"] * (self.center is not None)
        return f"{type(self).__name__}({', '.join(parts)})"


class RandomPerspective(WithChance):
    """Moves the four corners inwards by random amounts with probability ``p``.

    ``distortion_scale`` in [0, 1] is the largest movement, as a part of half the height and width.

    >>> RandomPerspective()
    RandomPerspective(p=0.5)
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__(p)
        self.interpolation = mode_of(interpolation)
        self.distortion_scale = distortion_scale
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """Draw the corners: where they are, and where they move to, as ``[x, y]`` from the top left, clockwise."""
        across, down = (int(distortion_scale * (size // 2)) + 1 for size in (width, height))
        corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        moved = []
        for x, y in corners:
            dx, dy = integer(0, across), integer(0, down)
            moved.append([x - dx if x else dx, y - dy if y else dy])
        return corners, moved

    def change(self, img: Any) -> Any:
        """Return the distorted image."""
        width, height = F.get_image_size(img)
        corners, moved = self.get_params(width, height, self.distortion_scale)
        return F.perspective(img, corners, moved, self.interpolation, fill_for(img, self.fill))
