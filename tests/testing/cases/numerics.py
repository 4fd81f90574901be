"""Functions that are hard in floating point: branches, series, saturation, tiny and huge values."""

from __future__ import annotations

import math

import numpy as np

from tests.testing.cases.record import case


def log1mexp_f(x):
    return np.where(x > math.log(2), np.log1p(-np.exp(-x)), np.log(-np.expm1(-x))), x


def log1mexp_b(g, x, bug=""):
    e = np.exp(-x)
    d = e / -np.expm1(-x)
    if bug == "tail":
        d = np.where(x > math.log(2), e, d)
    if bug == "overflow":
        d = np.exp(x) / (np.exp(2 * x) - np.exp(x))
    return (g * d,)


case(
    "log1mexp",
    lambda src: ((src.floats((src.size(3, 0), src.size(4, 0)), 0.01, 500.0),), {}),
    log1mexp_f,
    log1mexp_b,
    {
        # For x > log 2 the approximation exp(-x) is returned, which is right only for large x; use 1/expm1(x)
        # everywhere.
        "tail": "factor|branch|term|large|for x >",
        # An exponential of a large number overflows, so that inf/inf = NaN is returned for large x; cancel the factor
        # analytically.
        "overflow": "nan|NaN|inf|overflow|finite|large",
    },
)


def invsoftplus_f(y, beta=1.0):
    z = beta * y
    return (z + np.log(-np.expm1(-z))) / beta, (z, beta)


def invsoftplus_b(g, s, bug=""):
    z, beta = s
    d = -1 / np.expm1(-z)
    if bug == "inverse":
        d = -np.expm1(-z)
    return (g * d * (beta if bug == "beta" else 1),)


case(
    "inverse_softplus",
    lambda src: ((src.floats((src.size(3, 0), src.size(4, 0)), 0.05, 20.0),), {"beta": src.choice([1.0, 2.0, 0.5])}),
    invsoftplus_f,
    invsoftplus_b,
    {
        # The derivative of softplus itself was used; that of the inverse is its reciprocal, 1/(1-exp(-z)).
        "inverse": "recipro|inverse|factor|1/|term|power",
        # The inner factor beta cancels against the outer 1/beta, but it was multiplied in once more; drop it.
        "beta": "beta|factor",
    },
)


def pade_f(x):
    n, d = 1 + x / 2 + x * x / 12, 1 - x / 2 + x * x / 12
    return n / d, (x, n, d)


def pade_b(g, s, bug=""):
    x, n, d = s
    dn, dd = 0.5 + x / 6, -0.5 + x / 6
    if bug == "quotient":
        return (g * dn / d,)
    if bug == "swap":
        return (g * (n * dd - dn * d) / (d * d),)
    return (g * (dn * d - n * dd) / (d * d),)


case(
    "pade_exponential",
    lambda src: ((src.floats((src.size(3, 0), src.size(4, 0)), -5.0, 5.0),), {}),
    pade_f,
    pade_b,
    {
        # Only the numerator is differentiated; subtract n*d'/d**2 for the denominator.
        "quotient": "term|quotient|factor",
        # The quotient rule's two terms are subtracted the wrong way round, so the sign is wrong; use (n'd -
        # nd')/d**2.
        "swap": "sign|-1",
    },
)


def shrink_f(x, lam=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - lam, 0), (x, lam)


def shrink_b(g, s, bug=""):
    x, lam = s
    if bug == "threshold":
        return (g * (np.abs(x) > lam * lam),)
    return (g * (np.abs(x) > lam),)


case(
    "soft_threshold",
    lambda src: ((src.floats((src.size(3, 0), src.size(4, 0)), -3.0, 3.0),), {"lam": src.choice([0.5, 1.5])}),
    shrink_f,
    shrink_b,
    {
        # The dead zone ends at |x| = lam, but the backward compares with lam**2; compare with lam.
        "threshold": "lam|branch|flat|does not depend",
    },
)


