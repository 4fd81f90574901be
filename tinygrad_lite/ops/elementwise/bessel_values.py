"""Values of Bessel and Airy functions in float64, from NumPy alone.

Most are integrals by the trapezoidal rule, whose error falls exponentially with the number of nodes for a function that
is periodic, or analytic near the real line and decaying (Trefethen & Weideman, SIAM Review 56, 2014).
"""

from __future__ import annotations

from math import gamma, pi
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.ops.elementwise.special_values import in_blocks

FAR = 25.0
"""From here on Hankel's expansions have full precision."""
TINY = 1e-9
"""Up to here the first term of the series has full precision."""
EULER = 0.5772156649015329


def _hankel(n: int, x: Any) -> tuple[Any, Any]:
    """Return (J, Y) for ``x >= FAR``, by Hankel's expansion (Abramowitz & Stegun 9.2.5)."""
    term, sums = new.ones_like(x), [new.ones_like(x), new.zeros_like(x)]
    for k in range(1, 30):
        term = term * ((4 * n * n - (2 * k - 1) ** 2) / (8 * k)) / x
        sums[k % 2] = sums[k % 2] + (-1) ** (k // 2) * term
    p, q = sums
    # cos and sin of x - pi/4 - n pi/2, without rounding the difference
    c, s = np.cos(x), np.sin(x)
    c, s = (c + s, s - c) if n == 0 else (s - c, -s - c)
    root = 1 / np.sqrt(pi * x)
    return root * (p * c - q * s), root * (p * s + q * c)


def bessel_j(n: int, x: Any) -> Any:
    """Return the Bessel function of the first kind, of order 0 or 1."""
    return in_blocks(lambda v: _bessel_j(n, v))(x)


def _bessel_j(n: int, x: Any) -> Any:
    size = np.abs(x)
    far = size > FAR
    near = np.where(far, 1.0, size)
    total = new.zeros_like(x)
    for k in range(64):  # the mean over a period of cos(n t - x sin t)
        s = np.sin(pi * (k + 0.5) / 64)
        total = total + (np.cos(near * s) if n == 0 else np.sin(near * s) * s)
    y = np.where(far, _hankel(n, np.where(far, size, FAR))[0], total / 64)
    return np.where(np.signbit(x), -y, y) if n else y


def bessel_y(n: int, x: Any) -> Any:
    """Return the Bessel function of the second kind, of order 0 or 1: NaN below 0."""
    return in_blocks(lambda v: _bessel_y(n, v))(x)


def _bessel_y(n: int, x: Any) -> Any:
    far, tiny = x > FAR, x < TINY
    near = np.where(far | tiny | np.isnan(x), 1.0, x)
    # Sommerfeld's integral of exp(i x cosh t - n t) along a path on which it decays on both sides
    total, step = new.zeros_like(x), (np.arcsinh(45 / near) + 1) / 240
    for k in range(-240, 241):
        u = k * step
        bent = np.tanh(u)
        t = u + 0.5j * pi * bent
        slope = 1 + 0.5j * pi * (1 - bent * bent)
        total = total + np.imag((-1j, -1)[n] * np.exp(1j * np.cosh(t) * near - n * t) * slope)
    y = np.where(far, _hankel(n, np.where(far, x, FAR))[1], total * step / pi)
    low = np.where(tiny & (x > 0), x, TINY)
    small = 2 / pi * (np.log(low / 2) + EULER) if n == 0 else -2 / pi / low
    return np.where(x == 0, -np.inf, np.where(x >= 0, np.where(tiny, small, y), np.nan))


def bessel_ke(n: int, x: Any) -> Any:
    """Return ``exp(x)`` times the modified Bessel function of the second kind, of order 0 or 1: NaN below 0."""
    return in_blocks(lambda v: _bessel_ke(n, v))(x)


def _bessel_ke(n: int, x: Any) -> Any:
    tiny = x < TINY
    near = np.where(tiny | np.isnan(x), 1.0, x)
    end = np.arccosh(1 + 40 / near)  # the integral over t > 0 of exp(-x (cosh t - 1)) cosh(n t)
    step = end / 160
    total = step / 2
    for k in range(1, 161):
        t = k * step
        total = total + step * np.exp(near * (-2 * np.sinh(t / 2) ** 2)) * (np.cosh(t) if n else 1.0)
    low = np.where(tiny & (x > 0), x, TINY)
    small = (1 + low) * (-np.log(low / 2) - EULER if n == 0 else 1 / low)
    y = np.where(np.isinf(x), 0.0, np.where(tiny, small, total))
    return np.where(x == 0, np.inf, np.where(x >= 0, y, np.nan))


def bessel_k(n: int, x: Any) -> Any:
    """Return the modified Bessel function of the second kind, of order 0 or 1: NaN below 0."""
    return in_blocks(lambda v: np.where(np.isinf(v) & (v > 0), 0.0, np.exp(-v) * _bessel_ke(n, v)))(x)


# ------------------------------------------------------------------------------------------------ Airy function
def _airy_near(x: Any) -> Any:
    first, second, cube = new.ones_like(x), x, x**3
    a, b = first, second
    for k in range(1, 24):
        first = first * cube / ((3 * k - 1) * 3 * k)
        second = second * cube / (3 * k * (3 * k + 1))
        a, b = a + first, b + second
    return a / (3 ** (2 / 3) * gamma(2 / 3)) - b / (3 ** (1 / 3) * gamma(1 / 3))


def _airy_right(x: Any) -> Any:
    """Above 0: along the path of steepest descent, where the integrand is real."""
    total, step = new.zeros_like(x), 0.06 / x**0.25
    for k in range(-100, 101):
        u = k * step
        total = total + np.exp(-np.sqrt(x + u * u / 3) * (8 / 9 * u * u + 2 / 3 * x))
    return total * step / (2 * pi)


def _airy_left(x: Any) -> Any:
    """Below 0: along a path through the two saddle points, in their directions."""
    square, total = -x, new.zeros_like(x)
    for k in range(-140, 141):
        u = k * 0.05
        w = 3 * u * u + square
        s = u + 1j * (u * u - square) / np.sqrt(w)
        slope = 1 + 1j * u * (w + 4 * square) / w**1.5
        total = total + np.real(np.exp(1j * s * (s * s / 3 - square)) * slope)
    return total * (0.05 / (2 * pi))


def _airy_far(x: Any) -> Any:
    """Far below 0: the asymptotic expansion (Abramowitz & Stegun 10.4.60)."""
    z = 2 / 3 * (-x) ** 1.5
    term, sums = new.ones_like(x), [new.ones_like(x), new.zeros_like(x)]
    for k in range(1, 24):
        term = term * ((6 * k - 5) * (6 * k - 3) * (6 * k - 1) / (216 * k * (2 * k - 1))) / z
        sums[k % 2] = sums[k % 2] + (-1) ** (k // 2) * term
    c, s = np.cos(z), np.sin(z)
    return ((c + s) * sums[0] + (s - c) * sums[1]) / np.sqrt(2 * pi * np.sqrt(-x))


@in_blocks
def airy_ai(x: Any) -> Any:
    """Return the Airy function Ai."""
    y = new.full_like(x, np.nan)
    finite = np.isfinite(x)
    for low, high, f in ((-2, 2, _airy_near), (2, np.inf, _airy_right), (-12, -2, _airy_left),
                         (-np.inf, -12, _airy_far)):  # fmt: skip
        here = finite & (x >= low) & (x < high)
        y[here] = f(x[here])
    return y
