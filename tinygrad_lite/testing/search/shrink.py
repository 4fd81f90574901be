"""Shrink the first failing input to the smallest one that fails in the same way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.explain.jacobian import worst_of
from tinygrad_lite.testing.search.one_example import Trial
from tinygrad_lite.testing.search.source import Source
from tinygrad_lite.testing.verdict.point import CLOCK, NUMBERS, Array, Failure, Point

# Values tried for a smaller input: those of the failing one, then others, as (value mode, salt).
KEPT = ("kept", 0)
VALUES = (KEPT, ("", 0), ("", 1), ("grid", 2), ("normal", 3), ("special", 4), ("wide", 5), ("zeros", 6), ("large", 7))
FEW = 4  # simpler values tried per choice


class Smallest(NamedTuple):
    """The smallest failure, and the axes that it needs."""

    failure: Failure
    needed: str


def shrink(trial: Trial, seed: int, n: int, first: Source, failure: Failure, budget: int = 150) -> Smallest:
    """Find the same kind of failure with few elements, then simple options, then round values."""
    s = Shrinking(trial, seed, n, first, failure, budget)
    s.few_elements()
    s.one_by_one()
    for digits in (0, 1):
        if s.attempt(s.source.used, s.values, digits):
            break
    return Smallest(s.failure, s.needed())


class Shrinking:
    """The smallest failure so far, the source it came from, and how many more attempts may be made."""

    def __init__(self, trial: Trial, seed: int, n: int, first: Source, failure: Failure, budget: int) -> None:
        self.trial, self.place, self.budget = trial, (seed, n), budget
        self.failure, self.source, self.values = failure, first, KEPT
        self.tried = {(tuple(first.used), KEPT), (tuple(first.used), ("", 0))}
        self.kept = Kept(first, failure)

    def attempt(self, choices: Sequence[int], values: tuple[str, int], digits: int | None = None) -> bool:
        """Try these choices; if they fail in the same way, keep them as the smallest so far."""
        key = (tuple(choices), values)
        if self.budget <= 0 or CLOCK.expired or (digits is None and key in self.tried):
            return False
        self.budget -= 1
        self.tried.add(key)
        kept = values == KEPT
        src = Source.example(*self.place, choices, digits, *(("", 0) if kept else values), self.kept if kept else None)
        try:
            self.trial.example(src, True)
        except Failure as e:
            if e.kind != self.failure.kind or e.data.get("advice") != self.failure.data.get("advice"):
                return False
            self.failure, self.source, self.values = e, src, values
            return True
        except Exception:  # the sampler rejects this combination of choices
            return False
        return False

    def few_elements(self) -> None:
        """Try short axes, for all, all but one, all but two or none, the fewest elements first, until one fails."""
        sizes = [(self._elements(choices), k, choices) for k, choices in enumerate(short(self.source))]
        now = self._elements(self.source.used)
        for _, _, choices in sorted(s for s in sizes if s[0] < now):
            if any(self.attempt(choices, values) for values in VALUES):
                return

    def one_by_one(self) -> None:
        """Simplify each choice as far as possible, with the others unchanged."""
        k = 0
        while k < len(self.source.used):
            used, least = self.source.used, self.source.simplest[k]
            for simpler in (*range(least, min(least + FEW, used[k])), used[k] - 1):
                if least <= simpler < used[k] and self.attempt([*used[:k], simpler, *used[k + 1 :]], self.values):
                    break
            k += 1

    def needed(self) -> str:
        """Name the axes that must be longer than 1 for the failure to show, if that was tried."""
        src, values = self.source, VALUES[3:]
        choices = [src.simplest[k] if k in src.lengths else c for k, c in enumerate(src.used)]
        if choices == src.used or any((tuple(choices), v) not in self.tried for v in values):
            return ""
        arrays = self._arrays(choices) or []
        longer: dict[int, list[str]] = {}
        for i, (a, b) in enumerate(zip(arrays, self.failure.data["point"].given, strict=False)):
            for ax, (few, many) in enumerate(zip(np.shape(a), b.shape, strict=False)):
                if few == 1 < many:
                    longer.setdefault(ax, []).append(str(i))
        axes = [f"axis {ax} of input{'s' * (len(i) > 1)} {', '.join(i)}" for ax, i in longer.items()]
        return f"right when {' and '.join(axes)} {'has' if len(axes) == 1 else 'have'} length 1" if axes else ""

    def _elements(self, choices: Sequence[int]) -> float:
        """Return the number of elements of the inputs of these choices."""
        arrays = self._arrays(choices)
        return math.inf if arrays is None else sum(np.size(a) for a in arrays)

    def _arrays(self, choices: Sequence[int]) -> Sequence[Any] | None:
        assert self.trial.sampler is not None
        try:
            return self.trial.sampler(Source.example(*self.place, choices))[0]
        except Exception:  # as in `attempt`
            return None


class Kept:
    """Parts of the arrays of a failing example, around the worst element."""

    def __init__(self, first: Source, failure: Failure) -> None:
        self.arrays = [a for a, _, _ in first.made]
        p: Point = failure.data["point"]
        self.shape: tuple[int, ...] = ()
        self.element: tuple[int, ...] = ()
        worst = worst_of(p) if failure.kind in NUMBERS else None
        if worst is not None:
            self.shape, self.element = p.x[worst.input].shape, worst.element

    def __call__(self, k: int, shape: tuple[int, ...]) -> Array | None:
        """Return values of the k-th array drawn, in a smaller shape."""
        old = self.arrays[k] if k < len(self.arrays) else np.zeros(0)
        if len(shape) != old.ndim:
            size = math.prod(shape)
            start = min(int(np.ravel_multi_index(self.element, self.shape)), old.size - size)
            return old.ravel()[start : start + size].reshape(shape) if old.shape == self.shape and start >= 0 else None
        if any(new > n for new, n in zip(shape, old.shape, strict=True)):
            return None
        parts = []
        for axis, (n, new) in enumerate(zip(old.shape, shape, strict=True)):
            start = min(self._start(n, axis - old.ndim), n - new)
            parts.append(slice(start, start + new))
        return old[tuple(parts)]

    def _start(self, n: int, axis: int) -> int:
        """Return the position of the worst element on this axis, or on one of the same length ``n``."""
        if -axis <= len(self.shape) and self.shape[axis] == n:
            return self.element[axis]
        return self.element[self.shape.index(n)] if n in self.shape else 0


def short(src: Source) -> Iterator[list[int]]:
    """Yield choices with all axes of minimal length, except none, one, two or all, which are longer by one.

    The simplest options come first, then those of the source.
    """
    long = [k for k in src.lengths if src.used[k] > src.simplest[k]]
    for options in (src.simplest, src.used):
        for count in sorted({0, 1, 2, len(long)}):
            for kept in combinations(long, count):
                yield [
                    src.simplest[k] + (k in kept) if k in src.lengths else option for k, option in enumerate(options)
                ]
