"""Geometry, images and colour: projections, distances, sampling, clamping."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case, unbroadcast


def area_f(a, b, c):
    u, v = b - a, c - a
    w = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return 0.5 * np.abs(w), (u, v, np.sign(w))


def area_b(g, s, bug=""):
    u, v, w = s
    h = (0.5 * g * (1 if bug == "orientation" else w))[:, None]
    gu = h * np.stack([v[:, 1], -v[:, 0]], 1)
    gv = h * np.stack([-u[:, 1], u[:, 0]], 1)
    if bug == "third":
        return -gu, gu, gv
    return -gu - gv, gu, gv


def area_s(src):
    n = (src.size(3, 0), 2)
    return tuple(src.floats(n, -5.0, 5.0) for _ in range(3)), {}


case(
    "triangle_area",
    area_s,
    area_f,
    area_b,
    {
        # The derivative of the absolute value (the sign of the cross product) is left out, wrong for clockwise
        # triangles; multiply by sign(w).
        "orientation": "sign|-1|abs|negative|wrong only",
        # The first vertex enters both edge vectors, but only one of them is differentiated; return -gu - gv.
        "third": "term|input 0|missing",
    },
)


def segment_f(p, a, b):
    e = b - a
    t = np.clip((p - a) @ e / (e @ e), 0, 1)
    d = p - a - t[:, None] * e
    return (d * d).sum(1), (p, a, e, d, t)


def segment_b(g, s, bug=""):
    p, a, e, d, t = s
    if bug == "clamp":
        t = (p - a) @ e / (e @ e)
    h = 2 * g[:, None] * d
    ga, gb = -((1 - t)[:, None] * h).sum(0), -(t[:, None] * h).sum(0)
    if bug == "half":
        return h / 2, ga, gb
    return h, ga, gb


def segment_s(src):
    d = src.size(2, 1, 3)
    return (src.floats((src.size(4, 0), d), -3.0, 6.0), src.floats((d,), -2.0, 1.0), src.floats((d,), 2.0, 4.0)), {}


case(
    "squared_distance_to_segment",
    segment_s,
    segment_f,
    segment_b,
    {
        # The unclamped parameter t is used for the end points' gradients; clip t to [0, 1] as in the forward.
        "clamp": "clip|clamp|term|wrong only|limit",
        # The derivative of the square lacks its factor 2 for the point p; return 2*g*d.
        "half": "1/2|factor",
    },
)


def project_f(x, f, c):
    n = x[:, :2] / x[:, 2:]
    return n * f + c, (n, f, x)


def project_b(g, s, bug=""):
    n, f, x = s
    gn = g * (f[::-1] if bug == "axes" else f)
    z = x[:, 2:]
    gz = -(gn * n).sum(1, keepdims=True) / (1 if bug == "depth" else z)
    return np.concatenate([gn / z, gz], 1), (g * n).sum(0), g.sum(0)


def project_s(src):
    n = src.size(3, 0)
    xy, z = src.floats((n, 2), -3.0, 3.0), src.floats((n, 1), 0.5, 5.0)
    return (np.concatenate([xy, z], 1), src.floats((2,), 0.5, 3.0), src.floats((2,), -2.0, 2.0)), {}


case(
    "pinhole_projection",
    project_s,
    project_f,
    project_b,
    {
        # The focal lengths of x and y are exchanged in the points' gradient; do not reverse f.
        "axes": "swap|axis 1|places|flip|exchang|mixed up",
        # The derivative of x/z with respect to z is -x/z**2; one division by z is missing.
        "depth": "axis 1|factor|term|column|wrong only|power|proportional",
    },
)


def gammacurve_f(x, p=0.5, x0=0.1):
    safe = np.where(x > x0, x, 1)
    return np.where(x > x0, safe**p, x0**p + p * x0 ** (p - 1) * (x - x0)).astype(x.dtype), (x, p, x0)


def gammacurve_b(g, s, bug=""):
    x, p, x0 = s
    at = 2 * x0 if bug == "branch" else x0
    safe = np.where(x > at, x, 1)
    slope = 0.0 if bug == "tail" else p * x0 ** (p - 1)
    return ((g * np.where(x > at, p * safe ** (p - 1), slope)).astype(x.dtype),)


case(
    "gamma_curve",
    lambda src: (
        (src.floats((src.size(3, 0), src.size(4, 0)), -1.0, 3.0),),
        {"p": src.choice([0.5, 1 / 2.2]), "x0": src.choice([0.1, 0.5])},
    ),
    gammacurve_f,
    gammacurve_b,
    {
        # The branch point in the backward is 2*x0 where the forward uses x0; compare with x0.
        "branch": "x0|branch|between",
        # Below x0 the curve is a straight line, but a zero gradient is returned there; return its slope p*x0**(p-1).
        "tail": "flat|missing|no gradient|zero|x0|branch",
    },
)


def bilinear_f(img, at):
    h, w = img.shape
    lim = np.asarray([h - 1, w - 1])
    c = np.clip(at, 0, lim.astype(at.dtype))
    lo = np.minimum(np.floor(c).astype(int), np.maximum(lim - 1, 0))
    hi = np.minimum(lo + 1, lim)
    f = c - lo.astype(at.dtype)
    (i, j), (i2, j2), (u, v) = lo.T, hi.T, f.T
    y = (1 - u) * (1 - v) * img[i, j] + (1 - u) * v * img[i, j2] + u * (1 - v) * img[i2, j] + u * v * img[i2, j2]
    return y, (img, at, lo, hi, f, (at > 0) & (at < lim))


def bilinear_b(g, s, bug=""):
    img, at, lo, hi, f, inside = s
    (i, j), (i2, j2), (u, v) = lo.T, hi.T, f.T
    gi = np.zeros_like(img)
    if bug == "swap":
        u, v = v, u
    for a, b, w in ((i, j, (1 - u) * (1 - v)), (i, j2, (1 - u) * v), (i2, j, u * (1 - v)), (i2, j2, u * v)):
        if bug == "last":
            gi[a, b] += g * w
        else:
            np.add.at(gi, (a, b), g * w)
    gu = g * ((1 - v) * (img[i2, j] - img[i, j]) + v * (img[i2, j2] - img[i, j2]))
    gv = g * ((1 - u) * (img[i, j2] - img[i, j]) + u * (img[i2, j2] - img[i2, j]))
    gat = np.stack([gu, gv], 1)
    return gi, gat if bug == "outside" else gat * inside


def bilinear_s(src):
    h, w = src.size(3), src.size(4)
    return (src.floats((h, w), -3.0, 3.0), src.floats((src.size(5, 0), 2), -1.0, 5.0)), {}


case(
    "bilinear_sampling",
    bilinear_s,
    bilinear_f,
    bilinear_b,
    {
        # img[i, j] += ... keeps only one of several samples that read the same pixel; use np.add.at.
        "last": "repeat|added|accumul|np.add.at|missing|wrong only|term",
        # Coordinates outside the image are clamped, so their gradient is 0, but it is not; multiply by the inside
        # mask.
        "outside": "clip|flat|outside|does not depend|zero|border",
        # The row and column fractions are exchanged in the weights; use u for rows, v for columns.
        "swap": "swap|transpos|term|places|axis",
    },
)


def over_f(fg, alpha, bg):
    return fg * alpha + bg * (1 - alpha), (fg, alpha, bg)


def over_b(g, s, bug=""):
    fg, alpha, bg = s
    if bug == "incoming":
        g *= 1 - alpha
        gb = unbroadcast(g, bg.shape)
        return gb, (g * (fg - bg)).sum(1, keepdims=True), gb
    gb = g * (alpha if bug == "weight" else 1 - alpha)
    ga = g * (fg if bug == "both" else fg - bg)
    return g * alpha, ga.sum(1, keepdims=True), unbroadcast(gb, bg.shape)


def over_s(src):
    n = src.size(4, 0)
    return (
        src.floats((n, 3), 0.0, 1.0),
        src.floats((n, 1), 0.0, 1.0),
        src.floats((3,) if src.chance() else (n, 3), 0.0, 1.0),
    ), {}


case(
    "alpha_over",
    over_s,
    over_f,
    over_b,
    {
        # The rule multiplies the incoming gradient in place; write g = g * (1 - alpha) (a new array) instead of g *=.
        "incoming": "in-place|in place|modif|changed|read-only|writ",
        # The background's weight is 1 - alpha, but alpha was used; multiply by 1 - alpha.
        "weight": "term|factor|1 -|bg|input 2|swap",
        # alpha also weighs the background (1 - alpha), whose part -bg is missing in alpha's gradient; use fg - bg.
        "both": "term|alpha|input 1|bg",
    },
)


def chebyshev_f(x):
    return np.abs(x).max(1), x


def chebyshev_b(g, x, bug=""):
    m = np.abs(x)
    hit = (m == m.max(1, keepdims=True)).astype(x.dtype)
    if bug != "ties":
        hit = hit / hit.sum(1, keepdims=True)
    return (g[:, None] * hit * (1 if bug == "abs" else np.sign(x)),)


case(
    "chebyshev_norm",
    lambda src: ((src.floats((src.size(3), src.size(3)), -3.0, 3.0),), {}),
    chebyshev_f,
    chebyshev_b,
    {
        # Where several coordinates share the maximum each receives the full gradient; divide it among them (or pick
        # one).
        "ties": "tie|equal|twice|count",
        # The derivative of the absolute value, sign(x), is missing; multiply by it.
        "abs": "sign|-1|abs|negative",
    },
)


def capsule_f(p, radius, half=1.0):
    y = p[:, 1] - np.clip(p[:, 1], -half, half)
    n = np.sqrt(p[:, 0] ** 2 + y * y)
    return n - radius, (p, y, n, half)


def capsule_b(g, s, bug=""):
    p, y, n, half = s
    d = np.where(n > 0, n, 1)
    gy = np.where(n > 0, g * y / d, 0).astype(p.dtype)
    gp = np.stack([g * p[:, 0] / d, gy], 1)
    if bug == "axis":
        gp[:, 1] = g * p[:, 1] / d
    if bug == "radius":
        return gp, np.asarray(-g[:1].sum())
    return gp, np.asarray(-g.sum())


case(
    "capsule_sdf",
    lambda src: (
        (src.floats((src.size(4, 0), 2), -4.0, 4.0), src.floats((), 0.2, 1.0)),
        {"half": src.choice([1.0, 2.0])},
    ),
    capsule_f,
    capsule_b,
    {
        # The y part uses p's own coordinate and not the clamped remainder y; use y (zero inside the straight part).
        "axis": "axis 1|half|clip|term|flat|wrong only|does not depend",
        # The radius is shared by all points but only the first point's gradient is returned; sum over the points.
        "radius": "sum|broadcast|added|missing|axis 0|first",
    },
)
