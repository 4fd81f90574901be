"""A training that several ranks share: the same numbers everywhere, one of them speaks and saves."""

from __future__ import annotations

from typing import Any


def group_of(model: Any) -> Any:
    """Return the group of ranks of a `DistributedDataParallel`; None for other models and for one process."""
    group = getattr(model, "process_group", None)
    return group if group is not None and group.size() > 1 else None


def speaks(model: Any) -> bool:
    """Return whether this process shows the progress and writes the files."""
    group = group_of(model)
    return group is None or group.rank() == 0


def averaged(model: Any, numbers: dict[str, float]) -> dict[str, float]:
    """Return the means of numbers over the ranks, so that all of them stop, and change the rate, together."""
    if (group := group_of(model)) is None:
        return numbers
    from tinygrad_lite import float64, tensor
    from tinygrad_lite.distributed import ReduceOp, all_reduce

    means = tensor(list(numbers.values()), dtype=float64)
    all_reduce(means, ReduceOp.AVG, group)
    return dict(zip(numbers, means.tolist(), strict=True))


def set_epoch(batches: Any, epoch: int) -> None:
    """Tell a `DistributedSampler` of a loader which epoch begins."""
    for name in ("sampler", "batch_sampler"):
        sampler: Any = getattr(batches, name, None)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(epoch)
