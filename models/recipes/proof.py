"""A network as a function of its parameters, and its gradients in order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinygrad_lite import Tensor, grad, tensor
from tinygrad_lite.func import functional_call


def exact(module: Any) -> Any:
    """Return a copy in float64 and evaluation mode, without rounding or dropout."""
    return copy.deepcopy(module).double().eval()


def gradients(module: Any, loss: Callable[[Any], Tensor]) -> tuple[Any, ...]:
    """Return the gradients of ``loss(module)`` in the order of its parameters."""
    found = grad(loss(module), list(module.parameters()))
    return tuple(g.array for g in found if g is not None)


def as_function(module: Any, loss: Callable[[Any], Tensor], x: Tensor) -> tuple[Callable[..., Tensor], list[Any]]:
    """Return ``loss(module(x))`` as a function of the parameters, and their values.

    `gradcheck` takes both.
    """
    names, values = zip(*module.named_parameters(), strict=True)

    def function(*parameters: Tensor) -> Tensor:
        return loss(functional_call(module, dict(zip(names, parameters, strict=True)), (x,)))

    return function, [np.array(p.array) for p in values]


def doubles(*arrays: Any) -> Iterator[Tensor]:
    """Yield each array as a float64 tensor."""
    return (tensor(np.asarray(a, np.float64)) for a in arrays)
