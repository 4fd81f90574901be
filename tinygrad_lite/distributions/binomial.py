"""The binomial distribution."""

from __future__ import annotations

from numbers import Number
from typing import Any, ClassVar

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.bernoulli import Binary
from tinygrad_lite.distributions.parameters import broadcast_all
from tinygrad_lite.ops.elementwise.smooth import softplus
from tinygrad_lite.random import default_generator


class Counted(Binary):
    """Base of binary distributions with a parameter ``total_count``."""

    _parameters = ("total_count", "probs", "logits")
    total_count: Any

    def _take_count(self, total_count: Any, probs: Any, logits: Any) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name, given = ("probs", probs) if logits is None else ("logits", logits)
        # The parameter decides the dtype of a count given as a number.
        value = given if not isinstance(given, Number) else tl.tensor(float(given))  # type: ignore[arg-type]
        self.__dict__[name], count = broadcast_all(value, total_count)
        self.total_count = count.to(value.dtype)


class Binomial(Counted):
    r"""Binomial distribution: successes among ``total_count`` trials, :math:`P(k) = \binom{n}{k} p^k (1-p)^{n-k}`.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Binomial(4, tl.tensor([0.5])).log_prob(tl.tensor([2.0]))
    tensor([-0.9808])
    """

    arg_constraints: ClassVar[Any] = {"total_count": constraints.nonnegative_integer,
                                      "probs": constraints.unit_interval, "logits": constraints.real}  # fmt: skip
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take_count(total_count, probs, logits)
        super().__init__(self._param.size(), validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Any:
        return self.total_count * self.probs

    @property
    def mode(self) -> Any:
        return ((self.total_count + 1) * self.probs).floor().minimum(self.total_count)

    @property
    def variance(self) -> Any:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with tl.no_grad():
            counts = np.broadcast_to(self.total_count.array, shape).astype(np.int64)
            chances = np.broadcast_to(np.asarray(self.probs.array, np.float64), shape)
            return tl.tensor(default_generator().binomial(counts, chances), dtype=self._param.dtype)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        n = self.total_count
        ways = tl.lgamma(n + 1) - tl.lgamma(value + 1) - tl.lgamma(n - value + 1)
        return value * self.logits - n * softplus(self.logits) + ways

    def _one_count(self, name: str) -> int:
        count = int(self.total_count.max())
        if not self.total_count.min() == count:
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{name}`.")
        return count

    def entropy(self) -> Any:
        self._one_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(tl.exp(log_prob) * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Any:
        count = self._one_count("enumerate_support")
        values = tl.arange(1 + count, dtype=self._param.dtype).reshape((-1, *[1] * len(self._batch_shape)))
        return values.expand((-1, *self._batch_shape)) if expand else values
