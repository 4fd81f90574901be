"""Join and split tensors; build grids, diagonals and triangles."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.promotion import one_dtype
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ArgumentError, DTypeError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare, clone
from tinygrad_lite.ops.shape.moving import atleast_1d, atleast_2d, atleast_3d, several
from tinygrad_lite.ops.shape.reshaping import BadIndex, broadcast_to_op, place, reshape_op, transpose


def _split_back(g: Array, tensors_shape: Any, dim: int) -> list[Array]:
    lengths = [s[dim] if len(s) == g.ndim else 0 for s in tensors_shape]
    lead = (slice(None),) * (dim % g.ndim)
    parts = [g[(*lead, slice(int(e) - n, int(e)))] for e, n in zip(np.cumsum(lengths), lengths, strict=True)]
    return [p if len(s) == g.ndim else p.reshape(s) for p, s in zip(parts, tensors_shape, strict=True)]


@op(
    tensors=_split_back, kind="shape", layout="contiguous", promote="same", method=False, numpy=np.concatenate,
    samples=Samples("(n,k),(n,k)->(n,j)", options={"dim": (0, 1, -1)}, call=lambda op, *arrays, **kw: op(arrays, **kw)),
)  # fmt: skip
def cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Return the tensors joined along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.cat([tl.tensor([1, 2]), tl.tensor([3])])
    tensor([1, 2, 3])
    """
    if not len(tensors):
        raise ValueError("cat: expected at least one tensor, got an empty list")
    if 0 in (ndims := [t.ndim if t.__class__ is np.ndarray else np.ndim(t) for t in tensors]):
        _some("cat", tensors)
    if max(ndims) > 1 and 1 in ndims:  # PyTorch's empty tensor of old joins anything
        tensors = [t for t in tensors if np.shape(t) != (0,)]
    return np.concatenate(tensors, axis=max(index(dim), -65))  # NumPy: None and -2**31 make one long vector


