"""Matrix decompositions, inverses and determinants of (batches of) matrices, with gradients to any order.

The rules are in Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", and Golub and Pereyra 1973 (pseudo-inverse). They are written with products and solves, so they hold
for batches and can be differentiated again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.half import wide_if_empty
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.linalg.repeated import (
    eigenvalue_slope,
    jacobian,
    limits,
    near,
    singular_value_slope,
    unknown,
)
from tinygrad_lite.ops.shape.joining import cat


# ------------------------------------------------------------------------------------------------ shared functions
def mT(x: Array) -> Array:
    """Return ``x`` with its last two axes exchanged."""
    return x.swapaxes(-1, -2)


def lower(n: int, like: Array, k: int = 0) -> Any:
    """Return the mask of a lower triangle in the dtype of ``like``."""
    return np.tril(new.ones((n, n), like.dtype), k)


def columns(v: Array) -> Array:
    """Return (..., n) as (..., 1, n): one element per column."""
    return v.reshape((*v.shape[:-1], 1, v.shape[-1]))


def rows(v: Array) -> Array:
    """Return (..., n) as (..., n, 1): one element per row."""
    return v.reshape((*v.shape, 1))


def check_matrix(name: str, A: Array, square: bool = False) -> None:
    """Raise unless ``A`` holds matrices (square ones) of a floating dtype."""
    if np.ndim(A) < 2:
        raise ShapeError(f"{name}: expected at least two axes (..., rows, columns), got {describe(A)}")
    if A.dtype.kind != "f":
        raise DTypeError(f"{name}: expected a floating dtype, got {describe(A)}; use .float()")
    if square and A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"{name}: expected square matrices, got {describe(A)}")


def _symmetric(X: Array) -> Array:
    return (X + mT(X)) / 2


# Inputs for the gradient check: matrices far from singular, positive definite, or with distinct singular values
def _well(op: Any, *arrays: Any, **kw: Any) -> Any:
    A, *others = arrays
    return op(_dominant(A), *others, **kw)


def _dominant(A: Any) -> Any:
    n = A.shape[-1]
    return A / 4 + np.diag(new.arange(2.0, 2 + n) * np.where(new.arange(n) % 2, -1.0, 1.0))


def _positive(op: Any, A: Any, **kw: Any) -> Any:
    n = A.shape[-1]
    return op(A @ mT(A) / 4 + 2 * new.eye(n), **kw)


def _full_rank(op: Any, A: Any, **kw: Any) -> Any:
    """Call ``op`` on a matrix of full rank whose singular values are distinct."""
    m, n = A.shape[-2:]
    return op(A / 8 + new.eye(m, n) * new.arange(1.0, n + 1.0), **kw)


def _low_rank(op: Any, B: Any, C: Any, **kw: Any) -> Any:
    """Call ``op`` on a matrix that is often below full rank, through its factors: its rank stays the same nearby."""
    (m, r), n = B.shape, C.shape[1]
    wide = new.arange(1.0, r + 1.0)
    return op((B / 8 + new.eye(m, r) * wide) @ (C / 8 + (new.eye(n, r) * wide).T), **kw)


SQUARE = Samples("(...,n,n)->(...,n,n)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_well)


# ------------------------------------------------------------------------------------------------ solving
@op(
    A=lambda g, y: -(mT(y) @ g @ mT(y)),
    kind="linalg", label="A⁻¹", promote="float", public=False, samples=SQUARE,
)  # fmt: skip
def inv_op(A: Array) -> Array:
    """Return the inverse of each matrix."""
    check_matrix("inv", A, square=True)
    return np.linalg.inv(A)


def _solve_right(g: Array, A: Array) -> Array:
    return solve_op(mT(A), g)


def _solve_left(g: Array, y: Array, A: Array) -> Array:
    return -(_solve_right(g, A) @ mT(y))


@op(
    A=_solve_left, B=_solve_right,
    kind="linalg", label="A⁻¹B", promote="equal", public=False,
    samples=Samples("(...,n,n),(...,n,k)->(...,n,k)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_well),
)  # fmt: skip
@wide_if_empty
def solve_op(A: Array, B: Array) -> Array:
    """Return X with ``A @ X = B``, for matrices B (..., n, k)."""
    check_matrix("solve", A, square=True)
    if np.ndim(B) < 2 or B.shape[-2] != A.shape[-1]:
        raise ShapeError(f"solve: B needs as many rows as A: A {describe(A)}, B {describe(B)}")
    return np.linalg.solve(A, B)


def _triangle(A: Array, upper: bool, unit: bool) -> Array:
    T = np.triu(A) if upper else np.tril(A)
    if unit:
        n = A.shape[-1]
        T = T * (1 - new.eye(n, dtype=A.dtype)) + new.eye(n, dtype=A.dtype)
    return T


def _triangle_right(g: Array, A: Array, upper: bool, unit: bool) -> Array:
    return solve_triangle(mT(A), g, not upper, unit)


def _triangle_rule(g: Array, y: Array, A: Array, upper: bool, unit: bool) -> Array:
    mask = lower(A.shape[-1], A, -1 if unit else 0)
    return -(solve_triangle(mT(A), g, not upper, unit) @ mT(y)) * (mask.T if upper else mask)


@op(
    A=_triangle_rule, B=_triangle_right,
    kind="linalg", label="T⁻¹B", promote="equal", public=False,
    samples=Samples(
        "(...,n,n),(...,n,k)->(...,n,k)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_well,
        options={"upper": (True, False), "unit": (False, True)},
    ),
)  # fmt: skip
def solve_triangle(A: Array, B: Array, upper: bool, unit: bool = False) -> Array:
    """Return X with ``T @ X = B``, T the upper or lower triangle of ``A``.

    With ``unit`` the diagonal of T is taken as ones.
    """
    check_matrix("solve_triangular", A, square=True)
    if np.ndim(B) < 2 or B.shape[-2] != A.shape[-1]:
        raise ShapeError(f"solve_triangular: B needs as many rows as A: A {describe(A)}, B {describe(B)}")
    return np.linalg.solve(_triangle(A, upper, unit), B)


def _pinv_rule(g: Array, y: Array, A: Array) -> Array:
    m, n = A.shape[-2:]
    Y, G = mT(y), mT(g)
    # what dA moves out of, and into, the range of A; below full rank both are there, whatever the shape
    away = (new.eye(m, dtype=A.dtype) - A @ y) @ G @ y @ Y
    return away - Y @ g @ Y + Y @ y @ G @ (new.eye(n, dtype=A.dtype) - y @ A)


@op(
    A=_pinv_rule, kind="linalg", label="A⁺", promote="float", public=False,
    samples=Samples(
        "(m,r),(r,n)->(n,m)", lo=-1.0, hi=1.0, sizes={"m": (1, 4), "n": (1, 4), "r": (1, 3)}, call=_low_rank
    ),
)  # fmt: skip
def pinv_op(A: Array, rcond: object = None) -> Array:
    """Return the pseudo-inverse of each matrix.

    Singular values up to ``rcond`` times the largest count as 0.
    """
    check_matrix("pinv", A)
    if not A.size:
        return new.zeros((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype)
    if rcond is None:
        rcond = max(A.shape[-2:]) * np.finfo(A.dtype).eps
    cut: Any = rcond
    return np.linalg.pinv(A, cut)


# ------------------------------------------------------------------------------------------------ determinants
def _others(s: Any) -> Any:
    """Return, for each element, the product of all others along the last axis; zeros among them are fine."""
    one = new.ones((*s.shape[:-1], 1), s.dtype)
    left = np.cumprod(np.concatenate([one, s[..., :-1]], -1), -1)
    right = np.cumprod(np.concatenate([one, s[..., :0:-1]], -1), -1)[..., ::-1]
    return left * right if s.shape[-1] else s


def _along(g: Any, A: Any) -> Any:
    return cofactor_slope(A, g)


def _turned(A: Any) -> tuple[Any, Any, Any, Any]:
    """Return the singular value decomposition of ``A``, and the sign of the determinant of its rotations."""
    u, s, vh = np.linalg.svd(A)
    return u, s, vh, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]


@op(
    A=_along, kind="linalg", label="cof", promote="float", public=False, samples=SQUARE,
)  # fmt: skip
def cofactor(A: Array) -> Array:
    """Return the matrix of cofactors of each matrix, ``det(A) * inv(A).mT``.

    Singular matrices have one too.
    """
    u, s, vh, sign = _turned(A)
    return (u * (_others(s)[..., None, :] * sign)) @ vh


def _slope_rule(g: Array, A: Array, G: Array) -> Array:
    T, C = mT(inv_op(A)), cofactor(A)
    along = (G * C).sum(axis=(-2, -1), keepdims=True)
    to_cofactor = G * (g * T).sum(axis=(-2, -1), keepdims=True) - g @ mT(T) @ G
    to_inverse = along * g - G @ mT(C) @ g
    return cofactor_slope(A, to_cofactor) - T @ mT(to_inverse) @ T


@op(
    A=_slope_rule, G=_along, kind="linalg", label="cof", promote="float", public=False,
    samples=Samples("(n,n),(n,n)->(n,n)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_well),
)  # fmt: skip
def cofactor_slope(A: Array, G: Array) -> Array:
    """Return how the cofactors of ``A`` change along ``G``: a symmetric map, also for singular matrices.

    Its own slope with respect to ``A`` needs the inverse, and raises LinAlgError where there is none.
    """
    u, s, vh, sign = _turned(A)
    n = s.shape[-1]
    inner = mT(u) @ G @ mT(vh)
    eye = new.eye(n, dtype=A.dtype)
    # pairs[i, j]: the product of all singular values but two
    pairs = np.stack([_others(np.where(eye[i] == 1, 1, s)) for i in range(n)], -2) * (1 - eye) if n else inner
    diagonal = (pairs @ np.diagonal(inner, 0, -2, -1)[..., None]) * eye
    return (u @ (diagonal - pairs * mT(inner)) @ vh) * sign


@op(
    A=lambda g, A: g.reshape((*g.shape, 1, 1)) * cofactor(A), kind="linalg", promote="float", public=False,
    samples=Samples("(...,n,n)->(...)", sizes={"n": (1, 3)}),  # any matrix, also singular ones
)  # fmt: skip
@wide_if_empty
def det_op(A: Array) -> Array:
    """Return the determinant of each matrix."""
    check_matrix("det", A, square=True)
    return np.linalg.det(A)


@op(
    A=lambda g, A: g[1].reshape((*g[1].shape, 1, 1)) * mT(inv_op(A)), kind="linalg", promote="float", public=False,
    samples=Samples("(...,n,n)->(...)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=lambda op, A: _well(op, A)[1]),
)  # fmt: skip
def slogdet_op(A: Array) -> tuple[Array, Array]:
    """Return sign, and logarithm of the absolute value, of the determinant of each matrix."""
    check_matrix("slogdet", A, square=True)
    sign, logabs = np.linalg.slogdet(A)
    return new.asarray(sign), new.asarray(logabs)


# ------------------------------------------------------------------------------------------------ decompositions
def _cholesky_rule(g: Array, y: Array) -> Array:
    n = y.shape[-1]
    half = lower(n, y) * (1 - new.eye(n, dtype=y.dtype) / 2)
    P = (mT(y) @ g) * half
    S = solve_triangle(mT(y), P, True)
    return _symmetric(mT(solve_triangle(mT(y), mT(S), True)))


@op(
    A=_cholesky_rule, kind="linalg", label="LLᵀ", promote="float", public=False,
    samples=Samples("(...,n,n)->(...,n,n)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_positive),
)  # fmt: skip
@wide_if_empty
def cholesky_op(A: Array) -> Array:
    """Return the lower triangular L with ``L @ L.mT = A`` for positive definite ``A``.

    Only the lower triangle of ``A`` is read.
    """
    check_matrix("cholesky", A, square=True)
    return np.linalg.cholesky(A)


def _qr_rule(g: Any, y: Any, A: Array) -> Array:
    (gQ, gR), (Q, R) = g, y
    m, n = A.shape[-2:]
    if Q.shape[-1] > R.shape[-1]:
        raise RuntimeError("qr: mode='complete' of a tall matrix has no gradient; use mode='reduced'")
    if m >= n:
        return _qr_square(gQ, gR, Q, R)
    # a wide matrix is a square one and the rest of its columns
    out = _qr_square(gQ + A[..., m:] @ mT(gR[..., m:]), gR[..., :m], Q, R[..., :m])
    return cat([out, Q @ gR[..., m:]], -1)


def _qr_square(gQ: Array, gR: Array, Q: Array, R: Array) -> Array:
    M = R @ mT(gR) - mT(gQ) @ Q
    n = M.shape[-1]
    M = M * lower(n, M)
    copied = M + mT(M) * (1 - new.eye(n, dtype=M.dtype))
    return mT(solve_triangle(R, mT(gQ + Q @ copied), True))


@op(
    A=_qr_rule, kind="linalg", label="QR", promote="float", public=False,
    samples=Samples(
        "(...,m,n)->(...,m,n)", lo=-1.0, hi=1.0, sizes={"m": (1, 3), "n": (1, 3)}, options={"mode": ("reduced",)},
        call=lambda op, A, **kw: _signless(_full_rank(op, A, **kw)),
    ),
)  # fmt: skip
def qr_op(A: Array, mode: str = "reduced") -> tuple[Array, Array]:
    """Return Q with orthonormal columns and upper triangular R, ``Q @ R = A``."""
    check_matrix("qr", A)
    way: Any = mode
    q, r = np.linalg.qr(A, way)
    return q, r


def _signless(qr: Any) -> Any:
    q, r = qr
    return cat([(q * q).reshape((-1,)), (r * r).reshape((-1,))], 0)


def _apart(w: Array, square: bool) -> Array:
    """Return 1 / (w_j - w_i) (of their squares), 0 where the two are equal."""
    v = w * w if square else w
    d = columns(v) - rows(v)
    same = d == 0
    return where(same, 0.0, 1 / where(same, 1.0, d))


def _eigh_rule(g: Any, y: Any, A: Array, UPLO: str) -> Array:
    (gw, gV), (w, V) = g, y
    n = w.shape[-1]
    if isinstance(w, Tensor):  # the pass is differentiated
        raw = bare(w)
        pairs = near(raw, raw, raw) & ~new.eye(n, dtype=bool)
        if pairs.any():
            J = jacobian(gw, w.node.inputs[0], 0) if w.node else new.zeros(pairs.shape, raw.dtype)
            out = eigenvalue_slope(gw, A, UPLO, limits(gw, J, pairs))
            if not bare(gV).any():
                return out
            inner = (mT(V) @ gV) * _apart(w, False)
            return out + _symmetric(V @ inner @ mT(V)) + unknown(A)
    inner = (mT(V) @ gV) * _apart(w, False) + new.eye(n, dtype=w.dtype) * columns(gw)
    return _symmetric(V @ inner @ mT(V))


def _of_symmetric(op: Any, A: Any, **kw: Any) -> Any:
    w, v = op(_symmetric(_dominant(A)), **kw)
    return cat([w.reshape((-1,)), (v * v).reshape((-1,))], 0)


@op(
    A=_eigh_rule, kind="linalg", label="VwVᵀ", promote="float", public=False,
    samples=Samples(
        "(...,n,n)->(...,n)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, options={"UPLO": ("L", "U")}, call=_of_symmetric
    ),
)  # fmt: skip
@wide_if_empty
def eigh_op(A: Array, UPLO: str = "L") -> tuple[Array, Array]:
    """Return eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices.

    Only the triangle ``UPLO`` is read.
    """
    check_matrix("eigh", A, square=True)
    triangle: Any = UPLO
    w, v = np.linalg.eigh(A, triangle)
    return w, v


def _svd_rule(g: Any, y: Any, A: Array) -> Array:
    (gU, gS, gVh), (U, S, Vh) = g, y
    m, n = A.shape[-2:]
    k = S.shape[-1]
    if isinstance(S, Tensor):  # the pass is differentiated
        raw = bare(S)
        pairs, zero = near(raw, raw, raw) & ~new.eye(k, dtype=bool), near(raw, -raw, raw)
        if pairs.any() or zero.any():
            J = jacobian(gS, S.node.inputs[0], 1) if S.node else new.zeros(pairs.shape, raw.dtype)
            out = singular_value_slope(gS, A, limits(gS, J, pairs), limits(gS, J, zero, -1.0))
            if not (bare(gU).any() or bare(gVh).any()):
                return out
            return out + unknown(A) + _svd_vectors(g, y, A)
    return _svd_vectors(g, y, A) + (U[..., :k] * columns(gS)) @ Vh[..., :k, :]


def _svd_vectors(g: Any, y: Any, A: Array) -> Array:
    """Return the gradient that comes through the singular vectors."""
    (gU, _, gVh), (U, S, Vh) = g, y
    m, n = A.shape[-2:]
    k = S.shape[-1]
    U, gU, Vh, gVh = U[..., :k], gU[..., :k], Vh[..., :k, :], gVh[..., :k, :]
    E = _apart(S, True)
    zero = S == 0
    over = where(zero, 0.0, 1 / where(zero, 1.0, S))
    skew_u, skew_v = mT(U) @ gU, gVh @ mT(Vh)
    inner = ((skew_u - mT(skew_u)) * E) * columns(S) + rows(S) * ((mT(skew_v) - skew_v) * E)
    out = U @ inner @ Vh
    if m > k:
        out = out + (gU - U @ (mT(U) @ gU)) * columns(over) @ Vh
    if n > k:
        out = out + (U * columns(over)) @ (gVh - (gVh @ mT(Vh)) @ Vh)
    return out


def _of_svd(op: Any, A: Any, **kw: Any) -> Any:
    u, s, vh = _full_rank(op, A, **kw)
    return cat([(u * u).reshape((-1,)), s.reshape((-1,)), (vh * vh).reshape((-1,))], 0)


@op(
    A=_svd_rule, kind="linalg", label="USVᵀ", promote="float", public=False,
    samples=Samples(
        "(...,m,n)->(...,n)", lo=-1.0, hi=1.0, sizes={"m": (1, 3), "n": (1, 3)}, options={"full_matrices": (False,)},
        call=_of_svd,
    ),
)  # fmt: skip
@wide_if_empty
def svd_op(A: Array, full_matrices: bool = True) -> tuple[Array, Array, Array]:
    """Return U, S (descending), Vh with ``U * S @ Vh = A``.

    Only the first columns of U and rows of Vh have a gradient; ``A`` does not determine the others.
    """
    check_matrix("svd", A)
    u, s, vh = np.linalg.svd(A, full_matrices=full_matrices)
    return u, s, vh
