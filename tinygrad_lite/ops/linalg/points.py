"""Distances within a set of points, and norms of slices."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.linalg.matrix_norm import matrix_norm
from tinygrad_lite.ops.linalg.norm import norm
from tinygrad_lite.ops.shape.reshaping import place


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
    return norm(getitem(input, (first,)) - getitem(input, (second,)), p, -1)


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
    return input * where(over, maxnorm / (where(over, size, 1.0) + 1e-7), 1.0)


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
    """Return the square root of the sum of squares over ``dim``: an older name of `linalg.matrix_norm`."""
    return norm(input, 2, dim, keepdim)


@function(method=False)
def nuclear_norm(input: Array, dim: Any = (-2, -1), keepdim: bool = False) -> Array:
    """Return the sum of the singular values: an older name of ``linalg.matrix_norm(input, "nuc")``."""
    return matrix_norm(input, "nuc", tuple(dim), keepdim)
