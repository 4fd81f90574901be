"""Values of the normal, gamma and beta distribution functions in float64, from NumPy alone.

The incomplete integrals are sums over the nodes of a double-exponential rule. With ``t = x e^-s`` the lower incomplete
gamma function is

    P(a, x) = x^a e^-x / Γ(a) * integral over s > 0 of exp(-a s + x (1 - e^-s)),

whose integrand falls from 1 to 0 wherever ``x <= a``; above that the upper tail has the same form. The derivative in
``a`` only adds a factor ``log t - ψ(a)`` to the integrand, which is why one rule serves both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import factorial, pi, sqrt
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.ops.elementwise.special_values import (
    BERNOULLI,
    ERFC_SCALED,
    chebyshev,
    digamma,
    erfc,
    erfinv,
    in_blocks,
    lgamma,
)

STEP = 0.08
"""Distance of the nodes; half of it changes the integrals by less than 1e-13 of their value."""
BLOCK = 1 << 10
"""Elements per block: with all nodes of each they stay in the processor's cache."""


def together(f: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``f``, written for float64 vectors, take arrays that broadcast and return their common floating dtype."""

    def evaluate(*arrays: Any) -> Any:
        full = np.broadcast_arrays(*arrays)
        flat = [np.ravel(a) for a in full]
        out = new.empty(flat[0].shape, np.result_type(*arrays))
        with np.errstate(all="ignore"):
            for i in range(0, len(out), BLOCK):
                out[i : i + BLOCK] = f(*[a[i : i + BLOCK].astype(np.float64) for a in flat])
        return out.reshape(full[0].shape)

    evaluate.__doc__, evaluate.__name__ = f.__doc__, f.__name__
    return evaluate


# ------------------------------------------------------------------------------------------------ normal distribution
@in_blocks
def erfcx(x: Any) -> Any:
    """Return ``exp(x²) erfc(x)``."""
    size = np.abs(x)
    y = np.where(size == np.inf, 0.0, chebyshev(ERFC_SCALED, 1 - 8 / (size + 4)) / (1 + 2 * size))
    near = np.exp(x * x) * erfc(x)
    return np.where(size < 0.5, near, np.where(x < 0, 2 * np.exp(x * x) - y, y))


@in_blocks
def ndtr(x: Any) -> Any:
    """Return the distribution function of the standard normal distribution."""
    return erfc(-x / sqrt(2)) / 2


@in_blocks
def log_ndtr(x: Any) -> Any:
    """Return the logarithm of `ndtr`, finite far below 0."""
    low = np.minimum(x, 0)
    return np.where(x < -1, np.log(erfcx(-low / sqrt(2)) / 2) - low * low / 2, np.log1p(-erfc(x / sqrt(2)) / 2))


@in_blocks
def ndtri(p: Any) -> Any:
    """Return the inverse of `ndtr`, by Newton's method on the logarithm in the tails."""
    tail = np.minimum(p, 1 - p)
    y = np.where(tail == 0, np.where(p < 0.5, -np.inf, np.inf), np.nan)
    middle, far = tail > 0.1, (tail > 0) & (tail <= 0.1)
    if middle.any():
        y[middle] = sqrt(2) * erfinv(2 * p[middle] - 1)
    if far.any():
        log = np.log(tail[far])
        x = -np.sqrt(np.maximum(-2 * log - np.log(np.maximum(-4 * pi * log, 1.0)), 0.01))
        for _ in range(5):
            reached = log_ndtr(x)
            x = x - (reached - log) * np.exp(reached + x * x / 2) * sqrt(2 * pi)
        y[far] = np.where(p[far] < 0.5, x, -x)
    return y


# ------------------------------------------------------------------------------------------------ incomplete integrals
@cache
@new.redirect(None)  # kept for all later calls: no array of a tracer
def nodes() -> tuple[Any, Any]:
    """Return nodes and weights, as columns, for an integral over ``s > 0`` of a function that falls over about 1."""
    t = new.arange(-3.2, 7.0, STEP)[:, None]
    s = np.exp(t - np.exp(-t))
    return s, s * (1 + np.exp(-t)) * STEP


def _gamma_values(a: Any, x: Any, lower: Any) -> tuple[Any, Any]:
    """Return the weighted integrand of the tail that is ``lower`` or upper, a row per node, and the signed nodes.

    It is the tail over ``x^(a-1) e^-x / x``.
    """
    width = np.where(lower, np.maximum(a - x, np.minimum(a, np.sqrt(a))), np.maximum(x - a, np.sqrt(x)))
    s, weight = nodes()
    s = s / width
    s *= np.where(lower, -1.0, 1.0)
    value = np.exp(a * s - x * np.expm1(s)) * (weight / width)
    return np.where(value > 0, value, 0.0), s


def _gamma_factor(a: Any, x: Any) -> Any:
    """Return ``x^a e^-x / Γ(a)``; for large ``a`` by Stirling's series, where the powers would cancel."""
    big = a > 30
    up = np.where(big, a, 30.0)
    excess = (x - up) / up
    series = sum(b / (2 * k * (2 * k - 1)) * up ** (1 - 2 * k) for k, b in enumerate(BERNOULLI[:6], 1))
    far = np.sqrt(up / (2 * pi)) * np.exp(up * (np.log1p(excess) - excess) - series)
    low = np.where(big, 1.0, a)
    return np.where(big, far, np.exp(low * np.log(x) - x - lgamma(low)))


def _gamma_parts(a: Any, x: Any) -> tuple[Any, Any, Any]:
    """Return where the arguments are regular, which tail is computed, and that tail."""
    inside = (a > 0) & (x > 0) & (x < np.inf) & (a < np.inf)
    a, x = np.where(inside, a, 1.0), np.where(inside, x, 1.0)
    lower = x <= np.maximum(a, 1.0)
    total = _gamma_values(a, x, lower)[0].sum(axis=0)
    return inside, lower, np.minimum(total * _gamma_factor(a, x), 1.0)


def _gamma_edge(a: Any, x: Any) -> Any:
    """Return the lower incomplete gamma function where an argument is 0, infinite or outside."""
    y = np.where((x == np.inf) | (a == 0), 1.0, 0.0)
    both = ((a == 0) & (x == 0)) | ((a == np.inf) & (x == np.inf))
    return np.where((a < 0) | (x < 0) | np.isnan(a) | np.isnan(x) | both, np.nan, y)


@together
def gammainc(a: Any, x: Any) -> Any:
    """Return the regularised lower incomplete gamma function."""
    inside, lower, tail = _gamma_parts(a, x)
    return np.where(inside, np.where(lower, tail, 1 - tail), _gamma_edge(a, x))


@together
def gammaincc(a: Any, x: Any) -> Any:
    """Return the regularised upper incomplete gamma function."""
    inside, lower, tail = _gamma_parts(a, x)
    return np.where(inside, np.where(lower, 1 - tail, tail), 1 - _gamma_edge(a, x))


@together
def gamma_slope(a: Any, x: Any) -> Any:
    """Return the derivative in ``a`` of the ``x`` at which the gamma distribution function keeps its value.

    This is the gradient of a gamma sample ``x`` with respect to the concentration (Figurnov et al., "Implicit
    reparameterization gradients", 2018).
    """
    inside = (a > 0) & (x > 0)
    a, x = np.where(inside, a, 1.0), np.where(inside, x, 1.0)
    lower = x <= np.maximum(a, 1.0)
    value, s = _gamma_values(a, x, lower)
    first = np.where(value > 0, value * (np.log(x) - digamma(a) + s), 0.0).sum(axis=0)
    return np.where(inside, np.where(lower, -x, x) * first, 0.0)


@together
def beta_slope(a: Any, b: Any, x: Any) -> Any:
    """Return the derivative in ``a`` of the ``x`` at which the beta distribution function keeps its value."""
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1)
    a, b, x = np.where(inside, a, 1.0), np.where(inside, b, 1.0), np.where(inside, x, 0.5)
    total = a + b
    lower = x * total <= a
    center = np.log(x) - digamma(a) + digamma(total)
    # near and rate of the tail that is integrated: t/(1-t) = x/(1-x) e^-s below x, and the mirror image above it
    near, rate = np.where(lower, x, 1 - x), np.where(lower, a, b)
    width = np.maximum(np.abs(rate - near * total), np.minimum(rate, np.sqrt(total * x * (1 - x))))
    s, weight = nodes()
    s = s / width
    log = np.log1p(near * np.expm1(-s))
    value = weight / width * np.exp(-rate * s - total * log)
    factor = np.where(lower, center - s, center) - log
    first = np.where(value > 0, value * factor, 0.0).sum(axis=0)
    return np.where(inside, np.where(lower, -1, 1) * x * (1 - x) * first, 0.0)


