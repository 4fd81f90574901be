"""Parameters of distributions: broadcasting, logits and probabilities, attributes computed when asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from numbers import Number
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.autograd.function import Function
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.ops.elementwise import probability_values as values
from tinygrad_lite.random import default_generator

euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> list[Any]:
    """Return tensors and numbers as tensors of one shape.

    Numbers get the dtype of the first tensor, or the default dtype. Raise ValueError for anything else.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.distributions.parameters import broadcast_all
    >>> broadcast_all(tl.zeros(2), 1.0)[1]
    tensor([1., 1.])
    """
    if not all(isinstance(v, (Tensor, Number)) for v in values):
        raise ValueError("Input arguments must all be instances of Number, torch.Tensor or objects implementing "
                         "__torch_function__.")  # fmt: skip
    tensors = [v for v in values if isinstance(v, Tensor)]
    dtype = tensors[0].dtype if tensors else tl.get_default_dtype()
    full = [v if isinstance(v, Tensor) else tl.tensor(v, dtype=dtype) for v in values]
    return list(tl.broadcast_tensors(*full))


def common_shape(value: Any, *numbers: Any) -> Any:
    """Return the batch shape of a broadcast parameter: empty if all arguments were numbers."""
    return tl.Size() if all(isinstance(n, Number) for n in numbers) else value.size()


def sum_rightmost(value: Any, dim: int) -> Any:
    """Return the sum over the last ``dim`` axes."""
    return value if dim == 0 else value.reshape((*value.shape[: value.ndim - dim], -1)).sum(-1)


_sum_rightmost = sum_rightmost


def eps_of(value: Any) -> float:
    """Return the spacing of floats at 1 in the dtype of a tensor."""
    return float(np.finfo(value.array.dtype).eps)


def tiny_of(value: Any) -> float:
    """Return the smallest normal float in the dtype of a tensor."""
    return float(np.finfo(value.array.dtype).tiny)


def clamp_probs(probs: Any) -> Any:
    """Return probabilities at least one rounding unit away from 0 and 1.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.utils.clamp_probs(tl.tensor([0.0, 0.5])) > 0
    tensor([True, True])
    """
    eps = eps_of(probs)
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """Return log-odds of binary probabilities, or the logarithms of categorical ones.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.distributions.parameters import probs_to_logits
    >>> probs_to_logits(tl.tensor([0.5]), is_binary=True)
    tensor([0.])

    >>> import tinygrad_lite as tl
    >>> tl.distributions.utils.logits_to_probs(tl.zeros(2))
    tensor([0.5000, 0.5000])
    """
    safe = clamp_probs(probs)
    return safe.log() - (-safe).log1p() if is_binary else safe.log()


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """Return the probabilities of binary or categorical logits.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.utils.tril_matrix_to_vec(tl.tensor([[1.0, 0.0], [2.0, 3.0]]))
    tensor([1., 2., 3.])

    >>> import tinygrad_lite as tl
    >>> tl.distributions.utils.vec_to_tril_matrix(tl.tensor([1.0, 2.0, 3.0]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    return logits.sigmoid() if is_binary else logits.softmax(-1)


class lazy_property:  # noqa: N801 - PyTorch's name
    """Attribute that is computed by the decorated method on first use.

    >>> import tinygrad_lite as tl
    >>> class Circle:
    ...     @tl.distributions.utils.lazy_property
    ...     def area(self):
    ...         print("computed")
    ...         return tl.tensor(3.0)
    ...
    >>> circle = Circle()
    >>> circle.area + circle.area
    computed
    tensor(6.)
    """

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, obj_type: Any = None) -> Any:
        if instance is None:
            return self
        with tl.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def tril_matrix_to_vec(mat: Any, diag: int = 0) -> Any:
    """Return the entries on and below a diagonal, row by row, as a vector."""
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = np.tril_indices(n, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Any, diag: int = 0) -> Any:
    """Return the matrix whose entries on and below a diagonal are ``vec``, row by row."""
    length = vec.shape[-1]
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * length + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if abs(n - round(n)) > 1e-6:
        raise ValueError(f"The size of last dimension is {length} which cannot be expressed as "
                         "the lower triangular part of a square D x D matrix.")  # fmt: skip
    n = round(n)
    rows, columns = np.tril_indices(n, diag)
    place = np.full(n * n, length)  # one further entry, a zero, fills the rest
    place[rows * n + columns] = np.arange(length)
    padded = tl.cat([vec, vec.new_zeros((*vec.shape[:-1], 1))], -1)
    return padded[..., tl.tensor(place)].reshape((*vec.shape[:-1], n, n))


# ------------------------------------------------------------------------------------------------ random numbers
def drawn(like: Any, shape: Any, method: str, *arguments: Any) -> Any:
    """Return numbers that the default generator's ``method`` draws, in the dtype of ``like``.

    The arguments are broadcast to ``shape`` and converted to float64 first.
    """
    given = [np.broadcast_to(np.asarray(a.array, np.float64), shape) for a in arguments]
    y = getattr(default_generator(), method)(*given, size=tuple(shape))
    return make(np.asarray(y).astype(like.array.dtype))


def open_uniform(like: Any, shape: Any) -> Any:
    """Return uniform numbers strictly between 0 and 1."""
    return tl.rand(shape, dtype=like.dtype).clamp(min=tiny_of(like), max=1 - eps_of(like) / 2)


class _StandardGamma(Function):
    """Gamma samples of rate 1, with their implicit derivative with respect to the concentration."""

    @staticmethod
    def forward(ctx: Any, concentration: Any, sample: Any) -> Any:
        ctx.save_for_backward(concentration, sample)
        return sample.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        concentration, sample = ctx.saved_tensors
        return g * make(values.gamma_slope(concentration.array, sample.array)), None


def standard_gamma(concentration: Any) -> Any:
    """Return gamma samples of rate 1 in the shape of ``concentration``, differentiable in it once.

    The gradient is the implicit one: the derivative of the sample along which the distribution function stays constant.
    """
    sample = drawn(concentration, concentration.shape, "standard_gamma", concentration.detach())
    return _StandardGamma.apply(concentration, sample.clamp(min=tiny_of(sample)))


class _Dirichlet(Function):
    """Dirichlet samples, with their implicit derivative with respect to the concentration."""

    @staticmethod
    def forward(ctx: Any, concentration: Any, sample: Any) -> Any:
        ctx.save_for_backward(concentration, sample)
        return sample.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        concentration, sample = ctx.saved_tensors
        a, x = concentration.array, sample.array
        slope = values.beta_slope(a, a.sum(-1, keepdims=True) - a, x) / np.maximum(1 - x, np.finfo(x.dtype).tiny)
        # One component moves by the slope of its beta marginal, and the others shrink in proportion.
        return make(slope) * (g - (sample * g).sum(-1, keepdim=True)), None


def dirichlet_sample(concentration: Any) -> Any:
    """Return Dirichlet samples, differentiable in ``concentration`` once.

    Small concentrations are drawn in the logarithm (a gamma sample of ``a`` is one of ``a + 1`` times ``u ** (1/a)``),
    where the gamma numbers themselves would underflow.
    """
    a = np.asarray(concentration.array, np.float64)
    rng = default_generator()
    log = np.log(rng.standard_gamma(a + 1)) - rng.standard_exponential(a.shape) / a
    x = np.exp(log - log.max(-1, keepdims=True))
    x /= x.sum(-1, keepdims=True)
    dtype = concentration.array.dtype
    info = np.finfo(dtype)
    sample = make(np.clip(x, float(info.tiny), 1 - float(info.eps) / 2).astype(dtype))
    return _Dirichlet.apply(concentration, sample)
