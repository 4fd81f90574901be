"""Compute analytic and numeric gradients at a failing point, and the calls that explanations repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from tinygrad_lite.testing.explain.evidence import Case, Hint
from tinygrad_lite.testing.explain.jacobian import Jacobians
from tinygrad_lite.testing.explain.leaves import LEAVES, leaves, place
from tinygrad_lite.testing.verdict.point import Array, Point, Vector, unflatten


def compared(p: Point, met: Mapping[str, Sequence[Any]] = MappingProxyType({})) -> dict[str, Case]:
    """Return a `Case` for every wrong input of a point; ``met`` holds the values of options in the search."""
    J = Jacobians(p)
    floats = [a for a in J.outs.arrays if a.dtype.kind == "f"]
    v = np.random.default_rng(1).standard_normal(J.size)
    prefix, single, part = "", floats[0] if len(floats) == 1 else None, slice(0, J.size)
    if len(floats) > 1 and J.analytic is not None:
        wrong = _wrong_outputs(J)
        if len(wrong) == 1:  # explain that output alone
            number, single, part = wrong[0]
            prefix = f"only through output {number}: "
            v = np.where((np.arange(J.size) >= part.start) & (np.arange(J.size) < part.stop), v, 0.0)
    grads, numbers = p.vjp(p.x, v), J.pulled(v)
    parts = list(_parts(p, single))
    with_option = cache(lambda key, other: _with_option(p, key, other, v))
    out: dict[str, Case] = {}
    for k, (i, a, n) in enumerate(zip(p.fl, grads, numbers, strict=True)):
        if a.shape != n.shape or not np.isfinite(n).all() or _agree(a, n):
            continue
        size, noise = ((np.abs(v) @ np.abs(t)).reshape(n.shape) for t in (J.numeric[k], J.error[k]))
        case = Case(a, n, p.x[i], i, p.x, p.kw, size=size, noise=noise, prefix=prefix)
        if single is not None:
            case.y, case.v = single, v[part].reshape(single.shape)
        if J.analytic is not None:
            case.Ja, case.Jn = J.analytic[k][part], J.numeric[k][part]
        if len(floats) == 1 and J.analytic is not None:
            case.twist = lambda g, k=k: p.vjp(p.x, np.ravel(g))[k]  # type: ignore[misc]
        case.others = {j: (b, m) for j, b, m in zip(p.fl, grads, numbers, strict=True) if j != i}
        case.refit = lambda k=k, case=case: _other_option(p, k, case, with_option, met)  # type: ignore[misc]
        case.retry = lambda changed, k=k: _elsewhere(p, k, changed, v)  # type: ignore[misc]
        case.saved, case.parts = lambda: p.fresh(p.x)[1], parts
        case.resave = lambda change, i=i: _resaved(p, i, change, v)  # type: ignore[misc]
        out[p.rule.names[i] if i < len(p.rule.names) else f"input {i}"] = case
    return out


def _parts(p: Point, y: Array | None) -> Iterator[tuple[str, Array]]:
    """Yield names and values of the saved arrays that are neither inputs nor the output."""
    for path, leaf in list(leaves(p.fresh(p.x)[1]))[:LEAVES]:
        b = np.asarray(leaf)
        known = [*p.x, *([] if y is None else [y])]
        if b.dtype.kind == "f" and b.size and not any(b.shape == t.shape and np.array_equal(b, t) for t in known):
            yield place(path), np.asarray(b, np.float64)


def _wrong_outputs(J: Jacobians) -> list[tuple[int, Array, slice]]:
    """Return number, value and rows of the outputs that are differentiated wrongly."""
    wrong, at = [], 0
    for number, a in enumerate(J.outs.arrays):
        if a.dtype.kind != "f":
            continue
        part = slice(at, at + a.size)
        if any(not _agree(A[part], N[part]) for A, N in zip(J.analytic or [], J.numeric, strict=True)):
            wrong.append((number, a, part))
        at += a.size
    return wrong


def _agree(a: Array, n: Array) -> bool:
    return bool(np.allclose(a, n, rtol=1e-6, atol=1e-7 * (np.abs(n).max(initial=0) + 1e-300)))


def _elsewhere(p: Point, k: int, changed: dict[int, Array], v: Vector) -> tuple[Array, Array] | None:
    """Return analytic and numeric gradient of one input after a change of inputs."""
    arrays = [changed.get(i, a) for i, a in enumerate(p.x)]
    q = Point(p.rule, arrays, p.kw, p.seed, p.profile)
    try:
        if q.out(q.x).size != v.size:
            return None
        a, n = q.vjp(q.x, v)[k], Jacobians(q, kinks=False).pulled(v)[k]
    except Exception:  # outside the domain of the function
        return None
    return (a, n) if a.shape == n.shape and np.isfinite(n).all() else None


def _resaved(p: Point, i: int, change: Callable[[Any], Any], v: Vector) -> Array | None:
    """Return the analytic gradient of input ``i`` with changed saved values."""
    outs, saved = p.fresh(p.x)
    return p.pull(unflatten(v, outs), change(saved))[i]


def _with_option(p: Point, key: str, other: Any, v: Vector) -> list[Vector] | None:
    """Return the numeric gradients for another value of an option; None if it cannot be called so."""
    q = Point(p.rule, p.given, {**p.kw, key: other}, p.seed, p.profile)
    try:
        return Jacobians(q).pulled(v) if q.out(q.x).size == v.size else None
    except Exception:
        return None


def _other_option(
    p: Point,
    k: int,
    c: Case,
    with_option: Callable[[str, Any], list[Vector] | None],
    met: Mapping[str, Sequence[Any]],
) -> Iterator[Hint]:
    """Yield the option values for which the numeric gradient equals the analytic one of this call."""
    for key, val in p.kw.items():
        if key.startswith("_"):  # how many arrays there are, for a rule that stands between
            continue
        for other in _others(val, c.x.ndim, met.get(key, ())):
            numbers = with_option(key, other)
            if numbers is not None and c.fits(c.a, numbers[k]):
                text = f"equals the gradient for {key}={other!r}: backward ignores option {key}"
                yield Hint(f"option {key}={other!r}", text, (key, other))


def _others(val: Any, ndim: int, met: Sequence[Any]) -> list[Any]:
    """Return values that a rule may assume instead of ``val``."""
    if isinstance(val, bool):
        return [not val]
    if isinstance(val, int):
        return [o for o in (0, 1, -1, 2, -2, None) if o != val and not (o is not None and o == val - ndim)]
    if isinstance(val, float):
        return [o for o in (0.0, 1.0, -1.0, 2.0, 0.5) if o != val]
    if isinstance(val, str):
        usual = ("mean", "sum", "none", "constant", "reflect", "tanh")
        return [o for o in (met if len(met) > 1 else usual) if isinstance(o, str) and o != val]
    return [0, 1, -1] if val is None else []
