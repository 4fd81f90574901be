"""Matrix decompositions, inverses and determinants of (batches of) matrices, with gradients to any order.

The rules are in Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", and Golub and Pereyra 1973 (pseudo-inverse). They are written with products and solves, so they hold
for batches and can be differentiated again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
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
    kind="linalg", label="A⁻¹B", promote="float", public=False,
    samples=Samples("(...,n,n),(...,n,k)->(...,n,k)", lo=-1.0, hi=1.0, sizes={"n": (1, 3)}, call=_well),
)  # fmt: skip
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
    kind="linalg", label="T⁻¹B", promote="float", public=False,
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
    out = -(Y @ g @ Y)
    # what dA moves out of, and into, the range of A
    if m >= n:
        out = out + (new.eye(m, dtype=A.dtype) - A @ y) @ G @ y @ Y
    if m <= n:
        out = out + Y @ y @ G @ (new.eye(n, dtype=A.dtype) - y @ A)
    return out


@op(
    A=_pinv_rule, kind="linalg", label="A⁺", promote="float", public=False,
    samples=Samples("(...,m,n)->(...,n,m)", lo=-1.0, hi=1.0, sizes={"m": (1, 3), "n": (1, 3)}, call=_full_rank),
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
def _cofactor_rule(g: Array, y: Array, A: Array) -> Array:
    T = mT(inv_op(A))
    along = (g * y).sum(axis=(-2, -1), keepdims=True)
    return T * along - y @ mT(g) @ T


@op(A=_cofactor_rule, kind="linalg", label="cof", promote="float", public=False, samples=SQUARE)
def cofactor(A: Array) -> Array:
    """Return the matrix of cofactors of each matrix, ``det(A) * inv(A).mT``.

    Singular matrices have one too.
    """
    u, s, vh = np.linalg.svd(A)
    n = s.shape[-1]
    # the product of all other singular values, without dividing by one that may be 0
    others = np.stack([np.prod(np.delete(s, i, -1), -1) for i in range(n)], -1) if n else s
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (u * (others * sign[..., None])[..., None, :]) @ vh


@op(
    A=lambda g, A: g.reshape((*g.shape, 1, 1)) * cofactor(A), kind="linalg", promote="float", public=False,
    samples=SQUARE,
)  # fmt: skip
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


def _eigh_rule(g: Any, y: Any) -> Array:
    (gw, gV), (w, V) = g, y
    n = w.shape[-1]
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
    U, gU, Vh, gVh = U[..., :k], gU[..., :k], Vh[..., :k, :], gVh[..., :k, :]
    E = _apart(S, True)
    zero = S == 0
    over = where(zero, 0.0, 1 / where(zero, 1.0, S))
    eye = new.eye(k, dtype=S.dtype)
    skew_u, skew_v = mT(U) @ gU, gVh @ mT(Vh)
    inner = ((skew_u - mT(skew_u)) * E) * columns(S) + rows(S) * ((mT(skew_v) - skew_v) * E) + eye * columns(gS)
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
def svd_op(A: Array, full_matrices: bool = True) -> tuple[Array, Array, Array]:
    """Return U, S (descending), Vh with ``U * S @ Vh = A``.

    Only the first columns of U and rows of Vh have a gradient; ``A`` does not determine the others.
    """
    check_matrix("svd", A)
    u, s, vh = np.linalg.svd(A, full_matrices=full_matrices)
    return u, s, vh
