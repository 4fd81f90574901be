"""Normalisation: subtract the mean, divide by the standard deviation, scale and shift; one op for all kinds.

Sources: Ioffe, Szegedy 2015 (batch), Ba et al. 2016 (layer), Ulyanov et al. 2016 (instance), Wu, He 2018 (group),
Zhang, Sennrich 2019 (root mean square), Krizhevsky et al. 2012 (local response).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array, Tensor
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.networks import normalisation32
from tinygrad_lite.ops.windows.pooling import sum_pool


def _samples(src: Any) -> Any:
    n, c, k = src.size(3, lo=2, hi=4), src.size(2, hi=3), src.size(3, lo=2, hi=4)
    axes, shape = src.choice([((0, 2), (c, 1)), ((2,), (c, 1)), ((2,), (k,)), ((1, 2), (c, k))])
    x = src.floats((n, c, k)) + new.arange(n * c * k).reshape(n, c, k) % 5  # not all equal
    weights = (src.floats(shape), src.floats(shape)) if src.chance() else ()
    return (x, *weights), {"axes": axes, "eps": src.choice([1e-5, 0.1]), "center": src.choice([True, False])}


def _batch_samples(src: Any) -> Any:
    arrays, options = _samples(src)
    options.pop("center")
    return arrays, options


def _call(op: Any, input: Any, weight: Any = None, bias: Any = None, **options: Any) -> Any:
    return op(input, weight, bias, **options)[0]


def _inverse_spread(var: Any, eps: float) -> Any:
    """Return ``1 / sqrt(var + eps)``, or 0 where both are zero."""
    if eps != 0:
        return 1 / np.sqrt(var + eps)
    flat = var == 0
    return where(flat, 0.0, 1 / np.sqrt(where(flat, 1.0, var)))


def _mean(x: Any, axes: Any, count: int) -> Any:
    return (
        x.sum(axis=axes, keepdims=True) if isinstance(x, Tensor) else np.add.reduce(x, axis=axes, keepdims=True)
    ) / count


def _statistics(input: Any, axes: Any, center: bool) -> tuple[Any, Any, Any]:
    """Return the mean (None without ``center``), the deviations from it, and the variance."""
    count = prod([input.shape[a] for a in axes]) or 1
    mean = _mean(input, axes, count) if center else None
    d = input if mean is None else input - mean
    return mean, d, _mean(d * d, axes, count)


def _pull(g: Any, d: Any, var: Any, weight: Any, axes: Any, eps: float, level: Any, slope: Any) -> tuple[Any, Any, Any]:
    """Return the gradients of input, weight and bias.

    ``slope`` and ``level`` carry the gradients of the variance and the mean (None: zero); ``level`` is False if the
    mean was not subtracted.
    """
    count = prod([d.shape[a] for a in axes]) or 1
    r = _inverse_spread(var, eps)
    z = d * r
    g_z = g if weight is None else g * weight
    along = _mean(g_z * z, axes, count)
    inner = g_z - z * (along if slope is None else along - slope)
    if level is not False:
        owed = _mean(g_z, axes, count)
        inner = inner - (owed if level is None else owed - level)
    return inner * r, g * z, g


@wide
def _rule(g: Any, input: Any, weight: Any, axes: Any, eps: Any, center: Any) -> Any:
    if (k := _run(input, weight, None, axes, eps, center)) and normalisation32.channels(g) and g.shape == input.shape:
        g_x, g_w, g_b = normalisation32.layer_back(g, input, weight, eps, k)
        shape = input.shape[-len(axes) :]
        return g_x, g_w.reshape(shape), g_b.reshape(shape)
    # computing the statistics again is cheaper than keeping them in the graph
    _, d, var = _statistics(input, axes, center)
    return _pull(g, d, var, weight, axes, eps, None if center else False, None)


@op(together=_rule, kind="norm", label="normalise", promote="same", public=False, samples=Samples(draw=_samples))
@wide
def normalise(
    input: Array, weight: Array = None, bias: Array = None, axes: tuple[int, ...] = (-1,), eps: float = 1e-5,
    center: bool = True,
) -> Array:  # fmt: skip
    """Return ``(input - mean) / sqrt(var + eps) * weight + bias``, mean and variance taken over ``axes``.

    ``weight`` and ``bias`` broadcast against the input, or are None. Without ``center`` the mean is taken as 0.
    """
    if k := _run(input, weight, bias, axes, eps, center):
        return normalisation32.layer(input, weight, bias, eps, k)
    _, d, var = _statistics(input, axes, center)
    return _scaled(d, var, weight, bias, eps)


def _run(input: Any, weight: Any, bias: Any, axes: Any, eps: float, center: bool) -> int:
    """Return the number of contiguous elements of one sample for `normalisation32.layer`, or 0 if it does not apply."""
    if not center or eps <= 0 or not normalisation32.channels(input, weight, bias) or not input.size:
        return 0
    shape = input.shape[-len(axes) :]
    last = tuple(range(input.ndim - len(axes), input.ndim))
    if axes != last and axes != (-1,) or any(v is not None and v.shape != shape for v in (weight, bias)):
        return 0
    return prod(shape) if prod(shape) >= 8 else 0


def _channelwise(input: Any, weight: Any, bias: Any, axes: Any, eps: float) -> bool:
    """Return whether `normalisation32.batch` applies: one statistic per channel, and enough elements."""
    if eps <= 0 or not normalisation32.channels(input, weight, bias):
        return False
    if axes != (0, *range(2, input.ndim)) or input.size < 4096:
        return False
    shape = (input.shape[1], *(1,) * (input.ndim - 2))
    return all(v is None or v.shape == shape for v in (weight, bias))


def _scaled(d: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    out = d * _inverse_spread(var, eps)
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out


@wide
def _batch_rule(g: Any, y1: Any, y2: Any, input: Any, weight: Any, axes: Any, eps: Any) -> Any:
    g_y, g_mean, g_var = g
    mean, var = y1, y2
    count = prod([input.shape[a] for a in axes])
    # the gradients of the mean and the variance are small, so they are added to small sums
    level = g_mean * ((var + eps) ** 0.5 / count)
    slope = g_var * ((var + eps) * (2 / count))
    if _channelwise(input, weight, None, axes, eps) and normalisation32.channels(*g, mean, var):
        g_x, g_w, g_b = normalisation32.batch_back(g_y, input, mean, var, weight, eps, level, slope)
        lead = (input.shape[1], *(1,) * (input.ndim - 2))
        return g_x, g_w.reshape(lead), g_b.reshape(lead)
    return _pull(g_y, input - mean, var, weight, axes, eps, level, slope)


@op(
    together=_batch_rule, kind="norm", label="batch norm", promote="same", public=False,
    samples=Samples(draw=_batch_samples, call=_call),
)  # fmt: skip
@wide
def normalise_batch(
    input: Array, weight: Array = None, bias: Array = None, axes: tuple[int, ...] = (0,), eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the result of `normalise` with the mean and the variance used."""
    if _channelwise(input, weight, bias, axes, eps):
        return normalisation32.batch(input, weight, bias, eps)
    mean, d, var = _statistics(input, axes, True)
    return _scaled(d, var, weight, bias, eps), mean, var


