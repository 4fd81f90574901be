"""Special functions with their derivatives: error function, gamma function, Bessel functions."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.elementwise import special_values as values

SLOPE = 2 / sqrt(pi)


@op(input=lambda g, input: g * (np.exp(-input * input) * SLOPE), kind="elementwise", layout="operands", promote="float",
    samples=Samples("()->()", lo=-5.0, hi=5.0))  # fmt: skip
def erf(input: Array) -> Array:
    r"""Return the error function :math:`\frac{2}{\sqrt\pi} \int_0^x e^{-t^2} dt`.

    >>> import tinygrad_lite as tl
    >>> tl.erf(tl.tensor([0.5, 1.0]))
    tensor([0.5205, 0.8427])
    """
    return values.erf(input)


@op(input=lambda g, input: g * (np.exp(-input * input) * -SLOPE), kind="elementwise", layout="operands",
    promote="float", samples=Samples("()->()", lo=-5.0, hi=5.0))  # fmt: skip
def erfc(input: Array) -> Array:
    """Return ``1 - erf(input)``, accurate where that is tiny.

    >>> import tinygrad_lite as tl
    >>> tl.erfc(tl.tensor([0.5, 1.0]))
    tensor([0.4795, 0.1573])
    """
    return values.erfc(input)


def _erfinv_rule(g: Array, input: Array) -> Array:
    y = erfinv(input)
    return g * (np.exp(y * y) / SLOPE)


@op(input=_erfinv_rule, kind="elementwise", layout="operands", singular=True, promote="float",
    samples=Samples("()->()", lo=-0.99, hi=0.99))  # fmt: skip
def erfinv(input: Array) -> Array:
    """Return the inverse of `erf`: infinite at -1 and 1, NaN outside.

    >>> import tinygrad_lite as tl
    >>> tl.erfinv(tl.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """
    return values.erfinv(input)


def _lgamma_rule(g: Array, input: Array) -> Array:
    return g * digamma(input)


@op(
    input=_lgamma_rule,
    kind="elementwise",
    layout="operands",
    singular=True,
    label="log Γ",
    promote="float",
    samples=Samples("()->()", lo=0.1, hi=1e4),
)
def lgamma(input: Array) -> Array:
    """Return the logarithm of the absolute value of the gamma function.

    >>> import tinygrad_lite as tl
    >>> tl.lgamma(tl.tensor([0.5, 1.0]))
    tensor([0.5724, 0.0000])
    """
    return values.lgamma(input)


def _digamma_rule(g: Array, input: Array) -> Array:
    return g * polygamma_op(input, 1)


@op(
    input=_digamma_rule,
    kind="elementwise",
    layout="operands",
    singular=True,
    label="ψ",
    promote="float",
    samples=Samples("()->()", lo=0.1, hi=1e4),
)
def digamma(input: Array) -> Array:
    """Return the derivative of `lgamma`.

    >>> import tinygrad_lite as tl
    >>> tl.digamma(tl.tensor([0.5, 1.0]))
    tensor([-1.9635, -0.5772])
    """
    return values.digamma(input)


def _polygamma_rule(g: Array, input: Array, n: int) -> Array:
    return g * polygamma_op(input, n + 1)


@op(input=_polygamma_rule, kind="elementwise", layout="operands", singular=True, label="ψ⁽ⁿ⁾", promote="float",
    public=False, samples=Samples("()->()", lo=0.3, hi=1e3, options={"n": (1, 2)}))  # fmt: skip
def polygamma_op(input: Array, n: int) -> Array:
    """Return the ``n``-th derivative of `digamma`."""
    return values.polygamma(n, input)


@function(method=False)
def polygamma(n: int, input: Array) -> Array:
    """Return the ``n``-th derivative of `digamma`.

    >>> import tinygrad_lite as tl
    >>> tl.polygamma(1, tl.tensor([1.0]))
    tensor([1.6449])
    """
    if n < 0:
        raise ShapeError(f"polygamma: n must not be negative, got {n}")
    return polygamma_op(input, int(n)) if n else digamma(input)


def _bessel_rule(g: Array, input: Array, n: int) -> Array:
    lower = bessel_i(input, abs(n - 1))
    return g * ((lower + bessel_i(input, n + 1)) / 2)


@op(input=_bessel_rule, kind="elementwise", layout="operands", singular=True, label="Iₙ", promote="float", public=False,
    samples=Samples("()->()", lo=-30.0, hi=30.0, options={"n": (0, 1, 2)}))  # fmt: skip
def bessel_i(input: Array, n: int) -> Array:
    """Return the modified Bessel function of the first kind, of order ``n``."""
    return values.bessel_i(n, input)


@function(numpy=np.i0, inplace=True)
def i0(input: Array) -> Array:
    """Return the modified Bessel function of the first kind, of order 0.

    >>> import tinygrad_lite as tl
    >>> tl.i0(tl.tensor([0.5, 1.0]))
    tensor([1.0635, 1.2661])
    """
    return bessel_i(input, 0)


@function(method=False)
def i1(input: Array) -> Array:
    """Return the modified Bessel function of the first kind, of order 1.

    >>> import tinygrad_lite as tl
    >>> tl.i1(tl.tensor([0.5, 1.0]))
    tensor([0.2579, 0.5652])
    """
    return bessel_i(input, 1)
