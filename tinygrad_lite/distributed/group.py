"""Groups of ranks: beginning and ending the group of all, and groups of some of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tinygrad_lite.distributed.alone import Alone
from tinygrad_lite.distributed.ending import Goodbyes
from tinygrad_lite.errors import MissingExtra, OptionError, require
from tinygrad_lite.ops.threads import get_num_threads, set_num_threads

default_pg_timeout = timedelta(minutes=30)
LAUNCHERS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "PMIX_RANK")
"""Variables of the environment that a launcher of MPI sets for the processes it starts."""


class ProcessGroup:
    """Some of the ranks of a job, or all of them, and the MPI communicator between them.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.new_group([0]).size()
    1
    >>> tl.distributed.destroy_process_group()
    """

    def __init__(self, comm: Any, ranks: Sequence[int], backend: str, timeout: timedelta, mpi: Any = None) -> None:
        self.comm, self.ranks, self.backend, self.timeout, self.mpi = comm, list(ranks), backend, timeout, mpi
        self.copies: list[ProcessGroup] = []
        self.open: dict[int, Any] = {}
        """The exchanges that have begun and are not over, by id."""

    def copy(self) -> ProcessGroup:
        """Return the same ranks with messages of their own: exchanges of the two need no common order."""
        comm = self.comm if self.mpi is None else self.comm.Dup()
        self.copies.append(ProcessGroup(comm, self.ranks, self.backend, self.timeout, self.mpi))
        return self.copies[-1]

    def rank(self) -> int:
        """Return the number of this process within the group."""
        return int(self.comm.rank)

    def size(self) -> int:
        """Return the number of processes."""
        return len(self.ranks)

    def name(self) -> str:
        """Return the name of the backend."""
        return self.backend

    def who(self) -> str:
        """Return this rank in words."""
        return f"rank {self.ranks[self.rank()]} of {len(self.ranks)}"

    def within(self, rank: int) -> int:
        """Return the number within the group of a global ``rank``."""
        if rank not in self.ranks:
            raise ValueError(f"rank {rank} is not in the group of the ranks {self.ranks}")
        return self.ranks.index(rank)

    def gone(self) -> set[int]:
        """Return the ranks of this group that have left."""
        return _job[0].gone().intersection(self.ranks) if _job else set()


class GroupMember:
    """Markers: the group of all ranks, and a group that this rank is not in.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.GroupMember.WORLD.size()
    1
    >>> tl.distributed.destroy_process_group()
    """

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


class group(GroupMember):  # noqa: N801 - PyTorch's name
    """The group of all ranks is ``group.WORLD``, or None.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.group.WORLD.size()
    1
    >>> tl.distributed.destroy_process_group()
    """


_world: list[ProcessGroup] = []
_job: list[Goodbyes] = []


def is_available() -> bool:
    """Return True: a group of one process needs nothing.

    >>> is_available(), is_initialized()
    (True, False)
    """
    return True


is_gloo_available = is_available


def is_initialized() -> bool:
    """Return whether `init_process_group` was called.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.is_initialized()
    True
    >>> tl.distributed.destroy_process_group()
    """
    return bool(_world)


def is_mpi_available() -> bool:
    """Return whether mpi4py is installed.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.is_mpi_available()
    True
    >>> tl.distributed.destroy_process_group()
    """
    from importlib.util import find_spec

    return find_spec("mpi4py") is not None


def is_nccl_available() -> bool:
    """Return False.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.is_nccl_available()
    False
    >>> tl.distributed.destroy_process_group()
    """
    return False


is_torchelastic_launched = is_ucc_available = is_xccl_available = is_nccl_available


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: timedelta | None = None,
    world_size: int = -1, rank: int = -1, *args: Any, **kwargs: Any,
) -> None:  # fmt: skip
    """Begin the group of all ranks: the processes that ``mpiexec -n N python script.py`` started, else this one alone.

    Every ``backend`` stands for MPI; with ``"mpi"`` the extra ``distributed`` is needed for one process too. MPI knows
    rank and number of processes, so ``init_method`` is not used, and ``rank`` and ``world_size`` are only compared.
    An exchange that takes longer than ``timeout`` (30 minutes) raises `DistError`. The ranks of a machine divide its
    cores among them, by `set_num_threads`, unless ``OMP_NUM_THREADS`` is set.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_world_size()
    1
    >>> tl.distributed.destroy_process_group()
    """
    if _world:
        raise ValueError("trying to initialize the default process group twice!")
    name, limit = (backend or "gloo").lower(), default_pg_timeout if timeout is None else timeout
    if not isinstance(limit, timedelta) or limit <= timedelta(0):
        raise OptionError(f"init_process_group: timeout must be a positive timedelta, got {timeout!r}")
    mpi: Any = None
    comm: Any = Alone()
    if "mpi" in name.split(":") or any(key in os.environ for key in LAUNCHERS):
        mpi = _mpi()
        comm = mpi.COMM_WORLD
    size = int(os.environ.get("WORLD_SIZE", "-1")) if world_size == -1 and mpi is None else world_size
    if size not in (-1, comm.size) or rank not in (-1, comm.rank):
        raise NotImplementedError(
            f"init_process_group: asked for rank {max(rank, 0)} of {max(size, 1)} processes, this is rank {comm.rank} "
            f"of {comm.size}; the processes are those of MPI: start them with "
            f"`mpiexec -n {max(size, 1)} python script.py`"
        )
    if comm.size > 1:
        if not _job:
            _job.append(Goodbyes(mpi))
        _job[0].enter()
        _share_cores(mpi)
    comm = comm if mpi is None else comm.Dup()
    _world.append(ProcessGroup(comm, range(comm.size), name, limit, mpi))
    GroupMember.WORLD = _world[0]


def _mpi() -> Any:
    """Return mpi4py's MPI, which is begun by its import."""
    require("mpi4py", "distributed")
    try:
        return require("mpi4py.MPI", "distributed")
    except RuntimeError as error:
        why = str(error).partition("\n")[0]
        raise MissingExtra(f"mpi4py finds no MPI ({why}): pip install mpich, or load the MPI of the machine") from error


