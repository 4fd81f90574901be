"""Window functions of signal processing, from `bartlett_window` to `kaiser_window`."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.devices import as_device
from tinygrad_lite.engine.keywords import creating
from tinygrad_lite.engine.op import publish
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, make
from tinygrad_lite.errors import DTypeError, ShapeError
from tinygrad_lite.ops.elementwise.cast import dtype_of


def window(
    name: str, length: int, periodic: bool, values: Callable[[Any], Any], dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``values`` at the given number of points from 0 to 1; a periodic window leaves the last one out."""
    as_device(device)
    chosen = get_default_dtype() if dtype is None else dtype_of(name, dtype)
    if chosen.kind != "f":
        raise DTypeError(f"{name}: expected a floating dtype, got {chosen}")
    n = index(length)
    if n < 0:
        raise ShapeError(f"{name}: window_length must not be negative, got {n}")
    full = n + 1 if periodic and n > 1 else n
    points = values(new.linspace(0.0, 1.0, full)) if n > 1 else new.ones(n)
    if not isinstance(points, np.ndarray):
        raise DTypeError(f"{name}: the coefficients must be numbers, not tensors")
    t = make(points[:n].astype(chosen))
    if requires_grad:
        t.requires_grad = True
    return t


def hann_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return half a period of a raised cosine: ``(1 - cos(2 pi t)) / 2``.

    >>> import tinygrad_lite as tl
    >>> tl.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return hamming_window(window_length, periodic, 0.5, 0.5, dtype=dtype, device=device, requires_grad=requires_grad)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return ``alpha - beta cos(2 pi t)``.

    >>> import tinygrad_lite as tl
    >>> tl.hamming_window(3, periodic=False)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return window("hamming_window", window_length, periodic, lambda t: alpha - beta * np.cos(2 * np.pi * t), dtype,
                   device, requires_grad)  # fmt: skip


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return ``0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t)``.

    >>> import tinygrad_lite as tl
    >>> tl.blackman_window(2)[1]
    tensor(1.)
    """

    def values(t: Any) -> Any:
        return 0.42 - 0.5 * np.cos(2 * np.pi * t) + 0.08 * np.cos(4 * np.pi * t)

    return window("blackman_window", window_length, periodic, values, dtype, device, requires_grad)


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return a triangle: ``1 - |2 t - 1|``.

    >>> import tinygrad_lite as tl
    >>> tl.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return window("bartlett_window", window_length, periodic, lambda t: 1 - np.abs(2 * t - 1), dtype, device,
                   requires_grad)  # fmt: skip


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return Kaiser's window: ``I0(beta sqrt(1 - (2 t - 1)²)) / I0(beta)``.

    >>> import tinygrad_lite as tl
    >>> tl.kaiser_window(3, periodic=False, beta=0.0)
    tensor([1., 1., 1.])
    """

    def values(t: Any) -> Any:
        return np.i0(beta * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0))) / np.i0(beta)

    return window("kaiser_window", window_length, periodic, values, dtype, device, requires_grad)


for _function in (hann_window, hamming_window, blackman_window, bartlett_window, kaiser_window):
    publish(_function.__name__, creating(_function, _function.__name__), (), method=False)
