"""The source of random numbers for samplers: the program's stream, or a given generator."""

from __future__ import annotations

import numpy as np

from tinygrad_lite.errors import describe
from tinygrad_lite.random import default_generator


def generator_of(generator: object = None) -> np.random.Generator:
    """Return ``generator``, by default the one that `manual_seed` seeds."""
    if generator is None:
        return default_generator()
    if not isinstance(generator, np.random.Generator):
        raise TypeError(f"generator: expected a tinygrad_lite.Generator or NumPy's, got {describe(generator)}")
    return generator
