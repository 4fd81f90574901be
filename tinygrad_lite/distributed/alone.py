"""The communicator of a group of one process, which needs no MPI: what it would send to itself is copied."""

from __future__ import annotations

from typing import Any

import numpy as np


class Alone:
    """Answers the calls of mpi4py's communicators that `collectives` and `objects` make."""

    rank, size = 0, 1

    def Ibarrier(self) -> None:
        """Return: there is nobody to wait for."""

    def Ibcast(self, buffer: Any, root: int) -> None:
        """Leave the buffer as it is."""

    def Iallreduce(self, send: Any, receive: Any, op: Any = None, root: int = 0) -> None:
        """Copy ``send``, unless the sum is taken in place (``send`` is None)."""
        if send is not None and receive is not None:
            # MPI's counts are no concern of one process: [buffer, counts] is the buffer
            parts = [part[0] if isinstance(part, (list, tuple)) else part for part in (send, receive)]
            np.copyto(parts[1].reshape(-1), parts[0].reshape(-1))

    Ireduce = Ireduce_scatter_block = Iallreduce

    def Iallgather(self, send: Any, receive: Any, root: int = 0) -> None:
        """Copy ``send``, the only part."""
        self.Iallreduce(send, receive)

    Iallgatherv = Igather = Igatherv = Iscatter = Iscatterv = Ialltoallv = Iallgather

    def Free(self) -> None:
        """Return: there is nothing to free."""
