"""Densities, options, utilities, mixtures, quantiles."""

from __future__ import annotations

import math

import numpy as np

from tests.testing.cases.record import case, unbroadcast


def phi(z):
    return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def cdf(z):
    return (
        np.asarray([0.5 * math.erfc(-float(t) / math.sqrt(2)) for t in np.ravel(z)])
        .reshape(np.shape(z))
        .astype(z.dtype)
    )


def reduced(y, reduction):
    if reduction == "none":
        return y
    return np.asarray(y.mean() if reduction == "mean" else y.sum(), y.dtype)


def black_f(spot, strike, vol, rate=0.03, time=1.0):
    d1 = (np.log(spot / strike) + (rate + vol * vol / 2) * time) / (vol * time**0.5)
    d2 = d1 - vol * time**0.5
    disc = math.exp(-rate * time)
    return spot * cdf(d1) - strike * disc * cdf(d2), (spot, d1, d2, disc, time)


def black_b(g, s, bug=""):
    spot, d1, d2, disc, time = s
    delta = cdf(d2 if bug == "delta" else d1)
    gk = -g * cdf(d2) * (1 if bug == "discount" else disc)
    return g * delta, gk, g * spot * phi(d1) * time**0.5


def black_s(src):
    n = (src.size(4, 0),)
    opts = {"rate": src.choice([0.03, 0.2]), "time": src.choice([1.0, 0.25, 4.0])}
    return (src.floats(n, 50.0, 150.0), src.floats(n, 50.0, 150.0), src.floats(n, 0.1, 0.8)), opts


case(
    "black_scholes_call",
    black_s,
    black_f,
    black_b,
    {
        # The strike's gradient lacks the discount factor exp(-rate*time); multiply by disc.
        "discount": "rate|time|factor|exp",
        # The spot's gradient is N(d1) but d2 was used; use cdf(d1).
        "delta": "term|spot|input 0|wrong only",
    },
)


def crra_f(c, gamma=2.0):
    return np.log(c) if gamma == 1 else (c ** (1 - gamma) - 1) / (1 - gamma), (c, gamma)


def crra_b(g, s, bug=""):
    c, gamma = s
    if bug == "incoming":
        return ((c**-gamma).astype(g.dtype),)
    if bug == "log" and gamma == 1:
        return (g * np.ones_like(c),)
    return (g * c**-gamma,)


case(
    "crra_utility",
    lambda src: (
        (src.floats((src.size(3, 0), src.size(4, 0)), 0.1, 10.0),),
        {"gamma": src.choice([2.0, 1.0, 0.5, 0.0])},
    ),
    crra_f,
    crra_b,
    {
        # The incoming gradient g is not used; multiply the local derivative by g.
        "incoming": "incoming|linear",
        # For gamma = 1 (the logarithm) the derivative is 1/c, but 1 is returned; return g/c.
        "log": "gamma|local derivative is missing",
    },
)


def student_f(x, mu, scale, nu=4.0):
    z = (x - mu) / scale
    c = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi)
    return c - (nu + 1) / 2 * np.log1p(z * z / nu) - np.log(scale), (z, x.shape, mu.shape, scale, nu)


def student_b(g, s, bug=""):
    z, xs, ms, scale, nu = s
    k = (nu if bug == "nu" else nu + 1) / (nu + z * z)
    gx = -g * k * z / scale
    gs = g * (k * z * z - (0 if bug == "normaliser" else 1)) / scale
    gm = -gx
    if bug == "mean":
        return gx, gm.mean(0), unbroadcast(gs, scale.shape)
    return gx, unbroadcast(gm, ms), unbroadcast(gs, scale.shape)


def student_s(src):
    n, m = src.size(3), src.size(4)
    one = src.chance()
    shape = (1,) if one else (m,)
    return (src.floats((n, m), -5.0, 5.0), src.floats((m,), -2.0, 2.0), src.floats(shape, 0.3, 3.0)), {
        "nu": src.choice([4.0, 1.0, 30.0])
    }


case(
    "student_t_logpdf",
    student_s,
    student_f,
    student_b,
    {
        # The normaliser -log(scale) is missing from the gradient of scale; add -1/scale.
        "normaliser": "term|scale|1/",
        # The exponent is (nu+1)/2, but the gradient uses nu; use nu + 1.
        "nu": "nu|factor|term",
        # The gradient of mu averages over the batch it was broadcast along; sum instead of mean.
        "mean": "sum|mean|1/|divided|broadcast|factor",
    },
)


def gammapdf_f(x, rate, shape=2.0):
    return shape * np.log(rate) - math.lgamma(shape) + (shape - 1) * np.log(x) - rate * x, (x, rate, shape)


def gammapdf_b(g, s, bug=""):
    x, rate, shape = s
    gx = g * ((shape if bug == "one" else shape - 1) / x - rate)
    return unbroadcast(gx, x.shape), unbroadcast(g * ((1 if bug == "option" else shape) / rate - x), rate.shape)


def gammapdf_s(src):
    n, m = src.size(3, 0), src.size(2, 0)
    return (src.floats((n, m), 0.05, 9.0), src.floats((n, 1), 0.2, 4.0)), {"shape": src.choice([2.0, 0.5, 1.0, 7.0])}


case(
    "gamma_logpdf",
    gammapdf_s,
    gammapdf_f,
    gammapdf_b,
    {
        # The exponent of x is shape - 1; the gradient uses shape; subtract 1.
        "one": "term|1/x|shape|small",
        # The gradient of rate uses 1/rate as for shape = 1 and ignores the option; use shape/rate.
        "option": "shape|option",
    },
)


