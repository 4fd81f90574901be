"""A tensor that belongs to a module: found by `Module.parameters`, trained by optimisers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.printing import show
from tinygrad_lite.tensor import Tensor, get_default_dtype, to_array

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A tensor that a `Module` registers as a parameter when it is assigned to one of its attributes.

    ``data``: a tensor (its memory is shared), or anything `tensor` takes (copied). Unlike a plain tensor it requires
    gradients by default.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.Parameter(tl.ones(2))
    >>> p.requires_grad, p.is_leaf
    (True, True)
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        if data is None:
            self.array = np.empty(0, get_default_dtype())
        else:
            self.array = data.array if isinstance(data, Tensor) else to_array(data)
        self.grad = self.node = self.hooks = self.base = None
        self.tracked = False
        self.requires_grad = requires_grad

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        copy = type(self)(Tensor(self.array), self.tracked)
        if self.grad is not None:
            copy.grad = Tensor(self.grad.array)
        copy.__dict__.update(self.__dict__)
        memo[id(self)] = copy
        return copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuilt, (type(self), self.array, self.tracked), self.__dict__ or None

    def __repr__(self) -> str:
        return f"Parameter containing:\n{show(self)}"


def _rebuilt(kind: type[Parameter], array: Any, requires_grad: bool) -> Parameter:
    return kind(array, requires_grad)


class Buffer(Tensor):
    """A tensor without gradient that a `Module` registers as a buffer when it is assigned to one of its attributes.

    ``persistent``: whether it is part of the state dict.
    """

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(() if data is None else data)
        if isinstance(data, Tensor):
            self.array = data.array
        self.persistent = persistent
