"""Create tensors from data, a fill value or a range; Python floats get the default dtype."""

from __future__ import annotations

from math import ceil, isfinite
from operator import index
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.arrays import number
from tinygrad_lite.engine.devices import as_device
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.keywords import creating
from tinygrad_lite.engine.layout import order_in, reproduced
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import publish
from tinygrad_lite.engine.promotion import result_dtype
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, make, to_array
from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import bare, dtype_of
from tinygrad_lite.ops.shape.reshaping import sizes

__all__ = ["arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace",
           "logspace", "ones", "ones_like", "promote_types", "result_type", "tensor",
           "tril_indices", "triu_indices", "zeros", "zeros_like"]  # fmt: skip


def _finish(array: Any, requires_grad: bool) -> Tensor:
    t = make(array)
    if requires_grad:
        t.requires_grad = True
    return t


def tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a new tensor with a copy of ``data`` (numbers, nested lists, arrays, tensors).

    >>> tensor([[1, 2], [3, 4]]).dtype, tensor([1.5]).dtype
    (torch.int64, torch.float32)
    """
    as_device(device)
    return _finish(to_array(data, None if dtype is None else dtype_of("tensor", dtype)), requires_grad)


@named
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ``data`` as a tensor, sharing memory where possible.

    >>> import tinygrad_lite as tl
    >>> tl.as_tensor([1, 2])
    tensor([1, 2])
    """
    if isinstance(data, Tensor) and (dtype is None or data.dtype == dtype):
        return data
    if isinstance(data, Tensor):
        return data.to(dtype)
    return make(to_array(data, None if dtype is None else dtype_of("as_tensor", dtype), copy=False))


@named
def from_numpy(array: Any) -> Tensor:
    """Return a tensor that shares the memory of ``array``.

    >>> import numpy as np, tinygrad_lite as tl
    >>> tl.from_numpy(np.array([1.0, 2.0]))
    tensor([1., 2.], dtype=float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an array, got a {type(array).__name__}; use tensor()")
    return make(to_array(array, copy=False))


def _made(name: str, fill: Any, size: tuple[Any, ...], dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    as_device(device)
    shape = sizes(size)
    if any(n < 0 for n in shape):
        raise ShapeError(f"{name}: sizes must not be negative, got {shape}")
    return _finish(fill(shape, get_default_dtype() if dtype is None else dtype_of(name, dtype)), requires_grad)


def zeros(*shape: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of zeros.

    >>> import tinygrad_lite as tl
    >>> tl.zeros(2, dtype=tl.int64)
    tensor([0, 0])
    """
    return _made("zeros", new.zeros, shape if size is None else (size,), dtype, device, requires_grad)


def ones(*shape: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of ones.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 2)
    tensor([[1., 1.],
            [1., 1.]])
    """
    return _made("ones", new.ones, shape if size is None else (size,), dtype, device, requires_grad)


def empty(
    *shape: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Return an uninitialised tensor.

    >>> import tinygrad_lite as tl
    >>> tl.empty(2, 3).shape
    (2, 3)
    """

    def fill(shape: Any, dtype: Any) -> Any:
        return reproduced("empty", new.empty(shape, dtype), memory_format)

    return _made("empty", fill if memory_format else new.empty, shape if size is None else (size,), dtype, device,
                 requires_grad)  # fmt: skip


