"""Squared distances between points and centres."""

from __future__ import annotations

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.elementwise.activation import bounded
from tinygrad_lite.ops.linalg.matmul import product
from tinygrad_lite.ops.threads import multiply


def less(x: Array, row: Array) -> Array:
    """Return ``x - row``.

    Short rows are subtracted several at a time, which NumPy does faster.
    """
    n, d = x.shape
    together = 1024 // max(d, 1)
    if together < 2 or n < 4 * together or not x.flags.c_contiguous:
        return x - row
    y = new.empty_like(x)
    whole = n // together * together
    np.subtract(x[:whole].reshape(-1, together * d), np.tile(row, together), out=y[:whole].reshape(-1, together * d))
    np.subtract(x[whole:], row, out=y[whole:])
    return y


def _input_rule(g: Array, input: Array, centers: Array) -> Array:
    return 2 * (input * g.sum(axis=1, keepdims=True) - product(g, centers))


def _centers_rule(g: Array, input: Array, centers: Array) -> Array:
    if g.__class__ is np.ndarray:
        total = np.dot(new.row_of_ones(len(g), g.dtype), g)
        return 2 * (centers * total[:, None] - product(g.T, input))
    return 2 * (centers * g.sum(axis=0).reshape((-1, 1)) - product(g.T, input))


@op(
    input=_input_rule, centers=_centers_rule, kind="linalg", label="|x − c|²", promote="float", method=False,
    samples=Samples("(n,d),(k,d)->(n,k)"),
    flops=lambda input_shape, centers_shape: 2 * input_shape[0] * input_shape[1] * centers_shape[0],
)  # fmt: skip
def squared_distances(input: Array, centers: Array) -> Array:
    r"""Return :math:`\lVert x_i - c_k \rVert^2` of points and centers.

    Shapes: ``input`` (n, d) and ``centers`` (k, d) to (n, k). One matrix product, :math:`|x|^2 - 2 x \cdot c + |c|^2`,
    no (n, k, d) temporary. The origin is first moved to the mean of the centers, because far from the origin the three
    terms cancel. Distances are never negative.

    >>> import tinygrad_lite as tl
    >>> tl.squared_distances(tl.tensor([[0.0, 0.0], [3.0, 4.0]]), tl.tensor([[0.0, 0.0]]))
    tensor([[ 0.],
            [25.]])
    """
    if input.ndim != 2 or centers.ndim != 2 or input.shape[1] != centers.shape[1]:
        raise ShapeError(
            f"squared_distances: expected points (n, d) and centers (k, d), got input {describe(input)} and centers "
            f"{describe(centers)}"
        )
    if centers.shape[0]:
        middle = centers.mean(axis=0)
        input, centers = less(input, middle), centers - middle
    if len(input) >= 4 * len(centers):
        # few long columns instead of many short rows: later loops along the centers are long
        d = multiply(-2 * centers, input.T).T
    else:
        d = multiply(input, -2 * centers.T)
    d += np.dot(np.multiply(input, input), new.row_of_ones(input.shape[1], input.dtype))[:, None]
    d += np.dot(np.multiply(centers, centers), new.row_of_ones(input.shape[1], input.dtype))
    flat = d.T if d.flags.f_contiguous else d
    bounded(np.maximum, flat, 0, out=flat)
    return d
