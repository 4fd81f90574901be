"""Linear algebra: broadcasting batches, symmetric inputs, conditioning."""

from __future__ import annotations

import numpy as np

from tests.testing.cases.record import case, unbroadcast


def T(a):
    return np.swapaxes(a, -1, -2)


def matmul_f(a, b):
    return a @ b, (a, b)


def matmul_b(g, s, bug=""):
    a, b = s
    ga, gb = g @ T(b), T(a) @ g
    if bug == "transposed" and a.shape[-1] == a.shape[-2]:
        ga = T(ga)
    if bug == "batch" and ga.shape != a.shape:
        ga = ga.mean(tuple(range(ga.ndim - a.ndim)))
    return unbroadcast(ga, a.shape), unbroadcast(gb, b.shape)


def matmul_s(src):
    n, k, m = src.size(3, 0), src.size(2, 0), src.size(4, 0)
    batch = (src.size(2),) if src.chance() else ()
    return (src.floats((n, k)), src.floats((*batch, k, m))), {}


case("matmul", matmul_s, matmul_f, matmul_b, {"transposed": "transpos|order", "batch": "1/|divided"})


def linear_f(x, w, b):
    return x @ w.T + b, (x, w)


def linear_b(g, s, bug=""):
    x, w = s
    gb = g.mean(0) if bug == "bias_mean" else g.sum(0)
    gx = g @ w
    if bug == "bias_all":
        gb = np.full(w.shape[0], g.sum(), g.dtype)
    return gx, (g.T @ x if bug != "relu" else g.T @ np.maximum(x, 0)), gb


def linear_s(src):
    n, k, m = src.size(4), src.size(3), src.size(2)
    return (src.floats((n, k)), src.floats((m, k)), src.floats((m,))), {}


case(
    "linear", linear_s, linear_f, linear_b, {"bias_mean": "1/|divided", "bias_all": "term|sum of|mixed", "relu": "term"}
)


def well(a):
    """Moves a square matrix away from singular ones."""
    return a + 4 * np.eye(a.shape[-1], dtype=a.dtype)


def square(src):
    n = src.size(3)
    return (src.floats((n, n), -1.0, 1.0),), {}


def inv_f(a):
    y = np.linalg.inv(well(a))
    return y, y


def inv_b(g, y, bug=""):
    if bug == "sign":
        return (y.T @ g @ y.T,)
    return (-(y @ g @ y if bug == "transposed" else y.T @ g @ y.T),)


case("inv", square, inv_f, inv_b, {"sign": "-1", "transposed": "term|transpos"})


def det_f(a):
    m = well(a)
    y = np.linalg.det(m)
    return np.asarray(y), (m, y)


def det_b(g, s, bug=""):
    m, y = s
    inverse = np.linalg.inv(m)
    return ((g * y * (inverse if bug == "transposed" else inverse.T)).astype(m.dtype),)


case("det", square, det_f, det_b, {"transposed": "transpos"})


def logdet_f(a):
    m = a @ a.T + np.eye(a.shape[0], dtype=a.dtype)
    return np.asarray(np.linalg.slogdet(m)[1]), (a, m)


def logdet_b(g, s, bug=""):
    a, m = s
    return ((g * np.linalg.solve(m, a) * (1 if bug == "two" else 2)).astype(a.dtype),)


case(
    "logdet_gram",
    lambda src: ((src.floats((src.size(3), src.size(2)), -5.0, 5.0),), {}),
    logdet_f,
    logdet_b,
    {"two": "1/2"},
)


def solve_f(a, b):
    m = well(a)
    y = np.linalg.solve(m, b)
    return y, (m, y)


def solve_b(g, s, bug=""):
    m, y = s
    gb = np.linalg.solve(m if bug == "transposed" else m.T, g)
    return -gb @ y.T, gb


def solve_s(src):
    n = src.size(3)
    return (src.floats((n, n), -1.0, 1.0), src.floats((n, src.size(2)))), {}


case("solve", solve_s, solve_f, solve_b, {"transposed": "term|transpos"})


def chol_f(a):
    m = (a + a.T) / 2 + 4 * np.eye(a.shape[0], dtype=a.dtype)
    y = np.linalg.cholesky(m)
    return y, y


def chol_b(g, L, bug=""):
    phi = np.tril(L.T @ np.tril(g))
    if bug != "diagonal":
        phi[np.diag_indices(len(L))] /= 2
    s = np.linalg.solve(L.T, np.linalg.solve(L.T, phi.T).T)
    return ((s + s.T) / 2,)


case("cholesky_symmetrised", square, chol_f, chol_b, {"diagonal": "term"})


def bilinear_f(x, w, y):
    return np.einsum("bi,oij,bj->bo", x, w, y), (x, w, y)


def bilinear_b(g, s, bug=""):
    x, w, y = s
    gy = np.einsum("bo,oij,bi->bj", g, w, x)
    if bug == "order" and w.shape[1] == w.shape[2]:
        gy = np.einsum("bo,oij,bj->bi", g, w, x)
    return np.einsum("bo,oij,bj->bi", g, w, y), np.einsum("bo,bi,bj->oij", g, x, y), gy


def bilinear_s(src):
    b, i, j, o = src.size(3), src.size(2), src.size(2), src.size(2)
    return (src.floats((b, i)), src.floats((o, i, j)), src.floats((b, j))), {}


case("bilinear", bilinear_s, bilinear_f, bilinear_b, {"order": "term|symmetric matrix"})


def diag_f(x, k=0):
    return np.diagonal(x, k) * 1, (x.shape, k)


def diag_b(g, s, bug=""):
    shape, k = s
    out = np.zeros(shape, g.dtype)
    i = np.arange(len(g))
    r, c = (i, i + k) if k >= 0 else (i - k, i)
    if bug == "offset":
        r, c = i, i
    out[r, c] = g
    return (out,)


def diag_s(src):
    n, m = src.size(4, 2), src.size(3, 2)
    return (src.floats((n, m)),), {"k": src.choice([0, 1, -1])}


case("diagonal", diag_s, diag_f, diag_b, {"offset": "option k|k=|places"})


def pdist_f(a, b):
    d = a[:, None] - b[None]
    y = np.sqrt((d * d).sum(-1))
    return y, (d, y)


def pdist_b(g, s, bug=""):
    d, y = s
    u = d / np.where(y > 0, y, 1)[..., None]
    if bug == "squared":
        u = 2 * d
    u = u * g[..., None]
    return u.sum(1), -u.sum(0) if bug != "sign" else u.sum(0)


def pdist_s(src):
    k = src.size(3)
    return (src.floats((src.size(2), k)), src.floats((src.size(3), k))), {}


case("pairwise_distance", pdist_s, pdist_f, pdist_b, {"squared": "term|factor", "sign": "-1"})


def eigh_f(a):
    w, v = np.linalg.eigh((a + a.T) / 2)
    return np.asarray((w**3).sum()), (w, v)


def eigh_b(g, s, bug=""):
    w, v = s
    return (
        (g * (v * (3 * w**2)) @ v.T).astype(v.dtype)
        if bug != "vectors"
        else (g * v.T * (3 * w**2) @ v).astype(v.dtype),
    )


case("trace_of_cube_by_eigh", square, eigh_f, eigh_b, {"vectors": "term"})
