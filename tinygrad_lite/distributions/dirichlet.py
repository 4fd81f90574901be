"""The Dirichlet distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import ExponentialFamily
from tinygrad_lite.distributions.parameters import dirichlet_sample


class Dirichlet(ExponentialFamily):
    r"""Dirichlet distribution over the simplex, of positive ``concentration`` (..., n).

    :math:`p(x) \propto \prod_i x_i^{\alpha_i - 1}`. Samples are differentiable once, by implicit reparameterisation.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Dirichlet(tl.ones(3)).log_prob(tl.tensor([0.2, 0.3, 0.5]))
    tensor(0.6931)
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True
    _parameters = ("concentration",)

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Any:
        above = (self.concentration - 1).clamp(min=0.0)
        total = above.sum(-1, keepdim=True)
        flat = (self.concentration < 1).all(-1, keepdim=True)  # all the mass lies in the corners: take the first
        first = tl.arange(above.shape[-1]) == 0
        # Where all concentrations are 1 the density is constant, and there is no mode.
        mode = tl.where(total > 0, above / tl.where(total > 0, total, 1.0), math.nan)
        return tl.where(flat, first.to(above.dtype), mode)

    @property
    def variance(self) -> Any:
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return dirichlet_sample(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        a = self.concentration
        return tl.xlogy(a - 1.0, value).sum(-1) + tl.lgamma(a.sum(-1)) - tl.lgamma(a).sum(-1)

    def entropy(self) -> Any:
        a, n = self.concentration, self.concentration.shape[-1]
        total = a.sum(-1)
        normalizer = tl.lgamma(a).sum(-1) - tl.lgamma(total)
        return normalizer - (n - total) * tl.digamma(total) - ((a - 1.0) * tl.digamma(a)).sum(-1)

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return (self.concentration,)

    def _log_normalizer(self, x: Any) -> Any:
        return x.lgamma().sum(-1) - tl.lgamma(x.sum(-1))
