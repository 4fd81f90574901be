"""Norms, condition numbers and least squares under the names of ``tinygrad_lite.linalg``."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import PUBLIC, function
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.linalg import decompositions as d
from tinygrad_lite.ops.linalg.decompositions import check_matrix
from tinygrad_lite.ops.linalg.matmul import tensor_of
from tinygrad_lite.ops.linalg.matrix import inv, matrix_rank, pinv, svdvals


@function(numpy=getattr(np.linalg, "vector_norm", None), public=False)
def vector_norm(x: Array, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Array:
    """Return the ``ord``-norm of vectors along ``dim`` (of all elements by default).

    The slope at 0 is taken as 0.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.vector_norm(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor(5.1962)
    """
    if not isinstance(ord, (int, float)):
        raise OptionError(f"vector_norm: ord must be a number, inf or -inf, got {ord!r}")
    dim = tuple(dim) if isinstance(dim, list) else dim
    return PUBLIC["norm"](tensor_of(x), float(ord), dim, keepdim, dtype)


@function(numpy=getattr(np.linalg, "matrix_norm", None), public=False)
def matrix_norm(
    A: Array, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Array:  # fmt: skip
    """Return a norm of matrices.

    ``ord``: "fro", "nuc", 2, -2 (singular values), 1, -1 (columns), inf, -inf (rows).

    >>> import tinygrad_lite as tl
    >>> tl.linalg.matrix_norm(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor(5.1962)
    """
    A = tensor_of(A) if dtype is None else tensor_of(A).to(dtype)
    if A.ndim < 2:
        raise ShapeError(f"matrix_norm: expected at least two axes, got {describe(A)}")
    if not isinstance(dim, (tuple, list)) or len(dim) != 2 or dim[0] % A.ndim == dim[1] % A.ndim:
        raise OptionError(f"matrix_norm: dim must be two different axes of {describe(A)}, got {dim!r}")
    row, column = dim[0] % A.ndim, dim[1] % A.ndim
    if ord == "fro":
        return vector_norm(A, 2, (row, column), keepdim)
    if ord in ("nuc", 2, -2):
        rest = tuple(i for i in range(A.ndim) if i not in (row, column))
        s = svdvals(A.permute((*rest, row, column)))
        out = s.sum(-1) if ord == "nuc" else s.amax(-1) if ord == 2 else s.amin(-1)
        return out.reshape(tuple(1 if i in (row, column) else n for i, n in enumerate(A.shape))) if keepdim else out
    if ord not in (1, -1, inf, -inf):
        raise OptionError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    along, across = (row, column) if ord in (1, -1) else (column, row)
    sums = A.abs().sum(along, True)
    out = sums.amax(across, True) if ord > 0 else sums.amin(across, True)
    return out if keepdim else out.reshape(tuple(n for i, n in enumerate(A.shape) if i not in (row, column)))


@function(numpy=np.linalg.norm, public=False)
def norm(A: Array, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Array:
    """Return a norm of vectors (one ``dim``) or matrices (two): `vector_norm` or `matrix_norm`.

    Without ``ord`` the 2-norm of all elements along ``dim``. With ``ord`` but no ``dim``, ``A`` must be 1-D or 2-D.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.norm(tl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    A = tensor_of(A) if dtype is None else tensor_of(A).to(dtype)
    if ord is None:
        return vector_norm(A, 2, dim, keepdim)
    if dim is None and A.ndim not in (1, 2):
        raise ShapeError(f"norm: with ord={ord!r} and no dim the input must be 1-D or 2-D, got {describe(A)}")
    if (dim is None and A.ndim == 2) or (isinstance(dim, (tuple, list)) and len(dim) == 2):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim)
    if isinstance(ord, str):
        raise OptionError(f"norm: ord={ord!r} is a norm of matrices, the input is {describe(A)}")
    return vector_norm(A, ord, dim, keepdim)


@function(numpy=np.linalg.cond, public=False)
def cond(A: Array, p: Any = None) -> Array:
    """Return the condition number of each matrix: ``norm(A, p) * norm(inv(A), p)``.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.cond(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor(1.9387)
    """
    if not all(A.shape[-2:]):
        return A.sum((-2, -1))  # of nothing, 0
    if p in (None, 2, -2):
        s = svdvals(A)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


class Lstsq(NamedTuple):
    """The result of `lstsq`."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@function(public=False)
def lstsq(A: Array, B: Array, rcond: Any = None, *, driver: str | None = None) -> Lstsq:
    """Return the least-squares solution of ``A @ X = B`` and its statistics.

    The solution is ``pinv(A) @ B`` with every driver, and so is its gradient. Of the statistics "gelsy" (the default)
    gives the rank, "gels" the residuals of tall matrices, "gelsd" and "gelss" all; what is not given is empty.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.lstsq(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), tl.tensor([[1.0], [2.0]]))
    Lstsq(solution=tensor([[0.0909],
            [0.6364]]), residuals=tensor([]), rank=tensor(2), singular_values=tensor([]))
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise OptionError(f"lstsq: driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', got {driver!r}")
    A, B = tensor_of(A), tensor_of(B)
    check_matrix("lstsq", A)
    vector = B.ndim == 1
    b = d.rows(B) if vector else B
    if b.ndim < 2 or b.shape[-2] != A.shape[-2]:
        raise ShapeError(f"lstsq: B needs as many rows as A: A {describe(A)}, B {describe(B)}")
    x = pinv(A, rtol=rcond) @ b
    rank, (m, n), nothing = matrix_rank(A, rtol=rcond), A.shape[-2:], make(new.zeros(0, A.dtype))
    told = m > n and driver in ("gels", "gelsd", "gelss") and (driver == "gels" or bool((rank == n).all()))
    residuals = ((A @ x - b) ** 2).sum(-2) if told else nothing
    values = svdvals(A.detach()) if driver in ("gelsd", "gelss") else nothing
    rank = make(new.zeros(0, np.int64)) if driver == "gels" else rank
    return Lstsq(x.squeeze(-1) if vector else x, residuals, rank, values)


@function(numpy=np.linalg.lstsq, public=False)
def numpy_lstsq(a: Array, b: Array, rcond: Any = None) -> Lstsq:
    """Return what NumPy's ``lstsq`` does: all statistics."""
    return lstsq(a, b, rcond, driver="gelsd")
