"""Elementwise ops and activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.onnx.rules.table import SINGLE, refuse, rule

SINGLE.update(
    add="Add", sub="Sub", div="Div", neg="Neg", exp="Exp", log="Log", sqrt="Sqrt", flat_sqrt="Sqrt",
    abs="Abs", sign="Sign", ceil="Ceil", floor="Floor", reciprocal="Reciprocal", relu="Relu", tanh="Tanh",
    sigmoid="Sigmoid", erf="Erf", sin="Sin", cos="Cos", tan="Tan", asin="Asin", acos="Acos", atan="Atan", sinh="Sinh",
    cosh="Cosh", asinh="Asinh", acosh="Acosh", atanh="Atanh", clone="Identity",
    isnan="IsNaN", isinf="IsInf", logical_not="Not", mish="Mish", conj_physical="Identity",
)  # fmt: skip
refuse("erfinv lgamma digamma polygamma bessel_i zeta erfcx i0e i1e gammainc gammaincc", "ONNX has no such function")
refuse(
    "ndtr log_ndtr ndtri entr xlog1py airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_k0 "
    "modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1 spherical_bessel_j0 hermite_polynomial_h "
    "hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p",
    "ONNX has no such function",
)
refuse(" ".join(f"{a}chebyshev_polynomial_{b}" for a in ("", "shifted_") for b in "tuvw"), "ONNX has no such function")
refuse("gcd lcm", "ONNX has no such function, and the number of steps depends on the data")
refuse("sinc_slope", "it occurs in gradients only")
refuse("mantissa scaled nextafter", "ONNX cannot take floating-point numbers apart")

PAIRS = {"gt": "Greater", "lt": "Less", "ge": "GreaterOrEqual", "le": "LessOrEqual", "eq": "Equal", "maximum": "Max",
         "minimum": "Min", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "bitwise_and": "BitwiseAnd",
         "bitwise_or": "BitwiseOr", "bitwise_xor": "BitwiseXor", "mul": "Mul"}  # fmt: skip


def _pair(name: str, kind: str) -> None:
    def convert(g: Any, y: Any, input: Any, other: Any) -> Any:
        if kind in ("And", "Or", "Xor"):
            return g.node(kind, [g.cast(input, bool), g.cast(other, bool)])
        if input.kind == "b" and other.kind == "b":
            if kind.startswith("Bitwise"):
                return g.node(kind[7:], [input, other])
            if kind in ("Mul", "Max", "Min"):
                return g.node("Or" if kind == "Max" else "And", [input, other])
            if kind != "Equal":
                input, other = g.cast(input, np.int32), g.cast(other, np.int32)
        return g.node(kind, [input, other])

    SINGLE[name] = kind
    rule(name)(convert)


for _name, _kind in PAIRS.items():
    _pair(_name, _kind)


SINGLE["where"] = "Where"


@rule("where")
def _where(g: Any, condition: Any, input: Any, other: Any) -> Any:
    return g.where(condition, input, other)


@rule("ne")
def _ne(g: Any, input: Any, other: Any) -> Any:
    return g.Not(g.Equal(input, other))


@rule("bitwise_not")
def _bitwise_not(g: Any, input: Any) -> Any:
    return g.Not(input) if input.kind == "b" else g.BitwiseNot(input)


@rule("pow")
def _pow(g: Any, input: Any, exponent: Any) -> Any:
    return g.Pow(input, exponent)


@rule("square")
def _square(g: Any, input: Any) -> Any:
    return g.Mul(input, input)


@rule("rsqrt")
def _rsqrt(g: Any, input: Any) -> Any:
    return g.Reciprocal(g.Sqrt(input))


@rule("cbrt")
def _cbrt(g: Any, c: Any, input: Any) -> Any:
    return g.Mul(g.Sign(input), g.Pow(g.Abs(input), c(1 / 3)))


def _negative(g: Any, c: Any, x: Any) -> Any:
    """Return where ``x`` is negative, -0.0 included."""
    return g.Or(g.Less(x, c(0)), g.Equal(g.Reciprocal(x), c(-np.inf)))


@rule("signbit")
def _signbit(g: Any, input: Any) -> Any:
    if input.kind != "f":
        return g.Less(input, np.zeros((), input.dtype))
    return _negative(g, lambda v: np.asarray(v, input.dtype), input)


@rule("copysign")
def _copysign(g: Any, c: Any, input: Any, other: Any) -> Any:
    size = g.Abs(input)
    return g.Where(_negative(g, c, other), g.Neg(size), size)


def _nan_aware(name: str, kind: str) -> None:
    def convert(g: Any, input: Any, other: Any) -> Any:
        if input.kind != "f":
            return g.node(kind, [input, other])
        best = g.node(kind, [input, other])
        return g.Where(g.IsNaN(input), other, g.Where(g.IsNaN(other), input, best))

    rule(name)(convert)


_nan_aware("fmax", "Max")
_nan_aware("fmin", "Min")


@rule("clip")
def _clip(g: Any, c: Any, input: Any, min: Any, max: Any) -> Any:
    low = g.Max(input, min) if min is not None else input
    return g.Min(low, max) if max is not None else low


@rule("nan_to_num")
def _nan_to_num(g: Any, c: Any, input: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    ends = np.finfo(input.dtype)
    x = g.Where(g.IsNaN(input), c(nan or 0.0), input)
    x = g.Where(g.IsInf(x, detect_negative=0), c(ends.max if posinf is None else posinf), x)
    return g.Where(g.IsInf(x, detect_positive=0), c(ends.min if neginf is None else neginf), x)


@rule("cast")
def _cast(g: Any, y: Any, input: Any) -> Any:
    return g.Cast(input, to=g.type_of(y.dtype))


# ------------------------------------------------------------------------------------------------ comparison, rounding
@rule("bitwise_left_shift")
def _left(g: Any, c: Any, input: Any, other: Any) -> Any:
    return g.Mul(input, g.Pow(c(2), other))


@rule("bitwise_right_shift")
def _right(g: Any, c: Any, input: Any, other: Any) -> Any:
    return _floored(g, input, g.Pow(c(2), other))


def _floored(g: Any, x: Any, by: Any) -> Any:
    """Return the integer quotient rounded down; ONNX rounds towards zero."""
    return g.Div(g.Sub(x, g.Mod(x, by)), by)


@rule("floor_divide")
def _floor_divide(g: Any, y: Any, input: Any, other: Any) -> Any:
    return g.Floor(g.Div(input, other)) if y.kind == "f" else _floored(g, input, other)


def _truncated(g: Any, x: Any) -> Any:
    return g.Mul(g.Sign(x), g.Floor(g.Abs(x)))


@rule("trunc_divide")
def _trunc_divide(g: Any, y: Any, input: Any, other: Any) -> Any:
    found = g.Div(input, other)
    return _truncated(g, found) if y.kind == "f" else found


@rule("trunc")
def _trunc(g: Any, y: Any, input: Any) -> Any:
    return _truncated(g, input) if y.kind == "f" else g.Identity(input)


@rule("remainder")
def _remainder(g: Any, y: Any, input: Any, other: Any) -> Any:
    if y.kind != "f":
        return g.Mod(input, other)
    return g.Sub(input, g.Mul(g.Floor(g.Div(input, other)), other))


@rule("fmod")
def _fmod(g: Any, input: Any, other: Any) -> Any:
    return g.Mod(input, other, fmod=1)


@rule("round")
def _round(g: Any, y: Any, c: Any, input: Any, decimals: Any) -> Any:
    if y.kind != "f":
        return g.Identity(input)
    return g.Div(g.Round(g.Mul(input, c(10.0**decimals))), c(10.0**decimals)) if decimals else g.Round(input)


@rule("isfinite")
def _isfinite(g: Any, input: Any) -> Any:
    return g.Not(g.Or(g.IsNaN(input), g.IsInf(input))) if input.kind == "f" else g.Equal(input, input)


rule("isposinf")(lambda g, input: g.IsInf(input, detect_negative=0))
rule("isneginf")(lambda g, input: g.IsInf(input, detect_positive=0))
rule("isreal")(lambda g, input: g.Or(g.Equal(input, input), g.IsNaN(input)) if input.kind == "f"
               else g.Equal(input, input))  # fmt: skip


@rule("heaviside")
def _heaviside(g: Any, y: Any, c: Any, input: Any, values: Any) -> Any:
    step = g.Where(g.Equal(input, c(0)), values, g.cast(g.Greater(input, c(0)), y.dtype))
    return g.Where(g.IsNaN(input), input, step) if y.kind == "f" else step


@rule("isclose")
def _isclose(g: Any, input: Any, other: Any, rtol: Any, atol: Any, equal_nan: Any) -> Any:
    def c(v: Any) -> Any:
        return np.asarray(v, input.dtype if input.kind == "f" else np.float32)

    x, y = (v if v.kind == "f" else g.cast(v, np.float32) for v in (input, other))
    finite = g.Not(g.IsInf(y))
    near = g.LessOrEqual(g.Abs(g.Sub(x, y)), g.Add(c(atol), g.Mul(c(rtol), g.Abs(y))))
    out = g.Or(g.Equal(x, y), g.And(near, finite))
    return g.Or(out, g.And(g.IsNaN(x), g.IsNaN(y))) if equal_nan else out


# ------------------------------------------------------------------------------------------------ exponential
rule("exp2")(lambda g, c, input: g.Pow(c(2), input))
rule("expm1")(lambda g, c, input: g.Sub(g.Exp(input), c(1)))
rule("log1p")(lambda g, c, input: g.Log(g.Add(input, c(1))))
rule("log2")(lambda g, c, input: g.Mul(g.Log(input), c(1 / math.log(2))))
rule("log10")(lambda g, c, input: g.Mul(g.Log(input), c(1 / math.log(10))))
rule("log_odds")(lambda g, c, input: g.Log(g.Div(input, g.Sub(c(1), input))))
rule("erfc")(lambda g, c, input: g.Sub(c(1), g.Erf(input)))


def _log_of_sum(g: Any, x: Any, y: Any) -> Any:
    top = g.Max(x, y)
    away = g.Neg(g.Abs(g.Sub(x, y)))
    return g.Add(top, g.Log(g.Add(np.ones((), x.dtype), g.Exp(away))))


@rule("logaddexp")
def _logaddexp(g: Any, input: Any, other: Any) -> Any:
    return _log_of_sum(g, input, other)


@rule("logaddexp2")
def _logaddexp2(g: Any, c: Any, input: Any, other: Any) -> Any:
    away = g.Pow(c(2), g.Neg(g.Abs(g.Sub(input, other))))
    return g.Add(g.Max(input, other), g.Mul(g.Log(g.Add(c(1), away)), c(1 / math.log(2))))


@rule("xlogy")
def _xlogy(g: Any, c: Any, input: Any, other: Any) -> Any:
    zero = g.Equal(input, c(0))
    y = g.Mul(input, g.Log(g.Where(zero, c(1), other)))
    return g.Where(g.And(zero, g.IsNaN(other)), other, y)


@rule("lerp")
def _lerp(g: Any, c: Any, input: Any, end: Any, weight: Any) -> Any:
    d = g.Sub(end, input)
    near, far = g.Add(input, g.Mul(weight, d)), g.Sub(end, g.Mul(d, g.Sub(c(1), weight)))
    return g.Where(g.Less(g.Abs(weight), c(0.5)), near, far)


# ------------------------------------------------------------------------------------------------ trigonometry
@rule("atan2")
def _atan2(g: Any, c: Any, input: Any, other: Any) -> Any:
    below = _negative(g, c, input)
    turned = g.Where(g.Less(other, c(0)), g.Where(below, c(-np.pi), c(np.pi)), c(0))
    flat = g.And(g.Equal(input, c(0)), g.Equal(other, c(0)))
    angle = g.Add(g.Atan(g.Div(g.Where(flat, c(0), input), g.Where(flat, c(1), other))), turned)
    return angle


@rule("hypot")
def _hypot(g: Any, input: Any, other: Any) -> Any:
    return g.Sqrt(g.Add(g.Mul(input, input), g.Mul(other, other)))


@rule("sinc")
def _sinc(g: Any, c: Any, input: Any) -> Any:
    zero, t = g.Equal(input, c(0)), g.Mul(input, c(np.pi))
    return g.Where(zero, c(1), g.Div(g.Sin(t), g.Where(zero, c(1), t)))


@rule("angle")
def _angle(g: Any, c: Any, input: Any) -> Any:
    return g.Where(g.Less(input, np.zeros((), input.dtype)), c(np.pi), c(0))


# ------------------------------------------------------------------------------------------------ activations
rule("softmax")(lambda g, input, dim: g.Softmax(input, axis=dim))
rule("log_softmax")(lambda g, input, dim: g.LogSoftmax(input, axis=dim))
rule("leaky_relu")(lambda g, input, negative_slope: g.LeakyRelu(input, alpha=float(negative_slope)))
rule("hardtanh")(lambda g, c, input, min_val, max_val: g.Clip(input, c(min_val), c(max_val)))
rule("threshold")(lambda g, c, input, threshold, value: g.Where(g.Greater(input, c(threshold)), input, c(value)))
rule("softshrink")(lambda g, input, lambd: g.Shrink(input, lambd=float(lambd), bias=float(lambd)))
rule("hardshrink")(lambda g, input, lambd: g.Shrink(input, lambd=float(lambd), bias=0.0))
rule("silu")(lambda g, input: g.Mul(input, g.Sigmoid(input)))
rule("logsigmoid")(lambda g, input: g.Neg(g.Softplus(g.Neg(input))))
SINGLE.update(softmax="Softmax", log_softmax="LogSoftmax", leaky_relu="LeakyRelu", hardtanh="Clip", cast="Cast",
              softshrink="Shrink", hardshrink="Shrink", bitwise_not="BitwiseNot", pow="Pow", round="Round")  # fmt: skip


@rule("softplus")
def _softplus(g: Any, c: Any, input: Any, beta: Any, threshold: Any) -> Any:
    x = input if beta == 1 else g.Mul(input, c(beta))
    y = g.Softplus(x) if beta == 1 else g.Div(g.Softplus(x), c(beta))
    return y if threshold >= 20 else g.Where(g.Greater(x, c(threshold)), input, y)


@rule("elu")
def _elu(g: Any, c: Any, input: Any, alpha: Any, scale: Any, input_scale: Any) -> Any:
    if input_scale == 1:
        if scale == 1:
            return g.Elu(input, alpha=float(alpha))
        return g.Selu(input, alpha=float(alpha), gamma=float(scale))
    low = g.Mul(c(alpha), g.Sub(g.Exp(g.Mul(g.Min(input, c(0)), c(input_scale))), c(1)))
    y = g.Add(g.Max(input, c(0)), low)
    return y if scale == 1 else g.Mul(y, c(scale))


@rule("gelu_exact")
def _gelu(g: Any, c: Any, input: Any) -> Any:
    if g.opset >= 20:
        return g.Gelu(input)
    return g.Mul(g.Mul(input, c(0.5)), g.Add(c(1), g.Erf(g.Mul(input, c(math.sqrt(0.5))))))


SINGLE["gelu_exact"] = "Gelu"


@rule("gelu_tanh")
def _gelu_tanh(g: Any, c: Any, input: Any) -> Any:
    if g.opset >= 20:
        return g.Gelu(input, approximate="tanh")
    cube = g.Mul(g.Mul(g.Mul(input, input), input), c(0.044715))
    t = g.Tanh(g.Mul(g.Add(input, cube), c(math.sqrt(2 / math.pi))))
    return g.Mul(g.Mul(input, c(0.5)), g.Add(c(1), t))


rule("hardswish()")(lambda g, x0: g.HardSwish(x0))
rule("hardsigmoid()")(lambda g, x0: g.HardSigmoid(x0, alpha=1 / 6, beta=0.5))


@rule("prelu()")
def _prelu(g: Any, x0: Any, x1: Any) -> Any:
    return g.PRelu(x0, x1)
