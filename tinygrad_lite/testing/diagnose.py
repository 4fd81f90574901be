"""The suspected cause of a failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.testing.context import UNKNOWN, Outcome, agreed, deciding_option, shared_shape
from tinygrad_lite.testing.evidence import Case, Hint
from tinygrad_lite.testing.jacobian import MANY, Jacobians
from tinygrad_lite.testing.patterns import hints
from tinygrad_lite.testing.point import Array, Point, Vector

NUMBERS = ("wrong value", "non-finite gradient")  # kinds that come with an analytic and a numeric value

ADVICE = {
    "forward raises": "the function does not accept an input that its spec allows",
    "forward modifies its input": "an in-place operation on an argument: work on a copy",
    "forward is not deterministic": "random numbers or state inside the function: pass a seed",
    "backward raises": "the rule does not handle these shapes or options",
    "backward modifies the incoming gradient": "an in-place operation on g (g *= ..., g[mask] = 0): work on a copy",
    "backward modifies a saved input": "an in-place operation on a saved array: work on a copy",
    "wrong number of gradients": "one gradient per input, None for integers",
    "gradient missing": "the rule returns None for a float input",
    "wrong shape": "the gradient must have the shape of its input: sum over broadcast axes, keep axes of size 1",
    "wrong dtype": "the gradient must have the dtype of its input: a Python or float64 constant changed it",
    "backward is not deterministic (or accumulates)": "the rule changes what it saved, or adds into a buffer it keeps",
    "backward uses state of a later forward call": "values are kept on the function or module, not per call",
    "backward is not linear in the incoming gradient": "g is used twice, not at all, or through a nonlinear function",
    "depends on memory layout": "ravel/reshape order, strides or raw buffers are assumed to be C-contiguous",
    "cannot take a read-only broadcast gradient": "the rule writes into g or needs it contiguous",
    "wrong when one array is passed twice": "arguments are told apart by identity, or one is overwritten by the other",
    "raises in low precision": "something in forward or backward insists on float64",
    "far off in low precision": "overflow, cancellation or an eps below the precision of float32",
    "gradient carries only float32 precision": "an intermediate of backward is cast to float32",
}
# Kinds that a wrong value can also cause: the numbers are looked at first.
DOUBTFUL = ("depends on memory layout", "far off in low precision", "backward is not deterministic")


def diagnose(kind: str, outcomes: Sequence[Outcome]) -> str | None:
    """The suspected cause, from the failing points (the main one first) and all that passed."""
    failing = [o.point for o in outcomes if o.failed]
    if kind in NUMBERS or kind.startswith(DOUBTFUL):
        text = _numbers(failing, outcomes)
        if text is not None and (kind in NUMBERS or text != UNKNOWN):
            return text
    return next((text for start, text in ADVICE.items() if kind.startswith(start)), None)


def _numbers(failing: Sequence[Point], outcomes: Sequence[Outcome]) -> str | None:
    found: list[dict[str, list[Hint]]] = []
    room = max((_size(p) for p in failing if _size(p) <= MANY), default=0)
    for p in failing:
        if _size(p) < 4 <= room:  # patterns need elements
            continue
        if 0 < _size(p) <= MANY:
            try:
                found.append(compared(p))
            except Exception:  # an explanation is a kindness; the verdict stands without it
                continue
    found = [f for f in found if f]
    if not found:
        return UNKNOWN
    names = list(found[0])
    texts = {name: agreed([f[name] for f in found if name in f]) for name in names}
    known = {name: hint.text for name, hint in texts.items() if hint is not None}
    ignores = any("ignores option" in t for t in known.values())
    decided = None if ignores else deciding_option(outcomes) or (shared_shape(outcomes) if not known else None)
    single = len(set(known.values())) == 1 and len(known) == len(failing[0].fl)
    text = next(iter(known.values())) if single else "; ".join(f"{n}: {t}" for n, t in known.items())
    return "; ".join(t for t in (text, decided) if t) or UNKNOWN


def _size(p: Point) -> int:
    return sum(p.x[i].size for i in p.fl)


def compared(p: Point) -> dict[str, list[Hint]]:
    """Hints for every wrong input of one point."""
    J = Jacobians(p)
    floats = [a for a in J.outs.arrays if a.dtype.kind == "f"]
    v = np.random.default_rng(1).standard_normal(J.size)
    prefix, single = "", floats[0] if len(floats) == 1 else None
    if len(floats) > 1 and J.analytic is not None:
        wrong, at = [], 0
        for number, a in enumerate(J.outs.arrays):
            if a.dtype.kind != "f":
                continue
            part = slice(at, at + a.size)
            if any(not _agree(A[part], N[part]) for A, N in zip(J.analytic, J.numeric, strict=True)):
                wrong.append((number, a, part))
            at += a.size
        if len(wrong) == 1:  # look at that output alone
            number, single, part = wrong[0]
            prefix = f"only through output {number}: "
            v = np.where((np.arange(J.size) >= part.start) & (np.arange(J.size) < part.stop), v, 0.0)
    grads, numbers = p.vjp(p.x, v), J.pulled(v)
    out: dict[str, list[Hint]] = {}
    for k, (i, a, n) in enumerate(zip(p.fl, grads, numbers, strict=True)):
        if a.shape != n.shape or not np.isfinite(n).all() or _agree(a, n):
            continue
        case = Case(a, n, p.x[i], i, p.x, p.kw)
        if single is not None:
            live = v[v != 0] if prefix else v
            case.y = single
            case.v = live.reshape(single.shape) if live.size == single.size else None
        if len(floats) == 1 and J.analytic is not None:
            case.Ja, case.Jn = J.analytic[k], J.numeric[k]
            case.twist = lambda g, k=k: p.vjp(p.x, np.ravel(g))[k]  # type: ignore[misc]
        case.others = {j: m for j, m in zip(p.fl, numbers, strict=True) if j != i}
        case.refit = lambda k=k, case=case: _other_option(p, k, case, v)  # type: ignore[misc]
        name = p.rule.names[i] if i < len(p.rule.names) else f"input {i}"
        out[name] = [Hint(h.key, prefix + h.text) for h in hints(case)]
        if prefix and not out[name]:
            out[name] = [Hint(prefix, f"{prefix}{UNKNOWN}")]
    return out


def _agree(a: Array, n: Array) -> bool:
    return bool(np.allclose(a, n, rtol=1e-6, atol=1e-7 * (np.abs(n).max(initial=0) + 1e-300)))


def _other_option(p: Point, k: int, c: Case, v: Vector) -> Iterator[Hint]:
    """Does the analytic gradient fit the numeric one for another value of one option?"""
    for key, val in p.kw.items():
        for other in _others(val, c.x.ndim):
            q = Point(p.rule, p.given, {**p.kw, key: other}, p.seed, p.profile)
            try:
                if q.out(q.x).size != v.size:
                    continue
                n = Jacobians(q).pulled(v)[k]
            except Exception:
                continue
            if c.fits(c.a, n):
                text = f"equals the gradient for {key}={other!r}: backward ignores option {key}"
                # limits and thresholds fit many a value by chance; a rule that ignores them has but one
                yield Hint(f"option {key}={other}" if isinstance(val, float) else f"option {key}", text)


def _others(val: Any, ndim: int) -> list[Any]:
    """Values that a rule could have taken for granted instead of ``val``."""
    if isinstance(val, bool):
        return [not val]
    if isinstance(val, int):
        return [o for o in (0, 1, -1, 2, -2, None) if o != val and not (o is not None and o == val - ndim)]
    if isinstance(val, float):
        return [o for o in (0.0, 1.0, -1.0, 2.0, 0.5) if o != val]
    if isinstance(val, str):
        return [o for o in ("mean", "sum", "none", "constant", "reflect", "tanh") if o != val]
    return [0, 1, -1] if val is None else []
