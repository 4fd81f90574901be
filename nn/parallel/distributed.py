"""`DistributedDataParallel`: every rank runs the module on its share of the batch, and gradients are averaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinygrad_lite.distributed.group import member
from tinygrad_lite.distributed.objects import all_gather_object
from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import is_grad_enabled
from tinygrad_lite.errors import OptionError, describe
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parallel.reducer import Reducer, broadcast_together
from tinygrad_lite.nn.parameter import is_lazy

__all__ = ["DistributedDataParallel"]
_NAME = "DistributedDataParallel"


class DistributedDataParallel(Module):
    r"""Run ``module`` on this rank's share of a batch; after backward every ``.grad`` is the mean over all ranks.

    :math:`g = \frac{1}{n} \sum_{r=1}^n g_r`. With a loss that is a mean and equal shares this is the gradient of the
    whole batch, so all ranks make the same step. Parameters and buffers begin as those of rank 0; with
    ``broadcast_buffers`` the buffers are rank 0's again before each forward pass that follows a training step.

    Gradients travel in buckets of ``bucket_cap_mb``, while the backward pass still runs. Each parameter must get a
    gradient in each pass, or ``find_unused_parameters`` be True. ``init_process_group`` comes first.
    The module is the attribute ``module``; the names in the state dict begin with it.
    """

    def __init__(
        self, module: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
        broadcast_buffers: bool = True, init_sync: bool = True, process_group: Any = None,
        bucket_cap_mb: float | None = None, find_unused_parameters: bool = False, check_reduction: bool = False,
        gradient_as_bucket_view: bool = False, static_graph: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        cap = 25 if bucket_cap_mb is None else bucket_cap_mb
        if not cap > 0:
            raise OptionError(f"{_NAME}: bucket_cap_mb must be positive, got {bucket_cap_mb}")
        if not isinstance(module, Module):
            raise OptionError(f"{_NAME}: expected a module, got {describe(module)}")
        group = member(process_group)
        if group is None:
            raise ValueError(f"{_NAME}: this rank is not in the group")
        named = list(module.named_parameters())
        if lazy := [name for name, p in named if is_lazy(p)]:
            raise RuntimeError(f"{_NAME}: {lazy[0]} has no shape yet; run the module once before")
        trained = [(name, p) for name, p in named if p.requires_grad]
        if not trained:
            raise RuntimeError(
                f"{_NAME} is not needed when a module doesn't have any parameters that require a gradient."
            )
        self.module, self.process_group, self.dim = module, group, dim
        self.device_ids: list[Any] = []
        self.broadcast_buffers, self.find_unused_parameters = broadcast_buffers, find_unused_parameters
        self.require_backward_grad_sync, self._buffers_changed = True, broadcast_buffers
        self._reducer = None
        if group.size() > 1:
            _compare(named, group)
            if init_sync:
                broadcast_together([*module.parameters(), *module.buffers()], group)
            self._reducer = Reducer(trained, group, cap * 2**20, find_unused_parameters or static_graph)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return what the module returns."""
        reducer, module = self._reducer, self.__dict__.get("compiled", self.module)
        if reducer is None:
            return module(*inputs, **kwargs)
        if new.redirected():  # the answer of other ranks is no function of the arrays
            raise NotImplementedError(
                f"{_NAME}: the exchange is not recorded; compile the model itself: compile(model)"
            )
        synced = self.require_backward_grad_sync and is_grad_enabled()
        if synced:
            reducer.prepare()
        if self._buffers_changed and self.broadcast_buffers:
            broadcast_together(self.module.buffers(), self.process_group)
        self._buffers_changed = synced
        output = module(*inputs, **kwargs)
        if synced and reducer.find_unused:
            reducer.look_for_unused(output)
        return output

    @property
    def recordable(self) -> Any:
        """The part that `compile` may record, and puts a program in its place."""
        return self.module

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Let gradients of the passes inside add up on each rank; the first pass afterwards averages them.

        Both forward and backward pass belong inside the block.
        """
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def join(self, *args: Any, **kwargs: Any) -> Any:
        """Raise NotImplementedError: every rank needs equally many batches."""
        raise NotImplementedError(
            f"{_NAME}.join does not exist in tinygrad_lite; DistributedSampler gives every rank equally many samples"
        )

    def register_comm_hook(self, state: Any, hook: Any) -> None:
        """Raise NotImplementedError: gradients are always averaged."""
        raise NotImplementedError(f"{_NAME}.register_comm_hook does not exist in tinygrad_lite; use all_reduce")


def _compare(named: Any, group: Any) -> None:
    """Raise RuntimeError if the ranks have different parameters."""
    mine = [[name, list(p.array.shape), p.array.dtype.name, p.requires_grad] for name, p in named]
    all_of_them: list[Any] = [None] * group.size()
    all_gather_object(all_of_them, mine, group)
    for rank, theirs in zip(group.ranks, all_of_them, strict=True):
        if theirs != all_of_them[0]:
            pairs = [(a, b) for a, b in zip(all_of_them[0], theirs, strict=False) if a != b]
            what = " and ".join(map(str, pairs[0] if pairs else (len(all_of_them[0]), len(theirs))))
            raise RuntimeError(f"{_NAME}: ranks {group.ranks[0]} and {rank} have different modules: {what}")
