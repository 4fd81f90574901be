"""`DistributedDataParallel`, which raises: there are no groups of processes here."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.nn.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """Raise NotImplementedError: training by several processes does not exist here."""

    def __init__(self, module: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "nn.parallel.DistributedDataParallel does not exist in tinygrad_lite: there are no process groups. Train "
            "the module itself in one process; nn.DataParallel(module) keeps the names 'module.…' in the state dict"
        )
