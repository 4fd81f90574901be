"""Second derivatives of eigenvalues and singular values where some are equal.

A function of the eigenvalues that does not depend on their order is smooth at equal ones, but the formula divides the
difference of two slopes by the difference of two eigenvalues, 0 / 0. Its limit is a second derivative of the function
itself, which a backward pass through the slopes gives (Lewis and Sendov 2001, "Twice differentiable spectral
functions"). Where the limit does not exist the second derivative is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.backward import pull
from tinygrad_lite.engine.elsewhere import highest
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.ops.elementwise.cast import bare


def near(w: Any, v: Any, scale: Any) -> Any:
    """Return which numbers of ``w`` and ``v`` are equal up to rounding, for every pair of the last axis."""
    limit = np.sqrt(np.finfo(w.dtype).eps) * highest(np.abs(scale), 0.0, -1)[..., None, None]
    return np.abs(w[..., None, :] - v[..., :, None]) <= limit


def jacobian(slope: Any, node: Any, output: int) -> Any:
    """Return how ``slope`` (..., n), a function of an output of ``node``, changes with it: (..., n, n)."""
    raw = bare(slope)
    n = raw.shape[-1]
    out = new.zeros((*raw.shape, n), raw.dtype)
    if not isinstance(slope, Tensor) or slope.node is None:
        return out
    for i in range(n):
        seed = new.zeros(raw.shape, raw.dtype)
        seed[..., i] = 1
        g = pull([(slope.node, seed)], targets=[node], retain=True).get(node)
        if g is not None:
            out[..., i, :] = g.filled(node)[output] if hasattr(g, "filled") else g[output]
    return out


def limits(slope: Any, J: Any, pairs: Any, sign: float = 1.0) -> Any:
    """Return the limits of (slope_j - sign slope_i) / (w_j - sign w_i) at the ``pairs``, NaN where there is none."""
    raw = bare(slope)
    diagonal = np.diagonal(J, 0, -2, -1)
    mixed = J if sign > 0 else 0 * J  # at 0 a smooth function is even in each singular value
    here = diagonal[..., :, None] - mixed
    there = diagonal[..., None, :] - np.swapaxes(mixed, -1, -2)
    tolerance = 1e3 * np.sqrt(np.finfo(raw.dtype).eps) * (1 + highest(np.abs(raw), 0.0, -1)[..., None, None])
    smooth = np.abs(raw[..., None, :] - sign * raw[..., :, None]) <= tolerance
    smooth &= np.abs(here - there) <= tolerance * (1 + np.abs(here))
    return np.where(pairs, np.where(smooth, (here + there) / 2, np.nan), 0).astype(raw.dtype)


def quotients(slope: Any, w: Any, pairs: Any, limit: Any, sign: float = 1.0) -> Any:
    """Return (slope_j - sign slope_i) / (w_j - sign w_i), its limit at the ``pairs``."""
    below = np.where(pairs, 1, w[..., None, :] - sign * w[..., :, None])
    above = slope[..., None, :] - sign * slope[..., :, None]
    return above / below * (1 - pairs) + limit


def _beside(op: Any, A: Any) -> Any:
    return A + op(A.detach() if isinstance(A, Tensor) else A)  # its gradient is no derivative that can be checked


@op(A=lambda g: g * np.nan, kind="linalg", public=False, samples=Samples("(n,n)->(n,n)", call=_beside))
def unknown(A: Array) -> Array:
    """Return zeros whose derivative is NaN: a marker of a derivative that is not known."""
    return new.zeros_like(A)


def _symmetric(op: Any, slope: Any, A: Any) -> Any:
    n = A.shape[-1]
    return op(slope, (A + A.swapaxes(-1, -2)) / 8 + np.diag(new.arange(2.0, 2 + n) * 2), "L", new.zeros((n, n)))


def _values_rule(g: Array, A: Array, UPLO: Any) -> Array:
    V = np.linalg.eigh(bare(A), UPLO)[1]
    return ((V.swapaxes(-1, -2) @ g) * V.swapaxes(-1, -2)).sum(-1)


def _matrix_rule(g: Array, slope: Array, A: Array, UPLO: Any, limit: Any) -> Array:
    w, V = np.linalg.eigh(bare(A), UPLO)
    T = V.swapaxes(-1, -2)
    ratio = quotients(slope, w, (limit != 0) | near(w, w, w), limit)
    inner = T @ (g + g.swapaxes(-1, -2)) @ V / 2
    out = V @ (inner * ratio) @ T
    return out + unknown(A) if isinstance(g, Tensor) else out


@op(
    slope=_values_rule, A=_matrix_rule, kind="linalg", label="VwVᵀ", public=False,
    samples=Samples("(n),(n,n)->(n,n)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_symmetric, order=1),
)  # fmt: skip
def eigenvalue_slope(slope: Array, A: Array, UPLO: Any, limit: object) -> Array:
    """Return the derivative with respect to ``A`` of a function of eigenvalues with derivative ``slope``.

    ``limit`` holds the limits of the quotients of its slopes at equal eigenvalues.
    """
    V = np.linalg.eigh(A, UPLO)[1]
    return (V * slope[..., None, :]) @ V.swapaxes(-1, -2)


def _wide(op: Any, slope: Any, A: Any) -> Any:
    m, n = A.shape[-2:]
    k = min(m, n)
    zero = new.zeros((k, k))
    return op(slope[:k] if len(slope) >= k else new.ones(k), A / 8 + new.eye(m, n) * new.arange(1.0, n + 1), zero, zero)


def _singular_values_rule(g: Array, A: Array) -> Array:
    u, _, vh = np.linalg.svd(bare(A), full_matrices=False)
    return ((u.swapaxes(-1, -2) @ g) * vh).sum(-1)


def _singular_rule(g: Array, slope: Array, A: Array, limit: Any, mirrored: Any) -> Array:
    u, s, vh = np.linalg.svd(bare(A), full_matrices=False)
    uT, v = u.swapaxes(-1, -2), vh.swapaxes(-1, -2)
    inner = uT @ g @ v
    even = (inner + inner.swapaxes(-1, -2)) / 2
    zero = near(s, -s, s)
    ratio, mirror = quotients(slope, s, near(s, s, s), limit), quotients(slope, s, zero, mirrored, -1.0)
    out = u @ (even * ratio + (inner - even) * mirror) @ vh
    k, eye = s.shape[-1], new.eye(s.shape[-1], dtype=s.dtype)
    own = (mirror * eye).sum(-1)  # slope / s
    if A.shape[-2] > k:
        out = out + (g @ v - u @ inner) * own[..., None, :] @ vh
    if A.shape[-1] > k:
        out = out + u @ ((uT @ g - inner @ vh) * own[..., :, None])
    return out + unknown(A) if isinstance(g, Tensor) else out


@op(
    slope=_singular_values_rule, A=_singular_rule, kind="linalg", label="USVᵀ", public=False,
    samples=Samples("(n),(n,n)->(n,n)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_wide, order=1),
)  # fmt: skip
def singular_value_slope(slope: Array, A: Array, limit: object, mirrored: object) -> Array:
    """Return the derivative with respect to ``A`` of a function of singular values with derivative ``slope``.

    ``limit`` and ``mirrored`` hold the limits of the quotients of its slopes at equal and at zero singular values.
    """
    u, _, vh = np.linalg.svd(A, full_matrices=False)
    return (u * slope[..., None, :]) @ vh
