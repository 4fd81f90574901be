"""The Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.distributions.distribution import LocationScale
from tinygrad_lite.distributions.parameters import drawn


class Cauchy(LocationScale):
    r"""Cauchy distribution of median ``loc`` and half width at half maximum ``scale``.

    :math:`p(x) = \frac1{\pi\gamma (1 + ((x - x_0)/\gamma)^2)}`; it has no mean.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Cauchy(0.0, 1.0).log_prob(tl.tensor(0.0))
    tensor(-1.1447)
    """

    @property
    def mean(self) -> Any:
        return tl.full(self._extended_shape(), math.nan, dtype=self.loc.dtype)

    @property
    def variance(self) -> Any:
        return tl.full(self._extended_shape(), math.inf, dtype=self.loc.dtype)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        return self.loc + drawn(self.loc, shape, "standard_cauchy") * self.scale

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return tl.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value: Any) -> Any:
        return tl.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self) -> Any:
        return math.log(4 * math.pi) + self.scale.log()
