"""Losses with all of PyTorch's arguments, composed of the loss ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.activation import log_softmax
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.losses import loss
from tinygrad_lite.ops.losses.loss import REDUCTIONS, class_axis, cross_entropy_index, same_shape


def reduced_by(name: str, x: Any, reduction: str) -> Any:
    """Return the mean or sum of a tensor of losses, or the losses themselves."""
    if reduction == "none":
        return x
    if reduction == "sum":
        return x.sum()
    if reduction != "mean":
        raise OptionError(f"{name}: reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
    return x.mean()


def scores(name: str, input: Any, target: Any) -> None:
    """Raise if there are class numbers where scores belong."""
    if getattr(getattr(input, "dtype", None), "kind", "f") != "f":
        raise DTypeError(
            f"{name}: input must be floating scores, got {describe(input)} and target {describe(target)}; "
            f"did you mean {name}(target, input)?"
        )


def old_words(name: str, size_average: Any, reduce: Any) -> None:
    """Raise for PyTorch's arguments from before ``reduction``."""
    if size_average is not None or reduce is not None:
        raise TypeError(f"{name}: size_average and reduce are gone; use reduction='mean', 'sum' or 'none'")


@function(method=False)
def mse_loss(
    input: Array,
    target: Array,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Array:
    """Return the mean (or sum, or each) of ``weight * (input - target) ** 2``; with weights the mean is weighted."""
    old_words("mse_loss", size_average, reduce)
    if weight is None:
        return loss.mse_loss(input, target, reduction)
    return weighted("mse_loss", loss.mse_loss(input, target, "none"), weight, reduction)


def fits(shape: Any, target: Any) -> bool:
    """Return whether an array of ``shape`` broadcasts to ``target``."""
    pairs = zip(tuple(shape)[::-1], tuple(target)[::-1], strict=False)
    return len(shape) <= len(target) and all(n in (1, m) for n, m in pairs)


def weighted(name: str, each: Any, weight: Any, reduction: str) -> Any:
    """Return ``each`` times ``weight``, reduced; the mean is divided by the sum of the weights."""
    w = weight if isinstance(weight, Tensor) else new.asarray(weight, each.dtype)
    if not fits(w.shape, each.shape):
        raise ShapeError(f"{name}: weight {describe(w)} does not broadcast to the losses {tuple(each.shape)}")
    out = each * w
    if reduction != "mean":
        return reduced_by(name, out, reduction)
    return out.sum() / np.broadcast_to(plain(w), tuple(each.shape)).sum()


@function(method=False)
def binary_cross_entropy(
    input: Array, target: Array, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
    eps: float | None = None,
) -> Array:  # fmt: skip
    r"""Return :math:`-w (t \log p + (1 - t) \log(1 - p))` of probabilities ``input``, kept ``eps`` away from 0 and 1.

    ``eps`` is 1e-15 in float64 and 1.2e-7 in float32 unless given; a clipped probability gets no gradient.
    ``reduction``: 'mean', 'sum' or 'none'. Raises ShapeError, ValueError.
    """
    old_words("binary_cross_entropy", size_average, reduce)
    if weight is None:
        return loss.binary_cross_entropy(input, target, reduction, eps)
    return reduced_by("binary_cross_entropy", loss.binary_cross_entropy(input, target, "none", eps) * weight, reduction)


@function(method=False)
def nll_loss(
    input: Array, target: Array, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return minus the log-probability ``input`` (N, C, *) gives to class ``target`` (N, *), weighted by class."""
    old_words("nll_loss", size_average, reduce)
    return loss.nll_loss(input, target, check_weight("nll_loss", input, weight), ignore_index, reduction)


def check_weight(name: str, input: Any, weight: Any) -> Any:
    """Return the class weights as an array; raise unless there is one per class."""
    if weight is None:
        return None
    w = new.asarray(plain(weight))
    if w.shape != (input.shape[class_axis(input.ndim)],):
        raise ShapeError(
            f"{name}: weight must hold one number per class of input {describe(input)}, it is {describe(w)}"
        )
    return w


@function(method=False)
def cross_entropy(
    input: Array, target: Array, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Array:  # fmt: skip
    r"""Return the cross-entropy of scores ``input`` (N, C, *) and classes ``target``.

    :math:`-\sum_c w_c\, q_c \log \operatorname{softmax}(x)_c`. ``target`` holds class numbers (N, *), then the mean is
    weighted by the class weights and leaves out ``ignore_index``; or probabilities (N, C, *). ``label_smoothing``
    mixes the target with equal shares for all classes. Raises ShapeError, IndexError, ValueError.

    >>> import tinygrad_lite as tl
    >>> tl.cross_entropy(tl.tensor([[0.0, 0.0]]), tl.tensor([1])).item()
    0.6931471824645996
    """
    old_words("cross_entropy", size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise OptionError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    w = check_weight("cross_entropy", input, weight)
    kind = getattr(target, "dtype", np.dtype(object)).kind
    if kind in "iu" and not label_smoothing:
        return cross_entropy_index(input, target, w, ignore_index, reduction)
    scores("cross_entropy", input, target)
    axis = class_axis(input.ndim)
    if kind == "f":
        if target.ndim == input.ndim - 1:
            raise DTypeError(
                f"cross_entropy: class numbers must be integers, target is {describe(target)}; use .long()"
            )
        same_shape("cross_entropy", input, target)
        return _probabilities(input, target, w, reduction, label_smoothing, axis)
    return _smoothed(input, target, w, ignore_index, reduction, label_smoothing, axis)


def _along(w: Any, ndim: int, axis: int) -> Any:
    return w.reshape(tuple([-1 if i == axis else 1 for i in range(ndim)]))


def _probabilities(input: Any, target: Any, w: Any, reduction: str, smoothing: float, axis: int) -> Any:
    classes = input.shape[axis]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    each = log_softmax(input, axis) * target
    if w is not None:
        each = each * _along(w.astype(input.dtype), input.ndim, axis)
    each = -each.sum(axis)
    if reduction != "mean":
        return reduced_by("cross_entropy", each, reduction)
    return each.sum() / (input.numel() / classes if hasattr(input, "numel") else input.size / classes)


def _smoothed(input: Any, target: Any, w: Any, ignore_index: int, reduction: str, smoothing: float, axis: int) -> Any:
    hard = cross_entropy_index(input, target, w, ignore_index, "none")
    used = (plain(target) != ignore_index).astype(input.dtype)
    classes = input.shape[axis]
    logs = log_softmax(input, axis)
    each_class = logs if w is None else logs * _along(w.astype(input.dtype), input.ndim, axis)
    soft = -each_class.sum(axis) * used
    each = hard * (1 - smoothing) + soft * (smoothing / classes)
    if reduction != "mean":
        return reduced_by("cross_entropy", each, reduction)
    safe = np.where(plain(target) == ignore_index, 0, plain(target))
    total = used.sum() if w is None else (w[safe] * used).sum()
    if not total:
        raise OptionError(f"cross_entropy: no target to average over (target {target.shape}); use reduction='sum'")
    return each.sum() / new.asarray(total, input.dtype)
