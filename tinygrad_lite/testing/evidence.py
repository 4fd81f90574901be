"""What patterns look at: analytic against numeric gradient of one input at one point, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.point import Array

LOOSE = 1e-3  # relative agreement that a pattern needs


class Hint(NamedTuple):
    """A likely cause: ``key`` without numbers, ``text`` for people."""

    key: str
    text: str


@dataclass
class Case:
    """Analytic ``a`` against numeric ``n`` for one input ``x`` of a call."""

    a: Array
    n: Array
    x: Array
    index: int
    arrays: list[Array]
    options: dict[str, Any]
    v: Array | None = None  # incoming gradient and output, where there is one output
    y: Array | None = None
    Ja: Array | None = None  # Jacobians, outputs x elements
    Jn: Array | None = None
    others: dict[int, Array] = field(default_factory=dict)  # numeric gradients of the other inputs
    refit: Callable[[], Iterator[Hint]] = lambda: iter(())  # options whose other value fits ``a``
    twist: Callable[[Array], Array | None] = lambda v: None  # the analytic gradient for another v
    top: float = field(init=False)
    tol: float = field(init=False)

    def __post_init__(self) -> None:
        fin = self.a[np.isfinite(self.a)]
        self.top = float(max(np.abs(self.n).max(initial=0), np.abs(fin).max(initial=0)))
        self.tol = 1e-4 * self.top
        gap = np.abs(self.a - self.n)
        self.bad = ~(gap <= self.tol + LOOSE * np.abs(self.n))
        self.right = gap <= 1e-7 * self.top + 1e-6 * np.abs(self.n)
        self.rel = float(gap.max(initial=0)) / max(self.top, 1e-300)
        self.big = np.abs(self.n) > 1e-3 * self.top  # where ratios mean something

    def fits(self, a: Array, n: Array) -> bool:
        """Whether two arrays agree as far as patterns go."""
        return a.shape == n.shape and bool(np.allclose(a, n, rtol=LOOSE, atol=min(self.tol, 0.1 * self.rel * self.top)))


def same(text: str) -> list[Hint]:
    """One hint whose text is its key."""
    return [Hint(text, text)]
