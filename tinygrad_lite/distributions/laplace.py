"""The Laplace distribution."""

from __future__ import annotations

from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.distributions.distribution import LocationScale
from tinygrad_lite.distributions.parameters import eps_of, open_uniform


class Laplace(LocationScale):
    r"""Laplace distribution: :math:`p(x) = \frac1{2b} e^{-|x-\mu|/b}` of mean ``loc`` and ``scale`` b.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Laplace(0.0, 1.0).log_prob(tl.tensor(1.0))
    tensor(-1.6931)
    """

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Any:
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: Any = ()) -> Any:
        u = 2 * open_uniform(self.loc, self._extended_shape(sample_shape)) - 1
        u = u.clamp(min=-1 + eps_of(u))
        return self.loc - self.scale * u.sign() * tl.log1p(-u.abs())

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        return -tl.log(2 * self.scale) - tl.abs(value - self.loc) / self.scale

    def cdf(self, value: Any) -> Any:
        self._check(value)
        distance = value - self.loc
        return 0.5 - 0.5 * distance.sign() * tl.expm1(-distance.abs() / self.scale)

    def icdf(self, value: Any) -> Any:
        term = value - 0.5
        return self.loc - self.scale * term.sign() * tl.log1p(-2 * term.abs())

    def entropy(self) -> Any:
        return 1 + tl.log(2 * self.scale)
