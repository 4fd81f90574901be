"""Functions of float32 numbers in the language of kernels, with their largest errors (tests/native measures them).

Without branches, so that loops over them are vectorised. NaN gives NaN; results overflow to infinity and underflow to
zero as the exact ones do.
"""

from __future__ import annotations

import math

from tinygrad_lite.native.language import Kernel, Value

SHIFT = 1.5 * 2**23
"""Added to a float32 it rounds to an integer, which is left in the low bits."""
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4
GAUSS = (
    0.03840739279985428, -0.16930745542049408, 0.22895176708698273, -0.0768396407365799, 0.14276525378227234,
    0.09458587318658829, 0.12194526195526123, 0.11948420852422714, 7.372373147518374e-06,
)  # fmt: skip
"""Q of `ops.elementwise.smooth`."""


def _reduced(k: Kernel, x: Value) -> tuple[Value, Value]:
    """Return p and the bits of a number such that ``exp(x) = (1 + p) 2^n``, n being the low bits less `SHIFT`'s."""
    z = k.fma(x, math.log2(math.e), SHIFT)
    n = z - SHIFT
    r = k.fma(n, -LN2_LOW, k.fma(n, -LN2_HIGH, x))
    p = k.polynomial(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5)
    return k.fma(p, r * r, r), z.bits()


def _power(bits: Value) -> Value:
    """Return ``2^n``, n from -126 to 127, from what `_reduced` returns; -127 gives 0 and 128 infinity."""
    return ((bits << 23) + (127 << 23)).bits()  # the bits of `SHIFT` fall out on the left


def _powers(k: Kernel, x: Value) -> tuple[Value, Value, Value]:
    """Return p, s and t such that ``exp(x) = (1 + p) s t``: two factors, as their product may overflow."""
    nothing = x < -104.0  # a product that underflows takes a hundred times as long as others
    p, bits = _reduced(k, k.select(nothing, 0.0, k.least(x, 89.0)))
    whole = bits - k.lift(SHIFT, "f").bits()
    half = whole >> 1
    return p, k.select(nothing, 0.0, ((half + 127) << 23).bits()), ((whole - half + 127) << 23).bits()


def exp(k: Kernel, x: Value) -> Value:
    """Return the exponential; 1 unit in the last place."""
    p, s, t = _powers(k, x)
    return (p + 1.0) * s * t


def expm1(k: Kernel, x: Value) -> Value:
    """Return ``exp(x) - 1`` for ``x`` up to 0; 2 units in the last place."""
    p, s, t = _powers(k, x)
    scale = s * t
    return k.fma(p, scale, scale - 1.0)


def log1p(k: Kernel, x: Value) -> Value:
    """Return ``log(1 + x)`` for ``x`` from 0 to 1; 2 units in the last place."""
    t = x / (x + 2.0)  # log(1 + x) = 2 artanh(t), t up to 1/3
    s = t * t
    return 2.0 * t * k.polynomial(s, 0.1220653414, 0.1069662529, 0.1431036106, 0.1999934545, 0.3333333965, 1.0)


def log(k: Kernel, x: Value) -> Value:
    """Return the logarithm of a normal number that is positive, infinite or NaN; 2 units in the last place."""
    bits = x.bits()
    power = (bits - 0x3F3504F3) >> 23  # of the multiple of sqrt(1/2) below x
    m = (bits - (power << 23)).bits()
    t = (m - 1.0) / (m + 1.0)
    s = t * t
    p = 2.0 * t * k.polynomial(s, 0.1496431924, 0.1998734242, 0.3333340846, 1.0)
    n = power.to("f")
    found = k.fma(n, LN2_HIGH, k.fma(n, LN2_LOW, p))
    return k.select(x < math.inf, found, x)


def sigmoid(k: Kernel, x: Value) -> Value:
    """Return ``1 / (1 + exp(-x))``; 2 units in the last place, 0 below -88.3."""
    return 1.0 / below_sigmoid(k, x, 89.0)


def below_sigmoid(k: Kernel, x: Value, most: float) -> Value:
    """Return ``1 + exp(-x)`` for ``x`` above ``-most``, and that of ``-most`` below."""
    p, bits = _reduced(k, k.most(k.least(-x, most), -88.0))
    return (p + 1.0) * _power(bits) + 1.0  # no fma: infinity times p and plus infinity may be NaN


def tanh(k: Kernel, x: Value) -> Value:
    """Return the hyperbolic tangent; 2 units in the last place."""
    t = above_tanh(k, x)
    return k.call("copysign", t / (t + 2.0), x)


def above_tanh(k: Kernel, x: Value) -> Value:
    """Return ``t = exp(2 |x|) - 1``, of which ``t / (t + 2)`` is the absolute value of the hyperbolic tangent."""
    p, bits = _reduced(k, k.least(k.call("fabs", x), 10.0) * 2.0)
    return k.fma(p, s := _power(bits), s - 1.0)


def reciprocals(a: Value, b: Value) -> tuple[Value, Value]:
    """Return ``1 / a`` and ``1 / b`` by one division, which takes as long as ten multiplications."""
    both = 1.0 / (a * b)
    return b * both, a * both


def softplus(k: Kernel, x: Value) -> Value:
    """Return ``log(1 + exp(x))``."""
    return k.most(x, 0.0) + log1p(k, exp(k, -k.call("fabs", x)))


def gauss(k: Kernel, x: Value) -> tuple[Value, Value, Value]:
    """Return ``|x|``, ``exp(-x x / 2)`` and ``Phi(-|x|)``, the normal distribution function; 3e-7 of the value."""
    a = k.least(k.call("fabs", x), 16.0)
    e = exp(k, a * a * -0.5)
    t = 1.0 / (a * 0.3 + 1.0)
    return a, e, k.polynomial(t, *GAUSS) * e


def order(k: Kernel, x: Value) -> Value:
    """Return an integer that compares as the number does: maxima of integers are vectorised. Its own inverse."""
    bits = x.bits() if x.type == "f" else x
    turned = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return turned if x.type == "f" else turned.bits()
