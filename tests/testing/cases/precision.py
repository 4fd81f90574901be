"""Rules whose dtype differs from the input's (a habit, not a mistake), and values that rounding destroys."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case, one


def table(src, **kw):
    return (src.floats((src.size(4), src.size(3)), **{"lo": -4.0, "hi": 4.0, **kw}),), {}


def labelled(src):
    n, k = src.size(4), src.size(3)
    return (src.floats((n, k), -4.0, 4.0), src.indices((n,), k)), {}


def relu_zeros_b(g, x, bug=""):
    out = np.zeros(x.shape)  # float64 whatever x is
    out[x > 0] = (g if bug != "value" else x)[x > 0]
    return (out,)


case("relu_into_float64", table, lambda x: (np.maximum(x, 0), x), relu_zeros_b, {"value": "incoming|g|linear"})


def onehot_f(z, t):
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return -np.log(p[np.arange(len(t)), t]).mean() if len(t) else z.sum() * 0, (p, t)


def onehot_b(g, s, bug=""):
    p, t = s
    d = p - np.eye(p.shape[1])[t]
    return g * (d / max(len(t), 1) if bug != "batch" else d), None


case("cross_entropy_with_eye", labelled, onehot_f, onehot_b, {"batch": "length|batch|size|factor|number"})


def centred_f(x):
    c = x - x.mean(1, keepdims=True)
    return c, x.shape


def centred_b(g, shape, bug=""):
    n = shape[1]
    j = np.eye(n) - (np.ones((n, n)) / n if bug != "plain" else 0)
    return (g @ j,)


case("centring_by_a_matrix", table, centred_f, centred_b, {"plain": "mean|constant|residual|sum|missing|along"})


def int_weights_f(x, k):
    return x * k, k


def int_weights_b(g, k, bug=""):
    return g * (k if bug != "plus" else k + 1), None


case(
    "integer_weights",
    lambda src: (lambda s: ((src.floats(s), src.indices(s, 4)), {}))((src.size(3), src.size(2))),
    int_weights_f,
    int_weights_b,
    {"plus": "term|g"},
)


def count_scale_f(x):
    n = np.int64(max(x.size, 1))
    return np.asarray((x**2).sum() / n), (x, n)


def count_scale_b(g, s, bug=""):
    x, n = s
    return (np.float64(2) * x * g / (n if bug != "forgotten" else 1),)


case(
    "mean_of_squares",
    one(lo=-10.0, hi=10.0),
    count_scale_f,
    count_scale_b,
    {"forgotten": "size|length|number|factor|n"},
)


def far_f(x):
    return (x + 1e8) - 1e8, x


case("lost_in_rounding", one(lo=-5.0, hi=5.0), far_f, lambda g, x, bug="": (g * 1,))
case(
    "lost_in_rounding_squared",
    one(lo=0.5, hi=2.0),
    lambda x: (((x + 1e6) ** 2 - 1e12) / 2e6, x),
    lambda g, x, bug="": (g * (x + 1e6) / 1e6 if bug != "sign" else -g * (x + 1e6) / 1e6,),
    {"sign": "-1"},
)
case(
    "single_precision_inside",
    one(lo=-3.0, hi=3.0),
    lambda x: (np.tanh(x), np.tanh(x)),
    lambda g, y, bug="": (g * (1 - y * y) if bug != "double" else 2 * g * (1 - y * y),),
    {"double": "2"},
)


def clip_log_f(p, t):
    q = np.clip(p, 1e-7, 1 - 1e-7)
    return np.asarray(-(t * np.log(q) + (1 - t) * np.log(1 - q)).sum()), (p, t)


def clip_log_b(g, s, bug=""):
    p, t = s
    inside = (p > 1e-7) & (p < 1 - 1e-7)
    q = np.clip(p, 1e-7, 1 - 1e-7)
    return g * inside * ((q - t) / (q * (1 - q)) if bug != "logits" else q - t), None


case(
    "binary_cross_entropy_clipped",
    lambda src: (lambda s: ((src.floats(s, 0.0, 1.0), src.indices(s, 2)), {}))((src.size(3), src.size(2))),
    clip_log_f,
    clip_log_b,
    {"logits": "logit|factor|term"},
)


def sqrt_eps_f(x):
    return np.sqrt((x * x).sum(-1) + 1e-12), x


def sqrt_eps_b(g, x, bug=""):
    n = np.sqrt((x * x).sum(-1, keepdims=True) + 1e-12)
    return (g[..., None] * x / (n if bug != "squared" else n * n),)


case("norm_with_eps", table, sqrt_eps_f, sqrt_eps_b, {"squared": "factor|y|norm"})


def temperature_f(x, t):
    z = x / t
    e = np.exp(z - z.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p, (x, t, p)


def temperature_b(g, s, bug=""):
    x, t, p = s
    d = p * (g - (g * p).sum(-1, keepdims=True))
    return (d / t if bug != "t" else d), np.asarray(-(d * x).sum() / (t * t))


case(
    "softmax_with_temperature",
    lambda src: ((*table(src)[0], src.floats((), 0.3, 3.0)), {}),
    temperature_f,
    temperature_b,
    {"t": "input 1|factor"},
)


def quantise_f(x, step=0.25):
    return np.round(x / step) * step, x.shape


case(
    "rounding_to_steps",
    lambda src: (table(src)[0], {"step": src.choice([0.25, 0.1])}),
    quantise_f,
    lambda g, shape, bug="": (np.zeros(shape) if bug != "through" else g * 1,),
    {"through": "flat|constant|zero|term"},
)


def scatter_f(x, idx):
    y = np.zeros((4, x.shape[1]), x.dtype)
    np.add.at(y, idx, x)
    return y, (idx, x.shape)


def scatter_b(g, s, bug=""):
    idx, shape = s
    out = np.zeros(shape)
    out += g[idx] if bug != "shifted" else g[(idx + 1) % 4]
    return out, None


case(
    "scatter_add_rows",
    lambda src: (lambda n: ((src.floats((n, src.size(2))), src.indices((n,), 4)), {}))(src.size(5, 0)),
    scatter_f,
    scatter_b,
    {"shifted": "places|index|permut|exchang|input 1|term"},
)


def embed_norm_f(w, idx):
    rows = w[idx]
    return (rows * rows).sum(-1), (w, idx)


def embed_norm_b(g, s, bug=""):
    w, idx = s
    out = np.zeros(w.shape)
    if bug == "last":
        out[idx] = 2 * w[idx] * g[:, None]
    else:
        np.add.at(out, idx, 2 * w[idx] * g[:, None])
    return out, None


case(
    "embedding_norms",
    lambda src: ((src.floats((src.size(4), src.size(3)), -3.0, 3.0), src.indices((src.size(5),), 1)), {}),
    embed_norm_f,
    embed_norm_b,
    {"last": "more than once|np.add.at|repeat|accumul"},
)
