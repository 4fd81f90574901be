"""Padding, and moving elements between channels and pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import contiguous, unshared
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.shape.reshaping import permute, reshape_op
from tinygrad_lite.ops.windows.correlation import Pads, padded

MODES = ("constant", "reflect", "replicate", "circular")


def _cut(g: Array, pads: Pads) -> Array:
    return pad_constant(g, tuple((-a, -b) for a, b in pads), 0.0)


# the adjoint cuts off the padding: padding by negative amounts
@op(
    input=_cut, kind="shape", label="pad", public=False,
    samples=Samples("(n,k)->(m,j)", sizes={"n": (2, 4), "k": (2, 4)}, options={
        "pads": (((1, 2), (0, 1)), ((0, 0), (2, -1)), ((-1, 0), (-1, 3)), ((1, 1),)), "value": (0.0, 1.5)}),
)  # fmt: skip
def pad_constant(input: Array, pads: Pads, value: float = 0.0) -> Array:
    """Return ``input`` with (before, after) elements of ``value`` around its last axes; negative amounts cut."""
    return (
        new.array(padded(input, pads, value), copy=True)
        if not any(a or b for a, b in pads)
        else padded(input, pads, value)
    )


def _pairs(padding: Any, ndim: int) -> list[tuple[int, int]]:
    """Return (before, after) of the padded axes, first to last, from PyTorch's list that starts at the last axis."""
    try:
        flat = [int(p) for p in padding]
    except (TypeError, ValueError):
        raise DTypeError(f"pad: expected a list of integers, got {padding!r}") from None
    if len(flat) % 2:
        raise ShapeError(f"pad: padding must hold a pair (before, after) for each axis, last axis first; got {padding}")
    if len(flat) // 2 > ndim:
        raise ShapeError(f"pad: padding {padding} is for {len(flat) // 2} axes, x has {ndim}")
    return [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)][::-1]


def _source(n: int, before: int, after: int, mode: str, shape: Any) -> Any:
    """Return, for each element of the padded axis, the index of its source in an axis of length ``n``."""
    most = n - 1 if mode == "reflect" else n
    if n == 0 or (mode != "replicate" and max(before, after) > most):
        raise ShapeError(
            f"pad: mode '{mode}' can add at most {most} elements to an axis of length {n}, asked for "
            f"({before}, {after}) (x {tuple(shape)})"
        )
    i = new.arange(-before, n + after)
    if mode == "replicate":
        return np.clip(i, 0, n - 1)
    period = max(2 * (n - 1), 1)
    i = np.abs(i) % period
    return np.where(i >= n, period - i, i)


@function(method=False, functional=True)
def pad(input: Array, pad: Any, mode: str = "constant", value: float | None = None) -> Array:
    """Return ``input`` with elements added around its last axes: ``pad=(left, right, top, bottom, ...)``.

    ``mode``: 'constant' (with ``value``), 'reflect' (the edge not repeated), 'replicate' (the edge repeated) or
    'circular'. Negative amounts cut. Raises ShapeError, ValueError.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.pad(tl.tensor([1.0, 2.0, 3.0]), (2, 1), mode="reflect")
    tensor([3., 2., 1., 2., 3., 2.])
    """
    pairs = _pairs(pad, input.ndim)
    if mode not in MODES:
        raise OptionError(f"pad: mode must be one of {', '.join(MODES)}, got {mode!r}")
    given, shape = input, tuple(input.shape)
    first = len(shape) - len(pairs)
    if any(a + b + n < 0 or a + n < 0 or b + n < 0 for (a, b), n in zip(pairs, shape[first:], strict=True)):
        raise ShapeError(f"pad: padding {tuple(pad)} cuts off more than there is of x {describe(input)}")
    if mode == "constant":
        return pad_constant(input, tuple(pairs), 0.0 if value is None else value)
    if value is not None and value != 0:
        raise OptionError(f"pad: padding mode '{mode}' doesn't take in value argument")
    for axis, (a, b) in enumerate(pairs, first):
        if a or b:
            n = shape[axis]
            if mode == "circular":  # negative amounts are cut first; what is left goes around
                if max(a, b) > n or (n + min(a, 0) + min(b, 0) < 1 and n + a + b):
                    raise ShapeError(f"pad: padding {tuple(pad)} goes around more than once (x {describe(input)})")
                kept = max(n + min(a, 0) + min(b, 0), 1)
                where = max(-a, 0) + new.arange(-max(a, 0), n + a + b - max(a, 0)) % kept
            elif n + a + b < 1:
                raise ShapeError(f"pad: padding {tuple(pad)} leaves nothing of axis {axis} (x {describe(input)})")
            else:
                where = _source(n, max(a, 0), max(b, 0), mode, shape)[max(-a, 0) : None if b >= 0 else b]
            input = getitem(input, (slice(None),) * axis + (where,))
    return unshared(input, given)


