"""Python's ``multiprocessing``, where PyTorch has it; tensors travel to other processes as copies."""

from __future__ import annotations

import multiprocessing as _python
from multiprocessing import *  # noqa: F403
from typing import Any

from tinygrad_lite.engine.no_effect import ignored

set_sharing_strategy = ignored("multiprocessing.set_sharing_strategy", "tensors travel as copies")


def get_sharing_strategy() -> str:
    """Return "file_system"."""
    return "file_system"


def get_all_sharing_strategies() -> set[str]:
    """Return the only one, "file_system"."""
    return {"file_system"}


def spawn(
    fn: Any, args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> Any:  # fmt: skip
    """Run ``fn(i, *args)`` in ``nprocs`` processes; raises if one of them fails."""
    context = _python.get_context(start_method)
    processes = [context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)]  # type: ignore[attr-defined]
    for process in processes:
        process.start()
    if not join:
        return processes
    for i, process in enumerate(processes):
        process.join()
        if process.exitcode:
            for other in processes:
                other.terminate()
            raise RuntimeError(f"process {i} terminated with exit code {process.exitcode}")
    return None
