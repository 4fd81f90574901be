"""Convolution and transposed convolution in one, two and three dimensions: the public functions.

They check PyTorch's arguments and convert them to those of the N-dimensional ops `conv` and `conv_input` in
`correlation`.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import unshared
from tinygrad_lite.ops.windows.correlation import Ints, Pads, check_window, col2im, conv, conv_input, im2col
from tinygrad_lite.ops.windows.padding import pad

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def as_ints(name: str, what: str, value: Any, n: int) -> Ints:
    """Return a number, or a sequence of ``n`` numbers (or one), as ``n`` numbers."""
    if isinstance(value, (int, np.integer)):
        return (int(value),) * n
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        out = tuple(int(v) for v in value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {what} must be an integer or {n} of them, got {value!r}") from None
    if len(out) == 1:
        return out * n
    if len(out) != n:
        raise ShapeError(f"{name}: {what} must be an integer or {n} of them, got {value!r}")
    return out


def pads_of(name: str, padding: Any, size: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Pads:
    """Convert PyTorch's ``padding`` to a pair (before, after) for each axis.

    A number, one number per axis, one pair per axis, or a word: ``'valid'`` none, ``'full'`` every partial overlap,
    ``'same'`` enough for ``ceil(size / stride)`` positions, with an odd element at the end.
    """
    n = len(kernel)
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * n
        span = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
        if padding == "full":
            return tuple((s, s) for s in span)
        if padding == "same":
            total = [
                max((-(-m // t) - 1) * t + s + 1 - m, 0) for m, t, s in zip(size, stride, span, strict=True)
            ]  # fmt: skip
            return tuple((t // 2, t - t // 2) for t in total)
        raise OptionError(f"{name}: padding must be numbers, 'valid', 'same' or 'full', got '{padding}'")
    if isinstance(padding, (tuple, list)) and len(padding) == n and all(isinstance(p, (tuple, list)) for p in padding):
        pads = tuple((int(a), int(b)) for a, b in padding)
    else:
        pads = tuple((p, p) for p in as_ints(name, "padding", padding, n))
    if any(a < 0 or b < 0 for a, b in pads):
        raise ShapeError(f"{name}: negative padding {padding} is not supported; slice the input instead")
    return pads


@lru_cache(maxsize=256, typed=True)
def _geometry(
    name: str, n: int, size: Ints, kernel: Ints, stride: Any, padding: Any, dilation: Any
) -> tuple[Ints, Pads, Ints, Ints]:
    stride, dilation = as_ints(name, "stride", stride, n), as_ints(name, "dilation", dilation, n)
    pads = pads_of(name, padding, size, kernel, stride, dilation)
    return stride, pads, dilation, check_window(name, size, kernel, stride, pads, dilation)


def geometry(
    name: str, n: int, size: Ints, kernel: Ints, stride: Any, padding: Any, dilation: Any
) -> tuple[Ints, Pads, Ints, Ints]:
    """Return checked stride, pads, dilation and number of positions; results are cached."""
    try:
        return _geometry(name, n, size, kernel, stride, padding, dilation)
    except TypeError:  # a list is not hashable
        return _geometry.__wrapped__(name, n, size, kernel, stride, padding, dilation)


def batched(name: str, n: int, input: Any) -> tuple[Any, bool]:
    """Return ``input`` with a batch axis, and whether that was added."""
    if not isinstance(input, (Tensor, np.ndarray)):
        raise DTypeError(f"{name}: expected a tensor, got {describe(input)}")
    if input.ndim == n + 2:
        return input, False
    if input.ndim != n + 1:
        axes = ", ".join("DHW"[3 - n :] if n > 1 else "L")
        raise ShapeError(f"{name}: expected x of shape (N, C, {axes}) or (C, {axes}), got {describe(input)}")
    return input.reshape((1, *input.shape)), True


def _checked_weight(name: str, n: int, weight: Any, groups: int) -> Ints:
    """Return the shape of ``weight``; raise unless it fits ``n`` axes and the groups."""
    if not isinstance(weight, (Tensor, np.ndarray)) or weight.ndim != n + 2:
        raise ShapeError(f"{name}: weight must have {n + 2} axes, got {describe(weight)}")
    shape: Ints = weight.shape
    if groups != 1 and (groups < 1 or shape[0] % groups):
        raise ShapeError(f"{name}: {shape[0]} channels of weight {describe(weight)} do not divide into {groups} groups")
    return shape


@lru_cache(maxsize=256, typed=True)
def _settled(
    name: str, n: int, xs: Ints, ws: Ints, bias: Ints | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[Ints, Pads, Ints]:  # fmt: skip
    """Check all shapes of a convolution and return its stride, pads and dilation."""
    images = xs if len(xs) == n + 2 else (1, *xs)
    if images[1] != ws[1] * groups:
        raise ShapeError(
            f"{name}: weight expects {ws[1] * groups} input channels, x has {images[1]} "
            f"(x {tuple(xs)}, weight {tuple(ws)}{f', groups {groups}' if groups > 1 else ''})"
        )
    if padding == "same" and max(as_ints(name, "stride", stride, n)) > 1:
        raise OptionError(f"{name}: padding='same' is not supported for strided convolutions; give numbers")
    stride, pads, dilation, count = geometry(name, n, images[2:], ws[2:], stride, padding, dilation)
    if bias is not None and bias != (ws[0],) and bias != (ws[0], *count):
        raise ShapeError(
            f"{name}: bias must be ({ws[0]},), or {(ws[0], *count)} untied, for weight {tuple(ws)} and x {tuple(xs)}; "
            f"it is {tuple(bias)}"
        )
    return stride, pads, dilation


def convolution(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int,
    flip: bool = False,
) -> Any:  # fmt: skip
    """Return the ``n``-dimensional cross-correlation (with ``flip`` the convolution) of a batch or a single image."""
    ws = _checked_weight(name, n, weight, groups)
    x, alone = batched(name, n, input)
    shapes = name, n, input.shape, ws, None if bias is None else bias.shape
    try:
        stride, pads, dilation = _settled(*shapes, stride, padding, dilation, groups)
    except TypeError:  # a list is not hashable
        stride, pads, dilation = _settled.__wrapped__(*shapes, stride, padding, dilation, groups)
    if flip:
        weight = weight[(..., *(slice(None, None, -1),) * n)]
    y = conv(x, weight, bias, stride, pads, dilation, groups)
    return y.reshape(tuple(y.shape[1:])) if alone else y


def _beyond(
    x: Any, weight: Any, size: Ints, stride: Ints, pads: Any, dilation: Ints, extra: Ints, groups: int
) -> Any:  # fmt: skip
    """Return `conv_input` for an ``extra`` size that may hold a whole stride or more.

    A window more would fit there. So the cut at the end is reduced by it, and what is left is added as zeros.
    """
    if all(e < s for e, s in zip(extra, stride, strict=True)):
        return conv_input(x, weight, size, stride, pads, dilation, groups)
    cut = [min(b, e) if e >= s else 0 for (_, b), e, s in zip(pads, extra, stride, strict=True)]
    zeros = [max(e - c - s + 1, 0) for e, c, s in zip(extra, cut, stride, strict=True)]
    pads = tuple((a, b - c) for (a, b), c in zip(pads, cut, strict=True))
    inner = tuple(m - z for m, z in zip(size, zeros, strict=True))
    y = conv_input(x, weight, inner, stride, pads, dilation, groups)
    return pad(y, [side for z in reversed(zeros) for side in (0, z)])


def transposed(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: int,
    dilation: Any,
) -> Any:  # fmt: skip
    """Return the transpose of the ``n``-dimensional convolution: weight (in, out / groups, *kernel)."""
    ws = _checked_weight(name, n, weight, groups)
    x, alone = batched(name, n, input)
    if x.shape[1] != ws[0]:
        raise ShapeError(
            f"{name}: weight expects {ws[0]} input channels, x has {x.shape[1]} (x {tuple(input.shape)}, weight {ws})"
        )
    kernel = ws[2:]
    stride, dilation = as_ints(name, "stride", stride, n), as_ints(name, "dilation", dilation, n)
    extra = as_ints(name, "output_padding", output_padding, n)
    if any(s < 1 for s in stride) or any(d < 1 for d in dilation):
        raise ShapeError(f"{name}: stride {stride} and dilation {dilation} must be at least 1")
    if any(e < 0 or e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ShapeError(f"{name}: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}")
    pads = pads_of(name, padding, (), kernel, stride, dilation) if padding != "same" else None
    if pads is None:
        raise OptionError(f"{name}: padding 'same' has no transpose of one size; give numbers")
    size = tuple(
        (m - 1) * s - a - b + d * (k - 1) + e + 1
        for m, s, (a, b), d, k, e in zip(x.shape[2:], stride, pads, dilation, kernel, extra, strict=True)
    )
    if any(s < 1 for s in size) or 0 in x.shape[2:]:
        raise ShapeError(
            f"{name}: the result would have the size {size} (x {tuple(input.shape)}, kernel {kernel}); use less padding"
        )
    y = _beyond(x, weight, size, stride, pads, dilation, extra, groups)
    if bias is not None:
        channels = ws[1] * groups
        if tuple(bias.shape) == (channels,):
            bias = bias.reshape((-1, *(1,) * n))
        elif tuple(bias.shape) != (channels, *size):
            raise ShapeError(f"{name}: bias must be ({channels},) for weight {ws}, it is {tuple(bias.shape)}")
        y = y + bias
    return y.reshape(tuple(y.shape[1:])) if alone else y


def output_size(size: Ints, kernel: Ints, stride: Ints, pads: Pads, dilation: Ints) -> int:
    """Return how many positions a window has."""
    return prod(check_window("output_size", size, kernel, stride, pads, dilation))


@function(method=False, functional=True)
def conv1d(
    input: Array, weight: Array, bias: Array = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, flip: bool = False,
) -> Array:  # fmt: skip
    """Slide kernels (O, C / groups, K) along sequences (N, C, L); see `conv2d`.

    >>> import tinygrad_lite as tl
    >>> tl.conv1d(tl.tensor([[[1.0, 2.0, 3.0, 4.0]]]), tl.tensor([[[1.0, -1.0]]]))
    tensor([[[-1., -1., -1.]]])
    """
    return convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups, flip)


@function(method=False, functional=True)
def conv2d(
    input: Array, weight: Array, bias: Array = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, flip: bool = False,
) -> Array:  # fmt: skip
    r"""Slide kernels (O, C / groups, K, K) over images (N, C, H, W) or one image (C, H, W).

    :math:`y_{o,i,j} = b_o + \sum_{c,p,q} w_{o,c,p,q}\, x_{c,\,si+dp,\,sj+dq}`: cross-correlation, as every network
    library has it; ``flip=True`` turns the kernels around: convolution. ``padding``: a number, one per axis, a pair
    (before, after) per axis, ``'valid'``, ``'same'`` or ``'full'``. ``bias`` is (O), or untied: (O, H', W').
    Raises ShapeError.

    >>> import tinygrad_lite as tl
    >>> tl.conv2d(tl.ones(1, 1, 3, 3), tl.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups, flip)


