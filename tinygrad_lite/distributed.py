"""Names of ``torch.distributed`` for scripts that ask: there is one process."""

from __future__ import annotations

from tinygrad_lite.engine.no_effect import absent

__all__ = ["is_available", "is_initialized"]
_INSTEAD = "there is one process; guard the call with distributed.is_available() (False)"


def is_available() -> bool:
    """Return False.

    >>> is_available()
    False
    """
    return False


def is_initialized() -> bool:
    """Return False."""
    return False


def is_torchelastic_launched() -> bool:
    """Return False."""
    return False


def is_nccl_available() -> bool:
    """Return False."""
    return False


is_mpi_available = is_gloo_available = is_nccl_available
init_process_group = absent("distributed.init_process_group", _INSTEAD)
destroy_process_group = absent("distributed.destroy_process_group", _INSTEAD)
get_rank = absent("distributed.get_rank", _INSTEAD)
get_world_size = absent("distributed.get_world_size", _INSTEAD)
barrier = absent("distributed.barrier", _INSTEAD)
all_reduce = absent("distributed.all_reduce", _INSTEAD)
all_gather = absent("distributed.all_gather", _INSTEAD)
broadcast = absent("distributed.broadcast", _INSTEAD)
reduce = absent("distributed.reduce", _INSTEAD)
new_group = absent("distributed.new_group", _INSTEAD)
send = absent("distributed.send", _INSTEAD)
recv = absent("distributed.recv", _INSTEAD)
