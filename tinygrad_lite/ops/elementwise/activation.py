"""Activation functions, with PyTorch's names and arguments.

At a kink the slope is the one on the left, which is 0 on a flat side.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arrays import hush, unhush
from tinygrad_lite.engine.backward import finite
from tinygrad_lite.engine.elsewhere import highest
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.promotion import F16, NUMPY_1, one_dtype
from tinygrad_lite.engine.samples import Samples, dims
from tinygrad_lite.engine.sums import summed
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import abs, where
from tinygrad_lite.ops.elementwise.cast import to

# A zero that leaves the dtype of the other operand alone, in NumPy 1 too.
ZERO: Any = np.False_ if NUMPY_1 else 0
ONE = Samples("()->()")
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
ALONG = Samples("(...,n)->(...,n)", options={"dim": dims}, min=1)


ROW = 128
"""Longest row that `softmax` gives no maximum of its own."""
RUN = 4096
"""Length of the constant arrays that stand in for a number in `bounded`."""


@cache
@new.redirect(None)  # kept for all later calls: no array of a tracer
def _number(number: float, dtype: Any) -> Array:
    """Return ``number`` as a 0-d array: ufuncs handle it twice as fast as a Python number."""
    array = new.array(number, dtype)
    array.flags.writeable = False
    return array


@cache
@new.redirect(None)  # kept for all later calls: no array of a tracer
def _repeated(number: Any, dtype: Any) -> Array:
    """Return an array of ``RUN`` times the same number."""
    array = new.full(RUN, number, dtype)
    array.flags.writeable = False
    return array


def bounded(ufunc: Any, x: Array, number: Any, out: Array | None = None) -> Array:
    """Return ``ufunc(x, number)`` for ``np.maximum`` or ``np.minimum``, fast on large arrays.

    NumPy uses vector instructions only where both operands are arrays (four times as fast). So a large ``x`` is
    compared with an array of equal numbers.
    """
    if x.size < 4 * RUN or x.dtype.kind != "f" or not x.flags.c_contiguous or x.__class__ in new.KINDS:
        return ufunc(x, number, out=out)
    y = new.empty(x.shape, x.dtype) if out is None else out
    whole = x.size // RUN * RUN
    flat, into = x.reshape(-1), y.reshape(-1)
    ufunc(flat[:whole].reshape(-1, RUN), _repeated(float(number), x.dtype), out=into[:whole].reshape(-1, RUN))
    ufunc(flat[whole:], number, out=into[whole:])
    return y


def _relu_rule(g: Array, y: Array) -> Array:
    if g.__class__ is not np.ndarray or y.__class__ is not np.ndarray:
        return where(y != 0, g, 0.0)  # never negative; a NaN passes the gradient on, as in PyTorch
    zero = _number(0.0, y.dtype)
    # in large arrays a product with the mask takes a tenth of the time of np.where; but 0 * inf would be NaN
    if g.size < RUN or new.straight() or not finite(g):
        return np.where(np.not_equal(y, zero), g, zero)
    return g * np.not_equal(y, zero)


@op(input=_relu_rule, functional=False, kind="activation", label="ReLU", samples=ONE)
def relu(input: Array) -> Array:
    """Return ``max(input, 0)``; the slope at 0 is taken as 0.

    >>> import tinygrad_lite as tl
    >>> tl.relu(tl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    kind = input.dtype.kind if input.__class__ is np.ndarray else ""
    if kind == "b":
        raise DTypeError("relu: not defined for bool tensors; use .int()")
    return bounded(np.maximum, input, _number(0.0, input.dtype) if kind == "f" else ZERO)


def _tanh_rule(g: Array, y: Array) -> Array:
    if y.__class__ is not np.ndarray or g.__class__ is not np.ndarray or not y.ndim:
        return g * (1 - y * y)
    slope = y * y
    np.subtract(_number(1.0, y.dtype), slope, out=slope)
    slope *= g  # in this order an infinite g stays infinite
    return slope


@op(input=_tanh_rule, kind="activation", promote="float", numpy=np.tanh, ufunc=np.tanh, samples=ONE)
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


@op(input=_sigmoid_rule, kind="activation", label="σ", promote="float", samples=ONE)
def sigmoid(input: Array) -> Array:
    r"""Return the logistic function :math:`1 / (1 + e^{-x})`.

    >>> import tinygrad_lite as tl
    >>> tl.sigmoid(tl.tensor([0.5, 1.0]))
    tensor([0.6225, 0.7311])
    """
    y = np.negative(input) if input.ndim else new.asarray(np.negative(input))  # of a 0-d array it is a scalar
    if y.dtype is F16:  # rounded once; 1 / (1 + the largest float16) is not small enough
        return sigmoid(np.positive(input, dtype=np.float32)).astype(F16)  # astype lays an expanded array out otherwise
    if y.__class__ in new.KINDS:
        return 1.0 / (1.0 + np.exp(y))
    before = hush()  # the reciprocal of infinity is 0, as it should be
    try:
        np.exp(y, out=y)
    finally:
        unhush(before)
    one = _number(1.0, y.dtype)
    np.add(y, one, out=y)
    return np.divide(one, y, out=y)  # NumPy's reciprocal takes half as long again


@op(
    input=wide(lambda g, y, dim: y * (g - (g * y).sum(axis=dim, keepdims=True))),
    inplace=False, functional=False, kind="activation", layout="contiguous", promote="float", samples=ALONG,
)  # fmt: skip
@wide
def softmax(input: Array, dim: int = -1) -> Array:
    r"""Return :math:`e^{x_i} / \sum_j e^{x_j}` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.softmax(tl.tensor([1.0, 2.0, 3.0]), 0)
    tensor([0.0900, 0.2447, 0.6652])
    """
    if input.__class__ is np.ndarray and dim in (-1, input.ndim - 1) and input.dtype.char == "f" and input.size >= RUN:
        y = _softmax_rows(input)
        if y is not None:
            return y
    e = new.asarray(input - highest(input, -np.inf, dim, True))
    np.exp(e, e)
    np.divide(e, e.sum(axis=dim, keepdims=True), e)
    return e


def _softmax_rows(x: Array) -> Any:
    """Return the softmax of short rows of float32, or None if a row of its own is needed for its maximum.

    NumPy takes longer to start a row than to run along it. One maximum for all rows keeps exp from overflowing too, and
    rounds no more where the largest logits of the rows are close: less than about 7 apart.
    """
    if x.shape[-1] > ROW or not x.flags.c_contiguous or new.straight():
        return None
    e = np.subtract(x, x.max())
    np.exp(e, e)
    total = summed(e, -1, True)
    if not total.min() > 1e-3:
        return None
    return np.divide(e, total, e)


@op(
    input=wide(lambda g, y, dim: g - np.exp(y) * g.sum(axis=dim, keepdims=True)),
    inplace=False, functional=False, kind="activation", layout="contiguous", promote="float", samples=ALONG,
)  # fmt: skip
@wide
def log_softmax(input: Array, dim: int = -1) -> Array:
    r"""Return :math:`x_i - \log \sum_j e^{x_j}` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.log_softmax(tl.tensor([1.0, 2.0, 3.0]), 0)
    tensor([-2.4076, -1.4076, -0.4076])
    """
    z = input - highest(input, -np.inf, dim, True)
    return z - np.log(np.exp(z).sum(axis=dim, keepdims=True))


def _with_dtype(name: str, soft: Any) -> None:
    def published(input: Array, dim: int = -1, dtype: Any = None) -> Array:
        return soft(input if dtype is None else to(input, dtype), dim)

    published.__name__ = published.__qualname__ = name
    published.__doc__ = soft.__doc__.replace(".\n", ", computed in ``dtype`` if that is given.\n", 1)
    function(name=name)(published)


_with_dtype("softmax", softmax)
_with_dtype("log_softmax", log_softmax)


# ------------------------------------------------------------------------------------------------ piecewise linear
def _leaky_slope(g: Array, input: Array, negative_slope: float) -> Array:
    if g.__class__ is np.ndarray and input.__class__ is np.ndarray and 0 < negative_slope <= 1:
        factor = new.array(input > 0, g.dtype)
        np.maximum(factor, g.dtype.type(negative_slope), out=factor)
        return np.multiply(factor, g, factor) if factor.shape == g.shape else factor * g
    return where(input > 0, g, g * negative_slope)


@op(
    input=_leaky_slope,
    kind="activation", label="leaky ReLU", method=False, promote="float",
    samples=Samples("()->()", options={"negative_slope": (0.01, 0.3, 1.5)}),
)  # fmt: skip
def leaky_relu(input: Array, negative_slope: float = 0.01, inplace: bool = False) -> Array:
    """Return ``input`` where it is positive, ``negative_slope * input`` elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.leaky_relu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.0100,  0.5000,  2.0000])
    """
    below = input * new.asarray(negative_slope, input.dtype)
    if 0 < negative_slope <= 1 and below.__class__ is np.ndarray:
        return np.maximum(input, below, out=below)  # several times faster than np.where
    return np.where(input > 0, input, below)


def _between(g: Array, input: Array, min_val: float, max_val: float) -> Array:
    return where((input > min_val) & (input < max_val), g, 0.0)


@op(
    input=_between, kind="activation", label="hard tanh", method=False,
    samples=Samples("()->()", options={"min_val": (-1.0, -0.5), "max_val": (1.0, 2.0)}),
)  # fmt: skip
def hardtanh(input: Array, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Array:
    """Return ``input`` clipped to ``min_val`` and ``max_val``.

    >>> import tinygrad_lite as tl
    >>> tl.hardtanh(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise OptionError(f"hardtanh: min_val cannot be greater than max_val ({min_val} > {max_val})")
    if input.dtype.kind in "iu":  # integers stay integers
        min_val, max_val = int(min_val), int(max_val)
    return np.clip(input, min_val, max_val)


@function(method=False, inplace=True, functional=True)
def relu6(input: Array, inplace: bool = False) -> Array:
    """Return ``min(max(input, 0), 6)``.

    >>> import tinygrad_lite as tl
    >>> tl.relu6(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.0000, 0.5000, 2.0000])
    """
    return hardtanh(input, 0.0, 6.0)


@function(method=False, functional=True)
def hardsigmoid(input: Array, inplace: bool = False) -> Array:
    """Return ``relu6(input + 3) / 6``.

    >>> import tinygrad_lite as tl
    >>> tl.hardsigmoid(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.3333, 0.5833, 0.8333])
    """
    return computed("hardsigmoid", (input,), hardtanh(input + 3.0, 0.0, 6.0) / 6.0)


@function(method=False, functional=True)
def hardswish(input: Array, inplace: bool = False) -> Array:
    """Return ``input * relu6(input + 3) / 6``.

    >>> import tinygrad_lite as tl
    >>> tl.hardswish(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.3333,  0.2917,  1.6667])
    """
    return computed("hardswish", (input,), input * (hardtanh(input + 3.0, 0.0, 6.0) / 6.0))


@op(
    input=lambda g, input, threshold: where(input <= threshold, 0.0, g),
    kind="activation", method=False,
    samples=Samples("()->()", options={"threshold": (0.1, -1.0), "value": (0.1,)}, kinks="report"),
)  # fmt: skip
def threshold(input: Array, threshold: float, value: float, inplace: bool = False) -> Array:
    """Return ``input`` where it is above ``threshold``, ``value`` elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.threshold(tl.tensor([-1.0, 0.5]), 0.0, 9.0)
    tensor([9.0000, 0.5000])
    """
    return np.where(input <= threshold, new.asarray(value, input.dtype), input)  # NaN stays NaN


@op(
    # lambd = 0 is the identity, at zero too
    input=lambda g, input, lambd: where((input > lambd) | (input < -lambd), g, 0.0) if lambd else g,
    kind="activation", label="soft shrink", method=False, samples=Samples("()->()", options={"lambd": (0.5, 0.0, 1.0)}),
)  # fmt: skip
def softshrink(input: Array, lambd: float = 0.5) -> Array:
    """Return ``input`` moved towards zero by ``lambd``; 0 within ``lambd`` of zero.

    >>> import tinygrad_lite as tl
    >>> tl.softshrink(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    if lambd < 0:
        raise OptionError(f"softshrink: lambda must be greater or equal to 0, but found to be {lambd}.")
    return input - np.clip(input, -lambd, lambd)


@op(
    input=lambda g, input, lambd: where((input > lambd) | (input < -lambd), g, 0.0),
    inplace=False, kind="activation", label="hard shrink",
    samples=Samples("()->()", options={"lambd": (0.5, 1.0)}, kinks="report"),
)  # fmt: skip
def hardshrink(input: Array, lambd: float = 0.5) -> Array:
    """Return ``input`` where it is further than ``lambd`` from zero, 0 elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.hardshrink(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    return np.where((input >= -lambd) & (input <= lambd), new.asarray(0, input.dtype), input)  # NaN stays NaN


@function(functional=True)
def prelu(input: Array, weight: Array) -> Array:
    """Return ``input`` where it is positive, ``weight * input`` elsewhere.

    ``weight`` holds one number, or one per channel (axis 1).

    >>> import tinygrad_lite as tl
    >>> tl.prelu(tl.tensor([-1.0, 2.0]), tl.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    one_dtype("prelu", (input, weight))
    if weight.ndim > 1 or (
        weight.ndim == 1 and weight.shape[0] != 1 and (input.ndim < 2 or weight.shape[0] != input.shape[1])
    ):
        raise ShapeError(
            f"prelu: weight must hold one number, or one per channel of x {describe(input)}; it is {describe(weight)}"
        )
    if weight.ndim == 1 and not input.ndim:
        weight = weight.reshape(())
    if weight.ndim == 1 and input.ndim > 1:
        weight = weight.reshape((-1, *(1,) * (input.ndim - 2)))
    return computed("prelu", (input, weight), where(input > 0, input, weight * input))


# ------------------------------------------------------------------------------------------------ smooth
def _elu_slope(g: Array, y: Array, input: Array, alpha: float, scale: float, input_scale: float) -> Array:
    # d/dx of scale * alpha * (e^(k x) - 1), written with the result: k * (y + scale * alpha)
    if y.dtype == F16:  # the sum would cancel
        return where(
            input > 0, g * scale, g * np.exp(np.minimum(input, 0) * input_scale) * (scale * alpha * input_scale)
        )
    return where(input > 0, g * scale, g * ((y + scale * alpha) * input_scale))


@op(
    input=_elu_slope, recompute=True, kind="activation", label="ELU", public=False, promote="float",
    samples=Samples("()->()", kinks="report", options={
        "alpha": (1.0, 0.5, SELU_ALPHA), "scale": (1.0, SELU_SCALE), "input_scale": (1.0, 2.0)}),
)  # fmt: skip
def elu_op(input: Array, alpha: float, scale: float, input_scale: float) -> Array:
    """Return ``scale * input`` above zero, ``scale * alpha * (exp(input_scale * input) - 1)`` below."""
    low = np.expm1(np.minimum(input, 0) * new.asarray(input_scale, input.dtype))
    return np.where(input > 0, input * new.asarray(scale, input.dtype), low * new.asarray(scale * alpha, input.dtype))


@function(method=False, inplace=True, functional=True)
def elu(input: Array, alpha: float = 1.0, inplace: bool = False) -> Array:
    """Return ``input`` above zero, ``alpha * (exp(input) - 1)`` below.

    >>> import tinygrad_lite as tl
    >>> tl.elu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.6321,  0.5000,  2.0000])
    """
    return elu_op(input, alpha, 1.0, 1.0)


@function(method=False, inplace=True, functional=True)
def selu(input: Array, inplace: bool = False) -> Array:
    """Return ELU with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017).

    >>> import tinygrad_lite as tl
    >>> tl.selu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.1113,  0.5254,  2.1014])
    """
    return elu_op(input, SELU_ALPHA, SELU_SCALE, 1.0)


@function(method=False, inplace=True, functional=True)
def celu(input: Array, alpha: float = 1.0, inplace: bool = False) -> Array:
    """Return ``input`` above zero, ``alpha * (exp(input / alpha) - 1)`` below.

    >>> import tinygrad_lite as tl
    >>> tl.celu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.6321,  0.5000,  2.0000])
    """
    if alpha == 0:
        raise ZeroDivisionError("celu: alpha cannot be 0")
    return elu_op(input, alpha, 1.0, 1.0 / alpha)


@function(method=False, functional=True)
def softsign(input: Array) -> Array:
    """Return ``input / (1 + |input|)``.

    >>> import tinygrad_lite as tl
    >>> tl.softsign(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.5000,  0.3333,  0.6667])
    """
    return input / (1 + abs(input))


@function(method=False, functional=True)
def tanhshrink(input: Array) -> Array:
    """Return ``input - tanh(input)``.

    >>> import tinygrad_lite as tl
    >>> tl.tanhshrink(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.2384,  0.0379,  1.0360])
    """
    return input - tanh(input)


@function(method=False, functional=True)
def glu(input: Array, dim: int = -1) -> Array:
    """Return the first half of ``input`` along ``dim`` times the sigmoid of the second.

    >>> import tinygrad_lite as tl
    >>> tl.glu(tl.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([0.9526, 1.9640])
    """
    shape = tuple(input.shape)
    if not shape or shape[dim] % 2:
        raise ShapeError(f"glu: halving dimension must be even, but dimension {dim} of x {describe(input)} is not")
    half, lead = shape[dim] // 2, (slice(None),) * (dim % len(shape))
    return input[(*lead, slice(0, half))] * sigmoid(input[(*lead, slice(half, None))])


@function(method=False)
def softmin(input: Array, dim: Any = -1) -> Array:
    """Return ``softmax(-input)``.

    >>> import tinygrad_lite as tl
    >>> tl.softmin(tl.tensor([1.0, 2.0, 3.0]), 0)
    tensor([0.6652, 0.2447, 0.0900])
    """
    return softmax(-input, dim)
