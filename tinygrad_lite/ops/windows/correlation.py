"""Sliding windows in any number of dimensions: convolution and its two adjoints, im2col and col2im, max-pooling.

A convolution is linear in the image and in the kernel. So there are three ops, `conv`, `conv_input` (transposed
convolution) and `conv_weight`. The gradients of each are the other two, so they differentiate to any order.

Shapes: image (N, C, *S), kernel (O, C / groups, *K), result (N, O, *R) with
``R = floor((S + before + after - dilation * (K - 1) - 1) / stride) + 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.backward import finite
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.indexing.getitem import scatter_along
from tinygrad_lite.ops.threads import multiply
from tinygrad_lite.ops.windows import blocked, table

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


@lru_cache(maxsize=256)
def out_size(size: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Ints:
    """Return the number of window positions on each axis (rounded down)."""
    return tuple(
        (n + a + b - d * (k - 1) - 1) // s + 1
        for n, k, s, (a, b), d in zip(size, kernel, stride, pads, dilation, strict=True)
    )


def padded(x: Array, pads: Pads, value: float = 0.0) -> Array:
    """Return ``x`` with ``pads`` (before, after) elements of ``value`` around its last axes."""
    if not any(map(any, pads)):
        return x
    lead = x.shape[: x.ndim - len(pads)]
    size = x.shape[x.ndim - len(pads) :]
    shape = (*lead, *(n + a + b for n, (a, b) in zip(size, pads, strict=True)))
    out = new.zeros(shape, x.dtype) if value == 0 else new.full(shape, value, x.dtype)
    # negative padding cuts
    inner: Any = tuple(
        slice(max(a, 0), max(a, 0) + n + min(a, 0) + min(b, 0)) for n, (a, b) in zip(size, pads, strict=True)
    )
    from_: Any = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(size, pads, strict=True))
    out[(..., *inner)] = x[(..., *from_)]
    return out


def windows(x: Array, kernel: Ints, stride: Ints, dilation: Ints, count: Ints) -> Array:
    """Return a view (*lead, *kernel, *count) of ``x`` (*lead, *size): the patch at each position."""
    n = len(kernel)
    lead, steps = x.strides[: x.ndim - n], x.strides[x.ndim - n :]
    return new.as_strided(
        x,
        (*x.shape[: x.ndim - n], *kernel, *count),
        (
            *lead,
            *(s * d for s, d in zip(steps, dilation, strict=True)),
            *(s * t for s, t in zip(steps, stride, strict=True)),
        ),
        writeable=False,
    )


# ------------------------------------------------------------------------------------------------ im2col and col2im
def _unfold_samples(src: Any) -> Any:
    kernel = src.choice([(2, 2), (1, 3), (3, 1)])
    stride, dilation = src.choice([(1, 1), (2, 1)]), src.choice([(1, 1), (1, 2)])
    pads = src.choice([((0, 0), (0, 0)), ((1, 1), (0, 2))])
    h, w = src.size(4, lo=3, hi=6), src.size(5, lo=5, hi=7)
    x = src.floats((src.size(2), src.size(2), h, w))
    return (x,), {"kernel": kernel, "stride": stride, "pads": pads, "dilation": dilation}


def _fold_samples(src: Any) -> Any:
    (x,), kw = _unfold_samples(src)
    count = out_size(x.shape[2:], kw["kernel"], kw["stride"], kw["pads"], kw["dilation"])
    return (src.floats((*x.shape[:2], *kw["kernel"], *count)),), {**kw, "size": x.shape[2:]}


def _im2col_rule(g: Array, input_shape: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    return col2im(g, input_shape[2:], kernel, stride, pads, dilation)


@op(
    input=_im2col_rule, kind="window", public=False, samples=Samples(draw=_unfold_samples),
)  # fmt: skip
def im2col(input: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    """Return the patches (N, C, *kernel, *positions) of ``input`` (N, C, *size)."""
    count = out_size(input.shape[2:], kernel, stride, pads, dilation)
    return new.ascontiguousarray(windows(padded(input, pads), kernel, stride, dilation, count))


def _col2im_rule(g: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    return im2col(g, kernel, stride, pads, dilation)


@op(
    cols=_col2im_rule, kind="window", public=False, samples=Samples(draw=_fold_samples),
)  # fmt: skip
def col2im(cols: Array, size: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    """Add patches (N, C, *kernel, *positions) at their positions in an image: `im2col` transposed."""
    n = len(kernel)
    count = cols.shape[2 + n :]
    lead = cols.shape[:2]
    out = new.zeros((*lead, *(s + a + b for s, (a, b) in zip(size, pads, strict=True))), cols.dtype)
    for at in product(*(range(k) for k in kernel)):
        here: Any = tuple(
            slice(i * d, i * d + s * c, s) for i, d, s, c in zip(at, dilation, stride, count, strict=True)
        )  # fmt: skip
        out[(..., *here)] += cols[(slice(None), slice(None), *at)]
    inner: Any = tuple(slice(a, a + s) for s, (a, _) in zip(size, pads, strict=True))
    return out[(..., *inner)]


# ------------------------------------------------------------------------------------------------ convolution
def _columns(x: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> Array:
    """Return patches as (N, groups, C / groups * prod(kernel), prod(positions))."""
    cols = im2col(x, kernel, stride, pads, dilation)
    # explicit sizes, as -1 is ambiguous for an empty batch
    positions = prod(cols.shape[2 + len(kernel) :])
    return cols.reshape(x.shape[0], groups, x.shape[1] // groups * prod(kernel), positions)


def _conv_samples(src: Any) -> Any:
    groups = src.choice([1, 2])
    kernel = src.choice([(2, 2), (1, 3), (3, 1)])
    pads = src.choice([((0, 0), (0, 0)), ((1, 1), (0, 2))])
    kw = {
        "stride": src.choice([(1, 1), (2, 1)]),
        "pads": pads,
        "dilation": src.choice([(1, 1), (1, 2)]),
        "groups": groups,
    }
    h, w = src.size(4, lo=3, hi=5), src.size(5, lo=5, hi=6)
    c, o = src.size(1, hi=2), src.size(2, hi=2)
    x = src.floats((src.size(2, hi=3), c * groups, h, w))
    weight = src.floats((o * groups, c, *kernel))
    count = out_size((h, w), kernel, kw["stride"], pads, kw["dilation"])
    return x, weight, count, kw, src


def _conv_call(src: Any) -> Any:
    x, weight, count, kw, src = _conv_samples(src)
    o = weight.shape[0]
    bias = src.choice(["scalar", "none", "untied"])
    b = None if bias == "none" else src.floats((o,) if bias == "scalar" else (o, *count))
    return ((x, weight) if b is None else (x, weight, b)), kw


def _conv_input_call(src: Any) -> Any:
    x, weight, count, kw, src = _conv_samples(src)
    return (src.floats((x.shape[0], weight.shape[0], *count)), weight), {"size": x.shape[2:], **kw}


def _conv_weight_call(src: Any) -> Any:
    x, weight, count, kw, src = _conv_samples(src)
    return (src.floats((x.shape[0], weight.shape[0], *count)), x), {"kernel": weight.shape[2:], **kw}


def _bias_rule(g: Array, bias_shape: Any) -> Array:
    # one number per channel, or one per channel and position ("untied")
    if len(bias_shape) == 1 and g.__class__ is np.ndarray and g.size:
        n, o = g.shape[:2]  # products with ones are the fastest sums
        size = g.size // (n * o)
        each = g.reshape(n * o, size)
        row = new.row_of_ones(size, g.dtype)
        each = np.dot(each, row) if g.size <= 4096 else multiply(each, row)
        return np.dot(new.row_of_ones(n, g.dtype), each.reshape(n, o)) if n > 1 else each
    axes = tuple(i for i in range(g.ndim) if i != 1) if len(bias_shape) == 1 else 0
    return g.sum(axis=axes)


def _to_images(
    g: Array, weight: Array, input_shape: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:
    return conv_input(g, weight, input_shape[2:], stride, pads, dilation, groups)


def _to_kernels(
    g: Array, input: Array, weight_shape: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:
    return conv_weight(g, input, weight_shape[2:], stride, pads, dilation, groups)


@op(
    input=_to_images, weight=_to_kernels, bias=_bias_rule,
    kind="window", promote="equal", public=False, samples=Samples(draw=_conv_call),
    flops=lambda weight_shape, y_shape: 2 * prod(weight_shape[1:]) * prod(y_shape),
)  # fmt: skip
def conv(
    input: Array, weight: Array, bias: Array = None, stride: Ints = (1, 1), pads: Pads = ((0, 0), (0, 0)),
    dilation: Ints = (1, 1), groups: int = 1,
) -> Array:  # fmt: skip
    """Return the cross-correlation of ``input`` (N, C, *S) with ``weight`` (O, C / groups, *K), plus ``bias``.

    ``bias`` is (O) or, untied, (O, *R). Shapes are checked by the public functions (`nn.functional.conv2d` ...).
    """
    if blocked.suits(input, weight, weight.shape, stride, pads):
        return blocked.correlate(input, weight, bias, stride, pads, dilation, groups)
    kernel = weight.shape[2:]
    count = out_size(input.shape[2:], kernel, stride, pads, dilation)
    cols = _columns(input, kernel, stride, pads, dilation, groups)
    y = np.matmul(weight.reshape(groups, weight.shape[0] // groups, -1), cols)
    y = y.reshape(input.shape[0], weight.shape[0], *count)
    if bias is not None:
        y += bias.reshape(-1, *(1,) * len(kernel)) if bias.ndim == 1 else bias
    return y


def _input_from(g: Array, weight: Array, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> Array:
    return conv(g, weight, None, stride, pads, dilation, groups)


def _input_kernels(
    g: Array, grad: Array, weight_shape: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:
    return conv_weight(grad, g, weight_shape[2:], stride, pads, dilation, groups)


@op(
    grad=_input_from, weight=_input_kernels,
    kind="window", promote="equal", public=False, samples=Samples(draw=_conv_input_call),
    flops=lambda weight_shape, grad_shape: 2 * prod(weight_shape[1:]) * prod(grad_shape),
)  # fmt: skip
def conv_input(grad: Array, weight: Array, size: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> Array:
    """Return `conv` transposed: from ``grad`` (N, O, *R) back to images (N, C, *size)."""
    if blocked.suits(grad, weight, weight.shape, stride, pads):
        return blocked.correlate_input(grad, weight, size, stride, pads, dilation, groups)
    kernel = weight.shape[2:]
    n, count = grad.shape[0], grad.shape[2:]
    w = weight.reshape(groups, weight.shape[0] // groups, -1)
    cols = np.matmul(w.swapaxes(1, 2), grad.reshape(n, groups, weight.shape[0] // groups, prod(count)))
    cols = cols.reshape(n, weight.shape[1] * groups, *kernel, *count)
    return col2im(cols, size, kernel, stride, pads, dilation)


def _weight_from(g: Array, input: Array, stride: Ints, pads: Pads, dilation: Ints, groups: int) -> Array:
    return conv(input, g, None, stride, pads, dilation, groups)


def _weight_images(
    g: Array, grad: Array, input_shape: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:
    return conv_input(grad, g, input_shape[2:], stride, pads, dilation, groups)


@op(
    grad=_weight_from, input=_weight_images,
    kind="window", promote="equal", public=False, samples=Samples(draw=_conv_weight_call),
    flops=lambda grad_shape, input_shape, kernel, groups: (
        2 * prod(grad_shape) * input_shape[1] // groups * prod(kernel)),
)  # fmt: skip
def conv_weight(
    grad: Array, input: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:
    """Return the gradient of `conv` for its kernel: (O, C / groups, *kernel) from ``grad`` (N, O, *R)."""
    if blocked.suits(grad, input, (0, 0, *kernel), stride, pads):
        return blocked.correlate_weight(grad, input, kernel, stride, pads, dilation, groups)
    n, o = grad.shape[:2]
    cols = _columns(input, kernel, stride, pads, dilation, groups)
    w = np.matmul(grad.reshape(n, groups, o // groups, cols.shape[3]), cols.swapaxes(2, 3)).sum(axis=0)
    return w.reshape(o, input.shape[1] // groups, *kernel)


# ------------------------------------------------------------------------------------------------ max-pooling
def _pool_samples(src: Any) -> Any:
    kernel = src.choice([(2, 2), (1, 3), (3, 2)])
    kw = {
        "kernel": kernel, "stride": src.choice([(2, 2), (1, 1), (1, 2)]),
        "pads": src.choice([((0, 0), (0, 0)), tuple((0, k // 2) for k in kernel)]),
        "dilation": src.choice([(1, 1), (1, 2)]),
    }  # fmt: skip
    return (src.floats((src.size(2, hi=2), src.size(2, hi=2), src.size(4, lo=3, hi=5), src.size(5, lo=5, hi=6))),), kw


def lowest(dtype: Any) -> float:
    """Return the smallest value of this dtype."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min if dtype.kind in "iu" else False


