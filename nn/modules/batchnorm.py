"""Batch normalisation, by PyTorch's import path."""

from tinygrad_lite.nn import normalisation
from tinygrad_lite.nn.lazy import (
    LazyBatchNorm1d as LazyBatchNorm1d,
    LazyBatchNorm2d as LazyBatchNorm2d,
    LazyBatchNorm3d as LazyBatchNorm3d,
)
from tinygrad_lite.nn.normalisation import (
    BatchNorm1d as BatchNorm1d,
    BatchNorm2d as BatchNorm2d,
    BatchNorm3d as BatchNorm3d,
    SyncBatchNorm as SyncBatchNorm,
    _BatchNorm as _BatchNorm,
)

_NormBase = normalisation._Running
