"""Invariances along an axis that the right gradient has and the wrong one breaks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinygrad_lite.testing.explain.evidence import Case, Hint
from tinygrad_lite.testing.verdict.point import Array

ZERO = 1e-6  # a sum counts as zero below this fraction of the sum of absolute values


def apart(c: Case) -> Iterator[Hint]:
    """Find independent positions along an axis that the analytic gradient mixes."""
    A, N = c.Ja, c.Jn
    if A is None or N is None or c.y is None or not c.y.ndim or not np.isfinite(A).all() or A.size < 4:
        return
    top = max(np.abs(A).max(), np.abs(N).max())
    shape = (*c.y.shape, *c.x.shape)
    a, n = (np.abs(t).reshape(shape) > 1e-4 * top for t in (A, N))
    for e, length in enumerate(c.x.shape):
        for o in (o for o, m in enumerate(c.y.shape) if m == length > 1):
            other = ~np.eye(length, dtype=bool).reshape(
                [length if ax in (o, c.y.ndim + e) else 1 for ax in range(len(shape))]
            )
            if n.any() and not (n & other).any() and (a & other).any():
                text = f"positions along {c.axis(e)} are mixed that have nothing to do with each other"
                yield Hint(text, f"{text}: a sum, a mean or an index over the wrong axis, or an offset")


def invariances(c: Case) -> Iterator[Hint]:
    """Find sums that are zero in the right gradient because a shift or scale of the input changes nothing."""
    if c.rel < 1e-3 or not np.isfinite(c.a).all():
        return
    for what, a, n in (
        ("sum to 0", c.a, c.n),
        ("be orthogonal to the input", c.a * c.x, c.n * c.x),
    ):
        why = "a constant is added" if what == "sum to 0" else "the input is scaled"
        kept = [ax for ax in range(c.x.ndim) if _vanishes(n, ax)]
        broken = [ax for ax in kept if not _vanishes(a, ax)]
        if broken:
            text = f"must {what} along {c.axis(broken[0])} (the function does not change when {why} along it)"
            text += ", but does not"
            wrong = [ax for ax in range(c.x.ndim) if ax not in kept and _vanishes(a, ax)]
            if wrong:
                text += f"; does along {c.axis(wrong[0])} instead: the wrong axis"
            yield Hint(f"must {what} {broken[0]}", text)


def _vanishes(t: Array, ax: int) -> bool:
    """Whether the sums along an axis are zero, while not all terms are."""
    size = np.abs(t).sum(ax)
    return t.shape[ax] > 1 and bool((size > 0).any()) and bool((np.abs(t.sum(ax)) <= ZERO * size.max()).all())
