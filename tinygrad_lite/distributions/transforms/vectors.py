"""Transforms of vectors and matrices: to the simplex, to Cholesky factors, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.parameters import eps_of, tril_matrix_to_vec, vec_to_tril_matrix
from tinygrad_lite.distributions.transforms.transform import Transform
from tinygrad_lite.ops.elementwise.smooth import logsigmoid, softplus


class _Unparametrised(Transform):
    """A transform that equals every other of its class."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = None


class SoftmaxTransform(_Unparametrised):
    """The map ``y = softmax(x)`` to the simplex; not bijective, its inverse returns ``log(y)``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.SoftmaxTransform()(tl.tensor([0.5, -1.0]))
    tensor([0.8176, 0.1824])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Any) -> Any:
        return x.softmax(-1)

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def forward_shape(self, shape: Any) -> Any:
        """Return the shape; it needs an axis."""
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(_Unparametrised):
    """A bijection from n numbers to the simplex of n + 1: each sigmoid breaks off a part of the remaining stick.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.StickBreakingTransform()(tl.zeros(2))
    tensor([0.3333, 0.3333, 0.3333])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    @staticmethod
    def _offset(x: Any) -> Any:
        n = x.shape[-1]
        return tl.arange(n, 0, -1, dtype=x.dtype).log()

    def _call(self, x: Any) -> Any:
        z = (x - self._offset(x)).sigmoid().clamp(min=float(np.finfo(x.array.dtype).tiny), max=1 - eps_of(x))
        one = x.new_ones((*x.shape[:-1], 1))
        return tl.cat([z, one], -1) * tl.cat([one, (1 - z).cumprod(-1)], -1)

    def _inverse(self, y: Any) -> Any:
        head = y[..., :-1]
        rest = (1 - head.cumsum(-1)).clamp(min=float(np.finfo(y.array.dtype).tiny))
        return head.log() - rest.log() + self._offset(head)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return the sum of the logarithms of the Jacobian's diagonal."""
        x = x - self._offset(x)
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        """Return the shape with a last axis longer by one."""
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return tl.Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Any:
        """Return the shape with a last axis shorter by one."""
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return tl.Size((*shape[:-1], shape[-1] - 1))


class LowerCholeskyTransform(_Unparametrised):
    """The map from square matrices to lower triangular ones with a positive diagonal, by ``exp`` of the diagonal.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.LowerCholeskyTransform()(tl.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + tl.diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + tl.diag_embed(y.diagonal(dim1=-2, dim2=-1).log())


class PositiveDefiniteTransform(_Unparametrised):
    """The map from square matrices to positive definite ones ``L Lᵀ``, L as in `LowerCholeskyTransform`.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.PositiveDefiniteTransform()(tl.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Any) -> Any:
        lower = LowerCholeskyTransform()(x)
        return lower @ lower.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(tl.linalg.cholesky(y))


