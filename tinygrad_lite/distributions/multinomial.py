"""The multinomial distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.binomial import Binomial
from tinygrad_lite.distributions.categorical import Categorical
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all
from tinygrad_lite.random import default_generator


class Multinomial(Distribution):
    r"""Multinomial distribution: counts of n outcomes in ``total_count`` trials, of ``probs`` or ``logits`` (..., n).

    ``total_count`` is one whole number. :math:`P(x) = \frac{N!}{\prod x_i!} \prod p_i^{x_i}`

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Multinomial(2, tl.tensor([0.5, 0.5])).log_prob(tl.tensor([1.0, 1.0]))
    tensor(-0.6931)
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    total_count: int

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        n = self._categorical._num_events
        super().__init__(self._categorical.batch_shape, (n,), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Multinomial, _instance)
        new.total_count, new._categorical = self.total_count, self._categorical.expand(batch_shape)
        return self._filled(new, batch_shape)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def logits(self) -> Any:
        """Normalised log-probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Any:
        """Normalised probabilities."""
        return self._categorical.probs

    @property
    def param_shape(self) -> Any:
        """Shape of the parameter."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Any:
        return self.probs * self.total_count

    @property
    def variance(self) -> Any:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        with tl.no_grad():
            shape = self._extended_shape(sample_shape)
            chances = np.asarray(self.probs.array, np.float64)
            chances = chances / chances.sum(-1, keepdims=True)
            counts = default_generator().multinomial(self.total_count, chances, size=tuple(shape[:-1]))
            return tl.tensor(counts, dtype=self.probs.dtype)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        ways = tl.lgamma(value.sum(-1) + 1) - tl.lgamma(value + 1).sum(-1)
        logits = tl.where((value == 0) & (logits == -math.inf), 0.0, logits)
        return ways + (logits * value).sum(-1)

    def entropy(self) -> Any:
        binomial = Binomial(self.total_count, self.probs)
        term = self.total_count * self._categorical.entropy() - math.lgamma(self.total_count + 1)
        support = binomial.enumerate_support(expand=False)[1:]
        chances = tl.exp(binomial.log_prob(support))
        return term + (chances * tl.lgamma(support + 1)).sum((0, -1))
