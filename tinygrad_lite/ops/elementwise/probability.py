"""Functions of probability: the normal distribution, incomplete gamma functions, scaled Bessel functions, entropies.

They have no name in the package itself; `tinygrad_lite.special` shows them, as ``torch.special`` does.
"""

from __future__ import annotations

from math import log, pi, sqrt
from typing import Any, NoReturn

import numpy as np

from tinygrad_lite.engine.arguments import counted
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ArgumentError
from tinygrad_lite.ops.elementwise import probability_values as values
from tinygrad_lite.ops.elementwise.cast import contiguous
from tinygrad_lite.ops.elementwise.special import lgamma
from tinygrad_lite.ops.elementwise.special_values import bessel_i

ROOT_TAU = sqrt(2 * pi)


# ------------------------------------------------------------------------------------------------ normal distribution
@op(input=lambda g, input: g * (np.exp(input * input * -0.5) / ROOT_TAU), kind="elementwise", layout="operands",
    promote="float", label="Φ", public=False, samples=Samples("()->()", lo=-6.0, hi=6.0))  # fmt: skip
def ndtr(input: Array) -> Array:
    r"""Return the normal distribution function :math:`\frac12 \mathrm{erfc}(-x/\sqrt2)`.

    >>> import tinygrad_lite as tl
    >>> tl.special.ndtr(tl.tensor([-1.0, 0.0]))
    tensor([0.1587, 0.5000])
    """
    return values.ndtr(input)


@op(input=lambda g, input, y: g * (np.exp(-y - input * input * 0.5) / ROOT_TAU), kind="elementwise",
    layout="operands", singular=True, promote="float", label="log Φ", public=False,
    samples=Samples("()->()", lo=-20.0, hi=6.0))  # fmt: skip
def log_ndtr(input: Array) -> Array:
    """Return the logarithm of `ndtr`, finite far below 0.

    >>> import tinygrad_lite as tl
    >>> tl.special.log_ndtr(tl.tensor([-30.0, 0.0]))
    tensor([-454.3213,   -0.6931])
    """
    return values.log_ndtr(input)


@op(input=lambda g, y: g * (np.exp(y * y * 0.5) * ROOT_TAU), kind="elementwise", layout="operands", singular=True,
    promote="float", label="Φ⁻¹", public=False, samples=Samples("()->()", lo=0.005, hi=0.995))  # fmt: skip
def ndtri(input: Array) -> Array:
    """Return the inverse of `ndtr`: infinite at 0 and 1, NaN outside.

    >>> import tinygrad_lite as tl
    >>> tl.special.ndtri(tl.tensor([0.025, 0.5]))
    tensor([-1.9600,  0.0000])
    """
    return values.ndtri(input)


@op(input=lambda g, input, y: g * (2 * input * y - 2 / sqrt(pi)), kind="elementwise", layout="operands",
    singular=True, promote="float", public=False, samples=Samples("()->()", lo=-3.0, hi=20.0))  # fmt: skip
def erfcx(input: Array) -> Array:
    """Return ``exp(input²) erfc(input)``, finite where `erfc` is tiny.

    >>> import tinygrad_lite as tl
    >>> tl.special.erfcx(tl.tensor([0.0, 10.0]))
    tensor([1.0000, 0.0561])
    """
    return values.erfcx(input)


# ------------------------------------------------------------------------------------------------ entropies
@op(input=lambda g, input: g * -(np.log(input) + 1), kind="elementwise", layout="operands", singular=True,
    promote="float", public=False, samples=Samples("()->()", lo=0.01, hi=10.0))  # fmt: skip
def entr(input: Array) -> Array:
    """Return ``-input * log(input)``: 0 at 0, -inf below.

    >>> import tinygrad_lite as tl
    >>> tl.special.entr(tl.tensor([0.0, 0.5]))
    tensor([0.0000, 0.3466])
    """
    positive = input > 0
    inside = np.where(positive, input, 1)
    y = np.where(positive, -input * np.log(inside), np.where(input < 0, -np.inf, 0 * input))
    return y.astype(input.dtype)


def _xlog1py_input(g: Array, input: Array, other: Array) -> Array:
    zero = (input == 0) & (other <= -1)
    return g * np.where(zero, 0, np.log1p(np.where(zero, 0, other)))


@op(input=_xlog1py_input, other=lambda g, input, other: g * input / (other + 1), kind="elementwise", promote="float",
    singular=True, public=False, samples=Samples("(),()->()", domain={"other": (-0.9, 10.0)}))  # fmt: skip
def xlog1py(input: Array, other: Array) -> Array:
    """Return ``input * log1p(other)``: 0 where ``input`` is 0, unless ``other`` is NaN.

    >>> import tinygrad_lite as tl
    >>> tl.special.xlog1py(tl.tensor([0.0, 2.0]), tl.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """
    zero = (input == 0) & ~np.isnan(other)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(zero, 0, input * np.log1p(np.where(zero, 0, other)))
    return y.astype(np.result_type(input, other))


