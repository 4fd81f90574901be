"""Objects between ranks: tensors, arrays, numbers, strings and containers of these, never pickled.

They are written as `save` writes them to a file, so that what another rank sends can only be data.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tinygrad_lite.distributed.buffers import listed
from tinygrad_lite.distributed.group import ProcessGroup, member
from tinygrad_lite.distributed.work import Work
from tinygrad_lite.engine import new
from tinygrad_lite.errors import DTypeError, OptionError
from tinygrad_lite.serialization import load, save


def _encoded(name: str, value: Any) -> Any:
    file = io.BytesIO()
    try:
        save(value, file)
    except DTypeError as error:
        raise DTypeError(f"{name}: {str(error).removeprefix('save: ')}") from None
    return np.frombuffer(file.getvalue(), np.uint8)


def _decoded(data: Any) -> Any:
    return load(io.BytesIO(data.tobytes()))


def _done(name: str, group: ProcessGroup, request: Any) -> Work:
    work = Work(name, group, [request])
    work.wait()
    return work


def all_gather_object(object_list: Any, obj: Any, group: Any = None) -> None:
    """Write the objects of all ranks into ``object_list``, in the order of the ranks.

    They may be what `save` can write: tensors, arrays, numbers, strings, None, dicts, lists and tuples.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> objects = [None]
    >>> tl.distributed.all_gather_object(objects, {"epoch": 3})
    >>> objects
    [{'epoch': 3}]
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return
    listed("all_gather_object", object_list, g.size())
    data, sizes = _encoded("all_gather_object", obj), new.empty(g.size(), np.int64)
    _done("all_gather_object", g, g.comm.Iallgather(new.array([data.size], np.int64), sizes))
    result = new.empty(int(sizes.sum()), np.uint8)
    _done("all_gather_object", g, g.comm.Iallgatherv(data, [result, sizes.tolist()]))
    object_list[:] = [_decoded(part) for part in np.split(result, np.cumsum(sizes)[:-1])]


def gather_object(obj: Any, object_gather_list: Any = None, dst: int = 0, group: Any = None) -> None:
    """Write the objects of all ranks into ``object_gather_list`` on rank ``dst``; the others pass none.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> objects = [None]
    >>> tl.distributed.gather_object({"epoch": 3}, objects)
    >>> objects
    [{'epoch': 3}]
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return
    root, data = g.within(dst), _encoded("gather_object", obj)
    sizes: Any = None
    result: Any = None
    if g.rank() == root:
        listed("gather_object", object_gather_list, g.size())
        sizes = new.empty(g.size(), np.int64)
    elif object_gather_list:
        raise OptionError(f"gather_object: only rank {dst} passes object_gather_list, this is {g.who()}")
    _done("gather_object", g, g.comm.Igather(new.array([data.size], np.int64), sizes, root))
    if sizes is not None:
        result = [new.empty(int(sizes.sum()), np.uint8), sizes.tolist()]
    _done("gather_object", g, g.comm.Igatherv(data, result, root))
    if sizes is not None:
        object_gather_list[:] = [_decoded(part) for part in np.split(result[0], np.cumsum(sizes)[:-1])]


def broadcast_object_list(object_list: Any, src: int = 0, group: Any = None, device: Any = None, **kw: Any) -> None:
    """Replace the objects of ``object_list`` on every rank by those of rank ``src``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> objects = [{"epoch": 3}]
    >>> tl.distributed.broadcast_object_list(objects)
    >>> objects
    [{'epoch': 3}]
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return
    root, size = g.within(src), new.zeros(1, np.int64)
    sender = g.rank() == root
    data = _encoded("broadcast_object_list", list(object_list)) if sender else None
    if data is not None:
        size[0] = data.size
    _done("broadcast_object_list", g, g.comm.Ibcast(size, root))
    if data is None:
        data = new.empty(int(size[0]), np.uint8)
    _done("broadcast_object_list", g, g.comm.Ibcast(new.array(data), root) if sender else g.comm.Ibcast(data, root))
    if not sender:
        found = _decoded(data)
        object_list[:] = listed("broadcast_object_list", found, len(object_list))


def scatter_object_list(
    scatter_object_output_list: Any, scatter_object_input_list: Any = None, src: int = 0, group: Any = None
) -> None:  # fmt: skip
    """Write into the first place of the output list the object with the number of this rank on rank ``src``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> objects = [None]
    >>> tl.distributed.scatter_object_list(objects, [{"epoch": 3}])
    >>> objects
    [{'epoch': 3}]
    >>> tl.distributed.destroy_process_group()
    """
    if (g := member(group)) is None:
        return
    root = g.within(src)
    sizes: Any = None
    whole: Any = None
    if g.rank() == root:
        objects = listed("scatter_object_list", scatter_object_input_list, g.size())
        parts = [_encoded("scatter_object_list", value) for value in objects]
        sizes = new.array([p.size for p in parts], np.int64)
        whole = [np.concatenate(parts), sizes.tolist()]
    size = new.empty(1, np.int64)
    _done("scatter_object_list", g, g.comm.Iscatter(sizes, size, root))
    data = new.empty(int(size[0]), np.uint8)
    _done("scatter_object_list", g, g.comm.Iscatterv(whole, data, root))
    scatter_object_output_list[0] = _decoded(data)


def send_object_list(object_list: Any, dst: int = 0, group: Any = None, device: Any = None) -> None:
    """Send the objects of a list to rank ``dst``, which calls `recv_object_list`."""
    if (g := member(group)) is None:
        return
    data, other = _encoded("send_object_list", list(object_list)), g.within(dst)
    _done("send_object_list", g, g.comm.Isend(new.array([data.size], np.int64), other))
    _done("send_object_list", g, g.comm.Isend(data, other))


def recv_object_list(object_list: Any, src: int | None = None, group: Any = None, device: Any = None) -> int:
    """Receive the objects that rank ``src`` sends, or any rank for None; returns the rank they came from."""
    if (g := member(group)) is None:
        return -1
    size, other = new.empty(1, np.int64), g.mpi.ANY_SOURCE if src is None else g.within(src)
    source = _done("recv", g, g.comm.Irecv(size, other)).source_rank()
    data = new.empty(int(size[0]), np.uint8)
    _done("recv", g, g.comm.Irecv(data, g.within(source)))
    object_list[:] = listed("recv_object_list", _decoded(data), len(object_list))
    return source
