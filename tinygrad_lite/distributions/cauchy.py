"""The Cauchy distribution."""
# ruff: noqa: D102 - the methods are documented in Distribution

# A class attribute replaces a property of the base, as in PyTorch.
# pyright: reportAssignmentType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import (
    broadcast_all,
    common_shape,
    drawn,
)


class Cauchy(Distribution):
    r"""Cauchy distribution of median ``loc`` and half width at half maximum ``scale``.

    :math:`p(x) = \frac1{\pi\gamma (1 + ((x - x_0)/\gamma)^2)}`; it has no mean.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Cauchy(0.0, 1.0).log_prob(tl.tensor(0.0))
    tensor(-1.1447)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _parameters = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(common_shape(self.loc, loc, scale), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return tl.full(self._extended_shape(), math.nan, dtype=self.loc.dtype)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        return tl.full(self._extended_shape(), math.inf, dtype=self.loc.dtype)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        return self.loc + drawn(self.loc, shape, "standard_cauchy") * self.scale

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return tl.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value: Any) -> Any:
        return tl.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self) -> Any:
        return math.log(4 * math.pi) + self.scale.log()
