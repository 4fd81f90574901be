"""The distribution of Cholesky factors of correlation matrices."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, tiny_of
from tinygrad_lite.random import default_generator


class LKJCholesky(Distribution):
    r"""Lewandowski, Kurowicka and Joe's distribution of Cholesky factors of ``dim`` by ``dim`` correlation matrices.

    The density of the correlation matrix is proportional to ``det(M) ** (concentration - 1)``; 1 is uniform.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.LKJCholesky(3, 1.0).sample().shape
    (3, 3)
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    dim: int

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.size(), (dim, dim), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LKJCholesky, _instance)
        new.dim, new.concentration = self.dim, self.concentration.expand(batch_shape)
        return self._filled(new, batch_shape)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Return samples by the onion method: a beta length and a uniform direction for each row."""
        shape, n = tuple(self._extended_shape(sample_shape)), self.dim
        rng, k = default_generator(), np.arange(n - 1)
        eta = np.asarray(self.concentration.array, np.float64)[..., None]
        squared = rng.beta(0.5 * (k + 1), eta + 0.5 * (n - 2) - 0.5 * k, size=(*shape[:-2], n - 1))
        squared = np.concatenate([np.zeros((*shape[:-2], 1)), squared], -1)[..., None]
        direction = np.tril(rng.standard_normal(shape), -1)
        length = np.sqrt((direction**2).sum(-1, keepdims=True))
        w = np.sqrt(squared) * direction / np.where(length == 0, 1, length)
        rest = np.sqrt(np.maximum(1 - (w**2).sum(-1), tiny_of(self.concentration)))
        w[..., np.arange(n), np.arange(n)] = rest
        return tl.tensor(w, dtype=self.concentration.dtype)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        n, eta = self.dim, self.concentration
        order = tl.arange(2, n + 1, dtype=eta.dtype)
        order = 2 * (eta - 1).unsqueeze(-1) + n - order
        unnormalised = (order * value.diagonal(dim1=-2, dim2=-1)[..., 1:].log()).sum(-1)
        alpha = eta + 0.5 * (n - 1)
        normalizer = special.multigammaln(alpha - 0.5, n - 1) - tl.lgamma(alpha) * (n - 1)
        return unnormalised - normalizer - 0.5 * (n - 1) * math.log(math.pi)
