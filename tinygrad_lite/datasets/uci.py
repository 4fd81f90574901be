"""The UCI handwritten digits, which ship with the package."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinygrad_lite.datasets.images import present
from tinygrad_lite.engine.arguments import named


@cache
def _raw() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with np.load(Path(__file__).with_name("uci_digits.npz"), allow_pickle=False) as file:
        ink, pairs, labels = np.unpackbits(file["ink"]).view(bool), file["values"], file["labels"]
    # half of the pixels are 0; of the others, 1..16, two stand in one byte
    values = np.stack([pairs >> 4, pairs & 15], axis=1).ravel()
    images = np.zeros(len(labels) * 64, np.uint8)
    images[ink] = values[: ink.sum()] + 1
    return images.reshape(-1, 8, 8), labels


@named
def digits(
    classes: Iterable[int] | None = None,
    flat: bool = False,
    scale: bool = True,
    dtype: DTypeLike = np.float32,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the 1,797 scanned digits of the UCI repository as ``(images, labels)``.

    Real handwriting of 13 people, 8x8 pixels, about 180 images of each digit.  The file is part of the package; nothing
    is downloaded.

    Args:
        classes: the digits to return, such as ``(0, 1)``; all ten by default.  Labels stay the digits themselves.
        flat: return images as rows of 64 values instead of ``(1, 8, 8)``.
        scale: return values in [0, 1]; otherwise the counts 0..16 of the file.
        dtype: type of the images; floating when ``scale`` is on.

    Returns:
        images ``(n, 1, 8, 8)`` or ``(n, 64)`` of ``dtype``, and labels ``(n,)`` of ``int64``, in the order of the file.
        Both are fresh arrays.

    Raises:
        ValueError: a class that is not one of 0..9, or none at all.
        TypeError: a dtype that cannot hold the values.

    Source: E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    doi:10.24432/C50P49, licence CC BY 4.0 (``uci_digits.txt`` beside the data).

    >>> images, labels = digits()
    >>> images.shape, images.dtype, float(images.max())
    ((1797, 1, 8, 8), dtype('float32'), 1.0)
    >>> labels[:10]
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    >>> digits(classes=(0, 1), flat=True)[0].shape
    (360, 64)
    """
    images, labels = _raw()
    return present(images, labels, name="digits", peak=16, classes=classes, flat=flat, scale=scale, dtype=dtype)
