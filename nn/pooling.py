"""Pooling layers."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops import pooling

__all__ = ["MaxPool1d", "MaxPool2d", "MaxPool3d"]


class _MaxPool(Module):
    function: Any = staticmethod(pooling.max_pool2d)

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride if stride is not None else kernel_size
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        """Return the largest value in each window."""
        return self.function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """Return the largest value in each window of sequences (N, C, L)."""

    function = staticmethod(pooling.max_pool1d)


class MaxPool2d(_MaxPool):
    """Return the largest value in each window of images (N, C, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.MaxPool2d(2)(tl.ones(1, 3, 8, 8)).shape
    (1, 3, 4, 4)
    """


class MaxPool3d(_MaxPool):
    """Return the largest value in each window of volumes (N, C, D, H, W)."""

    function = staticmethod(pooling.max_pool3d)
