"""Patterns in the difference between the wrong and the right gradient at one point.

Each pattern yields hints. The key of a hint names the observation without numbers, so that hints of several failing
points can be compared; its text holds only numbers that every point would show.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tinygrad_lite.testing.explain.evidence import LOOSE, Case, Hint, same
from tinygrad_lite.testing.explain.invariance import apart, invariances
from tinygrad_lite.testing.explain.positions import conditions, rows
from tinygrad_lite.testing.explain.structure import ends, jacobian_pattern, slices
from tinygrad_lite.testing.verdict.point import Array


def hints(c: Case) -> list[Hint]:
    """Return the hints of every pattern that fits, the most specific first."""
    with np.errstate(all="ignore"):
        return [hint for pattern in (PATTERNS if c.generic else PLAIN) for hint in pattern(c)]


def _trivial(c: Case) -> list[Hint]:
    if not np.isfinite(c.a).all():
        places = [*conditions(~np.isfinite(c.a), c.x), ("", True)]
        return [Hint(f"not finite {t}", f"not finite {t}".strip(), supports=supports) for t, supports in places]
    if not np.abs(c.a).max(initial=0) > c.tol:
        return same("no gradient reaches this input: zero is returned")
    if not np.abs(c.n).max(initial=0) > c.tol:
        return same("a gradient where the function does not depend on this input")
    return []


def _option(c: Case) -> list[Hint]:
    found = list(itertools.islice(c.refit(), 6)) if c.rel > 1e-3 else []
    fits = [h.option[0] for h in found if h.option and isinstance(h.option[1], float)]
    return [h._replace(supports=not h.option or fits.count(h.option[0]) < 2) for h in found]  # many limits fit


def _swapped(c: Case) -> Iterator[Hint]:
    for j, (a, n) in c.others.items():
        swapped = f"the gradients of inputs {min(c.index, j)} and {max(c.index, j)} are swapped"
        alike = f"equals the gradient of input {j}"
        minus = f"equals minus the gradient of input {j}: perhaps the part in which the two inputs differ is missing"
        if c.a.shape != n.shape:  # cannot show at this point
            yield from (Hint(text, text, supports=False) for text in (swapped, alike, minus))
        elif c.fits(c.n, n) or c.fits(c.n, -n) or not np.abs(c.a).max(initial=0) > c.tol:
            continue
        elif c.fits(c.a, n):
            yield from same(swapped if c.fits(a, c.n) else alike)
        elif c.fits(c.a, -n):
            yield from same(minus)


def _moved(c: Case) -> list[Hint]:
    a, n = c.a, c.n
    if a.size < 3 or c.rel < 0.02 or len(np.unique(np.round(n / c.top, 6))) < 3:
        return []
    if a.ndim >= 2 and a.shape[-1] == a.shape[-2] and c.fits(np.swapaxes(a, -1, -2), n):
        return same("looks transposed")
    for axes in itertools.chain.from_iterable(itertools.combinations(range(a.ndim), k) for k in (1, 2)):
        if all(a.shape[ax] > 1 for ax in axes) and c.fits(np.flip(a, axes), n):
            return same(f"looks flipped along axes {axes}")
    for axis in range(a.ndim):
        for shift in (1, -1, 2, -2):
            if a.shape[axis] > abs(shift) + 2 and c.fits(np.roll(a, shift, axis), n):
                return [Hint(f"shifted {axis}", f"looks shifted along axis {axis}: an offset or an alignment is wrong")]
    if 2 < a.ndim < 5:
        for perm in itertools.permutations(range(a.ndim)):
            if perm != tuple(range(a.ndim)) and c.fits(a.transpose(perm), n):
                return same(f"looks transposed by {perm}")
    return []


def _values_moved(c: Case) -> list[Hint]:
    if c.a.size > 3 and c.rel > 0.02 and np.ptp(c.a) > 1e-3 * c.top and c.fits(np.sort(c.a, None), np.sort(c.n, None)):
        return same("right values in the wrong places: an order, layout or permutation is wrong or not inverted")
    return []


def _incoming(c: Case) -> list[Hint]:
    """Compare the gradient, and its error, with the incoming gradient, unchanged or transposed."""
    if c.v is None or c.rel < 1e-3:
        return []
    if c.v.shape == c.a.shape and c.a.size > 2:
        if c.fits(c.n - c.a, c.v):
            return same("missing the incoming gradient itself: a pass-through branch was not added")
        if c.fits(c.a - c.n, c.v):
            return same("the incoming gradient is added once too often")
        if c.fits(c.a, c.v) and c.bad.mean() > 0.9:
            return same("the incoming gradient is passed on unchanged: the local derivative is missing")
    if c.v.ndim == 2 and c.v.shape[0] == c.v.shape[1] > 1 and c.a.ndim == 2:
        turned = c.twist(c.v.T)
        if turned is not None and turned.ndim == 2 and c.fits(turned.T, c.n):
            return same("a matrix in the rule is transposed (the gradient is right for g transposed)")
    return []


def _named(c: Case) -> Iterator[tuple[str, Array]]:
    """Yield functions of the inputs and the output that may be a factor or a term."""
    for j, b in enumerate(c.arrays):
        if j != c.index and b.dtype.kind == "f" and b.size:
            yield from ((f"input {j}", b), (f"1/input {j}", 1 / b), (f"input {j} squared", b * b))
            yield from ((f"1 - input {j}", 1 - b), (f"exp(input {j})", np.exp(b)), (f"exp(-input {j})", np.exp(-b)))
    for name, part in c.parts:
        yield from ((name, part), (f"1/{name}", 1 / part))
    for name, t in (("x", c.x), ("y", c.y)):
        if t is not None:
            yield from ((name, t), (f"1/{name}", 1 / t), (f"{name}^2", t * t), (f"1/{name}^2", 1 / (t * t)))
            yield from ((f"1 - {name}", 1 - t), (f"1/(1 - {name})", 1 / (1 - t)), (f"1 + {name}", 1 + t))
            yield from ((f"1/(1 + {name})", 1 / (1 + t)), (f"{name}/(1 + {name})", t / (1 + t)))
            yield from ((f"1 - {name}^2", 1 - t * t), (f"1/(1 - {name}^2)", 1 / (1 - t * t)))
            yield from ((f"sqrt(1 - {name}^2)", np.sqrt(1 - t * t)), (f"sqrt({name})", np.sqrt(t)))
            yield from ((f"1/sqrt(1 - {name}^2)", 1 / np.sqrt(1 - t * t)), (f"1/sqrt({name})", 1 / np.sqrt(t)))
            yield from ((f"sign({name})", np.sign(t)), (f"|{name}|", np.abs(t)), (f"(1 + {name})/{name}", (1 + t) / t))
            yield from ((f"exp({name})", np.exp(t)), (f"exp(-{name})", np.exp(-t)))


def _functions(c: Case) -> Iterator[Hint]:
    """Compare ratio, missing part and gradient with functions of the inputs and the output."""
    if c.n.size < 2:
        return
    named = [(name, f) for name, t in _named(c) if (f := _as(t, c.n.shape)) is not None and np.isfinite(f).all()]
    r = c.a[c.big] / c.n[c.big]
    small = not np.abs(c.a[~c.big]).max(initial=0) > 1e-3 * c.top
    if small and r.size > 1:
        for name, f in named:
            part = f[c.big]
            if np.allclose(r, part, rtol=LOOSE):
                yield Hint(text := f"off by a factor {name}", text, supports=_distinctive(part))
        if c.v is not None and (v := _as(c.v, c.n.shape)) is not None and _distinctive(v[c.big]):
            if np.allclose(r, v[c.big], rtol=LOOSE):
                yield from same("off by a factor g: the incoming gradient is multiplied in once too often")
            if np.allclose(r, 1 / v[c.big], rtol=LOOSE):
                yield from same("off by a factor 1/g: the incoming gradient is not multiplied in")
    g = c.incoming()
    if g is None or not np.abs(g).min(initial=1) > 1e-6 or not c.rel > 1e-3:
        return
    missing, whole = (c.n - c.a) / g, c.a / g
    if c.elementwise and c.bad.sum() > 1 and np.allclose(whole * (c.n / g), 1, rtol=LOOSE):
        yield from same("the reciprocal of the right derivative: that of the inverse function was taken")
    for name, f in named:
        least = 1e-4 * np.abs(f).max()
        if not _distinctive(f):
            continue
        if np.allclose(missing, f, rtol=LOOSE, atol=least):
            yield from same(f"too small by the term g * {name}")
        if np.allclose(missing, -f, rtol=LOOSE, atol=least):
            yield from same(f"too large by the term g * {name}")
    if c.y is not None and c.y.shape == c.n.shape:
        if _distinctive(f := c.y / c.x) and np.allclose(whole, f, rtol=LOOSE, atol=1e-4 * np.abs(f).max()):
            yield from same("equals g * y/x: only the factor x of y is differentiated, not the rest that depends on x")


def _as(f: Array, shape: tuple[int, ...]) -> Array | None:
    try:
        return np.broadcast_to(f, shape)
    except ValueError:
        return None


def _distinctive(f: Array) -> bool:
    return bool(f.size > 1 and np.isfinite(f).all() and np.ptp(f) > 1e-3 * np.abs(f).max())


def _branches(c: Case) -> list[Hint]:
    on_a, on_n = np.abs(c.a) > c.tol, np.abs(c.n) > c.tol
    if on_a.any() and on_n.any() and (on_a ^ on_n).all() and c.a.size > 2:
        return same("gradient where it should be zero and zero where it should not: a mask or two branches are swapped")
    return []


def manner(c: Case) -> str:
    """Classify the wrong elements: gradient missing, gradient where the function is flat, or a wrong number."""
    if np.all(np.abs(c.a[c.bad]) <= c.tol):
        return "gradient missing"
    return "gradient passed where the function is flat," if np.all(np.abs(c.n[c.bad]) <= c.tol) else "wrong only"


def local(c: Case) -> bool:
    """Whether some elements are wrong and others clearly right."""
    plain = c.right & c.big if manner(c) == "wrong only" else c.right  # a zero gradient proves nothing
    return bool(c.bad.any() and (c.right | c.bad).mean() > 0.8 and (plain & (c.x != 0)).any())


COMMON = ("for x", "at the largest")  # conditions that some elements meet at every point


def _place(c: Case) -> Iterator[Hint]:
    how, some = manner(c), local(c)
    others = [b for j, b in enumerate(c.arrays) if j != c.index and b.dtype.kind == "f"]
    keys = [(j, b) for j, b in enumerate(c.arrays) if b.dtype.kind in "biu"]
    chance = 1 / math.comb(c.bad.size, int(c.bad.sum()))
    for place, supports in conditions(c.bad, c.x, others, keys):
        if some or not supports:
            rare = supports and not place.startswith(COMMON)  # zeros, ties and masks are frequent causes
            yield Hint(text := f"{how} {place}", text, supports=supports, chance=0.0 if rare else chance)
    if not some and not c.bad.all():
        return
    if not c.elementwise:  # an elementwise function treats all positions alike
        for ax, place, chance in rows(c.bad):
            yield Hint(text := f"{how} {place} along {c.axis(ax)}", text, supports=some, chance=chance)


def _small(c: Case) -> list[Hint]:
    """Report an error that is small, also relative to its own element."""
    return same("small error") if c.rel < 0.02 and not (c.off[c.bad] > 0.02).any() else []


PLAIN: tuple[Callable[[Case], Iterable[Hint]], ...] = (
    _trivial,
    _swapped,
    _option,
    jacobian_pattern,
    _branches,
    _place,
    _small,
)
PATTERNS: tuple[Callable[[Case], Iterable[Hint]], ...] = (
    _trivial,
    _swapped,
    _option,
    _moved,
    jacobian_pattern,
    _values_moved,
    _incoming,
    _branches,
    _functions,
    _place,
    _small,
    slices,
    apart,
    invariances,
    ends,
)
