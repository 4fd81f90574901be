"""The Gumbel distribution."""

from __future__ import annotations

import math
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.distributions.distribution import LocationScale
from tinygrad_lite.distributions.parameters import drawn, euler_constant, tiny_of


class Gumbel(LocationScale):
    r"""Gumbel distribution: :math:`F(x) = \exp(-e^{-(x-\mu)/\beta})` of ``loc`` and ``scale``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Gumbel(0.0, 1.0).log_prob(tl.tensor(0.0))
    tensor(-1.)
    """

    @property
    def mean(self) -> Any:
        return self.loc + self.scale * euler_constant

    @property
    def stddev(self) -> Any:
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Any:
        return self.stddev.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        times = drawn(self.loc, self._extended_shape(sample_shape), "standard_exponential")
        return self.loc - self.scale * times.clamp(min=tiny_of(times)).log()

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return tl.exp(-tl.exp((self.loc - value) / self.scale))

    def icdf(self, value: Any) -> Any:
        return self.loc - self.scale * tl.log(-tl.log(value))

    def entropy(self) -> Any:
        return self.scale.log() + (1 + euler_constant)
