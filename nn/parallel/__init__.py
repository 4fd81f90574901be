"""Data parallelism: several processes that share a batch (`DistributedDataParallel`)."""

import sys
from typing import TYPE_CHECKING, Any

from tinygrad_lite.nn.parallel import one_device as scatter_gather
from tinygrad_lite.nn.parallel.data_parallel import DataParallel as DataParallel, data_parallel as data_parallel
from tinygrad_lite.nn.parallel.one_device import (
    gather as gather,
    parallel_apply as parallel_apply,
    replicate as replicate,
    scatter as scatter,
)

if TYPE_CHECKING:
    from tinygrad_lite.nn.parallel.distributed import DistributedDataParallel as DistributedDataParallel
sys.modules[f"{__name__}.scatter_gather"] = scatter_gather  # PyTorch's name of the file


def __getattr__(name: str) -> Any:
    """Find `DistributedDataParallel`; a script of one process need not load what it stands on."""
    if name == "DistributedDataParallel":
        from tinygrad_lite.nn.parallel.distributed import DistributedDataParallel

        return DistributedDataParallel
    raise AttributeError(f"module 'tinygrad_lite.nn.parallel' has no attribute '{name}'")
