"""Rank 1 fails or leaves in one of several ways while rank 0 waits for it."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta

import tinygrad_lite as tl
import tinygrad_lite.distributed as dist

HOW = sys.argv[1]
dist.init_process_group("mpi")
me, x = dist.get_rank(), tl.ones(2)
dist.all_reduce(x)
group = dist.new_group([0, 1], timeout=timedelta(seconds=1)) if HOW == "slow" else None
if me == 1:
    print(f"<{time.time()}>", flush=True)
    if HOW == "finally":
        try:
            dist.all_reduce(tl.ones(2), async_op=True)
            raise ValueError("the reason")
        finally:
            dist.destroy_process_group()
    if HOW == "raise":
        raise ValueError("something is wrong here")
    if HOW == "exit":
        sys.exit(3)
    if HOW == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if HOW == "destroy":
        dist.destroy_process_group()
        time.sleep(60)
    if HOW == "slow":
        time.sleep(60)
    if HOW == "sizes":
        x = tl.ones(5)
if HOW == "sizes":
    dist.broadcast(x, 0)
elif HOW == "late":  # not a failure: one rank has more to do than the other, alone
    time.sleep(3 * (1 - me))
    print(f"rank {me} done", flush=True)
elif HOW != "end" or me == 0:
    dist.all_reduce(x, group=group)
