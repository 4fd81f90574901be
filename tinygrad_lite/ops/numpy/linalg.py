"""NumPy's linear algebra: products of vectors, matrices and tensors, traces."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.ops.linalg import einsum as equations, products
from tinygrad_lite.ops.linalg.matmul import matmul
from tinygrad_lite.ops.numpy.arguments import tensor_of
from tinygrad_lite.ops.shape import joining, reshaping


@answers("dot")
def dot(a: Any, b: Any) -> Any:
    """Answer numpy.dot."""
    a, b = tensor_of(a), tensor_of(b)
    if not a.ndim or not b.ndim:
        return a * b
    return products.tensordot(a, b, ([-1], [-2 if b.ndim > 1 else 0]))


@answers("vdot")
def vdot(a: Any, b: Any) -> Any:
    """Answer numpy.vdot."""
    return matmul(tensor_of(a).reshape(-1), tensor_of(b).reshape(-1))


@answers("inner")
def inner(a: Any, b: Any) -> Any:
    """Answer numpy.inner."""
    return products.inner(tensor_of(a), tensor_of(b))


@answers("outer", "linalg.outer")
def outer(a: Any, b: Any) -> Any:
    """Answer numpy.outer."""
    return tensor_of(a).reshape((-1, 1)) * tensor_of(b).reshape((1, -1))


@answers("vecdot", "linalg.vecdot")
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Answer numpy.vecdot."""
    return (tensor_of(x1) * tensor_of(x2)).sum(axis)


@answers("matvec")
def matvec(x1: Any, x2: Any) -> Any:
    """Answer numpy.matvec."""
    x2 = tensor_of(x2)
    return matmul(tensor_of(x1), x2.reshape((*x2.shape, 1)))[..., 0]


@answers("vecmat")
def vecmat(x1: Any, x2: Any) -> Any:
    """Answer numpy.vecmat."""
    x1 = tensor_of(x1)
    return matmul(x1.reshape((*x1.shape[:-1], 1, x1.shape[-1])), tensor_of(x2))[..., 0, :]


@answers("linalg.matmul")
def matmul_np(x1: Any, x2: Any) -> Any:
    """Answer numpy.linalg.matmul."""
    return matmul(x1, x2)


@answers("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Answer numpy.tensordot."""
    if not isinstance(axes, (int, np.integer)):
        axes = [[x] if isinstance(x, (int, np.integer)) else list(x) for x in axes]
    return products.tensordot(tensor_of(a), tensor_of(b), axes)


@answers("einsum")
def einsum(*operands: Any, optimize: Any = False) -> Any:
    """Answer numpy.einsum."""
    if not isinstance(operands[0], str):
        raise TypeError("numpy.einsum: write the subscripts as a string, such as 'ij,jk->ik', for tensors")
    return equations.einsum(operands[0], *[tensor_of(x) for x in operands[1:]])


@answers("kron")
def kron(a: Any, b: Any) -> Any:
    """Answer numpy.kron."""
    return products.kron(tensor_of(a), tensor_of(b))


@answers("linalg.cross")
def cross_np(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Answer numpy.linalg.cross."""
    return products.cross(tensor_of(x1), tensor_of(x2), axis)


@answers("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(x: Any) -> Any:
    """Answer numpy.matrix_transpose."""
    return reshaping.adjoint(x)


@answers("linalg.diagonal")
def last_diagonal(x: Any, offset: int = 0) -> Any:
    """Answer numpy.linalg.diagonal."""
    return joining.diagonal(x, offset, -2, -1)


@answers("trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """Answer numpy.trace."""
    return joining.diagonal(a, offset, axis1, axis2).sum(-1)


@answers("linalg.trace")
def last_trace(x: Any, offset: int = 0, dtype: Any = None) -> Any:
    """Answer numpy.linalg.trace."""
    return trace(x, offset, -2, -1)
