"""Operators that reshape, move, join, read and write by index."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tinygrad_lite.nn.functional as F
from tinygrad_lite.engine.op import OPS, PUBLIC as P
from tinygrad_lite.errors import FileError
from tinygrad_lite.onnx.operators.elementwise import dtype_of
from tinygrad_lite.onnx.operators.table import OPERATORS, array_of, bounded, ints, operator, tensor

OPERATORS.update({
    "Transpose": lambda x, perm=None: x.permute(tuple(perm or range(x.ndim)[::-1])),
    "Concat": lambda *xs, axis=1: P["cat"](list(xs), axis),
    "Expand": lambda x, shape: x.broadcast_to(tuple(np.broadcast_shapes(tuple(x.shape), tuple(bounded(ints(shape)))))),
    "Size": lambda x: tensor(np.int64(x.array.size)),
    "Shape": lambda x, start=0, end=None: tensor(np.array(tuple(x.shape)[start:end], np.int64)),
    "EyeLike": lambda x, k=0, dtype=1: tensor(np.eye(x.shape[0], x.shape[1], k, dtype_of(dtype))),
})  # fmt: skip


@operator("Reshape")
def _reshape(x: Any, to: Any = None, shape: Any = None, allowzero: int = 0) -> Any:
    sizes = ints(to if shape is None else shape)
    if not allowzero:
        sizes = [x.shape[i] if n == 0 and i < x.ndim else n for i, n in enumerate(sizes)]
    return x.reshape(tuple(sizes))


@operator("Flatten")
def _flatten(x: Any, axis: int = 1) -> Any:
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape((math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@operator("Squeeze")
def _squeeze(x: Any, which: Any = None, axes: Any = None) -> Any:
    which = axes if which is None else which
    at = [i for i, n in enumerate(x.shape) if n == 1] if which is None else [a % x.ndim for a in ints(which)]
    if any(x.shape[i] != 1 for i in at):
        raise FileError(f"onnx.load: Squeeze of axes {at} of a tensor of shape {tuple(x.shape)}")
    return x.reshape(tuple(n for i, n in enumerate(x.shape) if i not in at))


@operator("Unsqueeze")
def _unsqueeze(x: Any, which: Any = None, axes: Any = None) -> Any:
    which = ints(axes if which is None else which)
    ndim = x.ndim + len(which)
    at, sizes = {a % ndim for a in which}, iter(x.shape)
    return x.reshape(tuple(1 if i in at else next(sizes) for i in range(ndim)))


@operator("Split")
def _split(
    x: Any, sizes: Any = None, split: Any = None, axis: int = 0, num_outputs: int | None = None, *, outputs: int
) -> Any:
    given = split if sizes is None else sizes
    n = x.shape[axis]
    if given is None:
        each = -(-n // (num_outputs or outputs))
        lengths = [max(min(each, n - each * i), 0) for i in range(outputs)]
    else:
        lengths = ints(given)
    found = x.split(lengths, axis)
    return tuple(found) if len(found) > 1 else found[0]


@operator("Tile")
def _tile(x: Any, repeats: Any) -> Any:
    times = ints(repeats)
    bounded([n * t for n, t in zip(x.shape, times, strict=True)])
    return x.repeat(*times)


@operator("Slice")
def _slice(
    x: Any, begin: Any = None, stop: Any = None, which: Any = None, by: Any = None, starts: Any = None,
    ends: Any = None, axes: Any = None,
) -> Any:  # fmt: skip
    begin, stop = ints(starts if begin is None else begin), ints(ends if stop is None else stop)
    at = axes if which is None else which
    places = range(len(begin)) if at is None else ints(at)
    steps = [1] * len(begin) if by is None else ints(by)
    turned, index = [], [slice(None)] * x.ndim
    for a, b, axis, step in zip(begin, stop, places, steps, strict=True):
        n = x.shape[axis]
        if step == 0:
            raise FileError("onnx.load: a slice has the step 0")
        if step < 0:  # read the same elements forwards, then turn them round
            chosen = range(n)[slice(a, b if b >= -n else None, step)]
            turned.append(axis)
            index[axis] = slice(chosen[-1], chosen[0] + 1, -step) if len(chosen) else slice(0, 0)
        else:
            index[axis] = slice(a, b, step)
    y = x[tuple(index)]
    return y.flip(tuple(turned)) if turned else y


@operator("Pad")
def _pad(
    x: Any, amounts: Any = None, fill: Any = None, which: Any = None, pads: Any = None, value: float = 0.0,
    mode: str = "constant",
) -> Any:  # fmt: skip
    given = ints(pads if amounts is None else amounts)
    axes = [a % x.ndim for a in ints(which)] if which is not None else list(range(x.ndim))
    pairs = dict(zip(axes, zip(given[: len(axes)], given[len(axes) :], strict=True), strict=True))
    whole = [pairs.get(i, (0, 0)) for i in range(x.ndim)]
    bounded([max(n + a + b, 0) for n, (a, b) in zip(x.shape, whole, strict=True)])
    if mode == "constant":
        number = value if fill is None else array_of(fill).reshape(-1)[0].item()
        return OPS["pad_constant"].call(x, tuple(whole), number)
    kind: Any = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}[mode]
    for axis, (a, b) in enumerate(whole):
        if a or b:
            x = P["index_select"](x, axis, tensor(np.pad(np.arange(x.shape[axis]), (a, b), kind)))
    return x


# ------------------------------------------------------------------------------------------------ indices
@operator("Gather")
def _gather(x: Any, index: Any, axis: int = 0) -> Any:
    at = array_of(index)
    return x[(slice(None),) * (axis % x.ndim) + (at if at.ndim else int(at),)]


def _positive(index: Any, n: int) -> Any:
    at = array_of(index)
    return tensor(np.where(at < 0, at + n, at).astype(np.int64))


OPERATORS["GatherElements"] = lambda x, index, axis=0: P["gather"](x, axis, _positive(index, x.shape[axis]))


@operator("GatherND")
def _gather_nd(x: Any, index: Any, batch_dims: int = 0) -> Any:
    at = array_of(index)
    lead = np.indices(at.shape[:batch_dims]).reshape(
        batch_dims, *at.shape[:batch_dims], *(1,) * (at.ndim - 1 - batch_dims)
    )
    return x[(*lead, *np.moveaxis(at, -1, 0))]


@operator("ScatterElements", "Scatter")
def _scatter_elements(x: Any, index: Any, updates: Any, axis: int = 0, reduction: str = "none") -> Any:
    at = _positive(index, x.shape[axis])
    if reduction == "none":
        return P["scatter"](x, axis, at, updates)
    kind = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}[reduction]
    return P["scatter_reduce"](x, axis, at, updates, kind)


@operator("ScatterND")
def _scatter_nd(x: Any, index: Any, updates: Any, reduction: str = "none") -> Any:
    places = tuple(tensor(i) for i in np.moveaxis(array_of(index), -1, 0))
    if reduction in ("none", "add"):
        return P["index_put"](x, places, updates, accumulate=reduction == "add")
    at = np.ravel_multi_index([array_of(p) % n for p, n in zip(places, x.shape, strict=False)], x.shape[: len(places)])
    flat = x.reshape((math.prod(x.shape[: len(places)]), -1))
    rows = updates.reshape((at.size, -1))
    where = tensor(np.broadcast_to(at.reshape(-1, 1), tuple(rows.shape)).copy())
    kind = {"mul": "prod", "max": "amax", "min": "amin"}[reduction]
    return P["scatter_reduce"](flat, 0, where, rows, kind).reshape(tuple(x.shape))


@operator("NonZero")
def _nonzero(x: Any) -> Any:
    return tensor(np.stack(np.nonzero(np.atleast_1d(x.array))).astype(np.int64))


@operator("Compress")
def _compress(x: Any, condition: Any, axis: int | None = None) -> Any:
    x = x.reshape((-1,)) if axis is None else x
    return P["index_select"](x, axis or 0, tensor(np.flatnonzero(array_of(condition))))


@operator("OneHot")
def _one_hot(index: Any, depth: Any, values: Any, axis: int = -1) -> Any:
    (n,), at = ints(depth), array_of(index)
    bounded([*at.shape, max(n, 0)])
    axis = axis % (at.ndim + 1)
    numbers = np.arange(n).reshape((n,) + (1,) * (at.ndim - axis))
    hit = np.expand_dims(np.where(at < 0, at + n, at), axis) == numbers
    return P["where"](tensor(hit), values[1], values[0])


@operator("Trilu")
def _trilu(x: Any, k: Any = None, upper: int = 1) -> Any:
    return P["triu" if upper else "tril"](x, 0 if k is None else int(array_of(k)))


# ------------------------------------------------------------------------------------------------ constants
@operator("Constant")
def _constant(
    value: Any = None, value_float: Any = None, value_floats: Any = None, value_int: Any = None, value_ints: Any = None
) -> Any:
    if value is not None:
        return tensor(value)
    number, dtype = (value_float, np.float32) if value_float is not None else (value_int, np.int64)
    if number is None:
        number, dtype = (value_floats, np.float32) if value_floats is not None else (value_ints, np.int64)
    return tensor(np.array(number, dtype))


@operator("ConstantOfShape")
def _constant_of_shape(shape: Any, value: Any = None) -> Any:
    fill = np.zeros(1, np.float32) if value is None else value
    return tensor(np.full(bounded(ints(shape)), fill.reshape(-1)[0], fill.dtype))


@operator("Range")
def _range(start: Any, limit: Any, delta: Any) -> Any:
    a, b, step = (array_of(v).reshape(-1)[0] for v in (start, limit, delta))
    if not step or not np.isfinite(float(b) - float(a)):
        raise FileError(f"onnx.load: Range from {a} to {b} by {step}")
    count = max(math.ceil((float(b) - float(a)) / float(step)), 0)
    bounded([count])
    return tensor((a + step * np.arange(count).astype(a.dtype)).astype(a.dtype))


@operator("DepthToSpace")
def _depth_to_space(x: Any, blocksize: int, mode: str = "DCR") -> Any:
    n, c, h, w = x.shape
    if mode == "CRD":
        return F.pixel_shuffle(x, blocksize)
    y = x.reshape((n, blocksize, blocksize, c // blocksize**2, h, w)).permute((0, 3, 4, 1, 5, 2))
    return y.reshape((n, c // blocksize**2, h * blocksize, w * blocksize))


@operator("SpaceToDepth")
def _space_to_depth(x: Any, blocksize: int) -> Any:
    n, c, h, w = x.shape
    b = blocksize
    y = x.reshape((n, c, h // b, b, w // b, b)).permute((0, 3, 5, 1, 2, 4))
    return y.reshape((n, c * b * b, h // b, w // b))


@operator("ReverseSequence")
def _reverse_sequence(x: Any, lengths: Any, batch_axis: int = 1, time_axis: int = 0) -> Any:
    at = np.arange(x.shape[time_axis])
    n = array_of(lengths)[:, None]
    places = np.where(at < n, n - 1 - at, at)
    shape = [1] * x.ndim
    shape[batch_axis], shape[time_axis] = x.shape[batch_axis], x.shape[time_axis]
    places = places if batch_axis < time_axis else places.T
    return P["gather"](x, time_axis, tensor(np.broadcast_to(places.reshape(shape), tuple(x.shape)).copy()))
