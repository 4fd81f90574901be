"""Reading and writing image files as tensors."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.vision.images import image_of, pillow, pixels, write

__all__ = ["ImageReadMode", "decode_image", "read_image", "write_jpeg", "write_png"]


class ImageReadMode(Enum):
    """The channels that a file is converted to when it is read.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "image.png")
    >>> tl.vision.io.write_png(tl.zeros(3, 4, 6, dtype=tl.uint8), path)
    >>> tl.vision.io.decode_image(path, tl.vision.io.ImageReadMode.GRAY).shape
    (1, 4, 6)
    """

    UNCHANGED = ""
    GRAY = "L"
    GRAY_ALPHA = "LA"
    RGB = "RGB"
    RGB_ALPHA = "RGBA"


@named
def read_image(path: str | os.PathLike[str], mode: Any = ImageReadMode.UNCHANGED) -> Tensor:
    """Read an image file as a ``uint8`` tensor ``(C, H, W)``.

    ``mode`` is an `ImageReadMode` or its name: "UNCHANGED", "GRAY", "GRAY_ALPHA", "RGB" or "RGB_ALPHA".

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "image.png")
    >>> tl.vision.io.write_png(tl.zeros(3, 4, 6, dtype=tl.uint8), path)
    >>> tl.vision.io.decode_image(path, tl.vision.io.ImageReadMode.GRAY).shape
    (1, 4, 6)
    """
    mode = ImageReadMode[mode] if isinstance(mode, str) else mode
    with pillow().open(path) as file:
        image = file.convert(mode.value) if mode.value else file
        if not mode.value and image.mode in ("P", "1"):
            image = image.convert("RGB" if image.mode == "P" else "L")
        return make(pixels(image).transpose(2, 0, 1).copy())


decode_image = read_image


def _write(what: str, input: Tensor, filename: str | os.PathLike[str], **options: Any) -> None:
    if input.dtype != "uint8":
        raise DTypeError(f"{what}: expected a uint8 tensor, got {describe(input)}; multiply by 255 and .to(uint8)")
    if input.ndim != 3 or input.shape[0] not in (1, 3):
        raise ShapeError(f"{what}: expected an image (C, H, W) with 1 or 3 channels, got shape {tuple(input.shape)}")
    array = input.numpy().transpose(1, 2, 0)
    write(image_of(array[:, :, 0] if array.shape[2] == 1 else array), filename, **options)


@named
def write_png(input: Tensor, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write a ``uint8`` tensor ``(C, H, W)`` with 1 or 3 channels as a PNG file.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "image.png")
    >>> tl.vision.io.write_png(tl.zeros(3, 4, 6, dtype=tl.uint8), path)
    >>> tl.vision.io.read_image(path).shape
    (3, 4, 6)
    """
    _write("write_png", input, filename, format="PNG", compress_level=compression_level)


@named
def write_jpeg(input: Tensor, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write a ``uint8`` tensor ``(C, H, W)`` with 1 or 3 channels as a JPEG file.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "image.jpg")
    >>> tl.vision.io.write_jpeg(tl.zeros(3, 4, 6, dtype=tl.uint8), path)
    >>> tl.vision.io.read_image(path).shape
    (3, 4, 6)
    """
    _write("write_jpeg", input, filename, format="JPEG", quality=quality)
