"""Find a constant ratio between the wrong and the right gradient, and name it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.testing.explain.evidence import Case

CLOSE = 2e-4  # relative tolerance between a ratio and a named value; about thirty are tried
COMMON = (("-1 (sign)", -1.0), ("2", 2.0), ("1/2", 0.5), ("-2", -2.0), ("-1/2", -0.5), ("3", 3.0), ("1/3", 1 / 3))


def constant(c: Case) -> tuple[float, int] | None:
    """Return the ratio of analytic to numeric derivatives if it is constant, and the number of derivatives."""
    a, n = c.entries()
    top = max(float(np.abs(n).max(initial=0)), float(np.abs(a).max(initial=0)))
    if not np.isfinite(a).all() or not top > 0:
        return None
    big = np.abs(n) > 1e-3 * top
    r = a[big] / n[big]
    if not r.size:
        return None
    mean = float(r.mean())
    steady = r.std() < 1e-4 * abs(mean) and abs(mean - 1) > 1e-3 and np.abs(a - mean * n).max() <= 1e-4 * top
    return (mean, int(r.size)) if steady else None


def factor(cases: Sequence[Case]) -> str | None:
    """Name the ratio, if it is constant at each point."""
    found = [constant(c) for c in cases]
    ratios = [f[0] for f in found if f is not None]
    if len(ratios) < len(cases) or max(f[1] for f in found if f) < 2 and len(cases) < 2:
        lone = len(ratios) == len(cases) == 1 and any(_near(ratios[0], value) for _, value in COMMON[:3])
        if not lone:
            return None
    equal = max(ratios) - min(ratios) <= CLOSE * abs(ratios[0])
    names = [
        {key: text for key, text, value in candidates(c) if _near(r, value)} for c, r in zip(cases, ratios, strict=True)
    ]
    shared = [key for key in names[0] if all(key in more for more in names)]
    if equal and len(cases) > 2:
        named = [names[0][key] for key in shared if key.split(" ", 1)[1] in _plain(cases[0])][:1]
        return " = ".join([f"off by the factor {_number(ratios[0])}", *named])
    if shared:
        if equal and shared[0].startswith("number"):  # roots and the like are then coincidences
            shared = [
                key for key in shared if not any(t in key for t in ("root", "ddof", "squared", "exp", "+", "- 1"))
            ]
        texts = dict.fromkeys(names[0][key] for key in _first_of_each_kind(shared))
        if len(cases) == 1 and len(texts) > 0 and not shared[0].startswith("number"):  # several names may fit one point
            every = dict.fromkeys(names[0][key] for key in shared)
            return " or ".join([f"off by the factor {_number(ratios[0])}: a number", *list(every)[:3]])
        return "off by the factor " + " or ".join(list(texts)[:2])
    if equal and (len(cases) > 3 or any(_near(ratios[0], value) for _, value in COMMON)):  # a few may agree by chance
        return f"off by the factor {_number(ratios[0])}"
    several = sum(f[1] > 1 for f in found if f is not None) > 1  # two single numbers always have a ratio
    other = "off by a constant factor, a different one at each point" if several else None
    return _decided(cases, ratios) or _count(cases, ratios) or other


def _plain(c: Case) -> list[str]:
    names = [*c.options, *(f"input {j}" for j in range(len(c.arrays)))]
    return [*names, *(f"1/{t}" for t in names), *(f"1/({t})" for t in names)]


def _near(r: float, value: float) -> bool:
    return abs(r - value) < CLOSE * abs(value)


def _number(r: float) -> str:
    for text, value in COMMON:
        if _near(r, value):
            return text
    for q in range(1, 7):
        if abs(r) < 20 and abs(r * q - round(r * q)) < CLOSE and round(r * q):
            return f"{round(r * q)}/{q}" if q > 1 else str(round(r))
    return f"{r:.6g}"


def _first_of_each_kind(keys: Sequence[str]) -> list[str]:
    """Keep the first of several sizes and the first of several options."""
    return list({key.split()[0]: key for key in reversed(keys)}.values())[::-1]


def candidates(c: Case) -> Iterator[tuple[str, str, float]]:
    """Yield (key, text, value) of every named ratio at this point."""
    for text, value in COMMON:
        yield f"number {text}", text, value
    for k, val in c.options.items():
        if isinstance(val, (int, float)) and not isinstance(val, bool) and val != 0:
            for name, value in _powers(k, float(val)):
                if value not in (0.0, 1.0):
                    yield f"option {name}", f"{name} (option {k})", value
    for j, b in enumerate(c.arrays):
        if b.dtype.kind == "f" and b.size == 1 and b.flat[0] != 0:
            for name, value in _powers(f"input {j}", float(b.flat[0])):
                yield f"input {name}", name, value
    order = sorted(range(len(c.arrays)), key=lambda j: j != c.index)  # the shape of the input itself first
    for j in order:
        shape = c.arrays[j].shape
        of = "" if j == c.index else f" of input {j}"
        last = len(shape) - 1
        axis = [
            c.axis(ax) if j == c.index else "the last axis" if ax == last > 0 else f"axis {ax}"
            for ax in range(len(shape))
        ]
        sizes = [(f"the length of {axis[ax]}{of}", n) for ax, n in enumerate(shape)]
        sizes += [(f"the size of {of[4:] or 'the input'}", c.arrays[j].size)] if len(shape) > 1 else []
        sizes += [
            (
                f"the size of {of[4:] or 'the input'} without {axis[ax]}",
                c.arrays[j].size // n,
            )
            for ax, n in enumerate(shape)
            if n > 1 and len(shape) > 1
        ]
        for one, other in itertools.permutations(range(len(shape)), 2):
            if 1 < shape[one] != shape[other] > 1:
                text = f"n/m, n the length of {axis[one]}{of} and m of {axis[other]}: counted along the wrong axis"
                yield f"quotient {axis[one]}/{axis[other]}{of}", text, shape[one] / shape[other]
        for what, n in sizes:
            if n > 1:
                yield f"size {what}", f"n, {what}: a sum where a mean is meant", n
                yield f"size 1/{what}", f"1/n, n {what}: divided by a count once too often", 1 / n
                yield f"size root {what}", f"sqrt(n), n {what}", math.sqrt(n)
                yield f"size 1/root {what}", f"1/sqrt(n), n {what}", 1 / math.sqrt(n)
                yield (
                    f"size ddof {what}",
                    f"(n - 1)/n, n {what}: the count is one too large (ddof, a masked element)",
                    (n - 1) / n,
                )
                yield (
                    f"size 1/ddof {what}",
                    f"n/(n - 1), n {what}: the count is one too small (ddof, a masked element)",
                    n / (n - 1),
                )


def _powers(name: str, t: float) -> Iterator[tuple[str, float]]:
    yield name, t
    yield f"1/({name})" if " " in name else f"1/{name}", 1 / t
    yield f"-({name})" if " " in name else f"-{name}", -t
    yield f"{name} squared", t * t
    yield f"1/{name} squared", 1 / (t * t)
    yield f"1 - {name}", 1 - t
    yield f"1/(1 - {name})", 1 / (1 - t) if t != 1 else math.nan
    if abs(t) != 1:
        yield f"{name}/({name} + 1)", t / (t + 1)
        yield f"({name} - 1)/{name}", (t - 1) / t
    yield f"exp({name})", math.exp(min(t, 700.0))
    yield f"exp(-{name})", math.exp(min(-t, 700.0))


def _decided(cases: Sequence[Case], ratios: Sequence[float]) -> str | None:
    """Find an option, or several together, whose value determines the ratio."""
    keys = [k for k in cases[0].options if len({repr(c.options.get(k)) for c in cases}) > 1]
    for chosen in [(k,) for k in keys] + ([tuple(keys)] if len(keys) > 1 else []):
        seen: dict[tuple[Any, ...], list[float]] = {}
        for c, r in zip(cases, ratios, strict=True):
            seen.setdefault(tuple(c.options.get(k) for k in chosen), []).append(r)
        if len(chosen) == 1 and any(_confounded(cases, chosen[0], k) for k in keys if k not in chosen):
            continue
        if len(seen) == len(cases) or any(max(rs) - min(rs) > CLOSE * abs(rs[0]) for rs in seen.values()):
            continue
        shown = [
            f"{_number(rs[0])} with {', '.join(f'{k}={v!r}' for k, v in zip(chosen, values, strict=True))}"
            for values, rs in list(seen.items())[:4]
        ]
        which = f"option {chosen[0]} decides" if len(chosen) == 1 else f"options {', '.join(chosen)} decide"
        return f"off by a factor that {which}: {'; '.join(shown)}"
    return None


def _confounded(cases: Sequence[Case], key: str, other: str) -> bool:
    """Whether the other option has one value only for each value of this one."""
    pairs = {(repr(c.options.get(key)), repr(c.options.get(other))) for c in cases}
    return len({a for a, _ in pairs}) == len(pairs)


def _count(cases: Sequence[Case], ratios: Sequence[float]) -> str | None:
    """Find a ratio m/n or n/m, n the length of an axis: the count of some elements instead of all."""
    if len(cases) < 3:
        return None
    for ax in range(min(c.x.ndim for c in cases)):
        lengths = [c.x.shape[ax] for c in cases]
        for name, scaled in (
            ("m/n", [r * n for r, n in zip(ratios, lengths, strict=True)]),
            ("n/m", [n / r for r, n in zip(ratios, lengths, strict=True)]),
        ):
            counts = [round(t) for t in scaled]
            if all(abs(t - m) < 1e-3 and 0 < m < n for t, m, n in zip(scaled, counts, lengths, strict=True)):
                at = ", ".join(dict.fromkeys(f"m = {m} where n = {n}" for m, n in zip(counts, lengths, strict=True)))
                if len(set(counts)) == 1 and len(set(lengths)) > 1:
                    m, n = counts[0], f"n the length of axis {ax}"
                    return f"off by the factor {f'n/{m}' if name == 'n/m' else f'{m}/n'}, {n}"
                if len({n - m for m, n in zip(counts, lengths, strict=True)}) > 1 and max(lengths) > 2:
                    return (
                        f"off by the factor {name}, n = the length of axis {ax} and m a smaller whole number "
                        f"({at}): divided by the count of all elements instead of some (valid, unmasked, not ignored)"
                        if name == "m/n"
                        else f"off by the factor n/m, n = the length of axis {ax} and m a smaller whole number "
                        f"({at}): divided by the count of some elements instead of all"
                    )
    return None
