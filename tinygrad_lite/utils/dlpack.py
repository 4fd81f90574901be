"""PyTorch's import path of DLPack: ``from tinygrad_lite.utils.dlpack import from_dlpack, to_dlpack``."""

from tinygrad_lite.ops.exchange import from_dlpack as from_dlpack, to_dlpack as to_dlpack
