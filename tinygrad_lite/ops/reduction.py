"""Reductions over one, several or all axes: ``dim`` and ``keepdim`` as in PyTorch, ``axis`` and ``keepdims`` too."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.ops.elementwise import maximum, minimum
from tinygrad_lite.ops.shape import broadcast_to
from tinygrad_lite.registry import function, op
from tinygrad_lite.samples import Samples
from tinygrad_lite.tensor import Array

Dim = int | tuple[int, ...] | None


def some_dims(shape: tuple[int, ...]) -> tuple[Dim, ...]:
    """Give the choices of ``dim`` that a gradient check tries for ``shape``."""
    n = len(shape)
    return (None, *range(n), -1, tuple(range(n))) if n else (None,)


REDUCE = Samples("()->()", options={"dim": some_dims, "keepdim": (False, True)})
REDUCE_SOME = Samples("()->()", options={"dim": some_dims, "keepdim": (False, True)}, min=1)


def axes_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """Return ``dim`` (None, a number, several) as axes counted from the front."""
    dims = range(ndim) if dim is None or dim == () else (dim,) if isinstance(dim, (int, np.integer)) else dim
    return tuple(int(d) % ndim if ndim else 0 for d in dims)


def kept(g: Array, shape: tuple[int, ...], dim: Dim, keepdim: bool) -> Array:
    """Return a reduced array with its reduced axes back as 1, so that it broadcasts against ``shape``."""
    if keepdim or not shape:
        return g
    axes = axes_of(dim, len(shape))
    return g.reshape(tuple([1 if i in axes else n for i, n in enumerate(shape)]))


def _mean_rule(g: Array, input_shape: Any, dim: Any, keepdim: Any) -> Array:
    count = prod([input_shape[i] for i in axes_of(dim, len(input_shape))]) if input_shape else 1
    return broadcast_to(kept(g, input_shape, dim, keepdim) / count, input_shape)


@op(
    input=lambda g, input_shape, dim, keepdim: broadcast_to(kept(g, input_shape, dim, keepdim), input_shape),
    kind="reduction", label="Σ", samples=REDUCE,
)  # fmt: skip
def sum(input: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Return the sum over ``dim`` (all axes by default)."""
    return np.sum(input, axis=dim, keepdims=keepdim, dtype=dtype)


@op(input=_mean_rule, kind="reduction", promote="float", samples=REDUCE_SOME)
def mean(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the mean over ``dim``; of nothing it is an error, not NaN."""
    y = np.add.reduce(input, axis=dim, keepdims=keepdim)
    count = input.size // (np.size(y) or 1)
    if not input.size and np.size(y):
        raise ValueError(f"mean: no elements to average over dim={dim} of shape {input.shape}")
    return y / count


def _extreme_rule(g: Array, y: Array, input: Array, dim: Any, keepdim: Any) -> Array:
    shape = input.shape
    tied = (input == kept(y, shape, dim, keepdim)).astype(g.dtype)
    return kept(g, shape, dim, keepdim) * (tied / tied.sum(axis=axes_of(dim, len(shape)), keepdims=True))


def _nonempty(name: str, input: Array, dim: Any) -> None:
    if not all(input.shape[i] for i in axes_of(dim, input.ndim)):
        raise ValueError(f"{name}: no elements to choose from over dim={dim} of shape {input.shape}")


@op(input=_extreme_rule, kind="reduction", label="max", samples=REDUCE_SOME)
def amax(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the largest value over ``dim``; equal ones share the gradient."""
    _nonempty("amax", input, dim)
    return np.amax(input, axis=dim if dim != () else None, keepdims=keepdim)


@op(input=_extreme_rule, kind="reduction", label="min", samples=REDUCE_SOME)
def amin(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the smallest value over ``dim``; equal ones share the gradient."""
    _nonempty("amin", input, dim)
    return np.amin(input, axis=dim if dim != () else None, keepdims=keepdim)


@op(kind="reduction", numpy=np.argmax)
def argmax(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the index of the (first) largest value over ``dim``, or of the flattened input."""
    _nonempty("argmax", input, dim)
    return np.argmax(input, axis=dim, keepdims=keepdim)


@op(kind="reduction", numpy=np.argmin)
def argmin(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the index of the (first) smallest value over ``dim``, or of the flattened input."""
    _nonempty("argmin", input, dim)
    return np.argmin(input, axis=dim, keepdims=keepdim)


class Extreme(NamedTuple):
    """What `max` and `min` along one axis return."""

    values: Any
    indices: Any


def _extreme(input: Array, dim: Any, keepdim: bool, whole: Any, arg: Any, two: Any) -> Any:
    from tinygrad_lite.ops.indexing import take_along_dim

    if dim is None:
        return whole(input)
    if not isinstance(dim, (int, np.integer)):
        return two(input, dim)
    if input.ndim == 0:
        return Extreme(input, arg(input))
    indices = arg(input, dim, True)
    values = take_along_dim(input, indices, int(dim))
    return Extreme(values, indices) if keepdim else Extreme(values.squeeze(int(dim)), indices.squeeze(int(dim)))


@function()
def max(input: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the largest value; along ``dim`` also where it is: (values, indices), all gradient to the first of equals.

    ``max(input, other)`` is `maximum`.
    """
    return _extreme(input, dim, keepdim, amax, argmax, maximum)


@function()
def min(input: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the smallest value; along ``dim`` also where it is: (values, indices), all gradient to the first of equals.

    ``min(input, other)`` is `minimum`.
    """
    return _extreme(input, dim, keepdim, amin, argmin, minimum)
