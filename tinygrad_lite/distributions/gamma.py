"""The gamma distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import ExponentialFamily
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, standard_gamma, tiny_of


class Gamma(ExponentialFamily):
    r"""Gamma distribution of ``concentration`` α and ``rate`` β.

    :math:`p(x) = \frac{\beta^\alpha}{\Gamma(\alpha)} x^{\alpha-1} e^{-\beta x}`. Samples are differentiable in both
    parameters, by implicit reparameterisation (Figurnov et al., 2018); the first derivative only.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Gamma(2.0, 3.0).log_prob(tl.tensor(1.0))
    tensor(-0.8028)
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _parameters = ("concentration", "rate")
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(common_shape(self.rate, concentration, rate), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.concentration / self.rate

    @property
    def mode(self) -> Any:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Any:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        value = standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        return value.clamp(min=tiny_of(value))

    def log_prob(self, value: Any) -> Any:
        value = tl.as_tensor(value, dtype=self.rate.dtype)
        self._check(value)
        powers = tl.xlogy(self.concentration, self.rate) + tl.xlogy(self.concentration - 1, value)
        return powers - self.rate * value - tl.lgamma(self.concentration)

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Any:
        a = self.concentration
        return a - tl.log(self.rate) + tl.lgamma(a) + (1.0 - a) * tl.digamma(a)

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        return tl.lgamma(x + 1) + (x + 1) * tl.log(-y.reciprocal())
