"""Reductions, the softmax family, norms and order statistics: axes, ties, empties, ddof, zeros."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import axis_of, case, matrix


def along(**kw):
    def sampler(src):
        x, axis = matrix(src, **kw)
        return (x,), {"axis": axis}

    return sampler


def kept(**kw):
    def sampler(src):
        x, axis = matrix(src, **kw)
        return (x,), {"axis": axis, "keepdims": src.chance()}

    return sampler


def spread(g, axis, keepdims):
    return g if keepdims else np.expand_dims(g, axis)


def softmax_f(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    y = e / e.sum(axis, keepdims=True)
    return y, (y, axis)


def softmax_b(g, s, bug=""):
    y, axis = s
    if bug == "diagonal":
        return (g * y * (1 - y),)
    if bug == "lastaxis":
        return (y * (g - (g * y).sum(-1, keepdims=True)),)
    if bug == "mean":
        return (y * (g - (g * y).mean(axis, keepdims=True)),)
    if bug == "noterm":
        return (y * g,)
    return (y * (g - (g * y).sum(axis, keepdims=True)),)


case(
    "softmax",
    along(),
    softmax_f,
    softmax_b,
    {"diagonal": "term|elementwise", "lastaxis": "axis", "mean": "term|output", "noterm": "term|output|statistic"},
)


def log_softmax_f(x, axis=-1):
    s = x - x.max(axis, keepdims=True)
    y = s - np.log(np.exp(s).sum(axis, keepdims=True))
    return y, (y, axis)


def log_softmax_b(g, s, bug=""):
    y, axis = s
    if bug == "nosum":
        return (g - np.exp(y) * g,)
    if bug == "noexp":
        return (g - y * g.sum(axis, keepdims=True),)
    return (g - np.exp(y) * g.sum(axis, keepdims=True),)


case("log_softmax", along(), log_softmax_f, log_softmax_b, {"nosum": "elementwise|term|axis", "noexp": "term"})


def lse_f(x, axis=-1, keepdims=False):
    m = x.max(axis, keepdims=True)
    y = m + np.log(np.exp(x - m).sum(axis, keepdims=True))
    return (y if keepdims else y.squeeze(axis)), (x, y, axis, keepdims)


def lse_b(g, s, bug=""):
    x, y, axis, keepdims = s
    if bug == "last":
        axis = -1
    return (spread(g, axis, keepdims) * np.exp(x - y),)


case("logsumexp", kept(), lse_f, lse_b, {"last": "axis|raise|shape"})


def mean_f(x, axis=-1, keepdims=False):
    return x.mean(axis, keepdims=keepdims), (x.shape, axis, keepdims)


def mean_b(g, s, bug=""):
    shape, axis, keepdims = s
    n = shape[axis]
    g = np.broadcast_to(spread(g, axis, keepdims), shape)
    if bug == "sum":
        return (g * 1,)
    if bug == "size":
        return (g / int(np.prod(shape)),)
    if bug == "wrongaxis":
        return (g / shape[0],)
    return (g / n,)


case("mean", kept(), mean_f, mean_b, {"sum": "sum where|factor", "size": "1/|divided", "wrongaxis": "factor|axis|1/"})


def sum_f(x, axis=-1, keepdims=False):
    return x.sum(axis, keepdims=keepdims), (x.shape, axis, keepdims)


def sum_b(g, s, bug=""):
    shape, axis, keepdims = s
    if bug == "repeat":
        return (np.repeat(spread(g, axis, keepdims), shape[axis], axis).ravel().reshape(shape, order="F"),)
    return (np.broadcast_to(spread(g, axis, keepdims), shape) * 1,)


case("sum", kept(), sum_f, sum_b, {"repeat": "order|reshape|places|transpos|axis"})


def var_f(x, axis=-1, ddof=0):
    return x.var(axis, ddof=ddof), (x, axis, ddof)


def var_b(g, s, bug=""):
    x, axis, ddof = s
    n = x.shape[axis] - (0 if bug == "ddof" else ddof)
    d = x if bug == "centre" else x - x.mean(axis, keepdims=True)
    return (np.expand_dims(g, axis) * d * (2 / n),)


def var_s(src):
    nd = src.integer(2, 1, 3)
    x = src.floats(tuple(src.size(3 + i, 2) for i in range(nd)))
    return (x,), {"axis": axis_of(src, nd), "ddof": src.choice([0, 1])}


case("var", var_s, var_f, var_b, {"ddof": "ddof", "centre": "mean|term"})


def std_f(x, axis=-1):
    y = x.std(axis, keepdims=True)
    return y.squeeze(axis), (x, y, axis)


def std_b(g, s, bug=""):
    x, y, axis = s
    safe = np.where(y > 0, y, 1)
    d = (x - x.mean(axis, keepdims=True)) / (safe * x.shape[axis])
    if bug == "nan":
        d = (x - x.mean(axis, keepdims=True)) / (y * x.shape[axis])
    if bug == "two":
        d = 2 * d
    return (np.expand_dims(g, axis) * np.where(y > 0, d, 0) if bug != "nan" else np.expand_dims(g, axis) * d,)


case("std", along(), std_f, std_b, {"two": "factor 2"})


def norm_f(x, axis=-1, keepdims=False):
    y = np.sqrt((x * x).sum(axis, keepdims=True))
    return (y if keepdims else y.squeeze(axis)), (x, y, axis, keepdims)


def norm_b(g, s, bug=""):
    x, y, axis, keepdims = s
    if bug == "missing":
        return (spread(g, axis, keepdims) * x,)
    if bug == "nan":
        return (spread(g, axis, keepdims) * x / y,)
    return (spread(g, axis, keepdims) * np.where(y > 0, x / np.where(y > 0, y, 1), 0),)


case("l2_norm", kept(), norm_f, norm_b, {"missing": "y|constant along", "nan": "finite"})


def pnorm_f(x, p=3.0):
    y = (np.abs(x) ** p).sum() ** (1 / p)
    return np.asarray(y, x.dtype), (x, y, p)


def pnorm_b(g, s, bug=""):
    x, y, p = s
    if y == 0:
        return (np.zeros_like(x),)
    if bug == "sign":
        return ((g * (np.abs(x) / y) ** (p - 1)).astype(x.dtype),)
    return ((g * np.sign(x) * (np.abs(x) / y) ** (p - 1 if bug != "p" else p)).astype(x.dtype),)


case(
    "p_norm",
    lambda src: ((src.floats((src.size(4), src.size(3))),), {"p": src.choice([3.0, 1.5, 4.0])}),
    pnorm_f,
    pnorm_b,
    {"sign": "sign|x < 0|-1", "p": "factor"},
)


def max_f(x, axis=-1):
    y = x.max(axis, keepdims=True)
    return y.squeeze(axis), (x, y, axis)


def max_b(g, s, bug=""):
    x, y, axis = s
    m = x == y
    if bug == "all":
        return (np.expand_dims(g, axis) * m,)
    if bug == "abs":
        m = np.abs(x) == np.abs(x).max(axis, keepdims=True)
    return ((np.expand_dims(g, axis) * m / m.sum(axis, keepdims=True)).astype(x.dtype),)


case("amax", along(), max_f, max_b, {"all": "tie|factor", "abs": "term|flat|missing|places|wrong only"})


def argmax_f(x, axis=-1):
    i = np.expand_dims(x.argmax(axis), axis)
    return np.take_along_axis(x, i, axis).squeeze(axis), (x.shape, i, axis)


def argmax_b(g, s, bug=""):
    shape, i, axis = s
    out = np.zeros(shape, g.dtype)
    np.put_along_axis(out, i, np.expand_dims(g, axis), axis)
    return (out,)


case("max_first", along(), argmax_f, argmax_b)


def prod_f(x, axis=-1):
    return x.prod(axis), (x, axis)


def prod_b(g, s, bug=""):
    x, axis = s
    g = np.expand_dims(g, axis)
    if bug == "divide":
        return (g * x.prod(axis, keepdims=True) / x,)
    if bug == "zeroed":
        return (g * np.where(x == 0, 0, x.prod(axis, keepdims=True) / np.where(x == 0, 1, x)),)
    x, out = np.moveaxis(x, axis, 0), np.empty_like(np.moveaxis(x, axis, 0))
    for i in range(len(x)):
        out[i] = np.delete(x, i, 0).prod(0)
    return (g * np.moveaxis(out, 0, axis),)


case("prod", along(), prod_f, prod_b, {"divide": "x = 0|not finite", "zeroed": "x = 0"})


def median_f(x):
    return np.asarray(np.median(x), x.dtype), x


def median_b(g, x, bug=""):
    order = np.argsort(x, axis=None, kind="stable")
    n, out = x.size, np.zeros(x.size, x.dtype)
    lo, hi = order[(n - 1) // 2], order[n // 2]
    if bug == "even":
        lo = hi
    out[lo] += g / 2
    out[hi] += g / 2
    return (out.reshape(x.shape),)


case(
    "median",
    lambda src: ((src.floats((src.size(4), src.size(3))),), {}),
    median_f,
    median_b,
    {"even": "places|missing|factor|wrong only|flat"},
)


def sort_f(x):
    i = np.argsort(x, -1, kind="stable")
    return np.take_along_axis(x, i, -1), i


def sort_b(g, i, bug=""):
    if bug == "inverse":
        return (np.take_along_axis(g, i, -1),)
    out = np.empty_like(g)
    np.put_along_axis(out, i, g, -1)
    return (out,)


case(
    "sort",
    lambda src: ((src.floats((src.size(3), src.size(5))),), {}),
    sort_f,
    sort_b,
    {"inverse": "places|permut|adjoint"},
)


def topk_f(x, k=2):
    i = np.argsort(-x, -1, kind="stable")[..., :k]
    return (np.take_along_axis(x, i, -1), i), (i, x.shape)


def topk_b(g, s, bug=""):
    i, shape = s
    g = g[0]
    out = np.zeros(shape, g.dtype)
    if bug == "first":
        i, g = i[..., :1], g[..., :1]
    np.put_along_axis(out, i, g, -1)
    return (out,)


def topk_s(src):
    n = src.size(4, 2)
    return (src.floats((src.size(3), n)),), {"k": src.integer(2, 1, n)}


case("topk", topk_s, topk_f, topk_b, {"first": "missing|k"})


def normalize_f(x, axis=-1, eps=1e-6):
    n = np.sqrt((x * x).sum(axis, keepdims=True) + eps)
    return x / n, (x, n, axis)


def normalize_b(g, s, bug=""):
    x, n, axis = s
    if bug == "constant":
        return (g / n,)
    return (g / n - x * (g * x).sum(axis, keepdims=True) / n**3,)


case("normalize", along(), normalize_f, normalize_b, {"constant": "elementwise|norm/statistic|proportional"})


def cosine_f(a, b, eps=1e-8):
    na, nb = np.sqrt((a * a).sum(-1)), np.sqrt((b * b).sum(-1))
    d = np.maximum(na * nb, eps)
    return (a * b).sum(-1) / d, (a, b, na, nb, d, eps)


def cosine_b(g, s, bug=""):
    a, b, na, nb, d, eps = s
    c = (a * b).sum(-1)
    live = na * nb > eps
    na2, nb2 = np.where(live, na * na, 1), np.where(live, nb * nb, 1)

    def part(u, v, n2):
        second = np.where(live, c / (d * n2), 0)
        return g[..., None] * (v / d[..., None] - (0 if bug == "norm" else second[..., None] * u))

    return part(a, b, na2).astype(a.dtype), part(b, a, nb2).astype(b.dtype)


def cosine_s(src):
    shape = (src.size(3), src.size(4))
    return (src.floats(shape), src.floats(shape)), {}


case("cosine_similarity", cosine_s, cosine_f, cosine_b, {"norm": "norm/statistic|proportional"})


def minmax_f(x):
    return (x.min(-1), x.max(-1)), x


def minmax_b(g, x, bug=""):
    gl, gh = g
    lo, hi = x == x.min(-1, keepdims=True), x == x.max(-1, keepdims=True)
    if bug == "swapped":
        lo, hi = hi, lo
    return (
        (gl[..., None] * lo / lo.sum(-1, keepdims=True) + gh[..., None] * hi / hi.sum(-1, keepdims=True)).astype(
            x.dtype
        ),
    )


case(
    "min_and_max",
    lambda src: ((src.floats((src.size(3), src.size(4))),), {}),
    minmax_f,
    minmax_b,
    {"swapped": "output|places|term|wrong only|swap"},
)


def meanvar_f(x):
    m = x.mean(-1)
    return (m, ((x - m[..., None]) ** 2).mean(-1)), x


def meanvar_b(g, x, bug=""):
    gm, gv = (t[..., None] for t in g)
    n = x.shape[-1]
    d = 2 * (x - x.mean(-1, keepdims=True)) / n
    return (gv * d if bug == "dropped" else gm / n + gv * d,)


case(
    "mean_and_var",
    lambda src: ((src.floats((src.size(3), src.size(4, 2))),), {}),
    meanvar_f,
    meanvar_b,
    {"dropped": "output 0|mean|term"},
)
