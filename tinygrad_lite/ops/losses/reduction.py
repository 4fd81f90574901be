"""Reduce losses to their mean or sum; the checks and weights that all losses share."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.promotion import result_dtype
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import to
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.reductions.reduction import ratio
from tinygrad_lite.ops.shape.reshaping import broadcast_to

REDUCTIONS = ("mean", "sum", "none")
PAIR = Samples("(...),(...)->()", args=None, options={"reduction": REDUCTIONS}, min=1)
"""Samples of the gradient check: an input and a target of one shape."""


def reduced(name: str, x: Any, reduction: str) -> Any:
    """Return the mean or the sum of the losses ``x``, or ``x`` itself; the mean of no losses is NaN."""
    if reduction == "none":
        return x
    if reduction == "sum":
        return x.sum()
    if reduction != "mean":
        raise OptionError(f"{name}: reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
    return x.mean() if isinstance(x, Tensor) else _mean(x)


def _mean(x: Any) -> Any:
    half = x.dtype.char == "e"  # a sum of float16 is added in float32
    y = ratio(np.add.reduce(x, axis=None, dtype=np.float32 if half else None), x.size or np.nan)
    return y.astype(x.dtype) if half else y


def share(g: Array, count: int, reduction: str) -> Array:
    """Return the gradient of each of ``count`` losses from the gradient ``g`` of their reduction."""
    return g / (count or np.nan) if reduction == "mean" else g


def weighted(name: str, each: Any, weight: Any, reduction: str) -> Any:
    """Return ``each`` times ``weight``, reduced; the mean is divided by the sum of the weights."""
    w = weight if isinstance(weight, Tensor) else new.asarray(weight, each.dtype)
    if not fits(w.shape, each.shape):
        raise ShapeError(f"{name}: weight {describe(w)} does not broadcast to the losses {tuple(each.shape)}")
    out = each * w
    if reduction != "mean":
        return reduced(name, out, reduction)
    return out.sum() / np.broadcast_to(plain(w), tuple(each.shape)).sum()


def fits(shape: Any, target: Any) -> bool:
    """Return whether an array of ``shape`` broadcasts to ``target``."""
    pairs = zip(tuple(shape)[::-1], tuple(target)[::-1], strict=False)
    return len(shape) <= len(target) and all(n in (1, m) for n, m in pairs)


def together(name: str, input: Array, target: Array, quiet: bool = False) -> tuple[Array, Array]:
    """Return the two broadcast to one shape; warn, as PyTorch does, if they had to be (unless ``quiet``).

    A target that broadcasts is nearly always a mistake. Raises ShapeError if the shapes do not fit.
    """
    if "b" in (input.dtype.kind, target.dtype.kind):  # there is no difference of bools
        input, target = (to(v, result_dtype([input, target])) for v in (input, target))
    a, b = input.shape, target.shape
    if a is b or a == b:  # tensors of one shape share the object
        return input, target
    a, b = tuple(a), tuple(b)
    try:
        shape = np.broadcast_shapes(a, b)
    except ValueError:
        same_shape(name, input, target)
        raise
    if not quiet:
        warn(
            f"{name}: the target has shape {b}, the input {a}; both broadcast to {shape}, which is nearly always a "
            f"mistake. Reshape the target to the shape of the input."
        )
    return broadcast_to(input, shape) if a != shape else input, broadcast_to(target, shape) if b != shape else target


def same_shape(name: str, input: Array, target: Array) -> None:
    """Raise unless the two have one shape."""
    if input.shape != target.shape:
        raise ShapeError(
            f"{name}: input and target must have the same shape (input {describe(input)}, target {describe(target)}); "
            f"reshape the target"
        )


def old_words(name: str, size_average: Any, reduce: Any, reduction: str) -> str:
    """Return the reduction, which the arguments from before ``reduction`` decide, with a warning, if they are given."""
    if size_average is None and reduce is None:
        return reduction
    averaged, kept = size_average is None or size_average, reduce is None or reduce
    meant = ("mean" if averaged else "sum") if kept else "none"
    warn(f"{name}: size_average and reduce args will be deprecated, please use reduction='{meant}' instead.")
    return meant