def _over(v: Any, ndim: int) -> Any:
    """Return one number per channel, to broadcast against (N, C, *)."""
    return v.reshape((-1, *(1,) * (ndim - 2)))


def _per_channel(g: Any, d: Any = None) -> Any:
    """Return the sum of ``g``, or of ``g * d``, over each channel."""
    if g.size and normalisation32.channels(g, d):
        return normalisation32.totals(g, d)
    g = g if d is None else g * d
    axes = (0, *range(2, g.ndim))
    return g.sum(axis=axes) if isinstance(g, Tensor) else np.add.reduce(g, axis=axes)


def _known_samples(src: Any) -> Any:
    shape = (src.size(3, lo=2, hi=4), src.size(2, hi=3), src.size(3, lo=2, hi=4))[: src.choice([3, 2])]
    parts = [src.floats(shape), src.floats(shape[1:2]), src.floats(shape[1:2], 0.5, 2.0)]
    weights = (src.floats(shape[1:2]), src.floats(shape[1:2])) if src.chance() else ()
    return (*parts, *weights), {"eps": src.choice([1e-5, 0.1])}


@op(
    input=wide(lambda g, var, weight, eps: g * _over(_scale_of(var, weight, eps), g.ndim)),
    mean=wide(lambda g, var, weight, eps: -_per_channel(g) * _scale_of(var, weight, eps)),
    var=wide(
        lambda g, input, mean, var, weight, eps: (
            _per_channel(g, input - _over(mean, g.ndim)) * _scale_of(var, weight, eps) / (var + eps) * -0.5
        )
    ),
    weight=wide(
        lambda g, input, mean, var, eps: _per_channel(g, input - _over(mean, g.ndim)) * _scale_of(var, None, eps)
    ),
    bias=wide(lambda g: _per_channel(g)),
    kind="norm", label="batch norm", public=False, samples=Samples(draw=_known_samples),
)  # fmt: skip
@wide
def normalise_known(
    input: Array, mean: Array, var: Array, weight: Array = None, bias: Array = None, eps: float = 1e-5
) -> Array:
    """Return ``(input - mean) / sqrt(var + eps) * weight + bias`` with a known mean and variance of each channel."""
    scale = _scale_of(var, weight, eps)
    shift = -mean * scale if bias is None else bias - mean * scale
    if normalisation32.channels(input, scale, shift) and input.size > normalisation32.BLOCK:
        return normalisation32.scaled(input, scale, shift)
    y = input * _over(scale, input.ndim)
    y += _over(shift, input.ndim)
    return y


