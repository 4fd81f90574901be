"""Values of special functions in full float64 precision, from NumPy alone.

The numbers below are Chebyshev coefficients, computed with 50 digits from the functions' definitions; `chebyshev` sums
them by Clenshaw's recurrence. The rest are the textbook series (Abramowitz & Stegun, chapters 6, 7 and 9).
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial, pi
from typing import Any

import numpy as np

from tinygrad_lite.engine import new

BLOCK = 1 << 14
"""Elements per block: the intermediate arrays of one evaluation then stay in the processor's cache."""

ERF_SMALL = (
    0.9754769393826541, -0.14226120510371365, 0.010035582187599796, -0.0005768764699767485, 2.741993125219606e-05,
    -1.1043175507344507e-06, 3.8488755420345036e-08, -1.1808582533875466e-09, 3.2334215826050907e-11,
    -7.991015947004549e-13, 1.7990725113961456e-14, -3.718635487818693e-16, 7.103599003714253e-18,
)  # fmt: skip
ERFC_SCALED = (
    1.1774832005374487, -0.007260796620301901, -0.081265123236185, 0.06009212804122225, -0.02875393558027666,
    0.01059566336347286, -0.003136927294554264, 0.0007456494372536184, -0.0001369696503010054,
    1.7183861600300937e-05, -7.158364623450346e-07, -2.4261399442449534e-07, 5.5765709395703566e-08,
    -2.1057869513809494e-09, -1.1717889351884957e-09, 1.9098355172456688e-10, 1.408871764208813e-11,
    -6.901108320480815e-12, 9.167958364111289e-14, 2.145450828655454e-13, -1.471657502701084e-14,
    -6.668675118770685e-15, 7.504598509876906e-16, 2.22009300666297e-16, -3.170489895665873e-17,
    -8.19357031018117e-18, 1.24598197306862e-18,
)  # fmt: skip
LGAMMA = (
    0.44148902545501423, -0.11119580321752523, 0.01951044826068884, -0.003922461463025264, 0.0008478989895953857,
    -0.00019153855341365593, 4.454470184975607e-05, -1.05728743735943e-05, 2.5474336873408417e-06,
    -6.208535880776316e-07, 1.5268677399071546e-07, -3.782637660291326e-08, 9.428100823624284e-09,
    -2.361999702184645e-09, 5.943541905817546e-10, -1.501312977072867e-10, 3.8050196458110534e-11,
    -9.672485299656325e-12, 2.465348198355661e-12, -6.298868140791711e-13, 1.6128460030283787e-13,
    -4.137949206814042e-14, 1.0635701227757898e-14, -2.7382420786652826e-15, 7.060670507214892e-16,
    -1.8232177141662118e-16, 4.714169006756272e-17, -1.2204107319639856e-17, 3.1630451661790255e-18,
    -8.206746544166728e-19,
)  # fmt: skip
DIGAMMA = (
    0.983570260441567, -0.2270640863346444, 0.03336889902393011, -0.005320077271596548, 0.0008788656937820505,
    -0.00014773492650606044, 2.5060543468359146e-05, -4.2721034029993324e-06, 7.302769272465923e-07,
    -1.2502886813559594e-07, 2.1425009322359472e-08, -3.673295918565179e-09, 6.299717236108931e-10,
    -1.080593028883266e-10, 1.853735192053638e-11, -3.18023536582553e-12, 5.456147570322795e-13,
    -9.360993131036438e-14, 1.606064636295075e-14, -2.7555431377438815e-15, 4.727736178601912e-16,
    -8.11148420346509e-17, 1.391707769474154e-17, -2.3877901082188625e-18,
)  # fmt: skip
ROOT = (1.4616321449683622, 9.549995429965697e-17)
"""The zero of digamma, as a sum of two numbers."""
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)


FEW = 24
"""Up to so many values Python's numbers are faster than arrays; the operations and so the results are the same."""


def chebyshev(c: tuple[float, ...], t: Any) -> Any:
    """Return the sum of ``c[k] * T_k(t)``."""
    if t.size <= FEW and t.ndim == 1:
        return new.array([_chebyshev(c, value) for value in t.tolist()])
    a = b = new.zeros_like(t)
    for value in c[:0:-1]:
        a, b = 2 * t * a - b + value, a
    return t * a - b + c[0]


