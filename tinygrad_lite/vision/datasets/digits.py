"""The UCI digits that ship with the package, as a data set of images."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.datasets.uci import digits
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import OptionError
from tinygrad_lite.vision.datasets.vision import VisionDataset
from tinygrad_lite.vision.images import image_of, pillow

__all__ = ["Digits"]


class Digits(VisionDataset):
    """The 1,797 scanned digits of the UCI repository, as pairs of a Pillow image (mode "L") and a label.

    No file and no network is needed. The arguments are those of `MNIST`, so that a script for MNIST runs on these
    digits with ``size=28``.

    Args:
        root: ignored; accepted so that scripts for `MNIST` need no change.
        train: the first 1,437 images (four fifths); otherwise the last 360, which other people wrote.
        transform: a function of the image.
        target_transform: a function of the label.
        download: ignored.
        size: height and width of the images; the originals have 8, other sizes are bilinear enlargements.

    Attributes:
        data: ``uint8`` tensor (n, size, size); the 17 grey levels are spread over 0..255.
        targets: ``int64`` tensor (n,).

    >>> Digits(train=False)
    Dataset Digits
        Number of datapoints: 360
        Split: Test
    >>> Digits().data.shape
    (1437, 8, 8)
    """

    classes = [str(i) for i in range(10)]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[..., Any] | None = None,
        download: bool = False,
        size: int = 8,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        if not isinstance(size, int) or size < 1:
            raise OptionError(f"Digits: size should be a positive whole number, got {size!r}")
        self.train = train
        images, labels = digits()
        part = slice(None, 1437) if train else slice(1437, None)
        grey = np.rint(images[part, 0] * 255).astype(np.uint8)
        if size != 8:
            bilinear = pillow().Resampling.BILINEAR
            grey = np.stack([np.asarray(image_of(a).resize((size, size), bilinear)) for a in grey])
        self.data = make(grey)
        self.targets = make(labels[part])

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.transformed(image_of(self.data[index].numpy(), mode="L"), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Return the part of the data."""
        return f"Split: {'Train' if self.train else 'Test'}"
