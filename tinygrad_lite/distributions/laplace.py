"""The Laplace distribution."""
# ruff: noqa: D102 - the methods are documented in Distribution

# A class attribute replaces a property of the base, as in PyTorch.
# pyright: reportAssignmentType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import (
    broadcast_all,
    common_shape,
    eps_of,
    open_uniform,
)


class Laplace(Distribution):
    r"""Laplace distribution: :math:`p(x) = \frac1{2b} e^{-|x-\mu|/b}` of mean ``loc`` and ``scale`` b.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Laplace(0.0, 1.0).log_prob(tl.tensor(1.0))
    tensor(-1.6931)
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
        return self.loc

    @property
    def mode(self) -> Any:
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
        if self._validate_args:
            self._validate_sample(value)
        return -tl.log(2 * self.scale) - tl.abs(value - self.loc) / self.scale

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        distance = value - self.loc
        return 0.5 - 0.5 * distance.sign() * tl.expm1(-distance.abs() / self.scale)

    def icdf(self, value: Any) -> Any:
        term = value - 0.5
        return self.loc - self.scale * term.sign() * tl.log1p(-2 * term.abs())

    def entropy(self) -> Any:
        return 1 + tl.log(2 * self.scale)
