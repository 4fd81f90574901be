"""The Wishart distribution."""

from __future__ import annotations

import math
from numbers import Number
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import ExponentialFamily
from tinygrad_lite.distributions.multivariate_normal import one_matrix
from tinygrad_lite.distributions.parameters import lazy_property, standard_gamma, tiny_of


class Wishart(ExponentialFamily):
    r"""Wishart distribution of positive definite matrices, of ``df`` > n - 1 and one of three matrices (..., n, n).

    The distribution of :math:`\sum_{i=1}^{df} x_i x_i^T` for normal vectors x of that ``covariance_matrix``, which
    may be given through ``precision_matrix`` or ``scale_tril`` instead. Sampled by Bartlett's decomposition.

    >>> import tinygrad_lite as tl
    >>> m = tl.distributions.Wishart(tl.tensor(2.0), tl.eye(2))
    >>> m.mean
    tensor([[2., 0.],
            [0., 2.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self, df: Any, covariance_matrix: Any = None, precision_matrix: Any = None, scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        name, matrix, lower = one_matrix(
            covariance_matrix=covariance_matrix, precision_matrix=precision_matrix, scale_tril=scale_tril
        )
        df = tl.tensor(float(df), dtype=matrix.dtype) if isinstance(df, Number) else df  # type: ignore[arg-type]
        batch = tl.broadcast_shapes(matrix.shape[:-2], df.shape)
        event = matrix.shape[-2:]
        self.df, self.__dict__[name] = df.expand(batch), matrix.expand((*batch, *event))
        if (self.df <= event[-1] - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {event[-1] - 1}.")
        super().__init__(batch, event, validate_args=validate_args)
        self._lower = lower().expand((*batch, *event))

    @property
    def arg_constraints(self) -> Any:
        return {"covariance_matrix": constraints.positive_definite,
                "precision_matrix": constraints.positive_definite,
                "scale_tril": constraints.lower_cholesky,
                "df": constraints.greater_than(self._event_shape[-1] - 1)}  # fmt: skip

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Wishart, _instance)
        new.df = self.df.expand(batch_shape)
        for name in ("_lower", "covariance_matrix", "precision_matrix", "scale_tril"):
            if name in self.__dict__:
                new.__dict__[name] = self.__dict__[name].expand((*batch_shape, *self._event_shape))
        return self._filled(new, batch_shape)

    @lazy_property
    def scale_tril(self) -> Any:
        """Cholesky factor of the covariance."""
        return self._lower

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance of the normal vectors."""
        return self._lower @ self._lower.mT

    @lazy_property
    def precision_matrix(self) -> Any:
        """Inverse of the covariance."""
        return tl.cholesky_inverse(self._lower)

    def _df(self) -> Any:
        return self.df.reshape((*self._batch_shape, 1, 1))

    @property
    def mean(self) -> Any:
        return self._df() * self.covariance_matrix

    @property
    def mode(self) -> Any:
        factor = self.df - self._event_shape[-1] - 1
        factor = tl.where(factor <= 0, math.nan, factor)
        return factor.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Any:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        return self._df() * (v.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def rsample(self, sample_shape: Any = (), max_try_correction: Any = None) -> Any:
        """Return samples by Bartlett's decomposition; ``max_try_correction`` is not needed."""
        n = self._event_shape[-1]
        shape = self._extended_shape(sample_shape)
        halves = (self.df.unsqueeze(-1) - tl.arange(n, dtype=self.df.dtype)) / 2
        diagonal = (2 * standard_gamma(halves.expand(tuple(shape[:-1])))).clamp(min=tiny_of(halves)).sqrt()
        factor = tl.diag_embed(diagonal) + tl.randn(shape, dtype=self.df.dtype).tril(-1)
        product = self._lower @ factor
        return product @ product.mT

    def _half_log_det(self) -> Any:
        return self._lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        n, nu = self._event_shape[-1], self.df
        trace = tl.cholesky_solve(value, self._lower).diagonal(dim1=-2, dim2=-1).sum(-1)
        constant = -nu * (n * math.log(2) / 2 + self._half_log_det()) - special.multigammaln(nu / 2, n)
        return constant + (nu - n - 1) / 2 * tl.linalg.slogdet(value)[1] - trace / 2

    def _digammas(self) -> Any:
        n = self._event_shape[-1]
        return tl.digamma(self.df.unsqueeze(-1) / 2 - tl.arange(n, dtype=self.df.dtype) / 2).sum(-1)

    def entropy(self) -> Any:
        n, nu = self._event_shape[-1], self.df
        scale = (n + 1) * (self._half_log_det() + n * math.log(2) / 2)
        return scale + special.multigammaln(nu / 2, n) - (nu - n - 1) / 2 * self._digammas() + n * nu / 2

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        return half * (-tl.linalg.slogdet(-2 * x)[1] + n * math.log(2)) + special.multigammaln(half, n)
