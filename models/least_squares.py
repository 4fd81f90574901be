"""Least squares with and without an L2 penalty, by exact factorisations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.models.design import Design
from tinygrad_lite.models.solvers import conjugate_gradients
from tinygrad_lite.models.validation import Floats

LARGE = 5000
"""Sides up to which a sparse problem is solved with a dense Gram matrix; 200 MB."""
CLOSE = 0.1
"""Share of a column that the others do not explain, below which a solution is refined."""
EPS = float(np.finfo(np.float64).eps)


def ridge(design: Design, y: Floats, alphas: Floats) -> Floats:
    """Return the minimiser (outputs, p) of |X c - y|² + alpha |c|², with one alpha per output.

    A Cholesky factorisation of the smaller Gram matrix, whose error does not depend on the scales of the columns, and
    one step of refinement where columns depend on each other. Where they are nearly dependent beside the penalty, a
    singular value decomposition.
    """
    out = np.zeros((y.shape[1], design.p))
    side = min(design.n, design.p)
    if design.sparse and side > LARGE:
        return iterated(design, y, alphas)
    wide = design.n < design.p
    gram = design.kernel() if wide else design.gram()
    for alpha in np.unique(alphas):
        chosen = alphas == alpha
        goal = y[:, chosen]
        factor = triangle(gram, float(alpha))
        if factor is None:
            out[chosen] = decomposed(design, goal, float(alpha))
        elif wide:
            out[chosen] = design.back(solved(factor, goal))
        else:
            c = solved(factor, design.back(goal).T).T
            if factor[2] < CLOSE:
                c = c + solved(factor, (design.back(goal - design.times(c)) - alpha * c).T).T
            out[chosen] = c
    return out


Factor = tuple[Floats, Floats, float]
"""A matrix of equal scales, the scale of each side, and the least share of a column that the others do not explain."""


def triangle(gram: Floats, alpha: float, least: float = 1e-6) -> Factor | None:
    """Factorise ``gram + alpha I`` in equal scales; None where a column depends too much on the others."""
    diagonal = np.diag(gram) + alpha
    if not np.isfinite(diagonal).all():
        return None
    scale = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1)), 0.0)
    even = gram * scale * scale[:, None]
    even.flat[:: len(even) + 1] = 1.0  # the coefficient of a column of zeros is 0
    try:
        lower = np.linalg.cholesky(even)
    except np.linalg.LinAlgError:
        return None
    own = float(np.diag(lower).min(initial=1.0)) ** 2
    return (even, scale, own) if own >= least else None


def solved(factor: Factor, b: Floats) -> Floats:
    """Solve with a factorised matrix."""
    even, scale, _ = factor
    out: Floats = np.linalg.solve(even, b * scale[:, None]) * scale[:, None]
    return out


def decomposed(design: Design, y: Floats, alpha: float) -> Floats:
    """Solve by singular values; those that are rounding errors of the largest count as 0."""
    rows = design.dense()
    spread = np.sqrt(np.einsum("ij,ij->j", rows, rows))
    positive = spread[spread > 0]
    uneven = bool(len(positive)) and positive.max() > 1e8 * positive.min()
    if uneven and design.n >= design.p:
        # a QR factorisation of the rows above the penalty, in equal scales
        scale = np.where(spread > 0, 1 / np.sqrt(np.where(spread > 0, spread**2 + alpha, 1)), 0.0)
        u, s, vt = np.linalg.svd(rows * scale, full_matrices=False)
        s[s <= EPS * max(rows.shape) * s.max(initial=0)] = 0.0
        stacked = np.vstack([u * s @ vt, np.sqrt(alpha) * np.diag(scale)])
        goal = np.vstack([y, np.zeros((design.p, y.shape[1]))])
        found = np.linalg.lstsq(stacked, goal, rcond=EPS * max(rows.shape))[0].T * scale
        return np.asarray(found)
    top = float(np.abs(rows).max(initial=0)) or 1.0
    u, s, vt = np.linalg.svd(rows / top, full_matrices=False)
    real = s > EPS * max(rows.shape) * s.max(initial=0)
    with np.errstate(over="ignore", under="ignore"):
        shrunk = np.where(real, s / (s**2 + alpha / top / top), 0.0) / top if real.any() else s * 0
    out: Floats = ((u.T @ y) * shrunk[:, None]).T @ vt
    return out


def shortest_least_squares(design: Design, y: Floats) -> Floats:
    """Return the shortest of all least-squares solutions (outputs, p)."""
    if design.sparse and min(design.n, design.p) > LARGE:
        return iterated(design, y, np.zeros(y.shape[1]))
    if design.n > design.p:
        factor = triangle(design.gram(), 0.0, least=1e-5)
        if factor is not None:
            c = solved(factor, design.back(y).T).T
            return c + solved(factor, design.back(y - design.times(c)).T).T
    rows = design.dense()
    spread = np.sqrt(np.einsum("ij,ij->j", rows / (np.abs(rows).max(initial=0) or 1.0), rows))
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    precision = EPS * max(rows.shape)
    positive = spread[spread > 0]
    if design.n <= design.p and len(positive) and positive.max() < 1e6 * positive.min():
        return np.asarray(np.linalg.lstsq(rows, y, rcond=precision)[0].T)
    found, _, rank, _ = np.linalg.lstsq(rows * scale, y, rcond=precision)
    c = found.T * scale
    if rank == design.p:
        return np.asarray(c)
    shorter = np.linalg.lstsq(rows, y, rcond=precision)[0].T
    fit = rows @ c.T
    # a small column that looks like a rounding error in unequal scales stays
    same = np.linalg.norm(rows @ shorter.T - fit) <= 1e-9 * np.linalg.norm(fit)
    return np.asarray(shorter if same else c)


def iterated(design: Design, y: Floats, alphas: Floats) -> Floats:
    """Solve a large sparse problem by conjugate gradients in equal scales, from 0."""
    squares = np.asarray(design.X.multiply(design.X).sum(axis=0), np.float64).ravel()
    out = np.zeros((y.shape[1], design.p))
    for k, alpha in enumerate(alphas):
        bend = squares + alpha
        scale = np.where(bend > 0, 1 / np.sqrt(np.where(bend > 0, bend, 1)), 0.0) if alpha else np.ones(design.p)

        def curved(v: Floats, scale: Floats = scale, alpha: Any = alpha) -> Floats:
            product: Floats = (design.back(design.times(v * scale)) + alpha * v * scale) * scale
            return product

        b = design.back(y[:, [k]]) * scale
        out[k] = (conjugate_gradients(curved, b, 1e-12, 10 * design.p) * scale)[0]
    return out
