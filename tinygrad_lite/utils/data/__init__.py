"""PyTorch's import path for `tinygrad_lite.data`."""

from types import SimpleNamespace as _Names

from tinygrad_lite.data import *  # noqa: F403
from tinygrad_lite.data import collate as _collate
from tinygrad_lite.utils.data import distributed as distributed
from tinygrad_lite.utils.data.distributed import DistributedSampler as DistributedSampler

_utils = _Names(collate=_collate)
