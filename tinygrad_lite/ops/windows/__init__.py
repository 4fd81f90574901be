"""Sliding windows: convolution, pooling, padding, resizing, grid sampling."""

from tinygrad_lite.ops.windows import (
    adaptive_pooling as adaptive_pooling,
    convolution as convolution,
    correlation as correlation,
    grid_sample as grid_sample,
    padding as padding,
    pooling as pooling,
    resize as resize,
)
