"""PyTorch's import path for `tinygrad_lite.data`."""

from tinygrad_lite.data import *  # noqa: F403
from tinygrad_lite.utils.data import distributed as distributed
from tinygrad_lite.utils.data.distributed import DistributedSampler as DistributedSampler
