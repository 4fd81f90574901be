"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.binomial import Counted
from tinygrad_lite.distributions.parameters import drawn
from tinygrad_lite.ops.elementwise.smooth import logsigmoid


class NegativeBinomial(Counted):
    r"""Negative binomial distribution: successes of probability ``probs`` before ``total_count`` failures.

    :math:`P(k) = \frac{\Gamma(n+k)}{k!\,\Gamma(n)} (1-p)^n p^k`

    >>> import tinygrad_lite as tl
    >>> tl.distributions.NegativeBinomial(1.0, tl.tensor([0.5])).log_prob(tl.tensor([0.0]))
    tensor([-0.6931])
    """

    arg_constraints: ClassVar[Any] = {"total_count": constraints.greater_than_eq(0),
                                      "probs": constraints.half_open_interval(0.0, 1.0),
                                      "logits": constraints.real}  # fmt: skip
    support = constraints.nonnegative_integer

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take_count(total_count, probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.total_count * tl.exp(self.logits)

    @property
    def mode(self) -> Any:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Any:
        return self.mean / tl.sigmoid(-self.logits)

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with tl.no_grad():
            rate = drawn(self._param, shape, "standard_gamma", self.total_count) * self.logits.exp()
            return drawn(self._param, shape, "poisson", rate)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        n = self.total_count
        chance = n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        empty = n + value == 0.0
        safe = tl.where(empty, 1.0, n)
        ways = tl.lgamma(safe + value) - tl.lgamma(1.0 + value) - tl.lgamma(safe)
        return chance + tl.where(empty, 0.0, ways)
