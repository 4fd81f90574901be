"""LU decompositions with partial pivoting, what solves with them, Householder reflections, systems of tensors."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.errors import LinAlgError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import take_along_dim
from tinygrad_lite.ops.linalg.decompositions import check_matrix, mT, solve_triangle
from tinygrad_lite.ops.linalg.matmul import tensor_of
from tinygrad_lite.ops.linalg.matrix import inv, solve, solve_triangular
from tinygrad_lite.ops.shape.joining import cat


class LU(NamedTuple):
    """The result of `linalg.lu`: ``P @ L @ U``."""

    P: Any
    L: Any
    U: Any


class LUFactor(NamedTuple):
    """The result of `linalg.lu_factor`: L below the diagonal and U in one matrix, and the row exchanges."""

    LU: Any
    pivots: Any


class LUFactorEx(NamedTuple):
    """The result of `linalg.lu_factor_ex`."""

    LU: Any
    pivots: Any
    info: Any


# ------------------------------------------------------------------------------------------------ the decomposition
def _eliminated(A: Any, pivot: bool) -> tuple[Any, Any]:
    """Return L and U of each matrix in one, with rows exchanged, and the exchanges (1-based, as in LAPACK)."""
    *batch, m, n = A.shape
    out = new.array(A, order="C").reshape((prod(A.shape[:-2]), m, n))
    k = min(m, n)
    pivots = np.tile(new.arange(k), (len(out), 1))
    every = new.arange(len(out))
    for i in new.arange(k).tolist():
        if pivot and out.size:
            pivots[:, i] = i + np.abs(out[:, i:, i]).argmax(1)
            here, there = out[every, i].copy(), out[every, pivots[:, i]].copy()
            out[every, i], out[every, pivots[:, i]] = there, here
        diagonal = out[:, i, i, None]
        out[:, i + 1 :, i] = np.where(diagonal == 0, 0, out[:, i + 1 :, i] / np.where(diagonal == 0, 1, diagonal))
        out[:, i + 1 :, i + 1 :] -= out[:, i + 1 :, i, None] * out[:, i, None, i + 1 :]
    return out.reshape(A.shape), (pivots + 1).astype(np.int32).reshape((*batch, k))


def _order(pivots: Any, m: int) -> Any:
    """Return the order of the rows after the exchanges of ``pivots``."""
    *batch, k = pivots.shape
    flat = pivots.reshape((prod(pivots.shape[:-1]), k)) - 1
    order = np.tile(new.arange(m), (len(flat), 1))
    every = new.arange(len(flat))
    for i in new.arange(k).tolist():
        here, there = order[every, i].copy(), order[every, flat[:, i]].copy()
        order[every, i], order[every, flat[:, i]] = there, here
    return order.reshape((*batch, m))


def _halves(packed: Array) -> tuple[Array, Array]:
    """Return L (m, k) with ones on its diagonal and U (k, n) of both in one matrix."""
    m, n = packed.shape[-2:]
    k = min(m, n)
    one = new.eye(m, k, dtype=packed.dtype)
    return np.tril(packed[..., :, :k], -1) + one, np.triu(packed[..., :k, :])


def _packed_rule(g: Array, y: Array) -> Array:
    """Return the gradient of a matrix B = L U from that of its packed factors."""
    m, n = y.shape[-2:]
    k = min(m, n)
    L, U = _halves(y)
    gL, gU = np.tril(g[..., :, :k], -1), np.triu(g[..., :k, :])
    L1, U1 = L[..., :k, :], U[..., :, :k]
    lower, upper = mT(L1) @ gL[..., :k, :], gU[..., :, :k] @ mT(U1)
    if n > m:
        lower = lower - gU[..., :, k:] @ mT(U[..., :, k:])
    if m > n:
        upper = upper - mT(L[..., k:, :]) @ gL[..., k:, :]
    # L1^-T (inner) U1^-T
    inner = solve_triangle(mT(L1), np.tril(lower, -1) + np.triu(upper), True, True)
    B = mT(solve_triangle(U1, mT(inner), True, False))
    if n > m:
        B = cat([B, solve_triangle(mT(L1), gU[..., :, k:], True, True)], -1)
    if m > n:
        B = cat([B, mT(solve_triangle(U1, mT(gL[..., k:, :]), True, False))], -2)
    return B


def _regular(op: Any, A: Any, **kw: Any) -> Any:
    m, n = A.shape[-2:]
    return op(A / 8 + new.eye(m, n) * new.arange(1.0, n + 1.0), **kw)


@op(
    B=_packed_rule, kind="linalg", label="LU", promote="float", public=False,
    samples=Samples("(...,m,n)->(...,m,n)", lo=-1.0, hi=1.0, sizes={"m": (1, 3), "n": (1, 3)}, call=_regular),
)  # fmt: skip
def packed_lu(B: Array) -> Array:
    """Return L and U of each matrix in one, without exchanging rows."""
    return _eliminated(B, False)[0]


def _factored(name: str, A: Array, pivot: bool) -> tuple[Array, Any, Any]:
    """Return the packed factors, the pivots and the order of the rows."""
    check_matrix(name, A)
    m = A.shape[-2]
    packed, pivots = _eliminated(bare(A), pivot)
    order = _order(pivots, m)
    if not getattr(A, "tracked", False):
        return make(packed), pivots, order
    rows = np.broadcast_to(order[..., None], tuple(A.shape))
    return packed_lu(take_along_dim(A, make(new.array(rows)), -2)), pivots, order


def _permutation(order: Any, dtype: Any) -> Any:
    """Return P with ``P @ B = A`` for the rows ``B = A[order]``."""
    m = order.shape[-1]
    return make((order[..., None, :] == new.arange(m)[:, None]).astype(dtype))


@function(public=False)
def lu(A: Array, *, pivot: bool = True) -> LU:
    """Return (P, L, U) with ``P @ L @ U = A``; rows are exchanged so that pivots are large.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.lu(tl.tensor([[1.0, 2.0], [2.0, 2.0]])).U
    tensor([[2., 2.],
            [0., 1.]])
    """
    A = tensor_of(A)
    packed, _, order = _factored("lu", A, pivot)
    L, U = _halves(packed)
    return LU(_permutation(order, A.dtype) if pivot else make(new.empty(0, A.array.dtype)), L, U)


@function(public=False)
def lu_factor_ex(A: Array, *, pivot: bool = True, check_errors: bool = False) -> LUFactorEx:
    """Return (LU, pivots, info): `lu_factor`, with the number of the first zero pivot, or 0, in place of an error.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.lu_factor_ex(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    LUFactorEx(LU=tensor([[4.0000, 1.0000],
            [0.2500, 2.7500]]), pivots=tensor([1, 2], dtype=int32), info=tensor(0, dtype=int32))
    """
    A = tensor_of(A)
    packed, pivots, _ = _factored("lu_factor", A, pivot)
    zero = np.diagonal(bare(packed), 0, -2, -1) == 0
    info = np.where(zero.any(-1), zero.argmax(-1) + 1 if zero.shape[-1] else 0, 0).astype(np.int32)
    if check_errors and info.any():
        raise LinAlgError(f"lu_factor: U has a zero on its diagonal, at number {int(info.max())} ({describe(A)})")
    return LUFactorEx(packed, make(pivots), make(info))


@function(public=False)
def lu_factor(A: Array, *, pivot: bool = True) -> LUFactor:
    """Return (LU, pivots): both factors in one matrix, for `lu_solve`.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.lu_factor(tl.tensor([[1.0, 2.0], [2.0, 2.0]])).pivots
    tensor([2, 2], dtype=int32)
    """
    return LUFactor(*lu_factor_ex(A, pivot=pivot, check_errors=True)[:2])


def _exchanged(B: Array, order: Any) -> Array:
    shape = (*np.broadcast_shapes(order.shape[:-1], tuple(B.shape[:-2])), *B.shape[-2:])
    wide = B.expand(shape) if tuple(B.shape) != shape else B
    return take_along_dim(wide, make(new.array(np.broadcast_to(order[..., None], shape))), -2)


@function(public=False)
def lu_solve(LU: Array, pivots: Array, B: Array, *, left: bool = True, adjoint: bool = False) -> Array:
    """Return X with ``A @ X = B`` from `lu_factor` of A (``X @ A = B`` with ``left=False``, A.mT with ``adjoint``).

    >>> import tinygrad_lite as tl
    >>> A = tl.tensor([[1.0, 2.0], [2.0, 2.0]])
    >>> tl.linalg.lu_solve(*tl.linalg.lu_factor(A), A)
    tensor([[1., 0.],
            [0., 1.]])
    """
    LU, B = tensor_of(LU), tensor_of(B)
    check_matrix("lu_solve", LU, square=True)
    if B.ndim < 2 or B.shape[-2 if left else -1] != LU.shape[-1]:
        raise ShapeError(f"lu_solve: B does not fit the factors: LU {describe(LU)}, B {describe(B)}")
    if not left:
        return mT(lu_solve(LU, pivots, mT(B), adjoint=not adjoint))
    order = _order(bare(pivots), LU.shape[-2])
    if not adjoint:
        return solve_triangle(LU, solve_triangle(LU, _exchanged(B, order), False, True), True)
    half = solve_triangle(mT(LU), solve_triangle(mT(LU), B, False), True, True)
    return _exchanged(half, np.argsort(order, -1))


@function(public=False)
def solve_ex(A: Array, B: Array, *, left: bool = True, check_errors: bool = False) -> Any:
    """Return (result, info) of `solve`; for a singular matrix info is not 0 and the result NaN.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.solve_ex(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), tl.tensor([[1.0], [2.0]]))
    SolveEx(result=tensor([[0.0909],
            [0.6364]]), info=tensor(0, dtype=int32))
    """
    info = lu_factor_ex(A).info
    try:
        return SolveEx(solve(A, B, left=left), info)
    except LinAlgError:
        if check_errors:
            raise
        return SolveEx(make(new.full(tuple(B.shape), np.nan, bare(B).dtype)), info)


class SolveEx(NamedTuple):
    """The result of `linalg.solve_ex`."""

    result: Any
    info: Any


# ------------------------------------------------------------------------------------------------ older names
@function(name="lu_solve")
def lu_solve_older(b: Array, LU_data: Array, LU_pivots: Array) -> Array:
    """Return X with ``A @ X = b``: `linalg.lu_solve` with its older arguments.

    >>> import tinygrad_lite as tl
    >>> A = tl.tensor([[4.0, 1.0], [1.0, 3.0]])
    >>> tl.lu_solve(tl.tensor([[1.0], [2.0]]), *tl.linalg.lu_factor(A))
    tensor([[0.0909],
            [0.6364]])
    """
    return lu_solve(LU_data, LU_pivots, b)


@function(name="lu")
def lu_older(A: Array, pivot: bool = True, get_infos: bool = False) -> Any:
    """Return (LU, pivots), and with ``get_infos`` the info too: an older form of `linalg.lu_factor`.

    >>> import tinygrad_lite as tl
    >>> tl.lu(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    (tensor([[4.0000, 1.0000],
            [0.2500, 2.7500]]), tensor([1, 2], dtype=int32))
    """
    packed, pivots, info = lu_factor_ex(A, pivot=pivot)
    return (packed, pivots, info) if get_infos else (packed, pivots)


@function(method=False)
def lu_unpack(LU_data: Array, LU_pivots: Array, unpack_data: bool = True, unpack_pivots: bool = True) -> LU:
    """Return (P, L, U) from the result of `linalg.lu_factor`; what is not asked for is empty.

    >>> import tinygrad_lite as tl
    >>> A = tl.tensor([[4.0, 1.0], [1.0, 3.0]])
    >>> tl.lu_unpack(*tl.linalg.lu_factor(A))[1]
    tensor([[1.0000, 0.0000],
            [0.2500, 1.0000]])
    """
    check_matrix("lu_unpack", LU_data)
    nothing = make(new.empty(0, bare(LU_data).dtype))
    L, U = _halves(LU_data) if unpack_data else (nothing, nothing)
    order = _order(bare(LU_pivots), LU_data.shape[-2])
    return LU(_permutation(order, bare(LU_data).dtype) if unpack_pivots else nothing, L, U)


class TriangularSolve(NamedTuple):
    """The result of `triangular_solve`."""

    solution: Any
    cloned_coefficient: Any


@function()
def triangular_solve(
    b: Array, A: Array, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolve:  # fmt: skip
    """Return (solution, a copy of A): `linalg.solve_triangular` in its older form.

    >>> import tinygrad_lite as tl
    >>> tl.triangular_solve(tl.tensor([[4.0]]), tl.tensor([[2.0]])).solution
    tensor([[2.]])
    """
    T, up = (mT(A), not upper) if transpose else (A, upper)
    return TriangularSolve(solve_triangular(T, b, upper=up, unitriangular=unitriangular), A.clone())


# ------------------------------------------------------------------------------------------------ reflections
@function(public=False)
def householder_product(A: Array, tau: Array) -> Array:
    """Return the first columns of the product of Householder reflections ``I - tau v v.T`` (of `geqrf`).

    The vectors v are the columns of ``A`` below its diagonal, which counts as 1.

    >>> import tinygrad_lite as tl
    >>> A = tl.tensor([[4.0, 1.0], [1.0, 3.0]])
    >>> tl.linalg.householder_product(*tl.geqrf(A))
    tensor([[-0.9701, -0.2425],
            [-0.2425,  0.9701]])
    """
    check_matrix("householder_product", A)
    m, n = A.shape[-2:]
    if n > m or tau.shape[-1] > n:
        raise ShapeError(
            f"householder_product: A must be tall, with at most as many tau: {describe(A)}, {describe(tau)}"
        )
    Q: Any = make(new.eye(m, n, dtype=bare(A).dtype))
    vectors = np.tril(A, -1) + new.eye(m, n, dtype=bare(A).dtype)
    for i in new.arange(tau.shape[-1]).tolist()[::-1]:
        v = vectors[..., :, i : i + 1]
        Q = Q - tau[..., i : i + 1].unsqueeze(-1) * v @ (mT(v) @ Q)
    return Q


class Geqrf(NamedTuple):
    """The result of `geqrf`."""

    a: Any
    tau: Any


@function()
def geqrf(input: Array) -> Geqrf:
    """Return the reflections of a QR decomposition and R in one matrix, and their factors ``tau``; no gradient.

    >>> import tinygrad_lite as tl
    >>> tl.geqrf(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    Geqrf(a=tensor([[-4.1231, -1.6977],
            [ 0.1231,  2.6679]]), tau=tensor([1.9701, 0.0000]))
    """
    check_matrix("geqrf", input)
    h, tau = np.linalg.qr(bare(input), mode="raw")
    return Geqrf(make(new.array(h.swapaxes(-1, -2))), make(tau))


@function()
def orgqr(input: Array, tau: Array) -> Array:
    """Return the product of Householder reflections: `linalg.householder_product`.

    >>> import tinygrad_lite as tl
    >>> A = tl.tensor([[4.0, 1.0], [1.0, 3.0]])
    >>> tl.orgqr(*tl.geqrf(A))
    tensor([[-0.9701, -0.2425],
            [-0.2425,  0.9701]])
    """
    return householder_product(input, tau)


# ------------------------------------------------------------------------------------------------ tensors
@function(numpy=np.linalg.tensorinv, public=False)
def tensorinv(A: Array, ind: int = 2) -> Array:
    """Return the inverse of ``A`` as a linear map from its last axes to its first ``ind``.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.tensorinv(tl.eye(4).reshape(2, 2, 2, 2))
    tensor([[[[1., 0.],
              [0., 0.]],
    <BLANKLINE>
             [[0., 1.],
              [0., 0.]]],
    <BLANKLINE>
    <BLANKLINE>
            [[[0., 0.],
              [1., 0.]],
    <BLANKLINE>
             [[0., 0.],
              [0., 1.]]]])
    """
    shape = tuple(A.shape)
    n = int(np.prod(shape[:ind], dtype=np.int64))
    if ind <= 0 or n * n != int(np.prod(shape, dtype=np.int64)):
        raise ShapeError(f"tensorinv: the first {ind} axes of {describe(A)} need as many elements as the others")
    return inv(A.reshape((n, n))).reshape((*shape[ind:], *shape[:ind]))


@function(numpy=np.linalg.tensorsolve, public=False)
def tensorsolve(A: Array, B: Array, dims: Any = None) -> Array:
    """Return X with ``tensordot(A, X, X.ndim) = B``.

    ``dims`` of ``A`` are moved to its end first.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.tensorsolve(tl.eye(4).reshape(2, 2, 2, 2), tl.ones(2, 2))
    tensor([[1., 1.],
            [1., 1.]])
    """
    A, B = tensor_of(A), tensor_of(B)
    if dims is not None:
        moved = tuple(int(i) % A.ndim for i in dims)
        A = A.permute(tuple(i for i in range(A.ndim) if i not in moved) + moved)
    rest = tuple(A.shape[B.ndim :])
    n = B.numel()
    if int(np.prod(rest, dtype=np.int64)) != n or A.numel() != n * n:
        raise ShapeError(
            f"tensorsolve: the first {B.ndim} axes of A {describe(A)} and the others must each have as many elements "
            f"as B {describe(B)}"
        )
    return solve(A.reshape((n, n)), B.reshape((n,))).reshape(rest)
