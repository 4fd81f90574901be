"""`DistributedDataParallel` in a group of one process: it runs the module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.nn.parallel.data_parallel import DataParallel

__all__ = ["DistributedDataParallel"]
NO_EFFECT["nn.parallel.DistributedDataParallel"] = "the group has one process, so it runs the module"


class DistributedDataParallel(DataParallel):
    """Run ``module``, the attribute ``module``; there are no gradients of other processes to wait for."""

    def __init__(self, module: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(module)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Gradients are never synchronised; the block runs as it is."""
        yield
