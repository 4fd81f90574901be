"""NumPy's ufuncs at one element, in the language of kernels: for loops that are written for a program.

Types are those of the language: ``f`` float32, ``d`` float64, ``b`` bool, ``n`` int64, ``i`` int32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.native import mathematics as m
from tinygrad_lite.native.language import Kernel, Value


def _most(k: Kernel, a: Any, b: Any) -> Value:
    """Return the larger number, NaN if one is."""
    return k.select((a > b) | a.is_nan() if a.type in "fd" else a > b, a, b)


def _least(k: Kernel, a: Any, b: Any) -> Value:
    return k.select((a < b) | a.is_nan() if a.type in "fd" else a < b, a, b)


def _absolute(k: Kernel, x: Any) -> Value:
    return k.call("fabs", x) if x.type in "fd" else k.select(x < 0, -x, x)


def _log(k: Kernel, x: Any) -> Value:
    """Return the logarithm of any number: of zero, of negative and of denormal ones too."""
    tiny = x < 1.1754944e-38
    found = m.log(k, k.select(tiny, x * 8388608.0, x))
    found = k.select(tiny, found - 15.942385, found)  # 23 log 2
    return k.select(x > 0.0, found, k.select(x.same(0.0), k.lift(-math.inf, "f"), k.lift(math.nan, "f") + x))


def _log1p(k: Kernel, x: Any) -> Value:
    """Return ``log(1 + x)``: the error of the sum is made up for by the quotient."""
    u = x + 1.0
    part = u - 1.0
    exact = part.same(0.0) | k.call("fabs", u).same(math.inf) | (u <= 0.0)
    whole = k.select(part.same(0.0), x, _log(k, u))
    return k.select(exact, whole, whole * (x / k.select(exact, k.lift(1.0, "f"), part)))


def _power(k: Kernel, x: Any, n: float) -> Value:
    if n == 0.5:
        return k.call("sqrt", x)
    y: Value = x
    for _ in range(int(abs(n)) - 1):
        y = y * x
    return y if n > 0 else 1.0 / y


REAL: dict[Any, Any] = {
    np.add: lambda k, a, b: a + b, np.subtract: lambda k, a, b: a - b, np.multiply: lambda k, a, b: a * b,
    np.divide: lambda k, a, b: a / b, np.negative: lambda k, a: -a, np.positive: lambda k, a: a,
    np.maximum: _most, np.minimum: _least, np.absolute: _absolute, np.square: lambda k, a: a * a,
    np.sqrt: lambda k, a: k.call("sqrt", a), np.reciprocal: lambda k, a: 1.0 / a,
    np.sign: lambda k, a: k.select(a > 0.0, k.lift(1.0, a.type), k.select(a < 0.0, k.lift(-1.0, a.type), a + 0.0)),
    np.copysign: lambda k, a, b: k.call("copysign", a, b),
}  # fmt: skip
"""Of one floating type."""
SINGLE: dict[Any, Any] = {np.exp: m.exp, np.tanh: m.tanh, np.log: _log, np.log1p: _log1p}
"""Of float32."""
WHOLE = (np.add, np.subtract, np.multiply, np.negative, np.positive, np.maximum, np.minimum, np.absolute, np.square)
"""Of integers."""
COMPARISONS: dict[Any, Any] = {
    np.equal: lambda k, a, b: a.same(b), np.not_equal: lambda k, a, b: ~a.same(b), np.less: lambda k, a, b: a < b,
    np.less_equal: lambda k, a, b: a <= b, np.greater: lambda k, a, b: a > b, np.greater_equal: lambda k, a, b: a >= b,
}  # fmt: skip
QUESTIONS: dict[Any, Any] = {
    np.isnan: lambda k, a: a.is_nan(), np.isfinite: lambda k, a: k.call("fabs", a) < math.inf,
    np.isinf: lambda k, a: k.call("fabs", a).same(math.inf),
}  # fmt: skip
"""From a floating type to bool."""
LOGIC: dict[Any, Any] = {
    np.logical_and: lambda k, a, b: a & b, np.logical_or: lambda k, a, b: a | b, np.logical_xor: lambda k, a, b: a ^ b,
    np.bitwise_and: lambda k, a, b: a & b, np.bitwise_or: lambda k, a, b: a | b, np.bitwise_xor: lambda k, a, b: a ^ b,
    np.logical_not: lambda k, a: ~a, np.invert: lambda k, a: ~a,
}  # fmt: skip
with np.errstate(invalid="ignore"):  # older versions of NumPy do not take the root: infinity for minus infinity
    POWERS = (0.5, 1, 2, 3, -1, -2)[int(np.power(np.float32(-np.inf), np.float32(0.5)) > 0) :]


def converts(a: str, b: str) -> bool:
    """Return whether a number of type ``a`` can become one of type ``b``."""
    return a == b or a + b in ("nf", "nd", "fd", "df", "if", "in", "ni", "bf", "bn", "bd")


def has(ufunc: Any, types: list[str], out: str, ins: Any) -> bool:
    """Return whether there is a formula; ``types`` are those of the operands, "" for a number."""
    given = {t for t in types if t}
    if ufunc is np.power:
        return out in "fd" and given == {out} and types[1] == "" and ins[1] in POWERS
    if ufunc in REAL and out in "fd" or ufunc in SINGLE and out == "f":
        return all(converts(t, out) for t in given)
    if ufunc in WHOLE and out in "ni":
        return given == {out}
    if ufunc in COMPARISONS and out == "b":
        return len(given) == 1 and given != {"b"} and not any(isinstance(v, np.generic) for v in ins)
    if ufunc in QUESTIONS and out == "b":
        return given in ({"f"}, {"d"})
    return ufunc in LOGIC and out == "b" and given == {"b"} and "" not in types


def value(k: Kernel, ufunc: Any, out: str, values: list[Any]) -> Value:
    """Return the result at one element; ``values`` are those of the operands, numbers among them."""
    if ufunc is np.power:
        return _power(k, values[0], values[1])
    if ufunc in REAL or ufunc in SINGLE:
        real = out in "fd"
        ready = [v.to(out) if isinstance(v, Value) else k.lift(v, out) for v in values]
        if not real and ufunc is np.square:
            return ready[0] * ready[0]
        return (REAL.get(ufunc) or SINGLE[ufunc])(k, *ready)  # type: ignore[no-any-return]
    type = next(v.type for v in values if isinstance(v, Value))
    ready = [v if isinstance(v, Value) else k.lift(v, type) for v in values]
    table = next(t for t in (COMPARISONS, QUESTIONS, LOGIC) if ufunc in t)
    return table[ufunc](k, *ready)  # type: ignore[no-any-return]
