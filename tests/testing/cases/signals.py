"""Filters, windows, correlation, decimation."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case


def iir_f(x, a, b):
    y = np.zeros(len(x) + 1, x.dtype)
    for t in range(len(x)):
        y[t + 1] = b * x[t] + a * y[t]
    return y[1:].copy(), (x, y, a, b)


def iir_b(g, s, bug=""):
    x, y, a, b = s
    h = np.zeros_like(x)
    carry = x.dtype.type(0)
    for t in range(len(x)) if bug == "causal" else reversed(range(len(x))):
        carry = g[t] + a * carry
        h[t] = carry
    past = y[1:] if bug == "delay" else y[:-1]
    return b * h, np.asarray((h * past).sum()), np.asarray((h * x).sum())


case(
    "one_pole_filter",
    lambda src: ((src.floats((src.size(5, 0),), -3.0, 3.0), src.floats((), -0.9, 0.9), src.floats((), -2.0, 2.0)), {}),
    iir_f,
    iir_b,
    {
        # The adjoint of a causal recursion runs backward in time; iterate t in reverse.
        "causal": "flip|revers|order|adjoint|term",
        # The feedback coefficient's gradient multiplies the current output and not the delayed one y[t-1]; use
        # y[:-1].
        "delay": "term|input 1|shift|delay",
    },
)


def fir_f(x, h):
    p = len(h) // 2
    xp = np.pad(x, p)
    return np.stack([xp[k : k + len(x)] for k in range(len(h))]).T @ h, (x, h)


def fir_b(g, s, bug=""):
    x, h = s
    p = len(h) // 2
    gp, xp = np.pad(g, p, mode="edge" if bug == "border" and len(g) else "constant"), np.pad(x, p)
    w = h if bug == "flip" else h[::-1]
    gx = np.stack([gp[k : k + len(x)] for k in range(len(h))]).T @ w
    return gx, np.stack([xp[k : k + len(x)] @ g for k in range(len(h))])


case(
    "fir_same",
    lambda src: ((src.floats((src.size(6, 1, 7),), -3.0, 3.0), src.floats((src.choice([3, 5, 1]),), -2.0, 2.0)), {}),
    fir_f,
    fir_b,
    {
        # The gradient of a correlation is a correlation with the reversed taps; use h[::-1].
        "flip": "flip|revers|adjoint|term|transpos",
        # The incoming gradient is padded with its edge values although the forward pads with zeros; pad g with zeros.
        "border": "border|edge|axis 0|wrong only|places|pad|first|last|term",
    },
)


def acf_f(x, lags=3, demean=False):
    d = x - x.mean() if demean else x
    n = len(x)
    return np.stack([(d[k:] * d[: n - k]).sum() for k in range(min(lags, n))]) / n, (d, min(lags, n), demean)


def acf_b(g, s, bug=""):
    d, lags, demean = s
    n = len(d)
    gd = np.zeros_like(d)
    for k in range(lags):
        h = g[k] / (n - k if bug == "count" else n)
        gd[k:] += h * d[: n - k]
        if bug != "one":
            gd[: n - k] += h * d[k:]
    if demean and bug != "mean":
        gd = gd - gd.mean()
    return (gd,)


case(
    "autocorrelation",
    lambda src: ((src.floats((src.size(5),), -3.0, 3.0),), {"lags": src.choice([3, 1]), "demean": src.chance()}),
    acf_f,
    acf_b,
    {
        # x[t] appears in two factors of the product, but only one is differentiated; add h*d[k:] as well.
        "one": "term|1/2|factor",
        # The sum is divided by n in the forward but by n - k (unbiased) in the backward; divide by n.
        "count": "factor|output|lag|axis|term",
        # With demean=True the mean depends on x but is treated as constant; subtract gd.mean().
        "mean": "demean|mean|norm/statistic|constant|term",
    },
)


def window_f(x, w, hop=2):
    n = (len(x) - len(w)) // hop + 1
    f = np.stack([x[i * hop : i * hop + len(w)] for i in range(n)])
    return (f * w).sum(1) ** 2, (x, f, w, hop)


def window_b(g, s, bug=""):
    x, f, w, hop = s
    h = 2 * g * (f * w).sum(1)
    if bug == "energy":
        h = g * 2
    gx = np.zeros_like(x)
    for i in range(len(f)):
        if bug == "overlap":
            gx[i * hop : i * hop + len(w)] = h[i] * w
        else:
            gx[i * hop : i * hop + len(w)] += h[i] * w
    return gx, h @ f


def window_s(src):
    k = src.size(3, 1, 4)
    return (src.floats((src.size(6, k, 8),), -3.0, 3.0), src.floats((k,), -2.0, 2.0)), {"hop": src.choice([2, 1, 3])}


case(
    "windowed_power",
    window_s,
    window_f,
    window_b,
    {
        # Overlapping frames overwrite each other's gradient; accumulate with +=.
        "overlap": "overlap|added|accumul|hop|term|missing|overw",
        # The derivative of a square is 2*s, but the frame's own sum s is left out; multiply by it.
        "energy": "factor|chain|term|proportional|power",
    },
)


def downsample_f(x, factor=2):
    n = len(x) // factor
    return x[: n * factor].reshape(n, factor).mean(1), (x.shape, factor)


def downsample_b(g, s, bug=""):
    shape, factor = s
    out = np.zeros(shape, g.dtype)
    h = np.repeat(g / (2 if bug == "fixed" else factor), factor)
    if bug == "tail" and len(h):
        out[-len(h) :] = h
    else:
        out[: len(h)] = h
    return (out,)


case(
    "decimate_by_mean",
    lambda src: ((src.floats((src.size(6, 0, 8),), -3.0, 3.0),), {"factor": src.choice([2, 3, 1])}),
    downsample_f,
    downsample_b,
    {
        # The mean is divided by a hard-coded 2 and not by the option factor; divide by factor.
        "fixed": "factor|option",
        # The incomplete block is at the end of x, but the gradient is aligned with the end; fill from the start.
        "tail": "shift|places|axis 0|wrong only|flat|missing|roll",
    },
)
