"""The exponential distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import ExponentialFamily
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, drawn


class Exponential(ExponentialFamily):
    r"""Exponential distribution of the given ``rate``: :math:`p(x) = \lambda e^{-\lambda x}`.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Exponential(2.0).log_prob(tl.tensor(1.0))
    tensor(-1.3069)
    """

    arg_constraints: ClassVar[Any] = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _parameters = ("rate",)
    _mean_carrier_measure = 0

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(common_shape(self.rate, rate), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.rate.reciprocal()

    @property
    def mode(self) -> Any:
        return tl.zeros_like(self.rate)

    @property
    def stddev(self) -> Any:
        return self.rate.reciprocal()

    @property
    def variance(self) -> Any:
        return self.rate.pow(-2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return drawn(self.rate, self._extended_shape(sample_shape), "standard_exponential") / self.rate

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return 1 - tl.exp(-self.rate * value)

    def icdf(self, value: Any) -> Any:
        return -tl.log1p(-value) / self.rate

    def entropy(self) -> Any:
        return 1.0 - tl.log(self.rate)

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return (-self.rate,)

    def _log_normalizer(self, x: Any) -> Any:
        return -tl.log(-x)
