"""The multivariate normal distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import lazy_property


def mahalanobis(lower: Any, x: Any) -> Any:
    r"""Return :math:`x^T (L L^T)^{-1} x` for lower triangular ``lower`` (..., n, n) and ``x`` (..., n)."""
    if lower.ndim == 2:  # one factor: solve for all vectors at once
        flat = x.reshape((-1, x.shape[-1]))
        solved = tl.linalg.solve_triangular(lower, flat.T, upper=False)
        return solved.pow(2).sum(0).reshape(tuple(x.shape[:-1]))
    shape = tl.broadcast_shapes(lower.shape[:-2], x.shape[:-1])
    n = x.shape[-1]
    columns = x.expand((*shape, n)).unsqueeze(-1)
    return tl.linalg.solve_triangular(lower.expand((*shape, n, n)), columns, upper=False).pow(2).sum((-2, -1))


def precision_to_scale_tril(precision: Any) -> Any:
    """Return the Cholesky factor of the inverse of ``precision``."""
    flipped = tl.linalg.cholesky(precision.flip((-2, -1)))
    upper = flipped.flip((-2, -1)).mT
    return tl.linalg.solve_triangular(upper, tl.eye(precision.shape[-1], dtype=precision.dtype), upper=False)


def one_matrix(**matrices: Any) -> tuple[str, Any, Callable[[], Any]]:
    """Return the name of the matrix that is given, the matrix, and a function that computes its Cholesky factor."""
    given = [(name, m) for name, m in matrices.items() if m is not None]
    if len(given) != 1:
        raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
    ((name, matrix),) = given
    if matrix.ndim < 2:
        raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
    if name == "scale_tril":
        return name, matrix, lambda: matrix
    factor = tl.linalg.cholesky if name == "covariance_matrix" else precision_to_scale_tril
    return name, matrix, lambda: factor(matrix)


class MultivariateNormal(Distribution):
    r"""Normal distribution of vectors, of mean ``loc`` (..., n) and one of three matrices (..., n, n).

    ``covariance_matrix``, ``precision_matrix`` (its inverse) or ``scale_tril`` (its Cholesky factor); the others follow
    when asked for.

    >>> import tinygrad_lite as tl
    >>> m = tl.distributions.MultivariateNormal(tl.zeros(2), tl.eye(2))
    >>> m.log_prob(tl.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real_vector,
                                      "covariance_matrix": constraints.positive_definite,
                                      "precision_matrix": constraints.positive_definite,
                                      "scale_tril": constraints.lower_cholesky}  # fmt: skip
    support = constraints.real_vector
    has_rsample = True
    _parameters = ("loc", "_unbroadcasted_scale_tril")

    def __init__(
        self, loc: Any, covariance_matrix: Any = None, precision_matrix: Any = None, scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix, lower = one_matrix(
            covariance_matrix=covariance_matrix, precision_matrix=precision_matrix, scale_tril=scale_tril
        )
        batch = tl.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.__dict__[name] = matrix.expand((*batch, *matrix.shape[-2:]))
        self.loc = loc.expand((*batch, loc.shape[-1]))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = lower()

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(MultivariateNormal, _instance)
        shape = (*batch_shape, *self._event_shape)
        new.loc, new._unbroadcasted_scale_tril = self.loc.expand(shape), self._unbroadcasted_scale_tril
        for name in ("covariance_matrix", "precision_matrix", "scale_tril"):
            if name in self.__dict__:
                new.__dict__[name] = self.__dict__[name].expand((*shape, *self._event_shape))
        return self._filled(new, batch_shape)

    def _full(self, matrix: Any) -> Any:
        return matrix.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    @lazy_property
    def scale_tril(self) -> Any:
        """Cholesky factor of the covariance."""
        return self._full(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        lower = self._unbroadcasted_scale_tril
        return self._full(lower @ lower.mT)

    @lazy_property
    def precision_matrix(self) -> Any:
        """Inverse of the covariance."""
        return self._full(tl.cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        eps = tl.randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        lower = self._unbroadcasted_scale_tril
        if lower.ndim == 2:
            return self.loc + eps @ lower.mT
        return self.loc + (lower @ eps.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Any:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        distance = mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Any:
        entropy = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
        return entropy.expand(self._batch_shape)
