"""Probability distributions: log-densities, samples with gradients, entropies, divergences; see README.md."""

from tinygrad_lite.distributions import constraints, exp_family, kl_cross, transforms, utils
from tinygrad_lite.distributions.bernoulli import Bernoulli
from tinygrad_lite.distributions.beta import Beta
from tinygrad_lite.distributions.binomial import Binomial
from tinygrad_lite.distributions.categorical import Categorical
from tinygrad_lite.distributions.cauchy import Cauchy
from tinygrad_lite.distributions.chi2 import Chi2
from tinygrad_lite.distributions.constraint_registry import biject_to, transform_to
from tinygrad_lite.distributions.continuous_bernoulli import ContinuousBernoulli
from tinygrad_lite.distributions.dirichlet import Dirichlet
from tinygrad_lite.distributions.distribution import Distribution, ExponentialFamily
from tinygrad_lite.distributions.exponential import Exponential
from tinygrad_lite.distributions.fishersnedecor import FisherSnedecor
from tinygrad_lite.distributions.gamma import Gamma
from tinygrad_lite.distributions.generalized_pareto import GeneralizedPareto
from tinygrad_lite.distributions.geometric import Geometric
from tinygrad_lite.distributions.gumbel import Gumbel
from tinygrad_lite.distributions.half_cauchy import HalfCauchy
from tinygrad_lite.distributions.half_normal import HalfNormal
from tinygrad_lite.distributions.independent import Independent
from tinygrad_lite.distributions.inverse_gamma import InverseGamma
from tinygrad_lite.distributions.kl import kl_divergence, register_kl
from tinygrad_lite.distributions.kumaraswamy import Kumaraswamy
from tinygrad_lite.distributions.laplace import Laplace
from tinygrad_lite.distributions.lkj_cholesky import LKJCholesky
from tinygrad_lite.distributions.log_normal import LogNormal
from tinygrad_lite.distributions.logistic_normal import LogisticNormal
from tinygrad_lite.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from tinygrad_lite.distributions.mixture_same_family import MixtureSameFamily
from tinygrad_lite.distributions.multinomial import Multinomial
from tinygrad_lite.distributions.multivariate_normal import MultivariateNormal
from tinygrad_lite.distributions.negative_binomial import NegativeBinomial
from tinygrad_lite.distributions.normal import Normal
from tinygrad_lite.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from tinygrad_lite.distributions.pareto import Pareto
from tinygrad_lite.distributions.poisson import Poisson
from tinygrad_lite.distributions.relaxed_bernoulli import RelaxedBernoulli
from tinygrad_lite.distributions.relaxed_categorical import RelaxedOneHotCategorical
from tinygrad_lite.distributions.studentT import StudentT
from tinygrad_lite.distributions.transformed_distribution import TransformedDistribution
from tinygrad_lite.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from tinygrad_lite.distributions.uniform import Uniform
from tinygrad_lite.distributions.von_mises import VonMises
from tinygrad_lite.distributions.weibull import Weibull
from tinygrad_lite.distributions.wishart import Wishart

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy",
    "Chi2", "ComposeTransform", "ContinuousBernoulli", "CorrCholeskyTransform", "CumulativeDistributionTransform",
    "Dirichlet", "Distribution", "ExpTransform", "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma",
    "GeneralizedPareto", "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform",
    "InverseGamma", "Kumaraswamy", "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal",
    "LowRankMultivariateNormal", "LowerCholeskyTransform", "MixtureSameFamily", "Multinomial", "MultivariateNormal",
    "NegativeBinomial", "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson",
    "PositiveDefiniteTransform", "PowerTransform", "RelaxedBernoulli", "RelaxedOneHotCategorical", "ReshapeTransform",
    "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform", "StickBreakingTransform",
    "StudentT", "TanhTransform", "Transform", "TransformedDistribution", "Uniform", "VonMises", "Weibull", "Wishart",
    "biject_to", "identity_transform", "kl_divergence", "register_kl", "transform_to",
]  # fmt: skip
