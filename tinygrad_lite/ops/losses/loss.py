"""Losses that are one op: their gradient is simpler, faster and more exact than that of their parts."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.activation import softmax
from tinygrad_lite.ops.elementwise.arithmetic import clip, where
from tinygrad_lite.ops.indexing.getitem import scatter_along, take_along

REDUCTIONS = ("mean", "sum", "none")
PAIR = Samples("(...),(...)->()", args=None, options={"reduction": REDUCTIONS}, min=1)


def reduced(name: str, x: Array, reduction: str) -> Array:
    """Return the mean or sum of ``x``, or ``x`` itself; the mean of nothing is an error."""
    if reduction == "none":
        return x
    if reduction == "sum":
        return np.sum(x)
    if reduction != "mean":
        raise OptionError(f"{name}: reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
    if not x.size:
        raise OptionError(f"{name}: the mean of an empty batch is undefined (shape {x.shape}); use reduction='sum'")
    return np.sum(x) / x.size


def share(g: Array, count: int, reduction: str) -> Array:
    """Return what each element of a reduced loss gets of the incoming gradient."""
    return g / count if reduction == "mean" else g


def same_shape(name: str, input: Array, target: Array) -> None:
    """Raise unless the two have one shape: silent broadcasting of a target is nearly always a mistake."""
    if input.shape != target.shape:
        raise ShapeError(
            f"{name}: input and target must have the same shape (input {describe(input)}, target {describe(target)}); "
            f"reshape the target"
        )


def _mse(g: Array, a: Array, b: Array, reduction: str) -> Array:
    d = a - b
    if reduction == "mean" and d.__class__ is np.ndarray and g.__class__ is np.ndarray:
        d *= float(g) * 2 / d.size
        return d
    return d * (g * (2 / prod(a.shape)) if reduction == "mean" else g * 2)


@op(
    input=lambda g, input, target, reduction: _mse(g, input, target, reduction),
    target=lambda g, input, target, reduction: _mse(g, target, input, reduction),
    kind="loss", label="MSE", promote="same", public=False, samples=PAIR,
)  # fmt: skip
def mse_loss(input: Array, target: Array, reduction: str = "mean") -> Array:
    """Return the mean (or sum, or each) of ``(input - target) ** 2``; both have the same shape."""
    same_shape("mse_loss", input, target)
    d = input - target
    if reduction == "mean" and d.size:
        flat = d.ravel()
        return flat.dot(flat) / d.size
    return reduced("mse_loss", d * d, reduction)


@cache
def clip_eps(dtype: Any) -> float:
    """Return the distance probabilities keep from 0 and 1: 1e-15 in float64, 1e-7 in float32 (where 1 - 1e-15 is 1)."""
    return 1e-15 if np.dtype(dtype) == np.float64 else float(np.finfo(dtype).eps)


def _bce(g: Array, input: Array, target: Array, reduction: str, eps: Any) -> Array:
    eps = clip_eps(input.dtype) if eps is None else eps
    p = clip(input, eps, 1 - eps)
    slope = (p - target) / (p * (1 - p)) * share(g, prod(input.shape), reduction)
    return where((input < eps) | (input > 1 - eps), 0.0, slope)


def _bce_target(g: Array, input: Array, reduction: str, eps: Any) -> Array:
    eps = clip_eps(input.dtype) if eps is None else eps
    p = clip(input, eps, 1 - eps)
    return (np.log(1 - p) - np.log(p)) * share(g, prod(input.shape), reduction)


@op(
    input=_bce, target=_bce_target, kind="loss", label="BCE", promote="same", public=False,
    samples=Samples("(...),(...)->()", lo=0.01, hi=0.99, options={"reduction": REDUCTIONS}, min=1),
)  # fmt: skip
def binary_cross_entropy(input: Array, target: Array, reduction: str = "mean", eps: float | None = None) -> Array:
    r"""Return :math:`-t \log p - (1 - t) \log(1 - p)` of probabilities ``input``, kept ``eps`` away from 0 and 1.

    ``eps`` is 1e-15 in float64 and 1.2e-7 in float32 unless given; a clipped probability gets no gradient.
    """
    same_shape("binary_cross_entropy", input, target)
    if input.size and not (input.min() >= 0 and input.max() <= 1):
        raise OptionError(
            f"binary_cross_entropy: input must be probabilities between 0 and 1, it goes from {input.min():.4g} to "
            f"{input.max():.4g}; apply sigmoid first, or use binary_cross_entropy_with_logits"
        )
    eps = clip_eps(input.dtype) if eps is None else eps
    p = np.minimum(np.maximum(input, eps), 1 - eps)  # np.clip takes three times as long on small arrays
    return reduced("binary_cross_entropy", -(target * np.log(p) + (1 - target) * np.log1p(-p)), reduction)


# ------------------------------------------------------------------------------------------------ classes
def class_axis(ndim: int) -> int:
    """Return the axis of the classes: the only one, or the second."""
    return 0 if ndim == 1 else 1


def check_classes(name: str, input: Array, target: Array, ignore_index: int) -> None:
    """Raise unless ``target`` holds one class number per sample of ``input`` (N, C, *)."""
    if target.dtype.kind not in "iu":
        raise DTypeError(f"{name}: class targets must be integers, target is {describe(target)}; use .long()")
    axis = class_axis(input.ndim)
    expected = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != expected:
        raise ShapeError(f"{name}: expected target of shape {expected} for input {input.shape}, it is {target.shape}")
    classes = input.shape[axis]
    wrong = ((target < 0) | (target >= classes)) & (target != ignore_index)
    if wrong.any():
        raise IndexError(f"{name}: target {int(target[wrong].flat[0])} is out of bounds for {classes} classes")


def _weights(target: Array, weight: Any, ignore_index: int, dtype: Any) -> Any:
    """Weight of each sample: that of its class, 0 if ignored; and a class number that is safe to look up."""
    used = target != ignore_index
    safe = np.where(used, target, 0)
    w = used.astype(dtype) if weight is None else np.where(used, new.asarray(weight)[safe], 0).astype(dtype)
    return w, safe


def _nll_samples(src: Any) -> Any:
    n, c = src.size(3), src.size(3, lo=2)
    shape = (n, c, 2) if src.chance() else (n, c)
    target = src.indices(shape[:1] + shape[2:], c)
    return (src.floats(shape), target), {"reduction": src.choice(list(REDUCTIONS))}


def _nll_scale(g: Array, target: Any, weight: Any, ignore_index: int, reduction: str, dtype: Any) -> Any:
    w, safe = _weights(target, weight, ignore_index, dtype)
    total = w.sum()
    # -0.0 and not NaN when every target is ignored
    return g * (w / (total if total else 1) if reduction == "mean" else w), safe


def _nll_rule(g: Array, input_shape: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Array:
    scale, safe = _nll_scale(g, target, weight, ignore_index, reduction, g.dtype)
    axis = class_axis(len(input_shape))
    return scatter_along(_expand(-scale, axis), np.expand_dims(safe, axis), axis, tuple(input_shape))


def _expand(x: Array, axis: int) -> Array:
    return x.reshape((*x.shape[:axis], 1, *x.shape[axis:]))


@op(
    input=_nll_rule, kind="loss", label="NLL", promote="float", public=False, samples=Samples(draw=_nll_samples),
)  # fmt: skip
def nll_loss(
    input: Array, target: Array, weight: Array = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """Return minus the log-probability ``input`` (N, C, *) gives to class ``target`` (N, *), weighted by class."""
    check_classes("nll_loss", input, target, ignore_index)
    w, safe = _weights(target, weight, ignore_index, input.dtype)
    axis = class_axis(input.ndim)
    each = -w * take_along(input, np.expand_dims(safe, axis), axis).squeeze(axis)
    if reduction != "mean":
        return reduced("nll_loss", each, reduction)
    total = w.sum()
    if not total:
        raise OptionError(f"nll_loss: no target to average over (target {target.shape}); use reduction='sum'")
    return each.sum() / total


def _ce_rule(g: Array, input: Array, target: Any, weight: Any, ignore_index: int, reduction: str) -> Array:
    axis = class_axis(input.ndim)
    scale, safe = _nll_scale(g, target, weight, ignore_index, reduction, g.dtype)
    scale = _expand(scale, axis)
    one = new.zeros(input.shape, input.dtype)
    np.put_along_axis(one, np.expand_dims(safe, axis), 1, axis)
    return (softmax(input, axis) - one) * scale


@op(
    input=_ce_rule, kind="loss", label="cross-entropy", promote="float", public=False,
    samples=Samples(draw=_nll_samples),
)  # fmt: skip
def cross_entropy_index(
    input: Array, target: Array, weight: Array = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """Return `nll_loss` of the log-softmax of ``input`` (N, C, *), one op: the gradient is softmax minus one-hot."""
    check_classes("cross_entropy", input, target, ignore_index)
    axis = class_axis(input.ndim)
    if input.shape[axis] == 0:
        raise ShapeError(f"cross_entropy: input {input.shape} has no classes")
    top = input.max(axis=axis, keepdims=True)
    z = input - top
    at = take_along(z, np.expand_dims(np.where(target == ignore_index, 0, target), axis), axis)
    each = (np.log(np.exp(z).sum(axis=axis, keepdims=True)) - at).squeeze(axis)
    w, _ = _weights(target, weight, ignore_index, input.dtype)
    each = each * w
    if reduction != "mean":
        return reduced("cross_entropy", each, reduction)
    total = w.sum()
    if not total:
        raise OptionError(f"cross_entropy: no target to average over (target {target.shape}); use reduction='sum'")
    return each.sum() / total
