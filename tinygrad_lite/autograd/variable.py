"""``Variable``, from before PyTorch 0.4: every tensor is one."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.arguments import fits
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError, DTypeError, describe


class _VariableType(type):
    def __call__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Tensor:
        """Return a tensor that shares the memory of ``data``."""
        if data is None:
            return Tensor()
        if not isinstance(data, Tensor):
            raise DTypeError(f"Variable: data must be a tensor, got {describe(data)}")
        t = data.detach()
        if not fits(bool, requires_grad):
            raise ArgumentError(f"Variable: requires_grad must be True or False, got {describe(requires_grad)}")
        t.requires_grad = bool(requires_grad)
        return t

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor)


class Variable(metaclass=_VariableType):
    """A tensor, in PyTorch's older form: ``Variable(data, requires_grad=True)``.

    >>> import tinygrad_lite as tl
    >>> x = Variable(tl.ones(2), requires_grad=True)
    >>> isinstance(x, Variable), x
    (True, tensor([1., 1.], requires_grad=True))
    """
