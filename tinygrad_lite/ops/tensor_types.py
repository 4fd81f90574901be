"""PyTorch's older ways to make tensors: ``FloatTensor`` and its family, ``Tensor.new``."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.devices import as_device
from tinygrad_lite.engine.dtype import DType, as_dtype
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import PUBLIC, publish
from tinygrad_lite.engine.tensor import Size, Tensor
from tinygrad_lite.ops.elementwise.cast import OLD_NAMES, dtype_of

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor",
]  # fmt: skip


def _from(data: tuple[Any, ...], dtype: Any) -> Tensor:
    """Return a tensor of the data, or an uninitialised one of the sizes."""
    if len(data) == 1 and not isinstance(data[0], (int, Size)):
        return PUBLIC["tensor"](data[0], dtype=dtype)  # type: ignore[no-any-return]
    return PUBLIC["empty"](*data or (0,), dtype=dtype)  # type: ignore[no-any-return]


class _TensorType(type):
    """The type of PyTorch's older tensor types: they construct tensors, and tensors of their dtype are instances."""

    tensor_dtype: str

    def __call__(cls, *data: Any, dtype: Any = None, device: Any = None) -> Tensor:
        """Return a tensor of the given data, or of the given sizes."""
        as_device(device)
        chosen = dtype_of(cls.__name__, cls.tensor_dtype if dtype is None else dtype)
        if chosen != np.dtype(cls.tensor_dtype):
            raise TypeError(f"{cls.__name__}: expected dtype {cls.tensor_dtype}, got {chosen}")
        return _from(data, chosen)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dtype == cls.tensor_dtype

    @property
    def dtype(cls) -> DType:
        """The dtype of its tensors."""
        return as_dtype(cls.tensor_dtype)


def _typed(old: str) -> Any:
    name = f"{old}Tensor"
    doc = (
        f"{OLD_NAMES[old]} tensors in PyTorch's older form, of data or of a size.\n\n>>> import tinygrad_lite as tl\n"
        f">>> tl.{name}([1, 2]).dtype, tl.{name}(2, 3).shape\n(torch.{OLD_NAMES[old]}, (2, 3))\n"
    )
    return _TensorType(name, (), {"__doc__": doc, "tensor_dtype": OLD_NAMES[old], "__module__": __name__})


FloatTensor, DoubleTensor, HalfTensor, ByteTensor, CharTensor, ShortTensor, IntTensor, LongTensor, BoolTensor = map(
    _typed, OLD_NAMES
)
for _name in __all__:
    publish(_name, globals()[_name], (), method=False)


def _new(self: Any, *data: Any, device: Any = None) -> Tensor:
    """Return a tensor of this one's dtype from data, or uninitialised of the given sizes: an older form."""
    as_device(device)
    return _from(data, self.dtype)


setattr(Methods, "new", _new)  # noqa: B010 - set on the base of Tensor, as every method is
