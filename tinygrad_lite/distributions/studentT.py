"""Student's t-distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, standard_gamma


class StudentT(Distribution):
    r"""Student's t-distribution with ``df`` degrees of freedom, moved by ``loc`` and scaled by ``scale``.

    :math:`p(x) \propto (1 + ((x-\mu)/\sigma)^2 / \nu)^{-(\nu+1)/2}`

    >>> import tinygrad_lite as tl
    >>> tl.distributions.StudentT(2.0).log_prob(tl.tensor(0.0))
    tensor(-1.0397)
    """

    arg_constraints: ClassVar[Any] = {"df": constraints.positive, "loc": constraints.real,
                                      "scale": constraints.positive}  # fmt: skip
    support = constraints.real
    has_rsample = True
    _parameters = ("df", "loc", "scale")

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.size(), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return tl.where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        finite = self.df > 2
        df = tl.where(finite, self.df, 3.0)
        rest = tl.where(self.df > 1, tl.full_like(self.df, math.inf), math.nan)
        return tl.where(finite, self.scale.pow(2) * df / (df - 2), rest)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        x = tl.randn(shape, dtype=self.df.dtype)
        z = standard_gamma((self.df / 2).expand(shape)) * 2
        return self.loc + self.scale * (x * tl.rsqrt(z / self.df))

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        y, df = (value - self.loc) / self.scale, self.df
        normalizer = (self.scale.log() + 0.5 * df.log() + 0.5 * math.log(math.pi)
                      + tl.lgamma(0.5 * df) - tl.lgamma(0.5 * (df + 1.0)))  # fmt: skip
        return -0.5 * (df + 1.0) * tl.log1p(y**2.0 / df) - normalizer

    def entropy(self) -> Any:
        df = self.df
        log_beta = tl.lgamma(0.5 * df) + math.lgamma(0.5) - tl.lgamma(0.5 * (df + 1))
        slope = 0.5 * (df + 1) * (tl.digamma(0.5 * (df + 1)) - tl.digamma(0.5 * df))
        return self.scale.log() + slope + 0.5 * df.log() + log_beta
