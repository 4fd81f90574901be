"""Exchanges that all ranks of a group take part in, written with MPI's calls that return at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinygrad_lite.distributed.buffers import ReduceOp, checked, joined, listed, put, received, sent
from tinygrad_lite.distributed.group import ProcessGroup, member
from tinygrad_lite.distributed.work import Work
from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import OptionError, ShapeError


def begun(
    name: str, group: ProcessGroup, request: Any, finish: Callable[[], Any] | None, async_op: bool, keep: Any = None,
    tensors: Any = (),
) -> Work | None:  # fmt: skip
    """Return the handle of an exchange that writes to ``tensors``, or wait for it and return None."""
    work = Work(name, group, [request], finish, keep, tensors)
    if async_op:
        return work
    work.wait()
    return None


def _operation(group: ProcessGroup, op: ReduceOp) -> Any:
    """Return MPI's operation; the mean is taken afterwards."""
    return group.mpi and getattr(group.mpi, "SUM" if op is ReduceOp.AVG else op.value)


def _in_place(group: ProcessGroup) -> Any:
    return group.mpi and group.mpi.IN_PLACE


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Any:
    """Wait until every rank of the group has called this.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.barrier()
    >>> tl.distributed.destroy_process_group()
    """
    g = member(group)
    return g and begun("barrier", g, g.comm.Ibarrier(), None, async_op)


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """Wait for the other ranks, at most ``timeout``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.monitored_barrier()
    >>> tl.distributed.destroy_process_group()
    """
    if work := barrier(group, async_op=True):
        work.wait(timeout)


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Replace ``tensor`` by the sum over all ranks (or mean, product, minimum, maximum), the same on every rank.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.tensor([1.0, 2.0])
    >>> tl.distributed.all_reduce(x)
    >>> x
    tensor([1., 2.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    array = checked("all_reduce", tensor)
    values, op, finish = joined("all_reduce", array, op, g.size())
    if values is array and not (array.flags.c_contiguous and array.flags.writeable):
        values = new.array(array, order="C")

    def end() -> None:
        finish(values)
        put(tensor, values)

    request = g.comm.Iallreduce(_in_place(g), values, _operation(g, op))
    return begun("all_reduce", g, request, end, async_op, values, [tensor])


def reduce(tensor: Any, dst: int = 0, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Replace ``tensor`` on rank ``dst`` by the sum over all ranks; elsewhere it stays as it is.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.tensor([1.0, 2.0])
    >>> tl.distributed.reduce(x)
    >>> x
    tensor([1., 2.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    root, array = g.within(dst), checked("reduce", tensor)
    values, op, finish = joined("reduce", array, op, g.size())
    values = new.array(values, order="C")

    def end() -> None:
        finish(values)
        put(tensor, values)

    if g.rank() == root:
        request = g.comm.Ireduce(_in_place(g), values, _operation(g, op), root)
        return begun("reduce", g, request, end, async_op, values, [tensor])
    request = g.comm.Ireduce(values, None, _operation(g, op), root)
    return begun("reduce", g, request, None, async_op, values)


def broadcast(tensor: Any, src: int = 0, group: Any = None, async_op: bool = False, **kwargs: Any) -> Any:
    """Replace ``tensor`` on every rank by that of rank ``src``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.tensor([1.0, 2.0])
    >>> tl.distributed.broadcast(x)
    >>> x
    tensor([1., 2.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    root = g.within(src)
    finish: Any = None
    if g.rank() == root:
        values = sent(checked("broadcast", tensor))
    else:
        values, finish = received("broadcast", tensor)
    return begun("broadcast", g, g.comm.Ibcast(values, root), finish, async_op, values, [tensor])


def _spread(tensors: Sequence[Any], parts: Any, like: Any) -> None:
    for t, part in zip(tensors, parts, strict=True):
        put(t, part.view(like.dtype).reshape(like.shape))


def all_gather(tensor_list: Any, tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Write the tensors of all ranks into ``tensor_list``, in the order of the ranks.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> parts = [tl.zeros(2)]
    >>> tl.distributed.all_gather(parts, tl.ones(2))
    >>> parts
    [tensor([1., 1.])]
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    array = checked("all_gather", tensor)
    for t in listed("all_gather", tensor_list, g.size()):
        checked("all_gather", t, array)
    own = sent(array)
    parts = new.empty((g.size(), own.size), np.uint8)
    request = g.comm.Iallgather(own, parts)
    return begun("all_gather", g, request, lambda: _spread(tensor_list, parts, array), async_op, own, tensor_list)


def gather(tensor: Any, gather_list: Any = None, dst: int = 0, group: Any = None, async_op: bool = False) -> Any:
    """Write the tensors of all ranks into ``gather_list`` on rank ``dst``; the others pass none.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> parts = [tl.zeros(2)]
    >>> tl.distributed.gather(tl.ones(2), parts)
    >>> parts
    [tensor([1., 1.])]
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    root, array = g.within(dst), checked("gather", tensor)
    own, parts = sent(array), None
    finish: Any = None
    if g.rank() == root:
        for t in listed("gather", gather_list, g.size()):
            checked("gather", t, array)
        parts = new.empty((g.size(), own.size), np.uint8)
        finish = partial(_spread, gather_list, parts, array)
    elif gather_list:
        raise OptionError(f"gather: only rank {dst} passes gather_list, this is {g.who()}")
    return begun("gather", g, g.comm.Igather(own, parts, root), finish, async_op, (own, parts))


def scatter(tensor: Any, scatter_list: Any = None, src: int = 0, group: Any = None, async_op: bool = False) -> Any:
    """Write into ``tensor`` the one with the number of this rank in ``scatter_list`` of rank ``src``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.zeros(2)
    >>> tl.distributed.scatter(x, [tl.ones(2)])
    >>> x
    tensor([1., 1.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    root, array, parts = g.within(src), checked("scatter", tensor), None
    if g.rank() == root:
        tensors = listed("scatter", scatter_list, g.size())
        parts = np.stack([sent(checked("scatter", t, array)) for t in tensors])
    elif scatter_list:
        raise OptionError(f"scatter: only rank {src} passes scatter_list, this is {g.who()}")
    own, finish = received("scatter", tensor)
    return begun("scatter", g, g.comm.Iscatter(parts, own, root), finish, async_op, (own, parts))


def all_gather_into_tensor(output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Write the tensors of all ranks one after another into ``output_tensor``, which has as many elements.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.zeros(2)
    >>> tl.distributed.all_gather_into_tensor(x, tl.ones(2))
    >>> x
    tensor([1., 1.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    own = sent(checked("all_gather_into_tensor", input_tensor))
    parts, finish = received("all_gather_into_tensor", output_tensor)
    _whole("all_gather_into_tensor", parts, own, g.size())
    request = g.comm.Iallgather(own, parts)
    return begun("all_gather_into_tensor", g, request, finish, async_op, own, [output_tensor])


def _whole(name: str, whole: Any, part: Any, size: int) -> None:
    if whole.size != part.size * size:
        raise ShapeError(f"{name}: one tensor has {part.nbytes} bytes, the other {whole.nbytes}, expected {size} times")


def reduce_scatter_tensor(
    output: Any, input: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:  # fmt: skip
    """Sum ``input`` over all ranks and write the part with the number of this rank into ``output``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.zeros(2)
    >>> tl.distributed.reduce_scatter_tensor(x, tl.ones(2))
    >>> x
    tensor([1., 1.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    array = checked("reduce_scatter_tensor", output)
    _whole("reduce_scatter_tensor", checked("reduce_scatter_tensor", input), array, g.size())
    values, op, finish = joined("reduce_scatter_tensor", np.ascontiguousarray(input.array), op, g.size())
    result = new.empty(array.shape, values.dtype)

    def end() -> None:
        finish(result)
        put(output, result)

    request = g.comm.Ireduce_scatter_block(values, result, _operation(g, op))
    return begun("reduce_scatter_tensor", g, request, end, async_op, values, [output])


def reduce_scatter(
    output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Any:  # fmt: skip
    """Sum the lists of all ranks element by element; write the one with the number of this rank into ``output``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.zeros(2)
    >>> tl.distributed.reduce_scatter(x, [tl.ones(2)])
    >>> x
    tensor([1., 1.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    array = checked("reduce_scatter", output)
    parts = [checked("reduce_scatter", t, array) for t in listed("reduce_scatter", input_list, g.size())]
    return reduce_scatter_tensor(output, make(np.stack(parts)), op, g, async_op)


def all_to_all(output_tensor_list: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False) -> Any:
    """Send one tensor of ``input_tensor_list`` to each rank, and write what they send into ``output_tensor_list``.

    The tensors may have different shapes: what a rank sends has the shape that the receiver expects.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> parts = [tl.zeros(2)]
    >>> tl.distributed.all_to_all(parts, [tl.ones(2)])
    >>> parts
    [tensor([1., 1.])]
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None
    parts = [sent(checked("all_to_all", t)) for t in listed("all_to_all", input_tensor_list, g.size())]
    arrays = [checked("all_to_all", t) for t in listed("all_to_all", output_tensor_list, g.size())]
    sizes, counts = [p.size for p in parts], [a.nbytes for a in arrays]
    own, result = np.concatenate(parts), new.empty(sum(counts), np.uint8)

    def finish() -> None:
        ends = np.cumsum(counts)
        for t, a, part in zip(output_tensor_list, arrays, np.split(result, ends[:-1]), strict=True):
            put(t, part.view(a.dtype).reshape(a.shape))

    request = g.comm.Ialltoallv([own, sizes], [result, counts])
    return begun("all_to_all", g, request, finish, async_op, own)


def all_to_all_single(
    output: Any, input: Any, output_split_sizes: Any = None, input_split_sizes: Any = None, group: Any = None,
    async_op: bool = False,
) -> Any:  # fmt: skip
    """Send a part of ``input`` to each rank and write what they send one after another into ``output``.

    The parts are rows: equally many, or as many as the split sizes say.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.zeros(2)
    >>> tl.distributed.all_to_all_single(x, tl.ones(2))
    >>> x
    tensor([1., 1.])
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return None

    def rows(tensor: Any, given: Any, what: str) -> list[Any]:
        count = len(checked("all_to_all_single", tensor))
        sizes = list(given) if given else [count // g.size()] * g.size()
        if sum(sizes) != count or len(sizes) != g.size():
            raise ShapeError(f"all_to_all_single: {what} {count} rows do not divide among {g.size()} ranks as {sizes}")
        ends = np.cumsum(sizes)
        return [tensor[int(end) - size : int(end)] for end, size in zip(ends, sizes, strict=True)]

    outputs = rows(output.detach(), output_split_sizes, "the output's")
    return all_to_all(outputs, rows(input.detach(), input_split_sizes, "the input's"), g, async_op)
