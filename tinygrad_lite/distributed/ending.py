"""How a job of several ranks ends: nobody waits for a rank that is gone.

A rank that fails ends the whole job. A rank that leaves (its script is finished, or calls `destroy_process_group`)
says goodbye to the others, and a rank that then still waits for it raises `DistError` instead of waiting for ever.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from types import TracebackType
from typing import Any

GOODBYE_SECONDS = 2.0
"""How long a rank still waits for one that has left: what that one sent last may be on its way."""


class Goodbyes:
    """The goodbyes of the ranks of one job, sent and received on a communicator that nothing else uses."""

    def __init__(self, mpi: Any) -> None:
        self.mpi, self.pid = mpi, os.getpid()
        self.comm = mpi.COMM_WORLD.Dup()
        self.era = 0
        """Counts the calls of `init_process_group`: a goodbye belongs to one of them."""
        self.left: list[set[int]] = []
        self.inside = False
        self.sent: list[Any] = []
        self.before = sys.excepthook
        sys.excepthook = self.failed
        atexit.register(self.finish)

    def enter(self) -> None:
        """Begin another group of all ranks."""
        self.era, self.inside = len(self.left), True
        self.left.append(set())

    def leave(self) -> None:
        """Say goodbye to all other ranks."""
        if self.inside:
            self.inside = False
            others = [r for r in range(self.comm.size) if r != self.comm.rank]
            self.sent += [self.comm.Isend(b"", r, self.era) for r in others]

    def gone(self) -> set[int]:
        """Return the ranks that have left the group of today."""
        status = self.mpi.Status()
        while self.comm.Iprobe(status=status):
            self.comm.Recv(bytearray(), status.source, status.tag)
            while len(self.left) <= status.tag:
                self.left.append(set())
            self.left[status.tag].add(status.source)
        return self.left[self.era]

    def finish(self) -> None:
        """Leave, and wait until all others have left, without keeping the processor busy."""
        if os.getpid() != self.pid or self.mpi.Is_finalized():
            return  # a process forked from a rank, such as a worker of a DataLoader
        self.leave()
        pause = 0.0005
        while any(len(left) < self.comm.size - 1 for left in self.left):
            self.gone()
            time.sleep(pause)
            pause = min(2 * pause, 0.02)

    def failed(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Print the traceback of an exception that nothing caught, and end the whole job."""
        self.before(kind, error, trace)
        if os.getpid() == self.pid and self.comm.size > 1:
            print(
                f"tinygrad_lite.distributed: rank {self.comm.rank} of {self.comm.size} failed ({kind.__name__}); "
                f"the job ends",
                file=sys.stderr,
            )
            sys.stdout.flush()
            sys.stderr.flush()
            time.sleep(0.05)  # for mpiexec to read the message before it ends everything
            self.mpi.COMM_WORLD.Abort(1)
