"""Reductions over one, several or all axes: ``dim`` and ``keepdim`` as in PyTorch, ``axis`` and ``keepdims`` too."""

from __future__ import annotations

from builtins import all as all_of
from math import prod as product
from operator import index
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.elsewhere import highest
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.promotion import NUMPY_1
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.sums import summed
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.ops.elementwise.arithmetic import maximum, minimum, where
from tinygrad_lite.ops.elementwise.cast import bare, clone
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.ops.shape.reshaping import BadIndex, broadcast_to, permute_op

# Any, because NumPy's stubs accept only a literal keepdims
added: Any = np.add.reduce
multiplied: Any = np.multiply.reduce
largest: Any = np.maximum.reduce
smallest: Any = np.minimum.reduce
both: Any = np.logical_and.reduce
either: Any = np.logical_or.reduce

Dim = int | tuple[int, ...] | None


def some_dims(shape: tuple[int, ...]) -> tuple[Dim, ...]:
    """Return the values of ``dim`` that a gradient check tries for ``shape``."""
    n = len(shape)
    return (None, *range(n), -1, tuple(range(n))) if n else (None,)


REDUCE = Samples("()->()", options={"dim": some_dims, "keepdim": (False, True)})
REDUCE_SOME = Samples("()->()", options={"dim": some_dims, "keepdim": (False, True)}, min=1)


def axis_of(dim: Any, ndim: int = 1) -> Any:
    """Return ``dim`` as NumPy's ``axis``; an empty ``dim`` means all axes."""
    if dim is None or dim.__class__ is int:
        return dim
    if not isinstance(dim, (tuple, list)):
        return index(dim)
    if not ndim and all_of(d in (0, -1) for d in dim):
        return None  # NumPy has no axis 0 of a 0-d array in a tuple
    return tuple([index(d) for d in dim]) or None


def axes_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """Return ``dim`` (None, a number, several) as axes counted from the front."""
    dims = (dim,) if hasattr(dim, "__index__") else range(ndim) if dim is None or not len(dim) else dim
    return tuple(int(d) % ndim if ndim else 0 for d in dims)


def kept(g: Array, shape: tuple[int, ...], dim: Dim, keepdim: bool) -> Array:
    """Put the reduced axes of ``g`` back with length 1, so that it broadcasts to ``shape``."""
    if keepdim or not shape:
        return g
    axes = axes_of(dim, len(shape))
    return g.reshape(tuple([1 if i in axes else n for i, n in enumerate(shape)]))


def stretched(g: Array, shape: tuple[int, ...], dim: Dim, keepdim: bool) -> Array:
    """Broadcast the gradient of a sum to ``shape``, the shape of its operand, without a copy."""
    if not g.ndim and g.__class__ is np.ndarray:
        view: Array = new.ndarray(shape, g.dtype, g, 0, (0,) * len(shape))  # broadcast_to takes six times as long
        view.flags.writeable = False
        return view
    return broadcast_to(kept(g, shape, dim, keepdim), shape)


def back_to(g: Array, dtype: Any) -> Array:
    """Return the gradient of a sum in another dtype (``dtype=``) in that of its operand."""
    return g if g.dtype == dtype else g.astype(dtype)


@wide
def _mean_rule(g: Array, input_shape: Any, input_dtype: Any, dim: Any, keepdim: Any) -> Array:
    g = back_to(g, input_dtype)
    axes = range(len(input_shape)) if dim is None else axes_of(dim, len(input_shape)) if input_shape else ()
    count = product([input_shape[i] for i in axes])
    part = 1 / (count or 1)  # fits into float16 where count itself may not
    if NUMPY_1 and not isinstance(g, Tensor):
        part = g.dtype.type(part)
    if g.__class__ is np.ndarray:
        return stretched(np.multiply(g, part, out=new.empty_like(g)), input_shape, dim, keepdim)
    return stretched(g * part, input_shape, dim, keepdim)