@function(method=False, functional=True)
def conv3d(
    input: Array, weight: Array, bias: Array = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, flip: bool = False,
) -> Array:  # fmt: skip
    """Slide kernels (O, C / groups, K, K, K) through volumes (N, C, D, H, W); see `conv2d`.

    >>> import tinygrad_lite as tl
    >>> tl.conv3d(tl.ones(1, 2, 5, 5, 5), tl.ones(3, 2, 2, 2, 2)).shape
    (1, 3, 4, 4, 4)
    """
    return convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups, flip)


@function(method=False, functional=True)
def conv_transpose1d(
    input: Array, weight: Array, bias: Array = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Array:  # fmt: skip
    """Return `conv1d` transposed: sequences (N, C, L) and kernels (C, O / groups, K) give (N, O, L').

    >>> import tinygrad_lite as tl
    >>> tl.conv_transpose1d(tl.tensor([[[1.0, 2.0, 3.0, 4.0]]]), tl.tensor([[[1.0, -1.0]]]))
    tensor([[[ 1.,  1.,  1.,  1., -4.]]])
    """
    return transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@function(method=False, functional=True)
def conv_transpose2d(
    input: Array, weight: Array, bias: Array = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Array:  # fmt: skip
    """Return `conv2d` transposed: images (N, C, H, W) and kernels (C, O / groups, K, K) give (N, O, H', W').

    ``H' = (H - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1``.

    >>> import tinygrad_lite as tl
    >>> tl.conv_transpose2d(tl.ones(1, 2, 5, 5), tl.ones(2, 3, 2, 2), stride=2).shape
    (1, 3, 10, 10)
    """
    return transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@function(method=False, functional=True)
def conv_transpose3d(
    input: Array, weight: Array, bias: Array = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Array:  # fmt: skip
    """Return `conv3d` transposed: volumes (N, C, D, H, W) and kernels (C, O / groups, K, K, K).

    >>> import tinygrad_lite as tl
    >>> tl.conv_transpose3d(tl.ones(1, 2, 5, 5, 5), tl.ones(2, 3, 2, 2, 2), stride=2).shape
    (1, 3, 10, 10, 10)
    """
    return transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


# ------------------------------------------------------------------------------------------------ windows as matrices
@function(method=False, functional=True)
def unfold(input: Array, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Array:
    """Return the patches of images (N, C, H, W) as columns: (N, C K K, positions).

    >>> import tinygrad_lite as tl
    >>> tl.unfold(tl.ones(1, 2, 4, 4), 2).shape
    (1, 8, 9)
    """
    x, alone = batched("unfold", 2, input)
    kernel, dilation = as_ints("unfold", "kernel_size", kernel_size, 2), as_ints("unfold", "dilation", dilation, 2)
    stride = as_ints("unfold", "stride", stride, 2)
    pads = pads_of("unfold", padding, tuple(x.shape[2:]), kernel, stride, dilation)
    check_window("unfold", tuple(x.shape[2:]), kernel, stride, pads, dilation)
    cols = im2col(x, kernel, stride, pads, dilation)
    rows = x.shape[1] * prod(kernel)
    count = prod(cols.shape[4:])
    return unshared(cols.reshape((rows, count) if alone else (x.shape[0], rows, count)), input)


@function(method=False, functional=True)
def fold(
    input: Array, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Array:
    """Add columns (N, C K K, positions) to images (N, C, *output_size): `unfold` transposed.

    >>> import tinygrad_lite as tl
    >>> tl.fold(tl.ones(1, 8, 9), (4, 4), 2).shape
    (1, 2, 4, 4)
    """
    size, kernel = as_ints("fold", "output_size", output_size, 2), as_ints("fold", "kernel_size", kernel_size, 2)
    dilation, stride = as_ints("fold", "dilation", dilation, 2), as_ints("fold", "stride", stride, 2)
    pads = pads_of("fold", padding, size, kernel, stride, dilation)
    count = check_window("fold", size, kernel, stride, pads, dilation)
    if input.ndim not in (2, 3):
        raise ShapeError(
            f"fold: expected x of shape (N, C K K, positions) or (C K K, positions), got {describe(input)}"
        )
    alone = input.ndim == 2
    rows, positions = input.shape[-2:]
    if rows % prod(kernel) or positions != prod(count):
        raise ShapeError(
            f"fold: expected a multiple of {prod(kernel)} rows and {prod(count)} positions {count} for output_size "
            f"{size} and kernel {kernel}, x is {describe(input)}"
        )
    lead = 1 if alone else input.shape[0]
    cols = input.reshape((lead, rows // prod(kernel), *kernel, *count))
    y = col2im(cols, size, kernel, stride, pads, dilation)
    return y.reshape(tuple(y.shape[1:])) if alone else y


@function(method=False, functional=True)
def conv_matrix(
    weight: Array, length: int, stride: Any = 1, padding: Any = "valid", dilation: Any = 1, flip: bool = False
) -> Array:
    """Return the banded matrix of a 1-D convolution: ``conv_matrix(w, n) @ x`` convolves ``x`` (n) with ``w``.

    ``weight`` (K) gives a matrix (positions, length); ``weight`` (O, C, K) one of blocks, (O positions, C length), for
    sequences and results written as one column. Padding, stride, dilation and ``flip`` as in `conv1d`.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.conv_matrix(tl.tensor([1.0, 2.0]), 3)
    tensor([[1., 2., 0.],
            [0., 1., 2.]])
    """
    if weight.ndim not in (1, 3):
        raise ShapeError(f"conv_matrix: expected weight of shape (K) or (O, C, K), got {describe(weight)}")
    w = weight.reshape((1, 1, -1)) if weight.ndim == 1 else weight
    columns = w.shape[1] * length
    unit = new.eye(columns, dtype=w.dtype).reshape(columns, w.shape[1], length)
    images = conv1d(unit, w, None, stride, padding, dilation, 1, flip)
    return images.reshape((columns, -1)).swapaxes(0, 1)
