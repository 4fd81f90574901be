"""Linear layers: `Linear`, `Bilinear`, `Identity`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import get_default_dtype
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn.init import uniform_
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter
from tinygrad_lite.ops.linalg.matmul import linear
from tinygrad_lite.random import default_generator

__all__ = ["Bilinear", "Identity", "Linear", "new_parameter", "uniform_parameter"]


def new_parameter(values: Any, dtype: Any = None) -> Parameter:
    """Return a parameter that holds ``values`` in ``dtype`` or the default dtype."""
    return Parameter(new.asarray(values, dtype or get_default_dtype()))


def uniform_parameter(shape: tuple[int, ...], bound: float, dtype: Any = None) -> Parameter:
    """Return a parameter of uniform random numbers between -bound and bound."""
    if any(not isinstance(n, (int, np.integer)) or n < 0 for n in shape):
        raise ShapeError(f"a parameter cannot have the shape {shape}: sizes are integers from 0 on")
    return new_parameter(default_generator().uniform(-bound, bound, tuple(map(int, shape))), dtype)  # True is 1


class Identity(Module):
    """Return the input; takes and ignores any arguments.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Identity()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``input``."""
        return input


class Linear(Module):
    r"""Compute :math:`x W^\top + b`.

    Input (..., in_features), weight (out_features, in_features), bias (out_features).

    Both are initialised uniformly between :math:`\pm 1/\sqrt{\text{in\_features}}`.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.Linear(3, 2)
    >>> layer(tl.ones(5, 3)).shape
    (5, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
        self.weight = uniform_parameter((out_features, in_features), bound, dtype)
        self.register_parameter("bias", uniform_parameter((out_features,), bound, dtype) if bias else None)
        self._begun()

    bias: Parameter | None

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0.0
        redraw(bound, self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Return ``linear(input, weight, bias)``."""
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def redraw(bound: float, *parameters: Parameter | None) -> None:
    """Fill parameters with new uniform numbers between -bound and bound."""
    for p in parameters:
        if p is not None:
            uniform_(p, -bound, bound)


@named
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Return ``input1 @ weight[k] @ input2`` for each output k, plus ``bias``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.bilinear(tl.ones(1, 2), tl.ones(1, 3), tl.ones(4, 2, 3))
    tensor([[6., 6., 6., 6.]])
    """
    if (
        input1.shape[-1] != weight.shape[1]
        or input2.shape[-1] != weight.shape[2]
        or input1.shape[:-1] != input2.shape[:-1]
    ):
        raise ShapeError(
            f"bilinear: weight {describe(weight)} expects inputs (..., {weight.shape[1]}) and "
            f"(..., {weight.shape[2]}), got {describe(input1)} and {describe(input2)}"
        )
    out, n1, n2 = weight.shape
    lead = tuple(input1.shape[:-1])
    # x1 times all matrices at once, (..., out, n2), then the product with x2
    half = input1.reshape((-1, n1)) @ weight.permute(1, 0, 2).reshape(n1, out * n2)
    y = (half.reshape((-1, out, n2)) @ input2.reshape((-1, n2, 1))).reshape((*lead, out))
    return y if bias is None else y + bias


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` by the name that PyTorch gives the last layer of `MultiheadAttention`."""


class Bilinear(Module):
    r"""Compute :math:`x_1^\top W_k x_2 + b_k` for each output k.

    Inputs (..., in1) and (..., in2), output (..., out).

    >>> import tinygrad_lite as tl
    >>> tl.nn.Bilinear(2, 3, 4)(tl.ones(5, 2), tl.ones(5, 3)).shape
    (5, 4)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        bound = 1 / math.sqrt(in1_features)
        self.weight = uniform_parameter((out_features, in1_features, in2_features), bound, dtype)
        self.register_parameter("bias", uniform_parameter((out_features,), bound, dtype) if bias else None)
        self._begun()

    bias: Parameter | None

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        redraw(1 / math.sqrt(self.in1_features), self.weight, self.bias)

    def forward(self, input1: Any, input2: Any) -> Any:
        """Return the bilinear form of the two inputs."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