def _scale_of(var: Any, weight: Any, eps: float) -> Any:
    scale = 1 / np.sqrt(var + eps)
    return scale if weight is None else weight * scale


def _floating(name: str, input: Any, *parts: Any) -> None:
    kinds = [p.array.dtype for p in (input, *parts) if isinstance(p, Tensor)]
    if len(set(kinds)) > 1 and kinds[0] != np.float16:  # PyTorch mixes float16 with float32 alone
        raise DTypeError(
            f"{name}: expected tensors of one dtype, got {' and '.join(str(k) for k in kinds)}; use .to(dtype)"
        )
    if getattr(getattr(input, "dtype", None), "kind", "") != "f":
        raise DTypeError(f"{name}: expected floating numbers, x is {describe(input)}; use .float()")


def _channelled(name: str, v: Any, channels: int, ndim: int) -> Any:
    """Return ``v`` (one number per channel) reshaped to broadcast against (N, C, *)."""
    if v is None:
        return None
    if tuple(v.shape) != (channels,):
        raise ShapeError(f"{name}: expected one number per channel ({channels},), got {describe(v)}")
    return v if ndim == 2 else v.reshape((channels, *(1,) * (ndim - 2)))


def _learn(name: str, running: Any, seen: Any, momentum: float) -> None:
    """Move a running statistic towards that of the batch, in place."""
    if running is not None:
        array = running.array if isinstance(running, Tensor) else running
        step = new.asarray(momentum * seen, array.dtype)  # before the first write: without memory nothing is learned
        array *= 1 - momentum
        array += step