def _chebyshev(c: tuple[float, ...], t: float) -> float:
    a = b = 0.0
    twice = 2 * t
    for value in c[:0:-1]:
        a, b = twice * a - b + value, a
    return t * a - b + c[0]


def in_blocks(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let ``f``, written for float64 vectors, take any shape and floating dtype, without warnings."""

    def evaluate(x: Any) -> Any:
        flat = np.ravel(x)
        out = new.empty_like(flat)
        with np.errstate(all="ignore"):
            for i in range(0, len(flat), BLOCK):
                out[i : i + BLOCK] = f(flat[i : i + BLOCK].astype(np.float64))
        return out.reshape(np.shape(x))

    evaluate.__doc__, evaluate.__name__ = f.__doc__, f.__name__
    return evaluate


# ------------------------------------------------------------------------------------------------ error function
def exp_minus_square(x: Any) -> Any:
    """Return ``exp(-x²)``; ``x`` is split so that rounding its square does no harm."""
    head = np.round(x * 16) / 16
    return np.exp(-head * head) * np.exp((head - x) * (head + x))


def _erfc_positive(x: Any) -> Any:
    x = np.minimum(x, 40)  # 0 from 27 on
    return exp_minus_square(x) * chebyshev(ERFC_SCALED, (x - 4) / (x + 4)) / (1 + 2 * x)


@in_blocks
def erf(x: Any) -> Any:
    """Return the error function."""
    size = np.abs(x)
    small = size < 1
    near = x * chebyshev(ERF_SMALL, 2 * np.minimum(size, 1) ** 2 - 1)
    if small.all():
        return near
    return np.where(small, near, np.copysign(1 - _erfc_positive(size), x))


@in_blocks
def erfc(x: Any) -> Any:
    """Return one minus the error function, accurate where that is tiny."""
    size = np.abs(x)
    far = _erfc_positive(size)
    far = np.where(x < 0, 2 - far, far)
    return np.where(size < 0.5, 1 - x * chebyshev(ERF_SMALL, 2 * np.minimum(size, 1) ** 2 - 1), far)


@in_blocks
def erfinv(y: Any) -> Any:
    """Return the inverse of the error function.

    A closed formula gives three digits, and three Halley iterations the rest.
    """
    size = np.minimum(np.abs(y), 1)
    rest = 1 - size  # exact where it is small
    log = np.log1p(-size) + np.log1p(size)
    half = 2 / (pi * 0.147) + log / 2
    x = np.sqrt(np.maximum(np.sqrt(half * half - log / 0.147) - half, 0))
    x = np.where(size < 1e-4, size * (np.sqrt(pi) / 2), np.where(size == 1, 0, x))
    for _ in range(3):
        error = np.where(size < 0.5, erf(x) - size, rest - erfc(x)) / (2 / np.sqrt(pi) * exp_minus_square(x))
        x = x - error / (1 + x * error)
    return np.where(np.abs(y) > 1, np.nan, np.copysign(np.where(size == 1, np.inf, x), y))


# ------------------------------------------------------------------------------------------------ gamma function
def _reduced(x: Any, high: float) -> tuple[Any, Any, Any]:
    """Lower ``x`` by ones to at most ``high``.

    Return it, and the product and sum of inverses of the values passed.
    """
    product, inverses = new.ones_like(x), new.zeros_like(x)
    while (above := x > high).any():
        x = np.where(above, x - 1, x)
        product = np.where(above, product * x, product)
        inverses = np.where(above, inverses + 1 / x, inverses)
    return x, product, inverses


def _lgamma_positive(x: Any) -> Any:
    big = x > 10
    up = np.where(big, x, 10.0)
    series = sum(b / (2 * k * (2 * k - 1)) * up ** (1 - 2 * k) for k, b in enumerate(BERNOULLI, 1))
    far = (up - 0.5) * (np.log(up) - 1) + (0.5 * np.log(2 * pi) - 0.5) + series
    below = np.where(big, 2.0, x)
    tiny = below < 1
    mid, product, _ = _reduced(np.where(tiny, below + 1, below), 3.0)
    near = (mid - 1) * (mid - 2) * chebyshev(LGAMMA, mid - 2) + np.log(product)
    return np.where(big, np.where(x == np.inf, np.inf, far), np.where(tiny, near - np.log(below), near))


def _sin_pi(x: Any) -> Any:
    r = x - 2 * np.round(x / 2)
    return np.where(np.abs(r) <= 0.5, np.sin(pi * r), np.sin(pi * (np.copysign(1, r) - r)))


@in_blocks
def lgamma(x: Any) -> Any:
    """Return the logarithm of the absolute value of the gamma function.

    It is infinite at 0, -1, -2 ....
    """
    positive = x > 0
    right = _lgamma_positive(np.where(positive, x, 1 - x))
    left = np.log(pi / np.abs(_sin_pi(x))) - right
    pole = ~positive & (x == np.floor(x))
    return np.where(np.isnan(x), np.nan, np.where(pole, np.inf, np.where(positive, right, left)))


def _digamma_positive(x: Any) -> Any:
    big = x > 10
    up = np.where(big, x, 10.0)
    series = sum(b / (2 * k) * up ** (-2 * k) for k, b in enumerate(BERNOULLI, 1))
    far = np.log(up) - 0.5 / up - series
    below = np.where(big, 1.5, x)
    tiny = below < 1
    mid, _, inverses = _reduced(np.where(tiny, below + 1, below), 2.0)
    near = (mid - ROOT[0] - ROOT[1]) * chebyshev(DIGAMMA, 2 * mid - 3) + inverses
    return np.where(big, far, np.where(tiny, near - 1 / below, near))


@in_blocks
def digamma(x: Any) -> Any:
    """Return the derivative of `lgamma`; NaN at -1, -2 ..., -inf at 0."""
    positive = x > 0
    right = _digamma_positive(np.where(positive, x, 1 - x))
    turn = x - np.round(x)
    y = np.where(positive, right, right - pi / np.tan(pi * turn))
    y = np.where(x == 0, -np.copysign(np.inf, x), y)
    return np.where(~positive & (x == np.floor(x)) & (x != 0), np.nan, y)


def polygamma(n: int, x: Any) -> Any:
    """Return the ``n``-th derivative of `digamma`.

    For n >= 1 that is a Hurwitz zeta function, computed by Euler and Maclaurin's formula.
    """
    if n == 0:
        return digamma(x)
    factor = (1 if n % 2 else -1) * (factorial(n) if n <= 170 else np.inf)  # 171! is more than a float holds
    return in_blocks(lambda v: factor * _zeta(n + 1, v))(x)


def _zeta(s: int, x: Any) -> Any:
    """Return the sum of ``(x + k) ** -s`` over k >= 0."""
    total = new.zeros_like(x)
    far = 12 + s
    steps = int(np.clip(far - np.min(np.where(np.isfinite(x), x, far)) if x.size else 0, 0, 10_000))
    for _ in range(steps):
        here = x < far
        total = np.where(here, total + 1 / np.where(here, x, 1.0) ** s, total)
        x = np.where(here, x + 1, x)
    tail = x ** (1 - s) / (s - 1) + 0.5 * x ** (-s)
    term = s * x ** (-s - 1)
    for k, b in enumerate(BERNOULLI, 1):
        tail = tail + b / factorial(2 * k) * term
        term = term * ((s + 2 * k - 1) * (s + 2 * k)) / (x * x)
    return total + tail


# ------------------------------------------------------------------------------------------------ Bessel functions
def bessel_i(n: int, x: Any, scaled: bool = False) -> Any:
    """Return the modified Bessel function of the first kind, of whole order ``n``; ``scaled``: times ``exp(-|x|)``."""

    def evaluate(v: Any) -> Any:
        size = np.abs(v)
        far = size > 25 + n * n
        small = np.where(far, 1.0, size)
        term = (small / 2) ** n / factorial(n)
        near = new.array(term)
        for k in range(1, 60 + n * n):
            term = term * (small / 2) ** 2 / (k * (k + n))
            near = near + term
        big = np.where(far, size, 100.0)
        term = new.ones_like(v)
        tail = new.array(term)
        for k in range(1, 25):
            term = term * ((2 * k - 1) ** 2 - 4 * n * n) / (8 * k * big)
            tail = tail + term
        tail = tail / np.sqrt(2 * pi * big)
        half = np.exp(big / 2)
        y = np.where(far, tail, near * np.exp(-small)) if scaled else np.where(far, half * tail * half, near)
        return np.where(v < 0, (-1) ** n * y, y)

    return in_blocks(evaluate)(x)
