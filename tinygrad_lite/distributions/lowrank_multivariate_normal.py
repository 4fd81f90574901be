"""The multivariate normal distribution with a covariance of low rank and a diagonal."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.multivariate_normal import mahalanobis
from tinygrad_lite.distributions.parameters import lazy_property


class LowRankMultivariateNormal(Distribution):
    r"""Normal distribution of vectors with covariance ``cov_factor @ cov_factor.mT + diag(cov_diag)``.

    ``loc`` (..., n), ``cov_factor`` (..., n, rank), ``cov_diag`` (..., n). Determinant and inverse are found through a
    matrix of size rank (Woodbury's identity).

    >>> import tinygrad_lite as tl
    >>> m = tl.distributions.LowRankMultivariateNormal(tl.zeros(2), tl.tensor([[1.0], [0.0]]), tl.ones(2))
    >>> m.variance
    tensor([2., 1.])
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real_vector,
                                      "cov_factor": constraints.independent(constraints.real, 2),
                                      "cov_diag": constraints.independent(constraints.positive, 1)}  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.ndim < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2] != n:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {n} x m")
        if cov_diag.shape[-1] != n:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {(n,)}")
        batch = tl.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc, self.cov_diag = loc.expand((*batch, n)), cov_diag.expand((*batch, n))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self._factor, self._diag = cov_factor, cov_diag
        super().__init__(batch, (n,), validate_args=validate_args)
        rank = cov_factor.shape[-1]
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        self._capacitance_tril = tl.linalg.cholesky(scaled @ cov_factor + tl.eye(rank, dtype=loc.dtype))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LowRankMultivariateNormal, _instance)
        shape = (*batch_shape, *self._event_shape)
        new.loc, new.cov_diag = self.loc.expand(shape), self.cov_diag.expand(shape)
        new.cov_factor = self.cov_factor.expand((*shape, self.cov_factor.shape[-1]))
        new._factor, new._diag, new._capacitance_tril = self._factor, self._diag, self._capacitance_tril
        return self._filled(new, batch_shape)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        """Variance of each component."""
        return (self._factor.pow(2).sum(-1) + self._diag).expand((*self._batch_shape, *self._event_shape))

    def _full(self, matrix: Any) -> Any:
        return matrix.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        return self._full(self._factor @ self._factor.mT + tl.diag_embed(self._diag))

    @lazy_property
    def scale_tril(self) -> Any:
        """Cholesky factor of the covariance."""
        return self._full(tl.linalg.cholesky(self._factor @ self._factor.mT + tl.diag_embed(self._diag)))

    @lazy_property
    def precision_matrix(self) -> Any:
        """Inverse of the covariance, by Woodbury's identity."""
        scaled = self._factor.mT / self._diag.unsqueeze(-2)
        a = tl.linalg.solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._full(tl.diag_embed(self._diag.reciprocal()) - a.mT @ a)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        low = tl.randn((*shape[:-1], self.cov_factor.shape[-1]), dtype=self.loc.dtype)
        own = tl.randn(shape, dtype=self.loc.dtype)
        return self.loc + (self._factor @ low.unsqueeze(-1)).squeeze(-1) + self._diag.sqrt() * own

    def log_det(self) -> Any:
        """Return the logarithm of the covariance's determinant."""
        return 2 * self._capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1) + self._diag.log().sum(-1)

    def distance(self, x: Any) -> Any:
        """Return the squared Mahalanobis length of ``x``."""
        scaled = self._factor.mT / self._diag.unsqueeze(-2)
        projected = (scaled @ x.unsqueeze(-1)).squeeze(-1)
        return (x.pow(2) / self._diag).sum(-1) - mahalanobis(self._capacitance_tril, projected)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + self.log_det() + self.distance(value - self.loc))

    def entropy(self) -> Any:
        entropy = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self.log_det())
        return entropy.expand(self._batch_shape)
