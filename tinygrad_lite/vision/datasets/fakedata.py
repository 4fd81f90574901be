"""Random images, for trying out a program without data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.random import Generator
from tinygrad_lite.vision.datasets.vision import VisionDataset
from tinygrad_lite.vision.images import image_of

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Random Pillow images with random labels; example ``i`` is the same each time.

    Args:
        size: number of examples.
        image_size: (channels, height, width).
        num_classes: labels are 0..num_classes - 1.
        transform: a function of the image.
        target_transform: a function of the label, a tensor without axes.
        random_offset: added to the index to seed each example.

    >>> image, label = FakeData(size=3, image_size=(3, 4, 5))[0]
    >>> image.size, image.mode, 0 <= label < 10
    ((5, 4), 'RGB', True)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[..., Any] | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        from tinygrad_lite.ops.creation import tensor

        numbers = Generator().manual_seed(index + self.random_offset)
        noise = (numbers.standard_normal(self.image_size) * 255).astype(np.int64).astype(np.uint8)
        array = noise[0] if len(noise) == 1 else noise.transpose(1, 2, 0)
        image, target = self.transformed(image_of(array), tensor(int(numbers.integers(self.num_classes))))
        return image, target.item() if hasattr(target, "item") else target

    def __len__(self) -> int:
        return self.size
