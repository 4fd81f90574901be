"""Trigonometric and hyperbolic functions; angles are in radians."""

from __future__ import annotations

from math import factorial, perm, pi

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.arithmetic import mul, where

ONE = Samples("()->()")
INSIDE = Samples("()->()", lo=-0.99, hi=0.99)


@op(
    input=lambda g, input: g * np.cos(input),
    kind="elementwise",
    singular=True,
    promote="float",
    numpy=np.sin,
    ufunc=np.sin,
    samples=ONE,
)
def sin(input: Array) -> Array:
    """Return the sine.

    >>> import tinygrad_lite as tl
    >>> tl.sin(tl.tensor([0.5, 1.0]))
    tensor([0.4794, 0.8415])
    """
    return np.sin(input)


@op(
    input=lambda g, input: g * -np.sin(input),
    kind="elementwise",
    singular=True,
    promote="float",
    numpy=np.cos,
    ufunc=np.cos,
    samples=ONE,
)
def cos(input: Array) -> Array:
    """Return the cosine.

    >>> import tinygrad_lite as tl
    >>> tl.cos(tl.tensor([0.5, 1.0]))
    tensor([0.8776, 0.5403])
    """
    return np.cos(input)


@op(input=lambda g, y: g * (y * y + 1), kind="elementwise", singular=True, promote="float", numpy=np.tan,
    samples=Samples("()->()", lo=-1.5, hi=1.5))  # fmt: skip
def tan(input: Array) -> Array:
    """Return the tangent.

    >>> import tinygrad_lite as tl
    >>> tl.tan(tl.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5463])
    """
    return np.tan(input)


@op(input=lambda g, input: g / np.sqrt((1 - input) * (1 + input)), kind="elementwise", singular=True, promote="float",
    numpy=np.arcsin, samples=INSIDE)  # fmt: skip
def asin(input: Array) -> Array:
    """Return the angle in [-π/2, π/2] with this sine; NaN outside [-1, 1].

    >>> import tinygrad_lite as tl
    >>> tl.asin(tl.tensor([0.5, 1.0]))
    tensor([0.5236, 1.5708])
    """
    return np.arcsin(input)


@op(input=lambda g, input: -g / np.sqrt((1 - input) * (1 + input)), kind="elementwise", singular=True, promote="float",
    numpy=np.arccos, samples=INSIDE)  # fmt: skip
def acos(input: Array) -> Array:
    """Return the angle in [0, π] with this cosine; NaN outside [-1, 1].

    >>> import tinygrad_lite as tl
    >>> tl.acos(tl.tensor([0.5, 1.0]))
    tensor([1.0472, 0.0000])
    """
    return np.arccos(input)


@op(input=lambda g, input: g / (input * input + 1), kind="elementwise", promote="float", numpy=np.arctan, samples=ONE)
def atan(input: Array) -> Array:
    """Return the angle in (-π/2, π/2) with this tangent.

    >>> import tinygrad_lite as tl
    >>> tl.atan(tl.tensor([0.5, 1.0]))
    tensor([0.4636, 0.7854])
    """
    return np.arctan(input)


@op(input=lambda g, input: g * np.cosh(input), kind="elementwise", singular=True, promote="float", numpy=np.sinh,
    samples=Samples("()->()", lo=-30.0, hi=30.0))  # fmt: skip
def sinh(input: Array) -> Array:
    """Return the hyperbolic sine.

    >>> import tinygrad_lite as tl
    >>> tl.sinh(tl.tensor([0.5, 1.0]))
    tensor([0.5211, 1.1752])
    """
    return np.sinh(input)


@op(input=lambda g, input: g * np.sinh(input), kind="elementwise", singular=True, promote="float", numpy=np.cosh,
    samples=Samples("()->()", lo=-30.0, hi=30.0))  # fmt: skip
def cosh(input: Array) -> Array:
    """Return the hyperbolic cosine.

    >>> import tinygrad_lite as tl
    >>> tl.cosh(tl.tensor([0.5, 1.0]))
    tensor([1.1276, 1.5431])
    """
    return np.cosh(input)


@op(
    input=lambda g, input: g / np.hypot(input, 1.0),
    kind="elementwise",
    singular=True,
    promote="float",
    numpy=np.arcsinh,
    samples=ONE,
)
def asinh(input: Array) -> Array:
    """Return the inverse of the hyperbolic sine.

    >>> import tinygrad_lite as tl
    >>> tl.asinh(tl.tensor([0.5, 1.0]))
    tensor([0.4812, 0.8814])
    """
    return np.arcsinh(input)


@op(input=lambda g, input: g / (np.sqrt(input - 1) * np.sqrt(input + 1)), kind="elementwise", singular=True,
    promote="float", numpy=np.arccosh, samples=Samples("()->()", lo=1.01))  # fmt: skip
