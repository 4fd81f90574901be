"""Matrix products, chains of them, and `linear`, as fast as BLAS allows."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.promotion import one_dtype
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor, make
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.threads import SMALL, multiply, plain


def _left(g: Array, other: Array, input_shape: Any) -> Array:
    if len(input_shape) == 1:
        if other.ndim == 1:
            return g * other
        return product(other, g.reshape((*g.shape, 1))).reshape(tuple(other.shape[:-1]))
    return g.reshape((*g.shape, 1)) * other if other.ndim == 1 else product(g, other.swapaxes(-1, -2))


def _right(g: Array, input: Array, other_shape: Any) -> Array:
    if input.ndim == 1:
        return (
            input * g if len(other_shape) == 1 else input.reshape((-1, 1)) * g.reshape((*g.shape[:-1], 1, g.shape[-1]))
        )
    if len(other_shape) == 1:
        return product(input.swapaxes(-1, -2), g.reshape((*g.shape, 1))).reshape((*input.shape[:-2], input.shape[-1]))
    if len(other_shape) == 2 and input.ndim > 2:
        # one product over all batches instead of one per batch and a sum
        rows = prod(input.shape[:-1])  # not -1: an axis may be empty
        return product(input.reshape((rows, input.shape[-1])).T, g.reshape((rows, g.shape[-1])))
    return product(input.swapaxes(-1, -2), g)


@op(
    input=_left, other=_right, kind="linalg", label="@", promote="equal", numpy=np.matmul,
    samples=Samples("(...,n,k),(k,m)->(...,n,m)"),
    flops=lambda input_shape, y_shape: 2 * prod(y_shape) * input_shape[-1],
)  # fmt: skip
def matmul(input: Array, other: Array) -> Array:
    """Return the matrix product.

    1-D arguments are vectors, more than two axes are batches.

    >>> import tinygrad_lite as tl
    >>> tl.matmul(tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    if not (np.ndim(input) and np.ndim(other)):
        what = f"(input {describe(input)}, other {describe(other)})"
        raise ShapeError(f"matmul: a number has no axis to sum over; use mul {what}")
    if input.shape[-1] != other.shape[-2 if other.ndim > 1 else 0]:
        inner = input.shape[-1], other.shape[-2 if other.ndim > 1 else 0]
        raise ShapeError(
            f"matmul: the last axis of input has {inner[0]} elements, but other has {inner[1]} to multiply them with "
            f"(input {describe(input)}, other {describe(other)}); transpose or reshape one of them"
        )
    return product(input, other)


SHORT = 64
"""Numbers in a row up to which a Gram matrix is a product like any other."""


def _gram(a: Array, b: Array) -> bool:
    """Return whether ``b`` is ``a`` transposed, with short rows.

    NumPy computes half of such a product, and copies the other half number by number: up to eight times as long.
    """
    n = a.shape[-1]
    if not 1 < n <= SHORT or a.ndim < 2 or a.ndim != b.ndim or a.strides[-2:] != b.strides[:-3:-1]:
        return False
    return a.shape[-2] == b.shape[-1] > n and np.shares_memory(a[..., :1, :1], b[..., :1, :1])


def product(a: Array, b: Array) -> Array:
    """Return ``a @ b`` of bare arrays or Tensors."""
    if a.__class__ is not ndarray or b.__class__ is not ndarray:
        return a @ b
    if (b.base is a or a.base is b or a.base is not None and a.base is b.base) and _gram(a, b):
        b = new.ascontiguousarray(b)
    if b.ndim == 2:
        if a.ndim > 2:  # as one matrix: NumPy has no BLAS for `dot` with more axes, and many small products for matmul
            lead = a.shape[:-1]
            return product(a.reshape((prod(lead), a.shape[-1])), b).reshape((*lead, b.shape[1]))
        if a.size * b.shape[1] <= SMALL:  # the usual case, without another Python call
            return a.dot(b) if a.size > 1 < b.size else plain(a, b)  # as there
    return multiply(a, b)


def _linear_input(g: Array, weight: Array) -> Array:
    if weight.ndim == 1:
        return g.reshape((*g.shape, 1)) * weight
    return product(g, weight)


def _linear_weight(g: Array, input: Array) -> Array:
    if g.ndim < input.ndim:  # a weight with one axis: one output, which has no axis
        return product(g.reshape((1, prod(g.shape))), input.reshape((prod(g.shape), input.shape[-1]))).reshape(-1)
    if g.ndim == 1:
        return g.reshape((-1, 1)) * input
    if g.ndim > 2:
        rows = prod(g.shape[:-1])  # not -1: an axis may be empty
        g, input = g.reshape((rows, g.shape[-1])), input.reshape((rows, input.shape[-1]))
    # BLAS takes three times as long for a single row
    return g.T * input if g.shape[0] == 1 else product(g.T, input)


@op(
    input=_linear_input, weight=_linear_weight, bias=lambda g: g,
    functional=True, kind="linalg", promote="equal", method=False, samples=Samples("(...,k),(m,k),(m)?->(...,m)"),
    layout=None,  # a product is contiguous
    flops=lambda input_shape, y_shape: 2 * prod(y_shape) * input_shape[-1],
)  # fmt: skip
def linear(input: Array, weight: Array, bias: Array = None) -> Array:
    """Return ``input @ weight.T + bias``: input (..., in), weight (out, in), bias (out) or None.

    >>> import tinygrad_lite as tl
    >>> tl.linear(tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0, 4.0], [5.0, 6.0]]))
    tensor([[11., 17.]])
    """
    shape = weight.shape
    if len(shape) != 2 or not input.ndim or input.shape[-1] != shape[1]:
        if len(shape) == 1 and bias is None and input.ndim and input.shape[-1] == shape[0]:
            return product(input, weight)
        raise ShapeError(
            f"linear: weight expects {weight.shape[-1] if weight.ndim else '?'} input features, "
            f"x has {input.shape[-1] if input.ndim else 'none'} (x {describe(input)}, weight {describe(weight)})"
        )
    y = product(input, weight.T)
    if bias is not None:
        if bias.shape != (shape[0],) and bias.shape not in ((), (1,)):
            raise ShapeError(f"linear: bias must be ({shape[0]},) for weight {shape}, it is {bias.shape}")
        y += bias
    return y


def tensor_of(x: Any) -> Tensor:
    """Return ``x`` as a tensor."""
    return x if isinstance(x, Tensor) else make(new.asarray(x))


@function(numpy=np.linalg.multi_dot, public=False)
def multi_dot(tensors: Any) -> Array:
    """Return the product of several matrices in the cheapest order.

    Source: the classic dynamic programme for matrix chains (Cormen et al., Introduction to Algorithms, 15.2).

    >>> import tinygrad_lite as tl
    >>> tl.linalg.multi_dot([tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0], [4.0]])])
    tensor([[11.]])
    """
    given = [tensor_of(t) for t in tensors]
    if len(given) < 2:
        raise OptionError(f"multi_dot: expected at least two tensors, got {len(given)}")
    ends = given[0].ndim == 1, given[-1].ndim == 1
    given[0] = given[0].reshape((1, -1)) if ends[0] else given[0]
    given[-1] = given[-1].reshape((-1, 1)) if ends[1] else given[-1]
    for a in given:
        if a.ndim != 2:
            raise ShapeError(f"multi_dot: expected matrices, got {', '.join(describe(t) for t in given)}")
    sizes = [given[0].shape[0], *(a.shape[1] for a in given)]
    for a, b in zip(given, given[1:], strict=False):
        if a.shape[1] != b.shape[0]:
            raise ShapeError(f"multi_dot: shapes do not fit one another: {', '.join(describe(t) for t in given)}")
    n = len(given)
    cost = new.zeros((n, n))
    split = new.zeros((n, n), np.int64)
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            tries = [cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            split[i, j] = i + int(np.argmin(tries))
            cost[i, j] = min(tries)

    out = _chain(given, split, 0, n - 1)
    shape = tuple(out.shape)
    return out.reshape(shape[1 if ends[0] else 0 : 1 if ends[1] else 2]) if any(ends) else out


def _chain(given: list[Any], split: Any, i: int, j: int) -> Any:
    k = int(split[i, j])
    return given[i] if i == j else _chain(given, split, i, k) @ _chain(given, split, k + 1, j)


@function(numpy=getattr(np, "vecdot", None), public=False)
def vecdot(x: Array, y: Array, dim: int = -1) -> Array:
    """Return the scalar products of vectors along ``dim``; the other axes broadcast.

    >>> import tinygrad_lite as tl
    >>> tl.linalg.vecdot(tl.tensor([1.0, 0.0, 0.0]), tl.tensor([0.0, 1.0, 0.0]))
    tensor(0.)
    """
    one_dtype("vecdot", (x, y))
    return (tensor_of(x) * y).sum(dim)
