"""Floating-point numbers in their parts: mantissa and exponent, and the next number."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine.op import OPS, function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.errors import DTypeError, describe
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.elementwise.comparison import flat


class Frexp(NamedTuple):
    """The result of `frexp`."""

    mantissa: Any
    exponent: Any


def _scaled(g: Array, input: Array) -> Array:
    return OPS["scaled"].call(g, input)


def _rescaled(g: Array, like: Array) -> Array:
    return OPS["scaled"].call(g, like)


@op(input=_scaled, kind="elementwise", public=False, samples=Samples("()->()", lo=0.1))
def mantissa(input: Array) -> Array:
    """Return each number divided by the power of 2 that brings it into [0.5, 1)."""
    return np.frexp(input)[0]


@op(x=_rescaled, kind="elementwise", public=False, samples=Samples("(),()->()", lo=0.1))
def scaled(x: Array, like: Array) -> Array:
    """Return ``x`` divided by the power of 2 of ``like``: the slope of its mantissa."""
    return np.ldexp(x, -np.frexp(like)[1])


@function()
def frexp(input: Array) -> Frexp:
    """Return (mantissa, exponent) with ``input = mantissa * 2 ** exponent`` and a mantissa in [0.5, 1).

    >>> import tinygrad_lite as tl
    >>> tl.frexp(tl.tensor([3.0, -8.0]))
    Frexp(mantissa=tensor([ 0.7500, -0.5000]), exponent=tensor([2, 4], dtype=int32))
    """
    if input.dtype.kind != "f":
        raise DTypeError(f"frexp: expected a floating dtype, got {describe(input)}; use .float()")
    return Frexp(mantissa(input), make(np.frexp(bare(input))[1].astype(np.int32)))


@op(
    input=lambda g, input, other: np.where(input == other, 0.0, g), other=flat, kind="elementwise", promote="same",
    samples=Samples("(),()->()", kinks="skip"),
)  # fmt: skip
def nextafter(input: Array, other: Array) -> Array:
    """Return the next floating-point number after ``input`` towards ``other``.

    >>> import tinygrad_lite as tl
    >>> bool(tl.nextafter(tl.tensor(1.0), tl.tensor(2.0)) > 1)
    True
    """
    if input.dtype.kind != "f":
        raise DTypeError(f"nextafter: expected a floating dtype, got {describe(input)}; use .float()")
    return np.nextafter(input, other)


# ------------------------------------------------------------------------------------------------ names of `special`
@function(inplace=True)
def igamma(input: Array, other: Array) -> Array:
    """Return the regularised lower incomplete gamma function: `special.gammainc`.

    >>> import tinygrad_lite as tl
    >>> tl.igamma(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))
    tensor([0.3233, 0.3712])
    """
    from tinygrad_lite.ops.elementwise.probability import gammainc

    return gammainc(input, other)


@function(inplace=True)
def igammac(input: Array, other: Array) -> Array:
    """Return the regularised upper incomplete gamma function: `special.gammaincc`.

    >>> import tinygrad_lite as tl
    >>> tl.igammac(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))
    tensor([0.6767, 0.6288])
    """
    from tinygrad_lite.ops.elementwise.probability import gammaincc

    return gammaincc(input, other)


@function(inplace=True)
def mvlgamma(input: Array, p: int) -> Array:
    """Return the logarithm of the multivariate gamma function of dimension ``p``: `special.multigammaln`.

    >>> import tinygrad_lite as tl
    >>> tl.mvlgamma(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), 2)
    tensor([[3.5651, 1.1447],
            [1.1447, 1.5502]])
    """
    from tinygrad_lite.ops.elementwise.probability import multigammaln

    return multigammaln(input, p)
