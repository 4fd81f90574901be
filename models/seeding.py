"""Random initial values of layers from an estimator's own generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tinygrad_lite.random import default_generator, get_rng_state, manual_seed, set_rng_state


@contextmanager
def drawing(rng: np.random.Generator) -> Iterator[None]:
    """Seed the library's random numbers from ``rng`` inside the block.

    Afterwards the library's own sequence continues where it was.

    >>> import tinygrad_lite as tl
    >>> with drawing(np.random.default_rng(0)):
    ...     first = tl.rand(2)
    >>> with drawing(np.random.default_rng(0)):
    ...     second = tl.rand(2)
    >>> bool((first == second).all())
    True
    """
    if rng is default_generator():
        yield
        return
    before = get_rng_state()
    manual_seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        set_rng_state(before)
