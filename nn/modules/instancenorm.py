"""Instance normalisation, by PyTorch's import path."""

from tinygrad_lite.nn.lazy import (
    LazyInstanceNorm1d as LazyInstanceNorm1d,
    LazyInstanceNorm2d as LazyInstanceNorm2d,
    LazyInstanceNorm3d as LazyInstanceNorm3d,
)
from tinygrad_lite.nn.normalisation import (
    InstanceNorm1d as InstanceNorm1d,
    InstanceNorm2d as InstanceNorm2d,
    InstanceNorm3d as InstanceNorm3d,
    _InstanceNorm as _InstanceNorm,
)
