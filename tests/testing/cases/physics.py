"""Potentials, springs, rendering, integrators."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case, unbroadcast


def lj_f(r, sigma=1.0, cutoff=2.5):
    q, qc = (sigma / r) ** 6, (sigma / cutoff) ** 6
    return np.where(r < cutoff, 4 * (q * q - q) - 4 * (qc * qc - qc), 0), (r, sigma, cutoff)


def lj_b(g, s, bug=""):
    r, sigma, cutoff = s
    q = (sigma / r) ** 6
    d = -24 / r * ((1 if bug == "twelve" else 2) * q * q - q)
    if bug == "beyond":
        return (g * d,)
    return (g * np.where(r < cutoff, d, 0),)


def lj_s(src):
    shape = (src.size(3, 0), src.size(4, 0))
    return (src.floats(shape, 0.8, 4.0),), {"sigma": src.choice([1.0, 1.2]), "cutoff": src.choice([2.5, 1.5])}


case(
    "lennard_jones",
    lj_s,
    lj_f,
    lj_b,
    {
        # The repulsive term differentiates to 2*q*q but the factor 2 was left out; multiply q*q by 2.
        "twelve": "factor|1/2|term",
        # Beyond the cutoff the energy is constant, but the rule still returns a force; set the gradient to 0 where r
        # >= cutoff.
        "beyond": "cutoff|r >|flat|constant|should be 0|zero|does not depend",
    },
)


def morse_f(r, depth, a, r0=1.0):
    e = np.exp(-a * (r - r0))
    return depth * (1 - e) ** 2, (r, depth, a, r0, e)


def morse_b(g, s, bug=""):
    r, depth, a, r0, e = s
    inner = 2 * depth * (1 - e) * e
    gr = g * inner * (1 if bug == "inner" else a)
    ga = g * inner * (r if bug == "offset" else r - r0)
    gd = g * (1 - e) ** 2
    if bug == "rows":
        return unbroadcast(gr, r.shape), gd[0], unbroadcast(ga, a.shape)
    return unbroadcast(gr, r.shape), unbroadcast(gd, depth.shape), unbroadcast(ga, a.shape)


def morse_s(src):
    n, m = src.size(3), src.size(4)
    return (src.floats((n, m), 0.3, 4.0), src.floats((m,), 0.5, 3.0), src.floats((), 0.5, 2.0)), {
        "r0": src.choice([1.0, 0.7])
    }


case(
    "morse_potential",
    morse_s,
    morse_f,
    morse_b,
    {
        # The inner derivative of exp(-a*(r-r0)) with respect to r contains the factor a, which is missing; multiply
        # by a.
        "inner": "factor|chain|proportional",
        # The gradient of a multiplies by r and ignores the option r0; multiply by (r - r0).
        "offset": "r0|term|option",
        # The gradient of depth takes only the first row instead of summing over the rows it was broadcast along; use
        # g.sum(axis=0).
        "rows": "sum|broadcast|axis 0|row",
    },
)


def chain_f(x, rest, k=1.0):
    d = x[1:] - x[:-1]
    n = np.sqrt((d * d).sum(1))
    return np.asarray(0.5 * k * ((n - rest) ** 2).sum(), x.dtype), (d, n, rest, k)


def chain_b(g, s, bug=""):
    d, n, rest, k = s
    t = g * k * (n - rest)
    u = d if bug == "unit" else d / np.where(n > 0, n, 1)[:, None]
    f = t[:, None] * u
    gx = np.zeros((len(n) + 1, d.shape[1]), g.dtype)
    gx[1:] = f
    if bug == "overwrite":
        gx[:-1] = -f
    else:
        gx[:-1] -= f
    return gx, -t


def chain_s(src):
    n, d = src.size(4), src.size(2, 1, 3)
    return (src.floats((n, d), -4.0, 4.0), src.floats((n - 1,), 0.2, 2.0)), {"k": src.choice([1.0, 3.0])}


case(
    "spring_chain",
    chain_s,
    chain_f,
    chain_b,
    {
        # The force direction is the raw difference vector and not the unit vector; divide d by its length n.
        "unit": "norm|factor|term|divid|proportional",
        # Each inner mass belongs to two springs, but the second contribution overwrites the first (=); accumulate
        # with -=.
        "overwrite": "added|accumul|missing|term|overw|sum|twice|inner",
    },
)


def render_f(tau, c):
    trans = np.exp(-np.cumsum(np.concatenate([np.zeros(1, tau.dtype), tau])))
    w = trans[:-1] * -np.expm1(-tau)
    return (w @ c, np.asarray(trans[-1])), (tau, c, w, trans)


def render_b(g, s, bug=""):
    gc, gend = g
    tau, c, w, trans = s
    gw = c @ gc
    after = np.cumsum((gw * w)[::-1])[::-1] - gw * w
    if bug == "inclusive":
        after = after + gw * w
    if bug == "before":
        after = np.cumsum(gw * w) - gw * w
    gt = gw * trans[1:] - after
    if bug != "end":
        gt = gt - gend * trans[-1]
    return gt, w[:, None] * gc


def render_s(src):
    n, k = src.size(4), src.size(3)
    return (src.floats((n,), 0.0, 2.0), src.floats((n, k), -3.0, 3.0)), {}


case(
    "volume_rendering",
    render_s,
    render_f,
    render_b,
    {
        # The sum over the samples behind sample j includes sample j itself; start it at j+1 (subtract gw*w).
        "inclusive": "term|shift|off|axis|places|incoming",
        # The samples in front instead of the samples behind are summed: the cumulative sum runs the wrong way;
        # reverse it.
        "before": "flip|revers|order|term|axis|places",
        # The incoming gradient of the second output (remaining transmittance) is dropped; add -gend*trans[-1].
        "end": "output 1|output|second|term",
    },
)


def bernoulli_f(x):
    z = np.where(x == 0, 1, x)
    return np.where(x == 0, 1, z / np.expm1(z)).astype(x.dtype), x


def bernoulli_b(g, x, bug=""):
    z = x.astype(np.float64)
    small = np.abs(z) < 0.05
    z = np.where(small, 1.0, z)
    b = z / np.expm1(z)
    w = np.where(small, x, 0.0).astype(np.float64)
    series = -0.5 + w / 6 - w**3 / 180 + w**5 / 5040
    if bug == "series":
        series = -0.5 + w * 6
    if bug == "zero":
        series = np.where(x == 0, 0.0, series)
    return ((g * np.where(small, series, b * (1 / z + 1 / np.expm1(-z)))).astype(x.dtype),)


case(
    "bernoulli_function",
    lambda src: ((src.floats((src.size(4, 0), src.size(3, 0)), -30.0, 30.0),), {}),
    bernoulli_f,
    bernoulli_b,
    {
        # At x = 0 the rule returns 0 where the limit of the derivative is -1/2; return -0.5 there.
        "zero": "x = 0|at 0|zero",
        # The small-x series has the wrong linear coefficient (x*6 for x/6), wrong only for |x| < 0.05; use x/6.
        "series": "small|near 0|term|below|0.05",
    },
)


def leapfrog_f(q, p, dt=0.1):
    p1 = p - dt / 2 * np.sin(q)
    q1 = q + dt * p1
    return (q1, p1 - dt / 2 * np.sin(q1)), (q, q1, dt)


def leapfrog_b(g, s, bug=""):
    gq, gp = g
    q, q1, dt = s
    gq1 = gq - gp * dt / 2 * np.cos(q if bug == "stale" else q1)
    gp1 = gp + dt * gq1
    if bug == "drift":
        return gq1, gp1
    return gq1 - gp1 * dt / 2 * np.cos(q), gp1


def leapfrog_s(src):
    n = (src.size(4, 0),)
    return (src.floats(n, -4.0, 4.0), src.floats(n, -3.0, 3.0)), {"dt": src.choice([0.5, 0.1, 1.0])}


case(
    "leapfrog_pendulum",
    leapfrog_s,
    leapfrog_f,
    leapfrog_b,
    {
        # The second half kick is differentiated at the old position q; use the new position q1.
        "stale": "term|wrong only|output 1",
        # The first half kick's dependence on q is left out, as if the force there were a constant; subtract
        # gp1*dt/2*cos(q).
        "drift": "term|missing",
    },
)


def drag_f(v, rho, area):
    return -0.5 * rho * area * v * np.abs(v), (v, rho, area)


def drag_b(g, s, bug=""):
    v, rho, area = s
    gv = -g * rho * area * (v if bug == "abs" else np.abs(v))
    return gv, (-0.5 * g * area * v * np.abs(v)).sum(), (-(0.5 * g * rho * v * np.abs(v))).sum()


def drag_s(src):
    return (
        src.floats((src.size(3, 0), src.size(2, 0)), -9.0, 9.0),
        src.floats((), 0.5, 2.0),
        src.floats((), 0.1, 5.0),
    ), {}


case(
    "quadratic_drag",
    drag_s,
    drag_f,
    drag_b,
    {
        # d(v*|v|)/dv is 2|v|, but v without the absolute value was used, so the sign is wrong for negative v; use
        # np.abs(v).
        "abs": "sign|-1|negative|x <|v <|abs",
    },
)
