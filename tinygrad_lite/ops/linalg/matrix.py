"""The functions of ``tinygrad_lite.linalg``: PyTorch's names and results, made of the registered ops."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.elsewhere import highest
from tinygrad_lite.engine.op import PUBLIC, function
from tinygrad_lite.engine.tensor import Array, Tensor, make
from tinygrad_lite.errors import DTypeError, LinAlgError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import clone, contiguous
from tinygrad_lite.ops.linalg import decompositions as d
from tinygrad_lite.ops.linalg.decompositions import check_matrix, mT
from tinygrad_lite.ops.linalg.matmul import tensor_of
from tinygrad_lite.ops.shape.moving import flip


class QR(NamedTuple):
    """The result of `qr`."""

    Q: Any
    R: Any


class Eigh(NamedTuple):
    """The result of `eigh`."""

    eigenvalues: Any
    eigenvectors: Any


class SVD(NamedTuple):
    """The result of `svd`."""

    U: Any
    S: Any
    Vh: Any


class Slogdet(NamedTuple):
    """The result of `slogdet`."""

    sign: Any
    logabsdet: Any


class InvEx(NamedTuple):
    """The result of `inv_ex`."""

    inverse: Any
    info: Any


class CholeskyEx(NamedTuple):
    """The result of `cholesky_ex`."""

    L: Any
    info: Any


def bare(x: Any) -> Any:
    """Return the array of a Tensor, and anything else unchanged."""
    return x.array if isinstance(x, Tensor) else x


def over(name: str, call: Any, *args: Any) -> Any:
    """Call an op; raise NumPy's LinAlgError as ours, with the shapes."""
    try:
        return call(*args)
    except LinAlgError:
        raise
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{name}: {error} ({', '.join(describe(a) for a in args if hasattr(a, 'shape'))})") from None


# ------------------------------------------------------------------------------------------------ solving
@function(numpy=np.linalg.inv, public=False)
def inv(A: Array) -> Array:
    """Return the inverse of each matrix of ``A`` (..., n, n).

    Raises LinAlgError for a singular one.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.inv(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return over("inv", d.inv_op, A)


@function(public=False)
def inv_ex(A: Array, *, check_errors: bool = False) -> InvEx:
    """Return (inverse, info); of a singular matrix info is the number of its zero pivot, and the inverse NaN.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.inv_ex(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    InvEx(inverse=tensor([[ 0.2727, -0.0909],
            [-0.0909,  0.3636]]), info=tensor(0, dtype=int32))
    """
    return InvEx(*_one_by_one(A, inv, _first_dependent, check_errors))


def _one_by_one(A: Array, compute: Any, place: Any, check_errors: bool) -> tuple[Any, Any]:
    """Return (result, info), for each matrix that has no result NaN and the number of the pivot that fails."""
    try:
        return compute(A), make(new.zeros(A.shape[:-2], np.int32))
    except LinAlgError:
        if check_errors:
            raise
    if A.ndim == 2:
        return make(new.full(tuple(A.shape), np.nan, A.dtype)), make(new.array(place(A), np.int32))
    parts = [_one_by_one(x, compute, place, False) for x in A.reshape(-1, *A.shape[-2:])]
    stack = PUBLIC["stack"]
    return stack([p[0] for p in parts]).reshape(A.shape), stack([p[1] for p in parts]).reshape(A.shape[:-2])


def _first_dependent(A: Array) -> int:
    """Return the number of the first column that depends on those before it: there elimination finds no pivot."""
    ranks = (int(np.linalg.matrix_rank(bare(A)[:, :k])) for k in range(1, A.shape[-1]))
    return next((k for k, rank in enumerate(ranks, 1) if rank < k), int(A.shape[-1]))


def _first_minor(A: Array) -> int:
    """Return the order of the first leading minor that is not positive definite."""
    for k in range(1, A.shape[-1]):
        try:
            np.linalg.cholesky(bare(A)[:k, :k])
        except np.linalg.LinAlgError:
            return k
    return int(A.shape[-1])


@function(numpy=np.linalg.solve, public=False)
def solve(A: Array, B: Array, *, left: bool = True) -> Array:
    """Return X with ``A @ X = B`` (``X @ A = B`` with ``left=False``).

    ``B`` holds matrices (..., n, k) or vectors (..., n).

    >>> import tinygrad_lite as tl
    >>> tl.linalg.solve(tl.tensor([[2.0, 0.0], [0.0, 4.0]]), tl.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    A, B = tensor_of(A), tensor_of(B)
    check_matrix("solve", A, square=True)
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1]))
    if vector:
        if B.shape[-1] != A.shape[-1]:
            raise ShapeError(f"solve: B needs as many elements as A has rows: A {describe(A)}, B {describe(B)}")
        return over("solve", d.solve_op, A if left else mT(A), d.rows(B)).squeeze(-1)
    return over("solve", d.solve_op, A, B) if left else mT(over("solve", d.solve_op, mT(A), mT(B)))


