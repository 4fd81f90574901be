"""Tensors that belong to a module: `Parameter` and `Buffer`, and those whose shape is not known yet."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.engine.devices import Device
from tinygrad_lite.engine.printing import show
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, make, to_array

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class _Named(Tensor):
    """A tensor that keeps its Python attributes when it is copied or pickled."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy = super().__deepcopy__(memo)
        copy._grad = None  # as in PyTorch, unlike that of a plain tensor
        return copy


@named_constructor
class Parameter(_Named):
    """A tensor that becomes a parameter when it is assigned to a module attribute.

    ``data``: a tensor (its memory is shared), or anything `tensor` takes (copied). Unlike a plain tensor it requires
    gradients by default.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.Parameter(tl.ones(2))
    >>> p.requires_grad, p.is_leaf
    (True, True)
    """

    _is_param = True

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


@named_constructor
class Buffer(_Named):
    """A tensor that becomes a buffer when it is assigned to a module attribute.

    It requires no gradient.

    ``persistent``: whether it is part of the state dict.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Buffer(tl.zeros(2))
    tensor([0., 0.])
    """

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(() if data is None else data, dtype=getattr(data, "dtype", None))
        if isinstance(data, Tensor):
            self.array = data.array
        self.persistent = persistent


_SLOT: Any = vars(Tensor)["array"]  # hidden by a property until there are values


@named_constructor
class _Uninitialized(_Named):
    """A tensor of a lazy layer before the first input: it has a dtype and no shape."""

    cls_to_become: Any = None
    persistent = True

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        _SLOT.__set__(self, new.empty(0, dtype or get_default_dtype()))
        self._grad = self.node = self.hooks = self.base = None
        self.tracked = requires_grad

    @property
    def array(self) -> Any:
        """Raise ValueError: there are no values yet."""
        raise ValueError(
            f"Attempted to use an uninitialized parameter. This error happens when you are using a `LazyModule` or "
            f"explicitly manipulating `torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules call "
            f"`forward` with a dummy batch to initialize the parameters before calling torch functions"
        )

    @property
    def shape(self) -> Any:
        """Raise RuntimeError: the shape is not known yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    @property
    def dtype(self) -> Any:
        """The dtype that the values will have."""
        return make(_SLOT.__get__(self)).dtype

    @property
    def requires_grad(self) -> bool:
        """Whether it will require gradients."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.tracked = bool(value)

    @property
    def data(self) -> Any:
        """The tensor itself."""
        return self

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, _Uninitialized):
            raise ValueError("data of an uninitialized parameter cannot be set; call materialize(shape) first")

    def to(self, *args: Any, dtype: Any = None, **_: Any) -> Any:
        """Change the dtype in which the values will be made."""
        for a in (*args, dtype):
            if a is not None and not isinstance(a, (bool, str, Device)):
                _SLOT.__set__(self, new.empty(0, a.dtype if isinstance(a, Tensor) else np.dtype(a)))
        return self

    def share_memory_(self) -> Any:
        """Raise RuntimeError: there is no memory yet."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Make it an ordinary parameter or buffer of this shape, with values that are not set."""
        kind = dtype or self.dtype
        self.__class__ = self.cls_to_become
        _SLOT.__set__(self, new.empty(tuple(shape), kind))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copy = memo[id(self)] = type(self)(self.tracked, None, self.dtype)
        return copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.tracked, None, self.dtype)


@named_constructor
class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is not known yet; `materialize` makes it a `Parameter`.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.UninitializedParameter()
    >>> p.materialize((2, 3))
    >>> p.shape
    (2, 3)
    """

    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        _Uninitialized.__init__(self, requires_grad, device, dtype)


class UninitializedBuffer(_Uninitialized, Buffer):
    """A buffer whose shape is not known yet; `materialize` makes it a `Buffer`.

    >>> import tinygrad_lite as tl
    >>> p = tl.nn.UninitializedBuffer()
    >>> p.materialize((2, 3))
    >>> p.shape
    (2, 3)
    """

    cls_to_become = Buffer


def is_lazy(param: Any) -> bool:
    """Return whether ``param`` is an `UninitializedParameter` or an `UninitializedBuffer`."""
    return isinstance(param, _Uninitialized)
