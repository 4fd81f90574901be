"""Automatic augmentation: AutoAugment, RandAugment, TrivialAugmentWide, AugMix.

Each draws operations and their strengths from tables; `apply` is what one operation does to an image.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError, OptionError
from tinygrad_lite.nn import Module
from tinygrad_lite.random import default_generator
from tinygrad_lite.vision.images import is_image
from tinygrad_lite.vision.transforms import functional as F
from tinygrad_lite.vision.transforms.draws import chance, integer
from tinygrad_lite.vision.transforms.interpolation import InterpolationMode
from tinygrad_lite.vision.transforms.motion import fill_for

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]
Space = dict[str, tuple[Any, bool]]
"""The strengths of each operation (None: it has none), and whether they are drawn with either sign."""


class AutoAugmentPolicy(Enum):
    """The data sets for which a policy was learned.

    >>> import tinygrad_lite as tl
    >>> transform = tl.vision.transforms.AutoAugment(tl.vision.transforms.AutoAugmentPolicy.CIFAR10)
    >>> transform(tl.zeros(3, 8, 8, dtype=tl.uint8)).shape
    (3, 8, 8)
    """

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


# Pairs of operations, each with its probability in tenths and its strength; the tables of the paper's appendix.
POLICIES = {
    AutoAugmentPolicy.IMAGENET: """Posterize 4 8 Rotate 6 9, Solarize 6 5 AutoContrast 6 -, Equalize 8 - Equalize 6 -,
Posterize 6 7 Posterize 6 6, Equalize 4 - Solarize 2 4, Equalize 4 - Rotate 8 8, Solarize 6 3 Equalize 6 -,
Posterize 8 5 Equalize 10 -, Rotate 2 3 Solarize 6 8, Equalize 6 - Posterize 4 6, Rotate 8 8 Color 4 0,
Rotate 4 9 Equalize 6 -, Equalize 0 - Equalize 8 -, Invert 6 - Equalize 10 -, Color 6 4 Contrast 10 8,
Rotate 8 8 Color 10 2, Color 8 8 Solarize 8 7, Sharpness 4 7 Invert 6 -, ShearX 6 5 Equalize 10 -,
Color 4 0 Equalize 6 -, Equalize 4 - Solarize 2 4, Solarize 6 5 AutoContrast 6 -, Invert 6 - Equalize 10 -,
Color 6 4 Contrast 10 8, Equalize 8 - Equalize 6 -""",
    AutoAugmentPolicy.CIFAR10: """Invert 1 - Contrast 2 6, Rotate 7 2 TranslateX 3 9, Sharpness 8 1 Sharpness 9 3,
ShearY 5 8 TranslateY 7 9, AutoContrast 5 - Equalize 9 -, ShearY 2 7 Posterize 3 7, Color 4 3 Brightness 6 7,
Sharpness 3 9 Brightness 7 9, Equalize 6 - Equalize 5 -, Contrast 6 7 Sharpness 6 5, Color 7 7 TranslateX 5 8,
Equalize 3 - AutoContrast 4 -, TranslateY 4 3 Sharpness 2 6, Brightness 9 6 Color 2 8, Solarize 5 2 Invert 0 -,
Equalize 2 - AutoContrast 6 -, Equalize 2 - Equalize 6 -, Color 9 9 Equalize 6 -, AutoContrast 8 - Solarize 2 8,
Brightness 1 3 Color 7 0, Solarize 4 5 AutoContrast 9 -, TranslateY 9 9 TranslateY 7 9, AutoContrast 9 - Solarize 8 3,
Equalize 8 - Invert 1 -, TranslateY 7 9 AutoContrast 9 -""",
    AutoAugmentPolicy.SVHN: """ShearX 9 4 Invert 2 -, ShearY 9 8 Invert 7 -, Equalize 6 - Solarize 6 6,
