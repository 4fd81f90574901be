"""Keeping gradients from growing too large."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ArgumentError, describe


def tensors_of(name: str, parameters: Any) -> list[Any]:
    """Return a tensor, or the tensors of an iterable, as a list."""
    given = parameters
    if isinstance(given, Tensor):
        given = [given]
    elif isinstance(given, Iterable) and not isinstance(given, str):
        given = list(given)
    if not isinstance(given, list) or not all(isinstance(p, Tensor) for p in given):
        module = hasattr(getattr(parameters, "__self__", parameters), "named_parameters")
        raise ArgumentError(
            f"{name}: parameters must be tensors, got {describe(parameters)}"
            + ("; use model.parameters()" if module else "")
        )
    return given


def _gradients(name: str, parameters: Any) -> list[Tensor]:
    return [p.grad for p in tensors_of(name, parameters) if p.grad is not None]


@named
def get_total_norm(tensors: Iterable[Any], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """Return the norm of all ``tensors`` together, as if they were one vector.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.get_total_norm([tl.ones(2), tl.ones(2)])
    tensor(2.)
    """
    arrays = [t.array for t in ([tensors] if isinstance(tensors, Tensor) else tensors)]
    p = float(norm_type)
    if not arrays:
        return make(new.zeros((), np.float32))
    if p == math.inf:
        total = max(float(np.abs(a).max(initial=0.0)) for a in arrays)
    elif p == -math.inf:
        total = min(float(np.abs(a).min(initial=math.inf)) for a in arrays)
    elif p == 0:  # PyTorch's: how many of them are not zero throughout
        total = float(sum(bool(a.any()) for a in arrays))
    elif p == 2 and new.REDIRECTED[0] and not error_if_nonfinite:  # a recorded step keeps the formula
        squares = [np.vdot(a, a).astype(np.float64) for a in arrays]
        return make(np.sqrt(sum(squares[1:], squares[0])).astype(arrays[0].dtype))
    elif p == 2:
        total = math.sqrt(sum(float(np.vdot(a, a)) for a in arrays))
    else:
        with np.errstate(divide="ignore"):
            total = float(np.float64(sum(float((np.abs(a) ** p).sum()) for a in arrays)) ** (1 / p))
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped; "
            f"error_if_nonfinite=False scales by it nevertheless"
        )
    return make(new.asarray(total, arrays[0].dtype))


@named
def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Tensor:
    """Scale gradients in place so that their joint norm is at most ``max_norm``.

    Returns the norm before. Raises RuntimeError if it is not finite and ``error_if_nonfinite``.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.Parameter(tl.zeros(2))
    >>> p.grad = tl.tensor([3.0, 4.0])
    >>> tl.nn.utils.clip_grad_norm_([p], 1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    if not float(max_norm) >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm must be a number from 0 on, got {max_norm}")
    grads = _gradients("clip_grad_norm_", parameters)
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    _scaled(grads, max_norm, total)
    return total


def _scaled(grads: list[Tensor], max_norm: float, total: Any) -> None:
    """Multiply ``grads`` by ``max_norm / total`` in place, unless that is 1 or more."""
    if new.REDIRECTED[0] and isinstance(total, Tensor):  # a recorded step multiplies by 1 then
        least = np.minimum(float(max_norm) / (total.array.astype(np.float64) + 1e-6), 1.0)
        for g in grads:
            g.array *= least.astype(g.array.dtype)
        return
    factor = float(max_norm) / (float(total) + 1e-6)
    if not factor >= 1:  # also when it is NaN
        for g in grads:
            g.array *= new.asarray(factor, g.array.dtype)


@named
def clip_grad_norm(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Tensor:
    """The older name of `clip_grad_norm_`.

    >>> import warnings, tinygrad_lite as tl
    >>> p = tl.nn.Parameter(tl.zeros(2))
    >>> p.grad = tl.tensor([3.0, 4.0])
    >>> with warnings.catch_warnings(action="ignore"):  # deprecated
    ...     norm = tl.nn.utils.clip_grad_norm([p], 1.0)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=3,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@named
def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Any, foreach: Any = None) -> None:
    """Scale gradients in place by ``max_norm / total_norm``, unless that is 1 or more.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.Parameter(tl.zeros(2))
    >>> p.grad = tl.tensor([3.0, 4.0])
    >>> tl.nn.utils.clip_grads_with_norm_([p], 1.0, tl.tensor(5.0))
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    _scaled(_gradients("clip_grads_with_norm_", parameters), max_norm, total_norm)


@named
def clip_grad_value_(parameters: Any, clip_value: float, foreach: Any = None) -> None:
    """Clip every gradient to ``[-clip_value, clip_value]``, in place.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.Parameter(tl.zeros(2))
    >>> p.grad = tl.tensor([3.0, 4.0])
    >>> tl.nn.utils.clip_grad_value_([p], 1.0)
    >>> p.grad
    tensor([1., 1.])
    """
    if not float(clip_value) >= 0:
        raise ValueError(f"clip_grad_value_: clip_value must be a number from 0 on, got {clip_value}")
    for g in _gradients("clip_grad_value_", parameters):
        np.clip(g.array, -float(clip_value), float(clip_value), out=g.array)
