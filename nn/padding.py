"""Layers that pad sequences, images and volumes; `functional.pad` does the work."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.errors import ShapeError
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.windows.convolution import as_ints

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """Base of the padding layers.

    A subclass names its number of spatial axes and its mode in the class line.
    """

    n = 2
    mode = "constant"
    value: float | None = None

    def __init_subclass__(cls, *, n: int | None = None, mode: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.n = cls.n if n is None else n
        cls.mode = cls.mode if mode is None else mode

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = as_ints(type(self).__name__, "padding", padding, 2 * self.n)

    def forward(self, input: Any) -> Any:
        """Return the padded input."""
        if self.mode == "circular" and input.ndim not in (self.n + 1, self.n + 2):
            raise ShapeError(f"expected {self.n + 1}D or {self.n + 2}D input (got {input.ndim}D input)")
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"padding={self.padding}, value={self.value}"


class ZeroPad1d(_Pad, n=1):
    """Pad sequences (N, C, L) with zeros.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ZeroPad1d(1)(tl.tensor([[[3.0, 1.0, 2.0]]]))
    tensor([[[0., 3., 1., 2., 0.]]])
    """


class ZeroPad2d(_Pad, n=2):
    """Pad images (N, C, H, W) with zeros.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ZeroPad2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 8, 8)
    """


class ZeroPad3d(_Pad, n=3):
    """Pad volumes (N, C, D, H, W) with zeros.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ZeroPad3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 8, 10, 12)
    """


class ConstantPad1d(_ConstantPad, n=1):
    """Pad sequences (N, C, L) with a constant.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ConstantPad1d(1, 9.0)(tl.tensor([[[3.0, 1.0]]]))
    tensor([[[9., 3., 1., 9.]]])
    """


class ConstantPad2d(_ConstantPad, n=2):
    """Pad images (N, C, H, W) with a constant.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ConstantPad2d(1, 9.0)(tl.ones(1, 1, 2, 2)).shape
    (1, 1, 4, 4)
    """


class ConstantPad3d(_ConstantPad, n=3):
    """Pad volumes (N, C, D, H, W) with a constant.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ConstantPad3d(1, 9.0)(tl.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 4, 4, 4)
    """


class ReflectionPad1d(_Pad, n=1, mode="reflect"):
    """Pad sequences (N, C, L) with their mirror image; the edge is not repeated.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReflectionPad1d(1)(tl.tensor([[[3.0, 1.0, 2.0]]]))
    tensor([[[1., 3., 1., 2., 1.]]])
    """


class ReflectionPad2d(_Pad, n=2, mode="reflect"):
    """Pad images (N, C, H, W) with their mirror image; the edge is not repeated.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReflectionPad2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 8, 8)
    """


class ReflectionPad3d(_Pad, n=3, mode="reflect"):
    """Pad volumes (N, C, D, H, W) with their mirror image; the edge is not repeated.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReflectionPad3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 8, 10, 12)
    """


class ReplicationPad1d(_Pad, n=1, mode="replicate"):
    """Pad sequences (N, C, L) by repeating their edge.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReplicationPad1d(1)(tl.tensor([[[3.0, 1.0, 2.0]]]))
    tensor([[[3., 3., 1., 2., 2.]]])
    """


class ReplicationPad2d(_Pad, n=2, mode="replicate"):
    """Pad images (N, C, H, W) by repeating their edge.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReplicationPad2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 8, 8)
    """


class ReplicationPad3d(_Pad, n=3, mode="replicate"):
    """Pad volumes (N, C, D, H, W) by repeating their edge.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ReplicationPad3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 8, 10, 12)
    """


class CircularPad1d(_Pad, n=1, mode="circular"):
    """Pad sequences (N, C, L) with values from the opposite edge.

    >>> import tinygrad_lite as tl
    >>> tl.nn.CircularPad1d(1)(tl.tensor([[[3.0, 1.0, 2.0]]]))
    tensor([[[2., 3., 1., 2., 3.]]])
    """


class CircularPad2d(_Pad, n=2, mode="circular"):
    """Pad images (N, C, H, W) with values from the opposite edge.

    >>> import tinygrad_lite as tl
    >>> tl.nn.CircularPad2d(2)(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 8, 8)
    """


class CircularPad3d(_Pad, n=3, mode="circular"):
    """Pad volumes (N, C, D, H, W) with values from the opposite edge.

    >>> import tinygrad_lite as tl
    >>> tl.nn.CircularPad3d(2)(tl.ones(1, 2, 4, 6, 8)).shape
    (1, 2, 8, 10, 12)
    """
