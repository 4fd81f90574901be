"""Normalisation layers, dropout, interpolation: statistics, groups, seeds."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case


def ln_f(x, w, b, eps=1e-5):
    m, v = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    r = 1 / np.sqrt(v + eps)
    h = (x - m) * r
    return h * w + b, (h, r, w)


def ln_b(g, s, bug=""):
    h, r, w = s
    gh = g * w
    n = h.shape[-1]
    mean, proj = gh.mean(-1, keepdims=True), h * (gh * h).mean(-1, keepdims=True)
    if bug == "mean":
        mean = 0
    if bug == "statistic":
        proj = 0
    if bug == "ddof" and n > 1:
        proj = proj * n / (n - 1)
    if bug == "weight":
        gh = g
        mean, proj = gh.mean(-1, keepdims=True), h * (gh * h).mean(-1, keepdims=True)
    axes = tuple(range(g.ndim - 1))
    gw = (g * h).sum(axes) if bug != "wmean" else (g * h).mean(axes)
    return (gh - mean - proj) * r, gw, g.sum(axes)


def ln_s(src):
    k = src.size(4, 2)
    shape = (src.size(3), k) if not src.chance() else (src.size(2), src.size(2), k)
    return (src.floats(shape), src.floats((k,)), src.floats((k,))), {"eps": src.choice([1e-5, 1e-3])}


case(
    "layer_norm",
    ln_s,
    ln_f,
    ln_b,
    {
        "mean": "mean/sum term|constant along|mean or sum",
        "statistic": "norm/statistic|proportional|output|input",
        "ddof": "norm/statistic|proportional|ddof|term",
        "weight": "term|factor",
        "wmean": "1/|divided",
    },
)


def bn_f(x, w, b, eps=1e-5):
    m, v = x.mean((0, 2), keepdims=True), x.var((0, 2), keepdims=True)
    r = 1 / np.sqrt(v + eps)
    h = (x - m) * r
    return h * w[:, None] + b[:, None], (h, r, w)


def bn_b(g, s, bug=""):
    h, r, w = s
    gh = g * w[:, None]
    axes = (0,) if bug == "axes" else (0, 2)
    d = gh - gh.mean(axes, keepdims=True) - h * (gh * h).mean(axes, keepdims=True)
    return (gh * r if bug == "eval" else d * r), (g * h).sum((0, 2)), g.sum((0, 2))


def bn_s(src):
    c = src.size(3)
    return (src.floats((src.size(3, 2), c, src.size(2))), src.floats((c,)), src.floats((c,))), {}


case("batch_norm", bn_s, bn_f, bn_b, {"axes": "term|axis", "eval": "term|statistic"})


def rms_f(x, w, eps=1e-6):
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    return x * r * w, (x, r, w)


def rms_b(g, s, bug=""):
    x, r, w = s
    gw = g * w
    p = (gw * x).sum(-1, keepdims=True) * r**3 * x
    gx = gw * r - p / (1 if bug == "n" else x.shape[-1])
    return gx, (g * x * r).sum(tuple(range(g.ndim - 1)))


def rms_s(src):
    k = src.size(4)
    return (src.floats((src.size(3), k)), src.floats((k,))), {}


case("rms_norm", rms_s, rms_f, rms_b, {"n": "proportional|statistic|term"})


def gn_f(x, groups=2, eps=1e-5):
    t = x.reshape(x.shape[0], groups, -1)
    r = 1 / np.sqrt(t.var(-1, keepdims=True) + eps)
    h = (t - t.mean(-1, keepdims=True)) * r
    return h.reshape(x.shape), (h, r)


def gn_b(g, s, bug=""):
    h, r = s
    t = g.reshape(h.shape)
    if bug == "onegroup":
        one = (t * h).mean((1, 2), keepdims=True), t.mean((1, 2), keepdims=True)
        return ((r * (t - one[1] - h * one[0])).reshape(g.shape),)
    return ((r * (t - t.mean(-1, keepdims=True) - h * (t * h).mean(-1, keepdims=True))).reshape(g.shape),)


def gn_s(src):
    groups = src.choice([2, 1, 3])
    return (src.floats((src.size(2), groups * src.size(2, 1, 2), src.size(3, 2, 3))),), {"groups": groups}


case("group_norm", gn_s, gn_f, gn_b, {"onegroup": "groups|term|statistic"})


def dropout_f(x, p=0.5, seed=0):
    m = (np.random.default_rng(seed).random(x.shape) >= p) / (1 - p)
    return x * m.astype(x.dtype), (m, p)


def dropout_b(g, s, bug=""):
    m, p = s
    m = (m > 0) if bug == "scale" else m
    if bug == "newmask":
        m = (np.random.default_rng(99).random(g.shape) >= p) / (1 - p)
    return (g * m.astype(g.dtype),)


case(
    "dropout",
    lambda src: (
        (src.floats((src.size(3), src.size(4))),),
        {"p": src.choice([0.5, 0.2]), "seed": src.integer(0, 0, 1000)},
    ),
    dropout_f,
    dropout_b,
    {"scale": "1/2|1 - p|factor", "newmask": "flat|missing|places|term"},
)


class Layer:
    """A layer that keeps its activations on itself: the classic mistake of hand-written layers."""

    x = None


def stateful_f(x, w, bug=""):
    Layer.x = x
    return x * np.tanh(w), (x, w)


def stateful_b(g, s, bug=""):
    x, w = s
    if bug:
        x = Layer.x
        if x.shape != g.shape:
            x = s[0]
    t = np.tanh(w)
    return g * t, (g * x * (1 - t * t)).sum(0)


def stateful_s(src):
    k = src.size(3)
    return (src.floats((src.size(2), k)), src.floats((k,))), {}


case("gated_layer", stateful_s, stateful_f, stateful_b, {"state": "per call"})

_BUFFER: dict[tuple[int, ...], np.ndarray] = {}


def accumulate_f(x, a):
    return x @ a, (x, a)


def accumulate_b(g, s, bug=""):
    x, a = s
    ga = x.T @ g
    if bug == "accumulates":
        ga = ga + _BUFFER.get(ga.shape, np.zeros_like(ga)).astype(ga.dtype)
        _BUFFER[ga.shape] = ga
    return g @ a.T, ga


def accumulate_s(src):
    n, k, m = src.size(2), src.size(3), src.size(2)
    return (src.floats((n, k)), src.floats((k, m))), {}


case("project", accumulate_s, accumulate_f, accumulate_b, {"accumulates": "buffer"})


def inplace_f(x, bug=""):
    if bug:
        x -= x.max(initial=-np.inf)
    return np.exp(x - x.max(initial=0)), x


def inplace_b(g, x, bug=""):
    e = np.exp(x - x.max(initial=0))
    m = (x == x.max(initial=0)) & (x.max(initial=-np.inf) > 0)
    t = g * e
    return (t - m * t.sum() / np.maximum(m.sum(), 1).astype(x.dtype) if m.any() else t,)


case(
    "shifted_exp",
    lambda src: ((src.floats((src.size(3, 0), src.size(2))),), {}),
    inplace_f,
    inplace_b,
    {"forward_inplace": "in-place"},
)


def random_f(x, bug="", seed=0):
    rng = np.random.default_rng() if bug else np.random.default_rng(seed)
    n = rng.standard_normal(x.shape).astype(x.dtype)
    return x * n, n


def random_b(g, n, bug=""):
    return (g * n,)


case(
    "multiplicative_noise",
    lambda src: ((src.floats((src.size(3), src.size(2))),), {"seed": src.integer(0, 0, 9)}),
    random_f,
    random_b,
    {"forward_noseed": "seed"},
)


def weightnorm_f(v, s):
    n = np.sqrt((v * v).sum(1, keepdims=True))
    return v * (s / n), (v, s, n)


def weightnorm_b(g, saved, bug=""):
    v, s, n = saved
    u = v / n
    gs = (g * u).sum(1, keepdims=True)
    gv = s / n * (g - u * gs) if bug != "norm" else s / n * g
    return gv, (gs.T if bug == "shape" else gs if bug != "squeezed" else gs.squeeze(1))


def weightnorm_s(src):
    o = src.size(3)
    return (src.floats((o, src.size(4)), 0.1, 3.0), src.floats((o, 1))), {}


case(
    "weight_norm",
    weightnorm_s,
    weightnorm_f,
    weightnorm_b,
    {"norm": "elementwise|statistic|proportional", "shape": "shape", "squeezed": "size 1"},
)
