"""Losses of classes and probabilities: cross-entropies, negative log-likelihood, Kullback-Leibler divergence."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.activation import log_softmax, sigmoid, softmax
from tinygrad_lite.ops.elementwise.arithmetic import clip, maximum, where
from tinygrad_lite.ops.elementwise.exponential import log
from tinygrad_lite.ops.elementwise.smooth import logsigmoid
from tinygrad_lite.ops.indexing.getitem import plain, scatter_along, take_along
from tinygrad_lite.ops.losses.reduction import PAIR, REDUCTIONS, old_words, reduced, same_shape, share, together


@wide
def _bce(g: Array, input: Array, target: Array, reduction: str, eps: Any) -> Array:
    if eps is None:  # PyTorch's slope where the logarithm is clamped
        return (input - target) / maximum(input * (1 - input), 1e-12) * share(g, prod(input.shape), reduction)
    p = clip(input, eps, 1 - eps)
    slope = (p - target) / (p * (1 - p)) * share(g, prod(input.shape), reduction)
    return where((input < eps) | (input > 1 - eps), 0.0, slope)


@wide
def _bce_target(g: Array, input: Array, reduction: str, eps: Any) -> Array:
    if eps is None:
        logs = np.log(1 - input) - np.log(input)  # not clamped, as in PyTorch
    else:
        p = clip(input, eps, 1 - eps)
        logs = np.log(1 - p) - np.log(p)
    return logs * share(g, prod(input.shape), reduction)


@op(
    input=_bce, target=_bce_target, kind="loss", label="BCE", promote="equal", public=False,
    samples=Samples("(...),(...)->()", lo=0.01, hi=0.99, options={"reduction": REDUCTIONS}, min=1),
)  # fmt: skip
@wide
def binary_cross_entropy_op(input: Array, target: Array, reduction: str = "mean", eps: float | None = None) -> Array:
    r"""Return :math:`-t \log p - (1 - t) \log(1 - p)` of probabilities ``input``, the logarithms clamped at -100.

    With ``eps`` the probabilities are kept that far from 0 and 1 instead; a clipped one gets no gradient.
    """
    same_shape("binary_cross_entropy", input, target)
    if input.size and not (input.min() >= 0 and input.max() <= 1):
        raise OptionError(
            f"binary_cross_entropy: input must be probabilities between 0 and 1, it goes from {input.min():.4g} to "
            f"{input.max():.4g}; apply sigmoid first, or use binary_cross_entropy_with_logits"
        )
    if target.size and not (target.min() >= 0 and target.max() <= 1):
        raise OptionError(
            f"binary_cross_entropy: target must lie between 0 and 1, it goes from {target.min():.4g} to "
            f"{target.max():.4g}"
        )
    if eps is None:
        with np.errstate(divide="ignore"):
            right, wrong = np.maximum(np.log(input), -100), np.maximum(np.log1p(-input), -100)
        return reduced("binary_cross_entropy", (target - 1) * wrong - target * right, reduction)
    p = np.minimum(np.maximum(input, eps), 1 - eps)  # np.clip takes three times as long on small arrays
    return reduced("binary_cross_entropy", -(target * np.log(p) + (1 - target) * np.log1p(-p)), reduction)


@function(method=False, functional=True)
def binary_cross_entropy(
    input: Array, target: Array, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
    eps: float | None = None,
) -> Array:  # fmt: skip
    r"""Return :math:`-w (t \log p + (1 - t) \log(1 - p))` of probabilities ``input``, the logarithms clamped at -100.

    With ``eps`` the probabilities are kept that far from 0 and 1 instead; a clipped one gets no gradient.
    ``reduction``: 'mean', 'sum' or 'none'. Raises ShapeError, ValueError.

    >>> import tinygrad_lite as tl
    >>> tl.binary_cross_entropy(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.1643)
    """
    reduction = old_words("binary_cross_entropy", size_average, reduce, reduction)
    if weight is None:
        return binary_cross_entropy_op(input, target, reduction, eps)
    return reduced("binary_cross_entropy", binary_cross_entropy_op(input, target, "none", eps) * weight, reduction)


@wide
def _logits_rule(g: Array, input: Array, target: Array, reduction: str) -> Array:
    return (sigmoid(input) - target) * share(g, prod(input.shape), reduction)


@op(
    input=_logits_rule, target=wide(lambda g, input, reduction: -input * share(g, prod(input.shape), reduction)),
    kind="loss", label="BCE of scores", promote="same", public=False, samples=PAIR,
)  # fmt: skip
@wide
def bce_logits(input: Array, target: Array, reduction: str = "mean") -> Array:
    """Return ``log(1 + e^x) - t x``: the binary cross-entropy of ``sigmoid(input)``, exact for large scores."""
    same_shape("binary_cross_entropy_with_logits", input, target)
    each = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    return reduced("binary_cross_entropy_with_logits", each, reduction)


@function(method=False, functional=True)
def binary_cross_entropy_with_logits(
    input: Array, target: Array, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", pos_weight: Any = None,
) -> Array:  # fmt: skip
    """Return the binary cross-entropy of ``sigmoid(input)``; ``pos_weight`` weighs the positive targets.

    >>> import tinygrad_lite as tl
    >>> tl.binary_cross_entropy_with_logits(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.5696)
    """
    name = "binary_cross_entropy_with_logits"
    reduction = old_words(name, size_average, reduce, reduction)
    if weight is None and pos_weight is None:
        return bce_logits(input, target, reduction)
    if pos_weight is None:
        each = bce_logits(input, target, "none")
    else:
        same_shape(name, input, target)
        # -p t log s(x) - (1 - t) log s(-x)
        each = -(target * logsigmoid(input) * pos_weight + (1 - target) * logsigmoid(-input))
    return reduced(name, each if weight is None else each * weight, reduction)


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


def scores(name: str, input: Any, target: Any) -> None:
    """Raise if there are class numbers where scores belong."""
    if getattr(getattr(input, "dtype", None), "kind", "f") != "f":
        raise DTypeError(
            f"{name}: input must be floating scores, got {describe(input)} and target {describe(target)}; "
            f"did you mean {name}(target, input)?"
        )


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
    if reduction == "mean":
        # ignored targets get 0, also where nothing is left to average over
        w = w / total if total else np.where(target != ignore_index, np.nan, 0).astype(dtype)
    return where(target != ignore_index, g * w, 0.0), safe  # even if g is NaN


def _expand(x: Array, axis: int) -> Array:
    return x.reshape((*x.shape[:axis], 1, *x.shape[axis:]))


@wide
def _nll_rule(g: Array, input_shape: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Array:
    scale, safe = _nll_scale(g, target, weight, ignore_index, reduction, g.dtype)
    axis = class_axis(len(input_shape))
    return scatter_along(_expand(-scale, axis), _expand(safe, axis), axis, tuple(input_shape))


@op(
    input=_nll_rule, kind="loss", layout="contiguous", label="NLL", promote="float", public=False,
    samples=Samples(draw=_nll_samples),
)  # fmt: skip
@wide
def nll_loss_op(
    input: Array, target: Array, weight: Array = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """Return minus the log-probability ``input`` (N, C, *) gives to class ``target`` (N, *), weighted by class."""
    check_classes("nll_loss", input, target, ignore_index)
    w, safe = _weights(target, weight, ignore_index, input.dtype)
    axis = class_axis(input.ndim)
    each = -w * take_along(input, _expand(safe, axis), axis).squeeze(axis)
    if reduction != "mean":
        return reduced("nll_loss", each, reduction)
    return each.sum() / (w.sum() or np.nan)


@function(method=False, functional=True)
def nll_loss(
    input: Array, target: Array, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """Return minus the log-probability ``input`` (N, C, *) gives to class ``target`` (N, *), weighted by class.

    >>> import tinygrad_lite as tl
    >>> tl.nll_loss(tl.tensor([[2.0, 0.5, 0.1]]).log_softmax(1), tl.tensor([0]))
    tensor(0.3168)
    """
    reduction = old_words("nll_loss", size_average, reduce, reduction)
    return nll_loss_op(input, target, check_weight("nll_loss", input, weight), ignore_index, reduction)


def rows_of_scores(input: Any, target: Any, weight: Any) -> bool:
    """Return whether these are scores (N, C) with N classes, and no weights."""
    return weight is None and input.ndim == 2 and target.shape == input.shape[:1] and target.size > 0 < input.size


def _short(input: Any, target: Any, weight: Any, ignore_index: int) -> bool:
    """Return whether the short form will do, as each row counts; a recorded program is to serve other rows too."""
    if type(input) is not np.ndarray or type(target) is not np.ndarray or not rows_of_scores(input, target, weight):
        return False
    classes = input.shape[1]
    if target.dtype.kind not in "iu" or 0 <= ignore_index < classes:
        return False
    if target.dtype == np.int64:  # without a sign, a negative number is a large one
        return bool(np.maximum.reduce(target.view(np.uint64)) < classes)
    return bool(np.minimum.reduce(target) >= 0 and np.maximum.reduce(target) < classes)


@wide
def _ce_rule(g: Array, input: Array, target: Any, weight: Any, ignore_index: int, reduction: str) -> Array:
    if _short(input, target, weight, ignore_index):
        p, n = softmax(input, 1), len(target)
        p[new.arange(n), target] -= 1
        p *= g * (p.dtype.type(1) / p.dtype.type(n)) if reduction == "mean" else g[:, None] if g.ndim else g
        return p
    axis = class_axis(input.ndim)
    scale, safe = _nll_scale(g, target, weight, ignore_index, reduction, g.dtype)
    scale = _expand(scale, axis)
    one = new.zeros(input.shape, input.dtype)
    np.put_along_axis(one, _expand(safe, axis), 1, axis)
    return (softmax(input, axis) - one) * scale


@op(
    input=_ce_rule, kind="loss", layout="contiguous", label="cross-entropy", promote="float", public=False,
    samples=Samples(draw=_nll_samples),
)  # fmt: skip
@wide
def cross_entropy_index(
    input: Array, target: Array, weight: Array = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """Return `nll_loss` of the log-softmax of ``input`` (N, C, *), one op: the gradient is softmax minus one-hot."""
    if _short(input, target, weight, ignore_index):
        z = input - np.maximum.reduce(input, axis=1, keepdims=True)
        each = np.log(np.add.reduce(np.exp(z), axis=1)) - z[new.arange(len(z)), target]
        return reduced("cross_entropy", each, reduction)
    check_classes("cross_entropy", input, target, ignore_index)
    axis = class_axis(input.ndim)
    if input.shape[axis] == 0:
        raise ShapeError(f"cross_entropy: input {input.shape} has no classes")
    top = input.max(axis=axis, keepdims=True)
    z = input - top
    at = take_along(z, _expand(np.where(target == ignore_index, 0, target), axis), axis)
    each = (np.log(np.exp(z).sum(axis=axis, keepdims=True)) - at).squeeze(axis)
    w, _ = _weights(target, weight, ignore_index, input.dtype)
    each = each * w
    if reduction != "mean":
        return reduced("cross_entropy", each, reduction)
    return each.sum() / (w.sum() or np.nan)


@function(method=False, functional=True)
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
    reduction = old_words("cross_entropy", size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise OptionError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if not hasattr(target, "dtype"):
        raise DTypeError(f"cross_entropy: target must be a tensor, got {describe(target)}")
    w = check_weight("cross_entropy", input, weight)
    kind = target.dtype.kind
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
        if ignore_index >= 0:
            raise OptionError("cross_entropy: ignore_index is not supported for floating point target")
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
        return reduced("cross_entropy", each, reduction)
    return each.sum() / (prod(input.shape) / (classes or np.nan) or np.nan)


def _smoothed(input: Any, target: Any, w: Any, ignore_index: int, reduction: str, smoothing: float, axis: int) -> Any:
    hard = cross_entropy_index(input, target, w, ignore_index, "none")
    used = (plain(target) != ignore_index).astype(input.dtype)
    classes = input.shape[axis]
    logs = log_softmax(input, axis)
    each_class = logs if w is None else logs * _along(w.astype(input.dtype), input.ndim, axis)
    soft = -each_class.sum(axis) * used
    each = hard * (1 - smoothing) + soft * (smoothing / classes)
    if reduction != "mean":
        return reduced("cross_entropy", each, reduction)
    safe = np.where(plain(target) == ignore_index, 0, plain(target))
    total = used.sum() if w is None else (w[safe] * used).sum()
    return each.sum() / new.asarray(total or np.nan, input.dtype)


@function(method=False, functional=True)
def kl_div(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
    log_target: bool = False,
) -> Array:  # fmt: skip
    """Return ``target * (log target - input)``: ``input`` holds log-probabilities.

    ``target`` holds probabilities, or with ``log_target`` their logarithms.

    ``reduction='batchmean'`` divides the sum by the number of samples, as the divergence is defined.

    >>> import tinygrad_lite as tl
    >>> tl.kl_div(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(-0.4500)
    """
    reduction = old_words("kl_div", size_average, reduce, reduction)
    samples = input.shape[0] if input.ndim else 1
    input, target = together("kl_div", input, target, quiet=True)
    if log_target:
        each = np.exp(target) * (target - input)
    else:
        zero = target == 0
        each = where(zero, 0.0, target * log(where(zero, 1.0, target))) - target * input  # 0 * -inf is NaN, as there
    if reduction == "batchmean":
        return each.sum() / (samples or np.nan)
    return reduced("kl_div", each, reduction)
