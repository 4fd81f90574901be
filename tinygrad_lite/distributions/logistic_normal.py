"""The logistic-normal distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.normal import Normal
from tinygrad_lite.distributions.transformed_distribution import TransformedDistribution
from tinygrad_lite.distributions.transforms import StickBreakingTransform


class LogisticNormal(TransformedDistribution):
    """Distribution over the simplex: normal numbers (..., n) through `StickBreakingTransform` to n + 1 parts.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.LogisticNormal(tl.zeros(2), tl.ones(2)).sample().shape
    (3,)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand((1,))
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(LogisticNormal, _instance))

    @property
    def loc(self) -> Any:
        """Mean of the normal numbers."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Any:
        """Standard deviation of the normal numbers."""
        return self.base_dist.base_dist.scale
