"""Convolution, pooling and patches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.onnx.errors import OnnxExporterError
from tinygrad_lite.onnx.rules.shape import pads_of
from tinygrad_lite.onnx.rules.table import SINGLE, refuse, rule

SINGLE.update(conv="Conv", conv_input="ConvTranspose", window_max="MaxPool", col2im="Col2Im")
refuse("conv_weight to_largest of_largest spread", "it occurs in gradients only")


def _ints(values: Any) -> list[int]:
    return [int(v) for v in values]


@rule("conv")
def _conv(g: Any, input: Any, weight: Any, bias: Any, stride: Any, pads: Any, dilation: Any, groups: Any) -> Any:
    one = bias is not None and bias.ndim == 1
    y = g.Conv(input, weight, bias if one else None, strides=_ints(stride), dilations=_ints(dilation),
               group=int(groups), pads=pads_of(pads), kernel_shape=_ints(weight.shape[2:]))  # fmt: skip
    return y if one or bias is None else g.Add(y, bias)


@rule("conv_input")
def _conv_input(
    g: Any, grad: Any, weight: Any, stride: Any, pads: Any, dilation: Any, groups: Any, size: Any, size_2: Any
) -> Any:
    kernel, pairs = weight.shape[2:], [pads_of([p]) for p in pads]

    def extra(sizes: Any, shape: Any) -> list[int]:
        return [int(n - ((m - 1) * s - a - b + d * (k - 1) + 1)) for n, m, s, (a, b), d, k
                in zip(sizes, shape[2:], stride, pairs, dilation, kernel, strict=True)]  # fmt: skip

    more = extra(size, grad.shape)
    if more != extra(size_2, grad.other):
        raise OnnxExporterError("conv_transpose: output_size does not follow from the input")
    return g.ConvTranspose(grad, weight, strides=_ints(stride), dilations=_ints(dilation), group=int(groups),
                           output_padding=more, pads=pads_of(pads), kernel_shape=_ints(kernel))  # fmt: skip


def _padded(g: Any, x: Any, kernel: Any, pads: Any, value: Any) -> tuple[Any, Any]:
    """Return the input and its padding: runtimes want less of it than a window has, so more is a node of its own."""
    if all(max(p) < k for p, k in zip(pads, kernel, strict=True)):
        return x, pads
    return g.Pad(x, pads_of(((0, 0), (0, 0), *pads)), value), ((0, 0),) * len(pads)


@rule("window_max")
def _window_max(g: Any, input: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> Any:
    input, pads = _padded(g, input, kernel, pads, np.asarray(-np.inf, input.dtype) if input.kind == "f" else None)
    return g.MaxPool(input, kernel_shape=_ints(kernel), strides=_ints(stride), dilations=_ints(dilation),
                     pads=pads_of(pads))  # fmt: skip


@rule("max_pool")
def _max_pool(g: Any, input: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> Any:
    best, at = g.node("MaxPool", [input], outputs=2, kernel_shape=_ints(kernel), strides=_ints(stride),
                      dilations=_ints(dilation), pads=pads_of(pads))  # fmt: skip
    plane = [g.size(p, q) for p, q in zip(input.shape[2:], input.other[2:], strict=True)]
    area = g.ReduceProd(g.Concat(*plane, axis=0), keepdims=0)
    return [best, g.Mod(at, area)]  # ONNX counts through the whole batch, PyTorch through one plane


def _sum_pool(g: Any, x: Any, kernel: Any, stride: Any, pads: Any, dtype: Any) -> Any:
    x, pads = _padded(g, x, kernel, pads, np.zeros((), dtype))
    mean = g.AveragePool(x, kernel_shape=_ints(kernel), strides=_ints(stride), pads=pads_of(pads),
                         count_include_pad=1)  # fmt: skip
    return g.Mul(mean, np.asarray(math.prod(kernel), dtype))


@rule("sum_pool")
def _sum(g: Any, input: Any, kernel: Any, stride: Any, pads: Any) -> Any:
    return _sum_pool(g, input, kernel, stride, pads, input.dtype)


@rule("avg_pool()")
def _avg_pool(g: Any, x0: Any, x1: Any, x2: Any, x3: Any, x4: Any) -> Any:
    if any(max(p) >= k for p, k in zip(x3, x1, strict=True)):
        return None
    return g.AveragePool(x0, kernel_shape=_ints(x1), strides=_ints(x2), pads=pads_of(x3), count_include_pad=int(x4))


rule("mean_of_plane()")(lambda g, x0: g.GlobalAveragePool(x0))
RESIZED: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    "nearest-exact": {"mode": "nearest", "nearest_mode": "round_prefer_ceil"},
    "bicubic": {"mode": "cubic", "cubic_coeff_a": -0.75},
}  # fmt: skip


@rule("interpolate()")
def _interpolate(g: Any, y: Any, x0: Any, x1: Any, x2: Any, x2_2: Any, x3: Any, x4: Any, x5: Any) -> Any:
    """Convert the whole of `interpolate`: input, scales or None, sizes, mode, align_corners, antialias."""
    if x5 or x3 == "area":
        return None
    words: dict[str, Any] = {"mode": "linear", **RESIZED.get(x3, {})}
    if "nearest" not in x3:
        words["coordinate_transformation_mode"] = "align_corners" if x4 else "pytorch_half_pixel"
    axes = list(range(2, x0.ndim))
    if x1 is not None:
        return g.Resize(x0, None, np.array(x1, np.float32), axes=axes, **words)
    return g.Resize(x0, None, None, g.shape(x2, x2_2), axes=axes, **words)


@rule("lp_pool")
def _lp_pool(g: Any, c: Any, input: Any, p: Any, kernel: Any, stride: Any, pads: Any) -> Any:
    return g.Pow(_sum_pool(g, g.Pow(input, c(p)), kernel, stride, pads, input.dtype), c(1 / p))


@rule("im2col")
def _im2col(g: Any, y: Any, input: Any, kernel: Any, stride: Any, pads: Any, dilation: Any) -> Any:
    channels, area = input.fixed(1, "patches"), math.prod(kernel)
    one = np.eye(area, dtype=input.dtype).reshape(area, 1, *kernel)  # each filter picks one place of the window
    filters = np.tile(one, (channels, *(1,) * (len(kernel) + 1)))
    found = g.Conv(input, filters, strides=_ints(stride), dilations=_ints(dilation), group=channels,
                   pads=pads_of(pads), kernel_shape=_ints(kernel))  # fmt: skip
    return g.Reshape(found, g.shape(y.shape, y.other))


@rule("col2im")
def _col2im(
    g: Any, y: Any, cols: Any, kernel: Any, stride: Any, pads: Any, dilation: Any, size: Any, size_2: Any
) -> Any:
    n = len(kernel)
    channels, area = cols.fixed(1, "patches"), math.prod(kernel)
    places = [math.prod(s[2 + n :]) for s in (cols.shape, cols.other)]
    flat = g.Reshape(cols, [0, channels * area, -1] if places[0] != places[1] else [-1, channels * area, places[0]])
    return g.Col2Im(flat, g.shape(size, size_2), _ints(kernel), strides=_ints(stride), dilations=_ints(dilation),
                    pads=pads_of(pads))  # fmt: skip


def _windows(x: Any, dim: int, size: int, step: int) -> Any:
    """Return the positions (windows, size) along an axis."""
    n = (x.fixed(dim, "windows") - size) // step + 1
    return np.arange(n, dtype=np.int64)[:, None] * step + np.arange(size)


@rule("unfold_along")
def _unfold_along(g: Any, input: Any, dim: Any, size: Any, step: Any) -> Any:
    axis = int(dim) % input.ndim
    found = g.Gather(input, _windows(input, axis, size, step), axis=axis)
    order = [*range(axis + 1), *range(axis + 2, input.ndim + 1), axis + 1]
    return g.Transpose(found, perm=order)


@rule("fold_along")
def _fold_along(g: Any, y: Any, grad: Any, dim: Any, size: Any, step: Any) -> Any:
    axis = int(dim) % y.ndim
    places = _windows(y, axis, size, step)
    spread = np.zeros((places.size, y.shape[axis]), grad.dtype)
    spread[np.arange(places.size), places.reshape(-1)] = 1
    order = [i for i in range(grad.ndim) if i not in (axis, grad.ndim - 1)] + [axis, grad.ndim - 1]
    flat = g.Reshape(g.Transpose(grad, perm=order), [0] * (y.ndim - 1) + [-1])
    back = [*range(axis), y.ndim - 1, *range(axis, y.ndim - 1)]
    return g.Transpose(g.MatMul(flat, spread), perm=back)
