"""The inverse gamma distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.gamma import Gamma


class InverseGamma(Distribution):
    r"""Distribution of ``1 / x`` for x of ``Gamma(concentration, rate)``.

    :math:`p(x) = \frac{\beta^\alpha}{\Gamma(\alpha)} x^{-\alpha-1} e^{-\beta/x}`

    >>> import tinygrad_lite as tl
    >>> tl.distributions.InverseGamma(2.0, 3.0).log_prob(tl.tensor(1.0))
    tensor(-0.8028)
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.base_dist = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(self.base_dist.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(InverseGamma, _instance)
        new.base_dist = self.base_dist.expand(batch_shape)
        return self._filled(new, batch_shape)

    @property
    def concentration(self) -> Any:
        """Concentration of the gamma distribution."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Any:
        """Rate of the gamma distribution."""
        return self.base_dist.rate

    @property
    def mean(self) -> Any:
        finite = self.concentration > 1
        a = tl.where(finite, self.concentration, 2.0)
        return tl.where(finite, self.rate / (a - 1), math.inf)

    @property
    def mode(self) -> Any:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Any:
        finite = self.concentration > 2
        a = tl.where(finite, self.concentration, 3.0)
        return tl.where(finite, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape).reciprocal()

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        a, log = self.concentration, value.log()
        return a * self.rate.log() - tl.lgamma(a) - (a + 1) * log - self.rate / value

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return special.gammaincc(self.concentration, self.rate / value)

    def entropy(self) -> Any:
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()
