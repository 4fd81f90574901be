"""Transforms of colour, brightness and sharpness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite.errors import ArgumentError, OptionError
from tinygrad_lite.nn import Module
from tinygrad_lite.vision.transforms import functional as F
from tinygrad_lite.vision.transforms.chance import WithChance
from tinygrad_lite.vision.transforms.crops import pair
from tinygrad_lite.vision.transforms.draws import order, uniform

__all__ = ["ColorJitter", "GaussianBlur", "Grayscale", "RandomAdjustSharpness", "RandomAutocontrast",
           "RandomEqualize", "RandomGrayscale", "RandomInvert", "RandomPosterize", "RandomSolarize"]  # fmt: skip

Range = tuple[float, float] | None


class Grayscale(Module):
    """Returns the luminance 0.2989 r + 0.587 g + 0.114 b, in one or three channels.

    >>> import tinygrad_lite as tl
    >>> Grayscale()(tl.ones(3, 1, 1)).shape
    (1, 1, 1)
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        """Return the grey image."""
        return F.rgb_to_grayscale(img, num_output_channels=self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomGrayscale(WithChance):
    """Returns the luminance in as many channels as the image has, with probability ``p``.

    >>> RandomGrayscale()
    RandomGrayscale(p=0.1)
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def change(self, img: Any) -> Any:
        """Return the grey image."""
        return F.rgb_to_grayscale(img, num_output_channels=F.get_image_num_channels(img))


class ColorJitter(Module):
    """Changes brightness, contrast, saturation and hue by random amounts, in random order.

    Args:
        brightness: factor in [max(0, 1 - b), 1 + b], or in the range given.
        contrast: likewise.
        saturation: likewise.
        hue: turn in [-h, h] with 0 <= h <= 0.5, or in the range given; 1 is the whole circle.

    >>> ColorJitter(brightness=0.5, hue=0.1)
    ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=(-0.1, 0.1))
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = self._range(brightness, "brightness")
        self.contrast = self._range(contrast, "contrast")
        self.saturation = self._range(saturation, "saturation")
        self.hue = self._range(hue, "hue", center=0.0, bound=(-0.5, 0.5))

    @staticmethod
    def _range(value: Any, name: str, center: float = 1.0, bound: tuple[float, float] = (0, float("inf"))) -> Range:
        if isinstance(value, (int, float)):
            if value < 0:
                raise OptionError(f"If {name} is a single number, it must be non negative.")
            low, high = center - float(value), center + float(value)
            low = max(low, 0.0) if center else low
        elif isinstance(value, (tuple, list)) and len(value) == 2:
            low, high = float(value[0]), float(value[1])
        else:
            raise ArgumentError(f"{name} should be a single number or a list/tuple with length 2.")
        if not bound[0] <= low <= high <= bound[1]:
            raise OptionError(f"{name} values should be between {bound}, but got {[low, high]}.")
        return None if low == high == center else (low, high)

    @staticmethod
    def get_params(
        brightness: Range, contrast: Range, saturation: Range, hue: Range
    ) -> tuple[list[int], float | None, float | None, float | None, float | None]:
        """Draw the order of the four changes and their factors."""
        turn = order(4)
        b, c, s, h = (None if r is None else uniform(r[0], r[1]) for r in (brightness, contrast, saturation, hue))
        return turn, b, c, s, h

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        turn, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in turn:
            factor = factors[i]
            if factor is not None:
                img = changes[i](img, factor)
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


class GaussianBlur(Module):
    """Blurs with a Gaussian of random width.

    Args:
        kernel_size: odd number of pixels, or (width, height).
        sigma: range of the standard deviation in pixels, or one number.

    >>> GaussianBlur(3)
    GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))
    """

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "Kernel size should be a tuple/list of two integers")
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise OptionError(f"Kernel size value should be an odd and positive number, got {kernel_size}.")
        if isinstance(sigma, (int, float)):
            if sigma <= 0:
                raise OptionError("If sigma is a single number, it must be positive.")
            sigma = (sigma, sigma)
        elif not isinstance(sigma, Sequence) or len(sigma) != 2:
            raise ArgumentError("sigma should be a single number or a list/tuple with length 2.")
        elif not 0.0 < sigma[0] <= sigma[1]:
            raise OptionError("sigma values should be positive and of the form (min, max).")
        self.sigma = sigma

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """Draw the standard deviation."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        """Return the blurred image."""
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class RandomInvert(WithChance):
    """Replaces each value by white minus it, with probability ``p``.

    >>> RandomInvert()
    RandomInvert(p=0.5)
    """

    def change(self, img: Any) -> Any:
        """Return the inverted image."""
        return F.invert(img)


class RandomPosterize(WithChance):
    """Keeps the highest ``bits`` of each value, with probability ``p``.

    >>> RandomPosterize(2)
    RandomPosterize(bits=2,p=0.5)
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def change(self, img: Any) -> Any:
        """Return the image with fewer levels."""
        return F.posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(WithChance):
    """Inverts the values at or above ``threshold``, with probability ``p``.

    >>> RandomSolarize(0.5)
    RandomSolarize(threshold=0.5,p=0.5)
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def change(self, img: Any) -> Any:
        """Return the solarised image."""
        return F.solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomAdjustSharpness(WithChance):
    """Makes the image sharper (factor above 1) or smoother (below 1), with probability ``p``.

    >>> RandomAdjustSharpness(2)
    RandomAdjustSharpness(sharpness_factor=2,p=0.5)
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def change(self, img: Any) -> Any:
        """Return the changed image."""
        return F.adjust_sharpness(img, self.sharpness_factor)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sharpness_factor={self.sharpness_factor},p={self.p})"


class RandomAutocontrast(WithChance):
    """Stretches each channel to the full range, with probability ``p``.

    >>> RandomAutocontrast()
    RandomAutocontrast(p=0.5)
    """

    def change(self, img: Any) -> Any:
        """Return the stretched image."""
        return F.autocontrast(img)


class RandomEqualize(WithChance):
    """Makes the histogram of each channel flat, with probability ``p``.

    >>> RandomEqualize()
    RandomEqualize(p=0.5)
    """

    def change(self, img: Any) -> Any:
        """Return the equalised image."""
        return F.equalize(img)