# ------------------------------------------------------------------------------------------------ gamma function
def _no_derivative(name: str) -> Any:
    def rule(g: Array) -> NoReturn:
        raise NotImplementedError(f"the derivative for '{name}: input' is not implemented; detach() the argument")

    return rule


def _density(input: Array, other: Array) -> Any:
    return np.exp((input - 1) * np.log(other) - other - lgamma(input))


_incomplete = Samples("()->()", lo=0.05, hi=20.0, options={"input": (2.0, 0.5, 7.5)},
                      call=lambda f, other, input: f(input, other))  # fmt: skip


@op(input=_no_derivative("gammainc"), other=lambda g, input, other: g * _density(input, other), kind="elementwise",
    promote="float", singular=True, label="P", public=False, samples=_incomplete)  # fmt: skip
def gammainc(input: Array, other: Array) -> Array:
    r"""Return the regularised lower incomplete gamma function P.

    :math:`P(a, x) = \frac1{\Gamma(a)} \int_0^x t^{a-1} e^{-t} dt` for a = ``input``, x = ``other``. As in PyTorch, it
    has no derivative in ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.special.gammainc(tl.tensor(2.0), tl.tensor([1.0, 5.0]))
    tensor([0.2642, 0.9596])
    """
    return values.gammainc(input, other)


@op(input=_no_derivative("gammaincc"), other=lambda g, input, other: g * -_density(input, other), kind="elementwise",
    promote="float", singular=True, label="Q", public=False, samples=_incomplete)  # fmt: skip
def gammaincc(input: Array, other: Array) -> Array:
    """Return the regularised upper incomplete gamma function, ``1 - gammainc``.

    >>> import tinygrad_lite as tl
    >>> tl.special.gammaincc(tl.tensor(2.0), tl.tensor([1.0, 5.0]))
    tensor([0.7358, 0.0404])
    """
    return values.gammaincc(input, other)


@function(public=False, method=False)
def multigammaln(input: Array, p: int) -> Any:
    r"""Return the logarithm of the multivariate gamma function of dimension ``p``.

    :math:`\frac{p(p-1)}4 \log\pi + \sum_{i=1}^p \log\Gamma(x - \frac{i-1}2)`

    >>> import tinygrad_lite as tl
    >>> tl.special.multigammaln(tl.tensor([2.0]), 2)
    tensor([0.4516])
    """
    if p < 1:
        raise ArgumentError(f"multigammaln: p has to be greater than or equal to 1, got {p}")
    input = contiguous(input)  # as PyTorch's sum along a new axis
    y = lgamma(input)
    for i in range(1, counted("multigammaln", "p", p)):
        y = y + lgamma(input - i / 2)
    return y + p * (p - 1) / 4 * log(pi)


def _zeta_rule(g: Array, input: Array, other: Array) -> Any:
    return g * (-input * zeta(input + 1, other))


@op(input=_no_derivative("zeta"), other=_zeta_rule, kind="elementwise", promote="float", singular=True, label="ζ",
    public=False, samples=Samples("()->()", lo=0.3, hi=1e3, options={"input": (2.0, 1.5, 5.0)},
                    call=lambda f, other, input: f(input, other)))  # fmt: skip
def zeta(input: Array, other: Array) -> Array:
    r"""Return the Hurwitz zeta function :math:`\sum_{k \ge 0} (k + q)^{-x}` of x = ``input`` and q = ``other``.

    As in PyTorch, it has no derivative in ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.special.zeta(tl.tensor(2.0), tl.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    return values.zeta(input, other)


# ------------------------------------------------------------------------------------------------ Bessel functions
def _i0e_rule(g: Array, input: Array, y: Array) -> Any:
    return g * (i1e(input) - np.sign(input) * y)


@op(input=_i0e_rule, kind="elementwise", layout="operands", promote="float", label="e⁻ˣI₀", public=False,
    samples=Samples("()->()", lo=-30.0, hi=30.0, kinks="skip"))  # fmt: skip
def i0e(input: Array) -> Array:
    """Return ``exp(-|input|) i0(input)``.

    >>> import tinygrad_lite as tl
    >>> tl.special.i0e(tl.tensor([0.0, 100.0]))
    tensor([1.0000, 0.0399])
    """
    return bessel_i(0, input, True)


def _i1e_rule(g: Array, input: Array, y: Array) -> Any:
    zero = np.abs(input) < 1e-30
    return g * np.where(zero, 0.5, i0e(input) - y * (np.sign(input) + 1 / np.where(zero, 1, input)))


@op(input=_i1e_rule, kind="elementwise", layout="operands", promote="float", label="e⁻ˣI₁", public=False,
    samples=Samples("()->()", lo=-30.0, hi=30.0, kinks="skip"))  # fmt: skip
def i1e(input: Array) -> Array:
    """Return ``exp(-|input|) i1(input)``.

    >>> import tinygrad_lite as tl
    >>> tl.special.i1e(tl.tensor([0.0, 100.0]))
    tensor([0.0000, 0.0397])
    """
    return bessel_i(1, input, True)
