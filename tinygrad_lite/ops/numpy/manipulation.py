"""NumPy's functions on Tensors that rearrange, join and take apart, with NumPy's arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.numpy.mathematics import tensor_of
from tinygrad_lite.ops.reductions import reduction
from tinygrad_lite.ops.shape import joining as arrange, moving as layout, reshaping as shape


# ------------------------------------------------------------------------------------------------ layout
@answers("ravel")
def ravel(a: Any, order: str = "C") -> Any:
    """Answer numpy.ravel."""
    return layout.ravel(shape.transpose(a) if order == "F" else a)


@answers("reshape")
def reshape(a: Any, shape_given: Any = None, order: str = "C", *, newshape: Any = None, shape: Any = None) -> Any:
    """Answer numpy.reshape."""
    want = next(s for s in (shape_given, shape, newshape) if s is not None)
    if order != "C":
        raise TypeError("numpy.reshape: order must be 'C' for tensors")
    return a.reshape(want)


@answers("transpose", "permute_dims")
def transpose(a: Any, axes: Any = None) -> Any:
    """Answer numpy.transpose."""
    return shape.transpose(a) if axes is None else shape.permute(a, tuple(axes))


@answers("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(x: Any) -> Any:
    """Answer numpy.matrix_transpose."""
    return layout.adjoint(x)


@answers("swapaxes")
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Answer numpy.swapaxes."""
    return shape.transpose(a, axis1, axis2)


@answers("moveaxis")
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Answer numpy.moveaxis."""
    return layout.movedim(a, source, destination)


@answers("rollaxis")
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """Answer numpy.rollaxis."""
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return layout.movedim(a, axis, start - 1 if start > axis else start)


@answers("squeeze")
def squeeze(a: Any, axis: Any = None) -> Any:
    """Answer numpy.squeeze."""
    if axis is not None and np.any([a.shape[i] != 1 for i in reduction.axes_of(axis, a.ndim)]):
        raise ShapeError(f"numpy.squeeze: axis {axis} of shape {tuple(a.shape)} is longer than 1")
    return shape.squeeze(a, axis)


@answers("expand_dims")
def expand_dims(a: Any, axis: Any) -> Any:
    """Answer numpy.expand_dims."""
    return bare_reshape(a, np.expand_dims(np.empty(tuple(a.shape)), axis).shape)


def bare_reshape(a: Any, want: Any) -> Any:
    """Return ``a`` in the shape ``want``."""
    return shape.reshape_op(a, want)


@answers("broadcast_to")
def broadcast_to(array: Any, shape: Any) -> Any:
    """Answer numpy.broadcast_to."""
    return PUBLIC["broadcast_to"](array, shape)


@answers("broadcast_arrays")
def broadcast_arrays(*args: Any) -> Any:
    """Answer numpy.broadcast_arrays."""
    return layout.broadcast_tensors(*[tensor_of(a) for a in args])


@answers("flip")
def flip(m: Any, axis: Any = None) -> Any:
    """Answer numpy.flip."""
    return layout.flip(m, tuple(range(m.ndim)) if axis is None else axis)


@answers("roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Answer numpy.roll."""
    if axis is not None and np.ndim(shift) == 0 and np.ndim(axis):
        shift = (shift,) * len(axis)
    return layout.roll(a, shift, axis)


@answers("rot90")
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Answer numpy.rot90."""
    return layout.rot90(m, k, axes)


@answers("tile")
def tile(A: Any, reps: Any) -> Any:
    """Answer numpy.tile."""
    return layout.tile(A, (reps,) if isinstance(reps, int) else tuple(reps))


@answers("repeat")
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Answer numpy.repeat."""
    return layout.repeat_interleave(a, repeats, axis)


@answers("trim_zeros")
def trim_zeros(filt: Any, trim: str = "fb") -> Any:
    """Answer numpy.trim_zeros."""
    there = np.flatnonzero(bare(filt))
    n = filt.shape[0]
    if not len(there):
        return getitem(filt, slice(0, 0))
    return getitem(
        filt, slice(int(there[0]) if "f" in trim.lower() else 0, int(there[-1]) + 1 if "b" in trim.lower() else n)
    )


# ------------------------------------------------------------------------------------------------ joining, taking apart
@answers("concatenate", "concat")
def concatenate(arrays: Any, axis: Any = 0) -> Any:
    """Answer numpy.concatenate."""
    parts = [tensor_of(a) for a in arrays]
    return shape.cat([p.reshape(-1) for p in parts] if axis is None else parts, 0 if axis is None else axis)


