"""Transforms made of other transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError, describe
from tinygrad_lite.nn import Module
from tinygrad_lite.vision.transforms.draws import chance, order, uniform

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]

Transform = Callable[..., Any]


def _listed(name: str, transforms: Iterable[Any], first: str = "") -> str:
    lines = "".join(f"\n    {t}" for t in transforms)
    return f"{name}({first}{lines}\n)"


@named_constructor
class Compose:
    """Applies transforms one after another.

    >>> Compose([Lambda(lambda x: x + 1), Lambda(lambda x: x * 2)])(3)
    8
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        """Return the transformed image."""
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms)


class Lambda:
    """Applies a function.

    >>> Lambda(abs)(-1)
    1
    """

    def __init__(self, lambd: Transform) -> None:
        if not callable(lambd):
            raise ArgumentError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        """Return the result of the function."""
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomApply(Module):
    """Applies all transforms with probability ``p``, and otherwise none.

    >>> RandomApply([abs], p=1.0)(-1)
    1
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        if not all(map(callable, transforms)):
            raise ArgumentError(f"RandomApply: transforms must be functions, got {describe(transforms)}")
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        """Return the image, transformed or not."""
        if chance(self.p):
            for transform in self.transforms:
                img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms, f"\n    p={self.p}")


@named_constructor
class RandomTransforms:
    """Base of transforms that choose among others."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not isinstance(transforms, Sequence):
            raise ArgumentError(f"Argument transforms should be a sequence, got {type(transforms).__name__}")
        self.transforms = transforms

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms)


class RandomOrder(RandomTransforms):
    """Applies all transforms in random order.

    >>> RandomOrder([abs, float])(-1)
    1.0
    """

    def __call__(self, img: Any) -> Any:
        """Return the transformed image."""
        for i in order(len(self.transforms)):
            img = self.transforms[i](img)
        return img


class RandomChoice(RandomTransforms):
    """Applies one of the transforms, drawn with the weights ``p`` (equal by default).

    >>> RandomChoice([abs, float], p=[1, 0])(-1)
    1
    """

    def __init__(self, transforms: Sequence[Transform], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and (not isinstance(p, Sequence) or not all(isinstance(w, (int, float)) for w in p)):
            raise ArgumentError(f"Argument p should be a sequence of numbers, got {describe(p)}")
        if p is not None and len(p) != len(transforms):
            raise ShapeError(f"RandomChoice: {len(transforms)} transforms need as many weights p, got {len(p)}")
        if p is not None and (min(p) < 0 or sum(p) <= 0):
            raise OptionError(f"RandomChoice: the weights p should be at least 0 and not all 0, got {list(p)}")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        """Return the result of the drawn transform."""
        upper = np.cumsum([1.0] * len(self.transforms) if self.p is None else self.p)
        drawn = int(np.searchsorted(upper, uniform(0.0, float(upper[-1])), side="right"))
        return self.transforms[drawn](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
