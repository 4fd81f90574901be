"""Distances within a set of points, and norms of slices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import bare, contiguous
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.linalg.matmul import product
from tinygrad_lite.ops.linalg.matrix_norm import matrix_norm
from tinygrad_lite.ops.linalg.norm import lengths, norm
from tinygrad_lite.ops.shape.reshaping import place

FEW = 4
"""Coordinates up to which distances are added up one coordinate after the other, which rounds least."""
CLOSE = 0.1
"""Distance, as a part of that from the middle, below which a pair is computed from its difference."""


def _by_product(x: Any, y: Any) -> bool:
    """Return whether one matrix product serves these points; PyTorch uses products for more than 25 points too."""
    return x.shape[1] > FEW and x.dtype.char == "f" and max(len(x), len(y)) > 25 and x.size > 0 and y.size > 0


def _columns(x: Any, y: Any) -> Any:
    """Return squared distances, one coordinate after the other; long loops run along the more numerous points."""
    total, room = new.zeros((len(x), len(y)), x.dtype), new.empty((len(x), len(y)), x.dtype)
    for k in range(x.shape[1]):
        np.subtract(x[:, k, None], y[:, k], room)
        np.multiply(room, room, room)
        np.add(total, room, total)
    return total


@new.whole
def _squared(x: Any, y: Any) -> Any:
    """Return squared distances by one matrix product; pairs so close that it would round are computed again."""
    middle = y.mean(axis=0)
    x, y = x - middle, y - middle
    one = new.row_of_ones(x.shape[1], x.dtype)
    size = np.dot(x * x, one)[:, None] + np.dot(y * y, one)
    total = product(x, -2 * y.T)
    total += size
    i, j = np.nonzero(total < CLOSE * CLOSE * size)
    for at in range(0, len(i), 1 << 16):
        here = slice(at, at + (1 << 16))
        d = x[i[here]] - y[j[here]]
        total[i[here], j[here]] = np.dot(d * d, one)
    return total


def _share(g: Any, y: Any) -> Any:
    """Return the gradient of half the squared distances: 0 where two points are equal."""
    zero = y == 0
    return where(zero, 0.0, g / where(zero, 1.0, y))


def _pulled(share: Any, distance: Any, x: Any, y: Any) -> Any:
    """Return the sum of ``share * (x - y)`` over all ``y``, for each ``x``."""
    if not all(v.__class__ is np.ndarray for v in (share, distance, x, y)):
        return x * share.sum(axis=1, keepdims=True) - product(share, y)
    return _pulled_bare(share, distance, x, y)


@new.whole
def _pulled_bare(share: Any, distance: Any, x: Any, y: Any) -> Any:
    if not x.shape[1]:
        return new.zeros_like(x)
    if not _by_product(x, y):
        return np.stack([(share * (x[:, k, None] - y[:, k])).sum(axis=1) for k in range(x.shape[1])], axis=1)
    middle = y.mean(axis=0)
    x, y = x - middle, y - middle
    i, j = np.nonzero(distance < CLOSE * np.sqrt((x * x).sum(axis=1))[:, None])
    alone = share[i, j]
    if len(i):
        share = new.array(share)
        share[i, j] = 0
    out = x * share.sum(axis=1, keepdims=True) - product(share, y)
    for at in range(0, len(i), 1 << 16):
        here = slice(at, at + (1 << 16))
        np.add.at(out, i[here], alone[here, None] * (x[i[here]] - y[j[here]]))
    return out


def _first_rule(g: Any, y: Any, first: Any, second: Any) -> Any:
    return _pulled(_share(g, y), y, first, second)


def _second_rule(g: Any, y: Any, first: Any, second: Any) -> Any:
    return _pulled(_share(g, y).swapaxes(0, 1), y.swapaxes(0, 1), second, first)


@op(
    first=_first_rule, second=_second_rule, kind="linalg", label="|x − y|", promote="float", public=False,
    samples=Samples("(n,d),(k,d)->(n,k)"),
)  # fmt: skip
def euclidean(first: Array, second: Array) -> Array:
    """Return the distances (n, m) between points (n, d) and (m, d), without an array (n, m, d)."""
    x, y = bare(first), bare(second)
    turned = len(x) < len(y)
    if not _by_product(x, y):
        total = _columns(x, y) if turned else new.ascontiguousarray(_columns(y, x).T)
    else:
        total = _squared(x, y)
    return np.sqrt(total, out=total)


@function(method=False, functional=True)
def pdist(input: Array, p: float = 2.0) -> Array:
    """Return the ``p``-norm distances of all pairs of the points (n, d), row by row: (n (n - 1) / 2,).

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.pdist(tl.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]]))
    tensor([5., 4., 3.])
    """
    if input.ndim != 2:
        raise ShapeError(f"pdist: expected points (n, d), got {describe(input)}")
    if p < 0:
        raise OptionError(f"pdist: p must not be negative, got {p}")
    first, second = new.triu_indices(input.shape[0], 1)
    return lengths(getitem(input, (first,)) - getitem(input, (second,)), p)


@function(inplace=True)
def renorm(input: Array, p: float, dim: int, maxnorm: float) -> Array:
    """Return ``input`` with each slice along ``dim`` scaled down to a ``p``-norm of at most ``maxnorm``.

    >>> import tinygrad_lite as tl
    >>> tl.renorm(tl.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    if p <= 0 or maxnorm < 0:
        raise OptionError(f"renorm: p must be positive and maxnorm not negative, got {p} and {maxnorm}")
    if input.ndim < 2:
        raise ShapeError(f"renorm: expected at least 2 axes, got {describe(input)}")
    dim = place("renorm", dim, input.ndim, input.shape)
    size = norm(input, p, tuple(i for i in new.arange(input.ndim).tolist() if i != dim), True)
    over = size > maxnorm
    return contiguous(input) * where(over, maxnorm / (where(over, size, 1.0) + 1e-7), 1.0)


@function(method=False)
def norm_except_dim(v: Array, pow: int = 2, dim: int = 0) -> Array:
    """Return the norms of the slices along ``dim`` with all other axes kept as 1; of all of ``v`` for ``dim=-1``.

    >>> import tinygrad_lite as tl
    >>> tl.norm_except_dim(tl.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    if dim == -1:
        return norm(v, pow)
    return norm(v, pow, tuple(i for i in new.arange(v.ndim).tolist() if i != dim), True)


@function(method=False)
def frobenius_norm(input: Array, dim: Any, keepdim: bool = False) -> Array:
    """Return the square root of the sum of squares over ``dim``: an older name of `linalg.matrix_norm`.

    >>> import tinygrad_lite as tl
    >>> tl.frobenius_norm(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), (0, 1))
    tensor(5.1962)
    """
    return norm(input, 2, dim, keepdim)


@function(method=False)
def nuclear_norm(input: Array, dim: Any = (-2, -1), keepdim: bool = False) -> Array:
    """Return the sum of the singular values: an older name of ``linalg.matrix_norm(input, "nuc")``.

    >>> import tinygrad_lite as tl
    >>> tl.nuclear_norm(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))
    tensor(7.)
    """
    return matrix_norm(input, "nuc", tuple(dim), keepdim)
