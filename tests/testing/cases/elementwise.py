"""Elementwise functions: saturation, kinks, domain ends, options, broadcasting."""

from __future__ import annotations

import math

import numpy as np

from tests.testing.cases.record import anyshape, case, one, pair, unbroadcast


def tanh_f(x):
    y = np.tanh(x)
    return y, y


def tanh_b(g, y, bug=""):
    if bug == "power":
        return (g * (1 - y),)
    if bug == "inplace":
        g *= 1 - y * y
        return (g,)
    if bug == "nog":
        return (1 - y * y,)
    return (g * (1 - y * y),)


case(
    "tanh",
    one(),
    tanh_f,
    tanh_b,
    {"power": "factor|1 - y|1/(1", "inplace": "in-place|writes into g", "nog": "incoming gradient|g is"},
)


def sigmoid_f(x):
    y = 1 / (1 + np.exp(-x))
    return y, y


def sigmoid_b(g, y, bug=""):
    if bug == "half":
        return (g * y * (1 - y) / 2,)
    if bug == "sign":
        return (g * y * (y - 1),)
    return (g * y * (1 - y),)


case("sigmoid", one(), sigmoid_f, sigmoid_b, {"half": "1/2", "sign": "-1"})


def gelu_f(x):
    t = np.tanh(0.7978845608028654 * (x + 0.044715 * x**3))
    return 0.5 * x * (1 + t), (x, t)


def gelu_b(g, s, bug=""):
    x, t = s
    c = 0.0447 if bug == "constant" else 0.044715
    inner = 0.7978845608028654 * (1 + (1 if bug == "chain" else 3) * c * x * x)
    return (g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner),)


case("gelu_tanh", one(), gelu_f, gelu_b, {"constant": "small error", "chain": "term|constant"})


def relu_f(x):
    return np.maximum(x, 0), x


def relu_b(g, x, bug=""):
    if bug == "mask_g":
        return (g * (g > 0),)
    if bug == "everywhere":
        return (g * np.ones_like(x),)
    if bug == "atzero":
        return (g * ((x > 0) - (x == 0).astype(x.dtype)).astype(x.dtype),)
    return (g * (x > 0),)


case(
    "relu",
    one(),
    relu_f,
    relu_b,
    {"mask_g": "linear|g is", "everywhere": "flat|x < 0|x <= 0", "atzero": "x = 0|x <= 0|zero|holds a 0"},
)


def leaky_f(x, slope=0.01):
    return np.where(x > 0, x, slope * x), (x, slope)


def leaky_b(g, s, bug=""):
    x, slope = s
    if bug == "default":
        slope = 0.01
    return (np.where(x > 0, g, slope * g),)


case(
    "leaky_relu",
    lambda src: ((anyshape(src),), {"slope": src.choice([0.01, 0.2, 1.5])}),
    leaky_f,
    leaky_b,
    {"default": "x < 0|x <= 0|slope"},
)


def elu_f(x, alpha=1.0):
    y = np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    return y, (x, y, alpha)


def elu_b(g, s, bug=""):
    x, y, alpha = s
    return (np.where(x > 0, g, g * (y + (1 if bug == "alpha" else alpha))),)


case(
    "elu",
    lambda src: ((anyshape(src),), {"alpha": src.choice([1.0, 0.5, 2.0])}),
    elu_f,
    elu_b,
    {"alpha": "x < 0|x <= 0|alpha"},
)


def softplus_f(x, beta=1.0):
    bx = beta * x
    return np.where(bx > 20, x, np.log1p(np.exp(np.minimum(bx, 20))) / beta), (bx, beta)


def softplus_b(g, s, bug=""):
    bx, beta = s
    d = np.where(bx > 20, 1.0, 1 / (1 + np.exp(-np.minimum(bx, 20)))).astype(bx.dtype)
    if bug == "atzero":
        d = d * (bx != 0)
    return (g * d * (beta if bug == "beta" else 1.0),)


case(
    "softplus",
    lambda src: ((anyshape(src),), {"beta": src.choice([1.0, 2.0, 0.5])}),
    softplus_f,
    softplus_b,
    {"beta": "beta", "atzero": "x = 0"},
)


def abs_f(x):
    return np.abs(x), x


