"""Put a batch normalisation into the layer before it, for faster evaluation."""

from __future__ import annotations

import copy
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _fused(layer: Any, bn: Any) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return copy.deepcopy(layer)


def _weights(w: Any, b: Any, mean: Any, var: Any, eps: float, scale: Any, shift: Any, shape: Any) -> Any:
    with no_grad():
        factor = 1 / (var + eps).sqrt()
        factor = factor if scale is None else factor * scale
        bias = (-mean if b is None else b - mean) * factor
        bias = bias if shift is None else bias + shift
        weight = (w * factor.reshape(shape)).to(w.dtype)
        bias = bias.to(w.dtype if b is None else b.dtype)
    return Parameter(weight, w.requires_grad), Parameter(bias, b is not None and b.requires_grad)


@named
def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any, transpose: bool = False
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of a convolution that computes what convolution and batch normalisation compute.

    ``transpose``: it is a transposed convolution, whose outputs are axis 1 of the weight.

    >>> import tinygrad_lite as tl
    >>> layer, norm = tl.nn.Conv2d(1, 2, 3), tl.nn.BatchNorm2d(2)
    >>> weight, bias = tl.nn.utils.fuse_conv_bn_weights(
    ...     layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    ... )
    >>> weight.shape, bias.shape
    ((2, 1, 3, 3), (2,))
    """
    first = (1, -1) if transpose else (-1, 1)
    shape = (*first, *(1,) * (conv_w.ndim - 2))
    return _weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)  # type: ignore[no-any-return]


@named
def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """Return a convolution that computes what ``bn(conv(x))`` computes in evaluation.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.fuse_conv_bn_eval(tl.nn.Conv2d(1, 2, 3).eval(), tl.nn.BatchNorm2d(2).eval())
    Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
    """
    fused = _fused(conv, bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


@named
def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of a linear layer that computes what layer and batch normalisation compute.

    >>> import tinygrad_lite as tl
    >>> layer, norm = tl.nn.Linear(3, 2), tl.nn.BatchNorm1d(2)
    >>> weight, bias = tl.nn.utils.fuse_linear_bn_weights(
    ...     layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    ... )
    >>> weight.shape, bias.shape
    ((2, 3), (2,))
    """
    return _weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, (-1, 1))  # type: ignore[no-any-return]


@named
def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """Return a linear layer that computes what ``bn(linear(x))`` computes in evaluation.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.fuse_linear_bn_eval(tl.nn.Linear(1, 2).eval(), tl.nn.BatchNorm1d(2).eval())
    Linear(in_features=1, out_features=2, bias=True)
    """
    fused = _fused(linear, bn)
    if bn.num_features not in (1, linear.out_features):
        raise AssertionError(
            f"To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(
        linear.weight, linear.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused
