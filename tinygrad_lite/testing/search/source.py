"""Draw inputs by a schedule of sizes and values; every choice is recorded for replay and shrinking."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinygrad_lite.engine.arguments import named_constructor, whole
from tinygrad_lite.errors import ArgumentError, describe

Array = NDArray[Any]
T = TypeVar("T")
INF = math.inf

# (values, sizes) of the first examples. Later ones cycle through the entries after the empty one, with ordinary values
# spread evenly, to reach narrow ranges too.
SCHEDULE = (
    ("normal", "usual"),
    ("normal", "random"),
    ("grid", "random"),
    ("normal", "one"),
    ("normal", "empty"),
    ("allzero", "random"),
    ("constant", "random"),
    ("special", "random"),
    ("negative", "random"),
    ("normal", "random"),
    ("wide", "random"),
    ("large", "random"),
    ("zeros", "random"),
    ("grid", "random"),
)
LATER = tuple((mode.replace("normal", "spread"), sizes) for mode, sizes in SCHEDULE[5:])
PRIMES = (
    2,
    3,
    5,
    7,
    11,
    13,
    17,
    19,
    23,
    29,
)  # multiples of their square roots cover all combinations evenly


def schedule(n: int) -> tuple[str, str]:
    """Return the value mode and the size mode of example ``n``."""
    return SCHEDULE[n] if n < len(SCHEDULE) else LATER[(n - len(SCHEDULE)) % len(LATER)]


@named_constructor
class Source:
    """Draws sizes, options and values for one example.

    Structure (sizes, integers, options) comes from a list of recorded choices, values from a value mode and the seed.
    The same arguments give the same example; a shorter or smaller list of choices gives a simpler one.

    >>> Source(0).floats((2,)).shape
    (2,)
    """

    def __init__(
        self,
        seed: int,
        mode: str = "normal",
        sizes: str = "usual",
        replay: Sequence[int] = (),
        digits: int | None = None,
        place: tuple[int, int] | None = None,  # seed of the search, number of the example
        salt: int = 0,  # another salt gives other values for the same choices
        given: Callable[[int, tuple[int, ...]], Array | None] | None = None,  # values of the k-th array, if known
    ) -> None:
        if not whole(seed) and not isinstance(seed, (tuple, np.random.Generator)):
            raise ArgumentError(f"Source: seed must be an integer, got {describe(seed)}")
        if not whole(salt):
            raise ArgumentError(f"Source: salt must be an integer, got {describe(salt)}")
        self.place, self.given = place, given
        self.seed, self.mode, self.sizes, self.digits = seed, mode, sizes, digits
        self.rng = np.random.default_rng((seed, salt) if salt else seed)
        self.replay = list(replay)
        self.used: list[int] = []  # the choices made, in order
        self.simplest: list[int] = []  # their values in the simplest example
        self.lengths: list[int] = []  # positions of those that are lengths of axes
        self.made: list[tuple[Array, float, float]] = []  # arrays drawn, with their domain
        # size 1 shows errors of broadcasting and squeezing, but too many axes of size 1 hide all others
        self.ones = float(self.rng.choice((0.0, 0.0, 0.5)))

    @classmethod
    def example(
        cls,
        seed: int,
        n: int,
        replay: Sequence[int] = (),
        digits: int | None = None,
        mode: str = "",
        salt: int = 0,
        given: Callable[[int, tuple[int, ...]], Array | None] | None = None,
    ) -> Source:
        """Return the source of example ``n`` of a search, or a variant with other choices and values."""
        own, sizes = schedule(n)
        return cls(seed * 10007 + n, mode or own, sizes, replay, digits, (seed, n), salt, given)

    def _pick(self, usual: int, fresh: Callable[[], int], lo: int, hi: int) -> int:
        n = len(self.used)
        value = self.replay[n] if n < len(self.replay) else usual if self.sizes == "usual" else int(fresh())
        value = min(max(int(value), lo), hi)
        self.used.append(value)
        self.simplest.append(lo)
        return value

    def _even(self, lo: int, hi: int) -> int:
        """Draw an integer so that the examples of a search cover combinations of choices evenly."""
        if self.place is None:
            return int(self.rng.integers(lo, hi + 1))
        seed, n = self.place
        j = len(self.used)
        start = math.sin(12.9898 * seed + 78.233 * j) * 43758.5453
        return lo + int((start + n * math.sqrt(PRIMES[j % len(PRIMES)])) % 1.0 * (hi - lo + 1))

    def size(self, usual: int, lo: int = 1, hi: int = 5) -> int:
        """Draw the length of an axis between ``lo`` and ``hi``; 1 and, where allowed, 0 are frequent."""

        def fresh() -> int:
            r = self.rng.random()
            if self.sizes == "one" and lo <= 1:
                return 1
            if lo == 0 and r < ((0.5 if 0 in self.used else 1.0) if self.sizes == "empty" else 0.03):
                return 0
            if lo <= 1 and r < self.ones:
                return 1
            return int(self.rng.integers(max(lo, 2), max(hi, lo, 2) + 1))

        self.lengths.append(len(self.used))
        value = self._pick(usual, fresh, lo, max(hi, usual, lo))
        self.simplest[-1] = max(lo, 1)  # an empty array is no use as the smallest input
        return value

    def integer(self, usual: int, lo: int, hi: int) -> int:
        """Draw an integer option between ``lo`` and ``hi``, both included."""
        return self._pick(usual, lambda: self._even(lo, hi), lo, hi)

    def chance(self) -> bool:
        """Draw a boolean; usually False."""
        return bool(self._pick(0, lambda: self._even(0, 1), 0, 1))

    def choice(self, options: Sequence[T]) -> T:
        """Draw one of ``options``; usually the first."""
        return options[self._pick(0, lambda: self._even(0, len(options) - 1), 0, len(options) - 1)]

    def floats(
        self, shape: int | Sequence[int], lo: float = -INF, hi: float = INF, dtype: DTypeLike | None = None
    ) -> Array:
        """Draw an array of values in ``[lo, hi]`` by the value mode of this example."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        # each array has its own generator, so that its size does not change the values of the others
        rng = np.random.default_rng(int(self.rng.integers(2**32)))
        known = self.given(len(self.made), shape) if self.given else None
        v = np.asarray(draw_values(rng, self.mode, shape, lo, hi) if known is None else known, np.float64)
        if self.digits is not None:
            v = np.clip(np.round(v, self.digits) + 0.0, lo, hi)  # + 0.0: no -0.0 in reports
        v = np.asarray(v.astype(dtype or np.float64))
        self.made.append((v, lo, hi))
        return v

    def indices(
        self, shape: int | Sequence[int], n: int, usual: Any = None, negative: bool = False
    ) -> NDArray[np.int64]:
        """Draw indices below ``n``, with repetitions, or ``usual`` in the first example."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        rng = np.random.default_rng(int(self.rng.integers(2**32)))
        if usual is not None and self.sizes == "usual":
            return np.broadcast_to(np.asarray(usual, np.int64), shape).copy()
        if n <= 0:
            return np.zeros((0,) * max(len(shape), 1) if 0 not in shape else shape, np.int64)
        return rng.integers(-n if negative else 0, n, shape, dtype=np.int64)


Sampler = Callable[[Source], tuple[Sequence[Any], dict[str, Any]]]  # draws the arrays and options of one call


def plain_values(rng: np.random.Generator, shape: tuple[int, ...], lo: float, hi: float) -> Array:
    """Draw ordinary values: normal on the line, uniform in an interval, half-normal on a half line."""
    if (lo == -INF or hi == INF or hi - lo > 30) and lo <= -3 and hi >= 3:  # a wide domain counts as the whole line
        return np.clip(rng.standard_normal(shape), lo, hi)
    if lo > -INF and hi < INF:
        return lo + (hi - lo) * rng.uniform(0.02, 0.98, shape)
    away = np.abs(rng.standard_normal(shape)) + 0.05
    return lo + away if lo > -INF else hi - away


def draw_values(rng: np.random.Generator, mode: str, shape: tuple[int, ...], lo: float, hi: float) -> Array:
    """Draw the values of one array in the given mode, inside ``[lo, hi]``."""
    base = plain_values(rng, shape, lo, hi)
    zero = min(max(0.0, lo), hi)
    both = lo < 0 < hi
    if mode == "grid":  # few distinct values: ties, zeros, bounds
        a, b = _window(lo, hi)
        return np.asarray(np.clip(a + (b - a) / 6 * rng.integers(0, 7, shape), lo, hi))
    if mode == "spread":
        a, b = _window(lo, hi)
        return rng.uniform(max(a - 1, lo), min(b + 1, hi), shape)
    if mode == "special":
        a, b = _window(lo, hi)
        ends = [x for x in (lo, hi) if 3 < abs(x) <= 1e4]
        pool = [x for x in (0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-3, -1e-3, a, b, *ends) if lo <= x <= hi]
        return np.where(rng.random(shape) < 0.5, rng.choice(pool, shape), base)
    if mode == "wide" and both:  # magnitudes from 1e-3 to 1e3
        return np.asarray(np.clip(np.sign(base) * 10.0 ** rng.uniform(-3, 3, shape), lo, hi))
    if mode == "large" and both:
        top = min(-lo, hi, 1e4)
        return np.clip(rng.uniform(-1, 1, shape) * (top if 3.1 < top < 1e4 else 30.0), lo, hi)
    if mode == "negative" and lo < -3:
        return np.clip(-np.abs(base), lo, hi)
    if mode == "constant":
        return np.full(shape, plain_values(rng, (), lo, hi))
    if mode == "allzero":
        return np.full(shape, zero)
    if mode == "zeros":
        return np.where(rng.random(shape) < 0.6, zero, base)
    return base


def _window(lo: float, hi: float) -> tuple[float, float]:
    """Return the part of the domain with the interesting points of most functions."""
    a, b = max(lo, -3.0), min(hi, 3.0)
    if a < b:
        return a, b
    return (lo, lo + 3.0) if hi == INF else (hi - 3.0, hi) if lo == -INF else (lo, hi)


def examples(seed: int, count: int) -> Iterator[tuple[int, Source]]:
    """Yield the sources of a search in order."""
    for n in range(count):
        yield n, Source.example(seed, n)