def _share_cores(mpi: Any) -> None:
    """Let this rank use its share of the cores: more threads than cores would wait for one another."""
    machine = mpi.COMM_WORLD.Split_type(mpi.COMM_TYPE_SHARED)
    if not {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"} & os.environ.keys():
        set_num_threads(max(1, min(get_num_threads(), (os.cpu_count() or 1) // machine.size)))
    machine.Free()


def destroy_process_group(group: Any = None) -> None:
    """End the group of all ranks, or one of `new_group`, after the exchanges that have begun.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.is_initialized()
    True
    >>> tl.distributed.destroy_process_group()
    """
    found = member(group)
    if found is None:
        return
    if found is _world[0]:
        _world.clear()
        GroupMember.WORLD = None
        for job in _job:
            job.leave()
    for one in (*found.copies, found):
        for work in list(one.open.values()):
            if sys.exc_info()[0] is None:  # in the `finally` of an error it would hide the error
                work.wait()
        one.comm.Free()


def member(group: Any = None) -> ProcessGroup | None:
    """Return a group, the one of all ranks for None; None if this rank is not in it."""
    if not _world:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    if group is None:
        return _world[0]
    if group == GroupMember.NON_GROUP_MEMBER:
        return None
    if not isinstance(group, ProcessGroup):
        raise TypeError(f"expected a group made by new_group, got {group!r}")
    return group


def get_backend(group: Any = None) -> str:
    """Return the name that `init_process_group` was given.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_backend()
    'gloo'
    >>> tl.distributed.destroy_process_group()
    """
    return (member(group) or _world[0]).backend


def get_rank(group: Any = None) -> int:
    """Return the number of this process within the group; -1 if it is not in it.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_rank()
    0
    >>> tl.distributed.destroy_process_group()
    """
    found = member(group)
    return -1 if found is None else found.rank()


def get_world_size(group: Any = None) -> int:
    """Return the number of processes of the group; -1 if this one is not in it.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_world_size()
    1
    >>> tl.distributed.destroy_process_group()
    """
    found = member(group)
    return -1 if found is None else found.size()


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """Return the number of this process among those of its machine, as the launcher of MPI gives it.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_node_local_rank(0)
    0
    >>> tl.distributed.destroy_process_group()
    """
    for key in ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "LOCAL_RANK"):
        if key in os.environ:
            return int(os.environ[key])
    if fallback_rank is None:
        raise RuntimeError("get_node_local_rank: the launcher has not set LOCAL_RANK; pass fallback_rank")
    return fallback_rank


def get_process_group_ranks(group: Any = None) -> list[int]:
    """Return the global numbers of the ranks of a group.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_process_group_ranks()
    [0]
    >>> tl.distributed.destroy_process_group()
    """
    found = member(group)
    return [] if found is None else list(found.ranks)


def get_global_rank(group: Any, group_rank: int) -> int:
    """Return the global number of rank ``group_rank`` of a group.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_global_rank(tl.distributed.group.WORLD, 0)
    0
    >>> tl.distributed.destroy_process_group()
    """
    ranks = get_process_group_ranks(group)
    if not 0 <= group_rank < len(ranks):
        raise ValueError(f"rank {group_rank} is not in a group of {len(ranks)}")
    return ranks[group_rank]


def get_group_rank(group: Any, global_rank: int) -> int:
    """Return the number within a group of the rank ``global_rank``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> tl.distributed.get_group_rank(tl.distributed.group.WORLD, 0)
    0
    >>> tl.distributed.destroy_process_group()
    """
    found = member(group)
    if found is None:
        raise ValueError("get_group_rank: this rank is not in the group")
    return found.within(global_rank)


def new_group(ranks: Sequence[int] | None = None, timeout: timedelta | None = None, *args: Any, **kwargs: Any) -> Any:
    """Return a group of some ranks, all by default; every rank of the job must call this, members or not.

    Its members are numbered in the order of their global ranks. Ranks outside get ``GroupMember.NON_GROUP_MEMBER``.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> group = tl.distributed.new_group([0])
    >>> group.size()
    1
    >>> tl.distributed.destroy_process_group()
    """
    world = member()
    assert world is not None
    chosen = sorted(world.ranks if ranks is None else map(int, ranks))
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(world.ranks):
        raise ValueError(f"new_group: expected different ranks below {world.size()}, got {ranks}")
    inside, comm = world.rank() in chosen, world.comm
    if world.mpi is not None:
        comm = comm.Split(0 if inside else world.mpi.UNDEFINED, world.rank())
    if not inside:
        return GroupMember.NON_GROUP_MEMBER
    return ProcessGroup(comm, chosen, world.backend, timeout or world.timeout, world.mpi)
