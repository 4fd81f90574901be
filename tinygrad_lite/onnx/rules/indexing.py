"""Reading and writing by index."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.onnx.errors import OnnxExporterError
from tinygrad_lite.onnx.graph import END, Value, array_of
from tinygrad_lite.onnx.rules.table import SINGLE, refuse, rule

SINGLE.update(rows="Gather", take_along="GatherElements")
refuse("cleared zero_at", "it occurs in gradients only")
refuse("transfer", "a file has no devices; export the model on the CPU")


class Part(NamedTuple):
    """What an index says about one axis, in both runs; for a new axis ``axis`` is None and ``a`` the one after it."""

    axis: Any
    a: Any
    b: Any


def parts_of(index: Any, index_2: Any, ndim: int) -> list[Part]:
    """Return one part for each axis of an index, in order; axes that are read whole are left out."""
    both: list[tuple[Any, ...]] = [i if isinstance(i, tuple) else (i,) for i in (index, index_2)]
    if len(both[0]) != len(both[1]):
        raise OnnxExporterError("getitem: two runs use different kinds of index")
    given: Any = both[0]
    takes = sum(i.ndim if _mask(i) else 1 for i in given if i is not None and i is not Ellipsis)
    out: list[Part] = []
    axis = 0
    for a, b in zip(both[0], both[1], strict=True):
        if a is Ellipsis:
            axis += ndim - takes
        elif a is None:
            out.append(Part(None, axis, axis))
        else:
            if not (isinstance(a, slice) and a == b == slice(None)):
                out.append(Part(axis, a, b))
            axis += array_of(a).ndim if _mask(a) else 1
    return out


def _mask(i: Any) -> bool:
    """Return whether a part of an index is a mask."""
    return isinstance(i, (Tensor, np.ndarray)) and array_of(i).dtype.kind == "b"


def _bound(g: Any, a: Any, b: Any, sizes: tuple[int, int], default: int) -> Any:
    """Return the bound of a slice as an operand of one element."""
    if a is None and b is None:
        return [default]
    a, b = (int(array_of(v)) for v in (a, b))
    if (a, b) == sizes:
        return [END]
    if a == b:
        return [a]
    if a - sizes[0] == b - sizes[1] < 0:
        return [a - sizes[0]]
    return g.size(a, b)


def _joined(g: Any, bounds: list[Any]) -> Any:
    """Return bounds of several axes as one operand."""
    if all(isinstance(b, list) for b in bounds):
        return [n for b in bounds for n in b]
    return g.Concat(*bounds, axis=0)


def _sliced(g: Any, x: Any, shape: Any, other: Any, parts: list[Part]) -> Any:
    starts, ends, axes, steps = [], [], [], []
    for axis, a, b in parts:
        sizes, step = (shape[axis], other[axis]), 1 if a.step is None else int(a.step)
        starts.append(_bound(g, a.start, b.start, sizes, 0))
        ends.append(_bound(g, a.stop, b.stop, sizes, END))
        axes.append(axis)
        steps.append(step)
    return g.Slice(x, _joined(g, starts), _joined(g, ends), axes, steps) if axes else x


def _number(g: Any, part: Part, shape: Any, other: Any) -> Any:
    """Return an integer index as an operand without axes."""
    a, b = int(array_of(part.a)), int(array_of(part.b))
    if a == b:
        return np.int64(a)
    if a - shape[part.axis] == b - other[part.axis] < 0:
        return np.int64(a - shape[part.axis])
    return g.Squeeze(g.operand(g.size(a, b)))


def _is_number(i: Any) -> bool:
    return isinstance(i, (int, np.integer)) and not isinstance(i, bool)


def _index_array(g: Any, part: Part) -> Value:
    a, b = (np.asarray(i) if isinstance(i, (list, tuple)) else i for i in (part.a, part.b))
    found = g.value(a, b)
    return found if found.dtype == np.int64 else Value(g.cast(found, np.int64), found.a, found.b)


@rule("getitem")
def _getitem(g: Any, y: Any, input: Any, index: Any, index_2: Any) -> Any:
    if input.name in g.final:
        return _final(g, input, index)
    parts = parts_of(index, index_2, input.ndim)
    old = [p for p in parts if p.axis is not None]
    x = _sliced(g, input, input.shape, input.other, [p for p in old if isinstance(p.a, slice)])
    arrays = [p for p in old if not isinstance(p.a, slice) and not _is_number(p.a)]
    numbers = [p for p in old if _is_number(p.a)]
    gone = []
    if len(arrays) == 1 and not _mask(arrays[0].a):
        at = _index_array(g, arrays[0])
        x = g.Gather(x, at, axis=arrays[0].axis)
        shift = at.ndim - 1
    elif arrays:
        if numbers:
            raise OnnxExporterError("getitem: integers beside several index arrays have no form in ONNX")
        x, shift = _several(g, x, input.ndim, arrays), 0
    else:
        shift = 0
    for part in reversed(numbers):
        axis = part.axis + (shift if arrays and part.axis > arrays[0].axis else 0)
        x = g.Gather(x, _number(g, part, input.shape, input.other), axis=axis)
        gone.append(part.axis)
    new = _new_axes(parts, arrays, shift)
    if new:
        x = g.Unsqueeze(x, new)
    return x if x is not input else g.Identity(input)


def _new_axes(parts: list[Part], arrays: list[Part], shift: int) -> list[int]:
    """Return the places of the new axes in the result."""
    new = [p.a for p in parts if p.axis is None]
    if new and (len(arrays) > 1 or arrays and _mask(arrays[0].a)):
        raise OnnxExporterError("getitem: new axes beside several index arrays have no form in ONNX")
    numbers = [p.axis for p in parts if p.axis is not None and _is_number(p.a)]
    return [at - sum(n < at for n in numbers) + i + (shift if arrays and arrays[0].axis < at else 0)
            for i, at in enumerate(new)]  # fmt: skip


def _several(g: Any, x: Any, ndim: int, arrays: list[Part]) -> Any:
    """Return elements at several index arrays, or where a mask is true."""
    if any(_mask(p.a) for p in arrays):
        if len(arrays) > 1:
            raise OnnxExporterError("getitem: a mask beside other index arrays has no form in ONNX")
        mask = g.value(arrays[0].a, arrays[0].b)
        at, axes = g.Transpose(g.NonZero(mask), perm=[1, 0]), [arrays[0].axis + i for i in range(mask.ndim)]
        width = 1
    else:
        at, axes, width = _stacked(g, arrays)
    if axes != list(range(axes[0], axes[0] + len(axes))):  # NumPy moves the new axes to the front
        order = [*axes, *(i for i in range(ndim) if i not in axes)]
        return g.GatherND(g.Transpose(x, perm=order), at)
    order = [*axes, *(i for i in range(ndim) if i not in axes)]
    if order != list(range(ndim)):
        x = g.Transpose(x, perm=order)
    found, first, rest = g.GatherND(x, at), axes[0], ndim - len(axes)
    if not first:
        return found
    back = [*range(width, width + first), *range(width), *range(width + first, width + rest)]
    return g.Transpose(found, perm=back)


def _stacked(g: Any, arrays: list[Part]) -> tuple[Any, list[int], int]:
    """Return index arrays, broadcast together, as the last axis of one operand; their axes and number of axes."""
    values = [_index_array(g, p) for p in arrays]
    shape, other = (np.broadcast_shapes(*s) for s in zip(*((v.shape, v.other) for v in values), strict=True))
    wide = [g.Unsqueeze(v if v.shape == shape and v.other == other else g.Expand(v, g.shape(shape, other)), [-1])
            for v in values]  # fmt: skip
    return g.Concat(*wide, axis=-1), [p.axis for p in arrays if p.axis is not None], len(shape)


def _final(g: Any, input: Any, index: Any) -> Any:
    """Return the last state of a recurrent layer, of which ONNX has no other."""
    name, last = g.final[input.name]
    if index not in (last, last % input.shape[0]) or isinstance(index, bool):
        raise OnnxExporterError("the cell states of an LSTM between the first and the last step have no form in ONNX")
    return name


@rule("rows")
def _rows(g: Any, weight: Any, index: Any) -> Any:
    return g.Gather(weight, index, axis=0)


@rule("take_along")
def _take_along(g: Any, input: Any, indices: Any, dim: Any) -> Any:
    return g.GatherElements(input, indices, axis=int(dim))


# ------------------------------------------------------------------------------------------------ writing
def _zeros(g: Any, y: Any) -> Any:
    return g.Expand(np.zeros((), y.dtype), g.shape(y.shape, y.other))


@rule("scatter_along")
def _scatter_along(g: Any, y: Any, values: Any, indices: Any, dim: Any) -> Any:
    return g.ScatterElements(_zeros(g, y), indices, values, axis=int(dim), reduction="add")


@rule("scatter_choose")
def _scatter_choose(g: Any, input: Any, src: Any, at: Any, dim: Any, reduce: Any, include_self: Any) -> Any:
    if not include_self:
        raise OnnxExporterError("scatter_reduce with include_self=False has no form in ONNX")
    kind = {"amax": "max", "amin": "min", "prod": "mul"}[reduce]
    return g.ScatterElements(input, at, src, axis=int(dim), reduction=kind)


@rule("add_rows")
def _add_rows(g: Any, y: Any, values: Any, index: Any) -> Any:
    return g.ScatterND(_zeros(g, y), g.Unsqueeze(index, [-1]), values, reduction="add")


@rule("scatter_at")
def _scatter_at(g: Any, y: Any, g_in: Any, index: Any, index_2: Any) -> Any:
    return write(g, Value(_zeros(g, y), y.a, y.b), g_in, index, index_2, add=True)


@rule("put_at")
def _put_at(g: Any, input: Any, values: Any, index: Any, index_2: Any) -> Any:
    return write(g, input, values, index, index_2)


@rule("overwrite")
def _overwrite(g: Any, y: Any, input: Any, value: Any, path: Any, path_2: Any) -> Any:
    if not path:
        if value.dtype != input.dtype:
            value = Value(g.cast(value, input.dtype), value.a.astype(input.dtype), value.b.astype(input.dtype))
        same = (value.shape, value.other) == (input.shape, input.other)
        return g.Identity(value) if same else g.Expand(value, g.shape(input.shape, input.other))
    if len(path) > 1 or path[0].op.name != "getitem":
        raise OnnxExporterError("an in-place write through a view that is no plain index has no form in ONNX")
    return write(g, input, value, path[0].options[0], path_2[0].options[0])


def write(g: Any, x: Value, values: Value, index: Any, index_2: Any, add: bool = False) -> Any:
    """Return ``x`` with ``values`` (broadcast, cast) at an index, or added there."""
    parts = parts_of(index, index_2, x.ndim)
    if any(p.axis is None for p in parts):
        raise OnnxExporterError("a write to an index with new axes has no form in ONNX")
    if len(parts) == 1 and _mask(parts[0].a):
        return _masked(g, x, values, parts[0], add)
    shape, other = (tuple(v[i].shape) for v, i in ((x.a, _plain(index)), (x.b, _plain(index_2))))
    v = values if values.dtype == x.dtype else g.cast(values, x.dtype)
    if (values.shape, values.other) != (shape, other):
        v = g.Expand(v, g.shape(shape, other))
    arrays = [p for p in parts if not isinstance(p.a, slice) and not _is_number(p.a)]
    if not arrays:
        return _placed(g, x, v, parts)
    if len(arrays) < len(parts):
        raise OnnxExporterError("a write to an index array beside slices or integers has no form in ONNX")
    return _scattered(g, x, v, arrays, add)


def _plain(index: Any) -> Any:
    return tuple(map(array_of, index)) if isinstance(index, tuple) else array_of(index)


def _masked(g: Any, x: Value, values: Value, part: Part, add: bool) -> Any:
    """Return ``x`` with values where a mask is true: how many there are is known only when the file is run."""
    mask = g.value(part.a, part.b)
    v = values if values.dtype == x.dtype else g.cast(values, x.dtype)
    rest = x.ndim - mask.ndim
    if part.axis:
        raise OnnxExporterError("a write to a mask beside other indices has no form in ONNX")
    if values.ndim <= rest and not add:
        wide = g.Unsqueeze(mask, list(range(mask.ndim, x.ndim))) if rest else mask
        return g.where(wide, Value(g.operand(v), values.a.astype(x.dtype), values.b.astype(x.dtype)), x)
    if values.ndim != rest + 1:
        raise OnnxExporterError("a write of values that broadcast to a mask has no form in ONNX")
    at = g.Transpose(g.NonZero(mask), perm=[1, 0])
    return g.ScatterND(x, at, v, reduction="add" if add else "none")


def _scattered(g: Any, x: Value, v: Any, arrays: list[Part], add: bool) -> Any:
    reduction = "add" if add else "none"
    if any(_mask(p.a) for p in arrays):
        raise OnnxExporterError("a write to a mask beside other indices has no form in ONNX")
    along = _along(arrays, x.ndim)
    if along is not None and not add:
        return g.ScatterElements(x, _index_array(g, arrays[along]), v, axis=along)
    at, axes, width = _stacked(g, arrays)
    if axes == list(range(len(axes))):
        return g.ScatterND(x, at, v, reduction=reduction)
    if axes != list(range(axes[0], axes[0] + len(axes))):
        raise OnnxExporterError("a write to index arrays that are apart has no form in ONNX")
    rest = [i for i in range(x.ndim) if i not in axes]
    order, first = [*axes, *rest], axes[0]
    moved = [*range(first, first + width), *range(first), *range(first + width, len(rest) + width)]
    out = g.ScatterND(g.Transpose(x, perm=order), at, g.Transpose(v, perm=moved), reduction=reduction)
    return g.Transpose(out, perm=[order.index(i) for i in range(x.ndim)])


def _along(arrays: list[Part], ndim: int) -> int | None:
    """Return the axis of a scatter: all other arrays count their own axis."""
    if len(arrays) != ndim or any(np.ndim(array_of(p.a)) != ndim for p in arrays):
        return None
    shape = np.broadcast_shapes(*(np.shape(array_of(p.a)) for p in arrays))
    free = [p.axis for p in arrays
            if not np.array_equal(np.broadcast_to(array_of(p.a), shape), np.indices(shape)[p.axis])
            or np.shape(array_of(p.a)) == shape]  # fmt: skip
    return free[0] if len(free) == 1 else None


def _placed(g: Any, x: Any, v: Any, parts: list[Part], shape: Any = None, other: Any = None) -> Any:
    """Return ``x`` with ``v`` in a region of slices and integers: what is before, the rest, what is after."""
    shape, other = shape or list(x.shape), other or list(x.other)
    numbers = [p.axis for p in parts if _is_number(p.a)]
    if numbers:
        v = g.Unsqueeze(v, numbers)
    return _inlaid(g, x, v, parts, shape, other)


def _inlaid(g: Any, x: Any, v: Any, parts: list[Part], shape: Any, other: Any) -> Any:
    if not parts:
        return v if isinstance(v, str) else g.Identity(v)
    (axis, a, b), rest = parts[0], parts[1:]
    sizes = shape[axis], other[axis]
    if _is_number(a):
        start = _bound(g, a, b, sizes, 0)
        stop = [END] if start == [-1] else [start[0] + 1] if isinstance(start, list) else g.Add(start, [1])
    else:
        if a.step not in (None, 1):
            raise OnnxExporterError("a write to every n-th element has no form in ONNX")
        start, stop = _bound(g, a.start, b.start, sizes, 0), _bound(g, a.stop, b.stop, sizes, END)
    inner = g.Slice(x, start, stop, [axis])
    pieces = [] if start == [0] else [g.Slice(x, [0], start, [axis])]
    pieces.append(_inlaid(g, inner, v, rest, shape, other))
    pieces += [] if stop == [END] else [g.Slice(x, stop, [END], [axis])]
    return g.Concat(*pieces, axis=axis) if len(pieces) > 1 else pieces[0]
