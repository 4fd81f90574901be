"""The Kullback-Leibler divergence, and the table of its formulas.

This file has `kl_divergence`, `register_kl` and the divergences between two members of a family; `kl_cross` has those
between different families.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.distributions.bernoulli import Bernoulli
from tinygrad_lite.distributions.beta import Beta
from tinygrad_lite.distributions.binomial import Binomial
from tinygrad_lite.distributions.categorical import Categorical
from tinygrad_lite.distributions.cauchy import Cauchy
from tinygrad_lite.distributions.continuous_bernoulli import ContinuousBernoulli
from tinygrad_lite.distributions.dirichlet import Dirichlet
from tinygrad_lite.distributions.distribution import Distribution, ExponentialFamily
from tinygrad_lite.distributions.exponential import Exponential
from tinygrad_lite.distributions.gamma import Gamma
from tinygrad_lite.distributions.geometric import Geometric
from tinygrad_lite.distributions.gumbel import Gumbel
from tinygrad_lite.distributions.half_cauchy import HalfCauchy
from tinygrad_lite.distributions.half_normal import HalfNormal
from tinygrad_lite.distributions.independent import Independent
from tinygrad_lite.distributions.inverse_gamma import InverseGamma
from tinygrad_lite.distributions.kumaraswamy import Kumaraswamy
from tinygrad_lite.distributions.laplace import Laplace
from tinygrad_lite.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from tinygrad_lite.distributions.multivariate_normal import MultivariateNormal, mahalanobis
from tinygrad_lite.distributions.normal import Normal
from tinygrad_lite.distributions.one_hot_categorical import OneHotCategorical
from tinygrad_lite.distributions.parameters import euler_constant, sum_rightmost
from tinygrad_lite.distributions.pareto import Pareto
from tinygrad_lite.distributions.poisson import Poisson
from tinygrad_lite.distributions.transformed_distribution import TransformedDistribution
from tinygrad_lite.distributions.uniform import Uniform
from tinygrad_lite.distributions.weibull import Weibull
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.ops.elementwise.smooth import softplus

__all__ = ["kl_divergence", "register_kl"]

KL: dict[tuple[type, type], Callable[[Any, Any], Any]] = {}
"""The formula for each pair of classes; a subclass without one uses that of its base."""
_found: dict[tuple[type, type], Callable[[Any, Any], Any]] = {}


@named
def register_kl(type_p: type, type_q: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as the divergence between two classes of distributions.

    Raise TypeError for what is not a subclass of `Distribution`.

    >>> import tinygrad_lite as tl
    >>> D = tl.distributions
    >>> class Point(D.Distribution):
    ...     arg_constraints = {}
    >>> @D.register_kl(Point, Point)
    ... def _(p, q):
    ...     return tl.zeros(())
    >>> D.kl_divergence(Point(), Point())
    tensor(0.)
    """
    for name, given in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(given, type) and issubclass(given, Distribution)):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {given}")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        KL[type_p, type_q] = function
        _found.clear()
        return function

    return decorate


def _closest(type_p: type, type_q: type) -> Any:
    """Return the formula of the most derived registered pair; the class of p decides before that of q."""
    pairs = [(p, q) for p, q in KL if issubclass(type_p, p) and issubclass(type_q, q)]
    if not pairs:
        return None
    return KL[min(pairs, key=lambda pair: (type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])))]


@named
def kl_divergence(p: Any, q: Any) -> Any:
    r"""Return :math:`KL(p \| q) = \int p(x) \log\frac{p(x)}{q(x)} dx`, of shape ``batch_shape``.

    Raise NotImplementedError for a pair of distributions without a formula; `register_kl` adds one.

    >>> import tinygrad_lite as tl
    >>> D = tl.distributions
    >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
    tensor(0.5000)
    """
    key = type(p), type(q)
    function = _found.get(key) or _closest(*key)
    if function is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
        )
    _found[key] = function
    return function(p, q)


