"""Elementwise arithmetic: operands broadcast as in NumPy, dtypes promote as in PyTorch."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from numpy import ndarray

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.sums import ROWS
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, ShapeError
from tinygrad_lite.ops.elementwise.comparison import STEPS, flat
from tinygrad_lite.ops.elementwise.short_rows import applied

TWO = Samples("(),()->()")
ONE = Samples("()->()")


# ------------------------------------------------------------------------------------------------ arithmetic
@op(
    input=lambda g: g,
    other=lambda g: g,
    kind="elementwise",
    label="+",
    promote="same",
    numpy=np.add,
    ufunc=np.add,
    samples=TWO,
)
def add(input: Array, other: Array) -> Array:
    """Return ``input + other``.

    >>> import tinygrad_lite as tl
    >>> tl.add(tl.tensor([1.0, 2.0]), 3)
    tensor([4., 5.])
    """
    return applied(np.add, input, other)


@op(
    input=lambda g: g,
    other=lambda g: -g,
    kind="elementwise",
    label="-",
    promote="difference",
    numpy=np.subtract,
    ufunc=np.subtract,
    samples=TWO,
)
def sub(input: Array, other: Array) -> Array:
    """Return ``input - other``."""
    return applied(np.subtract, input, other)


def _times_other(g: Array, other: Array) -> Array:
    if g.__class__ is ndarray and g.size > ROWS:
        return applied(np.multiply, g, other)
    return g * other


def _times_input(g: Array, input: Array) -> Array:
    return _times_other(g, input) if g.__class__ is ndarray and g.size > ROWS else g * input


@op(
    input=_times_other, other=_times_input,
    kind="elementwise", label="×", singular=True, promote="product", numpy=np.multiply, ufunc=np.multiply, samples=TWO,
)  # fmt: skip
def mul(input: Array, other: Array) -> Array:
    """Return ``input * other``.

    >>> import tinygrad_lite as tl
    >>> tl.mul(tl.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """
    return applied(np.multiply, input, other)


def _over(g: Array, other: Array) -> Array:
    return applied(np.true_divide, g, other) if g.__class__ is ndarray and g.size > ROWS else g / other


@op(
    input=_over, other=lambda g, input, other: -g * (input / other / other),
    kind="elementwise", label="÷", singular=True, promote="quotient", numpy=np.true_divide,
    ufunc=np.true_divide,
    samples=Samples("(),()->()", domain={"other": (0.1, np.inf)}),
)  # fmt: skip
def div(input: Array, other: Array) -> Array:
    """Return ``input / other`` (true division: integers give floats)."""
    return applied(np.true_divide, input, other)


@op(input=lambda g: -g, kind="elementwise", label="−", numpy=np.negative, ufunc=np.negative, samples=ONE)
def neg(input: Array) -> Array:
    """Return ``-input``.

    >>> import tinygrad_lite as tl
    >>> tl.neg(tl.tensor([-1.0, 2.0]))
    tensor([ 1., -2.])
    """
    return np.negative(input)


def _pow_base(g: Array, input: Array, exponent: Array) -> Array:
    if isinstance(exponent, (int, float)):
        # a constant has the slope 0, also where g is NaN
        return new.zeros_like(g) if exponent == 0 else g * (exponent * input ** (exponent - 1))
    # x**0 is constant, but at x = 0 the formula gives 0 * x**-1 = NaN, and at NaN it keeps the NaN
    flat = (exponent == 0) & ~(np.absolute(input) > 0)
    one, less = 1.0, exponent - 1
    if exponent.__class__ is np.ndarray:  # a NumPy scalar would count as a Python number, and NumPy 1 makes it float64
        one, less = exponent.dtype.type(1), new.asarray(less, exponent.dtype)
    return where(flat, 0.0, g * (exponent * input ** where(flat, one, less)))


def _pow_exponent(g: Array, y: Array, input: Array, exponent: Array) -> Array:
    if isinstance(input, (int, float)) and input > 0:  # `where` of two numbers has the default dtype
        return g * (y * log(input))
    flat = (input == 0) & (exponent >= 0)  # PyTorch's choice: 0 where 0 ** e is flat from the right, else -inf
    return where(flat, 0.0, g * (y * np.log(where(flat, 1.0, input))))


@op(
    input=_pow_base, exponent=_pow_exponent,
    kind="elementwise", label="^", singular=True, promote="power", numpy=np.power,
    samples=Samples("(),()->()", domain={"input": (0.1, np.inf), "exponent": (-3.0, 3.0)}),
)  # fmt: skip
def pow(input: Array, exponent: Array) -> Array:
    """Return ``input ** exponent``.

    The slope of ``0 ** e`` with respect to ``e`` is taken as 0 where e is not negative.

    >>> import tinygrad_lite as tl
    >>> tl.pow(tl.tensor([2.0, 3.0]), 2)
    tensor([4., 9.])
    """
    whole = new.asarray(input).dtype.kind in "iu" and new.asarray(exponent).dtype.kind in "iu"
    if whole and np.any(negative := new.asarray(exponent) < 0):
        # as in PyTorch: 1 and -1 have integer powers, those of other numbers are rounded to 0
        units = np.where(np.abs(input) == 1, np.power(input, np.abs(exponent)), 0)
        return np.where(negative, units, np.power(input, np.abs(exponent)))
    y = np.power(input, exponent)
    # the powers of a number are contiguous, whatever layout the exponent has, as in PyTorch
    return new.ascontiguousarray(y) if y.ndim > 1 and isinstance(input, (int, float)) else y


@op(input=lambda g, input: g * (2 * input), kind="elementwise", singular=True, label="x²", numpy=np.square, samples=ONE)
def square(input: Array) -> Array:
    """Return ``input * input``.

    >>> import tinygrad_lite as tl
    >>> tl.square(tl.tensor([0.5, 1.0]))
    tensor([0.2500, 1.0000])
    """
    return np.square(input if input.dtype.kind != "b" else input.astype(np.int64))


@op(
    input=lambda g, y: -g * (y * y), kind="elementwise", label="1/x", singular=True, promote="float",
    numpy=np.reciprocal, samples=Samples("()->()", lo=0.1),
)  # fmt: skip
def reciprocal(input: Array) -> Array:
    """Return ``1 / input``.

    >>> import tinygrad_lite as tl
    >>> tl.reciprocal(tl.tensor([0.5, 1.0]))
    tensor([2., 1.])
    """
    return np.reciprocal(input)


@op(
    input=lambda g, y: g / (2 * y), kind="elementwise", label="√", singular=True, promote="float", numpy=np.sqrt,
    ufunc=np.sqrt, samples=Samples("()->()", lo=1e-3),
)  # fmt: skip
def sqrt(input: Array) -> Array:
    """Return the square root; its slope at 0 is infinite.

    >>> import tinygrad_lite as tl
    >>> tl.sqrt(tl.tensor([0.5, 1.0]))
    tensor([0.7071, 1.0000])
    """
    return np.sqrt(input)


@op(
    input=lambda g, y: g * (-0.5 * y**3), kind="elementwise", label="1/√", singular=True, promote="float",
    samples=Samples("()->()", lo=1e-2),
)  # fmt: skip
def rsqrt(input: Array) -> Array:
    """Return ``1 / sqrt(input)``.

    >>> import tinygrad_lite as tl
    >>> tl.rsqrt(tl.tensor([0.5, 1.0]))
    tensor([1.4142, 1.0000])
    """
    return np.reciprocal(np.sqrt(input))


@op(
    input=lambda g, y: g / (3 * (y * y)), kind="elementwise", label="∛", singular=True, promote="float", numpy=np.cbrt,
    samples=Samples("()->()", lo=1e-3),
)  # fmt: skip
def cbrt(input: Array) -> Array:
    """Return the cube root, also of negative numbers; its slope at 0 is infinite.

    >>> import tinygrad_lite as tl
    >>> tl.cbrt(tl.tensor([0.5, 1.0]))
    tensor([0.7937, 1.0000])
    """
    return np.cbrt(input)


def _flat_root_rule(g: Array, y: Array) -> Array:
    zero = y == 0
    return where(zero, 0.0, g / where(zero, 1.0, 2 * y))


@op(
    input=_flat_root_rule,
    kind="elementwise",
    singular=True,
    label="√",
    promote="float",
    public=False,
    samples=Samples("()->()", lo=1e-3),
)
def flat_sqrt(input: Array) -> Array:
    """Return the square root with slope 0 at 0, for norms and standard deviations."""
    return np.sqrt(input)


@function(numpy=np.positive)
def positive(input: Array) -> Array:
    """Return ``+input``.

    >>> import tinygrad_lite as tl
    >>> tl.positive(tl.tensor([0.5, 1.0]))
    tensor([0.5000, 1.0000])
    """
    if input.dtype.kind == "b":
        raise DTypeError("positive: a bool has no sign; use .int()")
    return input


@op(input=flat, kind="elementwise", numpy=np.sign, samples=STEPS)
def sign(input: Array) -> Array:
    """Return the sign, -1, 0 or 1.

    The gradient is zero; NaN has no sign and gives 0.

    >>> import tinygrad_lite as tl
    >>> tl.sign(tl.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    if input.dtype.kind != "f":
        return input.copy("K") if input.dtype.kind == "b" else np.sign(input)
    np.copyto(y := new.asarray(np.sign(input)), 0, where=np.isnan(input))
    return y


@op(
    input=lambda g, input: g * sign(input),
    kind="elementwise",
    label="|x|",
    numpy=(np.absolute, np.fabs),
    ufunc=np.absolute,
    samples=ONE,
)
def abs(input: Array) -> Array:
    """Return the absolute value; the slope at 0 is taken as 0.

    >>> import tinygrad_lite as tl
    >>> tl.abs(tl.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return np.absolute(input)


@op(
    input=lambda g, y, input: g * (sign(input) * sign(y)), other=lambda g: g * 0.0,
    kind="elementwise", promote="float", numpy=np.copysign, samples=TWO,
)  # fmt: skip
def copysign(input: Array, other: Array) -> Array:
    """Return ``input`` with the sign of ``other``.

    The slope at 0 is taken as 0, and so is the gradient of ``other``.

    >>> import tinygrad_lite as tl
    >>> tl.copysign(tl.tensor([1.0, 2.0]), tl.tensor([-1.0, 1.0]))
    tensor([-1.,  2.])
    """
    return np.copysign(input, other)


# ------------------------------------------------------------------------------------------------ selection
def _chosen(g: Array, condition: Array) -> Array:
    return where(condition, g, 0.0)


def _not_chosen(g: Array, condition: Array) -> Array:
    return where(condition, 0.0, g)


@op(
    input=_chosen, other=_not_chosen,
    inplace=False, kind="elementwise", promote="same", method=False, numpy=np.where,
    samples=Samples("(),(),()->()", domain={"condition": bool}),
)  # fmt: skip
def where(condition: Array, input: Array, other: Array) -> Array:
    """Return ``input`` where ``condition`` holds, ``other`` elsewhere."""
    return np.where(condition, input, other)


def _share(g: Array, mine: Array, theirs: Array) -> Array:
    """Return the gradient of the larger operand; where both are equal each gets half."""
    return where(mine == theirs, g / 2, where(mine < theirs, 0.0, g))  # beside NaN both get it, as in PyTorch


@op(
    input=lambda g, input, other: _share(g, input, other), other=lambda g, input, other: _share(g, other, input),
    inplace=False, kind="elementwise", label="max", promote="same", numpy=np.maximum, ufunc=np.maximum, samples=TWO,
)  # fmt: skip
def maximum(input: Array, other: Array) -> Array:
    """Return the larger of two values, NaN if one is NaN.

    Where they are equal both get half of the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.maximum(tl.tensor([1.0, 5.0]), tl.tensor([2.0, 3.0]))
    tensor([2., 5.])
    """
    return np.maximum(input, other)


@op(
    input=lambda g, input, other: _share(g, other, input), other=lambda g, input, other: _share(g, input, other),
    inplace=False, kind="elementwise", label="min", promote="same", numpy=np.minimum, ufunc=np.minimum, samples=TWO,
)  # fmt: skip
def minimum(input: Array, other: Array) -> Array:
    """Return the smaller of two values, NaN if one is NaN.

    Where they are equal both get half of the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.minimum(tl.tensor([1.0, 5.0]), tl.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    return np.minimum(input, other)


@op(
    input=lambda g, input, other: where((input >= other) | (other != other), g, 0.0),
    other=lambda g, input, other: where((input >= other) | (other != other), 0.0, g),
    inplace=False, kind="elementwise", label="max", promote="same", numpy=np.fmax, samples=TWO,
)  # fmt: skip
def fmax(input: Array, other: Array) -> Array:
    """Return the larger of two values, ignoring NaN.

    Where they are equal ``input`` gets the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.fmax(tl.tensor([1.0, tl.nan]), tl.tensor([2.0, 3.0]))
    tensor([2., 3.])
    """
    return np.fmax(input, other)


@op(
    input=lambda g, input, other: where((input <= other) | (other != other), g, 0.0),
    other=lambda g, input, other: where((input <= other) | (other != other), 0.0, g),
    inplace=False, kind="elementwise", label="min", promote="same", numpy=np.fmin, samples=TWO,
)  # fmt: skip
def fmin(input: Array, other: Array) -> Array:
    """Return the smaller of two values, ignoring NaN.

    Where they are equal ``input`` gets the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.fmin(tl.tensor([1.0, tl.nan]), tl.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    return np.fmin(input, other)


def _inside(g: Array, input: Array, min: Array, max: Array) -> Array:
    if min is not None:
        g = where(input >= min, g, 0.0)
    return g if max is None else where(input <= max, g, 0.0)


def _at_min(g: Array, input: Array, min: Array, max: Array) -> Array:
    below = input < min
    return where(below if max is None else below & (min < max), g, 0.0)


def _at_max(g: Array, input: Array, min: Array, max: Array) -> Array:
    above = input > max
    return where(above if min is None else above | (max < min), g, 0.0)


@op(
    input=_inside, min=_at_min, max=_at_max, kind="elementwise", promote="same", numpy=np.clip,
    samples=Samples("(),()?,()?->()", domain={"min": (-2.0, -0.5), "max": (0.5, 2.0)},
                    call=lambda op, x, low=None, high=None: op(x, -1.0 if low is None else low, high)),
)  # fmt: skip
def clip(input: Array, min: Array = None, max: Array = None) -> Array:
    """Return ``input`` clipped to ``min`` and ``max`` (numbers, tensors or None).

    The gradient passes at the bounds. Outside the bounds the gradient goes to the bound, if that is a tensor.

    >>> import tinygrad_lite as tl
    >>> tl.clip(tl.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise ShapeError("clip: at least one of min and max must be given")
    return np.clip(input, min, max)


@function(inplace=True)
def clamp(input: Array, min: Array = None, max: Array = None) -> Array:
    """Return ``input`` clipped to ``min`` and ``max``: PyTorch's name for `clip`.

    >>> import tinygrad_lite as tl
    >>> tl.clamp(tl.tensor([-2.0, 0.5, 2.0]), min=0)
    tensor([0.0000, 0.5000, 2.0000])
    """
    return clip(input, min, max)


@function(inplace=True)
def clamp_min(input: Array, min: Array) -> Array:
    """Return ``input``, at least ``min``.

    >>> import tinygrad_lite as tl
    >>> tl.clamp_min(tl.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    return clip(input, min, None)


@function(inplace=True)
def clamp_max(input: Array, max: Array) -> Array:
    """Return ``input``, at most ``max``.

    >>> import tinygrad_lite as tl
    >>> tl.clamp_max(tl.tensor([0.5, 2.0]), 1)
    tensor([0.5000, 1.0000])
    """
    return clip(input, None, max)


@op(
    input=lambda g, input: where(np.isfinite(input), g, 0.0),
    kind="elementwise", layout="operands", numpy=np.nan_to_num, samples=ONE,
)  # fmt: skip
def nan_to_num(input: Array, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """Return ``input`` with NaN and infinities replaced by finite numbers.

    Infinities become the largest numbers of the dtype unless ``posinf`` and ``neginf`` are given.

    >>> import tinygrad_lite as tl
    >>> tl.nan_to_num(tl.tensor([tl.nan, 1.0]), nan=7.0)
    tensor([7., 1.])
    """
    return np.nan_to_num(input, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)
