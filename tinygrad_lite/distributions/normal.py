"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions.distribution import ExponentialFamily, LocationScale


class Normal(LocationScale, ExponentialFamily):
    r"""Normal distribution of mean ``loc`` and standard deviation ``scale``.

    :math:`p(x) = \frac1{\sigma\sqrt{2\pi}} e^{-(x-\mu)^2/(2\sigma^2)}`. The parameters broadcast.

    >>> import tinygrad_lite as tl
    >>> m = tl.distributions.Normal(0.0, 1.0)
    >>> m.log_prob(tl.tensor(0.0)), m.cdf(tl.tensor(0.0))
    (tensor(-0.9189), tensor(0.5000))
    """

    _mean_carrier_measure = 0

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def stddev(self) -> Any:
        return self.scale

    @property
    def variance(self) -> Any:
        return self.scale.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.loc + tl.randn(self._extended_shape(sample_shape), dtype=self.loc.dtype) * self.scale

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        squares = (value - self.loc) ** 2 / (2 * self.scale**2)
        return -squares - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return special.ndtr((value - self.loc) / self.scale)

    def icdf(self, value: Any) -> Any:
        return self.loc + self.scale * tl.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Any:
        return 0.5 + 0.5 * math.log(2 * math.pi) + tl.log(self.scale)

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return self.loc / self.scale.pow(2), -0.5 * self.scale.pow(2).reciprocal()

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        return -0.25 * x.pow(2) / y + 0.5 * tl.log(-math.pi / y)
