"""Several processes, with the names of ``torch.distributed``, over MPI (extra ``distributed``)."""

from __future__ import annotations

import sys as _sys
from typing import Any as _Any

from tinygrad_lite.distributed.buffers import ReduceOp as ReduceOp
from tinygrad_lite.distributed.collectives import (
    all_gather as all_gather,
    all_gather_into_tensor as all_gather_into_tensor,
    all_reduce as all_reduce,
    all_to_all as all_to_all,
    all_to_all_single as all_to_all_single,
    barrier as barrier,
    broadcast as broadcast,
    gather as gather,
    monitored_barrier as monitored_barrier,
    reduce as reduce,
    reduce_scatter as reduce_scatter,
    reduce_scatter_tensor as reduce_scatter_tensor,
    scatter as scatter,
)
from tinygrad_lite.distributed.group import (
    GroupMember as GroupMember,
    ProcessGroup as ProcessGroup,
    default_pg_timeout as default_pg_timeout,
    destroy_process_group as destroy_process_group,
    get_backend as get_backend,
    get_global_rank as get_global_rank,
    get_group_rank as get_group_rank,
    get_node_local_rank as get_node_local_rank,
    get_process_group_ranks as get_process_group_ranks,
    get_rank as get_rank,
    get_world_size as get_world_size,
    group as group,
    init_process_group as init_process_group,
    is_available as is_available,
    is_gloo_available as is_gloo_available,
    is_initialized as is_initialized,
    is_mpi_available as is_mpi_available,
    is_nccl_available as is_nccl_available,
    is_torchelastic_launched as is_torchelastic_launched,
    is_ucc_available as is_ucc_available,
    is_xccl_available as is_xccl_available,
    new_group as new_group,
)
from tinygrad_lite.distributed.objects import (
    all_gather_object as all_gather_object,
    broadcast_object_list as broadcast_object_list,
    gather_object as gather_object,
    recv_object_list as recv_object_list,
    scatter_object_list as scatter_object_list,
    send_object_list as send_object_list,
)
from tinygrad_lite.distributed.point_to_point import (
    P2POp as P2POp,
    batch_isend_irecv as batch_isend_irecv,
    irecv as irecv,
    isend as isend,
    recv as recv,
    send as send,
)
from tinygrad_lite.distributed.work import DistBackendError as DistBackendError, DistError as DistError, Work as Work
from tinygrad_lite.engine.no_effect import AbsentRoom as _AbsentRoom, absent as _absent

_ABSENT = (
    "Store", "TCPStore", "FileStore", "HashStore", "PrefixStore", "DeviceMesh", "new_subgroups", "init_device_mesh",
)  # fmt: skip
_ROOMS = ("rpc", "optim", "algorithms", "fsdp", "checkpoint", "tensor", "pipelining", "elastic", "launch", "nn",
          "nn.functional", "device_mesh", "autograd")  # fmt: skip
_INSTEAD = "the processes are those of MPI: start them with mpiexec"
_sys.modules.update({n: _AbsentRoom(n, _INSTEAD) for n in (f"{__name__}.{room}" for room in _ROOMS)})


def __getattr__(name: str) -> _Any:
    """Find the names and rooms of ``torch.distributed`` that do not exist here: using them says what to do."""
    if name in _ROOMS:
        return _sys.modules[f"{__name__}.{name}"]
    if name in _ABSENT:
        return _absent(f"distributed.{name}", _INSTEAD)
    raise AttributeError(f"module 'tinygrad_lite.distributed' has no attribute '{name}'")
