"""The data of explanations: `Case`, both gradients of one input at one point, and `Hint`, an observation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.verdict.point import Array

LOOSE = 1e-3  # relative tolerance of patterns


class Hint(NamedTuple):
    """An observation and perhaps its cause; ``key`` identifies it without numbers, ``text`` is the message."""

    key: str
    text: str
    option: tuple[str, Any] | None = None  # an ignored option and the value assumed for it
    supports: bool = True  # False: this point neither supports nor contradicts the hint
    chance: float = 0.0  # probability that it fits by coincidence


@dataclass
class Case:
    """The analytic gradient ``a`` and the numeric one ``n`` of one input ``x`` of a call."""

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
    others: dict[int, tuple[Array, Array]] = field(default_factory=dict)  # both gradients of the other inputs
    size: Array | None = None  # magnitude of the terms that ``n`` sums, before cancellation
    noise: Array | float = 0.0  # estimated error of ``n``
    ordinary: bool = True  # no special values: no grid, zeros or limits, of usual size
    prefix: str = ""  # names the output, if only one is differentiated wrongly
    refit: Callable[[], Iterator[Hint]] = lambda: iter(())  # other values of options that ``a`` fits
    twist: Callable[[Array], Array | None] = lambda v: None  # analytic gradient for another v
    retry: Callable[[dict[int, Array]], tuple[Array, Array] | None] = lambda changed: None  # with other inputs
    saved: Callable[[], Any] = lambda: None  # the values that forward saved
    resave: Callable[[Callable[[Any], Any]], Array | None] = lambda change: None  # ``a`` with other saved values
    parts: Sequence[tuple[str, Array]] = ()  # saved float arrays and numbers, without the inputs
    top: float = field(init=False)
    tol: float = field(init=False)
    off: Array = field(init=False)

    def __post_init__(self) -> None:
        fin = self.a[np.isfinite(self.a)]
        self.top = float(max(np.abs(self.n).max(initial=0), np.abs(fin).max(initial=0)))
        self.tol = 1e-4 * self.top
        gap = np.abs(self.a - self.n)
        size = np.abs(self.n) if self.size is None else self.size
        self.off = gap / np.maximum(np.maximum(size, np.abs(self.a)), 1e-300)  # relative error of each element
        none = 1e-12 * self.top
        self.bad = ~((self.off <= 1e-4) | (gap <= none + 20 * self.noise))
        flat = (self.a == 0) & (np.abs(self.n) <= none + 2 * self.noise)
        self.right = (self.off <= 1e-6) | flat | (gap <= np.minimum(2 * self.noise, 1e-5 * size))
        self.rel = float(gap.max(initial=0)) / max(self.top, 1e-300)
        self.big = np.abs(self.n) > np.maximum(1e3 * self.noise, 1e-9 * self.top)  # elements large enough for ratios

    def fits(self, a: Array, n: Array) -> bool:
        """Whether two arrays agree within the tolerance of patterns."""
        return a.shape == n.shape and bool(np.allclose(a, n, rtol=LOOSE, atol=min(self.tol, 0.1 * self.rel * self.top)))

    @property
    def generic(self) -> bool:
        """Whether a pattern could show here: enough elements, few of them equal or zero."""
        if not self.ordinary or self.x.size == 1 and self.x.ndim or not self.x.size:
            return False
        return 1 not in self.x.shape and all(varied(b) for b in self.arrays if b.dtype.kind == "f" and b.size > 1)

    def axis(self, ax: int) -> str:
        """Return the name of an axis in messages, by the option that selects it if one does."""
        for key in ("axis", "dim"):
            value = self.options.get(key)
            if isinstance(value, int) and value % self.x.ndim == ax:
                return f"the axis that option {key} names"
        return "the last axis" if ax == self.x.ndim - 1 > 0 else f"axis {ax}"

    @property
    def elementwise(self) -> bool:
        """Whether each output depends only on the element of this input at the same position."""
        N = self.Jn
        if N is None or self.y is None or self.y.shape != self.x.shape or self.x.size < 3:
            return False
        return not np.abs(N[~np.eye(len(N), dtype=bool)]).max(initial=0) > 1e-6 * np.abs(N).max(initial=0)

    def entries(self) -> tuple[Array, Array]:
        """Return analytic and numeric derivatives: whole Jacobians where known, else gradients."""
        if self.Ja is not None and self.Jn is not None and np.isfinite(self.Jn).all():
            return self.Ja, self.Jn
        return self.a, self.n

    def incoming(self) -> Array | None:
        """Return the incoming gradient, summed over axes along which the input was broadcast."""
        v = self.v
        if v is None or v.ndim < self.x.ndim:
            return None if v is None or v.size > 1 else np.broadcast_to(v, self.x.shape)
        v = v.sum(tuple(range(v.ndim - self.x.ndim)))
        axes = tuple(i for i, n in enumerate(self.x.shape) if n == 1 and v.shape[i] != 1)
        v = v.sum(axes, keepdims=True)
        return v if v.shape == self.x.shape else None


def varied(b: Array) -> bool:
    """Whether few elements are equal or zero."""
    return len(np.unique(b)) >= 0.7 * b.size and (b == 0).sum() <= 0.3 * b.size


def same(text: str) -> list[Hint]:
    """Return one hint whose text is its key."""
    return [Hint(text, text)]