@answers("stack")
def stack(arrays: Any, axis: int = 0) -> Any:
    """Answer numpy.stack."""
    return arrange.stack([tensor_of(a) for a in arrays], axis)


@answers("hstack")
def hstack(tup: Any) -> Any:
    """Answer numpy.hstack."""
    return arrange.hstack([tensor_of(a) for a in tup])


@answers("vstack", "row_stack")
def vstack(tup: Any) -> Any:
    """Answer numpy.vstack."""
    return arrange.vstack([tensor_of(a) for a in tup])


@answers("dstack")
def dstack(tup: Any) -> Any:
    """Answer numpy.dstack."""
    parts = [tensor_of(a) for a in tup]
    return arrange.dstack([p.reshape((1, -1, 1)) if p.ndim == 1 else p for p in parts])


@answers("column_stack")
def column_stack(tup: Any) -> Any:
    """Answer numpy.column_stack."""
    return arrange.column_stack([tensor_of(a) for a in tup])


@answers("append")
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """Answer numpy.append."""
    return concatenate([arr, values], axis)


@answers("split")
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Answer numpy.split."""
    if isinstance(indices_or_sections, (int, np.integer)) and ary.shape[axis] % indices_or_sections:
        raise ShapeError(f"numpy.split: {ary.shape[axis]} elements do not make {indices_or_sections} equal parts")
    return array_split(ary, indices_or_sections, axis)


@answers("array_split")
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Answer numpy.array_split."""
    return list(arrange.tensor_split(ary, indices_or_sections, axis))


@answers("hsplit")
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Answer numpy.hsplit."""
    return list(arrange.hsplit(ary, indices_or_sections))


@answers("vsplit")
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Answer numpy.vsplit."""
    return list(arrange.vsplit(ary, indices_or_sections))


@answers("dsplit")
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Answer numpy.dsplit."""
    return list(arrange.dsplit(ary, indices_or_sections))


@answers("unstack")
def unstack(x: Any, axis: int = 0) -> Any:
    """Answer numpy.unstack."""
    return arrange.unbind(x, axis)


@answers("meshgrid")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Answer numpy.meshgrid."""
    if sparse:
        raise TypeError("numpy.meshgrid: sparse grids of tensors are not supported; reshape the vectors")
    return arrange.meshgrid(*[tensor_of(x) for x in xi], indexing=indexing)


@answers("block")
def block(arrays: Any) -> Any:
    """Answer numpy.block."""

    def depth(x: Any) -> int:
        return 1 + max(depth(v) for v in x) if isinstance(x, list) else 0

    def join(x: Any, level: int) -> Any:
        if not isinstance(x, list):
            return tensor_of(x)
        parts = [join(v, level - 1) for v in x]
        axes = max(levels, max(p.ndim for p in parts))
        return shape.cat([bare_reshape(p, (1,) * (axes - p.ndim) + tuple(p.shape)) for p in parts], -level)

    levels = depth(arrays)
    return join(arrays, levels)


# ------------------------------------------------------------------------------------------------ diagonals
@answers("diag")
def diag(v: Any, k: int = 0) -> Any:
    """Answer numpy.diag."""
    return arrange.diag(v, k)


@answers("diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Answer numpy.diagonal."""
    return arrange.diagonal(a, offset, axis1, axis2)


@answers("linalg.diagonal")
def last_diagonal(x: Any, offset: int = 0) -> Any:
    """Answer numpy.linalg.diagonal."""
    return arrange.diagonal(x, offset, -2, -1)


@answers("diagflat")
def diagflat(v: Any, k: int = 0) -> Any:
    """Answer numpy.diagflat."""
    return arrange.diagflat(v, k)


@answers("trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """Answer numpy.trace."""
    return arrange.diagonal(a, offset, axis1, axis2).sum(-1)


@answers("linalg.trace")
def last_trace(x: Any, offset: int = 0, dtype: Any = None) -> Any:
    """Answer numpy.linalg.trace."""
    return trace(x, offset, -2, -1)


@answers("tril")
def tril(m: Any, k: int = 0) -> Any:
    """Answer numpy.tril."""
    return arrange.tril(m, k)


@answers("triu")
def triu(m: Any, k: int = 0) -> Any:
    """Answer numpy.triu."""
    return arrange.triu(m, k)
