"""The Poisson distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import ExponentialFamily
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, drawn


class Poisson(ExponentialFamily):
    r"""Poisson distribution of the given ``rate``: :math:`P(k) = \lambda^k e^{-\lambda} / k!`.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Poisson(2.0).log_prob(tl.tensor(1.0))
    tensor(-1.3069)
    """

    arg_constraints: ClassVar[Any] = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    _parameters = ("rate",)

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(common_shape(self.rate, rate), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.rate

    @property
    def mode(self) -> Any:
        return self.rate.floor()

    @property
    def variance(self) -> Any:
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Any:
        with tl.no_grad():
            return drawn(self.rate, self._extended_shape(sample_shape), "poisson", self.rate)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        rate, value = broadcast_all(self.rate, value)
        return value.xlogy(rate) - rate - (value + 1).lgamma()

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return (tl.log(self.rate),)

    def _log_normalizer(self, x: Any) -> Any:
        return tl.exp(x)
