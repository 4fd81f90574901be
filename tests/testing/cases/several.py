"""Functions of several outputs, and integers among the outputs or the inputs."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case, matrix, one


def rows(src, **kw):
    return (src.floats((src.size(4), src.size(3)), **kw),), {}


def two(src):
    shape = (src.size(3), src.size(4))
    return (src.floats(shape, -4.0, 4.0), src.floats(shape, -4.0, 4.0)), {}


def sincos_f(x):
    return (np.sin(x), np.cos(x)), x


def sincos_b(g, x, bug=""):
    return (g[0] * np.cos(x) + (g[1] if bug == "sign" else -g[1]) * np.sin(x),)


case("sin_and_cos", one(lo=-20.0, hi=20.0), sincos_f, sincos_b, {"sign": "output 1|-1|term"})


def polar_f(x, y):
    return (np.hypot(x, y), np.arctan2(y, x)), (x, y)


def polar_b(g, s, bug=""):
    x, y = s
    r = np.hypot(x, y)
    gr, gt = g
    r2 = r if bug == "radius" else r * r
    return gr * x / r - gt * y / r2, gr * y / r + gt * x / r2


def positive_two(src):
    shape = (src.size(3), src.size(4))
    return (src.floats(shape, 0.2, 4.0), src.floats(shape, 0.2, 4.0)), {}


case("polar", positive_two, polar_f, polar_b, {"radius": "output 1|factor|term"})


def max_index_f(x):
    i = x.argmax(-1)
    return (np.take_along_axis(x, i[:, None], 1)[:, 0], i), (x.shape, i)


def max_index_b(g, s, bug=""):
    shape, i = s
    out = np.zeros(shape)
    if bug == "column":
        out[:, 0] = g[0]
    else:
        np.put_along_axis(out, i[:, None], g[0][:, None], 1)
    return (out,)


case("max_with_index", rows, max_index_f, max_index_b, {"column": "places|posit|first|swap|transpos|flip"})


def split_f(x):
    h = x.shape[-1] // 2
    return (x[..., :h], x[..., h:]), h


def split_b(g, h, bug=""):
    return (np.concatenate(g if bug != "order" else g[::-1], -1),)


case("halves", rows, split_f, split_b, {"order": "flip|order|swap|permut|roll|places"})


def moments_f(x):
    m = x.mean(0)
    c = x - m
    return (m, (c**2).mean(0), (c**3).mean(0)), c


def moments_b(g, c, bug=""):
    n = max(len(c), 1)
    g0, g1, g2 = g
    third = 3 * c**2 - (0 if bug == "centre" else 3 * (c**2).mean(0))
    return ((g0 + 2 * c * g1 * (n if bug == "mean" else 1) + third * g2) / n,)


case(
    "three_moments",
    lambda src: rows(src, lo=-3.0, hi=3.0),
    moments_f,
    moments_b,
    {"centre": "output 2|mean|constant|sum|residual|term", "mean": "output 1|length|term|factor|n"},
)


def gates_f(x, h):
    z = 1 / (1 + np.exp(-(x + h)))
    return (z * h, (1 - z) * x, z), (x, h, z)


def gates_b(g, s, bug=""):
    x, h, z = s
    gz = g[0] * h - g[1] * x + (0 if bug == "third" else g[2])
    d = gz * z * (1 - z)
    return d + g[1] * (1 - z), d + g[0] * z


case("gates", two, gates_f, gates_b, {"third": "output 2|term|missing"})


def norm_unit_f(x):
    n = np.sqrt((x * x).sum(-1, keepdims=True) + 1e-3)
    return (x / n, n), (x, n)


def norm_unit_b(g, s, bug=""):
    x, n = s
    gu, gn = g
    inner = (gu * x).sum(-1, keepdims=True)
    return (gu / n - (0 if bug == "projection" else x * inner / n**3) + gn * x / (n if bug != "power" else n**2),)


case(
    "direction_and_length",
    lambda src: rows(src, lo=-3.0, hi=3.0),
    norm_unit_f,
    norm_unit_b,
    {"projection": "output 0|term|x|along|proportional", "power": "output 1|factor|term"},
)


def divmod_f(x, d):
    return (np.floor(x / d), x - np.floor(x / d) * d), (x, d)


def divmod_b(g, s, bug=""):
    x, d = s
    return g[1] * 1, (-g[1] * np.floor(x / d) if bug != "ratio" else -g[1] * x / d)


case("quotient_and_rest", positive_two, divmod_f, divmod_b, {"ratio": "term|factor|floor|input 0|ratio"})


def topk_f(x, k=2):
    k = min(k, x.shape[-1])
    i = np.argsort(-x, -1, kind="stable")[..., :k]
    return (np.take_along_axis(x, i, -1), i), (x.shape, i)


def topk_b(g, s, bug=""):
    shape, i = s
    out = np.zeros(shape)
    np.put_along_axis(out, i, g[0] if bug != "reversed" else g[0][..., ::-1], -1)
    return (out,)


case(
    "top_k",
    lambda src: (rows(src)[0], {"k": src.choice([2, 1, 3])}),
    topk_f,
    topk_b,
    {"reversed": "flip|revers|permut|order|swap|option"},
)


def cumulative_pair_f(x):
    return (np.cumsum(x, -1), x.sum(-1)), x.shape


def cumulative_pair_b(g, shape, bug=""):
    first = g[0][..., ::-1].cumsum(-1)[..., ::-1] if bug != "ahead" else g[0].cumsum(-1)
    return (first + g[1][..., None],)


case(
    "cumsum_and_sum",
    rows,
    cumulative_pair_f,
    cumulative_pair_b,
    {"ahead": "output 0|flip|revers|transpos|cumul|swap"},
)


def bilinear_f(x, w, y):
    return np.einsum("ni,ij,nj->n", x, w, y), (x, w, y)


def bilinear_b(g, s, bug=""):
    x, w, y = s
    gx = np.einsum("n,ij,nj->ni", g, w, y)
    gw = np.einsum("n,ni,nj->ij", g, x, y)
    gy = np.einsum("n,ni,ij->nj", g, x, w)
    if bug == "batch":
        gw = gw / max(len(g), 1)
    return (gx, gw, gy) if bug != "order" else (gx, gy, gw)


def bilinear_s(src):
    n, i, j = src.size(4), src.size(3), src.size(2)
    return (src.floats((n, i), -3.0, 3.0), src.floats((i, j), -3.0, 3.0), src.floats((n, j), -3.0, 3.0)), {}


case(
    "bilinear_form",
    bilinear_s,
    bilinear_f,
    bilinear_b,
    {"batch": "1/|length|size", "order": "shape|order|swap|exchang"},
)


def batchnorm_f(x, gamma, beta):
    m, v = x.mean(0), x.var(0)
    h = (x - m) / np.sqrt(v + 1e-2)
    return (gamma * h + beta, m, v), (x - m, h, gamma, v)


def batchnorm_b(g, s, bug=""):
    c, h, gamma, v = s
    n = max(len(c), 1)
    go, gm, gv = g
    d = go * gamma
    gx = (d - d.mean(0) - (0 if bug == "variance" else h * (d * h).mean(0))) / np.sqrt(v + 1e-2)
    gx = gx + gm / n + 2 * c * gv / n
    return gx, (go * h).sum(0), (go.sum(0) if bug != "mean" else go.mean(0))


def batchnorm_s(src):
    n, k = src.size(4, 2), src.size(3)
    return (src.floats((n, k), -3.0, 3.0), src.floats((k,), -2.0, 2.0), src.floats((k,), -2.0, 2.0)), {}


case(
    "batch_norm_with_statistics",
    batchnorm_s,
    batchnorm_f,
    batchnorm_b,
    {"variance": "term|proportional|residual|sum|output", "mean": "1/|length|mean"},
)


def eig2_f(a, b, c):
    mid, r = (a + c) / 2, np.sqrt(((a - c) / 2) ** 2 + b * b + 1e-6)
    return (mid + r, mid - r), (a, b, c, r)


def eig2_b(g, s, bug=""):
    a, b, c, r = s
    plus, minus = g[0] + g[1], g[0] - g[1]
    d = minus * (a - c) / (4 * r)
    return plus / 2 + d, minus * b / r, plus / 2 - (d if bug != "sign" else -d)


def three(src):
    n = (src.size(4),)
    return (src.floats(n, -3.0, 3.0), src.floats(n, -3.0, 3.0), src.floats(n, -3.0, 3.0)), {}


case("two_eigenvalues", three, eig2_f, eig2_b, {"sign": "term|equals|input 0|sign|other"})


def take_axis_f(x, axis=-1):
    return (np.flip(x, axis), x.sum(axis)), (x.ndim, axis)


def take_axis_b(g, s, bug=""):
    _, axis = s
    return (np.flip(g[0], axis if bug != "last" else -1) + np.expand_dims(g[1], axis),)


case(
    "flip_and_sum",
    lambda src: (lambda m: ((m[0],), {"axis": m[1]}))(matrix(src)),
    take_axis_f,
    take_axis_b,
    {"last": "axis|flip"},
)