Invert 9 - Equalize 6 -, Equalize 6 - Rotate 9 3, ShearX 9 4 AutoContrast 8 -, ShearY 9 8 Invert 4 -,
ShearY 9 5 Solarize 2 6, Invert 9 - AutoContrast 8 -, Equalize 6 - Rotate 9 3, ShearX 9 4 Solarize 3 3,
ShearY 8 8 Invert 7 -, Equalize 9 - TranslateY 6 6, Invert 9 - Equalize 6 -, Contrast 3 3 Rotate 8 4,
Invert 8 - TranslateY 0 2, ShearY 7 6 Solarize 4 8, Invert 6 - Rotate 8 4, ShearY 3 7 TranslateX 9 3,
ShearX 1 6 Invert 6 -, Solarize 7 2 TranslateY 6 7, ShearY 8 4 Invert 8 -, ShearX 7 9 TranslateY 8 3,
ShearY 8 5 AutoContrast 7 -, ShearX 7 2 Invert 1 -""",
}
COLOURS = ("Brightness", "Color", "Contrast", "Sharpness")


def apply(img: Any, name: str, strength: float, interpolation: Any, fill: Any) -> Any:
    """Return the image after one operation."""
    along = (strength, 0.0) if name.endswith("X") else (0.0, strength)
    if name[:5] == "Shear":
        slants = [math.degrees(math.atan(s)) for s in along]
        return F.affine(img, 0.0, [0, 0], 1.0, slants, interpolation, fill, [0, 0])
    if name[:9] == "Translate":
        return F.affine(img, 0.0, [int(s) for s in along], 1.0, [0.0, 0.0], interpolation, fill)
    if name == "Rotate":
        return F.rotate(img, strength, interpolation, fill=fill)
    if name in COLOURS:
        adjust = {"Color": F.adjust_saturation}.get(name) or getattr(F, f"adjust_{name.lower()}")
        return adjust(img, 1.0 + strength)
    if name in ("Posterize", "Solarize"):
        return F.posterize(img, int(strength)) if name == "Posterize" else F.solarize(img, strength)
    return img if name == "Identity" else getattr(F, name.lower())(img)


def space(bins: int, shear: float, moves: tuple[float, float], turn: float, colour: float, bits: tuple[int, int],
          plain: str) -> Space:  # fmt: skip
    """Return the strengths of every operation, in ``bins`` steps."""

    def steps(low: float, high: float) -> Any:
        return np.linspace(low, high, bins).astype(np.float32)

    most, fewer = bits
    return {
        "ShearX": (steps(0, shear), True), "ShearY": (steps(0, shear), True),
        "TranslateX": (steps(0, moves[0]), True), "TranslateY": (steps(0, moves[1]), True),
        "Rotate": (steps(0, turn), True), **{name: (steps(0, colour), True) for name in COLOURS},
        "Posterize": (most - np.round(np.arange(bins) / ((bins - 1) / fewer)), False),
        "Solarize": (steps(255, 0), False), **{name: (None, False) for name in plain.split()},
    }  # fmt: skip


class _Automatic(Module):
    """What the four have in common."""

    def __init__(self, interpolation: Any, fill: Any) -> None:
        super().__init__()
        self.interpolation, self.fill = interpolation, fill

    def _moves(self, img: Any) -> tuple[float, float]:
        width, height = F.get_image_size(img)
        return 150.0 / 331.0 * width, 150.0 / 331.0 * height

    def _changed(self, img: Any, strengths: Space, name: str, place: int | None = None) -> Any:
        """Apply an operation with the strength in one of the places, drawn if it is None."""
        values, signed = strengths[name]
        if values is None:
            strength = 0.0
        else:
            strength = float(values[integer(0, len(values)) if place is None else place])
        if signed and chance(0.5):
            strength = -strength
        fill = None if self.fill is None else fill_for(img, self.fill)
        return apply(img, name, strength, self.interpolation, fill)

    def __repr__(self) -> str:
        shown = {k: v for k, v in vars(self).items() if k in self.shown}
        return f"{type(self).__name__}({', '.join(f'{k}={shown[k]}' for k in self.shown)})"

    shown: tuple[str, ...] = ()


class AutoAugment(_Automatic):
    """Applies one of 25 learned pairs of operations, each with its probability.

    Source: E. Cubuk, B. Zoph, D. Mané, V. Vasudevan, Q. Le (2019), AutoAugment: Learning augmentation strategies from
    data, CVPR.

    >>> import tinygrad_lite as tl
    >>> AutoAugment(AutoAugmentPolicy.CIFAR10)(tl.zeros(3, 8, 8, dtype=tl.uint8)).shape
    (3, 8, 8)
    """

    shown = ("policy", "fill")

    def __init__(self, policy: Any = AutoAugmentPolicy.IMAGENET, interpolation: Any = InterpolationMode.NEAREST,
                 fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        if policy not in POLICIES:
            raise OptionError(f"The provided policy {policy} is not recognized; use one of AutoAugmentPolicy")
        self.policy = policy
        self.policies = [pair.split() for pair in POLICIES[policy].split(",")]

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        strengths = space(10, 0.3, self._moves(img), 30.0, 0.9, (8, 4), "AutoContrast Equalize Invert")
        words = self.policies[integer(0, len(self.policies))]
        for name, p, place in (words[:3], words[3:]):
            if chance(int(p) / 10):
                img = self._changed(img, strengths, name, None if place == "-" else int(place))
        return img


class RandAugment(_Automatic):
    """Applies ``num_ops`` operations of one strength, ``magnitude`` of ``num_magnitude_bins``.

    Source: E. Cubuk, B. Zoph, J. Shlens, Q. Le (2020), RandAugment: Practical automated data augmentation with a
    reduced search space, NeurIPS.

    >>> import tinygrad_lite as tl
    >>> RandAugment(num_ops=1)(tl.zeros(3, 8, 8, dtype=tl.uint8)).shape
    (3, 8, 8)
    """

    shown = ("num_ops", "magnitude", "num_magnitude_bins", "interpolation", "fill")

    def __init__(self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31,
                 interpolation: Any = InterpolationMode.NEAREST, fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        if not 0 <= self.magnitude < self.num_magnitude_bins:
            raise OptionError(f"magnitude must be in 0..{self.num_magnitude_bins - 1}, got {self.magnitude}")
        strengths = space(self.num_magnitude_bins, 0.3, self._moves(img), 30.0, 0.9, (8, 4),
                          "AutoContrast Equalize Identity")  # fmt: skip
        names = list(strengths)
        for _ in range(self.num_ops):
            img = self._changed(img, strengths, names[integer(0, len(names))], self.magnitude)
        return img


class TrivialAugmentWide(_Automatic):
    """Applies one operation of any strength.

    Source: S. Müller, F. Hutter (2021), TrivialAugment: Tuning-free yet state-of-the-art data augmentation, ICCV.

    >>> import tinygrad_lite as tl
    >>> TrivialAugmentWide()(tl.zeros(3, 8, 8, dtype=tl.uint8)).shape
    (3, 8, 8)
    """

    shown = ("num_magnitude_bins", "interpolation", "fill")

    def __init__(self, num_magnitude_bins: int = 31, interpolation: Any = InterpolationMode.NEAREST,
                 fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        strengths = space(self.num_magnitude_bins, 0.99, (32.0, 32.0), 135.0, 0.99, (8, 6),
                          "AutoContrast Equalize Identity")  # fmt: skip
        names = list(strengths)
        return self._changed(img, strengths, names[integer(0, len(names))])


class AugMix(_Automatic):
    """Blends the image with ``mixture_width`` chains of operations, with weights from a Dirichlet distribution.

    Source: D. Hendrycks, N. Mu, E. Cubuk, B. Zoph, J. Gilmer, B. Lakshminarayanan (2020), AugMix: A simple data
    processing method to improve robustness and uncertainty, ICLR.

    >>> import tinygrad_lite as tl
    >>> AugMix()(tl.zeros(3, 8, 8, dtype=tl.uint8)).shape
    (3, 8, 8)
    """

    shown = ("severity", "mixture_width", "chain_depth", "alpha", "all_ops", "interpolation", "fill")

    def __init__(self, severity: int = 3, mixture_width: int = 3, chain_depth: int = -1, alpha: float = 1.0,
                 all_ops: bool = True, interpolation: Any = InterpolationMode.BILINEAR,
                 fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        if not 1 <= severity <= 10:
            raise OptionError(f"The severity must be between [1, 10]. Got {severity} instead.")
        self.severity, self.mixture_width, self.chain_depth = severity, mixture_width, chain_depth
        self.alpha, self.all_ops = alpha, all_ops

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        if not isinstance(img, Tensor) and not is_image(img):
            raise ArgumentError(f"AugMix: expected a tensor or a PIL Image, got {type(img)}")
        x = img if isinstance(img, Tensor) else F.pil_to_tensor(img)
        width, height = F.get_image_size(x)
        strengths = space(10, 0.3, (width / 3, height / 3), 30.0, 0.9, (4, 4), "AutoContrast Equalize")
        names = [n for n in strengths if self.all_ops or n not in COLOURS]
        draw = default_generator()
        keep = float(draw.beta(self.alpha, self.alpha))
        weights = draw.dirichlet([self.alpha] * self.mixture_width) * (1 - keep)
        mixed = x.float() * keep
        for weight in weights:
            chain = x
            for _ in range(self.chain_depth if self.chain_depth > 0 else integer(1, 4)):
                chain = self._changed(chain, strengths, names[integer(0, len(names))], integer(0, self.severity))
            mixed = mixed + chain.float() * float(weight)
        mixed = mixed.to(x.dtype)
        return mixed if isinstance(img, Tensor) else F.to_pil_image(mixed, img.mode)
