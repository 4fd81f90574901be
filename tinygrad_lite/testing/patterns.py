"""Patterns that tell how a wrong gradient differs from the right one.

Each returns hints, a key and a text: the key names the cause without numbers, so that the hints of several failing
points can be compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.factors import factor
from tinygrad_lite.testing.places import where
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


def hints(c: Case) -> list[Hint]:
    """Every pattern that fits, most telling first."""
    with np.errstate(all="ignore"):
        return [hint for pattern in PATTERNS for hint in pattern(c)]


def _same(text: str) -> list[Hint]:
    return [Hint(text, text)]


def _trivial(c: Case) -> list[Hint]:
    if not np.isfinite(c.a).all():
        place = where(~np.isfinite(c.a), c.x)
        return [Hint("not finite", f"not finite {place}")]
    if not np.abs(c.a).max(initial=0) > c.tol:
        return _same("no gradient reaches this input: zero is returned")
    if not np.abs(c.n).max(initial=0) > c.tol:
        return _same("a gradient where the function does not depend on this input")
    return []


def _ratio(c: Case) -> list[Hint]:
    r = c.a[c.big] / c.n[c.big]
    if not (r.size > 1 or c.n.size == 1):
        return []
    mean = float(r.mean())
    if r.std() < 1e-4 * abs(mean) and abs(mean - 1) > 1e-2 and np.abs(c.a - mean * c.n).max() <= c.tol:
        named = [Hint(key, f"off by {text}") for key, text in factor(mean, c.arrays, c.options)]
        return named if c.n.size > 1 or "constant" not in named[0].text else []
    return []


def _option(c: Case) -> list[Hint]:
    return list(itertools.islice(c.refit(), 1)) if c.rel > 1e-3 else []


def _swapped(c: Case) -> list[Hint]:
    for j, n in c.others.items():
        if not c.fits(c.n, n) and c.fits(c.a, n):
            return _same(f"the gradients of inputs {min(c.index, j)} and {max(c.index, j)} are swapped")
        if not c.fits(c.n, -n) and c.fits(c.a, -n):
            return _same(f"equals minus the gradient of input {j}")
    return []


def _moved(c: Case) -> list[Hint]:
    a, n = c.a, c.n
    if a.size < 3 or c.rel < 0.02 or np.ptp(a) < 1e-3 * c.top:
        return []
    if a.ndim >= 2 and a.shape[-1] == a.shape[-2] and c.fits(np.swapaxes(a, -1, -2), n):
        return _same("looks transposed")
    for axes in itertools.chain.from_iterable(itertools.combinations(range(a.ndim), k) for k in (1, 2)):
        if all(a.shape[ax] > 1 for ax in axes) and c.fits(np.flip(a, axes), n):
            return [Hint("flipped", f"looks flipped along axes {axes}")]
    for axis in range(a.ndim):
        for shift in (1, -1, 2, -2):
            if a.shape[axis] > abs(shift) + 2 and c.fits(np.roll(a, shift, axis), n):
                return [Hint("shifted", f"looks shifted by {-shift} along axis {axis}")]
    if 2 < a.ndim < 5:
        for perm in itertools.permutations(range(a.ndim)):
            if perm != tuple(range(a.ndim)) and c.fits(a.transpose(perm), n):
                return [Hint("permuted", f"looks transposed by {perm}")]
    return []


def _values_moved(c: Case) -> list[Hint]:
    if c.a.size > 3 and c.rel > 0.02 and np.ptp(c.a) > 1e-3 * c.top and c.fits(np.sort(c.a, None), np.sort(c.n, None)):
        return _same("right values in the wrong places (permutation not inverted?)")
    return []


def _structure(c: Case) -> list[Hint]:
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
            return _same("the Jacobian is transposed: the forward map was applied to g, not its adjoint")
        off = ~np.eye(len(A), dtype=bool)
        if not has_a[off].any() and has_n[off].any() and has_n[~off].mean() > 0.5:
            return _same("treated as elementwise: the terms between different elements are missing")
    lost = has_n & ~has_a
    if (
        lost.any()
        and (np.abs(A - N)[~lost] <= 1e-5 * top).all()
        and c.y is not None
        and _last_wins(lost, has_a, c.y.shape)
    ):
        text = "contributions are lost where one element is used several times: assigned instead of added"
        return _same(f"{text} (np.add.at, +=)")
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


def _incoming(c: Case) -> list[Hint]:
    """The gradient, or what is missing from it, is the incoming gradient, as it is or turned."""
    if c.v is None or c.rel < 1e-3:
        return []
    if c.v.shape == c.a.shape and c.a.size > 2:
        if c.fits(c.n - c.a, c.v):
            return _same("missing the incoming gradient itself: a pass-through branch was not added")
        if c.fits(c.a - c.n, c.v):
            return _same("the incoming gradient is added once too often")
        if c.fits(c.a, c.v) and c.bad.mean() > 0.9:
            return _same("the incoming gradient is passed on unchanged: the local derivative is missing")
    if c.v.ndim == 2 and c.v.shape[0] == c.v.shape[1] > 1 and c.a.ndim == 2:
        turned = c.twist(c.v.T)
        if turned is not None and c.fits(turned.T, c.n):
            return _same("a matrix in the rule is transposed (the gradient is right for g transposed)")
    return []


def _functions(c: Case) -> list[Hint]:
    """Ratio or missing part equal to a function of the inputs or the output."""
    if c.n.size < 2:
        return []
    x, y = c.x, c.y
    named: list[tuple[str, Array]] = []
    for j, b in enumerate(c.arrays):
        if j != c.index and b.dtype.kind == "f" and b.size:
            named += [(f"input {j}", b), (f"1/input {j}", 1 / b), (f"input {j} squared", b * b)]
    for name, t in (("x", x), ("y", y)):
        if t is not None:
            named += [(name, t), (f"1/{name}", 1 / t), (f"{name}^2", t * t), (f"1/{name}^2", 1 / (t * t))]
            named += [(f"1 - {name}", 1 - t), (f"1/(1 - {name})", 1 / (1 - t)), (f"1 + {name}", 1 + t)]
            named += [(f"1/(1 + {name})", 1 / (1 + t)), (f"{name}/(1 + {name})", t / (1 + t))]
            named += [(f"1 - {name}^2", 1 - t * t), (f"1/(1 - {name}^2)", 1 / (1 - t * t))]
            named += [(f"sqrt(1 - {name}^2)", np.sqrt(1 - t * t)), (f"1/sqrt(1 - {name}^2)", 1 / np.sqrt(1 - t * t))]
            named += [(f"sign({name})", np.sign(t)), (f"|{name}|", np.abs(t)), (f"exp({name})", np.exp(t))]
            named += [(f"sqrt({name})", np.sqrt(t)), (f"(1 + {name})/{name}", (1 + t) / t)]
    if c.v is not None:
        named += [("the incoming gradient g", c.v), ("1/g: the incoming gradient is not multiplied in", 1 / c.v)]
    r = c.a[c.big] / c.n[c.big]
    for name, f in named:
        whole = _as(f, c.n.shape)
        if whole is None:
            continue
        f = whole[c.big]
        if f.size < 2 or not np.isfinite(f).all() or not np.ptp(f) > 1e-3 * np.abs(f).max():
            continue
        if np.allclose(r, f, rtol=LOOSE) and np.abs(c.a[~c.big]).max(initial=0) < 0.1 * c.top:
            return _same(f"off by a factor {name}")
    if c.v is not None and c.v.shape == c.n.shape and c.rel > 1e-3:
        missing = (c.n - c.a) / c.v
        for name, f in named[:-2]:
            whole = _as(f, c.n.shape)
            if whole is None or not np.isfinite(whole).all() or not np.ptp(whole) > 1e-3 * np.abs(whole).max():
                continue
            for sign in (1, -1):
                if np.allclose(missing, sign * whole, rtol=LOOSE, atol=1e-4 * np.abs(whole).max()):
                    return _same(
                        f"off by a term g * {name}: it is missing" if sign > 0 else f"off by a term g * {name} too much"
                    )
    return []


def _as(f: Array, shape: tuple[int, ...]) -> Array | None:
    try:
        return np.broadcast_to(f, shape)
    except ValueError:
        return None


def _place(c: Case) -> list[Hint]:
    bad = c.bad
    on_a, on_n = np.abs(c.a) > c.tol, np.abs(c.n) > c.tol
    if on_a.any() and on_n.any() and (on_a ^ on_n).all() and c.a.size > 2:
        return _same(
            "gradient where there should be none and none where there should be: a mask or two branches are swapped"
        )
    if not bad.any() or not (c.right | bad).all() or not (c.right & (c.x != 0)).any():
        return []
    place = where(bad, c.x, [b for j, b in enumerate(c.arrays) if j != c.index and b.dtype.kind == "f"])
    if np.all(np.abs(c.a[bad]) <= c.tol):
        key, text = "gradient missing", f"gradient missing {place}"
    elif np.all(np.abs(c.n[bad]) <= c.tol):
        key, text = "gradient passed", f"gradient passed where the function is flat, {place}"
    else:
        key, text = "wrong only", f"wrong only {place}"
        r = c.a[bad] / c.n[bad]
        mean = float(r.mean())
        if r.size > 1 and r.std() < LOOSE * abs(mean) and abs(mean - 1) > 1e-2:
            text += f", there off by {factor(mean, c.arrays, c.options)[0][1]}"
    return [Hint(key, text)]


def _small(c: Case) -> list[Hint]:
    if c.rel < 0.02:
        text = f"small error ({c.rel:.1e} of the gradient): a constant, eps, lambda or precision does not match"
        return [Hint("small error", text)]
    return []


def _slices(c: Case) -> list[Hint]:
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
            if np.all(np.ptp(d, axes) < LOOSE * size):
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


PATTERNS: tuple[Callable[[Case], list[Hint]], ...] = (
    _trivial,
    _ratio,
    _swapped,
    _option,
    _moved,
    _structure,
    _values_moved,
    _incoming,
    _functions,
    _place,
    _small,
    _slices,
)
