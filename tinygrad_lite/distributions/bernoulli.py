"""The Bernoulli distribution, and the parameters that it shares with other binary distributions."""

from __future__ import annotations

import math
from numbers import Number
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution, ExponentialFamily
from tinygrad_lite.distributions.parameters import broadcast_all, lazy_property, logits_to_probs, probs_to_logits
from tinygrad_lite.ops.losses.classification import binary_cross_entropy_with_logits


class Binary(Distribution):
    """Base of distributions with a parameter ``probs`` or ``logits``, of which the other follows."""

    _parameters: tuple[str, ...] = ("probs", "logits")

    def _take(self, probs: Any, logits: Any) -> bool:
        """Store the one that is given; return whether it is a number."""
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name, given = ("probs", probs) if logits is None else ("logits", logits)
        self.__dict__[name] = broadcast_all(given)[0]
        return isinstance(given, Number)

    @property
    def _param(self) -> Any:
        return self.__dict__["probs"] if "probs" in self.__dict__ else self.__dict__["logits"]

    @property
    def param_shape(self) -> Any:
        """Shape of the parameter."""
        return self._param.size()

    def _new(self, *args: Any, **kwargs: Any) -> Any:
        return self._param.new(*args, **kwargs)

    @lazy_property
    def logits(self) -> Any:
        """The log-odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Any:
        """The probabilities of success."""
        return logits_to_probs(self.logits, is_binary=True)


class Bernoulli(Binary, ExponentialFamily):
    r"""Bernoulli distribution: 1 with probability ``probs``, else 0.

    Either ``probs`` or ``logits``, the log-odds, is given.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Bernoulli(tl.tensor([0.3])).log_prob(tl.tensor([1.0]))
    tensor([-1.2040])
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        number = self._take(probs, logits)
        super().__init__(() if number else self._param.size(), validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.probs

    @property
    def mode(self) -> Any:
        mode = (self.probs >= 0.5).to(self.probs.dtype)
        return tl.where(self.probs == 0.5, math.nan, mode)

    @property
    def variance(self) -> Any:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        with tl.no_grad():
            return tl.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Any:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Any:
        values = tl.arange(2, dtype=self._param.dtype).reshape((-1, *[1] * len(self._batch_shape)))
        return values.expand((-1, *self._batch_shape)) if expand else values

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return (tl.logit(self.probs),)

    def _log_normalizer(self, x: Any) -> Any:
        return tl.log1p(tl.exp(x))
