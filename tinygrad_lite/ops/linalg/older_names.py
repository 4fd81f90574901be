"""PyTorch's older names of linear algebra: functions of the package, and methods, made of those of `matrix`."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.ops.linalg.decompositions import mT
from tinygrad_lite.ops.linalg.matmul import multi_dot
from tinygrad_lite.ops.linalg.matrix import QR, cholesky, inv, pinv, qr, solve_triangular, svd


@function()
def inverse(input: Array) -> Array:
    """Return the inverse of each matrix: `linalg.inv`.

    >>> import tinygrad_lite as tl
    >>> tl.inverse(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([[ 0.2727, -0.0909],
            [-0.0909,  0.3636]])
    """
    return inv(input)


@function()
def pinverse(input: Array, rcond: float = 1e-15) -> Array:
    """Return the pseudo-inverse of each matrix: `linalg.pinv`.

    >>> import tinygrad_lite as tl
    >>> tl.pinverse(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([[ 0.2727, -0.0909],
            [-0.0909,  0.3636]])
    """
    return pinv(input, rtol=rcond)


@function(name="cholesky")
def cholesky_method(input: Array, upper: bool = False) -> Array:
    """Return the Cholesky factor of each matrix: `linalg.cholesky`.

    >>> import tinygrad_lite as tl
    >>> tl.cholesky(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([[2.0000, 0.0000],
            [0.5000, 1.6583]])
    """
    return cholesky(input, upper=upper)


@function()
def cholesky_solve(B: Array, L: Array, upper: bool = False) -> Array:
    """Return X with ``L @ L.mT @ X = B`` for a Cholesky factor L (its transpose with ``upper``).

    >>> import tinygrad_lite as tl
    >>> tl.cholesky_solve(tl.tensor([[1.0], [2.0]]), tl.tensor([[2.0, 0.0], [1.0, 1.5]]))
    tensor([[-0.0833],
            [ 0.6667]])
    """
    half = solve_triangular(mT(L) if upper else L, B, upper=False)
    return solve_triangular(L if upper else mT(L), half, upper=True)


@function()
def cholesky_inverse(L: Array, upper: bool = False) -> Array:
    """Return the inverse of ``L @ L.mT`` for a Cholesky factor L (its transpose with ``upper``).

    >>> import tinygrad_lite as tl
    >>> tl.cholesky_inverse(tl.tensor([[2.0, 0.0], [1.0, 1.5]]))
    tensor([[ 0.3611, -0.2222],
            [-0.2222,  0.4444]])
    """
    return cholesky_solve(make(new.eye(L.shape[-1], dtype=L.dtype)), L, upper)


@function(name="qr")
def qr_method(input: Array, some: bool = True) -> QR:
    """Return (Q, R): `linalg.qr` with its older arguments.

    >>> import tinygrad_lite as tl
    >>> tl.qr(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    QR(Q=tensor([[-0.9701, -0.2425],
            [-0.2425,  0.9701]]), R=tensor([[-4.1231, -1.6977],
            [ 0.0000,  2.6679]]))
    """
    return qr(input, "reduced" if some else "complete")


@function(name="svd")
def svd_method(input: Array, some: bool = True, compute_uv: bool = True) -> Any:
    """Return (U, S, V), V not transposed: `linalg.svd` with its older arguments.

    >>> import tinygrad_lite as tl
    >>> tl.svd(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    (tensor([[-0.8507, -0.5257],
            [-0.5257,  0.8507]]), tensor([4.6180, 2.3820]), tensor([[-0.8507, -0.5257],
            [-0.5257,  0.8507]]))
    """
    u, s, vh = svd(input, not some)
    return u, s, mT(vh)


@function()
def chain_matmul(*matrices: Any) -> Array:
    """Return the product of several matrices in the cheapest order: `linalg.multi_dot`.

    >>> import tinygrad_lite as tl
    >>> tl.chain_matmul(tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    return multi_dot(matrices) if len(matrices) != 1 else matrices[0]


@function(method=False)
def svd_lowrank(A: Array, q: int | None = 6, niter: int | None = 2, M: Array | None = None) -> Any:
    """Return U, S, V of the ``q`` largest singular values of ``A - M``; they are exact, whatever ``niter`` says.

    >>> import tinygrad_lite as tl
    >>> tl.svd_lowrank(tl.diag(tl.tensor([1.0, 3.0, 2.0])), q=2)[1]
    tensor([3., 2.])
    """
    count = 6 if q is None else q
    if not 0 <= count <= min(A.shape[-2:]):
        raise ValueError(f"svd_lowrank: q {count} must be non-negative and not greater than {min(A.shape[-2:])}")
    u, s, vh = svd(A if M is None else A - M, full_matrices=False)
    return u[..., :count], s[..., :count], mT(vh)[..., :count]


@function(method=False)
def pca_lowrank(A: Array, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """Return U, S, V of the ``q`` principal axes (V) of the rows of ``A``; they are exact, whatever ``niter`` says.

    >>> import tinygrad_lite as tl
    >>> tl.pca_lowrank(tl.tensor([[1.0, 0.0], [3.0, 0.0]]), q=1)[1]
    tensor([1.4142])
    """
    count = min(6, *A.shape[-2:]) if q is None else q
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, count)
