"""A process of its own for work that may crash or hang."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable

from tests.fuzz.findings import Findings


class Hang(BaseException):
    """Raised by the alarm inside work that takes too long."""


def alarm(*_: object) -> None:
    """Handle SIGALRM and SIGPROF."""
    raise Hang


def watch() -> None:
    """Let `limit` raise `Hang` in this process."""
    signal.signal(signal.SIGALRM, alarm)
    signal.signal(signal.SIGPROF, alarm)


def limit(seconds: float) -> None:
    """Raise `Hang` after so many seconds of work, or twelve times as many of waiting; 0 ends the watch.

    Work is processor time: on a busy machine everything takes longer, and nothing hangs.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 12 * seconds)


def limited(gigabytes: int, megabytes: int = 20) -> None:
    """Bound the memory of this process and the size of its files, and let it leave no core file."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def silent() -> None:
    """Send what this process prints to nowhere, and give it nothing to read."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    sys.stdout = sys.stderr = open(os.devnull, "w")


def apart(name: str, example: str, work: Callable[[Findings], None], seconds: float = 30.0) -> Findings:
    """Return what ``work`` found in a forked process; a crash or silence of ``seconds`` is found too."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status, speak = 99, os.dup(2)
        try:
            os.close(read)
            found = Findings()
            work(found)
            data = found.dumps()
            while data:
                data = data[os.write(write, data) :]
            status = 0
        except BaseException:  # a fault of the harness
            os.write(speak, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(write)
    data, end = b"", time.monotonic() + seconds
    while True:
        if not select.select([read], [], [], max(0.0, end - time.monotonic()))[0]:
            os.kill(pid, signal.SIGKILL)
        part = os.read(read, 1 << 20)
        if not part:
            break
        data += part
    os.close(read)
    status = os.waitpid(pid, 0)[1]
    if status == 0:
        return Findings.loads(data)
    found, how = Findings(), os.waitstatus_to_exitcode(status)
    late = time.monotonic() > end
    found.note("hang" if late else "crash", name, f"{example} -> {f'signal {-how}' if how < 0 else f'exit {how}'}")
    return found