@named
def full(size: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor filled with one value.

    >>> import tinygrad_lite as tl
    >>> tl.full((2,), 7)
    tensor([7, 7])
    """
    value = _fill("full", fill_value)
    if dtype is None and value.__class__ is float:
        dtype = get_default_dtype()
    chosen = to_array(value, name="full").dtype if dtype is None else dtype
    return _made("full", _filled("full", value), (size,), chosen, device, requires_grad)


def _fill(name: str, value: Any) -> Any:
    """Return the number of a fill value, which may be a 0-d tensor."""
    if getattr(value, "ndim", None) == 0:
        return value.item()
    if hasattr(value, "__len__"):
        raise ArgumentError(f"{name}: fill_value must be one number, got {describe(value)}")
    return value


def _filled(name: str, value: Any) -> Any:
    return lambda shape, dtype: new.full(shape, number(name, value, dtype), dtype)


def _like(
    name: str, input: Any, fill: Any, dtype: Any, device: Any, requires_grad: bool, memory_format: Any = None
) -> Tensor:
    """Return a tensor like ``input``, its axes in the same order in memory unless ``memory_format`` names another."""
    # A Tensor stays one: inside vmap its shape is that of one example.
    array = input if isinstance(input, Tensor) else to_array(input, copy=False, name=name)
    chosen, raw = array.dtype if dtype is None else dtype, bare(array)
    if getattr(array, "level", 0) or memory_format is None and raw.flags.c_contiguous:
        return _made(name, fill, (array.shape,), chosen, device, requires_grad)
    order = order_in(name, raw, memory_format)[::-1]
    t = _made(name, fill, (tuple([raw.shape[i] for i in order]),), chosen, device, requires_grad)
    t.array = t.array.transpose([order.index(i) for i in range(raw.ndim)])
    return t


def zeros_like(
    input: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Return zeros in the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.zeros_like(tl.ones(2))
    tensor([0., 0.])
    """
    return _like("zeros_like", input, new.zeros, dtype, device, requires_grad, memory_format)


def ones_like(
    input: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Return ones in the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.ones_like(tl.zeros(2))
    tensor([1., 1.])
    """
    return _like("ones_like", input, new.ones, dtype, device, requires_grad, memory_format)


def empty_like(
    input: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Return an uninitialised tensor in the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.empty_like(tl.ones(2, 3)).shape
    (2, 3)
    """
    return _like("empty_like", input, new.empty, dtype, device, requires_grad, memory_format)


def full_like(
    input: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Return one value in the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.full_like(tl.ones(2), 7)
    tensor([7., 7.])
    """
    fill = _filled("full_like", _fill("full_like", fill_value))
    return _like("full_like", input, fill, dtype, device, requires_grad, memory_format)


Number = float | Tensor


def _number(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


@named
def arange(
    start: Number,
    end: Number | None = None,
    step: Number = 1,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the numbers from ``start`` (default 0) up to but not including ``end``.

    >>> import tinygrad_lite as tl
    >>> tl.arange(0, 1, 0.25)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    given: tuple[Any, ...] = (0, start, step) if end is None else (start, end, step)
    first, last, by = map(_number, given)
    if not all(map(isfinite, (first, last, by))):
        raise OptionError(f"arange: start, end and step must be finite, got {first}, {last} and {by}")
    if by == 0 or (last - first) * by < 0:
        raise ShapeError(f"arange: cannot go from {first} to {last} in steps of {by}")
    floating = any(isinstance(v, float) for v in (first, last, by))
    natural = get_default_dtype() if floating else np.dtype(np.int64)
    kind = natural if dtype is None else dtype_of("arange", dtype)
    if kind.kind in "iu":  # PyTorch rounds the bounds towards zero first
        first, last, by = int(first), int(last), int(by)
        if not by:
            raise ShapeError(f"arange: a step of {given[2]} is 0 for dtype {kind}")
    numbers = new.arange(ceil((last - first) / by))
    if by != 1 or first or floating:
        numbers = numbers * by + first
    return _finish(numbers.astype(kind), requires_grad)


@named
def linspace(
    start: Number, end: Number, steps: int, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return ``steps`` evenly spaced numbers from ``start`` to ``end``, both included.

    >>> import tinygrad_lite as tl
    >>> tl.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    steps = index(steps)
    if steps < 0:
        raise ShapeError(f"linspace: steps must not be negative, got {steps}")
    chosen = get_default_dtype() if dtype is None else dtype_of("linspace", dtype)
    return _finish(new.linspace(_number(start), _number(end), steps).astype(chosen), requires_grad)


@named
def logspace(
    start: Number, end: Number, steps: int, base: float = 10.0, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``steps`` numbers from ``base ** start`` to ``base ** end``.

    Their exponents are evenly spaced.

    >>> import tinygrad_lite as tl
    >>> tl.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    steps = index(steps)
    if steps < 0:
        raise ShapeError(f"logspace: steps must not be negative, got {steps}")
    chosen = get_default_dtype() if dtype is None else dtype_of("logspace", dtype)
    return _finish((float(base) ** new.linspace(_number(start), _number(end), steps)).astype(chosen), requires_grad)


@named
def eye(n: int, m: int | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a matrix with ones on its diagonal.

    >>> import tinygrad_lite as tl
    >>> tl.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if n < 0 or (m is not None and m < 0):
        raise ShapeError(f"eye: sizes must not be negative, got {n} and {m}")
    chosen = get_default_dtype() if dtype is None else dtype_of("eye", dtype)
    return _finish(new.eye(n, m, dtype=chosen), requires_grad)


@named
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = np.int64, device: Any = None) -> Tensor:
    """Return rows and columns of the lower triangle of a (row, col) matrix, as a (2, n) tensor.

    >>> import tinygrad_lite as tl
    >>> tl.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return make(np.stack(new.tril_indices(row, offset, col)).astype(dtype))


@named
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = np.int64, device: Any = None) -> Tensor:
    """Return rows and columns of the upper triangle of a (row, col) matrix, as a (2, n) tensor.

    >>> import tinygrad_lite as tl
    >>> tl.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return make(np.stack(new.triu_indices(row, offset, col)).astype(dtype))


@named
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """Return the dtype of the result of an operation on two tensors or numbers.

    >>> import tinygrad_lite as tl
    >>> tl.result_type(tl.tensor([1]), 1.5)
    torch.float32
    """
    return DType(result_dtype([tensor1, tensor2]))


@named
def promote_types(type1: Any, type2: Any) -> Any:
    """Return the dtype that tensors of two dtypes promote to.

    >>> import tinygrad_lite as tl
    >>> tl.promote_types(tl.int64, tl.float32)
    torch.float32
    """
    return DType(result_dtype([new.zeros(1, type1), new.zeros(1, type2)]))


def inclusive_range(
    start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return the numbers from ``start`` to ``end`` with the end included; `arange` is today's function.

    >>> import warnings
    >>> import tinygrad_lite as tl
    >>> with warnings.catch_warnings(action="ignore"):
    ...     tl.range(0, 2)
    tensor([0., 1., 2.])
    """
    as_device(device)
    warn("range is deprecated and includes its end; use arange")
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) * step < 0:
        raise OptionError(f"range: the step {step} does not lead from {start} to {end}")
    count = int((end - start) / step) + 1
    values = start + new.arange(count) * step
    return _finish(values.astype(dtype_of("range", get_default_dtype() if dtype is None else dtype)), requires_grad)


# ------------------------------------------------------------------------------------------------ after a given tensor
NEW = {
    "new_zeros": "Return zeros of the given size in the dtype of this tensor.",
    "new_ones": "Return ones of the given size in the dtype of this tensor.",
    "new_empty": "Return an uninitialised tensor of the given size in the dtype of this tensor.",
    "new_full": "Return a tensor of the given size filled with one value, in the dtype of this tensor.",
    "new_tensor": "Return the data as a new tensor in the dtype of this tensor.",
}


def _new(name: str, maker: Any) -> None:
    def like_self(self: Any, *args: Any, dtype: Any = None, **words: Any) -> Tensor:
        if self.array.__class__ is not np.ndarray:
            words.setdefault("device", self.device)
        return maker(*args, dtype=self.dtype if dtype is None else dtype, **words)  # type: ignore[no-any-return]

    like_self.__name__, like_self.__doc__ = name, NEW[name]
    setattr(Methods, name, like_self)


LIKE = {name: getattr(np, name) for name in ("zeros_like", "ones_like", "full_like", "empty_like")}
for _name in __all__:
    if _name not in ("as_tensor", "from_numpy", "promote_types", "result_type"):
        globals()[_name] = creating(globals()[_name], _name)
    publish(_name, globals()[_name], LIKE.get(_name, ()), method=False)
publish("range", creating(inclusive_range, "range"), (), method=False)
for _name in ("zeros", "ones", "empty", "full", "tensor"):
    _new(f"new_{_name}", globals()[_name])
