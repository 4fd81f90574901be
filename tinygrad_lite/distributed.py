"""``torch.distributed`` with a group of one process: what scripts do there works, a second process does not exist."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.no_effect import absent
from tinygrad_lite.futures import Future

_ONE = "the group has one process"
_started: list[str] = []


class ReduceOp:
    """How values of several processes are joined: of one process they stay as they are."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = "SUM", "AVG", "PRODUCT", "MIN", "MAX", "BAND", "BOR", "BXOR"


class group:  # noqa: N801 - PyTorch's name
    """The group of all processes."""

    WORLD = None


GroupMember = group
ProcessGroup, Store, TCPStore, FileStore, DeviceMesh = (
    absent(f"distributed.{name}", _ONE) for name in ("ProcessGroup", "Store", "TCPStore", "FileStore", "DeviceMesh")
)
send, recv, isend, irecv, new_subgroups, init_device_mesh = (
    absent(f"distributed.{name}", _ONE)
    for name in ("send", "recv", "isend", "irecv", "new_subgroups", "init_device_mesh")
)


def is_available() -> bool:
    """Return True.

    >>> is_available(), is_initialized()
    (True, False)
    """
    return True


is_gloo_available = is_available


def is_initialized() -> bool:
    """Return whether `init_process_group` was called."""
    return bool(_started)


def is_nccl_available() -> bool:
    """Return False."""
    return False


is_torchelastic_launched = is_mpi_available = is_ucc_available = is_xccl_available = is_nccl_available


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: Any = None, world_size: int = -1,
    rank: int = -1, *args: Any, **kwargs: Any,
) -> None:  # fmt: skip
    """Begin the group of this process; other sizes than 1, also in ``WORLD_SIZE``, raise."""
    import os

    if _started:
        raise ValueError("trying to initialize the default process group twice!")
    size = int(os.environ.get("WORLD_SIZE", "1")) if world_size == -1 else world_size
    if size != 1 or rank > 0:
        raise NotImplementedError(
            f"distributed.init_process_group: a group of {size} processes does not exist in tinygrad_lite; "
            f"run one process, with world_size=1"
        )
    _started.append(backend or "gloo")


def destroy_process_group(group: Any = None) -> None:
    """End the group."""
    _group()
    _started.clear()


def _group() -> str:
    if not _started:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _started[0]


def get_backend(group: Any = None) -> str:
    """Return the name that `init_process_group` was given."""
    return _group()


def get_rank(group: Any = None) -> int:
    """Return 0."""
    _group()
    return 0


get_group_rank = get_global_rank = get_rank


def get_world_size(group: Any = None) -> int:
    """Return 1."""
    _group()
    return 1


def get_process_group_ranks(group: Any = None) -> list[int]:
    """Return [0]."""
    return [get_rank(group)]


def new_group(*args: Any, **kwargs: Any) -> None:
    """Return the group of all processes."""
    _group()


def _done(async_op: bool) -> Future | None:
    _group()
    if not async_op:
        return None
    out = Future()
    out.set_result(None)
    return out


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Any:
    """Return: no other process is to be waited for."""
    return _done(async_op)


monitored_barrier = barrier


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Leave ``tensor`` as it is: the sum, mean or maximum of one."""
    return _done(async_op)


def broadcast(tensor: Any, src: int = 0, group: Any = None, async_op: bool = False, **kwargs: Any) -> Any:
    """Leave ``tensor`` as it is; ``src`` must be this process, 0."""
    if src:
        raise ValueError(f"broadcast: process {src} does not exist, {_ONE}")
    return _done(async_op)


def reduce(tensor: Any, dst: int = 0, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """Leave ``tensor`` as it is; ``dst`` must be this process, 0."""
    return broadcast(tensor, dst, group, async_op)


def all_gather(tensor_list: Any, tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Write ``tensor`` into the only element of ``tensor_list``."""
    if len(tensor_list) != 1:
        raise ValueError(f"all_gather: expected a list of one tensor, got {len(tensor_list)}: {_ONE}")
    tensor_list[0].copy_(tensor)
    return _done(async_op)


def gather(tensor: Any, gather_list: Any = None, dst: int = 0, group: Any = None, async_op: bool = False) -> Any:
    """Write ``tensor`` into the only element of ``gather_list``."""
    return all_gather(gather_list, tensor, group, async_op)


def scatter(tensor: Any, scatter_list: Any = None, src: int = 0, group: Any = None, async_op: bool = False) -> Any:
    """Write the only element of ``scatter_list`` into ``tensor``."""
    return all_gather([tensor], scatter_list[0], group, async_op)


def reduce_scatter(output: Any, input_list: Any, op: Any = None, group: Any = None, async_op: bool = False) -> Any:
    """Write the only element of ``input_list`` into ``output``."""
    return all_gather([output], input_list[0], group, async_op)


def all_to_all(output_tensor_list: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False) -> Any:
    """Write the only element of ``input_tensor_list`` into that of ``output_tensor_list``."""
    return all_gather(output_tensor_list, input_tensor_list[0], group, async_op)


def all_gather_into_tensor(output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Write ``input_tensor`` into ``output_tensor``, which has as many elements."""
    output_tensor.copy_(input_tensor.reshape(output_tensor.shape))
    return _done(async_op)


def all_gather_object(object_list: Any, obj: Any, group: Any = None) -> None:
    """Make ``obj`` the only element of ``object_list``."""
    _group()
    object_list[:] = [obj]


def broadcast_object_list(object_list: Any, src: int = 0, group: Any = None, device: Any = None) -> None:
    """Leave the list as it is."""
    broadcast(None, src)


def __getattr__(name: str) -> Any:
    """Find ``distributed.nn`` and others that need several processes."""
    if name in ("rpc", "optim", "algorithms", "fsdp", "checkpoint", "tensor", "pipelining", "elastic", "launch"):
        from tinygrad_lite.engine.no_effect import AbsentRoom

        return AbsentRoom(f"tinygrad_lite.distributed.{name}", _ONE)
    raise AttributeError(f"module 'tinygrad_lite.distributed' has no attribute '{name}': {_ONE}")
