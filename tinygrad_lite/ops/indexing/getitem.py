"""Reading by index: `getitem` and `take_along`, and the scatter-adds that are their adjoints."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.layout import contiguous
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import DTypeError, ShapeError
from tinygrad_lite.ops.shape.reshaping import BadIndex, broadcast_to_op, place


def plain(index: Any) -> Any:
    """Return an index with every Tensor in it replaced by its array."""
    if isinstance(index, Tensor):
        return index.array
    if isinstance(index, tuple):
        return tuple([plain(i) for i in index])
    if isinstance(index, list):
        return [plain(i) for i in index]
    return index


NESTED = (Tensor, np.ndarray, list, tuple, slice, type(None))


def key_of(index: Any) -> Any:
    """Return ``index`` as NumPy expects it: arrays for Tensors, numbers for 0-d integer Tensors.

    NumPy returns a view for a number but a copy for a 0-d array. In PyTorch a short list is a tuple if it holds more
    than numbers.
    """
    if isinstance(index, list) and len(index) < 32 and any(i is ... or isinstance(i, NESTED) for i in index):
        index = tuple(index)
    if isinstance(index, tuple):
        return tuple([key_of(i) for i in index])
    array = plain(index)
    if isinstance(index, Tensor) and array.dtype == np.uint8:
        warn("index: a tensor of dtype uint8 is a mask, as in PyTorch; use .bool() for a mask, .long() for positions")
        return array != 0
    return int(array) if isinstance(array, np.ndarray) and not array.ndim and array.dtype.kind in "iu" else array


def is_basic(index: Any) -> bool:
    """Return whether ``index`` is basic: NumPy returns a view, and no element occurs twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, (int, slice, np.integer)) for p in parts) and not any(
        isinstance(p, bool) for p in parts
    )


def apart(index: Any) -> tuple[Any, Any] | None:
    """Split ``index`` into its integers and the rest, to be applied in turn.

    Return None if it can be applied unsplit.

    NumPy moves the axes of an index array to the front where a slice stands between it and an integer. PyTorch applies
    the integers first, and the axes stay where they are.
    """
    if index.__class__ is not tuple:
        return None
    arrays = [i for i, p in enumerate(index) if isinstance(p, (np.ndarray, list, tuple, bool))]
    if not arrays:
        return None
    numbers = [i for i, p in enumerate(index) if isinstance(p, (int, np.integer)) and not isinstance(p, bool)]
    if not numbers:
        return None
    places = sorted(arrays + numbers)
    if len(places) == places[-1] - places[0] + 1:
        return None
    first: list[Any] = []
    for i, p in enumerate(index):
        if i in arrays:
            array = new.asarray(p)
            first += [slice(None)] * (array.ndim if array.dtype.kind == "b" else 1)
        elif p is not None:
            first.append(p if i in numbers or p is Ellipsis else slice(None))
    return tuple(first), tuple(p for i, p in enumerate(index) if i not in numbers)


def _getitem_samples(src: Any) -> Any:
    n, k = src.size(3, lo=2), src.size(2, lo=2)
    x = src.floats((n, k))
    rows = new.array([0, 1, 1, -1])
    index = src.choice(
        [
            0,
            slice(None, None, 2),
            (slice(None), 1),
            (None, Ellipsis, -1),
            rows,
            (rows, new.array([0, 1, 0, 1])),
            new.arange(n) % 2 == 0,
        ]
    )
    return (x,), {"index": index}


def _getitem_rule(g: Array, index: Any, input_shape: Any) -> Array:
    return scatter_at(g, index, input_shape)


@op(input=_getitem_rule, kind="indexing", layout="picked", label="[ ]", public=False,
    samples=Samples(draw=_getitem_samples))  # fmt: skip
