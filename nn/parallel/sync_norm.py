"""Batch normalisation with the mean and variance of the batches of all ranks together."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.autograd import Function
from tinygrad_lite.distributed.collectives import all_reduce
from tinygrad_lite.distributed.group import is_initialized, member
from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.ops.shape.joining import cat


class Summed(Function):
    """The sum over all ranks; its adjoint is the sum of the gradients over all ranks."""

    @staticmethod
    def forward(ctx: Any, x: Any, group: Any) -> Any:
        """Return the sum of ``x`` over the ranks of ``group``."""
        ctx.group = group
        y = x.clone()
        all_reduce(y, group=group)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        """Return the sum of the gradients: every rank's ``x`` is in every rank's sum."""
        return Summed.apply(g, ctx.group), None


def group_of(layer: Any) -> Any:
    """Return the group of ranks that a layer shares its batch with; None for one process."""
    group = member(layer.process_group) if is_initialized() else None
    return group if group is not None and group.size() > 1 else None


def normalised(x: Any, layer: Any, momentum: float, group: Any) -> Any:
    """Return ``x`` (N, C, *) normalised by the statistics of all ranks; running statistics of the layer learn.

    Two exchanges, of the sums and of the squared deviations: a difference of squares would lose digits.
    """
    if x.dtype == np.float16:
        return normalised(x.to(np.float32), layer, momentum, group).to(np.float16)
    channels = x.shape[1]
    dims = (0, *range(2, x.ndim))
    shape = (1, channels, *[1] * (x.ndim - 2))
    count = make(new.full((1,), x.numel() // channels, x.array.dtype))
    sums = Summed.apply(cat([x.sum(dims), count], 0), group)
    total = sums[-1].item()
    if total <= 1:
        raise ShapeError(f"SyncBatchNorm: expected more than 1 value per channel in training, got {tuple(x.shape)}")
    mean = sums[:-1] / total
    d = x - mean.reshape(shape)
    var = Summed.apply((d * d).sum(dims), group) / total
    y = d * (var + layer.eps).rsqrt().reshape(shape)
    if layer.weight is not None:
        y = y * layer.weight.reshape(shape)
    if layer.bias is not None:
        y = y + layer.bias.reshape(shape)
    if layer.training and layer.running_mean is not None:
        for running, today in ((layer.running_mean, mean), (layer.running_var, var * (total / (total - 1)))):
            running.detach().lerp_(today.detach().to(running.dtype), momentum)
    return y
