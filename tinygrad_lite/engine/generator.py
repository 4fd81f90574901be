"""The class of random generators; alone in a file, because it needs `numpy.random`, which is slow to import."""

from __future__ import annotations

import copy
import threading
import weakref
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.engine.devices import CPU


class _Here(threading.local):
    """The generators of this thread, by which `vmap` sees whether a function draws."""

    def __init__(self) -> None:
        self.generators: weakref.WeakSet[Generator] = weakref.WeakSet()


HERE = _Here()


@named_constructor
class Generator(np.random.Generator):
    """NumPy's random generator with PyTorch's methods for seeding it.

    >>> g = Generator().manual_seed(0)
    >>> first = g.random()
    >>> g.manual_seed(0).random() == first
    True
    """

    def __init__(self, device: Any = None) -> None:
        super().__init__(np.random.PCG64())
        self._seed = int(self.integers(2**63))
        self.manual_seed(self._seed)
        HERE.generators.add(self)

    def manual_seed(self, seed: int) -> Generator:
        """Seed the generator; return self."""
        self._seed = int(seed) % 2**64
        self.bit_generator.state = np.random.PCG64(self._seed).state
        return self

    device = CPU

    def clone_state(self) -> Generator:
        """Return a generator that will draw the same numbers."""
        return copy.copy(self)

    def __reduce__(self) -> Any:
        return Generator, (), (self._seed, self.get_state())

    def __setstate__(self, state: Any) -> None:
        self._seed, self.bit_generator.state = state

    def seed(self) -> int:
        """Seed the generator from the operating system's entropy; return the seed."""
        chosen = int(np.random.PCG64().random_raw()) >> 1
        self.manual_seed(chosen)
        return chosen

    def initial_seed(self) -> int:
        """Return the last seed of this generator."""
        return self._seed

    def get_state(self) -> Any:
        """Return the state of the generator, for `set_state`."""
        return self.bit_generator.state

    def set_state(self, state: Any) -> Generator:
        """Restore a state from `get_state`; return self."""
        self.bit_generator.state = state
        return self
