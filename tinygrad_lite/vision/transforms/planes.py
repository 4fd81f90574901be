"""Affine and projective maps of the plane, as the coefficients that Pillow takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygrad_lite.errors import ShapeError


def inverse_affine(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """Return the six coefficients that map a pixel of the result to a pixel of the image.

    The forward map is T C R(angle) S(scale) Shy Shx C^-1: about ``center``, it shears along x, then along y, scales,
    rotates, and then translates. Angles are in degrees.

    >>> inverse_affine((0, 0), 0.0, (1, 2), 2.0, (0, 0))
    [0.5, 0.0, -0.5, 0.0, 0.5, -1.0]
    """
    turn, shear_x, shear_y = (math.radians(a) for a in (angle, *shear))
    cos, sin = math.cos(turn), math.sin(turn)
    along_x = np.array([[1.0, -math.tan(shear_x)], [0.0, 1.0]])
    along_y = np.array([[1.0, 0.0], [-math.tan(shear_y), 1.0]])
    forward = scale * np.array([[cos, -sin], [sin, cos]]) @ along_y @ along_x
    inverse = np.linalg.inv(forward)
    middle = np.asarray(center, dtype=float)
    offset = middle - inverse @ (middle + np.asarray(translate, dtype=float))
    # + 0.0 turns -0.0 into 0.0
    return [float(v) + 0.0 for v in (*inverse[0], offset[0], *inverse[1], offset[1])]


def perspective_coefficients(
    startpoints: Sequence[Sequence[float]], endpoints: Sequence[Sequence[float]]
) -> list[float]:
    """Return the eight coefficients a..h that map the end points back to the start points.

    x_in = (a x + b y + c) / (g x + h y + 1) and y_in = (d x + e y + f) / (g x + h y + 1).

    >>> square = [[0, 0], [1, 0], [1, 1], [0, 1]]
    >>> [abs(round(c)) for c in perspective_coefficients(square, square)]
    [1, 0, 0, 0, 1, 0, 0, 0]
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ShapeError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints and {len(endpoints)} endpoints."
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    wanted = np.asarray(startpoints, dtype=float).reshape(8)
    solution = np.linalg.lstsq(np.array(rows, dtype=float), wanted, rcond=None)[0]
    return [float(c) for c in solution.astype(np.float32)]  # torchvision's precision: pixels at an edge depend on it
