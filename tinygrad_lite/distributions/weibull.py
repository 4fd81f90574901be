"""The Weibull distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, drawn, euler_constant, tiny_of


class Weibull(Distribution):
    r"""Weibull distribution: :math:`F(x) = 1 - e^{-(x/\lambda)^k}` of ``scale`` and ``concentration`` k.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Weibull(1.0, 1.0).log_prob(tl.tensor(2.0))
    tensor(-2.)
    """

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _parameters = ("scale", "concentration")

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        super().__init__(common_shape(self.scale, scale, concentration), validate_args=validate_args)

    @property
    def concentration_reciprocal(self) -> Any:
        """One over the concentration."""
        return self.concentration.reciprocal()

    def _moment(self, order: int) -> Any:
        return tl.exp(tl.lgamma(1 + order * self.concentration_reciprocal))

    @property
    def mean(self) -> Any:
        return self.scale * self._moment(1)

    @property
    def mode(self) -> Any:
        return self.scale * ((self.concentration - 1) / self.concentration) ** self.concentration_reciprocal

    @property
    def variance(self) -> Any:
        return self.scale.pow(2) * (self._moment(2) - self._moment(1).pow(2))

    def rsample(self, sample_shape: Any = ()) -> Any:
        times = drawn(self.scale, self._extended_shape(sample_shape), "standard_exponential")
        return self.scale * times.clamp(min=tiny_of(times)).pow(self.concentration_reciprocal)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        log = (value / self.scale).log()
        power = tl.exp(self.concentration * log)
        return (self.concentration / self.scale).log() + (self.concentration - 1) * log - power

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return 1 - tl.exp(-((value / self.scale).pow(self.concentration)))

    def icdf(self, value: Any) -> Any:
        return self.scale * (-tl.log1p(-value)).pow(self.concentration_reciprocal)

    def entropy(self) -> Any:
        k = self.concentration_reciprocal
        return euler_constant * (1 - k) + tl.log(self.scale * k) + 1
