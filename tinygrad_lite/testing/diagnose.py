"""The suspected cause of a failure, and the element that shows it best."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.patterns import Case, suspicion
from tinygrad_lite.testing.point import Array, Failure, Point, Vector, flatten
from tinygrad_lite.testing.scan import Scan, dot

NUMBERS = ("wrong value", "non-finite gradient")  # kinds that come with an analytic and a numeric value
MANY = 64  # elements (and outputs) up to which everything is compared one by one

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
    "wrong when one array is passed twice": "arguments are told apart by identity, or one is overwritten through the other",
    "raises in low precision": "something in forward or backward insists on float64",
    "far off in low precision": "overflow, cancellation or an eps below the precision of float32",
    "gradient carries only float32 precision": "an intermediate of backward is cast to float32",
}


class Worst(NamedTuple):
    """The derivative d out[output] / d input[element] that is most wrong."""

    input: int
    element: tuple[int, ...]
    output: str
    analytic: float
    numeric: float
    error: float
    summary: str  # "2/4 elements, inputs 1/1"


def diagnose(p: Point, failure: Failure) -> str | None:
    """The suspected cause of a failure at the point ``p``."""
    if failure.kind not in NUMBERS:
        return next((text for kind, text in ADVICE.items() if failure.kind.startswith(kind)), None)
    size = sum(p.x[i].size for i in p.fl)
    if size > 4 * MANY:
        return None
    outs, _ = p.fresh(p.x)
    v = np.random.default_rng(1).standard_normal(flatten(outs).size)
    grads, numbers = p.vjp(p.x, v), numeric_gradient(p, v)
    floats = [a for a in outs.arrays if a.dtype.kind == "f"]
    shape = floats[0].shape if len(floats) == 1 else None
    texts = []
    for k, (i, a, n) in enumerate(zip(p.fl, grads, numbers, strict=True)):
        if a.shape != n.shape or _agree(a, n):
            continue
        case = Case(a, n, p.x[i], i, p.x, p.kw)
        if shape is not None:
            case.v, case.y = v.reshape(shape), floats[0]
        case.refit = lambda k=k, case=case: _other_option(p, k, case, v)  # type: ignore[misc]
        texts.append((_name(p, i), suspicion(case)))
    if len({t for _, t in texts}) == 1 and len(texts) == len(p.fl):
        return texts[0][1]
    return "; ".join(f"{name}: {text}" for name, text in texts) or None


def _name(p: Point, i: int) -> str:
    return p.rule.names[i] if i < len(p.rule.names) else f"input {i}"


def _agree(a: Array, n: Array) -> bool:
    return bool(np.allclose(a, n, rtol=1e-6, atol=1e-7 * (np.abs(n).max(initial=0) + 1e-300)))


def numeric_gradient(p: Point, v: Vector) -> list[Vector]:
    """Element by element Richardson differences of ``v . f``; for explanations, never for the verdict."""
    scales, out = p.scales(), []
    for k, q in enumerate(scales):
        g = np.zeros(q.shape)
        for m in range(q.size):
            d = [np.zeros_like(t) for t in scales]
            d[k].flat[m] = 1.0
            g.flat[m] = _slope(Scan(p, d, v), v, float(q.flat[m]))[0]
        out.append(g)
    return out


def _slope(s: Scan, v: Vector, scale: float) -> tuple[float, float]:
    """The slope with the smaller disagreement of two step sizes, one-sided where f ends."""
    best = (np.nan, np.inf)
    for h in (1e-3 * scale, 1e-5 * scale):
        central, fine, up, down = s.level(h)
        n, e = dot(v, central), abs(dot(v, central) - dot(v, fine))
        if not np.isfinite(n):
            n, e = (t := dot(v, up)) if np.isfinite(dot(v, up)) else dot(v, down), np.inf
        if np.isfinite(n) and (not np.isfinite(best[0]) or e < best[1]):
            best = (n, e)
    return best


def _other_option(p: Point, k: int, c: Case, v: Vector) -> Iterator[str]:
    """Does the analytic gradient fit the numeric one for another value of one option?"""
    for key, val in p.kw.items():
        for other in _others(val, c.x.ndim):
            q = Point(p.rule, p.given, {**p.kw, key: other}, p.seed, p.profile)
            try:
                if q.out(q.x).size != v.size:
                    continue
                n = numeric_gradient(q, v)[k]
            except Exception:
                continue
            if c.fits(c.a, n):
                yield f"equals the gradient for {key}={other!r}: backward ignores option {key}"


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


def worst(p: Point) -> Worst | None:
    """Compare the whole Jacobian of a small point (a random combination of many outputs) and pick the worst entry."""
    if sum(p.x[i].size for i in p.fl) > MANY:
        return None
    outs, _ = p.fresh(p.x)
    m = flatten(outs).size
    rng = np.random.default_rng(1)
    cotangents = list(np.eye(m)) if m <= MANY else [rng.standard_normal(m)]
    scales = p.scales()
    best, wrong = None, [np.zeros(q.shape, bool) for q in scales]
    for o, v in enumerate(cotangents):
        for k, (a, n) in enumerate(zip(p.vjp(p.x, v), numeric_gradient(p, v), strict=True)):
            if a.shape != n.shape or not a.size:
                continue
            gap = np.where(np.isnan(n), 0.0, np.nan_to_num(np.abs(a - n), nan=np.inf)) * scales[k]
            scale = np.where(np.isfinite(a), np.maximum(np.abs(a), np.abs(n)), 1.0) * scales[k]
            wrong[k] |= gap > 1e-6 * (scale.max() + 1e-300)
            e = int(np.argmax(gap))
            if best is None or gap.flat[e] > best[0]:
                best = (float(gap.flat[e]), k, e, o, float(a.flat[e]), float(n.flat[e]), v)
    if best is None or not best[0] > 0:
        return None
    _, k, e, o, a, n, v = best
    i = p.fl[k]
    d = [np.zeros_like(q) for q in scales]
    d[k].flat[e] = 1.0
    error = _slope(Scan(p, d, v), v, float(scales[k].flat[e]))[1]
    several = sum(int(w.any()) for w in wrong)
    count = f"{max(int(wrong[k].sum()), 1)}/{wrong[k].size} elements, inputs {max(several, 1)}/{len(p.fl)}"
    element = tuple(int(t) for t in np.unravel_index(e, scales[k].shape))
    return Worst(i, element, _output(outs.arrays, o, m) if m <= MANY else "a random combination of outputs", a, n, error, count)


def _output(arrays: list[Array], o: int, m: int) -> str:
    """Name of the o-th output element; "" if there is but one."""
    if m == 1:
        return ""
    floats = [a for a in arrays if a.dtype.kind == "f"]
    for number, a in enumerate(floats):
        if o < a.size:
            index = ",".join(str(int(t)) for t in np.unravel_index(o, a.shape))
            return f"output {number}[{index}]" if len(floats) > 1 else f"output[{index}]"
        o -= a.size
    return ""