def getitem(input: Array, index: Any) -> Array:
    """Return ``input[index]`` for any index that NumPy accepts."""
    y = input[index]
    if isinstance(y, np.generic):  # NumPy returns a scalar here, but in-place writes need a view
        y = input[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    return y


@op(g_in=lambda g, index: getitem(g, index), kind="indexing", label="[ ]+=", public=False,
    samples=Samples("(k)->(n)", sizes={"k": (4, 4)},
                    options={"index": (new.array([0, 2, 2, -1]), slice(0, 4)), "shape": ((5,),)}))  # fmt: skip
def scatter_at(g_in: Array, index: Any, shape: Any) -> Array:
    """Return zeros of ``shape`` with ``g_in`` added at ``index``: the adjoint of reading there."""
    out = new.zeros(shape, g_in.dtype)
    if is_basic(index):
        out[index] = g_in
    else:
        np.add.at(out, index, g_in)
    return out


def _frees(saved: Any) -> bool:
    """Return whether the index holds arrays: PyTorch frees index tensors after backward, not numbers and slices.

    A read-only array is a table of an op such as `interpolate`, which keeps nothing.
    """
    parts = saved[0] if isinstance(saved[0], tuple) else (saved[0],)
    return not is_basic(parts) and all(p.__class__ is not np.ndarray or p.flags.writeable for p in parts)


getitem.op.frees = _frees  # type: ignore[attr-defined]


class BadKey(DTypeError, IndexError):
    """An object that cannot be an index (PyTorch: TypeError, NumPy: IndexError)."""


@function(method="__getitem__", name="index")
def index(input: Array, index: Any) -> Array:
    """Return ``input[index]`` for any NumPy index, tensors included.

    Axes are in PyTorch's order.

    >>> import tinygrad_lite as tl
    >>> tl.arange(5)[1:3]
    tensor([1, 2])
    """
    if index.__class__ is str or index.__class__ is float:
        raise BadKey(f"index: a tensor is indexed by whole numbers, slices, None, ... and tensors, not by {index!r}")
    where = key_of(index)
    if halves := apart(where):
        input, where = getitem(input, halves[0]), halves[1]
    return getitem(input, where)


def _along_samples(src: Any) -> Any:
    n, k, j = src.size(3), src.size(2), src.size(4)
    dim = src.choice([1, 0, -1])
    shape = (j, k) if dim == 0 else (n, j)
    return (src.floats((n, k)), src.indices(shape, (n, k)[dim])), {"dim": dim}


def _take_along_rule(g: Array, indices: Array, dim: int, input_shape: Any) -> Array:
    return scatter_along(g, indices, dim, input_shape)


@op(
    input=_take_along_rule, kind="indexing", public=False,
    samples=Samples(draw=_along_samples),
)  # fmt: skip
def take_along(input: Array, indices: Array, dim: int) -> Array:
    """Return ``input`` at ``indices`` along ``dim``, one index per result element."""
    bare = type(input) is type(indices) is np.ndarray
    if not bare or indices.dtype.kind not in "iu" or indices.ndim != input.ndim:
        return contiguous(np.take_along_axis(input, indices, dim))
    at = list(_places(input.shape))  # what `np.take_along_axis` does, in a third of the time
    at[dim] = indices
    return contiguous(input[tuple(at)])


@new.cached
def _places(shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Return the index of every element along each axis, to be broadcast."""
    return tuple(new.indices(shape, sparse=True))


def _scatter_samples(src: Any) -> Any:
    (x, indices), kw = _along_samples(src)
    dim = kw["dim"]
    return (src.floats(indices.shape), indices), {"dim": dim, "shape": x.shape}


def cropped(x: Array, dim: int, shape: Any) -> Array:
    """Return the part of ``x`` that an index of ``shape`` covers, uncut along ``dim``."""
    if all(d == dim or n == m for d, (n, m) in enumerate(zip(shape, x.shape, strict=True))):
        return x
    return getitem(x, tuple(slice(None) if d == dim else slice(0, n) for d, n in enumerate(shape)))


def _scatter_rule(g: Array, indices: Array, dim: int) -> Array:
    return take_along(cropped(g, dim % g.ndim, indices.shape), indices, dim)


@op(
    values=_scatter_rule, kind="indexing", public=False,
    samples=Samples(draw=_scatter_samples),
)  # fmt: skip
def scatter_along(values: Array, indices: Array, dim: int, shape: Any) -> Array:
    """Return zeros of ``shape`` with ``values`` added at ``indices`` along ``dim``.

    This is the adjoint of `take_along`.
    """
    out = new.zeros(shape, values.dtype)
    places = list(new.indices(indices.shape, sparse=True))
    places[dim] = indices
    np.add.at(out, tuple(places), values)
    return out


def check_bounds(name: str, index: Any, size: int, first: int | None = None) -> None:
    """Raise unless every index lies in ``[-size, size - 1]``, or counts from ``first`` on."""
    if index.size and not (index.min() >= (-size if first is None else first) and index.max() < size):
        worst = index.max() if index.max() >= size else index.min()
        raise BadIndex(f"{name}: index {int(worst)} is out of bounds for {size} elements")


def whole(name: str, index: Any) -> Any:
    """Return an index tensor as an integer array."""
    array = new.asarray(plain(index))
    if array.dtype.kind not in "iu":
        if array.size:
            raise DTypeError(f"{name}: an index must hold whole numbers, this one is {array.dtype}; use .long()")
        array = array.astype(np.int64)
    return array


@function(numpy=np.take_along_axis)
def take_along_dim(input: Array, indices: Array, dim: int | None = None) -> Array:
    """Return ``input`` at ``indices`` along ``dim`` (of the flattened input without ``dim``).

    >>> import tinygrad_lite as tl
    >>> tl.take_along_dim(tl.tensor([[3, 1], [2, 4]]), tl.tensor([[1], [0]]), 1)
    tensor([[1],
            [2]])
    """
    at = whole("take_along_dim", indices)
    if dim is None:
        flat = input.reshape(-1)
        check_bounds("take_along_dim", at, flat.shape[0])
        return take_along(flat, at.reshape(-1), 0)
    dim = place("take_along_dim", dim, input.ndim, input.shape)
    if at.ndim != input.ndim:
        raise ShapeError(f"take_along_dim: input has {input.ndim} axes, indices {at.ndim} ({at.shape})")
    check_bounds("take_along_dim", at, input.shape[dim])
    rest = np.broadcast_shapes(*((*x.shape[:dim], 1, *x.shape[dim + 1 :]) for x in (input, at)))
    at = np.broadcast_to(at, (*rest[:dim], at.shape[dim], *rest[dim + 1 :]))
    wide = (*rest[:dim], input.shape[dim], *rest[dim + 1 :])
    return take_along(input if tuple(input.shape) == wide else broadcast_to_op(input, wide), at, dim)
