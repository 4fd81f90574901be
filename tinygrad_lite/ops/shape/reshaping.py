"""Reshape and transpose; the registered shape ops and the checks of axes that other files share."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from operator import index
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import whole
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare, contiguous, dtype_of


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Return ``(2, 3)`` from ``f(2, 3)``, ``f((2, 3))`` or ``f([2, 3])``."""
    if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)):
        given: Any = shape[0]
        several = hasattr(given, "__len__") and getattr(given, "ndim", 1) != 0 and not isinstance(given, (type, bytes))
        shape = tuple(shape[0]) if several else (given,)
    try:
        return tuple([index(n) for n in shape])
    except TypeError:
        wrong = next((n for n in shape if not whole(n)), shape)
        raise DTypeError(f"sizes and dims must be whole numbers, got {describe(wrong)}; use int()") from None


def lengths(name: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Return `sizes`, of which one may be -1; NumPy takes any negative number for it."""
    found = sizes(shape)
    if found and min(found) < -1:
        raise ShapeError(f"{name}: a length is a number from 0 on, or -1 for what is left, got {found}")
    return found


class BadIndex(ShapeError, IndexError):
    """An index out of range, or an extreme of no elements (PyTorch: IndexError or RuntimeError)."""


def place(name: str, dim: Any, ndim: int, shape: Any) -> int:
    """Return ``dim`` counted from the front.

    Raise IndexError unless ``ndim`` axes have it (0-d counts as one axis).
    """
    n = ndim or 1
    try:
        inside = -n <= dim < n
    except TypeError:
        raise DTypeError(f"{name}: dim must be a whole number, got {describe(dim)}") from None
    if not inside:
        raise IndexError(f"{name}: dim {dim} is out of range for shape {tuple(shape)}, it must be in [{-n}, {n - 1}]")
    return int(dim) % n


def places(name: str, dim: Any, ndim: int, shape: Any) -> tuple[int, ...]:
    """Return one or several axes counted from the front; raise if one is named twice."""
    given = (dim,) if isinstance(dim, (int, np.integer)) else tuple(dim)
    out = tuple([place(name, d, ndim, shape) for d in given])
    if len(set(out)) != len(out):
        raise ShapeError(f"{name}: dims {given} name an axis of shape {tuple(shape)} twice")
    return out


def _reshape_samples(src: Any) -> Any:
    n, k = src.size(2, lo=0), src.size(3, lo=0)
    shape = src.choice([(k, n), (n * k,), (n, 1, k), (1, n * k, 1)])
    return (src.floats((n, k)),), {"shape": shape}


@op(
    input=lambda g, input_shape: g.reshape(input_shape),
    kind="shape",
    public=False,
    samples=Samples(draw=_reshape_samples),
)
def reshape_op(input: Array, shape: Any) -> Array:
    """Return the elements in another shape."""
    # the method takes a third of the time of np.reshape
    return input.reshape(shape) if input.__class__ is np.ndarray else np.reshape(input, shape)


@function(numpy=np.reshape)
def reshape(input: Array, *shape: Any) -> Array:
    """Return the elements in another shape.

    One length may be -1, and the result is a view where NumPy can make one.

    >>> import tinygrad_lite as tl
    >>> tl.reshape(tl.arange(6), 2, -1).shape
    (2, 3)
    """
    return reshape_op(input, lengths("reshape", shape))


@function()
def reshape_as(input: Array, other: Array) -> Array:
    """Return ``input`` in the shape of ``other``.

    >>> import tinygrad_lite as tl
    >>> tl.arange(4).reshape_as(tl.ones(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return reshape_op(input, tuple(other.shape))


def _reinterpreted(input: Array, dtype: np.dtype[Any]) -> Array:
    """Return the bytes of ``input`` as another dtype: a view that is no part of the graph."""
    x = bare(input)
    if dtype.itemsize != x.dtype.itemsize and not x.ndim:
        raise DTypeError(f"view: {describe(input)} has no axis that {dtype} could split or join")
    try:
        return make(x.view(dtype))
    except ValueError as error:
        raise ShapeError(f"view: the last axis of {describe(input)} does not divide into {dtype}") from error


@function()
def view(input: Array, *shape: Any, dtype: Any = None) -> Array:
    """Return a view of the elements in another shape, or of their bytes as another dtype.

    Raise ShapeError where that needs a copy.

    >>> import tinygrad_lite as tl
    >>> tl.arange(4).view(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    if len(shape) == 1 and isinstance(shape[0], (np.dtype, type, str, DType)):
        return _reinterpreted(input, dtype_of("view", shape[0]))
    if dtype is not None and not shape:
        return _reinterpreted(input, dtype_of("view", dtype))
    try:
        y = reshape_op(input, lengths("view", shape))
    except ShapeError as error:
        raise ShapeError(str(error).replace("reshape:", "view:", 1)) from error
    if bare(y).size and not np.may_share_memory(bare(y), bare(input)):
        raise ShapeError(f"view: shape {tuple(input.shape)} is not laid out in memory for this view; use .reshape()")
    return y


@function()
def view_as(input: Array, other: Array) -> Array:
    """Return `view` in the shape of ``other``.

    >>> import tinygrad_lite as tl
    >>> tl.arange(4).view_as(tl.ones(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return view(input, tuple(other.shape))


@function(numpy=())
def ravel(input: Array) -> Array:
    """Return ``input`` flattened to one axis.

    >>> import tinygrad_lite as tl
    >>> tl.ravel(tl.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    return reshape_op(contiguous(input), (-1,) if bare(input).size else (0,))


def _permute_back(g: Array, dims: Any) -> Array:
    return permute_op(g, tuple(int(i) for i in np.argsort([d % len(dims) for d in dims])))


@op(
    input=_permute_back, kind="shape", public=False,
    samples=Samples("(n,k,m)->(m,n,k)", options={"dims": ((2, 0, 1), (1, 0, 2), (-1, 0, -2))}),
)  # fmt: skip
def permute_op(input: Array, dims: Any) -> Array:
    """Return a view with the axes in another order."""
    if input.__class__ is np.ndarray:
        return input.transpose(dims)
    return np.transpose(input, tuple(int(d) + np.ndim(input) if d < 0 else int(d) for d in dims))


@function(numpy=())
def permute(input: Array, *dims: Any) -> Array:
    """Return a view with the axes in the order ``dims``.

    >>> import tinygrad_lite as tl
    >>> tl.permute(tl.ones(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    order = sizes(dims)
    if len(order) != input.ndim:
        raise ShapeError(
            f"permute: dims {order} do not name each of the {input.ndim} axes of {tuple(input.shape)} once"
        )
    return permute_op(input, places("permute", order, input.ndim, input.shape))


@function(inplace="view")
def transpose(input: Array, dim0: Any = None, dim1: Any = None) -> Array:
    """Return a view with two axes exchanged.

    Without axes, as in NumPy, all are reversed.

    >>> import tinygrad_lite as tl
    >>> tl.transpose(tl.ones(2, 3, 4), 0, 2).shape
    (4, 3, 2)
    """
    n = input.ndim
    if dim0 is None:
        return permute_op(input, tuple(range(n))[::-1])
    if dim1 is None or not isinstance(dim0, (int, np.integer)):
        return permute(input, dim0)
    dim0, dim1 = place("transpose", dim0, n, input.shape), place("transpose", dim1, n, input.shape)
    order = list(range(n))
    if n:
        order[dim0], order[dim1] = order[dim1], order[dim0]
    return permute_op(input, tuple(order))


@function(numpy=np.swapaxes, inplace="view")
def swapaxes(input: Array, axis0: int, axis1: int) -> Array:
    """Return a view with two axes exchanged: NumPy's name for `transpose`.

    >>> import tinygrad_lite as tl
    >>> tl.swapaxes(tl.ones(2, 3), 0, 1).shape
    (3, 2)
    """
    return transpose(input, axis0, axis1)


@function(name="movedim")
def movedim(input: Array, source: Any, destination: Any) -> Array:
    """Return a view with the axes ``source`` moved to ``destination``.

    The others keep their order.

    >>> import tinygrad_lite as tl
    >>> tl.movedim(tl.ones(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    n = input.ndim
    take, put = (places("movedim", d, n, input.shape) for d in (source, destination))
    if len(take) != len(put):
        raise ShapeError(f"movedim: {len(take)} source dims but {len(put)} destinations")
    if not n:
        return reshape_op(input, ())
    order = [d for d in range(n) if d not in take]
    for p, d in sorted(zip(put, take, strict=True)):
        order.insert(p, d)
    return permute_op(input, tuple(order))


@function(inplace="view")
def t(input: Array) -> Array:
    """Return the transpose of a matrix; vectors and 0-d tensors stay as they are.

    >>> import tinygrad_lite as tl
    >>> tl.t(tl.ones(2, 3)).shape
    (3, 2)
    """
    if input.ndim > 2:
        raise ShapeError(f"t: expected at most two axes, got {describe(input)}; use .mT or .transpose(dim0, dim1)")
    return transpose(input)


@function()
def adjoint(input: Array) -> Array:
    """Return ``input`` with its last two axes exchanged; a 0-d tensor stays as it is.

    >>> import tinygrad_lite as tl
    >>> tl.adjoint(tl.ones(2, 3, 4)).shape
    (2, 4, 3)
    """
    if not input.ndim:
        return input
    if input.ndim < 2:
        raise ShapeError(f"adjoint: expected at least two axes, got {describe(input)}")
    return transpose(input, -2, -1)


# The adjoint is a sum over the new axes; the engine does that for every rule.
@op(input=lambda g: g, kind="shape", method=False, public=False,
    samples=Samples("(n)->(k,n)", options={"shape": lambda shape: [(2, *shape), (3, 1, *shape), shape]}))  # fmt: skip
def broadcast_to_op(input: Array, shape: Any) -> Array:
    """Return a view repeated along new and length-1 axes; read-only if any element is."""
    lead = len(shape) - input.ndim
    if type(input) is np.ndarray and input.flags.c_contiguous and input.size and lead >= 0:
        sizes, steps = input.shape, [0] * lead
        if all([n == m or n == 1 for n, m in zip(sizes, shape[lead:], strict=True)]):  # half the time of NumPy's Python
            if prod(shape) == input.size:
                return input.reshape(shape)
            steps += [s if n == m else 0 for n, m, s in zip(sizes, shape[lead:], input.strides, strict=True)]
            view = new.ndarray(shape, input.dtype, input, 0, steps)
            view.flags.writeable = False
            return view
    wide = np.broadcast_to(input, shape)
    return input.reshape(shape) if wide.size == input.size and input.__class__ is np.ndarray else wide


def widened(name: str, input: Array, size: Any) -> Array:
    """Return a view of ``size``, in which -1 keeps a length."""
    want, shape = sizes(size), tuple(input.shape)
    extra = len(want) - len(shape)
    if extra < 0 or -1 in want[:extra]:
        raise ShapeError(f"{name}: sizes {want} do not fit shape {shape}")
    return broadcast_to_op(input, tuple([shape[i - extra] if n == -1 else n for i, n in enumerate(want)]))


@function(numpy=np.broadcast_to)
def broadcast_to(input: Array, *shape: Any) -> Array:
    """Return ``input`` repeated along new and length-1 axes to ``shape``; -1 keeps a length.

    >>> import tinygrad_lite as tl
    >>> tl.broadcast_to(tl.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return widened("broadcast_to", input, shape)


@function(numpy=np.squeeze, inplace="view")
def squeeze(input: Array, dim: Any = None) -> Array:
    """Return a view without axes of length 1, or without ``dim`` if its length is 1.

    >>> import tinygrad_lite as tl
    >>> tl.squeeze(tl.ones(1, 2, 1)).shape
    (2,)
    """
    n = input.ndim
    gone = range(n) if dim is None else places("squeeze", dim, n, input.shape)
    return reshape_op(input, tuple([s for i, s in enumerate(input.shape) if s != 1 or i not in gone]))


@function(numpy=np.expand_dims, inplace="view")
def unsqueeze(input: Array, dim: int) -> Array:
    """Return a view with a new axis of length 1 at ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.unsqueeze(tl.ones(2), 0).shape
    (1, 2)
    """
    n = input.ndim + 1
    shape = list(input.shape)
    shape.insert(place("unsqueeze", dim, n, shape), 1)
    return reshape_op(input, tuple(shape))


@lru_cache(maxsize=256, typed=True)
def _flat(shape: tuple[int, ...], start_dim: int, end_dim: int) -> tuple[int, ...]:
    n = len(shape)
    start, end = place("flatten", start_dim, n, shape), place("flatten", end_dim, n, shape)
    if not n:
        return (1,)
    if start > end:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])


@function()
def flatten(input: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    """Return ``input`` with the axes from ``start_dim`` to ``end_dim`` (both included) merged.

    >>> import tinygrad_lite as tl
    >>> tl.flatten(tl.ones(2, 3, 4), 1).shape
    (2, 12)
    """
    shape = _flat(input.shape, start_dim, end_dim)
    return input if len(shape) == input.ndim else reshape_op(input, shape)


@function()
def unflatten(input: Array, dim: int, sizes: Any) -> Array:
    """Return ``input`` with the axis ``dim`` split into axes of ``sizes`` (one may be -1).

    >>> import tinygrad_lite as tl
    >>> tl.unflatten(tl.ones(6), 0, (2, 3)).shape
    (2, 3)
    """
    at = place("unflatten", dim, input.ndim, input.shape)
    shape, split = tuple(input.shape), [int(n) for n in sizes]
    if split.count(-1) == 1 and (rest := -prod(split)):  # reshape cannot know it if another axis is empty
        split[split.index(-1)] = shape[at] // rest
    return reshape_op(input, (*shape[:at], *split, *shape[at + 1 :]))


@op(input=lambda g, dims: np.flip(g, dims), kind="shape", layout="copy", label="flip", public=False,
    samples=Samples("(n,k)->(n,k)", options={"dims": ((0,), (1,), (0, -1))}))  # fmt: skip
def flip_op(input: Array, dims: Any) -> Array:
    """Return ``input`` with the elements along ``dims`` in reverse order."""
    return np.flip(input, dims)


def _reversed_axes(input: Any) -> Any:
    """The axes in reverse order: the transpose of a matrix."""
    return permute_op(input, tuple(range(input.ndim))[::-1])


def _matrix_transposed(input: Any) -> Any:
    """The last two axes exchanged; a 0-d tensor stays as it is."""
    if not input.ndim:
        return input
    if input.ndim < 2:
        raise ShapeError(f"mT: expected at least two axes, got shape {tuple(input.shape)}")
    return transpose(input, -2, -1)


def _matrix_conjugate(input: Any) -> Any:
    """The transpose of a matrix; a 0-d tensor stays as it is."""
    if input.ndim not in (0, 2):
        raise ShapeError(f"H: expected a matrix, got shape {tuple(input.shape)}; use .mH for stacks of matrices")
    return t(input) if input.ndim else input


setattr(Methods, "T", property(_reversed_axes))  # noqa: B010 - Tensor inherits its methods from Methods
setattr(Methods, "real", property(lambda self: self))  # noqa: B010
setattr(Methods, "mT", property(_matrix_transposed))  # noqa: B010
setattr(Methods, "H", property(_matrix_conjugate))  # noqa: B010
setattr(Methods, "mH", property(adjoint))  # noqa: B010
