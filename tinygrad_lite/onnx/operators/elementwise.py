"""Elementwise operators and activations."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import tinygrad_lite.nn.functional as F
from tinygrad_lite import ops as _ops  # noqa: F401 - the ops are declared
from tinygrad_lite.engine.op import PUBLIC as P
from tinygrad_lite.errors import FileError
from tinygrad_lite.onnx.operators.table import OPERATORS, array_of, operator, tensor

OPERATORS.update({
    kind: P[name]
    for kind, name in {
        "Abs": "abs", "Acos": "acos", "Acosh": "acosh", "Asin": "asin", "Asinh": "asinh", "Atan": "atan",
        "Atanh": "atanh", "Ceil": "ceil", "Cos": "cos", "Cosh": "cosh", "Erf": "erf", "Exp": "exp", "Floor": "floor",
        "IsNaN": "isnan", "Log": "log", "Neg": "neg", "Reciprocal": "reciprocal", "Relu": "relu", "Round": "round",
        "Sigmoid": "sigmoid", "Sign": "sign", "Sin": "sin", "Sinh": "sinh", "Sqrt": "sqrt", "Tan": "tan",
        "Tanh": "tanh", "And": "logical_and", "Or": "logical_or", "Xor": "logical_xor", "Not": "logical_not",
        "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor",
        "BitwiseNot": "bitwise_not", "Equal": "eq", "Greater": "gt", "Less": "lt", "GreaterOrEqual": "ge",
        "LessOrEqual": "le", "Where": "where", "Det": "det",
    }.items()
})  # fmt: skip
DTYPES = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8", 12: "u4",
          13: "u8"}  # fmt: skip
"""NumPy's dtypes by ONNX's numbers."""


def dtype_of(number: int) -> np.dtype[Any]:
    """Return the dtype with ONNX's number; raise FileError for one that tensors cannot have."""
    if number not in DTYPES:
        raise FileError(f"onnx.load: the element type number {number} (string, complex, bfloat16 or 8 bits) is not "
                        f"supported")  # fmt: skip
    return np.dtype(DTYPES[number])


def _old_axes(x: Any, y: Any, broadcast: int, axis: int | None) -> Any:
    """Return the second operand with the axes that opset 6 and older align by a number."""
    if broadcast and axis is not None:
        return y.reshape((*y.shape, *(1,) * (x.ndim - axis - y.ndim)))
    return y


def _binary(kind: str, function: Any) -> None:
    def run(x: Any, y: Any, broadcast: int = 0, axis: int | None = None) -> Any:
        return function(x, _old_axes(x, y, broadcast, axis))

    OPERATORS[kind] = run


_binary("Add", P["add"])
_binary("Sub", P["sub"])
_binary("Mul", P["mul"])
_binary("Div", lambda x, y: P["div"](x, y) if x.dtype.kind == "f" else P["div"](x, y, rounding_mode="trunc"))


@operator("Pow")
def _pow(x: Any, y: Any) -> Any:
    found = P["pow"](x, y)
    return found if found.dtype == x.dtype else found.to(x.dtype)


@operator("Mod")
def _mod(x: Any, y: Any, fmod: int = 0) -> Any:
    return P["fmod"](x, y) if fmod else P["remainder"](x, y)


@operator("BitShift")
def _shift(x: Any, y: Any, direction: str) -> Any:
    return P["bitwise_left_shift" if direction == "LEFT" else "bitwise_right_shift"](x, y)


def _fold(kind: str, function: Any) -> None:
    OPERATORS[kind] = lambda *xs: functools.reduce(function, xs)


_fold("Max", P["maximum"])
_fold("Min", P["minimum"])
_fold("Sum", P["add"])
OPERATORS["Mean"] = lambda *xs: functools.reduce(P["add"], xs) / len(xs)


@operator("Identity", "Dropout")
def _identity(x: Any, *_: Any, outputs: int = 1, **ignored: Any) -> Any:
    return x if outputs == 1 else (x, tensor(np.ones(x.shape, bool)))


@operator("Cast")
def _cast(x: Any, to: int, saturate: int = 1, round_mode: str = "up") -> Any:
    return x.to(dtype_of(to))


OPERATORS["CastLike"] = lambda x, like, saturate=1, round_mode="up": x.to(like.dtype)


@operator("IsInf")
def _isinf(x: Any, detect_negative: int = 1, detect_positive: int = 1) -> Any:
    if detect_negative and detect_positive:
        return P["isinf"](x)
    return P["isposinf"](x) if detect_positive else P["isneginf"](x) if detect_negative else x != x


@operator("Clip")
def _clip(x: Any, low: Any = None, high: Any = None, min: float | None = None, max: float | None = None) -> Any:
    low, high = (min if low is None else low), (max if high is None else high)
    return x if low is None and high is None else P["clip"](x, low, high)


# ------------------------------------------------------------------------------------------------ activations
@operator("Softmax", "LogSoftmax", "Hardmax")
def _softmax(x: Any, axis: int | None = None, *, opset: int, kind: str) -> Any:
    if opset >= 13:
        return _along(kind, x, -1 if axis is None else axis)
    lead = int(np.prod(x.shape[: (1 if axis is None else axis % x.ndim)]))
    return _along(kind, x.reshape((lead, -1)), 1).reshape(tuple(x.shape))  # the older ones flatten the last axes


def _along(kind: str, x: Any, axis: int) -> Any:
    if kind == "Hardmax":
        places = np.expand_dims(array_of(x).argmax(axis), axis)
        codes = np.zeros(x.shape, x.array.dtype)
        np.put_along_axis(codes, places, 1, axis)
        return tensor(codes)
    return P["softmax" if kind == "Softmax" else "log_softmax"](x, axis)


OPERATORS.update({
    "Elu": lambda x, alpha=1.0: F.elu(x, alpha),
    "Celu": lambda x, alpha=1.0: F.celu(x, alpha),
    "LeakyRelu": lambda x, alpha=0.01: F.leaky_relu(x, alpha),
    "Softplus": lambda x: F.softplus(x),
    "Softsign": lambda x: F.softsign(x),
    "Mish": lambda x: F.mish(x),
    "Gelu": lambda x, approximate="none": F.gelu(x, approximate=approximate),
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: (x * alpha + beta).clamp(0, 1),
    "HardSwish": lambda x: F.hardswish(x),
    "Swish": lambda x, alpha=1.0: x * P["sigmoid"](x * alpha),
    "ThresholdedRelu": lambda x, alpha=1.0: F.threshold(x, alpha, 0.0),
    "PRelu": lambda x, slope: P["where"](x >= 0, x, x * slope),
})  # fmt: skip


@operator("Selu")
def _selu(x: Any, alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875) -> Any:
    return gamma * P["where"](x > 0, x, alpha * P["expm1"](P["minimum"](x, 0.0)))


@operator("Shrink")
def _shrink(x: Any, lambd: float = 0.5, bias: float = 0.0) -> Any:
    zero = x * 0
    return P["where"](x > lambd, x - bias, P["where"](x < -lambd, x + bias, zero))
