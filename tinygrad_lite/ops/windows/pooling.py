"""Max, average and Lp pooling and max unpooling in one, two and three dimensions."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.sums import summed
from tinygrad_lite.engine.tensor import Array, get_default_dtype
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import to
from tinygrad_lite.ops.indexing.getitem import plain, scatter_along
from tinygrad_lite.ops.windows.convolution import as_ints, batched
from tinygrad_lite.ops.windows.correlation import Ints, Pads, check_window, max_pool, out_size, padded, window_max


def pool_window(
    name: str, n: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Ints, Ints, Pads, Ints]:
    """Return kernel, stride, pads and dilation; ``ceil_mode`` pads the end for the last, partial window."""
    if not x.shape[1]:
        raise ShapeError(f"{name}: only the batch may be empty, x is {describe(x)}")
    size = tuple(x.shape[2:])
    try:
        return _pool_window(name, n, size, kernel_size, stride, padding, dilation, ceil_mode)
    except TypeError:  # a list is not hashable
        return _pool_window.__wrapped__(name, n, size, kernel_size, stride, padding, dilation, ceil_mode)


@lru_cache(maxsize=256, typed=True)
def _pool_window(
    name: str, n: int, size: Ints, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Ints, Ints, Pads, Ints]:
    kernel = as_ints(name, "kernel_size", kernel_size, n)
    not_given = stride is None or isinstance(stride, (tuple, list)) and not stride
    stride = kernel if not_given else as_ints(name, "stride", stride, n)
    padding, dilation = as_ints(name, "padding", padding, n), as_ints(name, "dilation", dilation, n)
    if any(p < 0 or 2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ShapeError(f"{name}: padding {padding} should be between 0 and half of the kernel size {kernel}")
    pads: Pads = tuple((p, p) for p in padding)
    if not ceil_mode:
        check_window(name, size, kernel, stride, pads, dilation)
    else:
        grown = []
        for m, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
            span = d * (k - 1) + 1
            count = -(-(m + 2 * p - span) // s) + 1
            if (count - 1) * s >= m + p:  # a window must start in the input or the padding before it
                count -= 1
            grown.append((p, max(p, (count - 1) * s + span - m - p)))
        pads = tuple(grown)
        check_window(name, size, kernel, stride, pads, dilation)
    return kernel, stride, pads, dilation


def _max(
    name: str, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    return_indices: bool,
) -> Any:  # fmt: skip
    x, alone = batched(name, n, input)
    window = pool_window(name, n, x, kernel_size, stride, padding, dilation, ceil_mode)
    if not return_indices:
        values = window_max(x, *window)
        return values.reshape(tuple(values.shape[1:])) if alone else values
    values, indices = max_pool(x, *window)
    if alone:
        values, indices = values.reshape(tuple(values.shape[1:])), indices.reshape(tuple(indices.shape[1:]))
    return values, indices


@function(method=False, functional=True)
def max_pool1d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:  # fmt: skip
    """Return the largest value in each window of sequences (N, C, L); see `max_pool2d`.

    >>> import tinygrad_lite as tl
    >>> tl.max_pool1d(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]), 2)
    tensor([[[3., 5.]]])
    """
    return _max("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@function(method=False, functional=True)
def max_pool2d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:  # fmt: skip
    """Return the largest value in each window of images (N, C, H, W); ``stride`` is the kernel size unless given.

    Partial windows at the end are dropped, or kept with ``ceil_mode``. The first of equal values gets all of the
    gradient. With ``return_indices`` the indices of the values are returned too, as `max_unpool2d` expects them.

    >>> import tinygrad_lite as tl
    >>> tl.max_pool2d(tl.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return _max("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@function(method=False, functional=True)
def max_pool3d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:  # fmt: skip
    """Return the largest value in each window of volumes (N, C, D, H, W); see `max_pool2d`.

    >>> import tinygrad_lite as tl
    >>> tl.max_pool3d(tl.ones(1, 2, 4, 6, 8), 2).shape
    (1, 2, 2, 3, 4)
    """
    return _max("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


# ------------------------------------------------------------------------------------------------ sums over windows
def _places(kernel: Ints, stride: Ints, count: Ints) -> Any:
    for at in product(*(range(k) for k in kernel)):
        yield (..., *(slice(i, i + s * c, s) for i, s, c in zip(at, stride, count, strict=True)))


def _sum_samples(src: Any) -> Any:
    kernel = src.choice([(2, 2), (1, 3), (3, 2)])
    kw = {
        "kernel": kernel,
        "stride": src.choice([(2, 2), (1, 1), (1, 2)]),
        "pads": src.choice([((0, 0), (0, 0)), ((1, 0), (0, 2))]),
    }
    return (src.floats((src.size(2, hi=2), src.size(2, hi=2), src.size(4, lo=3, hi=5), src.size(5, lo=5, hi=6))),), kw


def _sum_rule(g: Array, input_shape: Any, kernel: Ints, stride: Ints, pads: Pads) -> Array:
    return spread(g, input_shape[2:], kernel, stride, pads)


def _spread_samples(src: Any) -> Any:
    (x,), kw = _sum_samples(src)
    count = out_size(x.shape[2:], kw["kernel"], kw["stride"], kw["pads"], (1, 1))
    return (src.floats((*x.shape[:2], *count)),), {"size": x.shape[2:], **kw}


@op(
    input=_sum_rule,
    kind="window", label="Σ pool", public=False, samples=Samples(draw=_sum_samples),
)  # fmt: skip
@wide
def sum_pool(input: Array, kernel: Ints, stride: Ints, pads: Pads) -> Array:
    """Return the sum over each window of ``input`` (N, C, *S)."""
    count = out_size(input.shape[2:], kernel, stride, pads, (1,) * len(kernel))
    x = padded(input, pads)
    if kernel == stride and x.__class__ is np.ndarray:  # windows side by side: one axis after the other
        whole: Any = tuple(slice(0, k * c) for k, c in zip(kernel, count, strict=True))
        x = x[(..., *whole)]
        for axis, (k, c) in reversed(list(enumerate(zip(kernel, count, strict=True), 2))):
            x = summed(x.reshape((*x.shape[:axis], c, k, *x.shape[axis + 1 :])), axis + 1, False)
        return x
    out = new.zeros((*input.shape[:2], *count), input.dtype)
    for here in _places(kernel, stride, count):
        out += x[here]
    return out


@op(
    grad=lambda g, kernel, stride, pads: sum_pool(g, kernel, stride, pads),
    kind="window", label="Σ pool back", public=False, samples=Samples(draw=_spread_samples),
)  # fmt: skip
@wide
def spread(grad: Array, size: Ints, kernel: Ints, stride: Ints, pads: Pads) -> Array:
    """Add ``grad`` (N, C, *positions) to every element of its window, (N, C, *size): `sum_pool` transposed."""
    out = new.zeros((*grad.shape[:2], *(s + a + b for s, (a, b) in zip(size, pads, strict=True))), grad.dtype)
    covered = tuple(k * c for k, c in zip(kernel, grad.shape[2:], strict=True))
    if kernel == stride and grad.__class__ is np.ndarray and out.shape[2:] == covered:
        parts = [n for k, c in zip(kernel, grad.shape[2:], strict=True) for n in (c, k)]
        ones = [n for c in grad.shape[2:] for n in (c, 1)]
        out.reshape((*out.shape[:2], *parts))[...] = grad.reshape((*out.shape[:2], *ones))
        inside: Any = tuple(slice(a, a + s) for s, (a, _) in zip(size, pads, strict=True))
        return out[(..., *inside)]
    for here in _places(kernel, stride, grad.shape[2:]):
        out[here] += grad
    inner: Any = tuple(slice(a, a + s) for s, (a, _) in zip(size, pads, strict=True))
    return out[(..., *inner)]


def _in_window(size: Ints, kernel: Ints, stride: Ints, pads: Pads, padding: Ints, with_padding: bool) -> Any:
    """Return the number of elements in each window, of the input or with ``with_padding`` also of the padding."""
    counts: Any = new.ones(())
    for m, k, s, (a, b), p in zip(size, kernel, stride, pads, padding, strict=True):
        first = new.arange((m + a + b - k) // s + 1) * s - a
        low, high = (-p, m + p) if with_padding else (0, m)
        counts = counts[..., None] * (np.minimum(first + k, high) - np.maximum(first, low))
    return counts


def _average(
    name: str, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:  # fmt: skip
    x, alone = batched(name, n, input)
    kernel, stride, pads, _ = pool_window(name, n, x, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override is not None and divisor_override == 0:
        raise OptionError(f"{name}: divisor must be not zero")
    whole = x.dtype == np.int64  # the means are rounded towards 0, as in PyTorch
    if x.dtype.kind != "f" and not whole:
        raise DTypeError(f"{name}: expected floating numbers, x is {describe(input)}; use .float()")
    half = x.dtype == np.float16  # the sum may overflow where the average does not
    y = sum_pool(to(x, np.float32) if half else x, kernel, stride, pads)
    if divisor_override is not None:
        count: Any = divisor_override
    elif not any(a or b for a, b in pads):
        count = prod(kernel)
    else:
        count = _in_window(
            tuple(x.shape[2:]), kernel, stride, pads, as_ints(name, "padding", padding, n), count_include_pad
        ).astype(y.dtype)
    y = abs(y) // abs(count) * y.sign() * (1 if divisor_override is None or count > 0 else -1) if whole else y / count
    y = to(y, x.dtype) if half else y
    if divisor_override is None and not ceil_mode:
        computed("avg_pool", (x, kernel, stride, pads, count_include_pad), y)
    return y.reshape(tuple(y.shape[1:])) if alone else y


@function(method=False, functional=True)
def avg_pool1d(
    input: Array,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the mean of each window of sequences (N, C, L); see `avg_pool2d`.

    >>> import tinygrad_lite as tl
    >>> tl.avg_pool1d(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]), 2)
    tensor([[[2.0000, 3.5000]]])
    """
    return _average("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@function(method=False, functional=True)
def avg_pool2d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Array:  # fmt: skip
    """Return the mean of each window of images (N, C, H, W); ``count_include_pad``: padding counts as zeros.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.avg_pool2d(tl.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    return _average(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@function(method=False, functional=True)
def avg_pool3d(
    input: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Array:  # fmt: skip
    """Return the mean of each window of volumes (N, C, D, H, W); see `avg_pool2d`.

    >>> import tinygrad_lite as tl
    >>> tl.avg_pool3d(tl.ones(1, 2, 4, 6, 8), 2).shape
    (1, 2, 2, 3, 4)
    """
    return _average(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


# ------------------------------------------------------------------------------------------------ norms of windows
def _lp_samples(src: Any) -> Any:
    (x,), kw = _sum_samples(src)
    p = src.choice([2.0, 3.0, 1.5])
    return (x + np.sign(x) + 0.5 if p == 2 else np.abs(x) + 0.5,), {"p": p, **kw}


def _lp_rule(g: Array, y: Array, input: Array, p: float, kernel: Ints, stride: Ints, pads: Pads) -> Array:
    safe = where(y == 0, 1.0, y)
    share = where(y == 0, 0.0, g / safe ** (p - 1))
    return spread(share, tuple(input.shape[2:]), kernel, stride, pads) * input ** (p - 1)


@op(
    input=_lp_rule,
    recompute=True,
    kind="window",
    label="Lp pool",
    public=False,
    samples=Samples(draw=_lp_samples, kinks="report"),
)
def lp_pool(input: Array, p: float, kernel: Ints, stride: Ints, pads: Pads) -> Array:
    """Return the p-th root of the sum of p-th powers of each window; the gradient of a zero norm is zero.

    Negative elements keep their sign, so for p = 3 a negative sum is NaN, as in PyTorch.
    """
    with np.errstate(invalid="ignore"):
        return sum_pool(input**p, kernel, stride, pads) ** (1 / p)


def _norms(name: str, n: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    x, alone = batched(name, n, input)
    kernel, stride, pads, _ = pool_window(name, n, x, kernel_size, stride, 0, 1, ceil_mode)
    if norm_type <= 0:
        raise OptionError(f"{name}: norm_type must be positive, got {norm_type}")
    x = x if x.dtype.kind == "f" else to(x, get_default_dtype())
    y = sum_pool(x, kernel, stride, pads) if norm_type == 1 else lp_pool(x, float(norm_type), kernel, stride, pads)
    if any(a or b for a, b in pads):
        # scale the partial last window of ceil_mode to a whole one
        part = _in_window(tuple(x.shape[2:]), kernel, stride, pads, (0,) * n, False)
        y = y * ((prod(kernel) / part) ** (1 / norm_type)).astype(x.dtype)
    return y.reshape(tuple(y.shape[1:])) if alone else y


@function(method=False, functional=True)
def lp_pool1d(input: Array, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Array:
    """Return the norm of each window of sequences (N, C, L); see `lp_pool2d`.

    >>> import tinygrad_lite as tl
    >>> tl.lp_pool1d(tl.tensor([[[3.0, 4.0, 2.0, 5.0]]]), 2, 2)
    tensor([[[5.0000, 5.3852]]])
    """
    return _norms("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


@function(method=False, functional=True)
def lp_pool2d(input: Array, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Array:
    r"""Return :math:`(\sum |x|^p)^{1/p}` of each window of images (N, C, H, W); for p = 1 the plain sum.

    The gradient of a window of zeros is zero.

    >>> import tinygrad_lite as tl
    >>> tl.lp_pool2d(tl.ones(1, 2, 4, 6), 2, 2).shape
    (1, 2, 2, 3)
    """
    return _norms("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


@function(method=False, functional=True)
def lp_pool3d(input: Array, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Array:
    """Return the norm of each window of volumes (N, C, D, H, W); see `lp_pool2d`.

    >>> import tinygrad_lite as tl
    >>> tl.lp_pool3d(tl.ones(1, 2, 4, 6, 8), 2, 2).shape
    (1, 2, 2, 3, 4)
    """
    return _norms("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


# ------------------------------------------------------------------------------------------------ max-pooling undone
class IndexOutsideError(IndexError, RuntimeError):
    """An index outside of the output; PyTorch raises RuntimeError."""


def _unpool(
    name: str, n: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    x, alone = batched(name, n, input)
    index = new.asarray(plain(indices))
    if index.shape != tuple(input.shape) or index.dtype.kind not in "iu":
        raise ShapeError(
            f"{name}: indices must be the integers that max pooling returned, "
            f"x {describe(input)}, indices {describe(index)}"
        )
    kernel = as_ints(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None else as_ints(name, "stride", stride, n)
    padding = as_ints(name, "padding", padding, n)
    usual = tuple((m - 1) * s - 2 * p + k for m, s, p, k in zip(x.shape[2:], stride, padding, kernel, strict=True))
    size = usual if output_size is None else tuple(int(m) for m in output_size)[-n:]
    if any(not u - s < m < u + s for m, u, s in zip(size, usual, stride, strict=True)):
        raise OptionError(
            f"{name}: invalid output_size {size}, expected about {usual} (less than a stride {stride} away)"
        )
    flat = index.reshape(*x.shape[:2], prod(x.shape[2:]))  # not -1: the batch may be empty
    if flat.size and not (flat.min() >= 0 and flat.max() < prod(size)):
        raise IndexOutsideError(f"{name}: found an index outside of the output of size {size}")
    # where windows overlapped, the last value of equal indices counts
    last = new.zeros((*flat.shape[:2], prod(size)), np.int64)
    np.put_along_axis(last, flat, new.arange(flat.shape[2])[None, None], 2)
    alone_there = np.take_along_axis(last, flat, 2) == new.arange(flat.shape[2])
    values = x.reshape(tuple(flat.shape)) * alone_there.astype(x.dtype)
    y = scatter_along(values, flat, 2, (*x.shape[:2], prod(size))).reshape((*x.shape[:2], *size))
    return y.reshape(tuple(y.shape[1:])) if alone else y


@function(method=False, functional=True)
def max_unpool1d(
    input: Array, indices: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Array:
    """Return sequences with ``input`` at the indices that `max_pool1d` returned, zero elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.max_unpool1d(tl.tensor([[[3.0, 5.0]]]), tl.tensor([[[0, 3]]]), 2)
    tensor([[[3., 0., 0., 5.]]])
    """
    return _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


@function(method=False, functional=True)
def max_unpool2d(
    input: Array, indices: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Array:
    """Return images with ``input`` at the indices that `max_pool2d` returned, zero elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.max_unpool2d(tl.ones(1, 1, 1, 2), tl.tensor([[[[0, 3]]]]), 2)
    tensor([[[[1., 0., 0., 1.],
              [0., 0., 0., 0.]]]])
    """
    return _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


@function(method=False, functional=True)
def max_unpool3d(
    input: Array, indices: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Array:
    """Return volumes with ``input`` at the indices that `max_pool3d` returned, zero elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.max_unpool3d(tl.ones(1, 1, 1, 1, 2), tl.tensor([[[[[0, 3]]]]]), 2).shape
    (1, 1, 2, 2, 4)
    """
    return _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