# ------------------------------------------------------------------------------------------------ Bessel and zeta
@together
def zeta(s: Any, q: Any) -> Any:
    """Return the Hurwitz zeta function, the sum of ``(q + k) ** -s`` over k >= 0, for real ``s > 1``.

    The first terms are added one by one, the rest by Euler and Maclaurin's formula.
    """
    inside = (s > 1) & ~((q <= 0) & ((q == np.floor(q)) | (s != np.floor(s))))
    s0, x = np.where(inside, s, 2.0), np.where(inside, q, 1.0)
    total = new.zeros_like(x)
    for _ in range(20_000):
        if not (here := x < 12 + s0).any():
            break
        total = np.where(here, total + np.where(here, x, 1.0) ** -s0, total)
        x = np.where(here, x + 1, x)
    tail = x ** (1 - s0) / (s0 - 1) + 0.5 * x**-s0
    term = s0 * x ** (-s0 - 1)
    for k, b in enumerate(BERNOULLI, 1):
        tail = tail + b / factorial(2 * k) * term
        term = term * ((s0 + 2 * k - 1) * (s0 + 2 * k)) / (x * x)
    pole = (s == 1) | ((s > 1) & (q <= 0) & (q == np.floor(q)))
    return np.where(inside, total + tail, np.where(pole, np.inf, np.nan))
