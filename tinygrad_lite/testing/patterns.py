"""Patterns that tell how a wrong gradient differs from the right one.

Each returns hints, a key and a text: the key names the cause without numbers, so that the hints of several failing
points can be compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from tinygrad_lite.testing.evidence import LOOSE, Case, Hint, same
from tinygrad_lite.testing.factors import factor
from tinygrad_lite.testing.places import where
from tinygrad_lite.testing.point import Array
from tinygrad_lite.testing.structure import jacobian_pattern, slices


def hints(c: Case) -> list[Hint]:
    """Every pattern that fits, most telling first."""
    with np.errstate(all="ignore"):
        return [hint for pattern in PATTERNS for hint in pattern(c)]


def _trivial(c: Case) -> list[Hint]:
    if not np.isfinite(c.a).all():
        place = where(~np.isfinite(c.a), c.x)
        return [Hint("not finite", f"not finite {place}")]
    if not np.abs(c.a).max(initial=0) > c.tol:
        return same("no gradient reaches this input: zero is returned")
    if not np.abs(c.n).max(initial=0) > c.tol:
        return same("a gradient where the function does not depend on this input")
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
    return list(itertools.islice(c.refit(), 3)) if c.rel > 1e-3 else []


def _swapped(c: Case) -> list[Hint]:
    for j, n in c.others.items():
        if not c.fits(c.n, n) and c.fits(c.a, n):
            return same(f"the gradients of inputs {min(c.index, j)} and {max(c.index, j)} are swapped")
        if not c.fits(c.n, -n) and c.fits(c.a, -n):
            return same(f"equals minus the gradient of input {j}")
    return []


def _moved(c: Case) -> list[Hint]:
    a, n = c.a, c.n
    if a.size < 3 or c.rel < 0.02 or np.ptp(a) < 1e-3 * c.top:
        return []
    if a.ndim >= 2 and a.shape[-1] == a.shape[-2] and c.fits(np.swapaxes(a, -1, -2), n):
        return same("looks transposed")
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
        return same("right values in the wrong places (permutation not inverted?)")
    return []


def _incoming(c: Case) -> list[Hint]:
    """The gradient, or what is missing from it, is the incoming gradient, as it is or turned."""
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
        if turned is not None and c.fits(turned.T, c.n):
            return same("a matrix in the rule is transposed (the gradient is right for g transposed)")
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
            return same(f"off by a factor {name}")
    if c.v is not None and c.v.shape == c.n.shape and c.rel > 1e-3:
        missing = (c.n - c.a) / c.v
        for name, f in named[:-2]:
            whole = _as(f, c.n.shape)
            if whole is None or not np.isfinite(whole).all() or not np.ptp(whole) > 1e-3 * np.abs(whole).max():
                continue
            for sign in (1, -1):
                if np.allclose(missing, sign * whole, rtol=LOOSE, atol=1e-4 * np.abs(whole).max()):
                    return same(
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
        return same(
            "gradient where there should be none and none where there should be: a mask or two branches are swapped"
        )
    if not bad.any() or not (c.right | bad).all() or not (c.right & (c.x != 0)).any():
        return []
    place = where(bad, c.x, [b for j, b in enumerate(c.arrays) if j != c.index and b.dtype.kind == "f"])
    if np.all(np.abs(c.a[bad]) <= c.tol):
        key, text = "gradient missing", f"gradient missing {place}"
    elif np.all(np.abs(c.n[bad]) <= c.tol):
        key, text = "gradient passed", f"gradient passed where the function is flat, {place}"
    elif not (c.right & c.big).any():  # right by being zero tells nothing
        return []
    else:
        family = " ".join(w for w in place.split() if not any(ch.isdigit() for ch in w))
        key, text = f"wrong only {family}", f"wrong only {place}"
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


PATTERNS: tuple[Callable[[Case], list[Hint]], ...] = (
    _trivial,
    _ratio,
    _swapped,
    _option,
    _moved,
    jacobian_pattern,
    _values_moved,
    _incoming,
    _functions,
    _place,
    _small,
    slices,
)
