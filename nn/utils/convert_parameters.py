"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn.utils.clip_grad import tensors_of
from tinygrad_lite.ops.shape.joining import cat


@named
def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """Return the elements of all ``parameters`` as one vector (differentiable).

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.parameters_to_vector(tl.nn.Linear(2, 1).parameters()).shape
    (3,)
    """
    return cat([p.reshape((-1,)) for p in tensors_of("parameters_to_vector", parameters)], 0)


@named
def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Give ``parameters`` the elements of ``vec``, in order.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.Linear(2, 1)
    >>> tl.nn.utils.vector_to_parameters(tl.ones(3), layer.parameters())
    >>> layer.weight
    Parameter containing:
    tensor([[1., 1.]], requires_grad=True)
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected Tensor, but got: {type(vec).__name__}")
    given = tensors_of("vector_to_parameters", parameters)
    count = sum(p.numel() for p in given)
    if vec.array.shape != (count,):
        raise ShapeError(f"vector_to_parameters: expected a vector of {count} elements, got {describe(vec)}")
    at = 0
    for p in given:
        n = p.numel()
        p.array = vec.array[at : at + n].reshape(p.array.shape).astype(p.array.dtype, copy=True)
        at += n
