"""`Reducer`: averages the gradients of all ranks while the backward pass still runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.distributed import ReduceOp, all_reduce, broadcast
from tinygrad_lite.engine import new
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.func.tree import flatten

FIRST_BYTES = 2**20
"""The first bucket is small, so that its exchange begins early."""


def broadcast_together(tensors: Iterable[Any], group: Any) -> None:
    """Replace ``tensors`` by those of the first rank of the group, in one message for each dtype."""
    kinds: dict[Any, list[Any]] = {}
    for t in tensors:
        kinds.setdefault(t.array.dtype, []).append(t)
    for alike in kinds.values():
        flat = make(np.concatenate([t.array.reshape(-1) for t in alike]))
        broadcast(flat, group.ranks[0], group)
        start = 0
        for t in alike:
            t.array[...] = flat.array[start : start + t.array.size].reshape(t.array.shape)
            bump(t.array)
            start += t.array.size


class Bucket:
    """Parameters of one dtype whose gradients travel together, in one array."""

    def __init__(self) -> None:
        self.places: list[tuple[Any, int]] = []
        self.size = 0
        self.flat: Any = None
        self.left = 0
        self.work: Any = None

    def add(self, p: Any) -> None:
        """Give ``p`` a place in the array."""
        self.places.append((p, self.size))
        self.size += p.array.size

    def pieces(self) -> Iterable[tuple[Any, Any]]:
        """Yield each parameter and its piece of the array."""
        for p, start in self.places:
            yield p, self.flat[start : start + p.array.size]


class Reducer:
    """The exchange of the gradients of ``parameters`` (pairs of name and tensor) between the ranks of ``group``.

    The buckets are filled in the reverse order of the parameters, about the order in which their gradients arrive. The
    exchange of a bucket begins when all its gradients are there, on every rank in the same order.
    """

    def __init__(
        self, parameters: Sequence[tuple[str, Any]], group: Any, bytes_: float, find_unused: bool
    ) -> None:  # fmt: skip
        self.group, self.find_unused = group.copy(), find_unused
        self.names = {id(p): name for name, p in parameters}
        self.buckets: list[Bucket] = []
        cap = min(FIRST_BYTES, bytes_)
        for _, p in reversed(parameters):
            last = self.buckets[-1] if self.buckets else None
            full = last is not None and last.size * p.array.itemsize >= cap
            if last is None or full or last.places[0][0].array.dtype != p.array.dtype:
                cap = bytes_ if full else cap
                self.buckets.append(last := Bucket())
            last.add(p)
        self.where = {id(p): (b, i) for b in self.buckets for i, (p, _) in enumerate(b.places)}
        for b in self.buckets:
            b.flat = new.zeros(b.size, b.places[0][0].array.dtype)
        for _, p in parameters:
            p.register_post_accumulate_grad_hook(self.arrived)
        self.waiting: set[int] = set()
        self.unused: set[int] = set()
        self.next = 0

    def prepare(self) -> None:
        """Expect the gradients of one backward pass."""
        if self.waiting:
            missing = [self.names[i] for i in self.names if i in self.waiting]
            self.waiting = set()
            raise RuntimeError(
                f"DistributedDataParallel: Expected to have finished reduction in the prior iteration before starting "
                f"a new one; {self.group.who()} has no gradient of {', '.join(missing[:8])}"
                f"{' ...' if len(missing) > 8 else ''}. Make sure that the loss depends on every parameter, or pass "
                f"find_unused_parameters=True"
            )
        self.waiting, self.unused, self.next = set(self.names), set(), 0
        for b in self.buckets:
            b.left = len(b.places)

    def look_for_unused(self, output: Any) -> None:
        """Do not wait for parameters that no tensor in ``output`` depends on."""
        stack = [t.node or t for t in flatten(output)[0] if isinstance(t, Tensor) and t.tracked]
        seen = set(map(id, stack))
        while stack:
            place = stack.pop()
            for p in place.inputs if isinstance(place, Node) else ():
                if p is not None and id(p) not in seen:
                    seen.add(id(p))
                    stack.append(p)
        self.unused = set(self.names) - seen
        if self.unused == self.waiting:  # no hook will run
            self._skip_unused()
            self._advance()

    def _skip_unused(self) -> None:
        for b in self.buckets:
            for p, piece in b.pieces():
                if id(p) in self.unused and id(p) in self.waiting:
                    piece[...] = 0 if p.grad is None else p.grad.array.reshape(-1)
                    self._ready(p)

    def arrived(self, p: Any) -> None:
        """Take the gradient of ``p``: the hook of every parameter."""
        if id(p) not in self.waiting:
            return  # inside no_sync, or another pass over the same graph
        if self.unused & self.waiting:
            self._skip_unused()
        b, i = self.where[id(p)]
        start = b.places[i][1]
        b.flat[start : start + p.array.size] = p.grad.array.reshape(-1)
        self._ready(p)
        for earlier in self.buckets[: self.next]:
            earlier.work.is_completed()  # MPI moves data only while it is called
        self._advance()

    def _ready(self, p: Any) -> None:
        self.waiting.discard(id(p))
        self.where[id(p)][0].left -= 1

    def _advance(self) -> None:
        """Begin the exchange of full buckets; write the means into ``.grad`` when the last gradient is there."""
        while self.next < len(self.buckets) and not self.buckets[self.next].left:
            b = self.buckets[self.next]
            b.work = all_reduce(make(b.flat), ReduceOp.AVG, self.group, async_op=True)
            self.next += 1
        if self.next == len(self.buckets):
            self._finish()

    def _finish(self) -> None:
        for b in self.buckets:
            b.work.wait()
        used = self._used() if self.find_unused else None
        for b in self.buckets:
            for p, piece in b.pieces():
                if used is not None and id(p) not in used:
                    continue  # no rank used it: as in PyTorch its gradient stays as it is
                if p.grad is None:
                    p.grad = make(new.array(piece.reshape(p.array.shape)))
                else:
                    np.copyto(p.grad.array, piece.reshape(p.array.shape))
                    bump(p.grad.array)

    def _used(self) -> set[int]:
        """Return the ids of the parameters that at least one rank used."""
        ids = list(self.names)
        flags = make(new.array([i not in self.unused for i in ids]))
        all_reduce(flags, ReduceOp.MAX, self.group)
        return {i for i, flag in zip(ids, flags.array, strict=True) if flag}