class CorrCholeskyTransform(_Unparametrised):
    """A bijection from vectors of n(n-1)/2 numbers to Cholesky factors of n by n correlation matrices.

    A number's ``tanh`` is a partial correlation: it takes its share of what is left of the row's length 1.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.CorrCholeskyTransform()(tl.zeros(3)).shape
    (3, 3)
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        eps = eps_of(x)
        r = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), -1)
        left = (1 - r * r).sqrt().cumprod(-1)
        r = r + tl.eye(r.shape[-1], dtype=r.dtype)
        return r * tl.cat([left.new_ones((*left.shape[:-1], 1)), left[..., :-1]], -1)

    def _inverse(self, y: Any) -> Any:
        used = (y * y).cumsum(-1)
        left = (1 - used).clamp(min=float(np.finfo(y.array.dtype).tiny))
        left = tl.cat([left.new_ones((*left.shape[:-1], 1)), left[..., :-1]], -1)
        return (tril_matrix_to_vec(y, -1) / tril_matrix_to_vec(left, -1).sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        """Return the part of the lengths left and the part of ``tanh``."""
        left = (1 - (y * y).cumsum(-1)).clamp(min=float(np.finfo(y.array.dtype).tiny))
        lengths = 0.5 * tril_matrix_to_vec(left, -2).log().sum(-1) if y.shape[-1] > 2 else 0.0
        return lengths - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        """Return the shape with n(n-1)/2 replaced by (n, n)."""
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return tl.Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Any:
        """Return the shape with (n, n) replaced by n(n-1)/2."""
        if len(shape) < 2:
            raise ValueError("Too few dimensions on input")
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return tl.Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


# ------------------------------------------------------------------------------------------------ piece by piece
class CatTransform(Transform):
    """Transforms of consecutive pieces along an axis.

    >>> import tinygrad_lite as tl
    >>> exp, double = (tl.distributions.ExpTransform(), tl.distributions.AffineTransform(0.0, 2.0))
    >>> tl.distributions.CatTransform([exp, double], dim=0)(tl.zeros(2))
    tensor([1., 0.])
    """

    def __init__(
        self, tseq: Sequence[Any], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        self.dim = dim
        if len(self.lengths) != len(self.transforms):
            raise ValueError(f"CatTransform: expected {len(self.transforms)} lengths, got {len(self.lengths)}")

    @property
    def event_dim(self) -> int:
        """The largest number of event axes of the parts."""
        return max(int(t.event_dim) for t in self.transforms)

    @property
    def length(self) -> int:
        """Size of the axis."""
        return sum(self.lengths)

    def with_cache(self, cache_size: int = 1) -> Any:
        """Return the transform with another cache size."""
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _pieces(self, x: Any) -> list[Any]:
        if x.shape[self.dim] != self.length:
            raise ValueError(
                f"CatTransform: expected size {self.length} along axis {self.dim}, got {x.shape[self.dim]}"
            )
        ends = np.cumsum(self.lengths).tolist()
        return [x.narrow(self.dim, end - n, n) for end, n in zip(ends, self.lengths, strict=True)]

    def _call(self, x: Any) -> Any:
        return tl.cat([t(p) for t, p in zip(self.transforms, self._pieces(x), strict=True)], self.dim)

    def _inverse(self, y: Any) -> Any:
        return tl.cat([t.inv(p) for t, p in zip(self.transforms, self._pieces(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return the values of the parts, joined along the axis or summed if it is an event axis."""
        parts = []
        for t, a, b in zip(self.transforms, self._pieces(x), self._pieces(y), strict=True):
            value = t.log_abs_det_jacobian(a, b)
            more = self.event_dim - t.event_dim
            parts.append(value.flatten(value.ndim - more).sum(-1) if more else value)
        dim = self.dim - x.ndim if self.dim >= 0 else self.dim
        dim += self.event_dim
        return tl.cat(parts, dim) if dim < 0 else sum(parts)

    @property
    def bijective(self) -> bool:
        """Whether all parts are bijective."""
        return all(t.bijective for t in self.transforms)

    @property
    def domain(self) -> Any:
        """The domains of the parts."""
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        """The codomains of the parts."""
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(Transform):
    """Transforms of the slices along an axis.

    >>> import tinygrad_lite as tl
    >>> exp, double = (tl.distributions.ExpTransform(), tl.distributions.AffineTransform(0.0, 2.0))
    >>> tl.distributions.StackTransform([exp, double], dim=0)(tl.zeros(2))
    tensor([1., 0.])
    """

    def __init__(self, tseq: Sequence[Any], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    def with_cache(self, cache_size: int = 1) -> Any:
        """Return the transform with another cache size."""
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _slices(self, x: Any) -> list[Any]:
        if x.shape[self.dim] != len(self.transforms):
            raise ValueError(f"StackTransform: expected size {len(self.transforms)} along axis {self.dim}, "
                             f"got {x.shape[self.dim]}")  # fmt: skip
        return [x.select(self.dim, i) for i in range(len(self.transforms))]

    def _call(self, x: Any) -> Any:
        return tl.stack([t(p) for t, p in zip(self.transforms, self._slices(x), strict=True)], self.dim)

    def _inverse(self, y: Any) -> Any:
        return tl.stack([t.inv(p) for t, p in zip(self.transforms, self._slices(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return the values of the parts, stacked along the axis."""
        pairs = zip(self.transforms, self._slices(x), self._slices(y), strict=True)
        return tl.stack([t.log_abs_det_jacobian(a, b) for t, a, b in pairs], self.dim)

    @property
    def bijective(self) -> bool:
        """Whether all parts are bijective."""
        return all(t.bijective for t in self.transforms)

    @property
    def domain(self) -> Any:
        """The domains of the parts."""
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        """The codomains of the parts."""
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
