"""Making tensors: from data, filled with a value, or counted out. Python floats become the default dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.ops.shape import sizes
from tinygrad_lite.registry import publish
from tinygrad_lite.tensor import Tensor, get_default_dtype, make, to_array

__all__ = ["arange", "as_tensor", "empty", "eye", "from_numpy", "full", "full_like", "linspace", "ones", "ones_like",
           "tensor", "zeros", "zeros_like"]  # fmt: skip


def _finish(array: Any, requires_grad: bool) -> Tensor:
    t = make(array)
    if requires_grad:
        t.requires_grad = True
    return t


def tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a new tensor with a copy of ``data`` (numbers, nested lists, arrays, tensors).

    >>> tensor([[1, 2], [3, 4]]).dtype, tensor([1.5]).dtype
    (dtype('int64'), dtype('float32'))
    """
    return _finish(to_array(data, dtype), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ``data`` as a tensor, sharing memory where possible."""
    if isinstance(data, Tensor) and (dtype is None or data.dtype == dtype):
        return data
    return make(to_array(data, dtype, copy=False))


def from_numpy(array: Any) -> Tensor:
    """Return a tensor that shares the memory of ``array``."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an array, got a {type(array).__name__}; use tensor()")
    return make(to_array(array, copy=False))


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of zeros."""
    return _finish(np.zeros(sizes(size), dtype or get_default_dtype()), requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of ones."""
    return _finish(np.ones(sizes(size), dtype or get_default_dtype()), requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor whose elements are not set."""
    return _finish(np.empty(sizes(size), dtype or get_default_dtype()), requires_grad)


def full(size: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor filled with one value."""
    return _finish(np.full(sizes((size,)), fill_value, dtype or to_array(fill_value).dtype), requires_grad)


def zeros_like(input: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return zeros in the shape and dtype of ``input``."""
    return _finish(np.zeros(np.shape(input.array), dtype or input.dtype), requires_grad)


def ones_like(input: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return ones in the shape and dtype of ``input``."""
    return _finish(np.ones(np.shape(input.array), dtype or input.dtype), requires_grad)


def full_like(input: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return one value in the shape and dtype of ``input``."""
    return _finish(np.full(np.shape(input.array), fill_value, dtype or input.dtype), requires_grad)


def arange(start: Any, end: Any = None, step: Any = 1, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Return the numbers from ``start`` (0 if only one is given) up to but not including ``end``."""
    if end is None:
        start, end = 0, start
    floating = any(isinstance(v, float) for v in (start, end, step))
    return _finish(np.arange(start, end, step, dtype or (get_default_dtype() if floating else np.int64)), requires_grad)


def linspace(start: Any, end: Any, steps: int, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Return ``steps`` evenly spaced numbers from ``start`` to ``end``, both included."""
    return _finish(np.linspace(start, end, steps, dtype=dtype or get_default_dtype()), requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a matrix with ones on its diagonal."""
    return _finish(np.eye(n, m, dtype=dtype or get_default_dtype()), requires_grad)


for _name, _numpy in {"zeros_like": np.zeros_like, "ones_like": np.ones_like, "full_like": np.full_like}.items():
    publish(_name, globals()[_name], _numpy, method=False)
