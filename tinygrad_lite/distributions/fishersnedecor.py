"""The F-distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, standard_gamma, tiny_of


class FisherSnedecor(Distribution):
    r"""Fisher and Snedecor's F-distribution: the ratio of two chi-squared numbers, each over its ``df``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.FisherSnedecor(2.0, 4.0).log_prob(tl.tensor(1.0))
    tensor(-1.2164)
    """

    arg_constraints: ClassVar[Any] = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _parameters = ("df1", "df2")

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(common_shape(self.df1, df1, df2), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        inside = self.df2 > 2
        df2 = tl.where(inside, self.df2, 3.0)
        return tl.where(inside, df2 / (df2 - 2), math.nan)

    @property
    def mode(self) -> Any:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return tl.where(self.df1 > 2, mode, math.nan)

    @property
    def variance(self) -> Any:
        inside = self.df2 > 4
        df2 = tl.where(inside, self.df2, 5.0)
        variance = 2 * df2.pow(2) * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).pow(2) * (df2 - 4))
        return tl.where(inside, variance, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        x1 = standard_gamma((self.df1 / 2).expand(shape)) / (self.df1 / 2)
        x2 = standard_gamma((self.df2 / 2).expand(shape)) / (self.df2 / 2)
        y = x1 / x2.clamp(min=tiny_of(x2))
        return y.clamp(min=tiny_of(y))

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        a, b = self.df1 * 0.5, self.df2 * 0.5
        ratio = self.df1 / self.df2
        constant = (a + b).lgamma() - a.lgamma() - b.lgamma()
        return constant + a * ratio.log() + (a - 1) * value.log() - (a + b) * tl.log1p(ratio * value)
