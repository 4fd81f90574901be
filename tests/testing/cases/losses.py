"""Losses (held out while tuning): reductions, targets as integers, label smoothing, clamps."""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.testing.cases.record import case as _case

case = partial(_case, held_out=True)


def reduce(x, reduction):
    return x if reduction == "none" else np.asarray(x.mean() if reduction == "mean" else x.sum(), x.dtype)


def expand(g, shape, reduction, bug=""):
    n = int(np.prod(shape))
    g = np.broadcast_to(g, shape)
    if bug == "reduction":
        return g * 1
    return g / max(n, 1) if reduction == "mean" else g * 1


def two(**kw):
    def sampler(src):
        shape = (src.size(3), src.size(4))
        return (src.floats(shape), src.floats(shape)), {
            "reduction": src.choice(["mean", "sum", "none"]),
            **{k: src.choice(v) for k, v in kw.items()},
        }

    return sampler


def mse_f(x, t, reduction="mean"):
    return reduce((x - t) ** 2, reduction), (x, t, reduction)


def mse_b(g, s, bug=""):
    x, t, r = s
    d = (1 if bug == "two" else 2) * (x - t) * expand(g, x.shape, r, bug)
    return d, d if bug == "target" else -d


case("mse", two(), mse_f, mse_b, {"two": "1/2", "reduction": "reduction|sum where|factor", "target": "-1"})


def l1_f(x, t, reduction="mean"):
    return reduce(np.abs(x - t), reduction), (x, t, reduction)


def l1_b(g, s, bug=""):
    x, t, r = s
    d = np.sign(x - t) * expand(g, x.shape, r)
    if bug == "batch" and r == "mean":
        d = d * x.shape[1]
    return d, -d


case("l1", two(), l1_f, l1_b, {"batch": "shape of|factor"})


def smooth_f(x, t, reduction="mean", beta=1.0):
    d = x - t
    a = np.abs(d)
    return reduce(np.where(a < beta, 0.5 * d * d / beta, a - 0.5 * beta), reduction), (d, beta, reduction)


def smooth_b(g, s, bug=""):
    d, beta, r = s
    inner = d if bug == "beta" else d / beta
    out = np.where(np.abs(d) < beta, inner, np.sign(d)) * expand(g, d.shape, r)
    return out, -out


case("smooth_l1", two(beta=[1.0, 0.5, 2.0]), smooth_f, smooth_b, {"beta": "beta|wrong only|factor"})


def bce_f(x, t, reduction="mean", weight=1.0):
    y = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))) * 1.0
    return reduce(weight * y, reduction), (x, t, reduction, weight)


def bce_b(g, s, bug=""):
    x, t, r, weight = s
    p = 1 / (1 + np.exp(-x))
    e = expand(g, x.shape, r) * (1.0 if bug == "weight" else weight)
    return e * (p - t), -e * x if bug != "none" else 0 * x


def bce_s(src):
    shape = (src.size(3), src.size(2))
    return (src.floats(shape), src.floats(shape, 0.0, 1.0)), {
        "reduction": src.choice(["mean", "sum"]),
        "weight": src.choice([1.0, 3.0]),
    }


case("bce_with_logits", bce_s, bce_f, bce_b, {"weight": "weight", "none": "no gradient"})


def ce_f(x, i, smoothing=0.0, reduction="mean"):
    s = x - x.max(1, keepdims=True)
    lp = s - np.log(np.exp(s).sum(1, keepdims=True))
    nll = -np.take_along_axis(lp, i[:, None], 1)[:, 0]
    y = (1 - smoothing) * nll - smoothing * lp.mean(1)
    return reduce(y, reduction), (lp, i, smoothing, reduction)


def ce_b(g, s, bug=""):
    lp, i, smoothing, r = s
    t = np.full(lp.shape, 0.0 if bug == "smoothing" else smoothing / lp.shape[1], lp.dtype)
    np.put_along_axis(
        t, i[:, None], np.take_along_axis(t, i[:, None], 1) + (1 - (0 if bug == "smoothing" else smoothing)), 1
    )
    e = expand(g, i.shape, r)[:, None]
    if bug == "batch" and r == "mean":
        e = e * len(i)
    if bug == "probs":
        return e * (np.exp(lp) * (1 - t) - t * np.exp(lp)), None
    return e * (np.exp(lp) - t), None


def ce_s(src):
    n, k = src.size(3), src.size(4)
    return (src.floats((n, k)), src.indices((n,), k)), {
        "smoothing": src.choice([0.0, 0.1]),
        "reduction": src.choice(["mean", "sum", "none"]),
    }