# ------------------------------------------------------------------------------------------------ pixels
def _image(name: str, input: Any, least: int = 3) -> tuple[int, ...]:
    if input.ndim < least:
        raise ShapeError(f"{name}: expected at least {least} axes (..., C, H, W), x is {describe(input)}")
    return tuple(input.shape)


@function(method=False, functional=True)
def pixel_shuffle(input: Array, upscale_factor: int) -> Array:
    """Return (..., C r², H, W) with channels spread over the image: (..., C, H r, W r).

    >>> import tinygrad_lite as tl
    >>> tl.pixel_shuffle(tl.arange(4.0).reshape(1, 4, 1, 1), 2).flatten()
    tensor([0., 1., 2., 3.])
    """
    *lead, c, h, w = _image("pixel_shuffle", input)
    r, n = upscale_factor, len(lead)
    if r < 1 or c % (r * r):
        raise ShapeError(
            f"pixel_shuffle: {c} channels do not divide by upscale_factor² = {r * r} (x {tuple(input.shape)})"
        )
    x = reshape_op(input, (*lead, c // (r * r), r, r, h, w))
    x = permute(x, (*range(n + 1), n + 3, n + 1, n + 4, n + 2))
    return unshared(reshape_op(x, (*lead, c // (r * r), h * r, w * r)), input)


@function(method=False, functional=True)
def pixel_unshuffle(input: Array, downscale_factor: int) -> Array:
    """Return (..., C, H r, W r) with each r x r block of pixels as channels: (..., C r², H, W).

    >>> import tinygrad_lite as tl
    >>> tl.pixel_unshuffle(tl.arange(4.0).reshape(1, 1, 2, 2), 2).shape
    (1, 4, 1, 1)
    """
    *lead, c, h, w = _image("pixel_unshuffle", input)
    r, n = downscale_factor, len(lead)
    if r < 1 or h % r or w % r:
        raise ShapeError(
            f"pixel_unshuffle: image {(h, w)} does not divide by downscale_factor {r} (x {tuple(input.shape)})"
        )
    x = reshape_op(input, (*lead, c, h // r, r, w // r, r))
    x = permute(x, (*range(n + 1), n + 2, n + 4, n + 1, n + 3))
    return unshared(reshape_op(x, (*lead, c * r * r, h // r, w // r)), input)


@function(method=False, functional=True)
def channel_shuffle(input: Array, groups: int) -> Array:
    """Return (N, C, *) with the channels of its ``groups`` interleaved.

    >>> import tinygrad_lite as tl
    >>> tl.channel_shuffle(tl.arange(4.0).reshape(1, 4, 1, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    n, c, *rest = _image("channel_shuffle", input)
    if groups < 1 or c % groups:
        raise ShapeError(f"channel_shuffle: {c} channels do not divide into {groups} groups (x {tuple(input.shape)})")
    x = contiguous(reshape_op(input, (n, groups, c // groups, *rest)))
    return unshared(reshape_op(permute(x, (0, 2, 1, *range(3, 3 + len(rest)))), (n, c, *rest)), input)
