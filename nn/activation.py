"""Activation functions as layers."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.init import constant_
from tinygrad_lite.nn.linear import new_parameter
from tinygrad_lite.nn.module import Module

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Activation(Module):
    """Base of the activations: a function of the input and a few settings.

    ``shown`` names the settings that stand in the repr.
    """

    shown: tuple[str, ...] = ()
    inplace = False

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        parts = [f"{name}={getattr(self, name)}" for name in self.shown]
        return ", ".join([*parts, "inplace=True"] if self.inplace else parts)


class ReLU(_Activation):
    """Return ``max(x, 0)``; the slope at 0 is 0."""

    def forward(self, input: Any) -> Any:
        """Return ``relu(input)``."""
        return F.relu(input, inplace=self.inplace)


class ReLU6(_Activation):
    """Return ``min(max(x, 0), 6)``."""

    def forward(self, input: Any) -> Any:
        """Return ``relu6(input)``."""
        return F.relu6(input, inplace=self.inplace)


class SELU(_Activation):
    """Return ELU with the constants that keep mean 0 and variance 1."""

    def forward(self, input: Any) -> Any:
        """Return ``selu(input)``."""
        return F.selu(input, inplace=self.inplace)


class SiLU(_Activation):
    """Return ``x * sigmoid(x)``."""

    def forward(self, input: Any) -> Any:
        """Return ``silu(input)``."""
        return F.silu(input, inplace=self.inplace)


class Mish(_Activation):
    """Return ``x * tanh(softplus(x))``."""

    def forward(self, input: Any) -> Any:
        """Return ``mish(input)``."""
        return F.mish(input, inplace=self.inplace)


class Hardsigmoid(_Activation):
    """Return ``relu6(x + 3) / 6``."""

    def forward(self, input: Any) -> Any:
        """Return ``hardsigmoid(input)``."""
        return F.hardsigmoid(input, inplace=self.inplace)


class Hardswish(_Activation):
    """Return ``x * relu6(x + 3) / 6``."""

    def extra_repr(self) -> str:
        """Return nothing: ``inplace`` is not shown, as in PyTorch."""
        return ""

    def forward(self, input: Any) -> Any:
        """Return ``hardswish(input)``."""
        return F.hardswish(input, inplace=self.inplace)


class Sigmoid(_Activation):
    """Return the logistic function of each element."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``sigmoid(input)``."""
        return F.sigmoid(input)


class Tanh(_Activation):
    """Return the hyperbolic tangent of each element."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``tanh(input)``."""
        return F.tanh(input)


class LogSigmoid(_Activation):
    """Return ``log(sigmoid(x))``."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``logsigmoid(input)``."""
        return F.logsigmoid(input)


class Softsign(_Activation):
    """Return ``x / (1 + |x|)``."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``softsign(input)``."""
        return F.softsign(input)


class Tanhshrink(_Activation):
    """Return ``x - tanh(x)``."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``tanhshrink(input)``."""
        return F.tanhshrink(input)


class LeakyReLU(_Activation):
    """Return ``x`` where it is positive, ``negative_slope * x`` elsewhere."""

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        """Return ``leaky_relu`` of the input."""
        return F.leaky_relu(input, self.negative_slope, inplace=self.inplace)


class ELU(_Activation):
    """Return ``x`` above zero, ``alpha * (exp(x) - 1)`` below."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Return ``elu`` of the input."""
        return F.elu(input, self.alpha, inplace=self.inplace)


class CELU(_Activation):
    """Return ``x`` above zero, ``alpha * (exp(x / alpha) - 1)`` below."""

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Return ``celu`` of the input."""
        return F.celu(input, self.alpha, inplace=self.inplace)


class Hardtanh(_Activation):
    """Return ``x`` cut off at ``min_val`` and ``max_val``."""

    shown = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Any) -> Any:
        """Return ``hardtanh`` of the input."""
        return F.hardtanh(input, self.min_val, self.max_val, inplace=self.inplace)


class Threshold(_Activation):
    """Return ``x`` where it is above ``threshold``, ``value`` elsewhere."""

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Any) -> Any:
        """Return ``threshold`` of the input."""
        return F.threshold(input, self.threshold, self.value, inplace=self.inplace)


class Softplus(_Activation):
    """Return ``log(1 + exp(beta * x)) / beta``."""

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        """Return ``softplus`` of the input."""
        return F.softplus(input, self.beta, self.threshold)


class Softshrink(_Activation):
    """Return ``x`` moved towards zero by ``lambd``."""

    shown = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        """Return ``softshrink`` of the input."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return the constructor's argument."""
        return str(self.lambd)


class Hardshrink(_Activation):
    """Return ``x`` where it is further than ``lambd`` from zero, 0 elsewhere."""

    shown = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        """Return ``hardshrink`` of the input."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Return the constructor's argument."""
        return str(self.lambd)


class GLU(_Activation):
    """Return the first half along ``dim`` times the sigmoid of the second."""

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Return ``glu`` of the input."""
        return F.glu(input, self.dim)


class GELU(_Activation):
    """Compute ``x * Phi(x)``, where Phi is the normal distribution function.

    ``approximate='tanh'`` computes PyTorch's approximation of it.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Return ``gelu`` of the input."""
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"approximate={self.approximate!r}"


class PReLU(_Activation):
    """Compute ``x`` where it is positive, ``weight * x`` elsewhere.

    The weight is learned: one number, or one per channel.
    """

    shown = ("num_parameters",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = new_parameter(new.full(num_parameters, init), dtype)

    def reset_parameters(self) -> None:
        """Fill the weight with its initial value."""
        constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        """Return ``prelu(input, weight)``."""
        return F.prelu(input, self.weight)


class RReLU(_Activation):
    """Compute leaky ReLU with a random slope per element in training.

    In evaluation the slope is the middle of ``lower`` and ``upper``.
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Any) -> Any:
        """Return ``rrelu`` of the input."""
        return F.rrelu(input, self.lower, self.upper, self.training, inplace=self.inplace)


class _Softmax(_Activation):
    function: Any = staticmethod(F.softmax)
    shown = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Return the function along ``dim``.

        Without ``dim``, which is deprecated: along axis 1, or axis 0 of inputs with 0, 1 or 3 axes.
        """
        return self.function(input, self.dim)


class Softmax(_Softmax):
    """Return ``exp(x) / sum(exp(x))`` along ``dim``."""


class Softmin(_Softmax):
    """Return the softmax of ``-x`` along ``dim``."""

    function = staticmethod(F.softmin)


class LogSoftmax(_Softmax):
    """Return the logarithm of the softmax along ``dim``."""

    function = staticmethod(F.log_softmax)


class Softmax2d(_Activation):
    """Return the softmax over the channels of images (N, C, H, W) or (C, H, W)."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return the softmax over axis -3."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D")
        return F.softmax(input, -3)
