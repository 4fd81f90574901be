"""Reshaping, moving and joining."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.onnx.errors import OnnxExporterError
from tinygrad_lite.onnx.graph import END
from tinygrad_lite.onnx.rules.table import SINGLE, refuse, rule

SINGLE.update(reshape="Reshape", permute="Transpose", broadcast_to="Expand", cat="Concat", split="Split",
              pad_constant="Pad", flip="Slice")  # fmt: skip
refuse("restride", "the strides of a tensor have no meaning in ONNX")


@rule("reshape")
def _reshape(g: Any, y: Any, input: Any) -> Any:
    shape = g.shape(y.shape, y.other, like=input)
    return g.Reshape(input, shape) if math.prod(y.shape) else g.Reshape(input, shape, allowzero=1)


@rule("permute")
def _permute(g: Any, input: Any, dims: Any) -> Any:
    return g.Transpose(input, perm=[int(d) % input.ndim for d in dims])


@rule("broadcast_to")
def _broadcast_to(g: Any, y: Any, input: Any) -> Any:
    return g.Expand(input, g.shape(y.shape, y.other))


@rule("cat")
def _cat(g: Any, tensors: Any, dim: Any) -> Any:
    ndim = max(t.ndim for t in tensors)
    tensors = [t for t in tensors if t.shape != (0,) or ndim == 1]  # PyTorch's empty tensor joins anything
    return g.node("Concat", tensors, axis=int(dim))


@rule("stack")
def _stack(g: Any, y: Any, tensors: Any, dim: Any) -> Any:
    at = int(dim) % y.ndim
    return g.node("Concat", [g.Unsqueeze(t, [at]) for t in tensors], axis=at)


def _sizes(g: Any, parts: Any, dim: int) -> Any:
    return g.shape([t.shape[dim] for t in parts], [t.other[dim] for t in parts])


@rule("split")
def _split(g: Any, y: Any, input: Any, dim: Any, ends: Any, ends_2: Any) -> Any:
    parts = y if isinstance(y, list) else [y]
    if len(parts) == 1:
        return [g.Identity(input)]
    at = int(dim) % input.ndim
    found = g.node("Split", [input, _sizes(g, parts, at)], outputs=len(parts), axis=at)
    return found if isinstance(found, list) else [found]


@rule("unbind")
def _unbind(g: Any, y: Any, input: Any, dim: Any) -> Any:
    parts, at = y if isinstance(y, list) else [y], int(dim) % input.ndim
    input.fixed(at, "a result for each element")
    if len(parts) == 1:
        return [g.Squeeze(input, [at])]
    found = g.node("Split", [input, [1] * len(parts)], outputs=len(parts), axis=at)
    return [g.Squeeze(part, [at]) for part in found]


@rule("flip")
def _flip(g: Any, input: Any, dims: Any) -> Any:
    axes = [int(d) % input.ndim for d in (dims if isinstance(dims, (list, tuple)) else (dims,))]
    return g.Slice(input, [-1] * len(axes), [-END] * len(axes), axes, [-1] * len(axes)) if axes else g.Identity(input)


def pads_of(pads: Any) -> list[int]:
    """Return (before, after) pairs as ONNX lists them: all that come before, then all that come after."""
    return [int(a) for a, _ in pads] + [int(b) for _, b in pads]


@rule("pad_constant")
def _pad(g: Any, input: Any, pads: Any, value: Any) -> Any:
    whole = ((0, 0),) * (input.ndim - len(pads)) + tuple(pads)
    if input.kind == "b":  # not every runtime pads bools
        return g.cast(g.Pad(g.cast(input, np.int32), pads_of(whole), np.int32(value)), bool)
    return g.Pad(input, pads_of(whole), np.asarray(value, input.dtype))


def _triangle(name: str, upper: int) -> None:
    def convert(g: Any, input: Any, diagonal: Any) -> Any:
        k = np.int64(diagonal)
        if input.dtype in (np.float32, np.float64, np.int64):
            return g.Trilu(input, k, upper=upper)
        return g.cast(g.Trilu(g.cast(input, np.int64), k, upper=upper), input.dtype)

    SINGLE[name] = "Trilu"
    rule(name)(convert)


_triangle("tril", 0)
_triangle("triu", 1)


@rule("roll")
def _roll(g: Any, y: Any, input: Any, shifts: Any, dims: Any) -> Any:
    def turn(x: Any, by: int, axis: int) -> Any:
        if not by:
            return x
        return g.Concat(g.Slice(x, [-by], [END], [axis]), g.Slice(x, [0], [-by], [axis]), axis=axis)

    if dims is None:
        by = int(np.sum(shifts)) % max(math.prod(input.shape), 1)
        if input.shape != input.other:
            raise OnnxExporterError("roll of all elements of a tensor with a dynamic axis has no form in ONNX")
        return g.Reshape(turn(g.Reshape(input, [-1]), by, 0), g.shape(y.shape, y.other, like=None))
    x: Any = input
    pairs = zip(*(v if isinstance(v, (list, tuple)) else (v,) for v in (shifts, dims)), strict=True)
    for by, axis in pairs:
        x = turn(x, by % max(input.fixed(axis, "roll"), 1), int(axis) % input.ndim)
    return x if x is not input else g.Identity(input)


def _diagonal_places(shape: Any, offset: int) -> Any:
    """Return the positions of a diagonal in the flat matrix."""
    rows, columns = shape
    numbers = np.arange(rows * columns).reshape(rows, columns)
    return np.diagonal(numbers, offset)


def _matrix_last(x: Any, a: int, b: int) -> list[int]:
    return [i for i in range(x.ndim) if i not in (a, b)] + [a, b]


@rule("diagonal")
def _diagonal(g: Any, y: Any, input: Any, offset: Any, dim1: Any, dim2: Any) -> Any:
    a, b = dim1 % input.ndim, dim2 % input.ndim
    shape = input.fixed(a, "a diagonal"), input.fixed(b, "a diagonal")
    x = g.Transpose(input, perm=_matrix_last(input, a, b))
    lead = [0] * (input.ndim - 2)
    flat = g.Reshape(x, [*lead, shape[0] * shape[1]])
    return g.Gather(flat, np.array(_diagonal_places(shape, offset), np.int64), axis=input.ndim - 2)


@rule("on_diagonal")
def _on_diagonal(g: Any, y: Any, values: Any, offset: Any, dim1: Any, dim2: Any) -> Any:
    a, b = dim1 % y.ndim, dim2 % y.ndim
    shape = y.fixed(a, "a diagonal"), y.fixed(b, "a diagonal")
    places = _diagonal_places(shape, offset)
    spread = np.zeros((len(places), shape[0] * shape[1]), values.dtype)
    spread[np.arange(len(places)), places] = 1  # a product with zeros and ones puts each value in its place
    order = _matrix_last(y, a, b)
    lead = [0] * (y.ndim - 2)
    x = g.Reshape(g.MatMul(values, spread), [*lead, *shape])
    return g.Transpose(x, perm=[order.index(i) for i in range(y.ndim)])