def acosh(input: Array) -> Array:
    """Return the inverse of the hyperbolic cosine; NaN below 1.

    >>> import tinygrad_lite as tl
    >>> tl.acosh(tl.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return np.arccosh(input)


@op(input=lambda g, input: g / ((1 - input) * (1 + input)), kind="elementwise", singular=True, promote="float",
    numpy=np.arctanh, samples=INSIDE)  # fmt: skip
def atanh(input: Array) -> Array:
    """Return the inverse of the hyperbolic tangent; NaN outside [-1, 1].

    >>> import tinygrad_lite as tl
    >>> tl.atanh(tl.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return np.arctanh(input)


def _per_square(g: Array, part: Array, input: Array, other: Array) -> Array:
    """Return ``g * part / (input² + other²)`` without overflow, 0 at the origin."""
    r = np.hypot(input, other)
    zero = r == 0
    r = where(zero, 1.0, r)
    return where(zero, 0.0, g * (part / r / r))


@op(
    input=lambda g, input, other: _per_square(g, other, input, other),
    other=lambda g, input, other: _per_square(-g, input, input, other),
    kind="elementwise", singular=True, promote="float", numpy=np.arctan2,
    samples=Samples("(),()->()", domain={"other": (0.1, np.inf)}),
)  # fmt: skip
def atan2(input: Array, other: Array) -> Array:
    """Return the angle in (-π, π] of the point (other, input).

    The slope at the origin is taken as 0.

    >>> import tinygrad_lite as tl
    >>> tl.atan2(tl.tensor([1.0]), tl.tensor([1.0]))
    tensor([0.7854])
    """
    return np.arctan2(input, other)


def _along(g: Array, part: Array, y: Array) -> Array:
    zero = y == 0
    return where(zero, 0.0, g * (part / where(zero, 1.0, y)))


@op(
    input=lambda g, y, input: _along(g, input, y), other=lambda g, y, other: _along(g, other, y),
    kind="elementwise", singular=True, promote="float", numpy=np.hypot,
    samples=Samples("(),()->()", domain={"other": (0.1, np.inf)}),
)  # fmt: skip
def hypot(input: Array, other: Array) -> Array:
    """Return ``sqrt(input ** 2 + other ** 2)`` without overflow.

    The slope at the origin is taken as 0.

    >>> import tinygrad_lite as tl
    >>> tl.hypot(tl.tensor([3.0]), tl.tensor([4.0]))
    tensor([5.])
    """
    return np.hypot(input, other)


# ------------------------------------------------------------------------------------------------ degrees
@function(numpy=np.deg2rad, inplace=True)
def deg2rad(input: Array) -> Array:
    """Return degrees as radians.

    >>> import tinygrad_lite as tl
    >>> tl.deg2rad(tl.tensor([0.0, 180.0]))
    tensor([0.0000, 3.1416])
    """
    return mul(input, pi / 180)


@function(numpy=np.rad2deg, inplace=True)
def rad2deg(input: Array) -> Array:
    """Return radians as degrees.

    >>> import tinygrad_lite as tl
    >>> tl.rad2deg(tl.tensor([0.0, tl.pi]))
    tensor([  0., 180.])
    """
    return mul(input, 180 / pi)


# ------------------------------------------------------------------------------------------------ sinc
def _sinc_rule(g: Array, input: Array, order: int) -> Array:
    return g * sinc_slope(input, order + 1)


@op(input=_sinc_rule, kind="elementwise", singular=True, promote="float", public=False,
    samples=Samples("()->()", lo=-20.0, hi=20.0, options={"order": (0, 1, 2)}))  # fmt: skip
def sinc_slope(input: Array, order: int) -> Array:
    """Return the derivative of ``sinc`` of any order.

    A series is used near 0, the closed form where that is accurate.
    """
    t = new.asarray(input, np.float64) * pi
    small = np.abs(t) < order + 1.5
    s = np.where(small, t, 0.0)
    # sin(t)/t = sum of (-1)^m t^(2m) / (2m + 1)!, differentiated term by term
    series = new.zeros_like(s)
    for m in range((order + 1) // 2, (order + 1) // 2 + 20):
        series += (-1) ** m * perm(2 * m, order) / factorial(2 * m + 1) * s ** (2 * m - order)
    far = np.where(small, 1.0, t)
    closed = np.sin(far) / far
    for n in range(1, order + 1):
        closed = (np.sin(far + n * pi / 2) - n * closed) / far
    return (np.where(small, series, closed) * pi**order).astype(input.dtype)


@op(input=lambda g, input: g * sinc_slope(input, 1), kind="elementwise", singular=True, promote="single", numpy=np.sinc,
    samples=Samples("()->()", lo=-20.0, hi=20.0))  # fmt: skip
def sinc(input: Array) -> Array:
    r"""Return :math:`\sin(\pi x) / (\pi x)`, 1 at 0.

    >>> import tinygrad_lite as tl
    >>> tl.sinc(tl.tensor([0.5, 1.0]))
    tensor([ 6.3662e-01, -2.7828e-08])
    """
    return new.asarray(np.sinc(input), input.dtype)
