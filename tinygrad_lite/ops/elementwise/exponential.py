"""Exponentials, logarithms, and functions of them that keep their digits (logaddexp, logit, xlogy)."""

from __future__ import annotations

from math import log as _ln

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.activation import sigmoid
from tinygrad_lite.ops.elementwise.arithmetic import clip, mul, pow, where
from tinygrad_lite.ops.elementwise.cast import to

LN2, LN10 = _ln(2), _ln(10)


@op(
    input=lambda g, y: g * y,
    kind="elementwise",
    singular=True,
    promote="float",
    numpy=np.exp,
    ufunc=np.exp,
    samples=Samples("()->()", hi=30.0),
)
def exp(input: Array) -> Array:
    """Return ``e ** input``.

    >>> import tinygrad_lite as tl
    >>> tl.exp(tl.tensor([0.5, 1.0]))
    tensor([1.6487, 2.7183])
    """
    return np.exp(input)


@op(
    input=lambda g, input: g / input, kind="elementwise", singular=True, promote="float", numpy=np.log, ufunc=np.log,
    samples=Samples("()->()", lo=1e-3),
)  # fmt: skip
def log(input: Array) -> Array:
    """Return the natural logarithm; -inf at 0 and NaN below, with NumPy's warning.

    >>> import tinygrad_lite as tl
    >>> tl.log(tl.tensor([0.5, 1.0]))
    tensor([-0.6931,  0.0000])
    """
    return np.log(input)


@op(
    input=lambda g, y: g * (y * LN2),
    kind="elementwise",
    singular=True,
    promote="float",
    numpy=np.exp2,
    samples=Samples("()->()", hi=30.0),
)
def exp2(input: Array) -> Array:
    """Return ``2 ** input``.

    >>> import tinygrad_lite as tl
    >>> tl.exp2(tl.tensor([0.5, 1.0]))
    tensor([1.4142, 2.0000])
    """
    return np.exp2(input)


@op(input=lambda g, y: g * (y + 1), kind="elementwise", singular=True, promote="float",
    numpy=np.expm1, samples=Samples("()->()", hi=30.0))  # fmt: skip
def expm1(input: Array) -> Array:
    """Return ``e ** input - 1``, accurate for small ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.expm1(tl.tensor([0.5, 1.0]))
    tensor([0.6487, 1.7183])
    """
    return np.expm1(input)


@op(input=lambda g, input: g / (input + 1), kind="elementwise", singular=True, promote="float", numpy=np.log1p,
    samples=Samples("()->()", lo=-0.99))  # fmt: skip
def log1p(input: Array) -> Array:
    """Return ``log(1 + input)``, accurate for small ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.log1p(tl.tensor([0.5, 1.0]))
    tensor([0.4055, 0.6931])
    """
    return np.log1p(input)


@op(input=lambda g, input: g / (input * LN2), kind="elementwise", singular=True, promote="float", numpy=np.log2,
    samples=Samples("()->()", lo=1e-3))  # fmt: skip
def log2(input: Array) -> Array:
    """Return the logarithm to base 2.

    >>> import tinygrad_lite as tl
    >>> tl.log2(tl.tensor([0.5, 1.0]))
    tensor([-1.,  0.])
    """
    return np.log2(input)


@op(input=lambda g, input: g / (input * LN10), kind="elementwise", singular=True, promote="float", numpy=np.log10,
    samples=Samples("()->()", lo=1e-3))  # fmt: skip
def log10(input: Array) -> Array:
    """Return the logarithm to base 10.

    >>> import tinygrad_lite as tl
    >>> tl.log10(tl.tensor([0.5, 1.0]))
    tensor([-0.3010,  0.0000])
    """
    return np.log10(input)


@op(input=lambda g, input: g / (input * (1 - input)), kind="elementwise", singular=True, promote="float", public=False,
    samples=Samples("()->()", lo=0.01, hi=0.99))  # fmt: skip
def log_odds(input: Array) -> Array:
    """Return ``log(input / (1 - input))``."""
    return np.log(input) - np.log1p(np.negative(input))