@lru_cache(maxsize=256)
def _along(count: int, kernel: int, stride: int, dilation: int) -> tuple[slice, ...]:
    """Return, for each tap of the window along one axis, the slice of its elements at all positions."""
    last = stride * (count - 1) + 1
    return tuple([slice(i * dilation, i * dilation + last, stride) for i in range(kernel)])


@lru_cache(maxsize=256)
def _at_taps(count: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> tuple[Any, ...]:
    """Return, for each tap of the window in row-major order, the index of its elements at all positions."""
    return tuple((..., *at) for at in product(*map(_along, count, kernel, stride, dilation)))


def _largest(input: Array, values: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Iterator[Any]:
    """Yield, for each tap of the window, its index and a mask of the windows whose first maximum it is."""
    real = values.dtype.kind == "f"
    nan = real and not finite(values) and bool(np.isnan(values).any())
    x = padded(input, pads, np.nan if real and not nan else lowest(input.dtype))
    left = None
    for here in _at_taps(values.shape[2:], kernel, stride, dilation):
        found = np.equal(x[here], values)
        if nan:
            found |= np.isnan(x[here]) & np.isnan(values)
        if left is None:
            left = ~found
        else:
            found &= left
            left ^= found
        yield here, found


@lru_cache(maxsize=256)
def _cover(size: Ints, count: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> tuple[Any, ...]:
    """Return the padded size, whether windows are disjoint, whether they cover it, and the index of the input in it."""
    room = tuple(n + a + b for n, (a, b) in zip(size, pads, strict=True))
    apart = all(s >= d * (k - 1) + 1 for s, k, d in zip(stride, kernel, dilation, strict=True))
    whole = apart and room == tuple(c * k for c, k in zip(count, kernel, strict=True))
    return room, apart, whole, (..., *(slice(a, a + n) for n, (a, _) in zip(size, pads, strict=True)))


def _bare(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x


def _largest_samples(src: Any) -> Any:
    (x,), kw = _pool_samples(src)
    values = window_max.op.forward(x, **kw)  # type: ignore[attr-defined]
    return x, values, {"input": x, "values": values, **kw}


def _to_samples(src: Any) -> Any:
    _, values, kw = _largest_samples(src)
    return (src.floats(values.shape),), kw


def _of_samples(src: Any) -> Any:
    x, _, kw = _largest_samples(src)
    return (src.floats(x.shape),), kw


def _window_max_rule(g: Array, input: Array, y: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    return to_largest(g, _bare(input), _bare(y), kernel, stride, pads, dilation)


def _to_rule(g: Array, input: object, values: object, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    return of_largest(g, input, values, kernel, stride, pads, dilation)


def _of_rule(g: Array, input: object, values: object, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    return to_largest(g, input, values, kernel, stride, pads, dilation)


@op(
    input=_window_max_rule, recompute=True,
    kind="window", label="max pool", public=False, samples=Samples(draw=_pool_samples),
)  # fmt: skip
def window_max(input: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Array:
    """Return the largest value in each window of ``input`` (N, C, *S), NaN if there is one; padding is never chosen.

    The first of equal values gets all of the gradient.
    """
    few = table.windows(input.shape, kernel, stride, pads, dilation)
    if few is not None:
        return input.take(table.largest(input, few[0], few[1])).reshape(few[2])
    count = out_size(input.shape[2:], kernel, stride, pads, dilation)
    y = padded(input, pads, lowest(input.dtype))
    lead: tuple[Any, ...] = (slice(None), slice(None))
    for places in map(_along, count, kernel, stride, dilation):
        seen = [y[(*lead, here)] for here in places]
        lead = (*lead, slice(None))
        y = np.maximum(seen[0], seen[1]) if len(seen) > 1 else seen[0]
        for one in seen[2:]:
            np.maximum(y, one, out=y)
    return new.array(y) if y is input or y.base is not None else y


@op(
    grad=_to_rule,
    kind="window", label="max pool back", public=False, samples=Samples(draw=_to_samples),
)  # fmt: skip
def to_largest(
    grad: Array, input: object, values: object, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints
) -> Array:
    """Return images with ``grad`` (N, C, *R) at the first maximum of each window of ``input``, else zero."""
    x: Any = input
    few = table.windows(x.shape, kernel, stride, pads, dilation)
    if few is not None:
        flat = new.zeros(x.size, grad.dtype)
        flat[table.largest(x, few[0], few[1])] = grad.ravel()
        return flat.reshape(x.shape)
    room, apart, whole, inner = _cover(x.shape[2:], grad.shape[2:], kernel, stride, pads, dilation)
    tame = finite(grad)  # else 0 * inf would be NaN
    out = (new.empty if whole and tame else new.zeros)((*x.shape[:2], *room), grad.dtype)
    for here, found in _largest(x, values, kernel, stride, pads, dilation):
        if tame and apart:
            np.multiply(grad, found, out=out[here])
        else:
            out[here] += grad * found if tame else np.where(found, grad, 0)
    return out[inner] if any(map(any, pads)) else out


@op(
    image=_of_rule,
    kind="window", public=False, samples=Samples(draw=_of_samples),
)  # fmt: skip
def of_largest(
    image: Array, input: object, values: object, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints
) -> Array:
    """Return ``image`` at the first maximum of each window of ``input``: `to_largest` transposed."""
    x = padded(image, pads)
    at: Any = values
    out = new.zeros(at.shape, image.dtype)
    for here, found in _largest(input, values, kernel, stride, pads, dilation):
        np.copyto(out, x[here], where=found)
    return out


def _pool_rule(g: Any, y1: Any, input_shape: Any) -> Array:
    indices = _bare(y1)
    lead = tuple(input_shape[:2])
    spots = (*lead, prod(indices.shape[2:]))  # not -1: the batch may be empty
    flat = scatter_along(g[0].reshape(spots), indices.reshape(spots), 2, (*lead, prod(input_shape[2:])))
    return flat.reshape(tuple(input_shape))


@op(input=_pool_rule, kind="window", label="max pool", public=False, samples=Samples(draw=_pool_samples))
def max_pool(input: Array, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> tuple[Array, Array]:
    """Return `window_max`, and the index of each maximum in the flat plane."""
    values = window_max.op.forward(input, kernel, stride, pads, dilation)  # type: ignore[attr-defined]
    best = new.zeros(values.shape, np.int32)
    for place, (_, found) in enumerate(_largest(input, values, kernel, stride, pads, dilation)):
        best += found * np.int32(place)
    index = new.zeros(best.shape, np.int64)
    for axis, inside in enumerate(np.unravel_index(best, kernel)):
        start = new.arange(values.shape[2 + axis]) * stride[axis] - pads[axis][0]
        start = start.reshape(-1, *(1,) * (len(kernel) - 1 - axis))
        index = index * input.shape[2 + axis] + inside * dilation[axis] + start
    return values, index


def check_window(name: str, size: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> Ints:
    """Return the number of positions per axis; raise if the window does not fit into the padded image."""
    if any(k < 1 for k in kernel) or any(s < 1 for s in stride) or any(d < 1 for d in dilation):
        raise ShapeError(f"{name}: kernel {kernel}, stride {stride} and dilation {dilation} must be at least 1")
    count = out_size(size, kernel, stride, pads, dilation)
    if any(c < 1 for c in count):
        room = tuple(n + a + b for n, (a, b) in zip(size, pads, strict=True))
        span = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
        raise ShapeError(f"{name}: a kernel that spans {span} does not fit into the padded image {room}; add padding")
    return count
