"""The Kumaraswamy distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import (
    broadcast_all,
    common_shape,
    eps_of,
    euler_constant,
    open_uniform,
    tiny_of,
)


class Kumaraswamy(Distribution):
    r"""Kumaraswamy distribution: :math:`F(x) = 1 - (1 - x^a)^b`, a = ``concentration1``, b = ``concentration0``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Kumaraswamy(1.0, 1.0).log_prob(tl.tensor(0.4))
    tensor(0.)
    """

    arg_constraints: ClassVar[Any] = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True
    _parameters = ("concentration1", "concentration0")

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        shape = common_shape(self.concentration1, concentration1, concentration0)
        super().__init__(shape, validate_args=validate_args)

    def _moment(self, n: int) -> Any:
        a, b = self.concentration1, self.concentration0
        x = 1 + n / a
        return tl.exp(b.log() + tl.lgamma(x) + tl.lgamma(b) - tl.lgamma(x + b))

    @property
    def mean(self) -> Any:
        return self._moment(1)

    @property
    def mode(self) -> Any:
        a, b = self.concentration1, self.concentration0
        inside = (a >= 1) & (b >= 1) & (a * b > 1)
        a, b = tl.where(inside, a, 2.0), tl.where(inside, b, 2.0)
        return tl.where(inside, ((a - 1) / (a * b - 1)).pow(1 / a), math.nan)

    @property
    def variance(self) -> Any:
        return self._moment(2) - self.mean.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self._clipped(self.icdf(open_uniform(self.concentration1, self._extended_shape(sample_shape))))

    @staticmethod
    def _clipped(x: Any) -> Any:
        return x.clamp(min=tiny_of(x), max=1 - eps_of(x) / 2)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        a, b = self.concentration1, self.concentration0
        return a.log() + b.log() + tl.xlogy(a - 1, value) + special.xlog1py(b - 1, -value.pow(a))

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return 1 - (1 - value.pow(self.concentration1)).pow(self.concentration0)

    def icdf(self, value: Any) -> Any:
        inner = -tl.expm1(tl.log1p(-value) / self.concentration0)
        return inner.pow(1 / self.concentration1)

    def entropy(self) -> Any:
        a, b = self.concentration1, self.concentration0
        harmonic = tl.digamma(b + 1) + euler_constant
        return (1 - 1 / b) + (1 - 1 / a) * harmonic - a.log() - b.log()
