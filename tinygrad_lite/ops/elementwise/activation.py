"""Activation functions."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.backward import finite
from tinygrad_lite.engine.dtype import NUMPY_1
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples, dims
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import to

# a 0 that has no dtype of its own in any version of NumPy
ZERO: Any = np.False_ if NUMPY_1 else 0
ONE = Samples("()->()")
ALONG = Samples("(...,n)->(...,n)", options={"dim": dims}, min=1)


RUN = 4096
"""Elements that a number is written out for."""


@cache
def _number(number: float, dtype: Any) -> Array:
    """Return a number as a 0-d array: ufuncs take it twice as fast as a Python number."""
    array = new.array(number, dtype)
    array.flags.writeable = False
    return array


@cache
def _written_out(number: Any, dtype: Any) -> Array:
    array = new.full(RUN, number, dtype)
    array.flags.writeable = False
    return array


def bounded(ufunc: Any, x: Array, number: Any, out: Array | None = None) -> Array:
    """Return ``np.maximum`` or ``np.minimum`` of an array and a number, which NumPy does four times as fast on arrays.

    It has vector instructions only for two arrays, so large ones meet the number written out.
    """
    if x.size < 4 * RUN or x.dtype.kind != "f" or not x.flags.c_contiguous:
        return ufunc(x, number, out=out)
    y = new.empty(x.shape, x.dtype) if out is None else out
    whole = x.size // RUN * RUN
    flat, into = x.reshape(-1), y.reshape(-1)
    ufunc(flat[:whole].reshape(-1, RUN), _written_out(float(number), x.dtype), out=into[:whole].reshape(-1, RUN))
    ufunc(flat[whole:], number, out=into[whole:])
    return y


def _relu_rule(g: Array, y: Array) -> Array:
    if g.__class__ is not np.ndarray or y.__class__ is not np.ndarray:
        return where(y > 0, g, 0.0)
    zero = _number(0.0, y.dtype)
    # in large arrays a product with the mask costs a tenth of a choice; but 0 * inf would be NaN
    if g.size < RUN or not finite(g):
        return np.where(np.greater(y, zero), g, zero)
    return g * np.greater(y, zero)


@op(input=_relu_rule, kind="activation", label="ReLU", samples=ONE)
def relu(input: Array) -> Array:
    """Return ``max(input, 0)``; the slope at 0 is taken as 0.

    >>> import tinygrad_lite as tl
    >>> tl.relu(tl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    kind = input.dtype.kind if input.__class__ is np.ndarray else ""
    return bounded(np.maximum, input, _number(0.0, input.dtype) if kind == "f" else ZERO)


def _tanh_rule(g: Array, y: Array) -> Array:
    if y.__class__ is not np.ndarray or g.__class__ is not np.ndarray or not y.ndim:
        return g * (1 - y * y)
    lost = y * y
    lost *= g
    return np.subtract(g, lost, out=lost)


@op(input=_tanh_rule, kind="activation", promote="float", numpy=np.tanh, samples=ONE)
def tanh(input: Array) -> Array:
    """Return the hyperbolic tangent.

    >>> import tinygrad_lite as tl
    >>> tl.tanh(tl.tensor([0.5, 1.0]))
    tensor([0.4621, 0.7616])
    """
    return np.tanh(input)


def _sigmoid_rule(g: Array, y: Array) -> Array:
    if y.__class__ is not np.ndarray or g.__class__ is not np.ndarray or not y.ndim:
        return g * (y * (1 - y))
    slope = 1 - y
    slope *= y
    return np.multiply(g, slope, out=slope)


@cache
def _top(dtype: Any) -> Any:
    """Return the largest x whose exp is finite: keeps NumPy from warning about an overflow that does no harm."""
    top = np.log(np.finfo(dtype).max).astype(dtype)
    with np.errstate(over="ignore"):
        while not np.isfinite(np.exp(new.full(16, top))).all():  # the logarithm is rounded up
            top = np.nextafter(top, dtype.type(0))
    return _number(float(top), dtype)


@op(input=_sigmoid_rule, kind="activation", label="σ", promote="float", samples=ONE)
def sigmoid(input: Array) -> Array:
    r"""Return the logistic function :math:`1 / (1 + e^{-x})`.

    >>> import tinygrad_lite as tl
    >>> tl.sigmoid(tl.tensor([0.5, 1.0]))
    tensor([0.6225, 0.7311])
    """
    y = new.asarray(np.negative(input))  # not a bare number
    bounded(np.minimum, y, _top(y.dtype), out=y)
    np.exp(y, out=y)
    np.add(y, _number(1.0, y.dtype), out=y)
    return np.reciprocal(y, out=y)


@op(
    input=lambda g, y, dim: y * (g - (g * y).sum(axis=dim, keepdims=True)),
    kind="activation", promote="float", samples=ALONG,
)  # fmt: skip
def softmax(input: Array, dim: int = -1) -> Array:
    r"""Return :math:`e^{x_i} / \sum_j e^{x_j}` along ``dim``."""
    e = new.asarray(input - input.max(axis=dim, keepdims=True, initial=-np.inf))
    np.exp(e, e)
    np.divide(e, e.sum(axis=dim, keepdims=True), e)
    return e


@op(
    input=lambda g, y, dim: g - np.exp(y) * g.sum(axis=dim, keepdims=True),
    kind="activation", promote="float", samples=ALONG,
)  # fmt: skip
def log_softmax(input: Array, dim: int = -1) -> Array:
    r"""Return :math:`x_i - \log \sum_j e^{x_j}` along ``dim``."""
    z = input - input.max(axis=dim, keepdims=True, initial=-np.inf)
    return z - np.log(np.exp(z).sum(axis=dim, keepdims=True))


def _in(name: str, soft: Any) -> None:
    def published(input: Array, dim: int = -1, dtype: Any = None) -> Array:
        return soft(input if dtype is None else to(input, dtype), dim)

    published.__name__ = published.__qualname__ = name
    published.__doc__ = soft.__doc__ + " computed in ``dtype`` if that is given."
    function(name=name)(published)


_in("softmax", softmax)
_in("log_softmax", log_softmax)
