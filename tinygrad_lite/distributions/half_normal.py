"""The half-normal distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.normal import Normal


class Half(Distribution):
    """Base of the distributions of ``|x|`` for an ``x`` of a symmetric distribution around 0."""

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _whole: Any

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        self.base_dist = self._whole(0, scale, validate_args=False)
        super().__init__(self.base_dist.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Half, _instance)
        new.base_dist = self.base_dist.expand(batch_shape)
        return self._filled(new, batch_shape)

    @property
    def scale(self) -> Any:
        """Scale of the whole distribution."""
        return self.base_dist.scale

    @property
    def mode(self) -> Any:
        return tl.zeros_like(self.scale)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape).abs()

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        return tl.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Any) -> Any:
        self._check(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Any) -> Any:
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Any:
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(Half):
    r"""Distribution of ``|x|`` for a normal ``x`` of mean 0 and standard deviation ``scale``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.HalfNormal(1.0).log_prob(tl.tensor(0.0))
    tensor(-0.2258)
    """

    _whole = Normal

    @property
    def mean(self) -> Any:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Any:
        return self.scale.pow(2) * (1 - 2 / math.pi)