def mixture_f(x, logits, mu, logs):
    w = logits - logits.max()
    w = w - np.log(np.exp(w).sum())
    z = (x[:, None] - mu) * np.exp(-logs)
    joint = w - 0.5 * z * z - logs - 0.5 * math.log(2 * math.pi)
    m = joint.max(1, keepdims=True)
    e = np.exp(joint - m)
    return (m + np.log(e.sum(1, keepdims=True)))[:, 0], (z, w, logs, e / e.sum(1, keepdims=True))


def mixture_b(g, s, bug=""):
    z, w, logs, r = s
    gr = g[:, None] * r
    gl = gr.sum(0) - (0 if bug == "softmax" else g.sum() * np.exp(w))
    gz = gr * z * np.exp(-logs)
    if bug == "hard":
        hard = (r == r.max(1, keepdims=True)).astype(r.dtype)
        gz = g[:, None] * hard * z * np.exp(-logs)
    gs = (gr * (z * z - 1)).sum(0) if bug != "log" else (gr * (z * z - 1) * np.exp(-logs)).sum(0)
    return -gz.sum(1), gl, gz.sum(0), gs


def mixture_s(src):
    n, k = src.size(4), src.size(3)
    return (
        src.floats((n,), -4.0, 4.0),
        src.floats((k,), -3.0, 3.0),
        src.floats((k,), -2.0, 2.0),
        src.floats((k,), -0.7, 1.0),
    ), {}


case(
    "gaussian_mixture",
    mixture_s,
    mixture_f,
    mixture_b,
    {
        # The log-softmax of the mixture weights is differentiated as if its normaliser were constant; subtract
        # g.sum()*softmax(logits).
        "softmax": "norm/statistic|constant|term|softmax|sum",
        # The gradient goes only to the most probable component; weigh by all the responsibilities r.
        "hard": "term|flat|missing|other",
        # logs is the logarithm of the scale, but its gradient is divided by the scale once more as if it were the
        # scale; drop exp(-logs).
        "log": "factor|exp|logs|input 3",
    },
)


def quad_f(x, mu, m):
    d = x - mu
    return np.einsum("ni,ij,nj->n", d, m, d), (d, m)


def quad_b(g, s, bug=""):
    d, m = s
    gd = g[:, None] * (2 * d @ m if bug == "symmetric" else d @ (m + m.T))
    gm = d.T @ (g[:, None] * d)
    return gd, gd.sum(0) if bug == "sign" else -gd.sum(0), gm


def quad_s(src):
    n, d = src.size(3), src.size(3)
    return (src.floats((n, d), -3.0, 3.0), src.floats((d,), -2.0, 2.0), src.floats((d, d), -2.0, 2.0)), {}


case(
    "mahalanobis",
    quad_s,
    quad_f,
    quad_b,
    {
        # 2*M*d is right only for a symmetric M; use (M + M.T) @ d.
        "symmetric": "transpos|symmetr|term",
        # d = x - mu, so the gradient of mu is minus that of x; put the minus sign in.
        "sign": "sign|-1",
    },
)


def pinball_f(p, y, q=0.5, reduction="mean"):
    e = y - p
    return reduced(np.maximum(q * e, (q - 1) * e), reduction), (e, q, reduction)


def pinball_b(g, s, bug=""):
    e, q, reduction = s
    if bug == "swap":
        q = 1 - q
    d = np.where(e > 0, q, np.where(e < 0, q - 1, q - 0.5)).astype(e.dtype) * g
    if reduction == "mean" and e.size:
        d = d / (len(e) if bug == "count" else e.size)
    return -d, d


def pinball_s(src):
    shape = (src.size(3), src.size(2))
    return (src.floats(shape, -9.0, 9.0), src.floats(shape, -9.0, 9.0)), {
        "q": src.choice([0.5, 0.9, 0.1]),
        "reduction": src.choice(["mean", "sum", "none"]),
    }


case(
    "quantile_loss",
    pinball_s,
    pinball_f,
    pinball_b,
    {
        # The slopes q and 1-q of the two branches are exchanged; use q where y > p.
        "swap": "branch|swap|factor|q = 0.5",
        # The mean divides by the number of rows and not by the number of elements; divide by e.size.
        "count": "reduction|mean|factor|shape|count",
    },
)


def crps_f(mu, sigma, y):
    z = (y - mu) / sigma
    return sigma * (z * (2 * cdf(z) - 1) + 2 * phi(z) - 1 / math.sqrt(math.pi)), (z, sigma)


def crps_b(g, s, bug=""):
    z, sigma = s
    gy = g * (2 * cdf(z) - 1)
    gs = g * (2 * phi(z) - 1 / math.sqrt(math.pi))
    if bug == "scale":
        gs = gs + gy * z
    return -gy, gs, gy


def crps_s(src):
    n = (src.size(3, 0), src.size(2, 0))
    return (src.floats(n, -3.0, 3.0), src.floats(n, 0.3, 3.0), src.floats(n, -3.0, 3.0)), {}


case(
    "crps_gaussian",
    crps_s,
    crps_f,
    crps_b,
    {
        # Only the outer factor sigma is differentiated; that z = (y-mu)/sigma also depends on sigma is forgotten;
        # subtract z*(2*cdf(z)-1).
        "scale": "term|sigma|input 1",
    },
)
