"""NumPy's array manipulation: shapes and axes, joining, splitting, tiling, adding and removing elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.numpy.arguments import flattened, tensor_of
from tinygrad_lite.ops.reductions import reduction
from tinygrad_lite.ops.shape import joining, moving, reshaping
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.ops.windows.padding import pad_constant


@answers("shape")
def shape_np(a: Any) -> Any:
    """Answer numpy.shape."""
    return tuple(a.shape)


@answers("ndim")
def ndim(a: Any) -> Any:
    """Answer numpy.ndim."""
    return a.ndim


@answers("size")
def size(a: Any, axis: Any = None) -> Any:
    """Answer numpy.size."""
    return a.array.size if axis is None else a.array.shape[axis]


@answers("may_share_memory", "shares_memory")
def may_share_memory(a: Any, b: Any) -> bool:
    """Answer numpy.may_share_memory."""
    return np.may_share_memory(bare(a), bare(b))


@answers("result_type")
def result_type(*arrays_and_dtypes: Any) -> Any:
    """Answer numpy.result_type."""
    return np.result_type(*[bare(a) for a in arrays_and_dtypes])


@answers("astype")
def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    """Answer numpy.astype."""
    return x.astype(dtype)


@answers("ravel")
def ravel(a: Any, order: str = "C") -> Any:
    """Answer numpy.ravel."""
    return reshaping.ravel(reshaping.transpose(a) if order == "F" else a)


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
    return reshaping.transpose(a) if axes is None else reshaping.permute(a, tuple(axes) if np.ndim(axes) else (axes,))


@answers("swapaxes")
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Answer numpy.swapaxes."""
    return reshaping.transpose(a, axis1, axis2)


@answers("moveaxis")
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Answer numpy.moveaxis."""
    return reshaping.movedim(a, source, destination)


@answers("rollaxis")
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """Answer numpy.rollaxis."""
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return reshaping.movedim(a, axis, start - 1 if start > axis else start)


@answers("squeeze")
def squeeze(a: Any, axis: Any = None) -> Any:
    """Answer numpy.squeeze."""
    if axis is not None and np.any([a.shape[i] != 1 for i in reduction.axes_of(axis, a.ndim)]):
        raise ShapeError(f"numpy.squeeze: axis {axis} of shape {tuple(a.shape)} is longer than 1")
    return reshaping.squeeze(a, axis)


@answers("expand_dims")
def expand_dims(a: Any, axis: Any) -> Any:
    """Answer numpy.expand_dims."""
    return reshaping.reshape_op(a, np.expand_dims(new.empty(tuple(a.shape)), axis).shape)


@answers("broadcast_to")
def broadcast_to(array: Any, shape: Any) -> Any:
    """Answer numpy.broadcast_to."""
    return PUBLIC["broadcast_to"](array, shape)


@answers("broadcast_arrays")
def broadcast_arrays(*args: Any) -> Any:
    """Answer numpy.broadcast_arrays."""
    return moving.broadcast_tensors(*[tensor_of(a) for a in args])


@answers("concatenate", "concat")
def concatenate(arrays: Any, axis: Any = 0) -> Any:
    """Answer numpy.concatenate."""
    parts = [tensor_of(a) for a in arrays]
    return joining.cat([p.reshape(-1) for p in parts] if axis is None else parts, 0 if axis is None else axis)


@answers("stack")
def stack(arrays: Any, axis: int = 0) -> Any:
    """Answer numpy.stack."""
    return joining.stack([tensor_of(a) for a in arrays], axis)


@answers("hstack")
def hstack(tup: Any) -> Any:
    """Answer numpy.hstack."""
    return joining.hstack([tensor_of(a) for a in tup])


@answers("vstack", "row_stack")
def vstack(tup: Any) -> Any:
    """Answer numpy.vstack."""
    return joining.vstack([tensor_of(a) for a in tup])


@answers("dstack")
def dstack(tup: Any) -> Any:
    """Answer numpy.dstack."""
    parts = [tensor_of(a) for a in tup]
    return joining.dstack([p.reshape((1, -1, 1)) if p.ndim == 1 else p for p in parts])


@answers("column_stack")
def column_stack(tup: Any) -> Any:
    """Answer numpy.column_stack."""
    return joining.column_stack([tensor_of(a) for a in tup])


@answers("append")
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """Answer numpy.append."""
    return concatenate([arr, values], axis)


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
        return joining.cat([reshaping.reshape_op(p, (1,) * (axes - p.ndim) + tuple(p.shape)) for p in parts], -level)

    levels = depth(arrays)
    return join(arrays, levels)


@answers("split")
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Answer numpy.split."""
    if isinstance(indices_or_sections, (int, np.integer)) and ary.shape[axis] % indices_or_sections:
        raise ShapeError(f"numpy.split: {ary.shape[axis]} elements do not make {indices_or_sections} equal parts")
    return array_split(ary, indices_or_sections, axis)