case(
    "cross_entropy",
    ce_s,
    ce_f,
    ce_b,
    {"smoothing": "smoothing", "batch": "shape of|factor|reduction", "probs": "term|must sum to 0"},
)


def kl_f(lp, q):
    safe = np.where(q > 0, q, 1)
    return np.asarray((np.where(q > 0, q * np.log(safe), 0) - q * lp).sum(), lp.dtype), (lp, q)


def kl_b(g, s, bug=""):
    lp, q = s
    safe = np.where(q > 0, q, 1)
    gq = np.where(q > 0, g * (np.log(safe) + 1 - lp), np.where(g == 0, 0, -g * np.inf)).astype(q.dtype)
    return (-g * q if bug != "exp" else -g * np.exp(q)), (gq if bug != "one" else gq - (q > 0) * g)


def kl_s(src):
    shape = (src.size(3), src.size(4))
    return (src.floats(shape), src.floats(shape, 0.0, 1.0)), {}


case("kl_div", kl_s, kl_f, kl_b, {"exp": "term", "one": "constant along|incoming|term"})


def hinge_f(x, t, margin=1.0):
    return np.asarray(np.maximum(margin - t * x, 0).sum(), x.dtype), (x, t, margin)


def hinge_b(g, s, bug=""):
    x, t, margin = s
    live = (margin - t * x > 0) if bug != "margin" else (1 - t * x > 0)
    d = -g * t * live if bug != "dead" else -g * t
    return d, -g * x * live


def hinge_s(src):
    shape = (src.size(5),)
    return (src.floats(shape), src.floats(shape)), {"margin": src.choice([1.0, 0.3])}


case("hinge", hinge_s, hinge_f, hinge_b, {"margin": "margin|flat|missing", "dead": "flat|does not depend"})


def triplet_f(a, p, n, margin=1.0):
    d = ((a - p) ** 2).sum(-1) - ((a - n) ** 2).sum(-1) + margin
    return np.maximum(d, 0), (a, p, n, d > 0)


def triplet_b(g, s, bug=""):
    a, p, n, live = s
    e = 2 * (g * live)[:, None]
    ga = e * (n - p)
    if bug == "anchor":
        ga = e * (a - p)
    return ga, -e * (a - p), e * (a - n)


def triplet_s(src):
    shape = (src.size(3), src.size(4))
    return (src.floats(shape), src.floats(shape), src.floats(shape)), {"margin": src.choice([1.0, 0.2])}


case("triplet", triplet_s, triplet_f, triplet_b, {"anchor": "term|the two inputs differ is missing"})


def poisson_f(x, t):
    return np.exp(x) - t * x, (x, t)


def poisson_b(g, s, bug=""):
    x, t = s
    return g * ((x if bug == "log" else np.exp(x)) - t), -g * x


case(
    "poisson_nll",
    lambda src: ((src.floats((n := (src.size(3), src.size(2))), hi=6.0), src.floats(n, lo=0.0)), {}),
    poisson_f,
    poisson_b,
    {"log": "term"},
)


def focal_f(x, gamma=2.0):
    p = 1 / (1 + np.exp(-x))
    return -((1 - p) ** gamma) * np.log(p), (p, gamma)


def focal_b(g, s, bug=""):
    p, gamma = s
    q = 1 - p
    d = gamma * q**gamma * p * np.log(p) - q ** (gamma + 1)
    return (g * (-(q ** (gamma + 1)) if bug == "modulator" else d),)


case(
    "focal",
    lambda src: ((src.floats((src.size(3), src.size(2)), -12.0, 12.0),), {"gamma": src.choice([2.0, 1.0, 0.5])}),
    focal_f,
    focal_b,
    {"modulator": "term|small"},
)


def gauss_f(m, v, t):
    return 0.5 * (np.log(v) + (t - m) ** 2 / v), (m, v, t)


def gauss_b(g, s, bug=""):
    m, v, t = s
    d = t - m
    gv = 0.5 * g * (1 / v - d * d / (v if bug == "square" else v * v))
    return -g * d / v, gv, g * d / v if bug != "sign" else -g * d / v


def gauss_s(src):
    n = src.size(4)
    return (src.floats((n,)), src.floats((n,), lo=0.05), src.floats((n,))), {}


case("gaussian_nll", gauss_s, gauss_f, gauss_b, {"square": "term", "sign": "-1"})
