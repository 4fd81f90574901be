"""The Gumbel distribution."""
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
    euler_constant,
    tiny_of,
)


class Gumbel(Distribution):
    r"""Gumbel distribution: :math:`F(x) = \exp(-e^{-(x-\mu)/\beta})` of ``loc`` and ``scale``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Gumbel(0.0, 1.0).log_prob(tl.tensor(0.0))
    tensor(-1.)
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
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Any:
        return self.loc

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
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return tl.exp(-tl.exp((self.loc - value) / self.scale))

    def icdf(self, value: Any) -> Any:
        return self.loc - self.scale * tl.log(-tl.log(value))

    def entropy(self) -> Any:
        return self.scale.log() + (1 + euler_constant)
