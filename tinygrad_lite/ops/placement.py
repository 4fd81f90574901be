"""Methods about where and how a tensor is stored, and PyTorch's calls of a Python function on each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.devices import as_device
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.no_effect import absent
from tinygrad_lite.engine.op import PUBLIC, publish
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Tensor, allocate, make
from tinygrad_lite.errors import DTypeError, GradientError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import dtype_of
from tinygrad_lite.ops.shape.reshaping import sizes
from tinygrad_lite.ops.windows.padding import pad as pad_


# ------------------------------------------------------------------------------------------------ places
def cuda(self: Any, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Any:
    """Return this tensor on the GPU; raise DeviceError if there is none."""
    return self.to("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)


def cpu(self: Any, memory_format: Any = None) -> Any:
    """Return this tensor: it is on the CPU."""
    return self if memory_format is None else self.contiguous(memory_format=memory_format)


def get_device(self: Any) -> int:
    """Return the number of the device: -1 for the CPU."""
    return -1 if self.device.index is None else self.device.index


def pin_memory(self: Any, device: Any = None) -> Any:
    """Return this tensor: memory is never copied to a device."""
    return self


def record_stream(self: Any, s: Any) -> None:
    """Do nothing: every operation is finished when the call returns."""


def is_pinned(self: Any, device: Any = None) -> bool:
    """Return False: memory is never copied to a device."""
    return False


def share_memory_(self: Any) -> Any:
    """Return this tensor: other processes get copies."""
    return self


def is_shared(self: Any) -> bool:
    """Return False: other processes get copies."""
    return False


def to_dense(self: Any, dtype: Any = None, *, masked_grad: bool = True) -> Any:
    """Return this tensor, which is dense, in another dtype if one is given."""
    return self if dtype is None else self.to(dtype)


def is_inference(self: Any) -> bool:
    """Return False: tensors made in inference mode are ordinary ones.

    >>> import tinygrad_lite as tl
    >>> tl.is_inference(tl.ones(2))
    False
    """
    return False


@named
def is_set_to(self: Any, tensor: Any) -> bool:
    """Return whether another tensor has the same memory, shape and strides."""
    a, b = self.array, tensor.array
    same = a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
    return bool(same and a.shape == b.shape and a.strides == b.strides)


@named
def dim_order(self: Any) -> tuple[int, ...]:
    """Return the axes from the slowest to the fastest in memory.

    >>> import tinygrad_lite as tl
    >>> tl.ones(2, 3).T.dim_order()
    (1, 0)
    """
    strides = self.array.strides
    return tuple(sorted(range(len(strides)), key=lambda i: -strides[i]))


# ------------------------------------------------------------------------------------------------ new memory
@named
def set_(self: Any, source: Any = None, *args: Any) -> Any:
    """Let this tensor have the memory of ``source``, or no elements; return self."""
    if self.tracked:
        raise GradientError("set_: a tensor that requires gradients cannot get other memory; use .detach() first")
    if args:
        raise NotImplementedError("set_: storages are not supported; give a tensor")
    if source is not None and source.dtype != self.dtype:
        raise DTypeError(f"set_: expected dtype {self.dtype}, got {describe(source)}")
    self.array = new.empty(0, self.array.dtype) if source is None else source.array
    return self


@named
def resize_as_(self: Any, other: Any, *, memory_format: Any = None) -> Any:
    """Give this tensor the shape of another in place: `resize_`.

    >>> import tinygrad_lite as tl
    >>> tl.arange(4).resize_as_(tl.ones(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return self.resize_(tuple(other.shape))


@named
def resize(self: Any, *shape: Any) -> Any:
    """Return this tensor in another shape of as many elements: an older name of `reshape`."""
    warn("non-inplace resize is deprecated; use reshape")
    return self.view(*shape)


@named
def resize_as(self: Any, other: Any) -> Any:
    """Return this tensor in the shape of another: an older name of `view_as`."""
    warn("non-inplace resize_as is deprecated; use view_as")
    return self.view(tuple(other.shape))


def _strided(size: Any, stride: Any, dtype: Any) -> Tensor:
    shape, steps = sizes((size,)), sizes((stride,))
    if len(shape) != len(steps) or any(n < 0 for n in (*shape, *steps)):
        raise ShapeError(f"empty_strided: size {shape} and stride {steps} must have one length and no negative number")
    extent = sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) + 1 if 0 not in shape else 0
    memory = new.empty(extent, dtype)
    return make(new.ndarray(shape, memory.dtype, memory, 0, [s * memory.itemsize for s in steps]))


@named
def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:  # fmt: skip
    """Return an uninitialised tensor with the given shape and strides, counted in elements.

    >>> import tinygrad_lite as tl
    >>> tl.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    as_device(device)
    t = _strided(size, stride, PUBLIC["empty"](0).array.dtype if dtype is None else dtype_of("empty_strided", dtype))
    return t.requires_grad_() if requires_grad else t


@named
def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:  # fmt: skip
    """Return an uninitialised tensor whose axes lie in memory in the given order, the slowest first.

    >>> import tinygrad_lite as tl
    >>> tl.empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    shape, order = sizes((size,)), [int(i) for i in physical_layout]
    if sorted(order) != list(range(len(shape))):
        raise ShapeError(f"empty_permuted: physical_layout must order the {len(shape)} axes, got {tuple(order)}")
    strides, step = [0] * len(shape), 1
    for axis in order[::-1]:
        strides[axis], step = step, step * max(shape[axis], 1)
    return empty_strided(shape, strides, dtype=dtype, device=device, requires_grad=requires_grad)


@named
def new_empty_strided(self: Any, size: Any, stride: Any, *, dtype: Any = None, **words: Any) -> Tensor:
    """Return `empty_strided` in the dtype of this tensor."""
    return empty_strided(size, stride, dtype=self.dtype if dtype is None else dtype, **words)


# ------------------------------------------------------------------------------------------------ one by one
def _changed(name: str, self: Any, callable_: Callable[..., Any], *others: Any) -> Any:
    if self.tracked:
        raise GradientError(f"{name}: a Python function of numbers has no gradient; use .detach() first")
    arrays = [np.broadcast_to(o.array, self.array.shape) for o in others]
    values = [callable_(*row) for row in zip(*(a.reshape(-1).tolist() for a in (self.array, *arrays)), strict=True)]
    return self.copy_(make(new.array(values, dtype=self.array.dtype).reshape(self.array.shape)))


@named
def apply_(self: Any, callable: Callable[..., Any]) -> Any:
    """Replace each element by ``callable(element)``; return self.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1.0, 2.0]).apply_(lambda n: n * 10)
    tensor([10., 20.])
    """
    return _changed("apply_", self, callable)


@named
def map_(self: Any, tensor: Any, callable: Callable[..., Any]) -> Any:
    """Replace each element a by ``callable(a, b)``, b the element of ``tensor`` at its place; return self.

    >>> import tinygrad_lite as tl
    >>> tl.tensor([1.0, 2.0]).map_(tl.tensor([3.0, 4.0]), lambda a, b: a * b)
    tensor([3., 8.])
    """
    return _changed("map_", self, callable, tensor)


@named
def map2_(self: Any, x: Any, y: Any, callable: Callable[..., Any]) -> Any:
    """Replace each element a by ``callable(a, b, c)``, b and c those of ``x`` and ``y``; return self."""
    return _changed("map2_", self, callable, x, y)


@named
def as_subclass(self: Any, cls: type[Any]) -> Any:
    """Return the same tensor as an instance of ``cls``, a class derived from Tensor."""
    if not issubclass(cls, Tensor):
        raise TypeError(f"as_subclass: expected a class derived from Tensor, got {cls.__name__}")
    t = allocate(cls)
    for name in ("array", "_grad", "tracked", "node", "hooks", "base"):
        setattr(t, name, getattr(self, name))
    return t


def _make_subclass(cls: type[Any], data: Any, require_grad: bool = False) -> Any:
    return as_subclass(data.detach(), cls).requires_grad_(require_grad)


setattr(Methods, "_make_subclass", staticmethod(_make_subclass))  # noqa: B010


@named
def constant_pad_nd(input: Any, pad: Any, value: float = 0.0) -> Any:
    """Return ``input`` padded with one value: ``nn.functional.pad`` in its older form.

    >>> import tinygrad_lite as tl
    >>> tl.constant_pad_nd(tl.ones(1), (1, 1), 2.0)
    tensor([2., 1., 2.])
    """
    return pad_(input, pad, value=value)


@named
def fill(input: Any, value: Any) -> Any:
    """Return a tensor like ``input`` with every element ``value``.

    >>> import tinygrad_lite as tl
    >>> tl.fill(tl.zeros(2), 3.0)
    tensor([3., 3.])
    """
    return input.clone().fill_(value)


def is_distributed(self: Any) -> bool:
    """Return False: a tensor lies in one process."""
    return False


def dense_dim(self: Any) -> int:
    """Return the number of axes: all of them are dense."""
    return int(self.ndim)


def sparse_dim(self: Any) -> int:
    """Return 0: no axis is sparse."""
    return 0


METHODS: tuple[Callable[..., Any], ...] = (
    cuda, cpu, get_device, pin_memory, record_stream, is_pinned, share_memory_, is_shared, to_dense, is_inference,
    is_set_to, dim_order, set_, resize_as_, resize, resize_as, new_empty_strided, apply_, map_, map2_, as_subclass,
    is_distributed, dense_dim, sparse_dim,
)  # fmt: skip
for _method in METHODS:
    if _method is not cpu or not hasattr(Methods, "cpu"):
        setattr(Methods, _method.__name__, _method)
setattr(Methods, "const_data_ptr", lambda self: self.data_ptr())  # noqa: B010 - only reading differs
setattr(Methods, "volatile", False)  # noqa: B010 - an attribute of PyTorch's that is always False
setattr(Methods, "name", None)  # noqa: B010


def _output_number(self: Any) -> int:
    return int(getattr(self.node and self.node.op, "index", 0))


setattr(Methods, "output_nr", property(_output_number))  # noqa: B010
ABSENT_METHODS = {
    **dict.fromkeys(
        """to_sparse to_sparse_coo to_sparse_csr to_sparse_csc to_sparse_bsr to_sparse_bsc coalesce is_coalesced
        sparse_mask sparse_resize_ sparse_resize_and_clear_ resize_as_sparse_ smm sspaddmm ccol_indices
        col_indices crow_indices row_indices indices values index""".split(), "tensors are dense"),
    **dict.fromkeys("qscheme int_repr q_scale q_zero_point q_per_channel_axis q_per_channel_scales "
                    "q_per_channel_zero_points".split(), "there are no quantised tensors"),
    **dict.fromkeys(("xpu", "ipu", "mtia"), "there is no such device"),
    "to_padded_tensor": "tensors are rectangular",
    "slice_inverse": "use zeros(size).slice_scatter(...)", "chalf": "there are no complex tensors",
    "hash_tensor": "use hash(tensor.numpy().tobytes())", "ormqr": "use linalg.householder_product(a, tau) @ other",
    "module_load": "use copy_", "storage_type": "use type(x.storage())",
    "grad_dtype": "gradients have the leaf's dtype",
    "to_mkldnn": "the tensor can be used as it is",
    "bfloat16": "use .half() or .float()",
    "cfloat": "there are no complex tensors", "cdouble": "there are no complex tensors",
    "stft": "there are no complex tensors; use unfold with hann_window and numpy.fft.rfft",
    "istft": "there are no complex tensors; use numpy.fft.irfft",
    "dequantize": "there are no quantised tensors",
    "reinforce": "it was removed from PyTorch too; use distributions",
    "symeig": "it was removed from PyTorch too; use linalg.eigh",
    "eig": "it was removed from PyTorch too; use linalg.eigh for symmetric matrices",
    "solve": "it was removed from PyTorch too; use linalg.solve(A, B)",
    "lstsq": "it was removed from PyTorch too; use linalg.lstsq(A, B)",
}  # fmt: skip
"""Methods that only raise, and what to do instead."""
for _name, _instead in ABSENT_METHODS.items():
    if _name not in ("values", "indices", "index", "grad_dtype"):  # hasattr() should answer False for these
        setattr(Methods, _name, absent(f"Tensor.{_name}", _instead))
for _function in (empty_strided, empty_permuted, constant_pad_nd, fill, is_inference, resize_as_, Tensor.detach_):
    publish(_function.__name__, _function, (), method=False)