@function(method=False, functional=True)
def batch_norm(
    input: Array, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Array:  # fmt: skip
    """Return ``input`` (N, C, *) with each channel normalised, by its own statistics or by the running ones.

    In ``training`` the running statistics move towards the batch's by ``momentum`` (the variance with n - 1). Raises
    ShapeError, and ValueError if there is only one value per channel.

    >>> import tinygrad_lite as tl
    >>> tl.batch_norm(tl.tensor([[1.0, 3.0], [2.0, 5.0]]), None, None, training=True)
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    """
    _floating("batch_norm", input, running_mean, running_var, weight, bias)
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: expected x of shape (N, C, *), got {describe(input)}")
    c, ndim = input.shape[1], input.ndim
    for v in (running_mean, running_var, weight, bias):
        _channelled("batch_norm", v, c, 2)
    if not training:
        if running_mean is None or running_var is None:
            raise OptionError("batch_norm: running_mean and running_var must be given when training=False")
        mean, var = (v.detach() if getattr(v, "tracked", False) else v for v in (running_mean, running_var))
        return normalise_known(input, mean, var, weight, bias, eps)
    if eps <= 0:
        raise OptionError(f"batch_norm: eps must be positive during training, got {eps}")
    count = input.shape[0] * prod(input.shape[2:])
    if count == 1:
        raise OptionError(
            f"batch_norm: expected more than 1 value per channel when training, got input {describe(input)}"
        )
    w, b = _channelled("batch_norm", weight, c, ndim), _channelled("batch_norm", bias, c, ndim)
    if not count:  # an empty batch changes no running statistics
        return normalise(input, w, b, (0, *range(2, ndim)), eps)
    y, mean, var = normalise_batch(input, w, b, (0, *range(2, ndim)), eps)
    _learn("mean", running_mean, new.asarray(plain(mean)).reshape(-1), momentum)
    _learn("var", running_var, new.asarray(plain(var)).reshape(-1) * (count / (count - 1)), momentum)
    return y


@function(method=False, functional=True)
def instance_norm(
    input: Array, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Array:  # fmt: skip
    """Return ``input`` (N, C, *) with each channel of each sample normalised.

    >>> import tinygrad_lite as tl
    >>> tl.instance_norm(tl.tensor([[[1.0, 3.0], [2.0, 6.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    _floating("instance_norm", input)
    if input.ndim < 3:
        raise ShapeError(f"instance_norm: expected x of shape (N, C, *), got {describe(input)}")
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    c, ndim = input.shape[1], input.ndim
    count = prod(input.shape[2:])
    if count == 1:
        raise OptionError(
            f"instance_norm: expected more than 1 spatial element when training, got input {describe(input)}"
        )
    w, b = _channelled("instance_norm", weight, c, ndim), _channelled("instance_norm", bias, c, ndim)
    for known in (running_mean, running_var):
        _channelled("instance_norm", known, c, ndim)
    if count == 0:  # nothing to normalise or to learn from; weight and bias get zeros as gradients
        return input * (1 if w is None else w) + (0 if b is None else b)
    y, mean, var = normalise_batch(input, w, b, tuple(range(2, ndim)), eps)
    if running_mean is not None:
        _learn("mean", running_mean, new.asarray(plain(mean)).reshape(-1, c).mean(0), momentum)
    if running_var is not None:
        _learn("var", running_var, new.asarray(plain(var)).reshape(-1, c).mean(0) * (count / (count - 1)), momentum)
    return y


def _last_axes(name: str, input: Any, normalized_shape: Any, *parts: Any) -> tuple[int, ...]:
    shape = (normalized_shape,) if isinstance(normalized_shape, (int, np.integer)) else tuple(normalized_shape)
    k = len(shape)
    if not k or tuple(input.shape[-k:]) != shape:
        raise ShapeError(
            f"{name}: given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {list(input.shape)}"
        )
    for v in parts:
        if v is not None and tuple(v.shape) != shape:
            raise ShapeError(f"{name}: weight and bias must have the shape {shape}, got {describe(v)}")
    return tuple(range(input.ndim - k, input.ndim))


@function(method=False, functional=True)
def layer_norm(input: Array, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Array:
    """Return ``input`` (*, normalized_shape) with each sample normalised over its last axes.

    >>> import tinygrad_lite as tl
    >>> tl.layer_norm(tl.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    _floating("layer_norm", input, weight, bias)
    axes = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    return normalise(input, weight, bias, axes, eps)


@function(method=False, functional=True)
def rms_norm(input: Array, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Array:
    """Return ``input`` divided by the root of its mean square over the last axes, times ``weight``.

    >>> import tinygrad_lite as tl
    >>> tl.rms_norm(tl.tensor([[1.0, 3.0]]), (2,))
    tensor([[0.4472, 1.3416]])
    """
    _floating("rms_norm", input)
    axes = _last_axes("rms_norm", input, normalized_shape, weight)
    if eps is None:  # of the dtype that the sums are in
        eps = float(np.finfo(np.float64 if input.dtype == np.float64 else np.float32).eps)
    return normalise(input, weight, None, axes, eps, False)


@function(method=False, functional=True)
def group_norm(input: Array, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Array:
    """Return ``input`` (N, C, *) with each of ``num_groups`` groups of channels of each sample normalised.

    >>> import tinygrad_lite as tl
    >>> tl.group_norm(tl.tensor([[[1.0, 3.0], [2.0, 6.0]]]), 2)
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    _floating("group_norm", input, weight, bias)
    if input.ndim < 2:
        raise ShapeError(f"group_norm: expected x of shape (N, C, *), got {describe(input)}")
    n, c, *rest = input.shape
    if num_groups < 1 or c % num_groups:
        raise ShapeError(f"group_norm: {c} channels do not divide into num_groups {num_groups} (x {describe(input)})")
    if n * prod(rest) * (c // num_groups) == 1:
        raise OptionError(f"group_norm: expected more than 1 value per group, got input {describe(input)}")
    grouped = (num_groups, c // num_groups, *(1,) * len(rest))
    w, b = (None if v is None else _channelled("group_norm", v, c, 2).reshape(grouped) for v in (weight, bias))
    x = input.reshape((n, num_groups, c // num_groups, *rest))
    y = normalise(x, w, b, tuple(range(2, x.ndim)), eps)
    return y.reshape((n, c, *rest))


@function(method=False, functional=True)
def local_response_norm(input: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    r"""Return :math:`x / (k + \alpha / n \sum x_j^2)^\beta`, the sum over ``size`` neighbouring channels.

    >>> import tinygrad_lite as tl
    >>> tl.local_response_norm(tl.tensor([[[1.0, 3.0], [2.0, 6.0]]]), 2)
    tensor([[[1.0000, 2.9990],
             [1.9996, 5.9899]]])
    """
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: expected 3 or more axes (N, C, *), got {describe(input)}")
    if size < 1:
        raise OptionError(f"local_response_norm: size must be at least 1, got {size}")
    n, c = input.shape[:2]
    squares = (input * input).reshape((n, 1, c, prod(input.shape[2:])))
    total = sum_pool(squares, (size, 1), (1, 1), ((size // 2, (size - 1) // 2), (0, 0))).reshape(tuple(input.shape))
    return input / (total * (alpha / size) + k) ** beta


@function(method=False, functional=True)
def normalize(input: Array, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Array:
    """Return ``input`` divided by its p-norm along ``dim`` (by ``eps`` where that is smaller).

    >>> import tinygrad_lite as tl
    >>> tl.normalize(tl.tensor([[[1.0, 3.0], [2.0, 6.0]]]))
    tensor([[[0.4472, 0.4472],
             [0.8944, 0.8944]]])
    """
    from tinygrad_lite.engine.op import PUBLIC

    return input / np.maximum(PUBLIC["norm"](input, p, dim, True), eps)
