"""Convolution, pooling, padding and resizing: strides, borders, overlaps, ties."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case


def conv1d_f(x, w, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding)))
    n = (xp.shape[-1] - w.shape[-1]) // stride + 1
    win = np.stack([xp[..., i * stride : i * stride + w.shape[-1]] for i in range(n)], 2)  # b c n k
    return np.einsum("bcnk,ock->bon", win, w), (xp, w, win, stride, padding)


def conv1d_b(g, s, bug=""):
    xp, w, win, stride, padding = s
    gw = np.einsum("bon,bcnk->ock", g, win)
    gx = np.zeros_like(xp)
    ww = w[..., ::-1] if bug == "flip" else w
    step = 1 if bug == "stride" else stride
    for i in range(g.shape[-1]):
        part = np.einsum("bo,ock->bck", g[..., i], ww)
        if bug == "overwrite":
            gx[..., i * step : i * step + w.shape[-1]] = part
        else:
            gx[..., i * step : i * step + w.shape[-1]] += part
    if bug == "flipw":
        gw = gw[..., ::-1] * 1
    return gx[..., padding : gx.shape[-1] - padding], gw


def conv1d_s(src):
    k = src.size(3, 1, 3)
    length = src.size(6, 3, 7)
    b, c, o = src.size(2, 1, 3), src.size(2, 1, 3), src.size(3, 1, 3)
    return (src.floats((b, c, length)), src.floats((o, c, k))), {
        "stride": src.choice([1, 2, 3]),
        "padding": src.choice([0, 1, 2]),
    }


case(
    "conv1d",
    conv1d_s,
    conv1d_f,
    conv1d_b,
    {
        "flip": "term|flip|order",
        "stride": "stride|axis 2|missing|term|order",
        "overwrite": "added|axis 2|missing|wrong only|term",
        "flipw": "flip",
    },
)


def pool_f(x, k=2, stride=2):
    n, m = (x.shape[-2] - k) // stride + 1, (x.shape[-1] - k) // stride + 1
    win = np.stack(
        [x[..., i * stride : i * stride + k, j * stride : j * stride + k] for i in range(n) for j in range(m)], 1
    )
    flat = win.reshape(*win.shape[:2], -1)
    arg = flat.argmax(-1)
    return flat.max(-1).reshape(x.shape[0], n, m), (x.shape, arg, k, stride, n, m)


def pool_b(g, s, bug=""):
    shape, arg, k, stride, n, m = s
    out = np.zeros(shape, g.dtype)
    for b in range(shape[0]):
        for q in range(n * m):
            i, j = divmod(q, m)
            di, dj = divmod(int(arg[b, q]), k)
            if bug == "transposed":
                di, dj = dj, di
            r, c = i * stride + di, j * stride + dj
            if bug == "overlap":
                out[b, r, c] = g[b, i, j]
            else:
                out[b, r, c] += g[b, i, j]
    return (out,)


def pool_s(src):
    k = src.size(2, 1, 3)
    return (src.floats((src.size(2, 1, 3), src.size(4, k, 5), src.size(5, k, 5))),), {
        "k": k,
        "stride": src.choice([2, 1]),
    }


case(
    "max_pool",
    pool_s,
    pool_f,
    pool_b,
    {"transposed": "places|transpos|flat|missing", "overlap": "added|term|wrong only|missing|places"},
)


def avg_f(x, k=2, padding=0, count_pad=True):
    xp = np.pad(x, ((0, 0), (padding, padding)))
    ones = np.pad(np.ones_like(x), ((0, 0), (padding, padding)))
    n = xp.shape[1] - k + 1
    count = np.stack([np.full(x.shape[0], k) if count_pad else ones[:, i : i + k].sum(1) for i in range(n)], 1)
    total = np.stack([xp[:, i : i + k].sum(1) for i in range(n)], 1)
    return total / np.maximum(count, 1).astype(x.dtype), (xp.shape, count, k, padding)


def avg_b(g, s, bug=""):
    shape, count, k, padding = s
    out = np.zeros(shape, g.dtype)
    d = g / (k if bug == "count" else np.maximum(count, 1).astype(g.dtype))
    for i in range(g.shape[1]):
        out[:, i : i + k] += d[:, i : i + 1]
    return ((out[:, padding:] if bug == "nocrop" else out[:, padding : shape[1] - padding]),)


def avg_s(src):
    k = src.size(2, 1, 3)
    return (src.floats((src.size(3), src.size(5, 3, 6))),), {
        "k": k,
        "padding": src.integer(0, 0, k - 1),
        "count_pad": src.choice([True, False]),
    }


case("avg_pool", avg_s, avg_f, avg_b, {"count": "count_pad|border|first|last", "nocrop": "shape"})


def pad_f(x, left=1, right=2, mode="constant"):
    return np.pad(x, ((0, 0), (left, right)), mode=mode), (x.shape[1], left, mode)


def pad_b(g, s, bug=""):
    n, left, mode = s
    out = g[:, left : left + n].copy()
    if mode == "reflect" and bug != "reflect":
        for j in range(g.shape[1]):
            t = j - left
            src_j = -t if t < 0 else 2 * (n - 1) - t if t >= n else None
            if src_j is not None:
                out[:, src_j] += g[:, j]
    if bug == "shifted":
        out = np.roll(out, 1, 1)
    return (out,)


def pad_s(src):
    n = src.size(4, 3, 6)
    return (src.floats((src.size(3), n)),), {
        "left": src.integer(1, 0, 2),
        "right": src.integer(2, 0, 2),
        "mode": src.choice(["constant", "reflect"]),
    }


case("pad", pad_s, pad_f, pad_b, {"reflect": "mode|axis 1|first|last|wrong only", "shifted": "shift|places"})


def up_f(x, scale=2):
    return x.repeat(scale, -1).repeat(scale, -2), (x.shape, scale)


def up_b(g, s, bug=""):
    shape, scale = s
    t = g.reshape(shape[0], shape[1], scale, shape[2], scale)
    return (t.mean((2, 4)) if bug == "mean" else t[:, :, 0, :, 0] * scale**2 if bug == "corner" else t.sum((2, 4)),)


case(
    "upsample_nearest",
    lambda src: ((src.floats((src.size(2), src.size(3), src.size(4))),), {"scale": src.choice([2, 3, 1])}),
    up_f,
    up_b,
    {"mean": "1/|scale", "corner": "term"},
)


def lerp_f(x, n=5):
    t = np.linspace(0, x.shape[-1] - 1, n)
    i = np.minimum(t.astype(int), max(x.shape[-1] - 2, 0))
    w = (t - i).astype(x.dtype)
    j = np.minimum(i + 1, x.shape[-1] - 1)
    return x[..., i] * (1 - w) + x[..., j] * w, (x.shape, i, j, w)


def lerp_b(g, s, bug=""):
    shape, i, j, w = s
    out = np.zeros(shape, g.dtype)
    if bug == "assign":
        out[..., i] += g * (1 - w)
        out[..., j] += g * w
        return (out,)
    if bug == "weights":
        w = 1 - w
    np.add.at(out, (..., i), g * (1 - w))
    np.add.at(out, (..., j), g * w)
    return (out,)


case(
    "resize_linear",
    lambda src: ((src.floats((src.size(2), src.size(4))),), {"n": src.integer(5, 1, 8)}),
    lerp_f,
    lerp_b,
    {"assign": "added|term|wrong only|missing", "weights": "branches are swapped|term|flip|places|shift"},
)


def patches_f(x, k=2):
    win = np.lib.stride_tricks.sliding_window_view(x, (k, k))
    return win.reshape(*win.shape[:2], k * k) * 1, (x.shape, k)


def patches_b(g, s, bug=""):
    shape, k = s
    out = np.zeros(shape, g.dtype)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            out[i : i + k, j : j + k] += g[i, j].reshape(k, k, order="F" if bug == "order" else "C")
    return (out,)


case(
    "im2col",
    lambda src: ((src.floats((src.size(4, 2, 5), src.size(5, 2, 5))),), {"k": src.choice([2, 1])}),
    patches_f,
    patches_b,
    {"order": "term|transpos|order"},
)