@op(
    input=lambda g, input_shape, input_dtype, dim, keepdim: stretched(
        back_to(g, input_dtype), input_shape, dim, keepdim
    ),
    kind="reduction", label="Σ", samples=REDUCE,
)  # fmt: skip
def sum(input: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Return the sum over ``dim`` (all axes by default).

    Whole numbers and bools add up to int64.

    >>> import tinygrad_lite as tl
    >>> tl.sum(tl.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    if dtype is None and input.dtype.kind in "biu":
        dtype = np.int64
    if dtype is None and input.dtype.char == "e":  # rounded once, as in PyTorch
        with np.errstate(over="ignore"):
            return added(input, axis=axis_of(dim, input.ndim), keepdims=keepdim, dtype=np.float32).astype(np.float16)
    if dtype is None and dim.__class__ is int and 1 < input.ndim > dim >= -input.ndim:
        return summed(input, dim, keepdim)
    return added(input, axis=axis_of(dim, input.ndim), keepdims=keepdim, dtype=dtype)


@op(input=_mean_rule, kind="reduction", promote="float", samples=REDUCE_SOME)
def mean(input: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Return the mean over ``dim``; the mean of no elements is NaN.

    >>> import tinygrad_lite as tl
    >>> tl.mean(tl.tensor([1.0, 3.0]))
    tensor(2.)
    """
    half = dtype is None and input.dtype.char == "e"  # the sum and the count may be too large for float16
    if dtype is None and dim.__class__ is int and not half and 1 < input.ndim > dim >= -input.ndim:
        y = summed(input, dim, keepdim)
    else:
        y = added(input, axis=axis_of(dim, input.ndim), keepdims=keepdim, dtype=np.float32 if half else dtype)
    count = input.size // (np.size(y) or 1) or np.nan
    return ratio(y, count).astype(np.float16) if half else ratio(y, count)


def ratio(y: Array, count: Any) -> Array:
    """Return ``y / count`` in the dtype of ``y`` (NumPy 1 widens a scalar)."""
    z = y / (y.dtype.type(count) if NUMPY_1 else count)
    return z if z.dtype is y.dtype else z.astype(y.dtype)


@function(numpy=np.nansum)
def nansum(input: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Return the sum over ``dim`` of the elements that are not NaN.

    >>> import tinygrad_lite as tl
    >>> tl.nansum(tl.tensor([1.0, tl.nan]))
    tensor(1.)
    """
    return sum(where(np.isnan(input), 0.0, input) if input.dtype.kind == "f" else input, dim, keepdim, dtype)


@function(numpy=np.nanmean)
def nanmean(input: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Return the mean over ``dim`` of the elements that are not NaN.

    It is NaN if there are none.

    >>> import tinygrad_lite as tl
    >>> tl.nanmean(tl.tensor([1.0, tl.nan]))
    tensor(1.)
    """
    count = sum(np.logical_not(np.isnan(input)), dim, keepdim)
    return nansum(input, dim, keepdim, dtype) / count


def _others(x: Array) -> Array:
    """Return, for each element, the product of all others along the last axis.

    Zeros among them are handled.
    """
    one = new.ones((*x.shape[:-1], 1), x.dtype)
    left = np.cumprod(cat([one, x[..., :-1]], -1), axis=-1)
    right = np.cumprod(cat([one, x[..., :0:-1]], -1), axis=-1)[..., ::-1]
    y = left * right
    lost = np.isnan(bare(y))
    if lost.any():  # 0 times an overflow
        zeros = bare(x) == 0
        lost &= (zeros.sum(-1, keepdims=True) > zeros) & np.isfinite(bare(x)).all(-1, keepdims=True)
        y = where(lost, 0.0, y)
    return y


@wide
def _prod_rule(g: Array, input: Array, dim: Any, keepdim: bool) -> Array:
    shape = tuple(input.shape)
    if not shape:
        return g
    axes = axes_of(dim, len(shape))
    order = tuple(i for i in range(len(shape)) if i not in axes) + axes
    rest = tuple(shape[i] for i in order[: len(shape) - len(axes)])
    many = product([shape[i] for i in axes])
    others = _others(permute_op(input, order).reshape((*rest, many))) if many else input.reshape((*rest, 0))
    back = permute_op(others.reshape(tuple(shape[i] for i in order)), tuple(order.index(i) for i in range(len(shape))))
    return back_to(kept(g, shape, dim, keepdim) * back, input.dtype)


@op(input=_prod_rule, keeps_result=True, kind="reduction", label="Π", samples=REDUCE)
def prod(input: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Return the product over ``dim``.

    Its gradient is right with zeros among the factors.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    if dtype is None and input.dtype.kind in "biu":
        dtype = np.int64
    if dtype is None and input.dtype.char == "e":
        with np.errstate(over="ignore"):
            y = multiplied(input, axis=axis_of(dim, input.ndim), keepdims=keepdim, dtype=np.float32)
            return y.astype(np.float16)
    return multiplied(input, axis=axis_of(dim, input.ndim), keepdims=keepdim, dtype=dtype)


@wide
def _logsumexp_rule(g: Array, y: Array, input: Array, dim: Any, keepdim: bool) -> Array:
    shape = input.shape
    y = where(y == -np.inf, 0.0, y)  # if every element is -inf the slope is 0
    return kept(g, shape, dim, keepdim) * np.exp(input - kept(y, shape, dim, keepdim))


@op(input=_logsumexp_rule, kind="reduction", label="log Σ exp", promote="float", samples=REDUCE_SOME)
@wide
def logsumexp(input: Array, dim: Any, keepdim: bool = False) -> Array:
    r"""Return :math:`\log \sum_i e^{x_i}` over ``dim`` without overflow.

    >>> import tinygrad_lite as tl
    >>> tl.logsumexp(tl.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    axis = axis_of(dim, input.ndim)
    top = highest(input, -np.inf, axis, True)
    top = np.where(np.isfinite(top), top, 0).astype(input.dtype)
    with np.errstate(divide="ignore"):
        y = np.log(added(np.exp(input - top), axis=axis, keepdims=True)) + top
    return y if keepdim or not input.ndim else y.squeeze(axis=axes_of(dim, input.ndim))


@wide
def _extreme_rule(g: Array, y: Array, input: Array, dim: Any, keepdim: Any) -> Array:
    shape = input.shape
    if not shape:
        return g
    tied = (input == kept(y, shape, dim, keepdim)).astype(g.dtype)  # none if the result is NaN: its gradient is NaN
    return kept(g, shape, dim, keepdim) * (tied / tied.sum(axis=axes_of(dim, len(shape)), keepdims=True))


def _nonempty(name: str, input: Array, dim: Any) -> None:
    if not input.size and not all_of(input.shape[i] for i in axes_of(dim, input.ndim)):
        raise BadIndex(f"{name}: no elements to choose from over dim={dim} of shape {input.shape}")


@op(input=_extreme_rule, kind="reduction", label="max", samples=REDUCE_SOME)
def amax(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the largest value over ``dim``; equal ones share the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.amax(tl.tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1)
    tensor([5., 7.])
    """
    _nonempty("amax", input, dim)
    take = largest if input.__class__ not in new.KINDS else np.max
    return take(input, axis=axis_of(dim, input.ndim), keepdims=keepdim)


@op(input=_extreme_rule, kind="reduction", label="min", samples=REDUCE_SOME)
def amin(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the smallest value over ``dim``; equal ones share the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.amin(tl.tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1)
    tensor([1., 3.])
    """
    _nonempty("amin", input, dim)
    take = smallest if input.__class__ not in new.KINDS else np.min
    return take(input, axis=axis_of(dim, input.ndim), keepdims=keepdim)


@wide
def _of_all_rule(g: Array, y: Array, input: Array) -> Array:
    tied = input == y
    if input.dtype.kind == "f":
        tied = tied | (np.isnan(input) & np.isnan(y))  # unlike in `amax`, several NaN share the gradient
    return where(tied, g / tied.astype(g.dtype).sum(), 0.0)


@op(input=_of_all_rule, kind="reduction", label="max", public=False, samples=Samples("()->()", min=1))
def largest_of_all(input: Array) -> Array:
    """Return the largest value."""
    _nonempty("amax", input, None)
    return (largest if input.__class__ not in new.KINDS else np.max)(input, axis=None)


@op(input=_of_all_rule, kind="reduction", label="min", public=False, samples=Samples("()->()", min=1))
def smallest_of_all(input: Array) -> Array:
    """Return the smallest value."""
    _nonempty("amin", input, None)
    return (smallest if input.__class__ not in new.KINDS else np.min)(input, axis=None)


@op(kind="reduction", numpy=np.argmax)
def argmax(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the index of the (first) largest value over ``dim``, or of the flattened input.

    >>> import tinygrad_lite as tl
    >>> tl.argmax(tl.tensor([1.0, 5.0, 3.0]))
    tensor(1)
    """
    _nonempty("argmax", input, dim)
    return new.int64(np.argmax(input, axis=dim, keepdims=keepdim))


@op(kind="reduction", numpy=np.argmin)
def argmin(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return the index of the (first) smallest value over ``dim``, or of the flattened input.

    >>> import tinygrad_lite as tl
    >>> tl.argmin(tl.tensor([4.0, 5.0, 3.0]))
    tensor(2)
    """
    _nonempty("argmin", input, dim)
    return new.int64(np.argmin(input, axis=dim, keepdims=keepdim))


class Extreme(NamedTuple):
    """The result of `max` and `min` along one axis."""

    values: Any
    indices: Any


def _extreme(input: Array, dim: Any, keepdim: bool, whole: Any, arg: Any, two: Any) -> Any:
    from tinygrad_lite.ops.indexing.getitem import take_along

    if dim is None:
        return whole(input)
    if not isinstance(dim, (int, np.integer)):
        if not keepdim:
            return two(input, dim)
        dim = int(dim)
    if input.ndim == 0:
        return Extreme(clone(input), arg(input))
    indices = arg(input, dim, True)
    values, dim = take_along(input, bare(indices), int(dim)), int(dim) % input.ndim
    if keepdim:
        return Extreme(values, indices)
    rest = (*input.shape[:dim], *input.shape[dim + 1 :])
    return Extreme(values.reshape(rest), indices.reshape(rest))


@function()
def max(input: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the largest value.

    With ``dim`` return (values, indices), the gradient going to the first of equals.

    ``max(input, other)`` is `maximum`.

    >>> import tinygrad_lite as tl
    >>> tl.max(tl.tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1).indices
    tensor([1, 0])
    """
    return _extreme(input, dim, keepdim, largest_of_all, argmax, maximum)


@function()
def min(input: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the smallest value.

    With ``dim`` return (values, indices), the gradient going to the first of equals.

    ``min(input, other)`` is `minimum`.

    >>> import tinygrad_lite as tl
    >>> tl.min(tl.tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1).values
    tensor([1., 3.])
    """
    return _extreme(input, dim, keepdim, smallest_of_all, argmin, minimum)


class AMinMax(NamedTuple):
    """The result of `aminmax`."""

    min: Any
    max: Any


@function()
def aminmax(input: Array, *, dim: Any = None, keepdim: bool = False) -> AMinMax:
    """Return the smallest and the largest value over ``dim``.

    Equal ones share the gradient.

    >>> import tinygrad_lite as tl
    >>> tl.aminmax(tl.tensor([1.0, 5.0])).max
    tensor(5.)
    """
    return AMinMax(amin(input, dim, keepdim), amax(input, dim, keepdim))


def _like_bytes(input: Array, y: Any) -> Any:
    """Return truth values as they are, those of uint8 in uint8, as in PyTorch."""
    return y.astype(np.uint8) if input.dtype == np.uint8 else y


@op(kind="reduction", numpy=np.all)
def all(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return whether every element over ``dim`` is true (not 0).

    >>> import tinygrad_lite as tl
    >>> tl.all(tl.tensor([True, False]))
    tensor(False)
    """
    if dim.__class__ is tuple and not dim or dim.__class__ is list and not dim:
        return _like_bytes(input, np.not_equal(input, 0))  # unlike in sums, no axes are no axes
    return _like_bytes(
        input,
        (both if input.__class__ not in new.KINDS else np.all)(input, axis=axis_of(dim, input.ndim), keepdims=keepdim),
    )


@op(kind="reduction", numpy=np.any)
def any(input: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Return whether some element over ``dim`` is true (not 0).

    >>> import tinygrad_lite as tl
    >>> tl.any(tl.tensor([True, False]))
    tensor(True)
    """
    if dim.__class__ is tuple and not dim or dim.__class__ is list and not dim:
        return _like_bytes(input, np.not_equal(input, 0))
    return _like_bytes(
        input,
        (either if input.__class__ not in new.KINDS else np.any)(
            input, axis=axis_of(dim, input.ndim), keepdims=keepdim
        ),
    )


@op(kind="reduction", numpy=np.count_nonzero)
def count_nonzero(input: Array, dim: Any = None) -> Array:
    """Return how many elements over ``dim`` are not 0.

    >>> import tinygrad_lite as tl
    >>> tl.count_nonzero(tl.tensor([0, 1, 2]))
    tensor(2)
    """
    return new.int64(new.asarray(np.count_nonzero(input, axis=axis_of(dim) if input.ndim else None)))