@function(inplace=True)
def logit(input: Array, eps: float | None = None) -> Array:
    r"""Return :math:`\log \frac{p}{1 - p}` of probabilities.

    Probabilities are first kept ``eps`` away from 0 and 1, if ``eps`` is given.

    >>> import tinygrad_lite as tl
    >>> tl.logit(tl.tensor([0.5, 0.75]))
    tensor([0.0000, 1.0986])
    """
    return log_odds(input if eps is None else clip(input, eps, 1 - eps))


def _gap(input: Array, other: Array) -> Array:
    """Return ``input - other``, 0 where both are the same infinity."""
    return where(np.isinf(input) & (input == other), 0.0, input - other)


@op(
    input=lambda g, input, other: g * sigmoid(_gap(input, other)),
    other=lambda g, input, other: g * sigmoid(-_gap(input, other)),
    inplace=False, kind="elementwise", promote="float", numpy=np.logaddexp, samples=Samples("(),()->()"),
)  # fmt: skip
def logaddexp(input: Array, other: Array) -> Array:
    """Return ``log(exp(input) + exp(other))`` without overflow.

    >>> import tinygrad_lite as tl
    >>> tl.logaddexp(tl.tensor([0.0, 1000.0]), tl.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    return np.logaddexp(input, other)


@op(
    input=lambda g, input, other: g * sigmoid(_gap(input, other) * LN2),
    other=lambda g, input, other: g * sigmoid(_gap(input, other) * -LN2),
    inplace=False, kind="elementwise", promote="float", numpy=np.logaddexp2, samples=Samples("(),()->()"),
)  # fmt: skip
def logaddexp2(input: Array, other: Array) -> Array:
    """Return ``log2(2 ** input + 2 ** other)`` without overflow.

    >>> import tinygrad_lite as tl
    >>> tl.logaddexp2(tl.tensor([3.0]), tl.tensor([3.0]))
    tensor([4.])
    """
    return np.logaddexp2(input, other)


def _xlogy_input(g: Array, input: Array, other: Array) -> Array:
    # at 0 * log(0) the slope is taken as 0
    off = (input == 0) & (other <= 0)
    return where(off, 0.0, g * np.log(where(off, 1.0, other)))


def _xlogy_other(g: Array, input: Array, other: Array) -> Array:
    off = (input == 0) & (other <= 0)
    return where(off, 0.0, g * (input / where(off, 1.0, other)))


@op(
    input=_xlogy_input, other=_xlogy_other, kind="elementwise", singular=True, promote="float",
    samples=Samples("(),()->()", domain={"other": (0.01, np.inf)}),
)  # fmt: skip
def xlogy(input: Array, other: Array) -> Array:
    """Return ``input * log(other)``, 0 where ``input`` is 0 (unless ``other`` is NaN).

    >>> import tinygrad_lite as tl
    >>> tl.xlogy(tl.tensor([0.0, 2.0]), tl.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    other = new.asarray(other, np.result_type(input, other))  # a number must not decide the dtype
    zero = input == 0
    y = input * np.log(np.where(zero, new.ones_like(other), other))
    return np.where(zero & np.isnan(other), other, y)


@function()
def xlog1py(input: Array, other: Array) -> Array:
    """Return ``input * log(1 + other)``, 0 where ``input`` is 0.

    >>> import tinygrad_lite as tl
    >>> tl.xlog1py(tl.tensor([0.0, 2.0]), tl.tensor([-1.0, 0.0]))
    tensor([0., 0.])
    """
    off = (input == 0) & (other <= -1)
    return input * log1p(where(off, 0.0, other))


@function(numpy=np.float_power, inplace=True)
def float_power(input: Array, exponent: Array) -> Array:
    """Return ``input ** exponent`` computed in float64.

    >>> import tinygrad_lite as tl
    >>> tl.float_power(tl.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=float64)
    """
    doubled = [to(v, np.float64) if hasattr(v, "dtype") else np.float64(v) for v in (input, exponent)]
    return pow(*doubled)


@function(numpy=np.ldexp, inplace=True)
def ldexp(input: Array, other: Array) -> Array:
    """Return ``input * 2 ** other``.

    >>> import tinygrad_lite as tl
    >>> tl.ldexp(tl.tensor([1.5]), tl.tensor([3]))
    tensor([12.])
    """
    return mul(input, pow(2.0, to(other, input.dtype) if input.dtype.kind == "f" != other.dtype.kind else other))