def abs_b(g, x, bug=""):
    if bug == "nan":
        return (g * x / np.abs(x),)
    return (g * np.sign(x),)


case("abs", one(), abs_f, abs_b, {"nan": "x = 0|not finite"})


def sqrt_f(x):
    y = np.sqrt(x)
    return y, y


def sqrt_b(g, y, bug=""):
    return (g * (0.5 * y if bug == "inverse" else 0.5 / y),)


case("sqrt", one(lo=0.0), sqrt_f, sqrt_b, {"inverse": "factor|y^2|x"})


def power_f(x, p=2.0):
    return x**p, (x, p)


def power_b(g, s, bug=""):
    x, p = s
    return (g * p * x ** (p if bug == "exponent" else p - 1) if bug != "nofactor" else g * x ** (p - 1),)


case(
    "power",
    lambda src: ((anyshape(src, lo=1e-2, hi=10.0),), {"p": src.choice([2.0, 0.5, -1.0, 3.0])}),
    power_f,
    power_b,
    {"exponent": "factor x|input", "nofactor": "1/p|factor 1/2"},
)


def log1p_f(x):
    return np.log1p(x), x


def log1p_b(g, x, bug=""):
    return (g / (x if bug == "log" else 1 + x),)


case("log1p", one(lo=-0.5), log1p_f, log1p_b, {"log": "factor|finite"})


def expm1_f(x):
    y = np.expm1(x)
    return y, y


def expm1_b(g, y, bug=""):
    return (g * (y if bug == "one" else y + 1),)


case("expm1", one(), expm1_f, expm1_b, {"one": "incoming gradient|factor"})


def logaddexp_f(a, b):
    y = np.logaddexp(a, b)
    return y, (a, b, y)


def logaddexp_b(g, s, bug=""):
    a, b, y = s
    if bug == "swapped":
        a, b = b, a
    return unbroadcast(g * np.exp(a - y), s[0].shape), unbroadcast(g * np.exp(b - y), s[1].shape)


case("logaddexp", pair(), logaddexp_f, logaddexp_b, {"swapped": "term|other input|swap"})


def clip_f(x, lo=-1.0, hi=1.0):
    return np.clip(x, lo, hi), (x, lo, hi)


def clip_b(g, s, bug=""):
    x, lo, hi = s
    if bug == "upper":
        return (g * (x >= lo),)
    if bug == "fixed":
        lo, hi = -1.0, 1.0
    return (g * ((x >= lo) & (x <= hi)),)


case(
    "clip",
    lambda src: ((anyshape(src),), {"lo": src.choice([-1.0, -0.5]), "hi": src.choice([1.0, 0.5, 2.0])}),
    clip_f,
    clip_b,
    {"upper": "flat|x >|for", "fixed": "flat|missing|for|hi|lo"},
)


def huber_f(x, delta=1.0):
    a = np.abs(x)
    return np.where(a <= delta, 0.5 * x * x, delta * (a - 0.5 * delta)), (x, delta)


def huber_b(g, s, bug=""):
    x, delta = s
    d = delta if bug != "delta" else 1.0
    return (g * np.where(np.abs(x) <= delta, x, d * np.sign(x)),)


case(
    "huber",
    lambda src: ((anyshape(src),), {"delta": src.choice([1.0, 0.5, 2.0])}),
    huber_f,
    huber_b,
    {"delta": "|x| >|delta"},
)


def hardswish_f(x):
    return x * np.clip(x + 3, 0, 6) / 6, x


def hardswish_b(g, x, bug=""):
    inner = (2 * x + 3) / 6
    if bug == "upper":
        return (g * np.where(x < -3, 0, inner).astype(x.dtype),)
    return (g * np.where(x < -3, 0, np.where(x > 3, 1, inner)).astype(x.dtype),)


case("hardswish", one(), hardswish_f, hardswish_b, {"upper": "|x| >|x >"})


def exp32_f(x):
    y = np.exp(np.minimum(x, 60.0).astype(np.float32))
    return y.astype(x.dtype), (y, x.dtype, x < 60)


def exp32_b(g, s, bug=""):
    y, dtype, m = s
    return ((g * y * m * (1.02 if bug == "off" else 1.0)).astype(dtype),)


