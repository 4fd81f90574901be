"""Attention, recurrent cells, scans (held out while tuning): masks, several outputs, cumulative products."""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.testing.cases.record import case as _case

case = partial(_case, held_out=True)


def sig(x):
    return 1 / (1 + np.exp(-x))


def attention_f(q, k, v, causal=False):
    s = q @ k.T / q.shape[1] ** 0.5
    if causal:
        s = np.where(np.tril(np.ones(s.shape, bool)), s, -1e30).astype(s.dtype)
    e = np.exp(s - s.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return p @ v, (q, k, v, p)


def attention_b(g, s, bug=""):
    q, k, v, p = s
    gp = g @ v.T
    gs = p * (gp - (gp * p).sum(1, keepdims=True))
    if bug == "softmax":
        gs = p * gp
    gs = gs / (1 if bug == "scale" else q.shape[1] ** 0.5)
    gk = gs.T @ q if bug != "transposed" or gs.shape[0] != gs.shape[1] else gs @ q
    return gs @ k, gk, p.T @ g


def attention_s(src):
    n, m, d, e = src.size(3), src.size(4), src.size(2), src.size(3)
    return (src.floats((n, d)), src.floats((m, d)), src.floats((m, e))), {"causal": src.chance()}


case(
    "attention",
    attention_s,
    attention_f,
    attention_b,
    {"softmax": "term|must sum to 0", "scale": "sqrt", "transposed": "term"},
)


def lstm_f(z, c):
    n = c.shape[1]
    i, f, o, u = sig(z[:, :n]), sig(z[:, n : 2 * n]), sig(z[:, 2 * n : 3 * n]), np.tanh(z[:, 3 * n :])
    c2 = f * c + i * u
    t = np.tanh(c2)
    return (o * t, c2), (i, f, o, u, c, t)


def lstm_b(g, s, bug=""):
    gh, gc = g
    i, f, o, u, c, t = s
    gc = gh * o * (1 - t * t) + (0 if bug == "cell" else gc)
    parts = [gc * u * i * (1 - i), gc * c * f * (1 - f), gh * t * o * (1 - o), gc * i * (1 - u * u)]
    if bug == "gates":
        parts[0], parts[1] = parts[1], parts[0]
    if bug == "tanh":
        parts[3] = gc * i * u * (1 - u)
    return np.concatenate(parts, 1), gc * f


def lstm_s(src):
    b, n = src.size(2), src.size(3)
    return (src.floats((b, 4 * n)), src.floats((b, n))), {}


case(
    "lstm_cell",
    lstm_s,
    lstm_f,
    lstm_b,
    {"cell": "term|output|incoming", "gates": "axis 1|wrong only|order", "tanh": "axis 1|wrong only"},
)


def rope_f(x, base=100.0):
    n, d = x.shape
    a = np.outer(np.arange(n), base ** (-np.arange(d // 2) / max(d // 2, 1)))
    c, s = np.cos(a).astype(x.dtype), np.sin(a).astype(x.dtype)
    u, w = x[:, ::2], x[:, 1::2]
    return np.stack([u * c - w * s, u * s + w * c], -1).reshape(x.shape), (c, s)


def rope_b(g, saved, bug=""):
    c, s = saved
    if bug == "direction":
        s = -s
    u, w = g[:, ::2], g[:, 1::2]
    return (np.stack([u * c + w * s, w * c - u * s], -1).reshape(g.shape),)


case(
    "rotary",
    lambda src: ((src.floats((src.size(3), 2 * src.size(2, 1, 3))),), {"base": src.choice([100.0, 10.0])}),
    rope_f,
    rope_b,
    {"direction": "adjoint|term|wrong only|axis 0"},
)


def cumsum_f(x, axis=-1):
    return np.cumsum(x, axis), axis


def cumsum_b(g, axis, bug=""):
    if bug == "unflipped":
        return (np.cumsum(g, axis),)
    if bug == "exclusive":
        return (np.flip(np.cumsum(np.flip(g, axis), axis), axis) - g,)
    return (np.flip(np.cumsum(np.flip(g, axis), axis), axis),)


def along(src):
    return (src.floats((src.size(3), src.size(4))),), {"axis": src.choice([-1, 0])}


case("cumsum", along, cumsum_f, cumsum_b, {"unflipped": "term|adjoint", "exclusive": "incoming gradient|missing"})


def cumprod_f(x):
    return np.cumprod(x), x


def cumprod_b(g, x, bug=""):
    if bug == "divide":
        return (np.cumsum((g * np.cumprod(x))[::-1])[::-1] / x,)
    out = np.zeros_like(x)
    for i in range(len(x)):
        run = np.prod(x[:i])
        for j in range(i, len(x)):
            if j > i:
                run = run * x[j]
            out[i] += g[j] * run
    return (out,)


case(
    "cumprod", lambda src: ((src.floats((src.size(4, 0),)),), {}), cumprod_f, cumprod_b, {"divide": "x = 0|not finite"}
)


def cummax_f(x):
    y = np.maximum.accumulate(x)
    i = np.maximum.accumulate(np.where(x == y, np.arange(len(x)), 0)) if len(x) else np.zeros(0, int)
    return (y, i), (i, len(x))


def cummax_b(g, s, bug=""):
    i, n = s
    out = np.zeros(n, g[0].dtype)
    if bug == "assign":
        out[i] = g[0]
    else:
        np.add.at(out, i, g[0])
    return (out,)


case(
    "cummax",
    lambda src: ((src.floats((src.size(5, 0),)),), {}),
    cummax_f,
    cummax_b,
    {"assign": "added|term|missing|wrong only|places"},
)


def ema_f(x, decay=0.9):
    y = np.empty_like(x)
    run = np.zeros(x.shape[1:], x.dtype)
    for t in range(len(x)):
        run = decay * run + (1 - decay) * x[t]
        y[t] = run
    return y, (decay,)


def ema_b(g, s, bug=""):
    (decay,) = s
    out = np.empty_like(g)
    run = np.zeros(g.shape[1:], g.dtype)
    for t in range(len(g))[::-1]:
        run = (1.0 if bug == "nodecay" else decay) * run + g[t]
        out[t] = run if bug == "scale" else (1 - decay) * run
    return (out,)


case(
    "ema",
    lambda src: ((src.floats((src.size(4, 0), src.size(2))),), {"decay": src.choice([0.9, 0.5])}),
    ema_f,
    ema_b,
    {"nodecay": "term|decay|all positions but the last", "scale": "1/(1 - decay)|factor 2|factor"},
)


def lcse_f(x):
    y = np.logaddexp.accumulate(x)
    return y, (x, y)


def lcse_b(g, s, bug=""):
    x, y = s
    d = np.exp(np.minimum(x[:, None] - y[None], 0))
    keep = np.triu(np.ones(d.shape, bool))
    return ((d * (np.tril(np.ones(d.shape, bool)) if bug == "lower" else keep) * g).sum(1).astype(x.dtype),)


case("logcumsumexp", lambda src: ((src.floats((src.size(4),)),), {}), lcse_f, lcse_b, {"lower": "term|wrong way"})


def interp_f(x, fp):
    grid = np.linspace(-2, 2, len(fp))
    i = np.clip(np.searchsorted(grid, x, side="right") - 1, 0, len(fp) - 2)
    h = grid[1] - grid[0]
    t = ((np.clip(x, -2, 2) - grid[i]) / h).astype(x.dtype)
    return fp[i] * (1 - t) + fp[i + 1] * t, (x, fp, i, t, float(h))


def interp_b(g, s, bug=""):
    x, fp, i, t, h = s
    gx = g * (fp[i + 1] - fp[i]) / (1.0 if bug == "step" else h) * (np.abs(x) <= 2)
    gf = np.zeros_like(fp)
    np.add.at(gf, i, g * (1 - t))
    np.add.at(gf, i + 1, g * t)
    return gx, gf


case(
    "interp",
    lambda src: ((src.floats((src.size(4),)), src.floats((src.size(3, 2),))), {}),
    interp_f,
    interp_b,
    {"step": "factor"},
)


def horner_f(x, c):
    y = np.zeros_like(x)
    for k in c:
        y = y * x + k
    return y, (x, c)


def horner_b(g, s, bug=""):
    x, c = s
    n = len(c)
    d = np.zeros_like(x)
    for j, k in enumerate(c[:-1]):
        d = d * x + (n - 1 - j) * k
    gc = np.array([(g * x ** (n - 1 - j)).sum() for j in range(n)], c.dtype)
    return g * d, gc[::-1] * 1 if bug == "reversed" else gc


case(
    "polynomial",
    lambda src: ((src.floats((src.size(3),), -3.0, 3.0), src.floats((src.size(4),))), {}),
    horner_f,
    horner_b,
    {"reversed": "flip"},
)


def power_spectrum_f(x):
    z = np.fft.rfft(x)
    return (np.abs(z) ** 2).astype(x.dtype), (z, len(x), x.dtype)


def power_spectrum_b(g, s, bug=""):
    z, n, dtype = s
    full = np.zeros(n, complex)
    full[: len(z)] = 2 * g * z
    out = np.fft.ifft(full).real * n
    if bug == "norm":
        out = out / n
    return (out.astype(dtype),)


case(
    "power_spectrum",
    lambda src: ((src.floats((src.size(6),)),), {}),
    power_spectrum_f,
    power_spectrum_b,
    {"norm": "1/"},
)


def gru_f(z, r, h):
    u, w = sig(z), np.tanh(r)
    return u * h + (1 - u) * w, (u, w, h)


def gru_b(g, s, bug=""):
    u, w, h = s
    gz = g * ((h + w) if bug == "sign" else (h - w)) * u * (1 - u)
    return gz, g * (1 - u) * (1 - w * w), g * (1 - u if bug == "gate" else u)


def gru_s(src):
    shape = (src.size(2), src.size(3))
    return (src.floats(shape), src.floats(shape), src.floats(shape)), {}


case("gru_update", gru_s, gru_f, gru_b, {"sign": "term", "gate": "term|incoming|factor"})


def ctc_like_f(x):
    """Log of the sum over monotone paths: a small dynamic programme."""
    n, m = x.shape
    a = np.full((n + 1, m + 1), -np.inf, x.dtype)
    a[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            a[i, j] = x[i - 1, j - 1] + np.logaddexp(a[i - 1, j - 1], np.logaddexp(a[i - 1, j], a[i, j - 1]))
    return np.asarray(a[n, m], x.dtype), (x, a)


def ctc_like_b(g, s, bug=""):
    x, a = s
    n, m = x.shape
    b = np.zeros_like(a)
    b[n, m] = 1
    for i in range(n, 0, -1):
        for j in range(m, 0, -1):
            before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
            total = a[i, j] - x[i - 1, j - 1]
            for p in before[: 2 if bug == "path" else 3]:
                if np.isfinite(a[p]) and np.isfinite(total):
                    b[p] += b[i, j] * np.exp(a[p] - total)
    return ((g * b[1:, 1:]).astype(x.dtype),)


case(
    "path_sum",
    lambda src: ((src.floats((src.size(3), src.size(3))),), {}),
    ctc_like_f,
    ctc_like_b,
    {"path": "term|missing|wrong only"},
)


def stft_like_f(x, w, hop=2):
    n = (len(x) - len(w)) // hop + 1
    return np.stack([x[i * hop : i * hop + len(w)] * w for i in range(n)]), (x, w, hop)


def stft_like_b(g, s, bug=""):
    x, w, hop = s
    gx, gw = np.zeros_like(x), np.zeros_like(w)
    for i in range(len(g)):
        gx[i * hop : i * hop + len(w)] += g[i] * w
        gw += g[i] * x[i * hop : i * hop + len(w)]
    if bug == "tail":
        gx[len(x) - (len(x) - len(w)) % hop - 1 :] = 0
    return gx, gw


case(
    "frames",
    lambda src: ((src.floats((src.size(6, 3, 8),)), src.floats((src.size(3, 1, 3),))), {"hop": src.choice([2, 1, 3])}),
    stft_like_f,
    stft_like_b,
    {"tail": "last|missing"},
)
