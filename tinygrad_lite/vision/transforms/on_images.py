"""The transforms of Pillow images."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError
from tinygrad_lite.vision.images import image_of, pillow
from tinygrad_lite.vision.transforms.interpolation import PILLOW, InterpolationMode

Fill = float | Sequence[float] | None


def dimensions(img: Any) -> list[int]:
    """Return channels, height and width."""
    return [len(img.getbands()), img.size[1], img.size[0]]


def hflip(img: Any) -> Any:
    """Mirror left and right."""
    return img.transpose(pillow().Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Any) -> Any:
    """Mirror top and bottom."""
    return img.transpose(pillow().Transpose.FLIP_TOP_BOTTOM)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cut out a rectangle; what lies outside the image is 0."""
    return img.crop((left, top, left + width, top + height))


def resize(img: Any, size: Sequence[int], interpolation: InterpolationMode, antialias: bool | None) -> Any:
    """Resize to (height, width); Pillow always averages when it shrinks."""
    if antialias is False:
        warnings.warn(
            "Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=3
        )
    return img.resize((size[1], size[0]), PILLOW[interpolation])


def filled(fill: Fill, img: Any) -> Any:
    """Return ``fill`` as Pillow wants it: one number, or one for each channel."""
    channels = len(img.getbands())
    values: list[Any] = list(fill) if isinstance(fill, (list, tuple)) else [0 if fill is None else fill]
    if len(values) == 1:
        values *= channels
    if len(values) != channels:
        raise ShapeError(
            f"The number of elements in 'fill' does not match the number of channels of the image "
            f"({len(values)} != {channels})"
        )
    if img.mode != "F":
        values = [int(v) for v in values]
    return tuple(values) if channels > 1 or isinstance(fill, (list, tuple)) else values[0]


def pad(img: Any, padding: Sequence[int], fill: Fill, padding_mode: str) -> Any:
    """Add (left, top, right, bottom) pixels; negative numbers cut pixels off."""
    if padding_mode == "constant":
        padded = pillow("ImageOps").expand(img, border=tuple(padding), fill=filled(fill, img))
    else:
        left, top, right, bottom = (max(0, -p) for p in padding)
        inner = img.crop((left, top, img.width - right, img.height - bottom))
        left, top, right, bottom = (max(0, p) for p in padding)
        array = np.asarray(inner)
        widths = [(top, bottom), (left, right), (0, 0)][: array.ndim]
        padded = image_of(np.pad(array, widths, mode=padding_mode))  # type: ignore[call-overload]
    if img.mode == "P":
        padded.putpalette(img.getpalette())
    return padded


def affine(img: Any, matrix: Sequence[float], interpolation: InterpolationMode, fill: Fill) -> Any:
    """Apply an affine map, given by its inverse."""
    kind = pillow().Transform.AFFINE
    return img.transform(img.size, kind, matrix, PILLOW[interpolation], fillcolor=filled(fill, img))


def rotate(img: Any, angle: float, interpolation: InterpolationMode, expand: bool, center: Any, fill: Fill) -> Any:
    """Rotate by degrees counterclockwise."""
    return img.rotate(angle, PILLOW[interpolation], expand, center, fillcolor=filled(fill, img))


def perspective(img: Any, coefficients: Sequence[float], interpolation: InterpolationMode, fill: Fill) -> Any:
    """Apply a projective map, given by the coefficients of its inverse."""
    kind = pillow().Transform.PERSPECTIVE
    return img.transform(img.size, kind, coefficients, PILLOW[interpolation], fillcolor=filled(fill, img))


def grayscale(img: Any, channels: int) -> Any:
    """Return the luminance, once or three times."""
    grey = img.convert("L")
    return grey if channels == 1 else pillow().merge("RGB", (grey, grey, grey))


def brightness(img: Any, factor: float) -> Any:
    """Blend with black."""
    return pillow("ImageEnhance").Brightness(img).enhance(factor)


def contrast(img: Any, factor: float) -> Any:
    """Blend with the mean grey."""
    return pillow("ImageEnhance").Contrast(img).enhance(factor)


def saturation(img: Any, factor: float) -> Any:
    """Blend with the greyscale image."""
    return pillow("ImageEnhance").Color(img).enhance(factor)


def sharpness(img: Any, factor: float) -> Any:
    """Blend with a smoothed image."""
    return pillow("ImageEnhance").Sharpness(img).enhance(factor)


def hue(img: Any, factor: float) -> Any:
    """Turn the hue by ``factor`` of the circle."""
    if img.mode in ("L", "1", "I", "F"):
        return img
    h, s, v = img.convert("HSV").split()
    turned = (np.asarray(h, dtype=np.int64) + int(factor * 255)) % 256
    return pillow().merge("HSV", (image_of(turned.astype(np.uint8), mode="L"), s, v)).convert(img.mode)


def gamma(img: Any, exponent: float, gain: float) -> Any:
    """Apply gain * x^exponent to values scaled to [0, 1]."""
    table = [int((256 - 1e-3) * gain * math.pow(level / 255.0, exponent)) for level in range(256)]
    return img.convert("RGB").point(table * 3).convert(img.mode)


def invert(img: Any) -> Any:
    """Replace each value by 255 minus it."""
    return pillow("ImageOps").invert(img)


def posterize(img: Any, bits: int) -> Any:
    """Keep the highest bits of each value."""
    return pillow("ImageOps").posterize(img, bits)


def solarize(img: Any, threshold: float) -> Any:
    """Invert the values at or above a threshold."""
    return pillow("ImageOps").solarize(img, threshold)


def autocontrast(img: Any) -> Any:
    """Stretch each channel to the full range."""
    return pillow("ImageOps").autocontrast(img)


def equalize(img: Any) -> Any:
    """Make the histogram of each channel flat."""
    return pillow("ImageOps").equalize(img)


def to_image(array: Any, mode: str | None) -> Any:
    """Return the Pillow image of an array (height, width[, channels]), as `ToPILImage` documents it."""
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ShapeError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    channels = array.shape[2]
    if channels > 4:
        raise ShapeError(f"pic should not have > 4 channels. Got {channels} channels.")
    if array.dtype.kind == "f" and mode != "F":
        array = (array * 255).astype(np.int64).astype(np.uint8)  # by way of int64: values outside wrap everywhere
    if channels == 1:
        kinds = {"uint8": "L", "int16": "I;16", "int32": "I", "float32": "F"}
        expected = kinds.get(array.dtype.name)
        if expected is None:
            raise ArgumentError(f"Input type {array.dtype} is not supported")
        if mode is not None and mode != expected:
            raise OptionError(f"Incorrect mode ({mode}) supplied for input type {array.dtype}. Should be {expected}")
        return image_of(array[:, :, 0].astype(np.uint16) if expected == "I;16" else array[:, :, 0])
    allowed = {2: ["LA"], 3: ["RGB", "YCbCr", "HSV"], 4: ["RGBA", "CMYK", "RGBX"]}[channels]
    if mode is not None and mode not in allowed:
        raise OptionError(f"Only modes {allowed} are supported for {channels}D inputs")
    if array.dtype != np.uint8:
        raise ArgumentError(f"Input type {array.dtype} is not supported")
    return image_of(array, mode=mode or allowed[0])