@answers("array_split")
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Answer numpy.array_split."""
    return list(joining.tensor_split(ary, indices_or_sections, axis))


@answers("hsplit")
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Answer numpy.hsplit."""
    return list(joining.hsplit(ary, indices_or_sections))


@answers("vsplit")
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Answer numpy.vsplit."""
    return list(joining.vsplit(ary, indices_or_sections))


@answers("dsplit")
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Answer numpy.dsplit."""
    return list(joining.dsplit(ary, indices_or_sections))


@answers("unstack")
def unstack(x: Any, axis: int = 0) -> Any:
    """Answer numpy.unstack."""
    return joining.unbind(x, axis)


@answers("tile")
def tile(A: Any, reps: Any) -> Any:
    """Answer numpy.tile."""
    return moving.tile(A, (reps,) if isinstance(reps, int) else tuple(reps))


@answers("repeat")
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Answer numpy.repeat."""
    return moving.repeat_interleave(a, repeats, axis)


@answers("delete")
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    """Answer numpy.delete."""
    a, axis = flattened(arr, axis)
    keep = np.delete(new.arange(a.shape[axis]), bare(obj))
    return getitem(a, (slice(None),) * axis + (keep,))


@answers("insert")
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """Answer numpy.insert."""
    a, axis = flattened(tensor_of(arr), axis)
    n = a.shape[axis]
    inserted = np.insert(new.arange(n), bare(obj), -1) == -1
    count = int(inserted.sum())
    v = tensor_of(values)
    if np.ndim(bare(obj)) == 0 and v.ndim == a.ndim and v.ndim > 1:
        count_here = v.shape[axis]
        if count_here != count:
            inserted = np.insert(new.zeros(n, bool), [int(bare(obj))] * count_here, True)
            count = count_here
    elif np.ndim(bare(obj)) == 0 and v.ndim == 1 and a.ndim == 1 and v.shape[0] != count:
        count = v.shape[0]
        inserted = np.insert(new.zeros(n, bool), [int(bare(obj))] * count, True)
    elif v.ndim == a.ndim - 1 and v.ndim:
        v = v.reshape((*v.shape[:axis], 1, *v.shape[axis:]))
    shape = tuple(count if i == axis else s for i, s in enumerate(a.shape))
    v = v + new.zeros(shape, bare(v).dtype)
    order = new.empty(n + count, np.int64)
    order[~inserted], order[inserted] = new.arange(n), n + new.arange(count)
    both = cat([a, v.astype(a.dtype)], axis)
    return getitem(both, (slice(None),) * axis + (order,))


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


@answers("pad")
def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """Answer numpy.pad: modes constant (one value), edge, reflect, symmetric and wrap."""
    pads = np.broadcast_to(new.asarray(pad_width), (array.ndim, 2))
    if mode == "constant":
        if np.ndim(constant_values):
            raise TypeError("numpy.pad: constant_values must be one number for tensors")
        return pad_constant(array, tuple((int(b), int(a)) for b, a in pads), constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise TypeError(
            f"numpy.pad: mode {mode!r} is not supported for tensors; use constant, edge, reflect, symmetric or wrap"
        )
    out = array
    for d, (before, after) in enumerate(pads):
        if before or after:
            rows = np.pad(new.arange(array.shape[d]), (int(before), int(after)), mode)  # type: ignore[call-overload]
            out = getitem(out, (slice(None),) * d + (rows,))
    return out


@answers("flip")
def flip(m: Any, axis: Any = None) -> Any:
    """Answer numpy.flip."""
    return moving.flip(m, tuple(range(m.ndim)) if axis is None else axis)


@answers("roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Answer numpy.roll."""
    if axis is not None and np.ndim(shift) == 0 and np.ndim(axis):
        shift = (shift,) * len(axis)
    return moving.roll(a, shift, axis)


@answers("rot90")
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Answer numpy.rot90."""
    return moving.rot90(m, k, axes)
