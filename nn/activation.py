"""Activation functions as layers."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.init import constant_
from tinygrad_lite.nn.linear import new_parameter
from tinygrad_lite.nn.module import Module

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid",
    "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh",
    "Tanhshrink", "Threshold",
]  # fmt: skip


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
    """Return ``max(x, 0)``; the slope at 0 is 0.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReLU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.0000, 0.5000, 2.0000])
    """

    def forward(self, input: Any) -> Any:
        """Return ``relu(input)``."""
        return F.relu(input, inplace=self.inplace)


class ReLU6(_Activation):
    """Return ``min(max(x, 0), 6)``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReLU6()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.0000, 0.5000, 2.0000])
    """

    def forward(self, input: Any) -> Any:
        """Return ``relu6(input)``."""
        return F.relu6(input, inplace=self.inplace)


class SELU(_Activation):
    """Return ELU with the constants that keep mean 0 and variance 1.

    >>> import tinygrad_lite as tl
    >>> tl.nn.SELU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.1113,  0.5254,  2.1014])
    """

    def forward(self, input: Any) -> Any:
        """Return ``selu(input)``."""
        return F.selu(input, inplace=self.inplace)


class SiLU(_Activation):
    """Return ``x * sigmoid(x)``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.SiLU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.2689,  0.3112,  1.7616])
    """

    def forward(self, input: Any) -> Any:
        """Return ``silu(input)``."""
        return F.silu(input, inplace=self.inplace)


class Mish(_Activation):
    """Return ``x * tanh(softplus(x))``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Mish()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.3034,  0.3752,  1.9440])
    """

    def forward(self, input: Any) -> Any:
        """Return ``mish(input)``."""
        return F.mish(input, inplace=self.inplace)


class Hardsigmoid(_Activation):
    """Return ``relu6(x + 3) / 6``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Hardsigmoid()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.3333, 0.5833, 0.8333])
    """

    def forward(self, input: Any) -> Any:
        """Return ``hardsigmoid(input)``."""
        return F.hardsigmoid(input, inplace=self.inplace)


class Hardswish(_Activation):
    """Return ``x * relu6(x + 3) / 6``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Hardswish()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.3333,  0.2917,  1.6667])
    """

    def extra_repr(self) -> str:
        """Return nothing: ``inplace`` is not shown, as in PyTorch."""
        return ""

    def forward(self, input: Any) -> Any:
        """Return ``hardswish(input)``."""
        return F.hardswish(input, inplace=self.inplace)


class Sigmoid(_Activation):
    """Return the logistic function of each element.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Sigmoid()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.2689, 0.6225, 0.8808])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``sigmoid(input)``."""
        return F.sigmoid(input)


class Tanh(_Activation):
    """Return the hyperbolic tangent of each element.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Tanh()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.7616,  0.4621,  0.9640])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``tanh(input)``."""
        return F.tanh(input)


class LogSigmoid(_Activation):
    """Return ``log(sigmoid(x))``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LogSigmoid()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.3133, -0.4741, -0.1269])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``logsigmoid(input)``."""
        return F.logsigmoid(input)


class Softsign(_Activation):
    """Return ``x / (1 + |x|)``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Softsign()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.5000,  0.3333,  0.6667])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``softsign(input)``."""
        return F.softsign(input)


class Tanhshrink(_Activation):
    """Return ``x - tanh(x)``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Tanhshrink()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.2384,  0.0379,  1.0360])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``tanhshrink(input)``."""
        return F.tanhshrink(input)


class LeakyReLU(_Activation):
    """Return ``x`` where it is positive, ``negative_slope * x`` elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LeakyReLU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.0100,  0.5000,  2.0000])
    """

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        """Return ``leaky_relu`` of the input."""
        return F.leaky_relu(input, self.negative_slope, inplace=self.inplace)


class ELU(_Activation):
    """Return ``x`` above zero, ``alpha * (exp(x) - 1)`` below.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ELU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.6321,  0.5000,  2.0000])
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Return ``elu`` of the input."""
        return F.elu(input, self.alpha, inplace=self.inplace)


class CELU(_Activation):
    """Return ``x`` above zero, ``alpha * (exp(x / alpha) - 1)`` below.

    >>> import tinygrad_lite as tl
    >>> tl.nn.CELU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.6321,  0.5000,  2.0000])
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Return ``celu`` of the input."""
        return F.celu(input, self.alpha, inplace=self.inplace)


class Hardtanh(_Activation):
    """Return ``x`` cut off at ``min_val`` and ``max_val``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Hardtanh()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    shown = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Any) -> Any:
        """Return ``hardtanh`` of the input."""
        return F.hardtanh(input, self.min_val, self.max_val, inplace=self.inplace)


class Threshold(_Activation):
    """Return ``x`` where it is above ``threshold``, ``value`` elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Threshold(0.0, 9.0)(tl.tensor([-1.0, 0.5]))
    tensor([9.0000, 0.5000])
    """

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Any) -> Any:
        """Return ``threshold`` of the input."""
        return F.threshold(input, self.threshold, self.value, inplace=self.inplace)


class Softplus(_Activation):
    """Return ``log(1 + exp(beta * x)) / beta``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Softplus()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.3133, 0.9741, 2.1269])
    """

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        """Return ``softplus`` of the input."""
        return F.softplus(input, self.beta, self.threshold)


class Softshrink(_Activation):
    """Return ``x`` moved towards zero by ``lambd``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Softshrink()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """

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
    """Return ``x`` where it is further than ``lambd`` from zero, 0 elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Hardshrink()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.,  0.,  2.])
    """

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
    """Return the first half along ``dim`` times the sigmoid of the second.

    >>> import tinygrad_lite as tl
    >>> tl.nn.GLU()(tl.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([0.9526, 1.9640])
    """

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

    >>> import tinygrad_lite as tl
    >>> tl.nn.GELU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.1587,  0.3457,  1.9545])
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

    >>> import tinygrad_lite as tl
    >>> tl.nn.PReLU()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.2500,  0.5000,  2.0000], grad_fn=<where>)
    """

    shown = ("num_parameters",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = new_parameter(new.full(num_parameters, init), dtype)
        self._begun()

    def reset_parameters(self) -> None:
        """Fill the weight with its initial value."""
        constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        """Return ``prelu(input, weight)``."""
        return F.prelu(input, self.weight)


class RReLU(_Activation):
    """Compute leaky ReLU with a random slope per element in training.

    In evaluation the slope is the middle of ``lower`` and ``upper``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.RReLU().eval()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.2292,  0.5000,  2.0000])
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Any) -> Any:
        """Return ``rrelu`` of the input."""
        return F.rrelu(input, self.lower, self.upper, self.training, inplace=self.inplace)
