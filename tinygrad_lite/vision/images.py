"""Pillow, imported on first use, and the conversion between its images and arrays."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.errors import OptionError, require
from tinygrad_lite.serialization.atomic import replacing

__all__ = ["get_image_backend", "is_image", "pillow", "set_image_backend"]


def pillow(module: str = "Image") -> Any:
    """Import a module of Pillow; raise MissingExtra naming the extra ``vision`` if it is not installed."""
    return require(f"PIL.{module}", extra="vision")


def is_image(image: Any) -> bool:
    """Return True for a Pillow image, without importing Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(image, module.Image)


def pixels(image: Any) -> NDArray[Any]:
    """Return a copy of the pixels of a Pillow image as an array (height, width, channels)."""
    array = np.array(image, copy=True)
    return array.reshape(image.size[1], image.size[0], len(image.getbands()))


def image_of(array: NDArray[Any], mode: str | None = None) -> Any:
    """Return a Pillow image of an array (height, width) or (height, width, channels); ``mode`` is checked, if given.

    Pillow derives the mode of one and three channels from the array; two channels are "LA", four are "RGBA".
    """
    image = pillow().fromarray(np.ascontiguousarray(array))
    if mode is None or image.mode == mode:
        return image
    if {image.mode, mode} <= {"RGB", "YCbCr", "HSV", "LAB"} or {image.mode, mode} <= {"RGBA", "CMYK", "RGBX"}:
        return pillow().frombytes(mode, image.size, image.tobytes())  # the same bytes, named differently
    return image.convert(mode)


def write(image: Any, target: Any, format: str | None = None, **options: Any) -> None:
    """Write a Pillow image to a path, whole or not at all, or to a file object; ``format`` is by default its suffix."""
    if format is None and not hasattr(target, "write"):
        suffix = os.path.splitext(os.fsdecode(target))[1].lower()
        pillow().init()
        format = pillow().EXTENSION.get(suffix)
        if format is None:
            raise OptionError(f"there is no format of images with the suffix {suffix!r}; give format=, such as 'PNG'")
    data = io.BytesIO()
    image.save(data, format=format, **options)
    with replacing(target) as file:
        file.write(data.getvalue())


def get_image_backend() -> str:
    """Return the name of the package that loads images.

    >>> get_image_backend()
    'PIL'
    """
    return "PIL"


def set_image_backend(backend: str) -> None:
    """Accept ``"PIL"``, the one backend.

    >>> set_image_backend("PIL")
    """
    if backend != "PIL":
        raise OptionError(f"set_image_backend: only 'PIL' is available here, got {backend!r}")
