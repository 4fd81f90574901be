"""Selection, scaling and shaping, shared by all image data sets."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def present(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    name: str,
    peak: int,
    classes: Iterable[int] | None,
    flat: bool,
    scale: bool,
    dtype: DTypeLike,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Select classes, scale by ``peak``, and shape raw grey images (n, h, w) for a network; always fresh arrays."""
    wanted = _dtype(name, dtype, scale, peak)
    if classes is not None:
        chosen = np.isin(labels, _classes(name, classes))
        images, labels = images[chosen], labels[chosen]
    x = images.astype(wanted)
    if scale:
        x /= wanted.type(peak)
    n, h, w = x.shape
    return x.reshape((n, h * w) if flat else (n, 1, h, w)), labels.astype(np.int64)


def _dtype(name: str, dtype: DTypeLike, scale: bool, peak: int) -> np.dtype[Any]:
    wanted: np.dtype[Any] = np.dtype(dtype)
    if wanted.kind not in ("f" if scale else "fiu"):
        kinds = "a floating dtype" if scale else "a floating or integer dtype"
        raise TypeError(f"{name}: scale={scale} needs {kinds}, got dtype={wanted}")
    if wanted.kind in "iu" and np.iinfo(wanted).max < peak:
        raise TypeError(f"{name}: dtype={wanted} cannot hold the values 0..{peak}")
    return wanted


def _classes(name: str, classes: Iterable[int]) -> list[int]:
    if isinstance(classes, (str, bytes)) or not isinstance(classes, Iterable):
        raise TypeError(f"{name}: classes expects labels such as (0, 1), got {classes!r}")
    chosen = list(classes)
    if not chosen:
        raise ValueError(f"{name}: classes is empty; leave it out for all ten")
    for label in chosen:
        if isinstance(label, (bool, np.bool_)) or not isinstance(label, (int, np.integer)) or not 0 <= label <= 9:
            raise ValueError(f"{name}: classes expects whole numbers 0..9, got {label!r}")
    return chosen
