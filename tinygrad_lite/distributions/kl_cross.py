"""Kullback-Leibler divergences between distributions of different families.

Each is ``-entropy(p) - E[log q(x)]``: the functions here are the expectations of ``log q`` under p for one q each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.distributions.bernoulli import Bernoulli
from tinygrad_lite.distributions.beta import Beta
from tinygrad_lite.distributions.binomial import Binomial
from tinygrad_lite.distributions.continuous_bernoulli import ContinuousBernoulli
from tinygrad_lite.distributions.exponential import Exponential
from tinygrad_lite.distributions.gamma import Gamma
from tinygrad_lite.distributions.gumbel import Gumbel
from tinygrad_lite.distributions.kl import register_kl
from tinygrad_lite.distributions.laplace import Laplace
from tinygrad_lite.distributions.normal import Normal
from tinygrad_lite.distributions.parameters import euler_constant
from tinygrad_lite.distributions.pareto import Pareto
from tinygrad_lite.distributions.poisson import Poisson
from tinygrad_lite.distributions.uniform import Uniform

INFINITE = (
    (Beta, Pareto), (ContinuousBernoulli, Pareto), (Exponential, Beta), (Exponential, ContinuousBernoulli),
    (Exponential, Pareto), (Exponential, Uniform), (Gamma, Beta), (Gamma, ContinuousBernoulli), (Gamma, Pareto),
    (Gamma, Uniform), (Gumbel, Beta), (Gumbel, ContinuousBernoulli), (Gumbel, Exponential), (Gumbel, Gamma),
    (Gumbel, Pareto), (Gumbel, Uniform), (Laplace, Beta), (Laplace, ContinuousBernoulli), (Laplace, Exponential),
    (Laplace, Gamma), (Laplace, Pareto), (Laplace, Uniform), (Normal, Beta), (Normal, ContinuousBernoulli),
    (Normal, Exponential), (Normal, Gamma), (Normal, Pareto), (Normal, Uniform), (Pareto, Beta),
    (Pareto, ContinuousBernoulli), (Pareto, Uniform), (Poisson, Bernoulli), (Poisson, Binomial),
)  # fmt: skip
"""Pairs where p has values that q cannot have."""


def _infinite(p: Any, q: Any) -> Any:
    shape = tl.broadcast_shapes(p.batch_shape, q.batch_shape)
    return tl.full(shape, math.inf, dtype=p.mean.dtype)


def _expected(families: tuple[type, ...], q_family: type) -> Callable[[Any], Any]:
    """Register the decorated ``E[log q]`` for every p of ``families``."""

    def decorate(log_q: Callable[[Any, Any], Any]) -> Any:
        def divergence(p: Any, q: Any) -> Any:
            return -p.entropy() - log_q(p, q)

        for family in families:
            register_kl(family, q_family)(divergence)
        return log_q

    return decorate


def _x_log_x(x: Any) -> Any:
    return tl.xlogy(x, x)


def _mean_log(p: Any) -> Any:
    """Return the expectation of ``log x``."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Exponential):
        return -euler_constant - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    if isinstance(p, Uniform):
        low = p.low.clamp(min=0)
        return (_x_log_x(p.high) - _x_log_x(low)) / (p.high - low) - 1
    raise NotImplementedError(f"kl_divergence: the mean logarithm of {type(p).__name__} is not known")


def _below_zero(p: Any, value: Any) -> Any:
    """Return -inf where a uniform distribution reaches below zero."""
    return tl.where(p.low < 0, -math.inf, value) if isinstance(p, Uniform) else value


@_expected((Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform), Normal)
def _normal(p: Any, q: Any) -> Any:
    squares = p.variance + (p.mean - q.loc).pow(2)
    log = -0.5 * (2 * math.pi * q.scale.pow(2)).log() - squares / (2 * q.scale.pow(2))
    return tl.where(p.alpha <= 2, -math.inf, log) if isinstance(p, Pareto) else log


@_expected((Beta, ContinuousBernoulli, Gamma, Pareto, Uniform), Exponential)
def _exponential(p: Any, q: Any) -> Any:
    log = q.rate.log() - q.rate * p.mean
    log = tl.where(p.alpha <= 1, -math.inf, log) if isinstance(p, Pareto) else log
    return _below_zero(p, log)


@_expected((Beta, Exponential, Pareto, Uniform), Gamma)
def _gamma(p: Any, q: Any) -> Any:
    a, b = q.concentration, q.rate
    log = a * b.log() - a.lgamma() + (a - 1) * _mean_log(p) - b * p.mean
    log = tl.where(p.alpha <= 1, -math.inf, log) if isinstance(p, Pareto) else log
    return _below_zero(p, log)


@_expected((Exponential, Gamma, Normal, Uniform), Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    s = q.scale
    if isinstance(p, Normal):
        moment = tl.exp(-p.loc / s + 0.5 * (p.scale / s).pow(2))
    elif isinstance(p, Uniform):
        moment = s * (tl.exp(-p.low / s) - tl.exp(-p.high / s)) / (p.high - p.low)
    elif isinstance(p, Exponential):
        moment = p.rate / (p.rate + 1 / s)
    else:
        moment = (1 + 1 / (p.rate * s)).pow(-p.concentration)
    return -s.log() + (q.loc - p.mean) / s - tl.exp(q.loc / s) * moment


@_expected((Normal,), Laplace)
def _laplace(p: Any, q: Any) -> Any:
    d = p.loc - q.loc
    near = math.sqrt(2 / math.pi) * p.scale * tl.exp(-0.5 * (d / p.scale).pow(2))
    distance = near + d * tl.erf(d / (math.sqrt(2) * p.scale))
    return -(2 * q.scale).log() - distance / q.scale


@_expected((Beta, Uniform), ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    log = p.mean * q.logits + tl.log1p(-q.probs) + q._log_constant()
    return tl.where((p.high > 1) | (p.low < 0), -math.inf, log) if isinstance(p, Uniform) else log


@_expected((Beta, ContinuousBernoulli), Uniform)
def _uniform(p: Any, q: Any) -> Any:
    log = -(q.high - q.low).log()
    return tl.where((q.low <= 0) & (q.high >= 1), log, -math.inf)


@_expected((Uniform,), Beta)
def _beta(p: Any, q: Any) -> Any:
    inside = (p.low >= 0) & (p.high <= 1)
    low, high = tl.where(inside, p.low, 0.0), tl.where(inside, p.high, 1.0)
    a, b = q.concentration1, q.concentration0
    left = (_x_log_x(high) - _x_log_x(low)) / (high - low) - 1
    right = (_x_log_x(1 - low) - _x_log_x(1 - high)) / (high - low) - 1
    log = (a - 1) * left + (b - 1) * right + (a + b).lgamma() - a.lgamma() - b.lgamma()
    return tl.where(inside, log, -math.inf)


@_expected((Uniform,), Pareto)
def _pareto(p: Any, q: Any) -> Any:
    log = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _mean_log(p)
    return tl.where(p.low < q.scale, -math.inf, log)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


for _p, _q in INFINITE:
    register_kl(_p, _q)(_infinite)
