"""Patterns in whole arrays: what the Jacobian shows, and what is the same along some axes."""

from __future__ import annotations

import itertools

import numpy as np

from tinygrad_lite.testing.evidence import LOOSE, Case, Hint, same
from tinygrad_lite.testing.point import Array


def jacobian_pattern(c: Case) -> list[Hint]:
    """What the Jacobian shows: transposed maps, missing cross terms, lost contributions."""
    A, N = c.Ja, c.Jn
    if A is None or N is None or A.size < 4 or not np.isfinite(N).all() or not np.isfinite(A).all():
        return []
    top = max(np.abs(A).max(), np.abs(N).max())
    tol = 1e-4 * top
    has_a, has_n = np.abs(A) > tol, np.abs(N) > tol
    square = A.shape[0] == A.shape[1] and len(A) > 2
    if square and c.v is not None and c.v.shape == c.a.shape:
        if np.allclose(A.T, N, rtol=LOOSE, atol=tol) and np.abs(A - N).max() > 0.02 * top:
            return same("the Jacobian is transposed: the forward map was applied to g, not its adjoint")
        off = ~np.eye(len(A), dtype=bool)
        if not has_a[off].any() and has_n[off].any() and has_n[~off].mean() > 0.5:
            return same("treated as elementwise: the terms between different elements are missing")
    lost = has_n & ~has_a
    if (
        lost.any()
        and (np.abs(A - N)[~lost] <= 1e-5 * top).all()
        and c.y is not None
        and _last_wins(lost, has_a, c.y.shape)
    ):
        text = "contributions are lost where one element is used several times: assigned instead of added"
        return same(f"{text} (np.add.at, +=)")
    return []


def _last_wins(lost: Array, kept: Array, shape: tuple[int, ...]) -> bool:
    """Whether per input element only the last (or first) outputs along some axis are kept."""
    if not kept[:, lost.any(0)].any(0).all():
        return False
    index = np.indices(shape).reshape(len(shape), -1, 1)
    for i in index:
        for sign in (1, -1):
            top_lost = np.where(lost, sign * i, -np.inf).max(0)
            low_kept = np.where(kept, sign * i, np.inf).min(0)
            if (top_lost < low_kept)[lost.any(0)].all():
                return True
    return False


def slices(c: Case) -> list[Hint]:
    """Factors and terms that are the same along some axes."""
    a, n = c.a, c.n
    out: list[Hint] = []
    d, size = a - n, max(np.abs(a - n).max(initial=0), 1e-300)
    for k in range(1, a.ndim + 1):
        for axes in itertools.combinations(range(a.ndim), k):
            length = int(np.prod([a.shape[ax] for ax in axes]))
            if length < 2 or a.size < 3 or any(a.shape[ax] < 2 for ax in axes):
                continue
            along = f"along axis {axes[0]}" if k == 1 else f"along axes {axes}"
            for what, t in (("sum", n.sum(axes, keepdims=True)), ("mean", n.mean(axes, keepdims=True))):
                if c.fits(a, np.broadcast_to(t, a.shape)) and np.ptp(n, axes).max() > 0.01 * c.top:
                    out.append(
                        Hint(f"{what} over", f"the same value {along}: the {what} of the right ones was taken over it")
                    )
            if length < a.size:
                r = np.where(c.big, a / n, np.nan)
                spread, middle = np.nanmax(r, axes) - np.nanmin(r, axes), np.abs(np.nanmean(r, axes))
                if (c.big.sum(axes) > 1).all() and np.all(spread < LOOSE * middle):
                    out.append(
                        Hint(
                            f"per slice {k}",
                            f"off by a factor constant {along} (per-slice factor: scale, mask or reduction)",
                        )
                    )
            if np.all(np.ptp(d, axes) < LOOSE * size) and c.bad.mean() > 0.5:
                out.append(
                    Hint("mean term", f"off by a term constant {along}: a mean/sum term over it is missing or too much")
                )
            for name, t in (("input", c.x), ("output", c.y)):
                if t is None or t.shape != a.shape or length < 3 or _explained(n, [t], axes, c.top):
                    continue
                if _explained(d, [t], axes, size):
                    out.append(
                        Hint(
                            f"term {name}",
                            f"missing a term proportional to the {name} {along}: a norm/statistic taken as constant",
                        )
                    )
                elif length > 3 and _explained(d, [t, np.ones_like(t)], axes, size):
                    out.append(
                        Hint(
                            "mean and variance",
                            f"missing terms of a mean and a variance {along}: a statistic was treated as constant",
                        )
                    )
        if out:
            return out[:2]
    return out


def _explained(d: Array, basis: list[Array], axes: tuple[int, ...], size: float) -> bool:
    """Whether d is, slice by slice over ``axes``, a combination of the basis arrays."""

    def rows(t: Array) -> Array:
        t = np.moveaxis(t, axes, range(-len(axes), 0))
        return t.reshape(-1, int(np.prod(t.shape[t.ndim - len(axes) :])))

    target, parts = rows(d), [rows(t) for t in basis]
    for s, row in enumerate(target):
        M = np.stack([p[s] for p in parts], 1)
        if not np.isfinite(M).all() or not np.isfinite(row).all():
            return False
        fit = M @ np.linalg.lstsq(M, row, rcond=None)[0]
        if np.abs(row - fit).max() > 1e-2 * size:
            return False
    return True
