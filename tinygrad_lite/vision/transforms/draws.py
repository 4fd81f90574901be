"""Random numbers for transforms, from the generator that `tinygrad_lite.manual_seed` seeds."""

from __future__ import annotations

from tinygrad_lite.random import default_generator


def chance(p: float) -> bool:
    """Return True with probability ``p``."""
    return bool(default_generator().random() < p)


def uniform(low: float, high: float) -> float:
    """Return a number from [low, high)."""
    return float(low + (high - low) * default_generator().random())


def integer(low: int, high: int) -> int:
    """Return a whole number from low..high - 1."""
    return int(default_generator().integers(low, high))


def order(n: int) -> list[int]:
    """Return 0..n - 1 in random order."""
    return [int(i) for i in default_generator().permutation(n)]
