"""Patterns in whole Jacobians, and factors and terms that are constant along some axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from tinygrad_lite.testing.explain.evidence import LOOSE, Case, Hint, same
from tinygrad_lite.testing.verdict.point import Array

SOFTMAX = "exponential of the input (a softmax)"


def jacobian_pattern(c: Case) -> Iterator[Hint]:
    """Find transposed maps, missing cross terms, lost and misplaced contributions in the Jacobian."""
    A, N = c.Ja, c.Jn
    if A is None or N is None or A.size < 2 or not np.isfinite(N).all() or not np.isfinite(A).all():
        return
    top = max(np.abs(A).max(), np.abs(N).max())
    tol = 1e-4 * top
    wrong = np.abs(A - N) > 1e-5 * top
    has_a, has_n = np.abs(A) > tol, np.abs(N) > tol
    square = A.shape[0] == A.shape[1] and len(A) > 2
    if square and c.v is not None and c.v.shape == c.a.shape:
        if np.allclose(A.T, N, rtol=LOOSE, atol=tol) and np.abs(A - N).max() > 0.02 * top:
            yield from same("the Jacobian is transposed: the forward map was applied to g, not its adjoint")
        if np.array_equal(has_a.T, has_n) and not np.array_equal(has_a, has_n):
            yield from same(
                "the sum runs the wrong way: an element gets gradients from outputs that do not depend on it, and "
                "none from those that do (backward of a cumulative sum runs from the end)"
            )
        off = ~np.eye(len(A), dtype=bool)
        if has_a.any() and not has_a[off].any() and has_n[off].any() and has_n[~off].mean() > 0.5:
            yield from same("treated as elementwise: the terms between different elements are missing")
    lost = has_n & ~has_a
    if lost.any() and lost.sum() >= 0.8 * wrong.sum():
        kept = (has_a & has_n).sum(0)[lost.any(0)]
        alone = c.y is not None and c.y.shape == c.x.shape and not has_a[~np.eye(len(A), dtype=bool)].any()
        if (kept == 1).mean() >= 0.8 and not alone and c.x.size > 1:
            text = (
                "of several contributions to one element only one is kept: assigned instead of added "
                "(=, or out[i] += with equal i: np.add.at), or one taken instead of their sum"
            )
            yield Hint(text, text, supports=lost.sum() > 2)
        if len(N) > 1 and not wrong[~lost].any():
            text = "some terms are missing (0 where an output depends on an element), all others are right"
            yield Hint(text, text, supports=bool(kept.any()))
    yield from _misplaced(c, A, N, wrong, top)


def _misplaced(c: Case, A: Array, N: Array, wrong: Array, top: float) -> Iterator[Hint]:
    """Find right numbers at wrong elements: shifted by one output, exchanged, or with the right sum."""
    hit = wrong.any(1)
    if c.y is not None and c.y.ndim:
        shape = (*c.y.shape, A.shape[1])
        for ax, n in enumerate(c.y.shape):
            a, b = (np.moveaxis(t.reshape(shape), ax, 0) for t in (A, N))
            if n > 3 and np.ptp(b[1:]) > 1e-3 * top:
                for text, early, late in (("next", a[:-1], b[1:]), ("previous", a[1:], b[:-1])):
                    if np.abs(early - late).max() < LOOSE * np.abs(late).max() and np.abs(late).max() > 0.1 * top:
                        yield from same(
                            f"each output gets the derivative of the {text} one along its axis {ax}: off by one"
                        )
    if not hit.any() or A.shape[1] < 2 or np.abs(A - N).max() < 0.01 * top:
        return
    moved = np.isclose(np.sort(A[hit], 1), np.sort(N[hit], 1), rtol=LOOSE, atol=1e-5 * top).all(1)
    if moved.mean() > 0.8:
        text = (
            "right values in the wrong places, for each output: an order, an index or two weights are mixed up, "
            "or the sign of an odd part (sine, imaginary, cross product) is wrong"
        )
        yield Hint(text, text, supports=bool(moved.sum() > 1))
    total = np.isclose(A[hit].sum(1), N[hit].sum(1), rtol=LOOSE, atol=1e-5 * top)
    if total.mean() > 0.8 and (np.abs(N.sum(1))[hit] > 1e-2 * np.abs(N).sum(1)[hit]).all():
        text = "the right sum for each output, but in the wrong places: an index, an offset or weights are mixed up"
        yield Hint(text, text, supports=bool(total.sum() > 1))


def ends(c: Case) -> Iterator[Hint]:
    """Find a separate factor for each output, or for each element of the input."""
    if c.Ja is None or c.Jn is None:
        return
    for which, A, N in (("output", c.Ja, c.Jn), ("element", c.Ja.T, c.Jn.T)):
        top = np.abs(N).max(initial=0)
        has = np.abs(N) > 1e-3 * top
        several = bool((has.sum(1) > 1).sum() > 1)
        if not has.any() or not several and which == "element" or np.abs(A[~has]).max(initial=0) > 0.1 * top:
            continue
        live = has.any(1)
        r = np.where(has, A / N, np.nan)[live]
        middle = np.nanmean(r, 1)
        if not (np.nanmax(r, 1) - np.nanmin(r, 1) < LOOSE * np.abs(middle)).all() or several and np.ptp(middle) < 1e-3:
            continue
        if which == "output":
            whole = np.full(len(live), np.nan)
            whole[live] = middle
            yield from (h._replace(supports=several) for h in _per_output(c, whole))
        else:
            yield from same(
                "each element of the input has a factor of its own, the same for all outputs: "
                "a mistake in the first operation on the input"
            )


def _per_output(c: Case, r: Array) -> Iterator[Hint]:
    live = np.isfinite(r)
    for name, f in _inputs_at_outputs(c):
        if np.allclose(r[live], f[live], rtol=LOOSE):
            yield from same(f"off by a factor {name}")
    if c.y is not None and c.y.size == r.size:
        y = c.y.ravel()[live]
        for name, f in _of_output(y):
            if np.allclose(r[live], f, rtol=LOOSE):
                yield from same(f"off by a factor {name}, y the output: a mistake in the last operation")
            if np.allclose(np.abs(r[live]), np.abs(f), rtol=LOOSE):
                yield from same(f"off by a factor {name} up to the sign, y the output: a mistake in the last operation")
        if c.y.ndim > 1:
            for ax in range(c.y.ndim):
                if (np.nanmax(t := r.reshape(c.y.shape), ax) - np.nanmin(t, ax) < LOOSE).all():
                    yield from same(
                        f"each output has a factor of its own, the same along axis {ax} of the output: "
                        "a scale, a count, a mask or a limit of the output"
                    )
    yield from same(
        "each output has a factor of its own (perhaps 1 for some): a scale, a count, a mask or a limit of the output"
    )


def _inputs_at_outputs(c: Case) -> Iterator[tuple[str, Array]]:
    for j, b in enumerate(c.arrays):
        if c.y is None or j == c.index or b.dtype.kind != "f" or b.size < 2:
            continue
        try:
            t = np.broadcast_to(b, c.y.shape).ravel()
        except ValueError:
            continue
        name = f"input {j}"
        yield from ((name, t), (f"1/({name})", 1 / t), (f"({name})^2", t * t), (f"1 + {name}", 1 + t))
        yield from ((f"1/(1 + {name})", 1 / (1 + t)), (f"({name})/(1 + {name})", t / (1 + t)))
        yield f"exp({name})", np.exp(t)


def _of_output(y: Array) -> Iterator[tuple[str, Array]]:
    root = np.sqrt(np.abs(y))
    for name, f in (
        ("y", y),
        ("sqrt(y)", root),
        ("y^2", y * y),
        ("exp(y)", np.exp(y)),
        ("1 - y", 1 - y),
        ("1 - y^2", 1 - y * y),
        ("1 + y", 1 + y),
        ("y * (1 - y)", y * (1 - y)),
    ):
        yield name, f
        yield f"1/({name})" if " " in name else f"1/{name}", 1 / f
    yield "2 * sqrt(y)", 2 * root
    yield "1/(2 * sqrt(y))", 1 / (2 * root)


def slices(c: Case) -> list[Hint]:
    """Find factors and terms that are constant along some axes."""
    a, n = c.a, c.n
    if c.elementwise or a.size < 3:  # there axes mean nothing
        return []
    out: list[Hint] = []
    d, size = a - n, max(np.abs(a - n).max(initial=0), 1e-300)
    for k in range(1, a.ndim + 1):
        for axes in itertools.combinations(range(a.ndim), k):
            length = int(np.prod([a.shape[ax] for ax in axes]))
            if length < 2 or any(a.shape[ax] < 2 for ax in axes):
                continue
            along = f"along {c.axis(axes[0])}" if k == 1 else f"along axes {axes}"
            for what, t in (("sum", n.sum(axes, keepdims=True)), ("mean", n.mean(axes, keepdims=True))):
                if c.fits(a, np.broadcast_to(t, a.shape)) and np.ptp(n, axes).max() > 0.01 * c.top:
                    out += same(f"the same value {along}: the {what} of the right ones was taken over it")
            if length < a.size:
                out += _per_slice(c, axes, along)
            if np.all(np.ptp(d, axes) < LOOSE * size) and c.bad.mean() > 0.5:
                out += same(f"the error is the same {along}: a mean or sum term over it is missing, or one too many")
            out += _proportional(c, d, size, axes, length, along)
        if out:
            return out[:3]
    return out


def _per_slice(c: Case, axes: tuple[int, ...], along: str) -> list[Hint]:
    r = np.where(c.big, c.a / c.n, np.nan)
    spread, middle = np.nanmax(r, axes) - np.nanmin(r, axes), np.nanmean(r, axes)
    if not (c.big.sum(axes) > 1).all() or not np.all(spread < LOOSE * np.abs(middle)):
        return []
    if np.allclose(np.abs(middle), 1, rtol=LOOSE) and (middle < 0).any():
        return same(f"the sign is wrong in some places, the same {along}: a sign, an abs or a branch")
    for t, text in ((middle, "too large by"), (1 / middle, "too small by")):
        whole = np.round(t)
        if np.allclose(t, whole, rtol=LOOSE) and (whole > 0).all() and (whole > 1).any():
            return same(
                f"{text} a whole number, the same {along} and different across it: "
                "a count (of rows in a group, of uses) is ignored"
            )
    return same(f"off by a factor that is the same {along} and differs across it: a scale, a mask or a reduction")


def _proportional(c: Case, d: Array, size: float, axes: tuple[int, ...], length: int, along: str) -> Iterator[Hint]:
    dead = (np.abs(c.a) <= 1e-12 * c.top) & (np.abs(c.n) <= 1e-9 * c.top)
    live = (~dead).sum(axes)
    if (live <= 2).all():  # two numbers always fit two elements
        yield from (Hint(_statistics(t, along)[1], "", supports=False) for t in ("input", "output"))
    if np.all(np.ptp(np.where(dead, d.flat[0], d), axes) < LOOSE * size):  # a constant error is explained already
        return
    for name, t in (("input", c.x), ("output", c.y), (SOFTMAX, np.exp(c.x))):
        if t is None or t.shape != c.a.shape or np.ptp(t) < 1e-3 * np.abs(t).max(initial=0):
            continue
        if _explained(c.n, [t], axes, c.top, dead):
            continue
        if np.maximum(live - 1, 0).sum() > 1 and _explained(d, [t], axes, size, dead):
            yield from same(
                f"the error is proportional to the {name} {along}: "
                f"a norm/statistic over it is missing, wrong or taken as constant"
            )
        elif (
            name in ("input", "output")
            and np.maximum(live - 2, 0).sum() > 1
            and _explained(d, [t, np.ones_like(t)], axes, size, dead)
        ):
            text = _statistics(name, along)[1]
            yield Hint(text, text, supports=bool(np.maximum(live - 2, 0).sum() > 1))


def _statistics(name: str, along: str) -> tuple[str, str]:
    return (
        f"the error is proportional to the {name} {along}: "
        f"a norm/statistic over it is missing, wrong or taken as constant",
        f"the error is a multiple of the {name} plus a constant {along}: a mean and a variance over it "
        "(a norm/statistic) are taken as constant, or their terms are wrong",
    )


def _explained(d: Array, basis: list[Array], axes: tuple[int, ...], size: float, dead: Array) -> bool:
    """Whether d is a linear combination of the basis arrays in each slice over ``axes``, without dead elements."""

    def flat(t: Array) -> Array:
        t = np.moveaxis(np.where(dead, 0.0, t), axes, range(-len(axes), 0))
        return t.reshape(-1, int(np.prod(t.shape[t.ndim - len(axes) :])))

    target, parts = flat(d), [flat(t) for t in basis]
    for s, row in enumerate(target):
        M = np.stack([p[s] for p in parts], 1)
        if not np.isfinite(M).all() or not np.isfinite(row).all():
            return False
        fit = M @ np.linalg.lstsq(M, row, rcond=None)[0]
        if np.abs(row - fit).max() > 2e-3 * size:
            return False
    return True