def takeoff_f(x, i, scale=1.0):
    return x[i] * np.exp(scale * x[i - 1]), (x, i, scale)


def takeoff_b(g, s, bug=""):
    x, i, scale = s
    out = np.zeros_like(x)
    e = np.exp(scale * x[i - 1])
    n = len(x)
    np.add.at(out, np.maximum(i, 0) if bug == "negative" else i, g * e)
    prev = i - 1
    if bug == "border":
        prev = np.where(i == 0, 0, prev)
    np.add.at(out, prev % n if bug != "negative" else np.maximum(prev, -n), g * x[i] * e * scale)
    return out, None


def takeoff_s(src):
    n = src.size(4, 2)
    return (src.floats((n,), -2.0, 2.0), np.maximum(src.indices((src.size(4, 0),), n, negative=True), 1 - n)), {
        "scale": src.choice([1.0, 0.5])
    }


case(
    "neighbour_product",
    takeoff_s,
    takeoff_f,
    takeoff_b,
    {
        # Negative indices, which count from the end, are clipped to 0 in the scatter; use them as they are (or modulo
        # n).
        "negative": "negative|index|places|term|missing",
        # For i = 0 the neighbour is x[-1] (the last element), but its gradient is put on x[0]; do not clamp the
        # neighbour's index.
        "border": "term|index|places|wrong only|axis 0|border|missing",
    },
)


def safenorm_f(x):
    m = np.abs(x).max(-1, keepdims=True)
    m = np.where(m > 0, m, 1)
    return (m * np.sqrt(((x / m) ** 2).sum(-1, keepdims=True)))[..., 0], x


def safenorm_b(g, x, bug=""):
    n = safenorm_f(x)[0][..., None]
    return (np.where(n > 0, g[..., None] * x / np.where(n > 0, n, 1), 0).astype(x.dtype),)


case(
    "scaled_norm",
    lambda src: ((src.floats((src.size(3, 0), src.size(3)), -1e6, 1e6),), {}),
    safenorm_f,
    safenorm_b,
)


def logcosh_f(x, scale=1.0):
    a = np.abs(x) / scale
    return a + np.log1p(np.exp(-2 * a)) - math.log(2), (x, scale)


def logcosh_b(g, s, bug=""):
    x, scale = s
    return (g * np.tanh(x / scale) / scale,)


case(
    "log_cosh_saturated",
    lambda src: ((src.floats((src.size(3, 0), src.size(3, 0)), -200.0, 200.0),), {"scale": src.choice([1.0, 10.0])}),
    logcosh_f,
    logcosh_b,
)


def total_f(a, b):
    return np.asarray((a * a).sum() + (a.sum() * b).sum(), a.dtype), (a, b)


def total_b(g, s, bug=""):
    a, b = s
    if bug == "keepdims":
        return 2 * g * a + g * b.sum(), (g * a.sum() * np.ones_like(b))[None]
    return 2 * g * a + g * b.sum(), g * a.sum() * np.ones_like(b)


case(
    "square_and_sums",
    lambda src: (
        (src.floats((src.size(3, 0),), -3.0, 3.0), src.floats((src.size(2, 0), src.size(2, 0)), -3.0, 3.0)),
        {},
    ),
    total_f,
    total_b,
    {
        # The gradient of b has an extra leading axis; return it in b's own shape.
        "keepdims": "shape|axis|expected",
    },
)


def tiny_f(x, y):
    return x * 1e-6 / (1e-6 + np.abs(y)), (x, y)


def tiny_b(g, s, bug=""):
    x, y = s
    d = 1e-6 + np.abs(y)
    gy = -g * x * 1e-6 * np.sign(y) / (d * d)
    return g * 1e-6 / d, gy


case(
    "tiny_michaelis",
    lambda src: ((src.floats((n := src.size(4, 0),), -5.0, 5.0), src.floats((n,), 0.001, 3.0)), {}),
    tiny_f,
    tiny_b,
)
