"""The generalised Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, open_uniform


class GeneralizedPareto(Distribution):
    r"""Generalised Pareto distribution: :math:`F(x) = 1 - (1 + \xi (x - \mu)/\sigma)^{-1/\xi}`.

    ``loc`` μ, ``scale`` σ and ``concentration`` ξ; for ξ = 0 it is exponential.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.GeneralizedPareto(0.0, 1.0, 0.5).log_prob(tl.tensor(2.0))
    tensor(-2.0794)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive,
                                      "concentration": constraints.real}  # fmt: skip
    has_rsample = True
    _parameters = ("loc", "scale", "concentration")

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(common_shape(self.loc, loc, scale, concentration), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        upper = tl.where(self.concentration < 0, self.loc - self.scale / self._safe(), math.inf)
        return constraints.interval(self.loc, upper)

    def _safe(self) -> Any:
        return tl.where(self.concentration == 0, 1.0, self.concentration)

    @property
    def mean(self) -> Any:
        inside = self.concentration < 1
        return tl.where(inside, self.loc + self.scale / (1 - tl.where(inside, self.concentration, 0.0)), math.nan)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        inside = self.concentration < 0.5
        k = tl.where(inside, self.concentration, 0.0)
        return tl.where(inside, self.scale.pow(2) / ((1 - k).pow(2) * (1 - 2 * k)), math.nan)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(open_uniform(self.loc, self._extended_shape(sample_shape)))

    def _log_survival(self, value: Any) -> Any:
        z = (value - self.loc) / self.scale
        return tl.where(self.concentration == 0, -z, -tl.log1p(self._safe() * z) / self._safe())

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        return -self.scale.log() + (1 + self.concentration) * self._log_survival(value)

    def log_survival_function(self, value: Any) -> Any:
        """Return the logarithm of the probability of a sample above ``value``."""
        self._check(value)
        return self._log_survival(value)

    def log_cdf(self, value: Any) -> Any:
        """Return the logarithm of `cdf`."""
        return tl.log1p(-tl.exp(self.log_survival_function(value)))

    def cdf(self, value: Any) -> Any:
        return -tl.expm1(self.log_survival_function(value))

    def icdf(self, value: Any) -> Any:
        log = tl.log1p(-value)
        z = tl.where(self.concentration == 0, -log, tl.expm1(-self._safe() * log) / self._safe())
        return self.loc + self.scale * z

    def entropy(self) -> Any:
        return tl.log(self.scale) + self.concentration + 1