# ------------------------------------------------------------------------------------------------ of one family
@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones = tl.where(p.probs == 0, 0.0, tl.where(q.probs == 0, math.inf, ones))
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return ones + tl.where(p.probs == 1, 0.0, tl.where(q.probs == 1, math.inf, zeros))


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    p1, p0, q1, q0 = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    total_p, total_q = p1 + p0, q1 + q0
    normalizers = q1.lgamma() + q0.lgamma() + total_p.lgamma() - p1.lgamma() - p0.lgamma() - total_q.lgamma()
    slopes = (p1 - q1) * p1.digamma() + (p0 - q0) * p0.digamma()
    return normalizers + slopes + (total_q - total_p) * total_p.digamma()


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    slope = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return tl.where(p.total_count > q.total_count, math.inf, p.total_count * slope)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    t = p.probs * (p.logits - q.logits)
    return tl.where(p.probs == 0, 0.0, tl.where(q.probs == 0, math.inf, t)).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    distance = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return distance.log() - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    constants = p._log_constant() + tl.log1p(-p.probs) - q._log_constant() - tl.log1p(-q.probs)
    return p.mean * (p.logits - q.logits) + constants


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    normalizers = total.lgamma() - b.sum(-1).lgamma() - (a.lgamma() - b.lgamma()).sum(-1)
    return normalizers + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Any:
    if type(p) is not type(q):
        raise NotImplementedError("The cross KL-divergence between different exponential families cannot be computed "
                                  "using Bregman divergences")  # fmt: skip
    with tl.enable_grad():
        natural = [v.detach().requires_grad_() for v in p._natural_params]
        normalizer = p._log_normalizer(*natural)
        slopes = tl.autograd.grad(normalizer.sum(), natural, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - normalizer
    for a, b, slope in zip(natural, q._natural_params, slopes, strict=True):
        result = result - sum_rightmost((b - a) * slope, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    normalizers = b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma()
    return normalizers + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - tl.log1p(-q.probs) / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc) / q.scale
    moment = tl.exp((1 + ratio).lgamma() - distance)
    return -ratio.log() + distance + ratio * euler_constant + moment - (1 + euler_constant)


@register_kl(HalfCauchy, HalfCauchy)
@register_kl(HalfNormal, HalfNormal)
@register_kl(InverseGamma, InverseGamma)
def _of_base(p: Any, q: Any) -> Any:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Kumaraswamy, Kumaraswamy)
def _kumaraswamy(p: Any, q: Any) -> Any:
    same = (p.concentration1 == q.concentration1) & (p.concentration0 == q.concentration0)
    if not same.all():
        raise NotImplementedError("kl_divergence: two Kumaraswamy distributions need the same parameters")
    return tl.zeros_like(p.concentration1)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * tl.exp(-distance / p.scale) - 1


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return tl.where(p.scale < q.scale, math.inf, result)


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return tl.where((q.low > p.low) | (q.high < p.high), math.inf, result)


@register_kl(Weibull, Weibull)
def _weibull(p: Any, q: Any) -> Any:
    ratio, power = p.scale / q.scale, q.concentration / p.concentration
    slopes = (1 - power) * euler_constant + q.concentration * ratio.log()
    return -power.log() - slopes + tl.exp(q.concentration * ratio.log() + (power + 1).lgamma()) - 1


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or tuple(p.event_shape) != tuple(q.event_shape):
        raise NotImplementedError("kl_divergence: expected the same transforms and event_shape on both sides")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    n = p.reinterpreted_batch_ndims
    if n != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            f"kl_divergence: expected the same reinterpreted_batch_ndims, got {n} and {q.reinterpreted_batch_ndims}"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), n)


def _log_det(d: Any) -> Any:
    return d.log_det() if isinstance(d, LowRankMultivariateNormal) else 2 * d._half_log_det()


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Any:
    if tuple(p.event_shape) != tuple(q.event_shape):
        raise ValueError("KL-divergence between two Multivariate Normals with different event shapes cannot be "
                         f"computed: {tuple(p.event_shape)} and {tuple(q.event_shape)}")  # fmt: skip
    n, lower = p.event_shape[0], q.scale_tril
    batch = tl.broadcast_shapes(p.batch_shape, q.batch_shape)
    columns = p.scale_tril.expand((*batch, n, n))
    trace = tl.linalg.solve_triangular(lower.expand((*batch, n, n)), columns, upper=False).pow(2).sum((-2, -1))
    return 0.5 * (_log_det(q) - _log_det(p) + trace + mahalanobis(lower, q.loc - p.loc) - n)
