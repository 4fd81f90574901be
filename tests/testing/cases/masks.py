"""Functions with masks, -inf scores and values that overflow: only finite outputs can be compared."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case, one, pair, unbroadcast


def square_scores(src):
    n = src.size(4)
    return (src.floats((n, n), -4.0, 4.0),), {}


def log_f(x):
    return np.log(x), x


def log_b(g, x, bug=""):
    return (g / (x * x if bug == "square" else x),)


case("log_from_zero", one(lo=0.0, hi=10.0), log_f, log_b, {"square": "factor|input 0|x"})


def exp_f(x):
    y = np.exp(x)
    return y, y


def exp_b(g, y, bug=""):
    return (g * (y + 1 if bug == "plus" else y),)


case("exp_overflow", one(lo=-1000.0, hi=1000.0), exp_f, exp_b, {"plus": "term|g"})


def causal_f(s):
    mask = np.triu(np.ones(s.shape, bool), 1)
    return np.where(mask, -np.inf, s), mask


def causal_b(g, mask, bug=""):
    if bug == "upper":
        mask = mask.T
    return (np.where(mask, 0, g),) if bug != "scaled" else (np.where(mask, 0, g / np.sqrt(len(g))),)


case("causal_scores", square_scores, causal_f, causal_b, {"upper": "transpos|missing|places", "scaled": "1/|sqrt"})


def masked_softmax_f(s):
    mask = np.triu(np.ones(s.shape, bool), 1)
    z = np.where(mask, -np.inf, s)
    e = np.exp(z - z.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p, p


def masked_softmax_b(g, p, bug=""):
    inner = (g * p).sum(0 if bug == "axis" else -1, keepdims=True)
    return (p * (g - (0 if bug == "diagonal" else inner)),)


case(
    "masked_softmax",
    square_scores,
    masked_softmax_f,
    masked_softmax_b,
    {"axis": "axis|sum|transpos", "diagonal": "sum|missing|residual|along|term"},
)


def padded_mean_f(x, lengths):
    keep = np.arange(x.shape[1])[None] < lengths[:, None]
    count = np.maximum(lengths, 1)[:, None]
    return np.where(keep, x, 0).sum(1) / count[:, 0], (keep, count)


def padded_mean_b(g, s, bug=""):
    keep, count = s
    if bug == "padding":
        return g[:, None] / count * np.ones_like(keep), None
    if bug == "width":
        count = max(keep.shape[1], 1)
    return np.where(keep, g[:, None] / count, 0), None


def padded_s(src):
    n, t = src.size(3), src.size(4)
    return (src.floats((n, t), -5.0, 5.0), src.indices((n,), t + 1)), {}


case(
    "padded_mean",
    padded_s,
    padded_mean_f,
    padded_mean_b,
    {"padding": "missing|mask|zero|places|wrong only|gradient", "width": "factor|length|input 1|axis"},
)


def masked_max_f(x, keep):
    z = np.where(keep, x, -np.inf)
    y = z.max(-1)
    return y, (z, y)


def masked_max_b(g, s, bug=""):
    z, y = s
    hit = (z == y[..., None]) & np.isfinite(z)
    share = np.maximum(hit.sum(-1, keepdims=True), 1)
    if bug == "each":
        share = 1
    if bug == "first":  # the mask is forgotten: position 0 gets everything
        hit = np.arange(z.shape[-1]) == 0
        share = 1
    return hit * g[..., None] / share, None


def masked_max_s(src):
    n, k = src.size(3), src.size(4)
    return (src.floats((n, k), -4.0, 4.0), src.indices((n, k), 3) > 0), {}


case(
    "masked_max", masked_max_s, masked_max_f, masked_max_b, {"each": "tie|full g|equal", "first": "places|first|posit"}
)


def logsumexp_masked_f(x, keep):
    z = np.where(keep, x, -np.inf)
    m = z.max(-1, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    y = np.log(np.exp(z - m).sum(-1)) + m[..., 0]
    return y, (z, y)


def logsumexp_masked_b(g, s, bug=""):
    z, y = s
    w = np.exp(z - np.where(np.isfinite(y), y, 0)[..., None])
    return (g[..., None] * (w if bug != "plain" else np.exp(z)), None)


case(
    "logsumexp_with_mask",
    masked_max_s,
    logsumexp_masked_f,
    logsumexp_masked_b,
    {"plain": "factor|exp|ratio|sum|normal|term"},
)


def inverse_f(x):
    return 1 / x, x


def inverse_b(g, x, bug=""):
    return (-g / (x * x) if bug != "sign" else g / (x * x),)


case("reciprocal_through_zero", one(lo=-3.0, hi=3.0), inverse_f, inverse_b, {"sign": "-1"})


def beside_f(a, b):
    return (np.log(a), a * b), (a, b)


def beside_b(g, s, bug=""):
    a, b = s
    g0, g1 = g
    first = np.divide(g0, a, out=np.zeros_like(g0), where=a > 0)
    return unbroadcast(first + g1 * b, a.shape), unbroadcast(g1 * (a if bug != "other" else b), b.shape)


def same_pair(src):
    shape = (src.size(3), src.size(2))
    return (src.floats(shape, 0.0, 5.0), src.floats(shape, -3.0, 3.0)), {}


case("log_beside_product", same_pair, beside_f, beside_b, {"other": "other|input 0|swap|ratio|equals"})


def tan_f(x):
    return np.tan(x), x


def tan_b(g, x, bug=""):
    y = np.tan(x)
    return (g * (1 + y * y if bug != "minus" else 1 - y * y),)


case("tan_near_poles", one(lo=-6.0, hi=6.0), tan_f, tan_b, {"minus": "factor|term|y"})


def atanh_f(x):
    return np.arctanh(x), x


def atanh_b(g, x, bug=""):
    return (g / ((1 - x * x) if bug != "root" else np.sqrt(1 - x * x)),)


case("arctanh_to_the_ends", one(lo=-1.0, hi=1.0), atanh_f, atanh_b, {"root": "factor|sqrt|x"})


def xlogy_f(x, y):
    safe = np.where(y > 0, y, 1)
    return np.where(x == 0, 0.0, x * np.where(y > 0, np.log(safe), -np.inf)), (x, y)


def xlogy_b(g, s, bug=""):
    x, y = s
    with np.errstate(all="ignore"):
        gx = np.where(g == 0, 0.0, g * np.log(y))
        gy = np.where(x == 0, 0.0, np.where(g == 0, 0.0, g * x / y))
    if bug == "x":
        gx = gx + g
    return gx, gy


def xlogy_s(src):
    shape = (src.size(3), src.size(2))
    return (src.floats(shape, 0.1, 5.0), src.floats(shape, 0.0, 5.0)), {}


case("xlogy", xlogy_s, xlogy_f, xlogy_b, {"x": "term|g"})


def nan_fill_f(x):
    return np.nan_to_num(np.where(x > 2, np.nan, x) ** 2, nan=0.0), x


def nan_fill_b(g, x, bug=""):
    return (np.where(x > (2 if bug != "later" else 3), 0, 2 * x * g),)


case("nan_replaced", one(lo=-5.0, hi=5.0), nan_fill_f, nan_fill_b, {"later": "for|between|x|places|missing"})


def window_scores_f(x, width=1):
    n = len(x)
    far = np.abs(np.arange(n)[:, None] - np.arange(n)) > width
    return np.where(far, -np.inf, np.outer(x, x)), (x, far)


def window_scores_b(g, s, bug=""):
    x, far = s
    g = np.where(far, 0, g)
    return (g @ x + (g.T @ x if bug != "half" else 0),)


case(
    "window_scores",
    lambda src: ((src.floats((src.size(4),), -3.0, 3.0),), {"width": src.choice([1, 0, 2])}),
    window_scores_f,
    window_scores_b,
    {"half": "term|missing|transpos|symmetric|factor|1/2"},
)


def dropout_mask_f(x, keep, p=0.5):
    return np.where(keep, x / (1 - p), 0), (keep, p)


def dropout_mask_b(g, s, bug=""):
    keep, p = s
    return (g * keep / ((1 - p) if bug != "unscaled" else 1), None)


case(
    "dropout_with_given_mask",
    lambda src: (masked_max_s(src)[0], {"p": src.choice([0.5, 0.1, 0.0])}),
    dropout_mask_f,
    dropout_mask_b,
    {"unscaled": "p|1/"},
)


def poisson_f(rate, k):
    return rate - k * np.log(rate), (rate, k)


def poisson_b(g, s, bug=""):
    rate, k = s
    ratio = np.where(g == 0, 0.0, np.divide(k, rate, out=np.zeros_like(rate), where=rate > 0))
    return g * (1 - ratio if bug != "sign" else 1 + ratio), None


case(
    "poisson_loss_from_zero",
    lambda src: (lambda shape: ((src.floats(shape, 0.0, 9.0), src.indices(shape, 5) + 1), {}))(
        (src.size(3), src.size(2))
    ),
    poisson_f,
    poisson_b,
    {"sign": "term|sign|input 1|factor"},
)

case(
    "hypot",
    pair((-5.0, 5.0)),
    lambda a, b: (np.hypot(a, b), (a, b)),
    lambda g, s, bug="": (
        lambda y: (
            unbroadcast(g * s[0] / y, s[0].shape),
            unbroadcast(g * (s[1] if bug != "same" else s[0]) / y, s[1].shape),
        )
    )(np.where(np.hypot(*s) == 0, 1, np.hypot(*s))),
    {"same": "other|equals|input 0|swap|factor"},
)
