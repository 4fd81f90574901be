"""Tensors that belong to a module: `Parameter` and `Buffer`."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.printing import show
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, to_array

__all__ = ["Buffer", "Parameter"]


class _Named(Tensor):
    """A tensor that keeps its Python attributes when it is copied or pickled."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy = super().__deepcopy__(memo)
        copy.__dict__.update(self.__dict__)
        return copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (*super().__reduce_ex__(protocol), self.__dict__ or None)


class Parameter(_Named):
    """A tensor that becomes a parameter when it is assigned to a module attribute.

    ``data``: a tensor (its memory is shared), or anything `tensor` takes (copied). Unlike a plain tensor it requires
    gradients by default.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.Parameter(tl.ones(2))
    >>> p.requires_grad, p.is_leaf
    (True, True)
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        if data is None:
            self.array = new.empty(0, get_default_dtype())
        else:
            self.array = data.array if isinstance(data, Tensor) else to_array(data)
        self._grad = self.node = self.hooks = self.base = None
        self.tracked = False
        self.requires_grad = requires_grad

    def __repr__(self) -> str:
        return f"Parameter containing:\n{show(self)}"


class Buffer(_Named):
    """A tensor that becomes a buffer when it is assigned to a module attribute.

    It requires no gradient.

    ``persistent``: whether it is part of the state dict.
    """

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(() if data is None else data)
        if isinstance(data, Tensor):
            self.array = data.array
        self.persistent = persistent
