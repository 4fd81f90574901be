"""Patterns that tell how a wrong gradient differs from the right one, most telling first."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_lite.testing.point import Array

LOOSE = 1e-3  # relative agreement that a pattern needs


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
    refit: Callable[[], Iterator[str]] = lambda: iter(())  # options whose other value fits ``a``
    top: float = field(init=False)
    tol: float = field(init=False)

    def __post_init__(self) -> None:
        fin = self.a[np.isfinite(self.a)]
        self.top = float(max(np.abs(self.n).max(initial=0), np.abs(fin).max(initial=0)))
        self.tol = 1e-4 * self.top

    @property
    def big(self) -> Array:
        """Where the true gradient is large enough for ratios."""
        return np.abs(self.n) > 1e-3 * self.top

    @property
    def bad(self) -> Array:
        """Where the two disagree."""
        return ~(np.abs(self.a - self.n) <= self.tol + LOOSE * np.abs(self.n))

    @property
    def rel(self) -> float:
        """Size of the disagreement as a part of the gradient."""
        return float(np.abs(self.a - self.n).max(initial=0)) / max(self.top, 1e-300)

    def fits(self, a: Array, n: Array) -> bool:
        """Whether two arrays agree as far as patterns go."""
        return a.shape == n.shape and bool(np.allclose(a, n, rtol=LOOSE, atol=min(self.tol, 0.1 * self.rel * self.top)))


def suspicion(c: Case) -> str:
    """The first pattern that fits, or that none does."""
    with np.errstate(all="ignore"):
        for pattern in PATTERNS:
            text = pattern(c)
            if text:
                return text
    return "no simple pattern: a term is missing or wrong"


def _trivial(c: Case) -> str:
    if not np.isfinite(c.a).all():
        return f"not finite {where(~np.isfinite(c.a), c.x)}"
    if not np.abs(c.a).max(initial=0) > c.tol:
        return "no gradient reaches this input: zero is returned"
    if not np.abs(c.n).max(initial=0) > c.tol:
        return "a gradient where the function does not depend on this input"
    return ""


def _ratio(c: Case) -> str:
    big = c.big
    r = c.a[big] / c.n[big]
    if r.size > 1 or c.n.size == 1:
        mean = float(r.mean())
        if r.std() < 1e-4 * abs(mean) and abs(mean - 1) > 1e-2 and np.abs(c.a - mean * c.n).max() <= c.tol:
            return factor(mean, c)
    return ""


def _option(c: Case) -> str:
    return next(iter(c.refit()), "")


def _other_arrays(c: Case) -> str:
    if c.n.size < 2 or not c.big.all():
        return ""
    r, x, y = c.a / c.n, c.x, c.y
    named: list[tuple[str, Array]] = []
    for j, b in enumerate(c.arrays):
        if j != c.index and b.dtype.kind == "f" and b.size:
            named += [(f"input {j}", b), (f"1/input {j}", 1 / b), (f"input {j} squared", b * b)]
    named += [("x", x), ("1/x", 1 / x), ("x^2", x * x), ("1 - x^2", 1 - x * x), ("|x|", np.abs(x)), ("sign(x)", np.sign(x))]
    if y is not None:
        named += [("y", y), ("1/y", 1 / y), ("y^2", y * y), ("1 - y", 1 - y), ("1 - y^2", 1 - y * y)]
        named += [("1/(1 - y)", 1 / (1 - y)), ("1/(1 - y^2)", 1 / (1 - y * y))]
    if c.v is not None:
        named += [("the incoming gradient g", c.v), ("1/g: the incoming gradient is not multiplied in", 1 / c.v)]
    for name, f in named:
        if np.ndim(f) <= r.ndim and _broadcasts(np.shape(f), r.shape) and np.ptp(f) > 1e-3 * np.abs(f).max():
            if np.allclose(r, f, rtol=LOOSE):
                return f"off by a factor {name}"
    return ""


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    return all(s in (1, t) for s, t in zip(small[::-1], large[::-1], strict=False))


def _pass_through(c: Case) -> str:
    if c.v is None or c.v.shape != c.a.shape or c.a.size < 3:
        return ""
    for sign, text in ((1.0, "missing the incoming gradient itself: a pass-through branch was not added"),
                       (-1.0, "the incoming gradient is added once too often")):
        if c.fits(c.n - c.a, sign * c.v):
            return text
    if c.fits(c.a, c.v):
        return "the incoming gradient is passed on unchanged: the local derivative is missing"
    return ""


def _moved(c: Case) -> str:
    a, n = c.a, c.n
    if a.size < 3 or c.rel < 0.02 or np.ptp(a) < 1e-3 * c.top:
        return ""
    if a.ndim >= 2 and a.shape[-1] == a.shape[-2] and c.fits(np.swapaxes(a, -1, -2), n):
        return "looks transposed"
    for axes in itertools.chain.from_iterable(itertools.combinations(range(a.ndim), k) for k in (1, 2)):
        if c.fits(np.flip(a, axes), n):
            return f"looks flipped along axes {axes}"
    for axis in range(a.ndim):
        for shift in (1, -1, 2, -2):
            if a.shape[axis] > 2 and c.fits(np.roll(a, shift, axis), n):
                return f"looks shifted by {-shift} along axis {axis}"
    if 2 < a.ndim < 5:
        for perm in itertools.permutations(range(a.ndim)):
            if c.fits(a.transpose(perm), n):
                return f"looks transposed by {perm}"
    if a.shape and c.fits(a.ravel(order="F").reshape(a.shape), n):
        return "looks reshaped in column order"
    if c.fits(np.sort(a, None), np.sort(n, None)):
        return "right values in the wrong places (permutation not inverted?)"
    return ""


def _small(c: Case) -> str:
    if c.rel < 0.02:
        some = "" if c.bad.all() or not c.bad.any() else f", {where(c.bad, c.x)}"
        return f"small error ({c.rel:.1e} of the gradient){some}: constant, eps, lambda or precision mismatch"
    return ""


def _place(c: Case) -> str:
    bad = c.bad
    if not bad.any() or bad.all():
        return ""
    place, told = where(bad, c.x), where(bad, c.x, vague=False)
    if np.all(np.abs(c.a[bad]) <= c.tol):
        return f"gradient missing {place}"
    if np.all(np.abs(c.n[bad]) <= c.tol):
        return f"gradient passed where the function is flat, {place}"
    if told or bad.sum() <= bad.size / 2:
        r = c.a[bad] / c.n[bad]
        same = r.size > 1 and r.std() < LOOSE * abs(r.mean()) and abs(r.mean() - 1) > 1e-2
        return f"wrong only {place}" + (f", there {factor(float(r.mean()), c)}" if same else "")
    return ""


def _slices(c: Case) -> str:
    a, n = c.a, c.n
    for ax in range(a.ndim):
        if a.shape[ax] < 2 or a.size < 3:
            continue
        r = a / n
        if c.big.all() and np.all(np.ptp(r, ax) < LOOSE * np.abs(r.mean(ax))):
            return f"off by a factor constant along axis {ax} (per-slice factor: scale, mask or reduction)"
        dif = a - n
        if np.all(np.ptp(dif, ax) < LOOSE * np.abs(dif).max()):
            return f"off by a term constant along axis {ax}: a mean/sum term over that axis is missing"
    return ""


def _statistic(c: Case) -> str:
    for name, t in (("input", c.x), ("output", c.y)):
        if t is None or t.shape != c.a.shape:
            continue
        d = c.a - c.n
        if c.a.size > 2 and c.fits(d * (d * t).sum() / 1.0, d) or (c.a.size > 3 and _parallel(d, t)):
            return f"missing a term proportional to the {name}: a norm/statistic was treated as constant"
        for ax in range(c.a.ndim):
            if c.a.shape[ax] > 2 and _parallel(np.moveaxis(d, ax, -1), np.moveaxis(t, ax, -1), rows=True):
                return f"missing a term proportional to the {name} along axis {ax}: a norm/statistic was treated as constant"
    return ""


def _parallel(d: Array, t: Array, rows: bool = False) -> bool:
    """Whether d is a multiple of t (row by row if asked)."""
    axis = -1 if rows else None
    scale = (d * t).sum(axis, keepdims=True) / np.maximum((t * t).sum(axis, keepdims=True), 1e-300)
    return bool(np.abs(d - scale * t).max() < 1e-2 * np.abs(d).max())


PATTERNS: tuple[Callable[[Case], str], ...] = (
    _trivial,
    _ratio,
    _option,
    _other_arrays,
    _pass_through,
    _moved,
    _small,
    _place,
    _slices,
    _statistic,
)


def where(bad: Array, x: Array, vague: bool = True) -> str:
    """In words, which elements are bad; "" if no words fit and ``vague`` is off."""
    ok = ~bad
    for name, cond in (
        ("at x = 0", x == 0),
        ("for x < 0", x < 0),
        ("for x <= 0", x <= 0),
        ("for x > 0", x > 0),
        ("for x >= 0", x >= 0),
        ("at tied values", tied(x)),
        ("at the largest element", x == x.max(initial=-math.inf)),
    ):
        if np.array_equal(bad, cond):
            return name
    if bad.any() and ok.any():
        mag = np.abs(x)
        if mag[bad].min() > mag[ok].max():
            return f"for |x| > {mag[ok].max():.3g}"
        if bad.sum() > 1 and mag[bad].max() < mag[ok].min():
            return f"for |x| < {mag[ok].min():.3g}"
        for ax in range(x.ndim):
            rows = np.unique(np.argwhere(bad)[:, ax])
            if len(rows) < x.shape[ax] and np.take(bad, rows, ax).mean() > 0.9:
                first, last = rows[0] == 0, rows[-1] == x.shape[ax] - 1
                edge = "border" if first and last else "first" if first else "last" if last else "some"
                return f"in the {edge} {len(rows)} of {x.shape[ax]} along axis {ax}"
    return f"at {int(bad.sum())} of {bad.size} elements" if vague else ""


def tied(x: Array) -> Array:
    """Elements whose value occurs more than once."""
    _, inverse, count = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray(count[inverse].reshape(x.shape) > 1)


def factor(r: float, c: Case) -> str:
    """A constant ratio with the name of what it may be."""
    names: dict[str, float] = {"-1 (sign)": -1.0, "2": 2.0, "1/2": 0.5}
    for k, val in c.options.items():
        if isinstance(val, (int, float)) and not isinstance(val, bool) and val not in (0, 1):
            names[f"option {k} = {val}"] = float(val)
            names[f"1/{k}, option {k} = {val}"] = 1 / val
            names[f"-{k}, option {k} = {val}"] = -float(val)
            if k and val not in (0, 1, 2):
                names[f"{k} squared, option {k} = {val}"] = float(val) ** 2
                names[f"1 - {k}, option {k} = {val}"] = 1 - float(val)
                names[f"1/(1 - {k}), option {k} = {val}"] = 1 / (1 - float(val))
    for j, a in enumerate(c.arrays):
        sizes = [(f"shape of input {j}[{ax}]", n) for ax, n in enumerate(a.shape)] + [(f"size of input {j}", a.size)]
        for what, n in sizes:
            if n > 1:
                names.setdefault(f"{n} = {what}: a sum where a mean is meant, or the mean twice", n)
                names.setdefault(f"1/{n}, {what}: divided by a count once too often", 1 / n)
                names.setdefault(f"sqrt({n}), {what}", math.sqrt(n))
                names.setdefault(f"1/sqrt({n}), {what}", 1 / math.sqrt(n))
                names.setdefault(f"{n - 1}/{n}, {what} (ddof)", (n - 1) / n)
                names.setdefault(f"{n}/{n - 1}, {what} (ddof)", n / (n - 1))
    for name, val in names.items():
        if abs(r - val) < 1e-3 * abs(val):
            return f"off by the factor {name}"
    return f"off by a constant factor {r:.4g}"
