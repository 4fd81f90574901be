"""Change the tensors of a module: dtype, memory, gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.absent import DTYPES
from tinygrad_lite.engine.devices import Device, as_device, placed
from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, describe
from tinygrad_lite.nn.walk import Walk

M = TypeVar("M", bound="Converting")


class Converting(Walk):
    """The part of `Module` that changes its tensors; every change goes through `_apply`."""

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        """Replace the data of every parameter and gradient, and every buffer, by ``fn`` of it; returns self."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        for p in self._parameters.values():
            if p is None:
                continue
            grad = p.grad
            with no_grad():
                p.data = fn(p)
                if grad is not None:
                    grad.data = fn(grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: M, *args: Any, device: Any = None, dtype: Any = None, **_: Any) -> M:
        """Convert to a floating dtype: ``to(dtype)``, ``to(device, dtype)`` ..."""
        for a in args:
            if isinstance(a, Tensor):
                dtype = a.dtype
            elif isinstance(a, (str, Device, int)) and not isinstance(a, bool):
                device = a
            elif a is not None and not isinstance(a, bool):
                dtype = a
        if device is not None:
            there = as_device(device)
            self._apply(lambda t: t.to(there))
        return self._apply(lambda t: t) if dtype is None else _floating(self, dtype)

    def type(self: M, dst_type: Any) -> M:
        """Give all parameters and buffers, those of integers too, the dtype ``dst_type``."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self: M) -> M:
        """Give parameters and floating buffers dtype float32."""
        return _floating(self, np.float32)

    def double(self: M) -> M:
        """Give parameters and floating buffers dtype float64."""
        return _floating(self, np.float64)

    def half(self: M) -> M:
        """Give parameters and floating buffers dtype float16."""
        return _floating(self, np.float16)

    def bfloat16(self: M) -> M:
        """Raise DTypeError: NumPy has no bfloat16."""
        return self.to(DTYPES["bfloat16"])

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the module runs as written; ``tl.compile(module)`` returns a compiled one."""

    def cpu(self: M) -> M:
        """Move parameters and buffers to main memory; returns self."""
        return self._apply(lambda t: t.cpu())

    def cuda(self: M, device: Any = None) -> M:
        """Move parameters and buffers to the GPU; raise DeviceError if there is none."""
        there = as_device("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)
        return self._apply(lambda t: t.to(there))

    def to_empty(self: M, *, device: Any = None, recurse: bool = True) -> M:
        """Give parameters and buffers new memory, not filled."""
        there = None if device is None else as_device(device)

        def empty(t: Tensor) -> Tensor:
            with placed(t.device if there is None else there):
                return make(new.empty(t.shape, t.dtype))

        return self._apply(empty, recurse=recurse)

    def share_memory(self: M) -> M:
        """Return self: threads see the same memory, and there are no worker processes here."""
        return self._apply(lambda t: t)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set ``requires_grad`` of all parameters (False freezes them); returns self."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or fill them with zeros."""
        for p in self.parameters():
            grad = p.grad
            if grad is None:
                continue
            if set_to_none:
                p.grad = None
            elif grad.tracked:
                p.grad = make(new.like(grad.array).zeros(grad.array.shape, grad.array.dtype))
            else:
                grad.array.fill(0)
                grad.changed()


def _floating(module: M, dtype: Any) -> M:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise DTypeError(f"nn.Module.to: {describe(dtype)} is not a dtype; use one such as float32") from None
    if kind.kind != "f":
        raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={kind}")
    return module._apply(lambda t: t.to(kind) if t.dtype.kind == "f" else t)
