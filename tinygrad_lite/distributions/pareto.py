"""The Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, drawn


class Pareto(Distribution):
    r"""Pareto distribution: :math:`p(x) = \alpha s^\alpha x^{-\alpha-1}` for x from ``scale`` upwards.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Pareto(1.0, 2.0).log_prob(tl.tensor(2.0))
    tensor(-1.3863)
    """

    arg_constraints: ClassVar[Any] = {"alpha": constraints.positive, "scale": constraints.positive}
    has_rsample = True
    _parameters = ("scale", "alpha")

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        super().__init__(common_shape(self.scale, scale, alpha), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Any:
        finite = self.alpha > 1
        a = tl.where(finite, self.alpha, 2.0)
        return tl.where(finite, a * self.scale / (a - 1), math.inf)

    @property
    def mode(self) -> Any:
        return self.scale

    @property
    def variance(self) -> Any:
        finite = self.alpha > 2
        a = tl.where(finite, self.alpha, 3.0)
        return tl.where(finite, self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2)), math.inf)

    def rsample(self, sample_shape: Any = ()) -> Any:
        times = drawn(self.scale, self._extended_shape(sample_shape), "standard_exponential")
        return self.scale * tl.exp(times / self.alpha)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        return self.alpha.log() + self.alpha * self.scale.log() - (self.alpha + 1) * value.log()

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return 1 - (self.scale / value).pow(self.alpha)

    def icdf(self, value: Any) -> Any:
        return self.scale * tl.exp(-tl.log1p(-value) / self.alpha)

    def entropy(self) -> Any:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
