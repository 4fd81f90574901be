"""Contract tests: what every gradient rule must do, tested without finite differences.

They raise no false alarms and find a third of all bugs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.promotion import NUMPY_1
from tinygrad_lite.errors import DTypeError
from tinygrad_lite.testing.verdict.point import Array, Failure, NoOutput, Outs, Point, close

LAYOUTS = ("fortran", "strided", "reversed")


def contract(p: Point, thorough: bool) -> bool:
    """Raise ``Failure`` if a rule breaks its contract; False if outputs are not finite and no other test applies."""
    arrays = [np.array(a) for a in p.given]
    keep = [a.tobytes() for a in arrays]
    outs, saved = _forward(p, arrays)
    if [a.tobytes() for a in arrays] != keep:
        p.blame(Failure("forward modifies its input", p.label(_changed(arrays, keep))))
        p.fragile = True
        arrays = [np.array(a) for a in p.given]
        outs, saved = _forward(p, arrays)
        keep = [a.tobytes() for a in arrays]
    again, _ = _forward(p, [np.array(a) for a in p.given])
    if not all(_equal(a, b, p.nondet) for a, b in zip(outs.arrays, again.arrays, strict=True)):
        raise Failure("forward is not deterministic", "a function that needs randomness must take a seed")
    g = _like(outs, lambda a: (2.5 * p.rng.standard_normal(a.shape)).astype(a.dtype))
    g0 = _like(g, np.copy)
    grads = _backward(p, g, saved)
    if not all(np.array_equal(a, b) for a, b in zip(g.arrays, g0.arrays, strict=True)):
        p.blame(Failure("backward modifies the incoming gradient"))
    if [a.tobytes() for a in arrays] != keep:
        p.blame(Failure("backward modifies a saved input", p.label(_changed(arrays, keep))))
        p.fragile = True
    _formed(p, grads, outs)
    if p.rule.lenient:  # how such a rule treats its arguments is a matter of taste
        p.warnings += [f"{f.kind}{f': {f.text}' * bool(f.text)}" for f in p.flaws]
        p.flaws.clear()
        p.fragile = True
    if p.rule.lenient:  # how such a rule treats its arguments is a matter of taste
        p.warnings += [f"{f.kind}{f': {f.text}' * bool(f.text)}" for f in p.flaws]
        p.flaws.clear()
        p.fragile = True
    if not outs.finite:
        return False
    ref = [None if t is None else np.array(t) for t in grads]
    check = _Comparison(p, ref, g0)
    _repeated(p, g0, saved, check)
    _, saved1 = p.fresh(p.given)
    _call_elsewhere(p)
    check(p.pull(_like(g0, np.copy), saved1), "backward uses state of a later forward call")
    if all(np.isfinite(ref[i]).all() for i in p.fl):  # type: ignore[arg-type]
        kind = "backward is not linear in the incoming gradient"
        zero = p.pull(_like(g0, np.zeros_like), p.again(saved))
        for i in p.fl:
            top = max(float(np.abs(ref[i]).max(initial=0)), p.profile.typical)  # type: ignore[arg-type]
            rounding = max(p.nondet, 0.0 if p.rule.strict else 1e-12 * top)
            if not (np.abs(np.asarray(zero[i], np.float64)) <= rounding).all():
                text = f"{p.label(i)}: nonzero for g = 0"
                raise Failure(kind, text, input=i, advice="a term without g: it is added whatever g is")
        check(p.pull(_like(g0, lambda a: a * a.dtype.type(-4)), p.again(saved)), kind, 1e-12, -4.0)
    if not p.rule.lenient:
        _layouts(p, outs, saved, g0, check, thorough)
    return True


def _repeated(p: Point, g: Outs, saved: object, check: _Comparison) -> None:
    """Call backward again on the same saved values; if that fails, on those of a fresh forward call."""
    kind = "backward is not deterministic (or accumulates)"
    if p.fragile:
        check(p.pull(_like(g, np.copy), p.again(saved)), kind)
        return
    try:
        second = p.pull(_like(g, np.copy), saved)
        known = [t.shape for i, t in enumerate(check.ref) if i in p.fl and t is not None]
        if [t.shape for i, t in enumerate(second) if i in p.fl and t is not None] != known:
            raise ValueError("the second call returns another shape")
    except Exception as e:
        p.fragile = True
        check(p.pull(_like(g, np.copy), p.again(saved)), kind)
        text = f"the second call on the same saved values raises {type(e).__name__}: {e}"
        p.blame(Failure("backward works only once per forward call", text, error=e))
        return
    try:
        check(second, kind)
    except Failure as e:
        p.fragile = True
        check(p.pull(_like(g, np.copy), p.again(saved)), kind)
        i = e.data["input"]
        first, later = np.asarray(check.ref[i], np.float64), np.asarray(second[i], np.float64)
        if np.allclose(later, 2 * first, rtol=1e-9, atol=0):
            e.data["advice"] = "+= into a gradient that an earlier call left: set it to zero, or assign it"
        p.blame(e)


def _equal(a: Array, b: Array, allowed: float) -> bool:
    if np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return True
    return allowed > 0 and a.shape == b.shape and bool(np.allclose(a, b, rtol=0, atol=allowed, equal_nan=True))


def _forward(p: Point, arrays: Sequence[Array]) -> tuple[Outs, object]:
    try:
        return p.call(arrays)
    except Exception as e:
        failure = Failure("forward raises", f"{type(e).__name__}: {e}", error=e)
        if isinstance(e, (NoOutput, NameError)):
            failure.data["advice"] = ""
        raise failure from e


def formed(p: Point) -> None:
    """Raise ``Failure`` if a gradient is missing, or not of the shape and dtype of its input."""
    outs, saved = _forward(p, [np.array(a) for a in p.given])
    _formed(p, _backward(p, _like(outs, np.ones_like), saved), outs)


def _formed(p: Point, grads: Sequence[Array | None], outs: Outs) -> None:
    if len(grads) != len(p.given):
        floats = f", {len(p.fl)} of them to be differentiated" if len(p.fl) != len(p.given) else ""
        raise Failure("wrong number of gradients", f"{len(grads)} for {len(p.given)} inputs{floats}")
    for i in p.fl:
        _form(p, i, grads[i], outs)


def _call_elsewhere(p: Point) -> None:
    """Call forward on other floats, which it may reject.

    Integers keep their values: they may be offsets, lengths or edges, valid in one order only.
    """
    try:
        p.call([a.ravel()[::-1].reshape(a.shape) if a.dtype.kind == "f" else a for a in map(np.array, p.given)])
    except Exception:
        p.refused = None


def _backward(p: Point, g: Outs, saved: object) -> list[Array | None]:
    try:
        return p.pull(g, saved)
    except Exception as e:
        failure = Failure("backward raises", f"{type(e).__name__}: {e}", error=e)
        if isinstance(e, (NameError, AttributeError, ImportError, NotImplementedError)):
            failure.data["advice"] = ""  # the message of the exception says it all
        raise failure from e


def _changed(arrays: Sequence[Array], keep: Sequence[bytes]) -> int:
    return next(i for i, (a, b) in enumerate(zip(arrays, keep, strict=True)) if a.tobytes() != b)


def _like(outs: Outs, f: Callable[[Array], Array]) -> Outs:
    return Outs([np.asarray(f(a)) if a.dtype.kind == "f" else a for a in outs.arrays], outs.several)


def _form(p: Point, i: int, t: Array | None, outs: Outs) -> None:
    """Raise ``Failure`` if a gradient is missing or differs from its input in shape or dtype."""
    a = p.given[i]
    if t is None:
        raise Failure("gradient missing", f"None for {p.label(i)}", input=i)
    if t.shape != a.shape:
        advice = _misshapen(t.shape, a.shape, [o.shape for o in outs.arrays])
        raise Failure("wrong shape", f"gradient {t.shape} for {p.label(i)}", input=i, advice=advice)
    if t.dtype != a.dtype:
        _other_dtype(p, i, t, f"gradient {t.dtype} for {p.label(i)}")


def _misshapen(t: tuple[int, ...], a: tuple[int, ...], outs: Sequence[tuple[int, ...]]) -> str:
    """Return the suspected cause of a gradient of shape ``t`` for an input of shape ``a``."""
    if 0 in t and 0 not in a:
        return "the gradient is empty: a slice [p:-p] with p = 0 selects nothing; slice [p:n - p], or skip it"
    if len(t) == len(a) + 1 and t[0] == 1 and t[1:] == a or len(t) == len(a) > 0 and t == a[:-1] + (1,) != a:
        return "keepdims=True kept an axis that the input does not have: sum over broadcast axes without it"
    if t == a[::-1]:
        return "the gradient is transposed"
    squeezed = tuple(n for n in a if n > 1) == tuple(n for n in t if n > 1)
    if squeezed:
        return "an axis of size 1 was added or dropped: keep the axes of the input (keepdims, reshape)"
    if t in outs:
        padded = ", or padding is still on" if len(t) == len(a) else ""
        return f"the gradient has the shape of the output: the sum over broadcast axes is missing{padded}"
    if len(t) == len(a) and all(n >= m for n, m in zip(t, a, strict=True)):
        return "the gradient is larger than its input: the sum over broadcast axes is missing, or padding is still on"
    if int(np.prod(t)) == int(np.prod(a)):
        return "the gradient has as many elements as its input: reshape or transpose it to the shape of the input"
    return "the gradient must have the shape of its input: sum over broadcast axes, keep axes of size 1"


def _other_dtype(p: Point, i: int, t: Array, text: str) -> None:
    """Judge a dtype: an error of a function of Tensors, of a NumPy rule only if precision is lost."""
    if p.rule.strict:
        raise Failure("wrong dtype", text, input=i)
    if t.dtype.kind == "f" and t.dtype.itemsize < p.given[i].dtype.itemsize and not p.rule.lenient:
        p.blame(Failure("wrong dtype", text, input=i))
    elif t.dtype.kind == "f" and t.dtype.itemsize < p.given[i].dtype.itemsize:
        p.warnings.append(f"dtype: a {p.given[i].dtype} input gets a {t.dtype} gradient: precision is lost")


class _Comparison:
    """Compare gradients with those of the first call, allowing for rounding where ``rtol`` is given."""

    def __init__(self, p: Point, ref: Sequence[Array | None], g: Outs) -> None:
        self.p, self.ref, self.g = p, ref, g

    def __call__(self, other: Sequence[Array | None], kind: str, rtol: float = 0.0, factor: float = 1.0) -> None:
        for i in self.p.fl:
            a, r = other[i], self.ref[i]
            assert r is not None
            b = r if factor == 1.0 else r * factor
            if a is not None and a.shape == b.shape and (close(a, b, rtol)):
                continue
            if a is not None and _equal(np.asarray(a), np.asarray(b), self.p.nondet * abs(factor)):
                continue
            if rtol and a is not None and a.shape == b.shape and np.isfinite(a).all() and np.isfinite(b).all():
                floor = 1e-13 * self.p.profile.typical  # rounding left over where ordinary slopes cancel
                if (np.abs(a - b) <= abs(factor) * max(floor, 100 * self.rounding(i))).all():
                    continue
            raise Failure(kind, self.p.label(i), input=i)

    def rounding(self, i: int) -> float:
        """Return the largest change of gradient ``i`` when inputs and g move by a few ulps."""
        rng, worst = self.p.rng, 0.0

        def shake(a: Array) -> Array:
            if a.dtype.kind != "f":
                return np.array(a)
            return np.asarray(
                (a * (1 + 3 * float(np.finfo(a.dtype).eps) * rng.uniform(-1, 1, a.shape))).astype(a.dtype)
            )

        for _ in range(5):
            _, saved = self.p.call([shake(a) for a in self.p.given])
            t, r = self.p.pull(_like(self.g, shake), saved)[i], self.ref[i]
            assert t is not None and r is not None
            worst = max(worst, float(np.nan_to_num(np.abs(t - r), posinf=0).max(initial=0)))
        return worst


def _layouts(p: Point, outs: Outs, saved: object, g0: Outs, check: _Comparison, thorough: bool) -> None:
    """Test other memory layouts of inputs and g, and a read-only g with stride 0."""
    eps = max((float(np.finfo(a.dtype).eps) for a in outs.arrays if a.dtype.kind == "f"), default=0.0)
    tol = 1e-9 if eps < 1e-10 else 1e3 * eps
    for kind in LAYOUTS if thorough else (LAYOUTS[int(p.rng.integers(3))],):
        try:
            _, saved2 = p.call([laid_out(a, kind) for a in p.given])  # backward may use it once
            other = p.pull(_like(g0, lambda a, k=kind: laid_out(a, k)), saved2)  # type: ignore[misc]
        except Exception as e:
            raise Failure("depends on memory layout", f"{kind}: {type(e).__name__}: {e}", error=e) from e
        check(other, f"depends on memory layout ({kind})", tol)
    if any("modifies" in f.kind for f in p.flaws):
        return
    try:
        flat = p.pull(_like(outs, lambda a: np.broadcast_to(a.dtype.type(1.5), a.shape)), p.again(saved))
    except Exception as e:
        raise Failure("cannot take a read-only broadcast gradient", f"{type(e).__name__}: {e}", error=e) from e
    # with a constant g the gradients of softmax, ranks and the like cancel, so only rounding may be left to compare
    full = _like(outs, lambda a: np.full(a.shape, 1.5, a.dtype))
    _Comparison(p, p.pull(full, p.again(saved)), full)(flat, "depends on memory layout (stride-0 g)", tol)


def laid_out(a: Array, kind: str) -> Array:
    """Copy an array into Fortran order, into every second place, or into reversed memory."""
    if kind == "fortran":
        return np.array(a, order="F")
    if kind == "strided":
        big: Array = np.full(tuple(2 * n + 1 for n in a.shape), 7, a.dtype)
        steps = [slice(0, 2 * n, 2) for n in a.shape]
    else:
        big = np.empty_like(a, order="C")
        steps = [slice(None, None, -1)] * a.ndim
    view = big[tuple(steps)] if steps else big
    view[...] = a
    return view


def aliased(p: Point, made: Sequence[tuple[Array, float, float]]) -> None:
    """Raise ``Failure`` if one array passed for two arguments gives other gradients than two copies of it."""
    domains = {id(a): (lo, hi) for a, lo, hi in made}
    for i in p.fl:
        for j in p.fl:
            a, b = p.given[i], p.given[j]
            if i < j and a.size and a.shape == b.shape and a.dtype == b.dtype:
                if id(a) in domains and domains[id(a)] == domains.get(id(b)):
                    _alias_pair(p, i, j)


def _alias_pair(p: Point, i: int, j: int) -> None:
    def grads(same: bool) -> list[Array | None]:
        arrays = [np.array(t) for t in p.given]
        arrays[j] = arrays[i] if same else np.array(arrays[i])
        outs, saved = p.call(arrays)
        rng = np.random.default_rng(7)
        return p.pull(_like(outs, lambda a: rng.standard_normal(a.shape).astype(a.dtype)), saved)

    one, two = grads(True), grads(False)
    if not all(close(one[k], two[k]) for k in p.fl):
        raise Failure("wrong when one array is passed twice", f"inputs {i} and {j}", input=i)


def low_precision(p: Point) -> None:
    """Raise ``Failure`` if float32 gradients are not float32, or far from the float64 ones at the same point."""
    kinds = {p.given[i].dtype for i in p.fl}
    if len(kinds) != 1:
        return
    dtype = kinds.pop()
    dt = np.dtype(np.float32) if dtype == np.float64 else dtype
    low = [a.astype(dt) if a.dtype == dtype else a for a in p.given]
    if not all(np.isfinite(low[i]).all() for i in p.fl):
        return
    try:
        outs, saved = p.fresh(low)
        g = _like(outs, lambda a: p.rng.standard_normal(a.shape).astype(dt).astype(a.dtype))
        grads = p.pull(_like(g, np.copy), saved)
    except DTypeError:  # it holds parameters of another dtype
        return
    except Exception as e:
        raise Failure("raises in low precision", f"{dt}: {type(e).__name__}: {e}", error=e) from e
    for i in p.fl:
        t = grads[i]
        if t is None or t.shape != low[i].shape:
            raise Failure("wrong shape", f"{p.label(i)} in {dt}", input=i)
        if t.dtype != low[i].dtype and not (NUMPY_1 and not t.ndim):  # NumPy 1: a constant makes a 0-d result float64
            text = f"gradient {t.dtype} when {p.label(i)} is {dt}"
            if p.rule.strict:
                raise Failure("wrong dtype", text, input=i)
            if t.dtype.kind == "f" and t.dtype.itemsize > dt.itemsize:
                p.warnings.append(f"dtype: a float32 input gets a {t.dtype} gradient")
    if outs.finite:
        _near_float64(p, dt, low, outs, g, grads)


def _near_float64(
    p: Point, dt: np.dtype[np.generic], low: list[Array], outs: Outs, g: Outs, grads: Sequence[Array | None]
) -> None:
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in low]
    info: Any = np.finfo(str(dt))
    eps, tiny, top = (float(getattr(info, k)) for k in ("eps", "tiny", "max"))
    gs = [np.asarray(a, np.float64).ravel() for a in g.arrays if a.dtype.kind == "f"]
    v = np.concatenate(gs) if gs else np.zeros(0)
    ref = p.vjp(wide, v)
    moved = [np.zeros_like(r) for r in ref]
    for _ in range(4):
        near = [a * (1 + 2 * eps * p.rng.uniform(-1, 1, a.shape)) if i in p.fl else a for i, a in enumerate(wide)]
        for s, t, r in zip(moved, p.vjp([np.asarray(a) for a in near], v), ref, strict=True):
            np.fmax(s, np.nan_to_num(np.abs(t - r), posinf=0), out=s)
    sizes = [float(np.abs(np.asarray(a, np.float64)).max(initial=0)) for a in outs.arrays if a.dtype.kind == "f"]
    squares = [float(np.square(wide[i]).max(initial=0)) for i in p.fl]
    largest = max([1.0, *sizes, *squares])  # intermediate values, products of inputs among them, may have cancelled
    for s, i, r in zip(moved, p.fl, ref, strict=True):
        a = np.asarray(grads[i], np.float64)
        if a.size and np.isfinite(r).all() and np.abs(r).max() < top / 10:
            unit = np.abs(v).max(initial=0) * largest / max(np.abs(wide[i]).max(initial=0), 1e-300)
            bound = 50 * s.max() + 2e3 * eps * max(1.0, v.size**0.5) * np.abs(r).max() + 10 * tiny + 200 * eps * unit
            if p.kinks != "strict":  # a model rounds after every layer
                bound *= 30
            bad = ~(np.abs(a - r) <= bound)
            if bad.any():
                text = f"{p.label(i)}: {a[bad][0]:.6g} in {dt}, {r[bad][0]:.6g} in float64"
                raise Failure("far off in low precision", text, input=i)
