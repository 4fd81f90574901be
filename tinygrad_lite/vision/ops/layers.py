"""Layers that torchvision's networks are built of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import fits
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import ArgumentError, describe
from tinygrad_lite.nn import functional as F

__all__ = ["Conv2dNormActivation", "FrozenBatchNorm2d", "MLP", "Permute", "SqueezeExcitation",
           "StochasticDepth", "stochastic_depth"]  # fmt: skip
Layer = Callable[..., nn.Module]


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation with fixed statistics and factors, which are buffers.

    >>> import tinygrad_lite as tl
    >>> FrozenBatchNorm2d(1, eps=0.0)(tl.ones(1, 1, 1, 2))
    tensor([[[[1., 1.]]]])
    """

    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        for name, start in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, make(new.full(num_features, start, "float32")))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any, **words: Any) -> None:
        state_dict.pop(f"{prefix}num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *args, **words)

    def forward(self, x: Any) -> Any:
        """Return ``weight * (x - mean) / sqrt(var + eps) + bias``."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        return x * scale.reshape(1, -1, 1, 1) + (self.bias - self.running_mean * scale).reshape(1, -1, 1, 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


class Conv2dNormActivation(nn.Sequential):
    """A convolution that keeps the size at stride 1, a normalisation and an activation.

    >>> [type(m).__name__ for m in Conv2dNormActivation(3, 8)]
    ['Conv2d', 'BatchNorm2d', 'ReLU']
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any = 3, stride: Any = 1, padding: Any = None,
        groups: int = 1, norm_layer: Layer | None = nn.BatchNorm2d, activation_layer: Layer | None = nn.ReLU,
        dilation: Any = 1, inplace: bool | None = True, bias: bool | None = None,
    ) -> None:  # fmt: skip
        if padding is None:
            size, wide = (v if isinstance(v, Sequence) else (v, v) for v in (kernel_size, dilation))
            padding = tuple((k - 1) // 2 * d for k, d in zip(size, wide, strict=True))
        bias = norm_layer is None if bias is None else bias
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias=bias)
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels


ConvNormActivation = Conv2dNormActivation


class SqueezeExcitation(nn.Module):
    """Scales channels by weights that come from their means. Source: Hu et al., arXiv:1709.01507.

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.SqueezeExcitation(4, 2)(tl.ones(1, 4, 5, 5)).shape
    (1, 4, 5, 5)
    """

    def __init__(self, input_channels: int, squeeze_channels: int, activation: Layer = nn.ReLU,
                 scale_activation: Layer = nn.Sigmoid) -> None:  # fmt: skip
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(input_channels, squeeze_channels, 1), nn.Conv2d(
            squeeze_channels, input_channels, 1)  # fmt: skip
        self.activation, self.scale_activation = activation(), scale_activation()

    def forward(self, input: Any) -> Any:
        """Return the scaled channels."""
        scale = self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input)))))
        return scale * input


class MLP(nn.Sequential):
    """Linear layers with a normalisation, an activation and dropout between them.

    >>> [type(m).__name__ for m in MLP(4, [8, 2])]
    ['Linear', 'ReLU', 'Dropout', 'Linear', 'Dropout']
    """

    def __init__(
        self, in_channels: int, hidden_channels: Sequence[int], norm_layer: Layer | None = None,
        activation_layer: Layer | None = nn.ReLU, inplace: bool | None = None, bias: bool = True, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        words = {} if inplace is None else {"inplace": inplace}
        layers: list[nn.Module] = []
        for width in hidden_channels[:-1]:
            layers.append(nn.Linear(in_channels, width, bias=bias))
            layers += [norm_layer(width)] if norm_layer is not None else []
            layers += [activation_layer(**words)] if activation_layer is not None else []
            layers.append(nn.Dropout(dropout, **words))
            in_channels = width
        layers += [nn.Linear(in_channels, hidden_channels[-1], bias=bias), nn.Dropout(dropout, **words)]
        super().__init__(*layers)


class Permute(nn.Module):
    """Permutes the axes.

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.Permute([0, 2, 1])(tl.ones(2, 3, 4)).shape
    (2, 4, 3)
    """

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = list(dims)

    def forward(self, x: Any) -> Any:
        """Return the view."""
        return x.permute(self.dims)


def stochastic_depth(input: Any, p: float, mode: str, training: bool = True) -> Any:
    """Set whole rows ("row") or everything ("batch") to zero with probability ``p``, and scale what remains.

    Source: Huang et al., arXiv:1603.09382.

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.stochastic_depth(tl.ones(4, 2), 0.5, "row", training=False).shape
    (4, 2)
    """
    if not isinstance(p, Real):
        raise ArgumentError(f"stochastic_depth: p must be a number, got {describe(p)}")
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"drop probability has to be between 0 and 1, but got {p}")
    if not fits(bool, training):
        raise ArgumentError(f"stochastic_depth: training must be True or False, got {describe(training)}")
    if mode not in ("batch", "row"):
        raise ValueError(f"mode has to be either 'batch' or 'row', but got {mode}")
    if not training or p == 0.0:
        return input
    ones = input.new_ones((input.shape[0] if mode == "row" else 1, *(1,) * (input.ndim - 1)))
    return input * F.dropout(ones, p, training=True)


class StochasticDepth(nn.Module):
    """Drops residual branches in training; see `stochastic_depth`.

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.StochasticDepth(0.5, "row").eval()(tl.ones(4, 2)).shape
    (4, 2)
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, input: Any) -> Any:
        """Return the input, or zeros."""
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
