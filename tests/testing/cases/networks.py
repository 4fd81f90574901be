"""Parts of networks and graphs: messages, segments, gates, experts, dynamic programs."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case


def message_f(h, w, src, dst):
    y = np.zeros_like(h)
    np.add.at(y, dst, h[src] * w[:, None])
    return y, (h, w, src, dst)


def message_b(g, s, bug=""):
    h, w, src, dst = s
    gh = np.zeros_like(h)
    if bug == "ends":
        np.add.at(gh, dst, g[src] * w[:, None])
    elif bug == "repeat":
        gh[src] += g[dst] * w[:, None]
    else:
        np.add.at(gh, src, g[dst] * w[:, None])
    return gh, (g[dst] * h[src]).sum(1), None, None


def message_s(src):
    n, e = src.size(4), src.size(5, 0)
    return (
        src.floats((n, src.size(2)), -3.0, 3.0),
        src.floats((e,), -2.0, 2.0),
        src.indices((e,), n),
        src.indices((e,), n),
    ), {}


case(
    "message_passing",
    message_s,
    message_f,
    message_b,
    {
        # The edges are followed in the forward direction again; gather g at dst and scatter to src.
        "ends": "swap|transpos|adjoint|places|term|exchang|src|dst",
        # gh[src] += keeps only one of several edges which leave the same node; use np.add.at.
        "repeat": "distinct|repeat|added|accumul|np.add.at|missing|wrong only|term|index occurs more than once",
    },
)


def segmean_f(x, ids, num=3):
    y = np.zeros((num, x.shape[1]), x.dtype)
    np.add.at(y, ids, x)
    count = np.maximum(np.bincount(ids, minlength=num), 1).astype(x.dtype)
    return y / count[:, None], (ids, count)


def segmean_b(g, s, bug=""):
    ids, count = s
    if bug == "mean":
        return g[ids] / max(len(ids) / len(g), 1), None
    if bug == "sum":
        return g[ids] * 1, None
    return (g / count[:, None])[ids], None


def segmean_s(src):
    num = src.size(3)
    n = src.size(5, 0)
    return (src.floats((n, src.size(2)), -3.0, 3.0), src.indices((n,), num)), {"num": num}


case(
    "segment_mean",
    segmean_s,
    segmean_f,
    segmean_b,
    {
        # Every row is divided by the average segment size and not by the size of its own segment; divide by
        # count[ids].
        "mean": "factor|count|mean|axis 0|term|divid",
        # The division by the segment's size is forgotten; divide by count.
        "sum": "factor|count|mean|divid|axis 0|sum",
    },
)


def softknn_f(x, y, v, tau=1.0):
    d = x[:, None] - y
    logits = -(d * d).sum(2) / tau
    e = np.exp(logits - logits.max(1, keepdims=True))
    w = e / e.sum(1, keepdims=True)
    return w @ v, (d, w, v, tau)


def softknn_b(g, s, bug=""):
    d, w, v, tau = s
    gw = g @ v.T
    gl = w * (gw - (gw * w).sum(1, keepdims=True))
    if bug == "axis":
        gl = w * (gw - (gw * w).sum(0, keepdims=True))
    gd = (-2 / (1 if bug == "tau" else tau) * gl)[:, :, None] * d
    return gd.sum(1), gd.sum(0) if bug == "sign" else -gd.sum(0), w.T @ g


def softknn_s(src):
    n, m, d = src.size(3), src.size(4), src.size(2)
    return (src.floats((n, d), -1.5, 1.5), src.floats((m, d), -1.5, 1.5), src.floats((m, src.size(2)), -3.0, 3.0)), {
        "tau": src.choice([1.0, 3.0])
    }


case(
    "soft_nearest_neighbours",
    softknn_s,
    softknn_f,
    softknn_b,
    {
        # The softmax runs along axis 1, but its backward sums along axis 0; sum along axis 1.
        "axis": "axis|norm/statistic|term|sum",
        # The temperature's factor 1/tau is missing in the backward; divide by tau.
        "tau": "tau|factor|option",
        # d = x - y, so the gradient of y is negative; put the minus sign in.
        "sign": "sign|-1|input 1",
    },
)


def rms_f(x, w, eps=1e-5):
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    return x * r * (1 + w), (x, r, w, eps)


def rms_b(g, s, bug=""):
    x, r, w, eps = s
    gn = g * (w if bug == "plus" else 1 + w)
    n = x * r
    k = (gn * n).mean(-1, keepdims=True)
    if bug == "eps":
        n = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
    if bug == "count":
        k = (gn * n).sum(-1, keepdims=True) / x.shape[0]
    return r * (gn - n * k), (g * x * r).sum(tuple(range(x.ndim - 1)))


def rms_s(src):
    d = src.size(4)
    return (src.floats((src.size(3), d), -3.0, 3.0), src.floats((d,), -2.0, 2.0)), {"eps": src.choice([1e-5, 0.5])}


case(
    "rms_norm_one_plus_weight",
    rms_s,
    rms_f,
    rms_b,
    {
        # The scale is 1 + w, but the backward multiplies by w alone; use 1 + w.
        "plus": "term|factor|weight",
        # The cross term renormalises x without the option eps; use the saved r for both.
        "eps": "eps|factor|norm/statistic",
        # The mean over the features is divided by the number of rows; divide by the number of features (mean(-1)).
        "count": "mean|count|factor|norm/statistic|axis|size|shape",
    },
)


def sig(x):
    return 1 / (1 + np.exp(-x))


def swiglu_f(x, interleaved=False):
    d = x.shape[1] // 2
    a, b = (x[:, ::2], x[:, 1::2]) if interleaved else (x[:, :d], x[:, d:])
    s = sig(a)
    return a * s * b, (a.copy(), b.copy(), s, interleaved)


def swiglu_b(g, saved, bug=""):
    a, b, s, interleaved = saved
    if bug == "overwrites":
        s *= 1 - s
        ga = g * b * (sig(a) + a * s)
        gb = g * a * sig(a)
    else:
        ga, gb = g * b * (s + a * s * (1 - s)), g * a * s
    if bug == "product":
        ga = g * b * s
    if interleaved and bug != "layout":
        return (np.stack([ga, gb], 2).reshape(g.shape[0], 2 * g.shape[1]),)
    return (np.concatenate([ga, gb], 1),)


case(
    "swiglu",
    lambda src: ((src.floats((src.size(3, 0), 2 * src.size(2)), -6.0, 6.0),), {"interleaved": src.chance()}),
    swiglu_f,
    swiglu_b,
    {
        # The saved sigmoid is overwritten, so a second backward pass is wrong; make a new array instead of s *= ...
        "overwrites": "in-place|in place|modif|changed|saved|second call|twice|read-only",
        # silu(a) = a*sigmoid(a): the derivative of the sigmoid factor is left out; add a*s*(1-s).
        "product": "term|first half",
        # With interleaved=True the two halves must be interleaved in the gradient too; the concatenated layout is
        # always returned.
        "layout": "interleaved|places|permut|axis 1|option",
    },
)


def gru_f(z, x):
    a = sig(z)
    h = np.zeros((len(x) + 1, *x.shape[1:]), x.dtype)
    for t in range(len(x)):
        h[t + 1] = a[t] * h[t] + (1 - a[t]) * x[t]
    return h[1:].copy(), (z, a, x, h)


def gru_b(g, s, bug=""):
    z, a, x, h = s
    ga, gx = np.zeros_like(x), np.zeros_like(x)
    carry = np.zeros_like(x[0])
    for t in reversed(range(len(x))):
        carry = g[t] + carry
        ga[t] = carry * (-x[t] if bug == "state" else h[t] - x[t])
        gx[t] = carry * (1 - a[t])
        carry = carry * (1 if bug == "decay" else a[t])
    d = z * (1 - z) if bug == "preactivation" else a * (1 - a)
    return ga * d, gx


def gru_s(src):
    shape = (src.size(4), src.size(2))
    return (src.floats(shape, -4.0, 4.0), src.floats(shape, -3.0, 3.0)), {}


case(
    "gated_linear_recurrence",
    gru_s,
    gru_f,
    gru_b,
    {
        # The gate also multiplies the previous state, which its gradient leaves out; use h[t] - x[t].
        "state": "term|input 0|later",
        # Going one step back in time the gradient must be multiplied by the gate a[t], which was left out.
        "decay": "term|factor|later|axis 0|recur",
        # sigmoid' is a*(1-a) in terms of the output a, but the pre-activation z was used; use a.
        "preactivation": "term|factor|sigmoid|activation|input 0",
    },
)


def smoothed_f(x, t, smoothing=0.1):
    s = x - x.max(1, keepdims=True)
    lp = s - np.log(np.exp(s).sum(1, keepdims=True))
    live = t >= 0
    q = np.full(x.shape, smoothing / x.shape[1], x.dtype)
    q[np.arange(len(t)), t] += 1 - smoothing
    q = q * live[:, None]
    n = max(int(live.sum()), 1)
    return np.asarray(-(q * lp).sum() / n, x.dtype), (lp, q, live, n)


def smoothed_b(g, s, bug=""):
    lp, q, live, n = s
    if bug == "count":
        n = len(live)
    p = np.exp(lp) if bug == "ignored" else np.exp(lp) * live[:, None]
    return g * (p - q) / n, None


def smoothed_s(src):
    n, c = src.size(4), src.size(3)
    return (src.floats((n, c), -4.0, 4.0), src.indices((n,), c + 1) - 1), {"smoothing": src.choice([0.1, 0.0])}


case(
    "masked_label_smoothing",
    smoothed_s,
    smoothed_f,
    smoothed_b,
    {
        # The mean runs over the valid rows only, but the backward divides by all the rows; divide by n.
        "count": "factor|count|mean|mask|ignored|valid|divid|index is negative",
        # Rows whose target is -1 are ignored by the loss but still receive softmax gradient; multiply by live.
        "ignored": "mask|flat|does not depend|zero|ignor|-1|missing|axis 0|index is negative",
    },
)


def lse(x, axis):
    m = x.max(axis, keepdims=True)
    return (m + np.log(np.exp(x - m).sum(axis, keepdims=True))).squeeze(axis)


def crf_f(em, tr):
    a = np.empty_like(em)
    a[0] = em[0]
    for t in range(1, len(em)):
        a[t] = em[t] + lse(a[t - 1][:, None] + tr, 0)
    return np.asarray(lse(a[-1], 0)), (em, tr, a)


def crf_b(g, s, bug=""):
    em, tr, a = s
    ge, gt = np.zeros_like(em), np.zeros_like(tr)
    h = g * np.exp(a[-1] - lse(a[-1], 0))
    for t in reversed(range(1, len(em))):
        ge[t] = h
        w = np.exp(a[t - 1][:, None] + tr - (a[t] - em[t]))
        if bug == "softmax":
            m = a[t - 1][:, None] + tr
            w = np.exp(m - lse(m, 1)[:, None])
        part = w * h
        gt = part if bug == "overwritten" else gt + part
        h = part.sum(1)
    ge[0] = h
    return ge, gt


case(
    "crf_log_partition",
    lambda src: ((src.floats((src.size(4), (k := src.size(3))), -3.0, 3.0), src.floats((k, k), -2.0, 2.0)), {}),
    crf_f,
    crf_b,
    {
        # The transition weights are normalised over the next state (axis 1) instead of the previous one (axis 0); use
        # axis 0.
        "softmax": "axis|term|norm|sum",
        # The transitions are used at every step but only the last contribution is kept; accumulate gt += part.
        "overwritten": "added|accumul|term|overw|sum|missing",
    },
)


def moe_f(logits, y, mask):
    open_ = np.where(mask, logits, -1e9).astype(logits.dtype)
    e = np.exp(open_ - open_.max(1, keepdims=True)) * mask
    p = e / np.maximum(e.sum(1, keepdims=True), 1e-30)
    return np.einsum("ne,ned->nd", p, y), (p, y, mask)


MOE_SEEN: list = []


def moe_b(g, s, bug=""):
    p, y, mask = s
    gp = np.einsum("nd,ned->ne", g, y)
    gl = p * (gp - (gp * p).sum(1, keepdims=True))
    if bug == "mask":
        gl = p * (gp - (gp * mask).sum(1, keepdims=True) / np.maximum(mask.sum(1, keepdims=True), 1).astype(g.dtype))
    if bug == "state":
        MOE_SEEN.append(1)
        gl = gl * (0.5 if len(MOE_SEEN) % 2 == 0 else 1)
    return gl, p[:, :, None] * g[:, None], None


def moe_s(src):
    n, e = src.size(3), src.size(3)
    mask = src.floats((n, e), -1.0, 1.0) > -0.4
    mask[:, 0] = True
    return (src.floats((n, e), -3.0, 3.0), src.floats((n, e, src.size(2)), -3.0, 3.0), mask), {}


case(
    "mixture_of_experts",
    moe_s,
    moe_f,
    moe_b,
    {
        # The softmax backward subtracts the plain mean of gp over the open experts instead of the p-weighted one; use
        # (gp*p).sum(1).
        "mask": "norm/statistic|term|mean|weight|factor|sum",
        # The rule counts its calls in a global list and halves every second gradient; keep no state between calls.
        "state": "state|call|differ|repeat|determin|again|same",
    },
)


def softdtw_f(d, gamma=1.0):
    n, m = d.shape
    r = np.full((n + 1, m + 1), np.inf)
    r[0, 0] = 0
    for i in range(n):
        for j in range(m):
            c = np.asarray([r[i, j + 1], r[i + 1, j], r[i, j]])
            low = c.min()
            r[i + 1, j + 1] = d[i, j] + low - gamma * np.log(np.exp(-(c - low) / gamma).sum())
    return np.asarray(r[n, m], d.dtype), (d, r, gamma)


def softdtw_b(g, s, bug=""):
    d, r, gamma = s
    n, m = d.shape
    e = np.zeros((n + 1, m + 1))
    e[n, m] = g
    for i in reversed(range(n)):
        for j in reversed(range(m)):
            c = np.asarray([r[i, j + 1], r[i + 1, j], r[i, j]])
            w = np.exp(-(c - (r[i + 1, j + 1] - d[i, j])) / gamma)
            h = e[i + 1, j + 1]
            e[i, j + 1] += h * w[0]
            e[i + 1, j] += h * w[1]
            if bug != "diagonal":
                e[i, j] += h * w[2]
    return (
        (e[1:, 1:] if bug != "dtype" else e[1:, 1:].astype(np.float16)).astype(
            d.dtype if bug != "dtype" else np.float16
        ),
    )


case(
    "soft_dtw",
    lambda src: ((src.floats((src.size(3), src.size(3)), 0.0, 3.0),), {"gamma": src.choice([1.0, 0.5, 2.0])}),
    softdtw_f,
    softdtw_b,
    {
        # The predecessor on the diagonal gets no gradient; add h*w[2] to e[i, j].
        "diagonal": "term|missing|diagonal|all positions but the last",
        # The gradient is returned in float16; return it in the input's dtype.
        "dtype": "dtype|float16|float",
    },
)


def soft_rank_f(x, tau=1.0):
    s = 0.5 * (1 + np.tanh((x[:, None] - x) / (2 * tau)))
    return 0.5 + s.sum(1), (s, tau)


def soft_rank_b(g, saved, bug=""):
    s, tau = saved
    d = s * (1 - s) / tau
    gx = g * d.sum(1)
    return (gx if bug == "others" else gx - d @ g,)


case(  # the ranks add up to a constant: of a constant g only rounding is left
    "soft_rank",
    lambda src: ((src.floats((src.size(5, 0),), -3.0, 3.0),), {"tau": src.choice([1.0, 0.5, 2.0])}),
    soft_rank_f,
    soft_rank_b,
    {
        # Each value also enters the ranks of all the others; subtract d @ g.
        "others": "term|sum|elementwise|norm/statistic|missing|other",
    },
)