@op(
    tensors=lambda g, dim: list(unbind_op(g, dim)),  # type: ignore[has-type]
    kind="shape", layout="contiguous", promote="same", method=False, numpy=np.stack,
    samples=Samples("(n,k),(n,k)->()", options={"dim": (0, 1, -1)}, call=lambda op, *arrays, **kw: op(arrays, **kw)),
)  # fmt: skip
def stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Return the tensors, all of one shape, joined along a new axis ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.stack([tl.tensor([1, 2]), tl.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    shapes = {x.shape if x.__class__ is np.ndarray else np.shape(x) for x in tensors}
    if not shapes or () in shapes:
        _some("stack", tensors)
    if len(shapes) > 1:
        raise ShapeError(f"stack: all tensors must have one shape, got {', '.join(str(np.shape(x)) for x in tensors)}")
    if dim == 0 and (shape := min(shapes)) and not new.REDIRECTED[0] and {type(x) for x in tensors} == {np.ndarray}:
        out = new.empty((len(tensors), *shape), np.result_type(*tensors))  # a third of the time of np.stack
        np.concatenate(tensors, out=out.reshape((len(tensors) * shape[0], *shape[1:])))
        return out
    return np.stack(tensors, axis=dim)


def _some(name: str, tensors: Any) -> list[Any]:
    given = list(tensors)
    if not given:
        raise ShapeError(f"{name}: expected at least one tensor, got an empty list")
    for i, t in ((i, t) for i, t in enumerate(given) if t is None or isinstance(t, str)):
        raise ArgumentError(f"{name}: expected tensors, element {i} is {describe(t)}")
    return given


@function(method=False, numpy=())
def hstack(tensors: Any) -> Array:
    """Return the tensors joined along the second axis (vectors along their only one).

    >>> import tinygrad_lite as tl
    >>> tl.hstack([tl.tensor([1, 2]), tl.tensor([3])])
    tensor([1, 2, 3])
    """
    parts = atleast_1d(_some("hstack", tensors))
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@function(method=False, numpy=())
def vstack(tensors: Any) -> Array:
    """Return the tensors joined along the first axis; vectors become rows.

    >>> import tinygrad_lite as tl
    >>> tl.vstack([tl.tensor([1, 2]), tl.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat(atleast_2d(_some("vstack", tensors)), 0)


@function(method=False, numpy=())
def dstack(tensors: Any) -> Array:
    """Return the tensors joined along the third axis.

    >>> import tinygrad_lite as tl
    >>> tl.dstack([tl.tensor([1, 2]), tl.tensor([3, 4])]).shape
    (1, 2, 2)
    """
    return cat(atleast_3d(_some("dstack", tensors)), 2)


@function(method=False, numpy=())
def column_stack(tensors: Any) -> Array:
    """Return the tensors joined along the second axis; vectors become columns.

    >>> import tinygrad_lite as tl
    >>> tl.column_stack([tl.tensor([1, 2]), tl.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return cat([reshape_op(x, (-1, 1)) if x.ndim < 2 else x for x in _some("column_stack", tensors)], 1)


@function(method=False)
def block_diag(*tensors: Any) -> Array:
    """Return a matrix with the tensors as blocks on its diagonal.

    >>> import tinygrad_lite as tl
    >>> tl.block_diag(tl.ones(1, 2), tl.tensor([[5.0]]))
    tensor([[1., 1., 0.],
            [0., 0., 5.]])
    """
    blocks = atleast_2d(several("block_diag", tensors))
    for b in blocks:
        if b.ndim != 2:
            raise ShapeError(f"block_diag: expected matrices, vectors or numbers, got {describe(b)}")
    width = sum(b.shape[1] for b in blocks)
    rows, start = [], 0
    for b in blocks:
        n, k = b.shape
        left, right = (new.zeros((n, w), b.dtype) for w in (start, width - start - k))
        rows.append(cat([left, b, right], 1))
        start += k
    return cat(rows, 0)


# ------------------------------------------------------------------------------------------------ splitting
@op(input=lambda g, dim: cat(list(g), dim), kind="shape", label="split", public=False,
    samples=Samples("(n,k)->()", sizes={"n": (5, 5), "k": (5, 5)},
                    options={"ends": ((2, 3),), "dim": (0, 1)}))  # fmt: skip
def split_op(input: Array, ends: Any, dim: int) -> Array:
    """Return the parts of ``input`` cut at the indices ``ends`` along ``dim``, as views."""
    lead = (slice(None),) * (dim % input.ndim)
    places = (0, *ends, input.shape[dim])
    return tuple([input[(*lead, slice(a, b))] for a, b in zip(places[:-1], places[1:], strict=True)])


@function()
def split(tensor: Array, split_size_or_sections: Any, dim: int = 0) -> tuple[Array, ...]:
    """Split ``tensor`` along ``dim`` into views of one length or of the lengths listed.

    With one length the last view may be shorter.

    >>> import tinygrad_lite as tl
    >>> tl.split(tl.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    if not tensor.ndim:
        raise ShapeError("split: expected at least one axis, got a 0-d tensor")
    dim = place("split", dim, tensor.ndim, tensor.shape)
    n, size = tensor.shape[dim], split_size_or_sections
    if isinstance(size, (int, np.integer)):
        if size < 0 or (size == 0 and n):
            raise ShapeError(f"split: the length of the parts must be positive, got {size}")
        return split_op(tensor, tuple(range(int(size), n, int(size))) if n else (), dim)  # type: ignore[no-any-return]
    lengths = [int(s) for s in size]
    if sum(lengths) != n or any(s < 0 for s in lengths):
        raise ShapeError(f"split: lengths {lengths} do not add up to the {n} elements along dim {dim}")
    return split_op(tensor, tuple(int(e) for e in np.cumsum(lengths)[:-1]), dim)  # type: ignore[no-any-return]


@function()
def chunk(input: Array, chunks: int, dim: int = 0) -> tuple[Array, ...]:
    """Split along ``dim`` into at most ``chunks`` views of one length.

    The last view may be shorter.

    >>> import tinygrad_lite as tl
    >>> tl.chunk(tl.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if not input.ndim:
        raise ShapeError("chunk: expected at least one axis, got a 0-d tensor")
    if chunks < 1:
        raise ShapeError(f"chunk: the number of chunks must be positive, got {chunks}")
    dim = place("chunk", dim, input.ndim, input.shape)
    n = input.shape[dim]
    return split(input, -(-n // chunks), dim) if n else split_op(input, (0,) * (chunks - 1), dim)


@function()
def tensor_split(input: Array, indices_or_sections: Any, dim: int = 0) -> tuple[Array, ...]:
    """Split along ``dim`` into a number of nearly equal views, or at the indices listed.

    >>> import tinygrad_lite as tl
    >>> tl.tensor_split(tl.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    if not input.ndim:
        raise ShapeError("tensor_split: expected at least one axis, got a 0-d tensor")
    dim = place("tensor_split", dim, input.ndim, input.shape)
    n, at = input.shape[dim], bare(indices_or_sections)
    if np.size(at) and new.asarray(at).dtype.kind not in "iu":
        raise DTypeError(f"tensor_split: expected a whole number or indices, got {describe(indices_or_sections)}")
    if np.ndim(at) == 0:
        if at < 1:
            raise ShapeError(f"tensor_split: the number of sections must be positive, got {at}")
        if at > max(n, 2**20):
            raise ShapeError(f"tensor_split: {at} sections of {n} elements along dim {dim} are too many")
        small, more = divmod(n, int(at))
        at = np.cumsum([small + (i < more) for i in range(int(at))])[:-1]
    ends = [int(np.clip(a + n if a < 0 else a, 0, n)) for a in at]
    lead = (slice(None),) * dim
    # views one by one, which may be written to; those of `split` may not, as in PyTorch
    return tuple([input[(*lead, slice(a, b))] for a, b in zip([0, *ends], [*ends, n], strict=True)])


def _split_on(name: str, input: Array, how: Any, dim: int, least: int) -> tuple[Array, ...]:
    if input.ndim < least:
        raise ShapeError(f"{name}: expected at least {least} axes, got {describe(input)}")
    if isinstance(how, int) and (how < 1 or input.shape[dim] % how):
        raise ShapeError(f"{name}: {input.shape[dim]} elements along dim {dim} do not make {how} equal parts")
    return tensor_split(input, how, dim)


@function()
def hsplit(input: Array, indices_or_sections: Any) -> tuple[Array, ...]:
    """Split along the second axis (of a vector: its only one) into equal views, or at indices.

    >>> import tinygrad_lite as tl
    >>> tl.hsplit(tl.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    return _split_on("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


@function()
def vsplit(input: Array, indices_or_sections: Any) -> tuple[Array, ...]:
    """Split along the first axis into equal views, or at indices.

    >>> import tinygrad_lite as tl
    >>> tl.vsplit(tl.ones(2, 1), 2)
    (tensor([[1.]]), tensor([[1.]]))
    """
    return _split_on("vsplit", input, indices_or_sections, 0, 2)


@function()
def dsplit(input: Array, indices_or_sections: Any) -> tuple[Array, ...]:
    """Split along the third axis into equal views, or at indices.

    >>> import tinygrad_lite as tl
    >>> [p.shape for p in tl.dsplit(tl.ones(1, 1, 4), 2)]
    [(1, 1, 2), (1, 1, 2)]
    """
    return _split_on("dsplit", input, indices_or_sections, 2, 3)


@op(input=lambda g, dim: stack(list(g), dim), kind="shape", label="unbind", public=False,
    samples=Samples("(n,k)->(k)", options={"dim": (0, 1)}, min=1))  # fmt: skip
def unbind_op(input: Array, dim: int) -> Array:
    """Return the slices along ``dim`` without that axis, as views."""
    x = np.moveaxis(input, dim, 0) if dim else input
    return tuple([x[i, ...] for i in range(x.shape[0])])  # of a vector too, where x[i] would be a copy


@function()
def unbind(input: Array, dim: int = 0) -> tuple[Array, ...]:
    """Return the slices along ``dim`` without that axis, as views.

    >>> import tinygrad_lite as tl
    >>> tl.unbind(tl.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    if not input.ndim:
        raise BadIndex("unbind: expected at least one axis, got a 0-d tensor")
    dim = place("unbind", dim, input.ndim, input.shape)
    return unbind_op(input, dim) if input.shape[dim] else ()


# ------------------------------------------------------------------------------------------------ grids
@function(method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Array, ...]:
    """Return one grid per vector: ``grids[k][i0, i1, ...] = tensors[k][ik]``.

    "xy" exchanges the first two axes.

    >>> import tinygrad_lite as tl
    >>> tl.meshgrid(tl.tensor([1, 2]), tl.tensor([3, 4]))[0]
    tensor([[1, 1],
            [2, 2]])
    """
    given = several("meshgrid", tensors)
    if indexing not in ("ij", "xy"):
        raise ShapeError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    for x in [x for x in given if x.ndim > 1]:
        raise ShapeError(f"meshgrid: expected vectors or numbers, got {describe(x)}")
    one_dtype("meshgrid", given)
    vectors = atleast_1d(_some("meshgrid", given))
    shape = tuple(x.shape[0] for x in vectors)
    grids = [
        broadcast_to_op(reshape_op(x, tuple(n if k == i else 1 for k, n in enumerate(shape))), shape)
        for i, x in enumerate(vectors)
    ]
    return tuple([transpose(x, 0, 1) for x in grids] if indexing == "xy" and len(grids) > 1 else grids)


@function(method=False)
def cartesian_prod(*tensors: Any) -> Array:
    """Return all combinations of one element per vector, one combination per row.

    >>> import tinygrad_lite as tl
    >>> tl.cartesian_prod(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    given = several("cartesian_prod", tensors)
    return given[0] if len(given) == 1 else stack([reshape_op(x, (-1,)) for x in meshgrid(given)], 1)


@function()
def combinations(input: Array, r: int = 2, with_replacement: bool = False) -> Array:
    """Return all combinations of ``r`` elements of a vector, one combination per row.

    >>> import tinygrad_lite as tl
    >>> tl.combinations(tl.tensor([1, 2]))
    tensor([[1, 2]])
    """
    from itertools import combinations as plain, combinations_with_replacement as repeated

    if input.ndim != 1:
        raise ShapeError(f"combinations: expected a vector, got {describe(input)}")
    rows = list((repeated if with_replacement else plain)(range(input.shape[0]), r))
    return input[new.array(rows, np.int64).reshape((len(rows), r) if r else 0)]


# ------------------------------------------------------------------------------------------------ diagonals
def _diagonal_rule(g: Array, input_shape: Any, offset: int, dim1: int, dim2: int) -> Array:
    return on_diagonal(g, tuple(input_shape), offset, dim1, dim2)


def inside(offset: Any, rows: int, columns: int) -> int:
    """Return the number of a diagonal, or of the first empty one: NumPy crashes at -2**31."""
    return max(-rows, min(index(offset), columns))


DIAGONAL = {"offset": (0, 1, -1), "dim1": (0,), "dim2": (1,)}


@op(input=_diagonal_rule, kind="indexing", label="diagonal", samples=Samples("(n,k,m)->()", min=1, options=DIAGONAL))
def diagonal(input: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """Return a view of the diagonal over two axes, as last axis.

    ``offset`` counts diagonals above the main one.

    >>> import tinygrad_lite as tl
    >>> tl.diagonal(tl.arange(4).reshape(2, 2))
    tensor([0, 3])
    """
    a, b = (place("diagonal", d, input.ndim, input.shape) for d in (dim1, dim2))
    if a == b:
        raise ShapeError(f"diagonal: dim1 and dim2 are the same axis {a} of shape {input.shape}")
    y = np.diagonal(input, inside(offset, input.shape[a], input.shape[b]), dim1, dim2)
    if y.__class__ is np.ndarray and input.flags.writeable:
        y.flags.writeable = True  # NumPy marks it read-only for the sake of programs that expect a copy
    return y


@op(values=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2), kind="indexing", public=False,
    samples=Samples("(k)->()", sizes={"k": (3, 3)},
                    options={"shape": ((3, 3), (4, 3)), "offset": (0,), "dim1": (0,), "dim2": (1,)}))  # fmt: skip
def on_diagonal(values: Array, shape: Any, offset: int, dim1: int, dim2: int) -> Array:
    """Return zeros of ``shape`` with ``values`` on a diagonal: the adjoint of `diagonal`."""
    out = new.zeros(shape, values.dtype)
    matrices: Any = np.moveaxis(out, (dim1, dim2), (-2, -1))
    at, offset = new.arange(values.shape[-1]), inside(offset, *matrices.shape[-2:])
    matrices[..., at + max(-offset, 0), at + max(offset, 0)] = values
    return out


@function()
def diag_embed(input: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """Return matrices with the last axis of ``input`` on their diagonal.

    The matrices lie in the axes ``dim1`` and ``dim2``.

    >>> import tinygrad_lite as tl
    >>> tl.diag_embed(tl.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if not input.ndim:
        raise ShapeError("diag_embed: expected at least one axis, got a 0-d tensor")
    n = input.ndim + 1
    a, b = place("diag_embed", dim1, n, input.shape), place("diag_embed", dim2, n, input.shape)
    if a == b:
        raise ShapeError(f"diag_embed: dim1 and dim2 are the same axis {a}")
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for d in sorted((a, b)):
        shape.insert(d, size)
    return on_diagonal(input, tuple(shape), offset, a, b)


@function(numpy=())
def diag(input: Array, diagonal: int = 0) -> Array:
    """Return the diagonal of a matrix, or a matrix with a vector on its diagonal.

    >>> import tinygrad_lite as tl
    >>> tl.diag(tl.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ShapeError(f"diag: expected a vector or a matrix, got {describe(input)}")
    return clone(_diagonal(input, diagonal, 0, 1))


_diagonal = diagonal


@function(numpy=())
def diagflat(input: Array, offset: int = 0) -> Array:
    """Return a matrix with all elements of ``input`` on its diagonal.

    >>> import tinygrad_lite as tl
    >>> tl.diagflat(tl.tensor([[1, 2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(reshape_op(input, (-1,)), offset)


@function(numpy=())
def trace(input: Array) -> Array:
    """Return the sum of the diagonal of a matrix.

    >>> import tinygrad_lite as tl
    >>> tl.trace(tl.eye(3))
    tensor(3.)
    """
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, got {describe(input)}")
    return _diagonal(input, 0, 0, 1).sum()


def _matrix(name: str, input: Array) -> None:
    if input.ndim < 2:
        raise ShapeError(f"{name}: expected at least two axes, got {describe(input)}")


TRIANGLE = Samples("(...,n,k)->(...,n,k)", options={"diagonal": (0, 1, -1)})


@op(input=lambda g, diagonal: np.tril(g, inside(diagonal, *g.shape[-2:])), inplace=True,
    kind="indexing", layout="contiguous", label="◣", samples=TRIANGLE)  # fmt: skip
def tril(input: Array, diagonal: int = 0) -> Array:
    """Return the lower triangles of matrices, zeros above ``diagonal``.

    >>> import tinygrad_lite as tl
    >>> tl.tril(tl.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    _matrix("tril", input)
    return np.tril(input, inside(diagonal, *input.shape[-2:]))


@op(input=lambda g, diagonal: np.triu(g, inside(diagonal, *g.shape[-2:])), inplace=True,
    kind="indexing", layout="contiguous", label="◥", samples=TRIANGLE)  # fmt: skip
def triu(input: Array, diagonal: int = 0) -> Array:
    """Return the upper triangles of matrices, zeros below ``diagonal``.

    >>> import tinygrad_lite as tl
    >>> tl.triu(tl.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    _matrix("triu", input)
    return np.triu(input, inside(diagonal, *input.shape[-2:]))
