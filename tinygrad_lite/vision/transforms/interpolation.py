"""The ways of computing pixels between pixels."""

from __future__ import annotations

from enum import Enum
from typing import Any

from tinygrad_lite.errors import ArgumentError

__all__ = ["InterpolationMode"]


class InterpolationMode(Enum):
    """How an image is read between its pixels.

    Tensors support NEAREST, NEAREST_EXACT, BILINEAR and BICUBIC; Pillow images support all.

    >>> InterpolationMode("bilinear")
    <InterpolationMode.BILINEAR: 'bilinear'>
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


PILLOW = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}
"""Pillow's number of each mode."""


def mode_of(interpolation: Any) -> InterpolationMode:
    """Return the mode for a mode or for Pillow's number of it.

    >>> mode_of(2)
    <InterpolationMode.BILINEAR: 'bilinear'>
    """
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int):
        for mode, number in PILLOW.items():
            if number == interpolation:
                return mode
    raise ArgumentError(
        f"Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant, "
        f"got {interpolation!r}"
    )
