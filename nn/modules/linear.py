"""Linear layers, by PyTorch's import path."""

from tinygrad_lite.nn.lazy import LazyLinear as LazyLinear
from tinygrad_lite.nn.linear import Bilinear as Bilinear, Identity as Identity, Linear as Linear
