"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.bernoulli import Binary
from tinygrad_lite.distributions.parameters import broadcast_all, clamp_probs, lazy_property, logits_to_probs
from tinygrad_lite.ops.losses.classification import binary_cross_entropy_with_logits


class ContinuousBernoulli(Binary):
    r"""Continuous Bernoulli distribution on [0, 1]: :math:`p(x) \propto \lambda^x (1-\lambda)^{1-x}`.

    Where ``probs`` lies within ``lims``, close to a half, a Taylor series replaces the formulas (Loaiza-Ganem and
    Cunningham, "The continuous Bernoulli", 2019).

    >>> import tinygrad_lite as tl
    >>> tl.distributions.ContinuousBernoulli(tl.tensor([0.5])).log_prob(tl.tensor([0.2]))
    tensor([0.])
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        number = self._take(probs, logits)
        if probs is not None:
            if validate_args is not None and not constraints.unit_interval.check(self.probs).all():
                raise ValueError("The parameter probs has invalid values")
            self.__dict__["probs"] = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(() if number else self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(batch_shape, self._get_checked_instance(ContinuousBernoulli, _instance))
        new._lims = self._lims
        return new

    @lazy_property
    def probs(self) -> Any:
        """The parameter, away from 0 and 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside(self) -> Any:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut(self) -> Any:
        return tl.where(self._outside(), self.probs, self._lims[0])

    def _log_constant(self) -> Any:
        p = self._cut()
        low = tl.where(p <= 0.5, p, 0.0)
        high = tl.where(p >= 0.5, p, 1.0)
        log = tl.log(tl.abs(tl.log1p(-p) - tl.log(p))) - tl.where(p <= 0.5, tl.log1p(-2 * low), tl.log(2 * high - 1))
        x = (self.probs - 0.5).pow(2)
        return tl.where(self._outside(), log, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Any:
        p, x = self._cut(), self.probs - 0.5
        mean = p / (2 * p - 1) + 1 / (tl.log1p(-p) - tl.log(p))
        return tl.where(self._outside(), mean, 0.5 + (1 / 3 + 16 / 45 * x.pow(2)) * x)

    @property
    def variance(self) -> Any:
        p, x = self._cut(), (self.probs - 0.5).pow(2)
        variance = p * (p - 1) / (1 - 2 * p).pow(2) + 1 / (tl.log1p(-p) - tl.log(p)).pow(2)
        return tl.where(self._outside(), variance, 1 / 12 - (1 / 15 - 128 / 945 * x) * x)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(tl.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_constant()

    def cdf(self, value: Any) -> Any:
        self._check(value)
        p = self._cut()
        inner = (p.pow(value) * (1 - p).pow(1 - value) + p - 1) / (2 * p - 1)
        inside = tl.where(self._outside(), inner, value)
        return tl.where(value <= 0, 0.0, tl.where(value >= 1, 1.0, inside))

    def icdf(self, value: Any) -> Any:
        p = self._cut()
        inner = (tl.log1p(-p + value * (2 * p - 1)) - tl.log1p(-p)) / (tl.log(p) - tl.log1p(-p))
        # To first order, so that samples have a gradient at a half too.
        middle = value + 2 * (self.probs - 0.5) * value * (1 - value)
        return tl.where(self._outside(), inner, middle)

    def entropy(self) -> Any:
        log0, log1 = tl.log1p(-self.probs), tl.log(self.probs)
        return self.mean * (log0 - log1) - self._log_constant() - log0
