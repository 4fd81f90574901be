"""Functions that change the values of an image: brightness, contrast, colour, sharpness."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError, OptionError
from tinygrad_lite.vision.images import is_image
from tinygrad_lite.vision.transforms.kinds import kernels

__all__ = ["adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation",
           "adjust_sharpness", "autocontrast", "equalize", "invert", "posterize", "rgb_to_grayscale", "solarize",
           "to_grayscale"]  # fmt: skip


def _not_negative(img: Any, name: str, value: float) -> None:
    if value < 0 and isinstance(img, Tensor):  # Pillow gives negative factors a meaning
        raise OptionError(f"{name} ({value}) is not non-negative.")


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Return factor * image: 0 is black, 1 the image, 2 twice as bright.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.adjust_brightness(tl.full((3, 1, 1), 0.5), 0.2).flatten()
    tensor([0.1000, 0.1000, 0.1000])
    """
    _not_negative(img, "brightness_factor", brightness_factor)
    return kernels(img).brightness(img, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Blend with the mean grey: 0 is grey, 1 the image.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.adjust_contrast(tl.full((3, 1, 1), 0.5), 0.2).flatten()
    tensor([0.5000, 0.5000, 0.5000])
    """
    _not_negative(img, "contrast_factor", contrast_factor)
    return kernels(img).contrast(img, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Blend with the greyscale image: 0 is grey, 1 the image.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.adjust_saturation(tl.full((3, 1, 1), 0.5), 0.2).flatten()
    tensor([0.5000, 0.5000, 0.5000])
    """
    _not_negative(img, "saturation_factor", saturation_factor)
    return kernels(img).saturation(img, saturation_factor)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Blend with a smoothed image: 0 is smooth, 1 the image, 2 sharper.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.adjust_sharpness(tl.rand(3, 4, 4), 2.0).shape
    (3, 4, 4)
    """
    _not_negative(img, "sharpness_factor", sharpness_factor)
    return kernels(img).sharpness(img, sharpness_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Turn the hue by a part of the circle, from -0.5 to 0.5.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.adjust_hue(tl.full((3, 1, 1), 0.5), 0.2).flatten()
    tensor([0.5000, 0.5000, 0.5000])
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise OptionError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    return kernels(img).hue(img, hue_factor)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """Return gain * x^gamma for values scaled to [0, 1].

    >>> import tinygrad_lite as tl
    >>> adjust_gamma(tl.tensor([[[0.5]]]), 2.0)
    tensor([[[0.2500]]])
    """
    if gamma < 0:
        raise OptionError(f"Gamma should be a non-negative real number, got {gamma}")
    return kernels(img).gamma(img, gamma, gain)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return the luminance 0.2989 r + 0.587 g + 0.114 b, in one or three channels.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.rgb_to_grayscale(tl.rand(3, 4, 4)).shape
    (1, 4, 4)
    """
    if num_output_channels not in (1, 3):
        raise OptionError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    return kernels(img).grayscale(img, num_output_channels)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Convert a Pillow image to grey; `rgb_to_grayscale` also takes tensors.

    >>> import tinygrad_lite as tl
    >>> image = tl.vision.transforms.functional.to_pil_image(tl.zeros(3, 4, 6))
    >>> tl.vision.transforms.functional.to_grayscale(image).mode
    'L'
    """
    if not is_image(img):
        raise ArgumentError(f"Input should be PIL Image, got {type(img)}; use rgb_to_grayscale")
    return rgb_to_grayscale(img, num_output_channels)


def invert(img: Any) -> Any:
    """Replace each value by white minus it.

    >>> import tinygrad_lite as tl
    >>> invert(tl.tensor([[[0.25]]]))
    tensor([[[0.7500]]])
    """
    return kernels(img).invert(img)


def posterize(img: Any, bits: int) -> Any:
    """Keep the highest ``bits`` of the 8 bits of each value.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.posterize(tl.tensor([[[200]]], dtype=tl.uint8), 2)
    tensor([[[192]]], dtype=uint8)
    """
    if not 0 <= bits <= 8:
        raise OptionError(f"The number if bits should be between 0 and 8. Got {bits}")
    return kernels(img).posterize(img, bits)


def solarize(img: Any, threshold: float) -> Any:
    """Invert the values at or above a threshold.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.solarize(tl.full((3, 1, 1), 0.5), 0.2).flatten()
    tensor([0.5000, 0.5000, 0.5000])
    """
    return kernels(img).solarize(img, threshold)


def autocontrast(img: Any) -> Any:
    """Stretch each channel so that its darkest pixel is black and its brightest white.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.autocontrast(tl.rand(3, 4, 4)).shape
    (3, 4, 4)
    """
    return kernels(img).autocontrast(img)


def equalize(img: Any) -> Any:
    """Make the histogram of each channel flat.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.equalize(tl.tensor([[[10, 20], [20, 30]]], dtype=tl.uint8))
    tensor([[[10, 20],
             [20, 30]]], dtype=uint8)
    """
    return kernels(img).equalize(img)
