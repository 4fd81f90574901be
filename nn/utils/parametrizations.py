"""Parametrizations that are ready to use: weight normalisation, spectral normalisation, orthogonal matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import counted
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import describe
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.utils.parametrize import register_parametrization
from tinygrad_lite.nn.utils.spectral_norm import as_matrix, default_dim, put, start, unit
from tinygrad_lite.nn.utils.weight_norm import length, scaled
from tinygrad_lite.ops.linalg.matrix import matrix_exp, solve
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.random import default_generator

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor(module: Any, name: str) -> Any:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        """Return the weight of length ``weight_g`` and direction ``weight_v``."""
        return scaled(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        """Return length and direction."""
        return length(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Train length and direction of a weight apart; returns the module.

    The length is ``parametrizations.weight.original0``, the direction ``original1``. State dicts of
    `nn.utils.weight_norm` can be loaded.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.parametrizations.weight_norm(tl.nn.Linear(2, 2)).parametrizations
    ModuleDict(
      (weight): ParametrizationList(
        (0): _WeightNorm()
      )
    )
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def loading(state_dict: Any, prefix: str, *rest: Any) -> None:
        old = f"{prefix}{name}_g", f"{prefix}{name}_v"
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(loading)
    return module


class _SpectralNorm(Module):
    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        n = weight.ndim
        if not -n <= dim < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{n}, {n - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        counted("spectral_norm", "n_power_iterations", n_power_iterations)
        self.dim, self.eps = dim % n, eps
        if n > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight.detach(), self.dim)
            self.register_buffer("_u", start(matrix.shape[0], weight.dtype, eps))
            self.register_buffer("_v", start(matrix.shape[1], weight.dtype, eps))
            self._power_method(matrix, 15)

    def _power_method(self, matrix: Any, times: int) -> None:
        for _ in range(times):
            put(self._u, unit(matrix.array @ self._v.array, self.eps))
            put(self._v, unit(matrix.array.T @ self._u.array, self.eps))

    def forward(self, weight: Any) -> Any:
        """Return ``weight`` divided by its largest singular value, a vector divided by its length."""
        if weight.ndim == 1:
            return weight / weight.norm().clamp(min=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # a second pass must not change what the first one saved
        return weight / (u * (matrix @ v)).sum()

    def right_inverse(self, value: Any) -> Any:
        """Return ``value``, which becomes the weight that is divided."""
        return value


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Divide a weight by its largest singular value whenever it is read; returns the module.

    The value is estimated by power iteration, which goes on with every reading in training.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.parametrizations.spectral_norm(tl.nn.Linear(2, 2)).parametrizations
    ModuleDict(
      (weight): ParametrizationList(
        (0): _SpectralNorm()
      )
    )
    """
    weight = _tensor(module, name)
    axis = default_dim(module) if dim is None else dim
    register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, axis, eps))
    return module


MAPS = ("matrix_exp", "cayley", "householder")


def _reflected(a: Any) -> Any:
    """Return the first columns of the product of the Householder reflections whose vectors are the columns of ``a``.

    ``a`` is strictly lower triangular; the ones on the diagonal of the vectors are implied.
    """
    n, k = a.shape[-2:]
    eye = new.eye(n, k, dtype=a.dtype)
    vectors = a + make(eye)
    factors = 2.0 / (1.0 + (a * a).sum(-2))
    q = make(np.broadcast_to(eye, tuple(a.shape)).copy())
    for i in reversed(range(k)):
        v = vectors[..., i : i + 1]
        q = q - factors[..., i : i + 1, None] * (v @ (v.mT @ q))
    return q


def _is_orthogonal(q: Any) -> bool:
    eps = 10.0 * q.shape[-2] * float(np.finfo(q.dtype).eps)
    return bool(np.allclose(np.swapaxes(q, -1, -2) @ q, np.eye(q.shape[-1]), rtol=1e-5, atol=eps))


def _nearest(a: Any) -> Any:
    """Return the orthogonal factor of ``a`` = QR with a positive diagonal of R."""
    q, r = np.linalg.qr(a)
    return (q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]).astype(a.dtype)


class _Orthogonal(Module):
    base: Any

    def __init__(self, weight: Any, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = tuple(weight.shape), orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        """Return the orthogonal matrix of the numbers ``X``."""
        wide = X.shape[-2] < X.shape[-1]
        x = X.mT if wide else X
        q = self._reflections(x) if self.orthogonal_map == "householder" else self._rotation(x)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    def _reflections(self, x: Any) -> Any:
        signs = make(np.diagonal(x.array, axis1=-2, axis2=-1).astype(np.int32)[..., None, :].astype(x.dtype))
        return _reflected(x.tril(-1)) * signs

    def _rotation(self, x: Any) -> Any:
        n, k = x.shape[-2:]
        lower = x.tril()
        if n != k:
            lower = cat([lower, make(new.zeros((*x.shape[:-1], n - k), x.dtype))], -1)
        skew = lower - lower.mT
        if self.orthogonal_map == "matrix_exp":
            q = matrix_exp(skew)
        else:
            eye = make(new.eye(n, dtype=x.dtype))
            q = solve(eye - skew * 0.5, eye + skew * 0.5)
        return q[..., :k] if n != k else q

    def right_inverse(self, Q: Any) -> Any:
        """Return the numbers of an orthogonal matrix; any other matrix is made orthogonal first."""
        if tuple(Q.shape) != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        given = Q.array
        wide = given.shape[-2] < given.shape[-1]
        q = np.swapaxes(given, -1, -2) if wide else given
        n, k = q.shape[-2:]
        if not hasattr(self, "base"):
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            h, tau = np.linalg.qr(q, mode="raw")  # Fortran's layout: the vectors are rows
            a = np.swapaxes(h, -1, -2).astype(q.dtype)
            i = np.arange(k)
            a[..., i, i] = np.sign(a[..., i, i]) * np.where(tau == 0.0, -1, 1)
            return make(np.ascontiguousarray(np.swapaxes(a, -1, -2) if wide else a))
        if n == k and _is_orthogonal(q):
            q = q.copy()
        elif n == k:
            q = _nearest(q)
        else:
            more = default_generator().normal(size=(*q.shape[:-1], n - k))
            q = _nearest(np.concatenate([q, more.astype(q.dtype)], -1))
        self.base = make(new.asarray(q, given.dtype))
        # with householder, minus ones on the diagonal stand for the identity
        return make(np.broadcast_to(-new.eye(*given.shape[-2:], dtype=given.dtype), given.shape).copy())


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """Keep a weight orthogonal: its columns, or the rows of a wide one, are orthonormal; returns the module.

    ``orthogonal_map``: 'matrix_exp' (the default for square matrices), 'cayley' or 'householder'. With
    ``use_trivialization`` the map is relative to a matrix ``base``, which is kept as a buffer.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2)).parametrizations
    ModuleDict(
      (weight): ParametrizationList(
        (0): _Orthogonal()
      )
    )
    """
    weight = _tensor(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    chosen = orthogonal_map or ("matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder")
    if chosen not in MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {describe(orthogonal_map)}'
        )
    made = _Orthogonal(weight, chosen, use_trivialization=use_trivialization)
    register_parametrization(module, name, made, unsafe=True)
    return module