case("exp_in_float32", one(), exp32_f, exp32_b, {"off": "factor|small error"})


def exp_f(x):
    y = np.exp(np.minimum(x, 300.0))
    return y, (y, x < 300)


def exp_b(g, s, bug=""):
    y, m = s
    d = g * y * m
    return (d.astype(np.float32).astype(d.dtype) if bug == "cast" else d.astype(np.float32) if bug == "dtype" else d,)


case("exp_clamped", one(hi=30.0), exp_f, exp_b, {"cast": "float32", "dtype": "dtype"})


def steps_f(x):
    return np.floor(x) + np.sign(x), x


def steps_b(g, x, bug=""):
    return (g * (1.0 if bug == "identity" else 0.0) + 0 * x,)


case("floor_plus_sign", one(), steps_f, steps_b, {"identity": "does not depend|flat"})


def mod_f(x, m=1.0):
    return np.mod(x, m), m


def mod_b(g, m, bug=""):
    return (g * 1 if bug != "m" else g * m,)


case("mod", lambda src: ((anyshape(src),), {"m": src.choice([1.0, 0.7, 2.0])}), mod_f, mod_b, {"m": "option m"})


def logit_f(p, eps=1e-6):
    q = np.clip(p, eps, 1 - eps)
    return np.log(q / (1 - q)), (p, q, eps)


def logit_b(g, s, bug=""):
    p, q, eps = s
    d = g / (q * (1 - q))
    return (d if bug == "clamped" else d * ((p >= eps) & (p <= 1 - eps)),)


case("logit", one(lo=0.0, hi=1.0), logit_f, logit_b, {"clamped": "flat|x ="})


def asin_f(x):
    return np.arcsin(x), x


def asin_b(g, x, bug=""):
    return (g / (1 - x * x if bug == "root" else np.sqrt(1 - x * x)),)


case("arcsin", one(lo=-1.0, hi=1.0), asin_f, asin_b, {"root": "factor"})


def entr_f(x):
    return np.where(x > 0, -x * np.log(np.where(x > 0, x, 1)), 0), x


def entr_b(g, x, bug=""):
    safe = np.where(x > 0, x, 1)
    if bug == "one":
        return (-g * np.log(safe),)
    return (np.where(x > 0, -g * (np.log(safe) + 1), g * math.inf),)


def entr_zero(g, x, bug=""):
    safe = np.where(x > 0, x, 1)
    d = -(np.log(safe) + 1)
    return (np.where(g == 0, 0, g * np.where(x > 0, d, math.inf)).astype(x.dtype) if not bug else -g * np.log(safe),)


case("entropy_term", one(lo=0.0, hi=2.0), entr_f, entr_zero, {"one": "incoming gradient"})


def sinc_f(x):
    safe = np.where(x == 0, 1, x)
    return np.where(x == 0, 1, np.sin(safe) / safe).astype(x.dtype), x


def sinc_b(g, x, bug=""):
    if bug == "nan":
        return (g * (np.cos(x) / x - np.sin(x) / x**2),)
    small = np.abs(x) < 1e-2
    safe = np.where(small, 1, x)
    near = -x / 3 + x**3 / 30 - x**5 / 840
    return (g * np.where(small, near, np.cos(safe) / safe - np.sin(safe) / safe**2),)


case("sinc", one(), sinc_f, sinc_b, {"nan": "x = 0|not finite|low precision|cancel"})


def mish_f(x):
    t = np.tanh(np.logaddexp(x, 0).astype(x.dtype))
    return x * t, (x, t)


def mish_b(g, s, bug=""):
    x, t = s
    d = t + x * (1 - t * t) / (1 + np.exp(-x))
    return (g * (t if bug == "term" else d),)


case("mish", one(), mish_f, mish_b, {"term": "term|only the factor x"})


def sincos_f(x):
    return (np.sin(x), np.cos(x)), x


def sincos_b(g, x, bug=""):
    gs, gc = g
    return (gs * np.cos(x) + (gc if bug == "sign" else -gc) * np.sin(x) if bug != "drop" else gs * np.cos(x),)


case("sin_and_cos", one(), sincos_f, sincos_b, {"sign": "sign|term|-1", "drop": "term|output"})
