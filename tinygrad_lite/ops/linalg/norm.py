"""Vector p-norms and distances: `norm` and `dist`."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.op import PUBLIC, function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import abs, sign, sub, where
from tinygrad_lite.ops.elementwise.cast import to
from tinygrad_lite.ops.reductions.reduction import added, amax, amin, axis_of, kept, some_dims


@wide
def _norm_rule(g: Array, y: Array, input: Array, p: float, dim: Any, keepdim: bool) -> Array:
    shape = input.shape
    if p == 0:
        return None  # a count
    if p == 1:
        return kept(g, shape, dim, keepdim) * sign(input)
    zero = y == 0  # the slope at the tip of the cone is taken as 0
    y = where(zero, 1.0, y)
    if p == 2:
        return kept(where(zero, 0.0, g / y), shape, dim, keepdim) * input
    flat = input == 0
    part = where(flat, 0.0, sign(input) * where(flat, 1.0, abs(input) / kept(y, shape, dim, keepdim)) ** (p - 1))
    return kept(where(zero, 0.0, g), shape, dim, keepdim) * part


@op(
    input=_norm_rule, kind="reduction", label="‖x‖", promote="float", public=False,
    samples=Samples("()->()", options={"p": (2.0, 1.0, 3.0, 2.5), "dim": some_dims, "keepdim": (False, True)}, lo=0.01),
)  # fmt: skip
@wide
def p_norm(input: Array, p: float = 2.0, dim: Any = None, keepdim: bool = False) -> Array:
    r"""Return :math:`(\sum_i |x_i|^p)^{1/p}` over ``dim``.

    The slope at 0 is taken as 0.
    """
    axis = axis_of(dim, input.ndim)
    if p == 2:
        return np.sqrt(added(input * input, axis=axis, keepdims=keepdim))
    if p == 1:
        return added(np.abs(input), axis=axis, keepdims=keepdim)
    if p == 0:
        return added(input != 0, axis=axis, keepdims=keepdim, dtype=input.dtype)
    return added(np.abs(input) ** input.dtype.type(p), axis=axis, keepdims=keepdim) ** input.dtype.type(1 / p)


@function()
def norm(input: Array, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Return the ``p``-norm over ``dim``, or of all elements.

    "fro" equals 2, inf is the largest absolute value, "nuc" the sum of the singular values of a matrix.

    >>> import tinygrad_lite as tl
    >>> tl.norm(tl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if dtype is not None:
        input = to(input, dtype)
    if p in ("fro", None):
        p = 2.0
    if p == "nuc":
        if dim is None and input.ndim != 2:
            raise ShapeError(f"norm: p='nuc' needs a matrix, or two dims, got {describe(input)}")
        return PUBLIC["nuclear_norm"](input, (-2, -1) if dim is None else dim, keepdim)
    if not isinstance(p, (int, float)):
        raise ShapeError(f"norm: p must be a number, inf, -inf, 'fro' or 'nuc', got {p!r}; see also linalg.matrix_norm")
    if p in (inf, -inf) or p < 0 and not input.numel():  # nothing has no least element
        return (amax if p > 0 else amin)(abs(input), dim, keepdim)
    return p_norm(input, float(p), dim, keepdim)


def lengths(apart: Any, p: float) -> Any:
    """Return the ``p``-norms along the last axis; with p = 0 a count whose gradient is zero, as PyTorch's distances."""
    return norm(apart, p, -1) if p else norm(sign(apart), 1, -1)


@function()
def dist(input: Array, other: Array, p: float = 2) -> Array:
    """Return the ``p``-norm of ``input - other``.

    >>> import tinygrad_lite as tl
    >>> tl.dist(tl.tensor([0.0, 0.0]), tl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return norm(sub(input, other), p)