@function(public=False)
def solve_triangular(
    A: Array, B: Array, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Array:  # fmt: skip
    """Return X with ``T @ X = B`` (``X @ T = B`` with ``left=False``), T the upper or lower triangle of ``A``.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.solve_triangular(tl.tensor([[4.0, 1.0], [0.0, 3.0]]), tl.tensor([[1.0], [2.0]]), upper=True)
    tensor([[0.0833],
            [0.6667]])
    """
    if left:
        return over("solve_triangular", d.solve_triangle, A, B, upper, unitriangular)
    return mT(over("solve_triangular", d.solve_triangle, mT(A), mT(B), not upper, unitriangular))


@function(numpy=np.linalg.pinv, public=False)
def pinv(A: Array, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Array:
    """Return the pseudo-inverse of each matrix.

    Singular values up to ``rtol`` times the largest count as 0.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.pinv(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([[ 0.2727, -0.0909],
            [-0.0909,  0.3636]])
    """
    rtol = rcond if rtol is None else rtol
    if atol is not None:
        check_matrix("pinv", A)
        top = highest(np.linalg.svd(bare(A), compute_uv=False), 0.0, -1)
        least = new.asarray(bare(atol), np.float64) / np.where(top == 0, 1, top)
        rtol = np.maximum(least, 0.0 if rtol is None else bare(rtol))
    return over("pinv", d.pinv_op, A, None if rtol is None else new.asarray(bare(rtol), np.float64))


# ------------------------------------------------------------------------------------------------ decompositions
@function(numpy=np.linalg.cholesky, public=False)
def cholesky(A: Array, *, upper: bool = False) -> Array:
    """Return the lower triangular L with ``L @ L.mT = A``, or its transpose.

    Only the lower (``upper``: the upper) triangle of ``A`` is read. Raises LinAlgError unless ``A`` is positive.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.cholesky(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([[2.0000, 0.0000],
            [0.5000, 1.6583]])
    """
    L = over("cholesky", d.cholesky_op, mT(A) if upper else A)
    return mT(L) if upper else L


@function(public=False)
def cholesky_ex(A: Array, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """Return (L, info); without a decomposition info is the order of the first minor that fails, and L NaN.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.cholesky_ex(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    CholeskyEx(L=tensor([[2.0000, 0.0000],
            [0.5000, 1.6583]]), info=tensor(0, dtype=int32))
    """
    return CholeskyEx(*_one_by_one(A, lambda x: cholesky(x, upper=upper), _first_minor, check_errors))


@function(numpy=np.linalg.qr, public=False)
def qr(A: Array, mode: str = "reduced") -> QR:
    """Return (Q, R): Q with orthonormal columns, R upper triangular, ``Q @ R = A``.

    ``mode`` is reduced, complete or r.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.qr(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    QR(Q=tensor([[-0.9701, -0.2425],
            [-0.2425,  0.9701]]), R=tensor([[-4.1231, -1.6977],
            [ 0.0000,  2.6679]]))
    """
    if mode not in ("reduced", "complete", "r"):
        raise OptionError(f"qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    q, r = d.qr_op(tensor_of(A), "reduced" if mode == "r" else mode)
    return QR(make(new.zeros(0, r.dtype)), r) if mode == "r" else QR(q, r)


@function(numpy=np.linalg.eigh, public=False)
def eigh(A: Array, UPLO: str = "L") -> Eigh:
    """Return (eigenvalues ascending, eigenvectors as columns) of symmetric matrices.

    Only one triangle of ``A`` is read. Between equal eigenvalues the vectors carry no gradient.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.eigh(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    Eigh(eigenvalues=tensor([2.3820, 4.6180]), eigenvectors=tensor([[ 0.5257, -0.8507],
            [-0.8507, -0.5257]]))
    """
    if UPLO not in ("L", "U", "l", "u"):
        raise OptionError(f"eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    return Eigh(*over("eigh", d.eigh_op, tensor_of(A), UPLO.upper()))


@function(numpy=np.linalg.eigvalsh, public=False)
def eigvalsh(A: Array, UPLO: str = "L") -> Array:
    """Return the eigenvalues of symmetric matrices, ascending.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.eigvalsh(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([2.3820, 4.6180])
    """
    return eigh(A, UPLO)[0]


@function(numpy=np.linalg.svd, public=False)
def svd(A: Array, full_matrices: bool = True, *, driver: str | None = None, compute_uv: bool = True) -> Any:
    """Return (U, S, Vh) with ``U * S @ Vh = A`` and S descending.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.svd(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    SVD(U=tensor([[-0.8507, -0.5257],
            [-0.5257,  0.8507]]), S=tensor([4.6180, 2.3820]), Vh=tensor([[-0.8507, -0.5257],
            [-0.5257,  0.8507]]))
    """
    if not compute_uv:
        return svdvals(A)
    return SVD(*over("svd", d.svd_op, tensor_of(A), bool(full_matrices)))


@function(public=False, numpy=getattr(np.linalg, "svdvals", None))
def svdvals(A: Array, *, driver: str | None = None) -> Array:
    """Return the singular values of each matrix, descending.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.svdvals(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([4.6180, 2.3820])
    """
    return over("svdvals", d.svd_op, tensor_of(A), False)[1]


# ------------------------------------------------------------------------------------------------ numbers of a matrix
@function(numpy=np.linalg.det, name="det")
def det(A: Array) -> Array:
    """Return the determinant of each matrix.

    Its gradient is right for singular matrices too.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.det(tl.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor(3.)
    """
    return d.det_op(A)


@function(numpy=np.linalg.slogdet, name="slogdet")
def slogdet(A: Array) -> Slogdet:
    """Return (sign, logarithm of the absolute value) of the determinant of each matrix.

    >>> import tinygrad_lite as tl
    >>> tl.slogdet(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    Slogdet(sign=tensor(1.), logabsdet=tensor(2.3979))
    """
    return Slogdet(*over("slogdet", d.slogdet_op, tensor_of(A)))


@function()
def logdet(A: Array) -> Array:
    """Return the log-determinant of each matrix: NaN where negative, -inf where 0.

    >>> import tinygrad_lite as tl
    >>> tl.logdet(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor(2.3979)
    """
    sign, logabs = slogdet(A)
    return PUBLIC["where"](sign < 0, np.nan, logabs)


@function(numpy=np.linalg.matrix_rank, public=False)
def matrix_rank(A: Array, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Array:
    """Return the number of singular values above ``max(atol, rtol * largest)``.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.matrix_rank(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor(2)
    """
    check_matrix("matrix_rank", A)
    x = bare(A)
    s = np.linalg.svd(x, compute_uv=False)
    if rtol is None and tol is None and (atol is None or not np.any(bare(atol))):
        rtol = max(x.shape[-2:]) * np.finfo(x.dtype).eps
    least = np.maximum(_tolerance(tol), _tolerance(atol))
    top = s.max(-1, keepdims=True, initial=0.0)
    return make(new.asarray((s > np.maximum(least, _tolerance(rtol) * top)).sum(-1)))


def _tolerance(value: Any) -> Any:
    """Return a tolerance, one number or one per matrix, to compare with singular values (..., k)."""
    return 0.0 if value is None else new.asarray(bare(value), np.float64)[..., None]


# ------------------------------------------------------------------------------------------------ products
@function(numpy=np.linalg.matrix_power, name="matrix_power")
def matrix_power(A: Array, n: int) -> Array:
    """Return each square matrix multiplied with itself ``n`` times.

    For negative ``n`` it is its inverse.

    >>> import tinygrad_lite as tl
    >>> tl.matrix_power(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), 2)
    tensor([[17.,  7.],
            [ 7., 10.]])
    """
    if not isinstance(n, (int, np.integer)):
        raise DTypeError(f"matrix_power: n must be an integer, got {describe(n)}")
    A = tensor_of(A)
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"matrix_power: expected square matrices, got {describe(A)}")
    if n < 0:
        A, n = inv(A), -n
    if n < 2:
        return clone(A) if n else contiguous(_ones_of(A))
    out = None
    while True:  # by squaring
        if n & 1:
            out = A if out is None else out @ A
        n >>= 1
        if not n:
            return out
        A = A @ A


def _ones_of(A: Tensor) -> Array:
    """Return unit matrices that stay in the graph of ``A``, with a gradient of 0."""
    return where(np.broadcast_to(False, tuple(A.shape)), A, new.eye(A.shape[-1], dtype=A.array.dtype))


@function(public=False)
def vander(x: Array, N: int | None = None) -> Array:
    """Return the powers 0 .. N - 1 of the last axis of ``x`` along a new last axis.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.vander(tl.tensor([1.0, 2.0, 3.0]))
    tensor([[1., 1., 1.],
            [1., 2., 4.],
            [1., 3., 9.]])
    """
    x = tensor_of(x)
    if N is not None and N <= 1:
        raise ShapeError(f"vander: expected N > 1, got {N}")
    return _powers(x if x.ndim else x.reshape((1,)), N)


def _powers(x: Array, N: int | None) -> Array:
    return d.rows(x) ** new.arange(x.shape[-1] if N is None else int(N)).astype(x.dtype)


@function(numpy=np.vander, name="vander", method=False)
def vander_descending(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """Return the powers of a vector as columns, highest first (last with ``increasing``).

    >>> import tinygrad_lite as tl
    >>> tl.vander(tl.tensor([1.0, 2.0, 3.0]))
    tensor([[1., 1., 1.],
            [4., 2., 1.],
            [9., 3., 1.]])
    """
    if x.ndim != 1:
        raise ShapeError(f"vander: expected a vector, got {describe(x)}")
    out = _powers(x, N)
    return out if increasing else flip(out, 1)


@function(public=False)
def cross(input: Array, other: Array, *, dim: int = -1) -> Array:
    """Return the cross products of vectors of three elements along ``dim``.

    The other axes broadcast.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.cross(tl.tensor([1.0, 0.0, 0.0]), tl.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return PUBLIC["cross"](tensor_of(input), other, dim)


@function(public=False)
def diagonal(A: Array, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """Return the diagonal of each matrix.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.diagonal(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([4., 3.])
    """
    return PUBLIC["diagonal"](tensor_of(A), offset, dim1, dim2)


@function(numpy=getattr(np.linalg, "matmul", None), public=False)
def matmul(input: Array, other: Array) -> Array:
    """Return the matrix product: `tinygrad_lite.matmul`.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.matmul(tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    return PUBLIC["matmul"](input, other)


@function()
def matrix_exp(A: Array) -> Array:
    r"""Return the matrix exponential :math:`e^A = \sum_k A^k / k!`.

    Source: Higham, Functions of Matrices, chapter 10.

    >>> import tinygrad_lite as tl
    >>> tl.matrix_exp(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor([[76.2898, 40.4588],
            [40.4588, 35.8311]])
    """
    A = tensor_of(A)
    check_matrix("matrix_exp", A, square=True)
    top = float(np.abs(A.array).sum(-2).max(initial=0.0))
    if not np.isfinite(top):
        raise LinAlgError(f"matrix_exp: the matrix holds numbers that are not finite ({describe(A)})")
    squarings = max(0, int(np.ceil(np.log2(top))) + 2) if top > 0.25 else 0
    X = A / float(2**squarings)
    eye = new.eye(A.shape[-1], dtype=A.dtype)
    out = eye + X / 14
    for k in range(13, 0, -1):
        out = eye + (X @ out) / k
    for _ in range(squarings):
        out = out @ out
    return out
