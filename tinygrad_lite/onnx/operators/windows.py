"""Convolution, pooling and resizing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.engine.op import OPS, PUBLIC as P
from tinygrad_lite.errors import FileError
from tinygrad_lite.onnx.operators.table import OPERATORS, array_of, bounded, ints, operator, tensor

Pairs = tuple[tuple[int, int], ...]


def _pads(x: Any, kernel: Any, stride: Any, dilation: Any, pads: Any, auto_pad: str) -> Pairs:
    """Return what is padded before and after each axis, given or computed from ``auto_pad``."""
    n = len(kernel)
    if auto_pad in ("NOTSET", ""):
        given = [int(p) for p in (pads or [0] * 2 * n)]
        pairs = tuple(zip(given[:n], given[n:], strict=True))
        bounded([*x.shape[:2], *(max(m + a + b, 0) for m, (a, b) in zip(x.shape[2:], pairs, strict=False))])
        return pairs
    if auto_pad == "VALID":
        return ((0, 0),) * n
    out = []
    for size, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True):
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        half = total // 2
        out.append((half, total - half) if auto_pad == "SAME_UPPER" else (total - half, half))
    return tuple(out)


@operator("Conv")
def _conv(
    x: Any, w: Any, b: Any = None, kernel_shape: Any = None, strides: Any = None, dilations: Any = None,
    pads: Any = None, group: int = 1, auto_pad: str = "NOTSET",
) -> Any:  # fmt: skip
    kernel, n = tuple(w.shape[2:]), x.ndim - 2
    stride, dilation = tuple(strides or [1] * n), tuple(dilations or [1] * n)
    return OPS["conv"].call(x, w, b, stride, _pads(x, kernel, stride, dilation, pads, auto_pad), dilation, group)


@operator("ConvTranspose")
def _conv_transpose(
    x: Any, w: Any, b: Any = None, kernel_shape: Any = None, strides: Any = None, dilations: Any = None,
    pads: Any = None, group: int = 1, auto_pad: str = "NOTSET", output_padding: Any = None, output_shape: Any = None,
) -> Any:  # fmt: skip
    kernel, n = tuple(w.shape[2:]), x.ndim - 2
    stride, dilation = tuple(strides or [1] * n), tuple(dilations or [1] * n)
    more = output_padding or [0] * n
    if auto_pad in ("SAME_UPPER", "SAME_LOWER") or output_shape:
        sizes = output_shape or [m * s for m, s in zip(x.shape[2:], stride, strict=True)]
        given = [0] * 2 * n
        for i, (size, m, s, k, d) in enumerate(zip(sizes, x.shape[2:], stride, kernel, dilation, strict=True)):
            total = max((m - 1) * s + more[i] + (k - 1) * d + 1 - size, 0)
            half = total // 2
            given[i], given[n + i] = (half, total - half) if auto_pad == "SAME_UPPER" else (total - half, half)
        pads = given
    pairs = _pads(x, kernel, stride, dilation, pads, "NOTSET")
    size = tuple(
        (m - 1) * s - a - c + d * (k - 1) + 1 + e
        for m, s, (a, c), d, k, e in zip(x.shape[2:], stride, pairs, dilation, kernel, more, strict=True)
    )
    bounded([x.shape[0], w.shape[1] * group, *(max(v, 0) for v in size)])
    y = OPS["conv_input"].call(x, w, size, stride, pairs, dilation, group)
    return y if b is None else y + b.reshape((-1, *(1,) * n))


def _window(
    x: Any, kernel: Any, strides: Any, dilations: Any, pads: Any, auto_pad: str, ceil_mode: int
) -> tuple[Any, Any, Pairs, Pairs]:
    """Return stride, dilation, the padding, and the padding with what rounding up reads beyond the end."""
    n = x.ndim - 2
    stride, dilation = tuple(strides or [1] * n), tuple(dilations or [1] * n)
    own = _pads(x, kernel, stride, dilation, pads, auto_pad)
    if not ceil_mode:
        return stride, dilation, own, own
    wide = []
    for size, k, s, d, (a, b) in zip(x.shape[2:], kernel, stride, dilation, own, strict=True):
        reach = (k - 1) * d + 1
        count = -(-(size + a + b - reach) // s) + 1
        count -= (count - 1) * s >= size + a  # a window may not begin in the padding at the end
        wide.append((a, max((count - 1) * s + reach - size - a, 0)))
    return stride, dilation, own, tuple(wide)


@operator("MaxPool")
def _max_pool(
    x: Any, kernel_shape: Any, strides: Any = None, dilations: Any = None, pads: Any = None, auto_pad: str = "NOTSET",
    ceil_mode: int = 0, storage_order: int = 0, *, outputs: int,
) -> Any:  # fmt: skip
    kernel = tuple(kernel_shape)
    stride, dilation, _, wide = _window(x, kernel, strides, dilations, pads, auto_pad, ceil_mode)
    if outputs == 1:
        return OPS["window_max"].call(x, kernel, stride, wide, dilation)
    if storage_order:
        raise FileError("onnx.load: MaxPool with storage_order=1 is not supported")
    values, at = OPS["max_pool"].call(x, kernel, stride, wide, dilation)
    plane = math.prod(x.shape[2:])
    start = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[0], x.shape[1], *(1,) * len(kernel)) * plane
    return values, tensor(array_of(at) + start)


def _counts(x: Any, kernel: Any, stride: Any, dilation: Any, inside: Pairs, wide: Pairs) -> Any:
    """Return how many elements of the input, or of it and its own padding, each window has."""
    total = None
    for size, k, s, d, (a, b), (p, q) in zip(x.shape[2:], kernel, stride, dilation, inside, wide, strict=True):
        line = np.pad(np.ones(size + a + b), (p - a, max(q - b, 0)))
        starts = np.arange(0, len(line) - (k - 1) * d, s)
        each = sum(line[starts + i * d] for i in range(k))
        total = each if total is None else np.multiply.outer(total, each)
    return total


@operator("AveragePool")
def _average_pool(
    x: Any, kernel_shape: Any, strides: Any = None, dilations: Any = None, pads: Any = None, auto_pad: str = "NOTSET",
    ceil_mode: int = 0, count_include_pad: int = 0,
) -> Any:  # fmt: skip
    kernel = tuple(kernel_shape)
    stride, dilation, own, wide = _window(x, kernel, strides, dilations, pads, auto_pad, ceil_mode)
    if any(d != 1 for d in dilation):
        raise FileError("onnx.load: AveragePool with dilations is not supported")
    total = OPS["sum_pool"].call(x, kernel, stride, wide)
    inside = own if count_include_pad else ((0, 0),) * len(kernel)
    return total / tensor(_counts(x, kernel, stride, dilation, inside, wide).astype(x.array.dtype))


@operator("LpPool")
def _lp_pool(
    x: Any, kernel_shape: Any, p: int = 2, strides: Any = None, dilations: Any = None, pads: Any = None,
    auto_pad: str = "NOTSET", ceil_mode: int = 0,
) -> Any:  # fmt: skip
    kernel = tuple(kernel_shape)
    stride, _, _, wide = _window(x, kernel, strides, dilations, pads, auto_pad, ceil_mode)
    return OPS["lp_pool"].call(P["abs"](x), float(p), kernel, stride, wide)


def _places(x: Any) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


OPERATORS.update({
    "GlobalAveragePool": lambda x: x.mean(_places(x), keepdim=True),
    "GlobalMaxPool": lambda x: P["amax"](x, _places(x), True),
})  # fmt: skip


@operator("GlobalLpPool")
def _global_lp_pool(x: Any, p: int = 2) -> Any:
    return P["norm"](x, p, _places(x), True)


@operator("Col2Im")
def _col2im(x: Any, image: Any, block: Any, dilations: Any = None, pads: Any = None, strides: Any = None) -> Any:
    size, kernel = bounded(ints(image)), tuple(bounded(ints(block)))
    n = len(kernel)
    stride, dilation = tuple(strides or [1] * n), tuple(dilations or [1] * n)
    pairs = _pads(x, kernel, stride, dilation, pads, "NOTSET")
    count = [(m + a + b - (k - 1) * d - 1) // s + 1
             for m, (a, b), k, d, s in zip(size, pairs, kernel, dilation, stride, strict=True)]  # fmt: skip
    cols = x.reshape((x.shape[0], -1, *kernel, *count))
    return OPS["col2im"].call(cols, tuple(size), kernel, stride, pairs, dilation)


# ------------------------------------------------------------------------------------------------ resizing
def _sources(n: int, m: int, scale: float, how: str) -> Any:
    """Return the places in an axis of ``n`` elements that ``m`` new ones are read from."""
    x = np.arange(m, dtype=np.float64)
    if how == "align_corners":
        return x * (n - 1) / (m - 1) if m > 1 else x * 0
    if how == "asymmetric":
        return x / scale
    if how == "half_pixel" or how == "pytorch_half_pixel" and m > 1:
        return (x + 0.5) / scale - 0.5
    if how == "pytorch_half_pixel":
        return x * 0
    if how == "half_pixel_symmetric":
        return n / 2 * (1 - m / (scale * n)) + (x + 0.5) / scale - 0.5
    raise FileError(f"onnx.load: Resize with coordinate_transformation_mode={how!r} is not supported")


def _nearest(at: Any, how: str) -> Any:
    if how == "round_prefer_floor":
        return np.ceil(at - 0.5)
    if how == "round_prefer_ceil":
        return np.floor(at + 0.5)
    return np.floor(at) if how == "floor" else np.ceil(at)


def _weights(n: int, at: Any, mode: str, a: float) -> Any:
    """Return the matrix (new, old) that interpolates along one axis."""
    first = np.floor(at).astype(np.int64)
    t = at - first
    steps: tuple[int, ...]
    parts: tuple[Any, ...]
    if mode == "linear":
        steps, parts = (0, 1), (1 - t, t)
    else:

        def near(s: Any) -> Any:
            return (a + 2) * s**3 - (a + 3) * s**2 + 1

        def far(s: Any) -> Any:
            return a * s**3 - 5 * a * s**2 + 8 * a * s - 4 * a

        steps, parts = (-1, 0, 1, 2), (far(1 + t), near(t), near(1 - t), far(2 - t))
    out = np.zeros((len(at), n))
    for step, part in zip(steps, parts, strict=True):
        np.add.at(out, (np.arange(len(at)), np.clip(first + step, 0, n - 1)), part)
    return out


@operator("Resize", "Upsample")
def _resize(
    x: Any, roi: Any = None, scales: Any = None, sizes: Any = None, mode: str = "nearest",
    coordinate_transformation_mode: str = "half_pixel", nearest_mode: str = "round_prefer_floor",
    cubic_coeff_a: float = -0.75, exclude_outside: int = 0, extrapolation_value: float = 0.0, antialias: int = 0,
    axes: Any = None, keep_aspect_ratio_policy: str = "stretch", *, kind: str, opset: int,
) -> Any:  # fmt: skip
    if kind == "Upsample" or opset < 11:
        scales, coordinate_transformation_mode, nearest_mode = roi if scales is None else scales, "asymmetric", "floor"
    if exclude_outside or antialias or keep_aspect_ratio_policy != "stretch":
        raise FileError("onnx.load: Resize with exclude_outside, antialias or an aspect ratio is not supported")
    at = [a % x.ndim for a in axes] if axes else list(range(x.ndim))
    given = None if scales is None or not array_of(scales).size else array_of(scales).astype(float).tolist()
    if given is None:
        new = ints(sizes)
        given = [m / x.shape[i] for i, m in zip(at, new, strict=True)]
    else:
        new = [int(math.floor(x.shape[i] * s)) for i, s in zip(at, given, strict=True)]
    bounded([dict(zip(at, new, strict=True)).get(i, n) for i, n in enumerate(x.shape)])
    for axis, m, scale in zip(at, new, given, strict=True):
        n = x.shape[axis]
        if n == m and scale == 1:
            continue
        places = _sources(n, m, scale, coordinate_transformation_mode)
        if mode == "nearest":
            chosen = np.clip(_nearest(places, nearest_mode), 0, n - 1).astype(np.int64)
            x = P["index_select"](x, axis, tensor(chosen))
        else:
            w = _weights(n, np.clip(places, 0, n - 1) if mode == "linear" else places, mode, cubic_coeff_a)
            x = (x.movedim(axis, -1) @ tensor(w.T.astype(x.array.dtype))).movedim(-1, axis)
    return x
