"""Several tensors combined element by element: between two, one plus a product, the size of one and sign of another."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.arithmetic import ONE, TWO, add, div, mul, pow, sign, where
from tinygrad_lite.ops.elementwise.cast import to


@op(
    input=lambda g, input, other: where((input >= other) | np.isnan(other), g, 0.0),
    other=lambda g, input, other: where((input >= other) | np.isnan(other), 0.0, g),
    kind="elementwise", label="max", promote="same", numpy=np.fmax, samples=TWO,
)  # fmt: skip
def fmax(input: Array, other: Array) -> Array:
    """Return the larger of two values, the other one if one is NaN; of equal ones ``input`` gets the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.fmax(tl.tensor([1.0, tl.nan]), tl.tensor([2.0, 3.0]))
    tensor([2., 3.])
    """
    return np.fmax(input, other)


@op(
    input=lambda g, input, other: where((input <= other) | np.isnan(other), g, 0.0),
    other=lambda g, input, other: where((input <= other) | np.isnan(other), 0.0, g),
    kind="elementwise", label="min", promote="same", numpy=np.fmin, samples=TWO,
)  # fmt: skip
def fmin(input: Array, other: Array) -> Array:
    """Return the smaller of two values, the other one if one is NaN; of equal ones ``input`` gets the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.fmin(tl.tensor([1.0, tl.nan]), tl.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    return np.fmin(input, other)


@op(
    input=lambda g, weight: g * (1 - weight), end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
    kind="elementwise", promote="same", samples=Samples("(),(),()->()"),
)  # fmt: skip
def lerp(input: Array, end: Array, weight: Array) -> Array:
    """Return ``input + weight * (end - input)``, exact at both ends.

    >>> import tinygrad_lite as tl
    >>> tl.lerp(tl.tensor([0.0, 10.0]), tl.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.2500, 12.5000])
    """
    d = end - input
    y = np.where(np.abs(weight) < 0.5, input + weight * d, end - d * (1 - weight))
    return y.astype(d.dtype, copy=False)


@function()
def addcmul(input: Array, tensor1: Array, tensor2: Array, *, value: Any = 1) -> Array:
    """Return ``input + value * tensor1 * tensor2``.

    >>> import tinygrad_lite as tl
    >>> tl.addcmul(tl.tensor([1.0]), tl.tensor([2.0]), tl.tensor([3.0]), value=10)
    tensor([61.])
    """
    product = mul(tensor1, tensor2)
    return add(input, product if value == 1 else mul(product, value))


@function()
def addcdiv(input: Array, tensor1: Array, tensor2: Array, *, value: Any = 1) -> Array:
    """Return ``input + value * tensor1 / tensor2``.

    >>> import tinygrad_lite as tl
    >>> tl.addcdiv(tl.tensor([1.0]), tl.tensor([6.0]), tl.tensor([3.0]), value=10)
    tensor([21.])
    """
    return add(input, div(tensor1 if value == 1 else mul(tensor1, value), tensor2))


@op(
    input=lambda g, input, other: g * (sign(input) * np.copysign(1.0, other)),
    kind="elementwise", promote="float", numpy=np.copysign, samples=TWO,
)  # fmt: skip
def copysign(input: Array, other: Array) -> Array:
    """Return ``input`` with the sign of ``other``; the slope at 0 is taken as 0, ``other`` gets no gradient.

    >>> import tinygrad_lite as tl
    >>> tl.copysign(tl.tensor([1.0, 2.0]), tl.tensor([-1.0, 1.0]))
    tensor([-1.,  2.])
    """
    return np.copysign(input, other)


@op(kind="elementwise", promote="same", numpy=np.heaviside)
def heaviside(input: Array, values: Array) -> Array:
    """Return 0 below zero, 1 above, ``values`` at zero; no gradient.

    >>> import tinygrad_lite as tl
    >>> tl.heaviside(tl.tensor([-1.0, 0.0, 2.0]), tl.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    out = np.where(input == 0, values, (input > 0).astype(input.dtype))
    return np.where(input != input, input, out)


@op(input=lambda g, input: where(np.isfinite(input), g, 0.0), kind="elementwise", numpy=np.nan_to_num, samples=ONE)
def nan_to_num(input: Array, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """Return ``input`` with NaN and infinities replaced (infinities by the largest numbers unless given).

    >>> import tinygrad_lite as tl
    >>> tl.nan_to_num(tl.tensor([tl.nan, 1.0]), nan=7.0)
    tensor([7., 1.])
    """
    return np.nan_to_num(input, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


@function(numpy=np.deg2rad)
def deg2rad(input: Array) -> Array:
    """Return degrees as radians.

    >>> import tinygrad_lite as tl
    >>> tl.deg2rad(tl.tensor([0.0, 180.0]))
    tensor([0.0000, 3.1416])
    """
    return mul(input, pi / 180)


@function(numpy=np.rad2deg)
def rad2deg(input: Array) -> Array:
    """Return radians as degrees.

    >>> import tinygrad_lite as tl
    >>> tl.rad2deg(tl.tensor([0.0, tl.pi]))
    tensor([  0., 180.])
    """
    return mul(input, 180 / pi)


@function(numpy=np.ldexp)
def ldexp(input: Array, other: Array) -> Array:
    """Return ``input * 2 ** other``.

    >>> import tinygrad_lite as tl
    >>> tl.ldexp(tl.tensor([1.5]), tl.tensor([3]))
    tensor([12.])
    """
    return mul(input, pow(2.0, to(other, input.dtype) if input.dtype.kind == "f" else other))
