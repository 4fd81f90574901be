"""Random generators from seeds."""

from typing import Any

import numpy as np


def seeded(name: str, seed: Any) -> np.random.Generator:
    """Return NumPy's generator for ``seed``; a list must hold whole numbers, for NumPy crashes if it holds itself.

    >>> seeded("f", 0).random() == seeded("f", 0).random()
    True
    """
    several = isinstance(seed, (list, tuple)) or isinstance(seed, np.ndarray) and seed.dtype == object
    if several and not all(isinstance(s, (int, np.integer)) for s in seed):
        raise ValueError(f"{name}: a seed is None or whole numbers from 0, got a {type(seed).__name__} of others")
    return np.random.default_rng(seed)
