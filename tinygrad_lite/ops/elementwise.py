"""Element-by-element arithmetic; arguments broadcast as in NumPy, dtypes combine as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.registry import function, op
from tinygrad_lite.samples import Samples
from tinygrad_lite.tensor import Array

TWO = Samples("(),()->()")
ONE = Samples("()->()")


# ------------------------------------------------------------------------------------------------ casts
@op(x=lambda g, x: g.astype(x.dtype), kind="shape", label="to", samples=Samples("()->()", options={"dtype": ("float64",)}))
def to(x: Array, dtype: object) -> Array:
    """Return ``x`` with another dtype; its gradient comes back in the dtype of ``x``."""
    return np.asarray(x).astype(dtype)  # type: ignore[arg-type]


@function()
def astype(input: Array, dtype: Any) -> Array:
    """Return ``input`` with another dtype: NumPy's name of `to`."""
    return to(input, dtype)


# ------------------------------------------------------------------------------------------------ comparisons and logic
def _compare(ufunc: np.ufunc) -> None:
    def compare(input: Array, other: Array) -> Array:
        return ufunc(input, other)

    name = {"greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "equal": "eq", "not_equal": "ne"}
    compare.__name__ = name.get(ufunc.__name__, ufunc.__name__)
    compare.__doc__ = f"Return ``input {ufunc.__name__.replace('_', ' ')} other`` element by element, as booleans."
    op(kind="elementwise", label=ufunc.__name__, numpy=ufunc)(compare)


for _ufunc in (np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal):
    _compare(_ufunc)


for _ufunc in (np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor):
    _compare(_ufunc)


# ------------------------------------------------------------------------------------------------ arithmetic
@op(input=lambda g: g, other=lambda g: g, kind="elementwise", label="+", promote="same", numpy=np.add, samples=TWO)
def add(input: Array, other: Array) -> Array:
    """Return ``input + other``.

    >>> import tinygrad_lite as tl
    >>> tl.add(tl.tensor([1.0, 2.0]), 3)
    tensor([4., 5.])
    """
    return np.add(input, other)


@op(input=lambda g: g, other=lambda g: -g, kind="elementwise", label="-", promote="same", numpy=np.subtract, samples=TWO)
def sub(input: Array, other: Array) -> Array:
    """Return ``input - other``."""
    return np.subtract(input, other)


@op(
    input=lambda g, other: g * other, other=lambda g, input: g * input,
    kind="elementwise", label="×", singular=True, promote="same", numpy=np.multiply, samples=TWO,
)  # fmt: skip
def mul(input: Array, other: Array) -> Array:
    """Return ``input * other``."""
    return np.multiply(input, other)


@op(
    input=lambda g, other: g / other, other=lambda g, y, other: -g * y / other,
    kind="elementwise", label="÷", singular=True, promote="float", numpy=np.true_divide,
    samples=Samples("(),()->()", domain={"other": (0.1, np.inf)}),
)  # fmt: skip
def div(input: Array, other: Array) -> Array:
    """Return ``input / other`` (true division: integers give floats)."""
    return np.true_divide(input, other)


@op(input=lambda g: -g, kind="elementwise", label="−", numpy=np.negative, samples=ONE)
def neg(input: Array) -> Array:
    """Return ``-input``."""
    return np.negative(input)


def _pow_base(g: Array, input: Array, exponent: Array) -> Array:
    if isinstance(exponent, (int, float)):
        return g * 0.0 if exponent == 0 else g * (exponent * input ** (exponent - 1))
    # 0 * x**-1 would be NaN at x = 0, where x**0 is flat
    flat = exponent == 0
    return where(flat, 0.0, g * (exponent * input ** where(flat, 1.0, exponent - 1)))


def _pow_exponent(g: Array, y: Array, input: Array) -> Array:
    zero = input == 0
    return where(zero, 0.0, g * (y * log(where(zero, 1.0, input))))


@op(
    input=_pow_base, exponent=_pow_exponent,
    kind="elementwise", label="^", singular=True, promote="same", numpy=np.power,
    samples=Samples("(),()->()", domain={"input": (0.1, np.inf), "exponent": (-3.0, 3.0)}),
)  # fmt: skip
def pow(input: Array, exponent: Array) -> Array:
    """Return ``input ** exponent``; the slope of ``0 ** e`` with respect to ``e`` is taken as 0."""
    return np.power(input, exponent)


@op(input=lambda g, y: g * y, kind="elementwise", promote="float", numpy=np.exp, samples=Samples("()->()", hi=30.0))
def exp(input: Array) -> Array:
    """Return ``e ** input``."""
    return np.exp(input)


@op(
    input=lambda g, input: g / input, kind="elementwise", singular=True, promote="float", numpy=np.log,
    samples=Samples("()->()", lo=1e-3),
)  # fmt: skip
def log(input: Array) -> Array:
    """Return the natural logarithm; -inf at 0, NaN below (as NumPy, with its warning)."""
    return np.log(input)


@op(
    input=lambda g, y: g / (2 * y), kind="elementwise", label="√", singular=True, promote="float", numpy=np.sqrt,
    samples=Samples("()->()", lo=1e-3),
)  # fmt: skip
def sqrt(input: Array) -> Array:
    """Return the square root; its slope at 0 is infinite."""
    return np.sqrt(input)


@op(kind="elementwise", numpy=np.sign)
def sign(input: Array) -> Array:
    """Return -1, 0 or 1."""
    return np.sign(input)


@op(
    input=lambda g, input: g * sign(input), kind="elementwise", label="|x|", numpy=(np.absolute, np.fabs), samples=ONE
)
def abs(input: Array) -> Array:
    """Return the absolute value; the slope at 0 is taken as 0."""
    return np.absolute(input)


# ------------------------------------------------------------------------------------------------ choosing
@op(
    input=lambda g, condition: where(condition, g, 0.0), other=lambda g, condition: where(condition, 0.0, g),
    kind="elementwise", promote="same", method=False, numpy=np.where,
    samples=Samples("(),(),()->()", domain={"condition": bool}),
)  # fmt: skip
def where(condition: Array, input: Array, other: Array) -> Array:
    """Return ``input`` where ``condition`` holds, ``other`` elsewhere."""
    return np.where(condition, input, other)


def _share(g: Array, mine: Array, theirs: Array) -> Array:
    """Gradient for the larger one; equal ones share."""
    return where(mine == theirs, g / 2, where(mine > theirs, g, 0.0))


@op(
    input=lambda g, input, other: _share(g, input, other), other=lambda g, input, other: _share(g, other, input),
    kind="elementwise", label="max", promote="same", numpy=np.maximum, samples=TWO,
)  # fmt: skip
def maximum(input: Array, other: Array) -> Array:
    """Return the larger of two values, NaN if one is NaN; where they are equal both get half of the gradient."""
    return np.maximum(input, other)


@op(
    input=lambda g, input, other: _share(g, other, input), other=lambda g, input, other: _share(g, input, other),
    kind="elementwise", label="min", promote="same", numpy=np.minimum, samples=TWO,
)  # fmt: skip
def minimum(input: Array, other: Array) -> Array:
    """Return the smaller of two values, NaN if one is NaN; where they are equal both get half of the gradient."""
    return np.minimum(input, other)


def _inside(g: Array, input: Array, min: Array, max: Array) -> Array:
    if min is not None:
        g = where(input >= min, g, 0.0)
    return g if max is None else where(input <= max, g, 0.0)


@op(
    input=_inside, kind="elementwise",
    samples=Samples("()->()", options={"min": (-1.0, None, 0.0), "max": (1.0, 2.0)}),
)  # fmt: skip
def clip(input: Array, min: Array = None, max: Array = None) -> Array:
    """Return ``input`` kept between ``min`` and ``max`` (numbers or None); the gradient passes at the bounds."""
    if min is None and max is None:
        raise ValueError("clip: at least one of min and max must be given")
    return np.clip(input, min, max)


@function()
def clamp(input: Array, min: Array = None, max: Array = None) -> Array:
    """Return ``input`` kept between ``min`` and ``max``: `clip` by PyTorch's name."""
    return clip(input, min, max)
