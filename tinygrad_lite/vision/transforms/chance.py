"""The base of transforms that change an image with some probability."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn import Module
from tinygrad_lite.vision.transforms.draws import chance


class WithChance(Module):
    """Changes an image with probability ``p``; a subclass defines ``change``."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def change(self, img: Any) -> Any:
        """Return the changed image."""
        raise NotImplementedError(f"{type(self).__name__} does not define change")

    def forward(self, img: Any) -> Any:
        """Return the image, changed or not."""
        return self.change(img) if chance(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"
