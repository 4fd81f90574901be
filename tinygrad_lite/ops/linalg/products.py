"""Products of vectors, matrices and higher tensors, all made of `matmul`, `mul` and `einsum`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.promotion import one_dtype, result_dtype
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import add, mul
from tinygrad_lite.ops.elementwise.cast import bare, clone, contiguous
from tinygrad_lite.ops.elementwise.named_operators import uncut
from tinygrad_lite.ops.linalg.matmul import matmul
from tinygrad_lite.ops.linalg.norm import lengths
from tinygrad_lite.ops.linalg.points import euclidean
from tinygrad_lite.ops.shape.joining import cat, stack
from tinygrad_lite.ops.shape.reshaping import (
    permute_op,
    place,
    places,
    reshape_op,
    transpose,
    unsqueeze,
)  # fmt: skip


def _axes(name: str, *named: tuple[str, Array, int]) -> None:
    """Raise unless each named tensor has the given number of axes."""
    kinds = {1: "a vector", 2: "a matrix", 3: "a batch of matrices"}
    for word, x, n in named:
        if np.ndim(bare(x)) != n:
            shown = ", ".join(f"{w} {describe(v)}" for w, v, _ in named)
            raise ShapeError(
                f"{name}: {word} must be {kinds[n]} ({n}-D), got {np.ndim(bare(x))}-D ({shown}); see matmul"
            )


def _meet(name: str, a: int, b: int, x: Array, y: Array) -> None:
    if a != b:
        raise ShapeError(
            f"{name}: the shapes cannot be multiplied, {a} elements meet {b} ({describe(x)} and {describe(y)}); "
            f"transpose or reshape one of them"
        )


@function()
def mm(input: Array, mat2: Array) -> Array:
    """Return the product of two matrices (exactly 2-D).

    >>> import tinygrad_lite as tl
    >>> tl.mm(tl.tensor([[1, 2]]), tl.tensor([[3], [4]]))
    tensor([[11]])
    """
    _axes("mm", ("mat1", input, 2), ("mat2", mat2, 2))
    _meet("mm", input.shape[1], mat2.shape[0], input, mat2)
    return matmul(input, mat2)


@function()
def bmm(input: Array, mat2: Array) -> Array:
    """Return the products of two batches of matrices: (b, n, k) with (b, k, m).

    >>> import tinygrad_lite as tl
    >>> tl.bmm(tl.ones(2, 3, 4), tl.ones(2, 4, 5)).shape
    (2, 3, 5)
    """
    _axes("bmm", ("input", input, 3), ("mat2", mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise ShapeError(f"bmm: batches of {input.shape[0]} and {mat2.shape[0]} ({describe(input)}, {describe(mat2)})")
    _meet("bmm", input.shape[2], mat2.shape[1], input, mat2)
    return matmul(input, mat2)


@function()
def mv(input: Array, vec: Array) -> Array:
    """Return the product of a matrix and a vector.

    >>> import tinygrad_lite as tl
    >>> tl.mv(tl.tensor([[1, 2], [3, 4]]), tl.tensor([1, 1]))
    tensor([3, 7])
    """
    _axes("mv", ("input", input, 2), ("vec", vec, 1))
    _meet("mv", input.shape[1], vec.shape[0], input, vec)
    return matmul(input, vec)


@function(numpy=())
def dot(input: Array, tensor: Array) -> Array:
    """Return the sum of the products of two vectors of one length.

    >>> import tinygrad_lite as tl
    >>> tl.dot(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor(11)
    """
    _axes("dot", ("input", input, 1), ("tensor", tensor, 1))
    _meet("dot", input.shape[0], tensor.shape[0], input, tensor)
    return matmul(input, tensor)


@function(numpy=())
def vdot(input: Array, other: Array) -> Array:
    """Return the sum of the products of two vectors of one length.

    >>> import tinygrad_lite as tl
    >>> tl.vdot(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor(11)
    """
    return dot(input, other)


@function(numpy=())
def inner(input: Array, other: Array) -> Array:
    """Return the sums of products over the last axes of both.

    With a 0-d operand it is the plain product.

    >>> import tinygrad_lite as tl
    >>> tl.inner(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor(11)
    """
    if not input.ndim or not other.ndim:
        return mul(input, other)
    _meet("inner", input.shape[-1], other.shape[-1], input, other)
    return tensordot(input, other, ([-1], [-1]))


@function(numpy=())
def outer(input: Array, vec2: Array) -> Array:
    """Return the matrix of all products of an element of one vector with one of the other.

    >>> import tinygrad_lite as tl
    >>> tl.outer(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    _axes("outer", ("input", input, 1), ("vec2", vec2, 1))
    return mul(reshape_op(input, (-1, 1)), reshape_op(vec2, (1, -1)))


def _weighted(name: str, input: Array, product: Array, beta: Any, alpha: Any) -> Array:
    shape, want = tuple(np.shape(bare(input))), tuple(product.shape)
    fits = len(shape) <= len(want) and all(a in (1, b) for a, b in zip(shape[::-1], want[::-1], strict=False))
    if not fits:
        raise ShapeError(f"{name}: input {describe(input)} does not broadcast to the product {want}")
    if product.dtype.kind in "iu" and input.dtype.kind in "iub":  # as PyTorch's kernels cut them
        beta, alpha = int(beta), int(alpha)
    product = product if alpha == 1 else mul(product, alpha)
    if beta == 0:  # input is ignored, also where it is NaN
        return product
    # the product first: the sum has its memory layout
    return add(product, input if beta == 1 else mul(input, beta))


@function(inplace=True)
def addmm(input: Array, mat1: Array, mat2: Array, *, beta: Any = 1, alpha: Any = 1) -> Array:
    """Return ``beta * input + alpha * (mat1 @ mat2)``.

    >>> import tinygrad_lite as tl
    >>> tl.addmm(tl.ones(1), tl.ones(2, 3), tl.ones(3, 2))
    tensor([[4., 4.],
            [4., 4.]])
    """
    _axes("addmm", ("mat1", mat1, 2), ("mat2", mat2, 2))
    _meet("addmm", mat1.shape[1], mat2.shape[0], mat1, mat2)
    one_dtype("addmm", (input, mat1, mat2))
    return _weighted("addmm", input, matmul(mat1, mat2), beta, alpha)


@function(inplace=True)
def addmv(input: Array, mat: Array, vec: Array, *, beta: Any = 1, alpha: Any = 1) -> Array:
    """Return ``beta * input + alpha * (mat @ vec)``.

    >>> import tinygrad_lite as tl
    >>> tl.addmv(tl.ones(2), tl.ones(2, 3), tl.ones(3))
    tensor([4., 4.])
    """
    return _weighted("addmv", input, mv(mat, vec), beta, alpha)


@function(inplace=True)
def addr(input: Array, vec1: Array, vec2: Array, *, beta: Any = 1, alpha: Any = 1) -> Array:
    """Return ``beta * input + alpha * outer(vec1, vec2)``.

    >>> import tinygrad_lite as tl
    >>> tl.addr(tl.zeros(1), tl.tensor([1.0, 2.0]), tl.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    _axes("addr", ("vec1", vec1, 1), ("vec2", vec2, 1))
    product = outer(vec1, vec2)
    uncut(result_dtype([input, product]), beta=beta, alpha=alpha)
    return _weighted("addr", input, product, beta, alpha)


@function(inplace=True)
def baddbmm(input: Array, batch1: Array, batch2: Array, *, beta: Any = 1, alpha: Any = 1) -> Array:
    """Return ``beta * input + alpha * bmm(batch1, batch2)``.

    >>> import tinygrad_lite as tl
    >>> tl.baddbmm(tl.ones(1), tl.ones(2, 1, 3), tl.ones(2, 3, 1)).shape
    (2, 1, 1)
    """
    one_dtype("baddbmm", (input, batch1, batch2))
    return _weighted("baddbmm", input, bmm(batch1, batch2), beta, alpha)


@function(inplace=True)
def addbmm(input: Array, batch1: Array, batch2: Array, *, beta: Any = 1, alpha: Any = 1) -> Array:
    """Return ``beta * input + alpha *`` the sum of ``bmm(batch1, batch2)`` over the batch.

    >>> import tinygrad_lite as tl
    >>> tl.addbmm(tl.zeros(1), tl.ones(2, 1, 3), tl.ones(2, 3, 1))
    tensor([[6.]])
    """
    one_dtype("addbmm", (input, batch1, batch2))
    product = bmm(batch1, batch2)
    product = product.sum(0, dtype=product.dtype if product.dtype.kind in "iu" else None)
    return _weighted("addbmm", input, product, beta, alpha)


@function(numpy=())
def tensordot(a: Array, b: Array, dims: Any = 2) -> Array:
    """Return the sum of products over the last ``dims`` axes of ``a`` and first of ``b``.

    ``dims`` may also be two lists of axes.

    >>> import tinygrad_lite as tl
    >>> tl.tensordot(tl.ones(2, 3), tl.ones(3, 4), 1).shape
    (2, 4)
    """
    dims = bare(dims)
    if isinstance(dims, (int, np.integer)):
        if dims < 0 or dims > min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot: dims={dims} does not fit {describe(a)} and {describe(b)}")
        over_a, over_b = tuple(range(a.ndim - int(dims), a.ndim)), tuple(range(int(dims)))
    else:
        over_a, over_b = places("tensordot", dims[0], a.ndim, a.shape), places("tensordot", dims[1], b.ndim, b.shape)
    sizes_a, sizes_b = [a.shape[i] for i in over_a], [b.shape[i] for i in over_b]
    for m, n, i, j in zip(sizes_a, sizes_b, over_a, over_b, strict=False):  # an axis of one element meets a sum
        if m != n and 1 in (m, n):
            a, b = (t if k == 1 else t.sum(i, True, t.dtype) for t, k, i in ((a, m, i), (b, n, j)))
            return tensordot(a, b, (over_a, over_b))
    if sizes_a != sizes_b:
        raise ShapeError(
            f"tensordot: axes of {sizes_a} and {sizes_b} elements do not match ({describe(a)}, {describe(b)})"
        )
    rest_a = tuple(i for i in range(a.ndim) if i not in over_a)
    rest_b = tuple(i for i in range(b.ndim) if i not in over_b)
    shape = tuple(a.shape[i] for i in rest_a) + tuple(b.shape[i] for i in rest_b)
    left = reshape_op(permute_op(a, rest_a + over_a), (prod(a.shape[i] for i in rest_a), prod(sizes_a)))
    right = reshape_op(permute_op(b, over_b + rest_b), (prod(sizes_a), prod(b.shape[i] for i in rest_b)))
    return reshape_op(matmul(left, right), shape)


@function(numpy=())
def kron(input: Array, other: Array) -> Array:
    """Return the blocks ``input[i, j, ...] * other`` laid side by side.

    >>> import tinygrad_lite as tl
    >>> tl.kron(tl.tensor([1, 10]), tl.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    n = max(input.ndim, other.ndim)
    a, b = ((1,) * (n - x.ndim) + tuple(x.shape) for x in (input, other))
    left = reshape_op(input, tuple(s for size in a for s in (size, 1)))
    right = reshape_op(other, tuple(s for size in b for s in (1, size)))
    return reshape_op(mul(left, right), tuple(x * y for x, y in zip(a, b, strict=True)))


@function(numpy=())
def cross(input: Array, other: Array, dim: Any = None) -> Array:
    """Return the vector product of 3-vectors along ``dim``.

    Without ``dim`` the first axis of 3 elements is used.

    >>> import tinygrad_lite as tl
    >>> tl.cross(tl.tensor([1, 0, 0]), tl.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    one_dtype("cross", (input, other))
    shape = np.broadcast_shapes(tuple(input.shape), tuple(other.shape))
    if dim is None:
        found = [i for i, n in enumerate(shape) if n == 3]
        if not found:
            raise ShapeError(f"cross: no axis of 3 elements in {describe(input)} and {describe(other)}")
        dim = found[0]
    dim = place("cross", dim, len(shape), shape) - len(shape)
    if not input.shape or input.ndim != other.ndim or input.shape[dim] != 3 or other.shape[dim] != 3:
        raise ShapeError(
            f"cross: both need equally many axes and 3 elements along dim {dim} ({describe(input)}, {describe(other)})"
        )
    lead = (Ellipsis,)
    tail = (slice(None),) * (-dim - 1)
    a = [input[(*lead, i, *tail)] for i in range(3)]
    b = [other[(*lead, i, *tail)] for i in range(3)]
    return stack([a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))], dim)


@function(method=False)
def cdist(x1: Array, x2: Array, p: float = 2.0, compute_mode: str | None = None) -> Array:
    """Return the ``p``-norm distances between the rows of ``x1`` and those of ``x2``.

    Shapes: (..., n, d) and (..., m, d) to (..., n, m).

    >>> import tinygrad_lite as tl
    >>> tl.cdist(tl.zeros(1, 2), tl.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"cdist: expected (..., n, d) and (..., m, d), got {describe(x1)} and {describe(x2)}")
    one_dtype("cdist", (x1, x2))
    if p < 0:
        raise ShapeError(f"cdist: p must not be negative, got {p}")
    if p == 2 and x1.ndim == x2.ndim == 2 and x1.dtype.kind == "f" and x1.dtype.itemsize > 2:
        return euclidean(x1, x2)
    return lengths(unsqueeze(x1, -2) - unsqueeze(x2, -3), p)


# ------------------------------------------------------------------------------------------------ differences
@function(numpy=())
def diff(input: Array, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """Return the ``n``-th differences of neighbours along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.diff(tl.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    if not input.ndim:
        raise ShapeError("diff: expected at least one axis, got a 0-d tensor")
    dim = place("diff", dim, input.ndim, input.shape)
    parts = [x for x in (prepend, input, append) if x is not None]
    y = cat(parts, dim) if len(parts) > 1 else input
    if not n:
        return clone(input)
    if n < 0:
        raise ShapeError(f"diff: n must not be negative, got {n}")
    lead = (slice(None),) * dim
    for _ in range(n)[: y.shape[dim]]:
        after, before = y[(*lead, slice(1, None))], y[(*lead, slice(None, -1))]
        y = after ^ before if y.dtype.kind == "b" else after - before
    return y


@function(method=False, numpy=())
def gradient(input: Array, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Array, ...]:
    """Return the slope along each axis of ``dim`` by central differences.

    The ends use one-sided differences of order ``edge_order``. ``spacing``: the distance of neighbours (a number, one
    per axis), or the coordinates along each axis (vectors).

    >>> import tinygrad_lite as tl
    >>> tl.gradient(tl.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    dims = places("gradient", range(input.ndim) if dim is None else dim, input.ndim, input.shape)
    given = list(spacing) if isinstance(spacing, (list, tuple)) else [1 if spacing is None else spacing] * len(dims)
    if len(given) != len(dims):
        raise ShapeError(f"gradient: {len(given)} spacings for {len(dims)} dims")
    if edge_order not in (1, 2):
        raise ShapeError(f"gradient: edge_order must be 1 or 2, got {edge_order}")
    return tuple([_slope(input, bare(h), d, edge_order) for h, d in zip(given, dims, strict=True)])


def _slope(x: Array, h: Any, dim: int, edge_order: int) -> Array:
    n, y = x.shape[dim], transpose(x, dim, -1)
    if n < edge_order + 1:
        raise ShapeError(f"gradient: axis {dim} of {n} elements is too short for edge_order={edge_order}")
    steps = np.diff(h) if np.ndim(h) else new.full(n - 1, float(h))
    if len(steps) != n - 1:
        raise ShapeError(f"gradient: {len(steps) + 1} coordinates for {n} elements along dim {dim}")
    steps = steps.astype(x.dtype if x.dtype.kind == "f" else np.float32)
    a, b = steps[:-1], steps[1:]
    inside = (y[..., 2:] - y[..., :-2]) / (a + b)  # the middle weighs nothing, even where it is infinite
    if np.ndim(h):
        low, high = y[..., :-2] * (-b / (a * (a + b))), y[..., 2:] * (a / (b * (a + b)))
        inside = low + y[..., 1:-1] * ((b - a) / (a * b)) + high
    if edge_order == 1:
        first, last = (y[..., 1:2] - y[..., :1]) / steps[0], (y[..., -1:] - y[..., -2:-1]) / steps[-1]
    else:
        first = _edge(y[..., :1], y[..., 1:2], y[..., 2:3], steps[0], steps[1])
        last = -_edge(y[..., -1:], y[..., -2:-1], y[..., -3:-2], steps[-1], steps[-2])
    return contiguous(transpose(cat([first, inside, last], -1), dim, -1))


def _edge(y0: Array, y1: Array, y2: Array, a: Any, b: Any) -> Array:
    """Return the slope at the end of the parabola through three points ``a`` and ``b`` apart."""
    return y0 * (-(2 * a + b) / (a * (a + b))) + y1 * ((a + b) / (a * b)) - y2 * (a / (b * (a + b)))
