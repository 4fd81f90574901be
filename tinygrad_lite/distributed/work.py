"""`Work`: an exchange that has begun, and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from tinygrad_lite.distributed.ending import GOODBYE_SECONDS
from tinygrad_lite.futures import Future

SPINS = 100


class DistError(RuntimeError):
    """An exchange between ranks that failed: the time is over, or another rank is gone."""


class DistBackendError(DistError):
    """An exchange that MPI refused, for instance because two ranks passed tensors of different sizes."""


class _Arriving(Future):
    """The future of a `Work`: waiting for it waits for the exchange."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def arrived(self) -> bool:
        """Return whether the tensors are here."""
        return super().done()

    def done(self) -> bool:
        """Return whether the exchange is over; lets MPI work on it."""
        return self.arrived() or (not self.work._done and self.work.is_completed())

    def wait(self) -> Any:
        """Wait for the exchange; return its tensors."""
        self.work.wait()
        return super().wait()

    value = wait


class Work:
    """The handle of an exchange begun with ``async_op=True``: the tensors may be used again after `wait`.

    MPI moves the data while it is called, so `is_completed` also helps an exchange along.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> work = tl.distributed.all_reduce(tl.ones(2), async_op=True)
    >>> work.wait(), work.is_success()
    (True, True)
    >>> tl.distributed.destroy_process_group()
    """

    def __init__(
        self, name: str, group: Any, requests: Sequence[Any], finish: Callable[[], Any] | None = None,
        keep: Any = None, tensors: Sequence[Any] = (),
    ) -> None:  # fmt: skip
        self._name, self._group, self._finish = name, group, finish
        self._requests = [r for r in requests if r is not None]
        self._keep = keep  # memory that MPI reads or writes
        self._error: Exception | None = None
        self._done = False
        self._source = -1
        self._future: _Arriving | None = None
        self._tensors = list(tensors)
        if self._requests:
            group.open[id(self)] = self  # MPI writes into its memory even if nobody keeps the handle
        else:
            self._test()

    def is_completed(self) -> bool:
        """Return whether the exchange is over, without waiting."""
        return self._done or self._test()

    def is_success(self) -> bool:
        """Return whether the exchange is over and went well."""
        return self.is_completed() and self._error is None

    def exception(self) -> Exception | None:
        """Return the error of an exchange that failed."""
        return self._error

    def source_rank(self) -> int:
        """Return the rank that a received tensor came from."""
        return self._source

    def get_future(self) -> Future:
        """Return a future whose value is the list of the tensors; waiting for it is waiting for the exchange."""
        if self._future is None:
            self._future = _Arriving(self)
            if self._done:
                self._settle()
        return self._future

    def result(self) -> list[Any]:
        """Return the tensors that the exchange writes to."""
        return self._tensors

    def wait(self, timeout: timedelta | float | None = None) -> bool:
        """Wait for the exchange and write what arrived into the tensors; returns True.

        Raises `DistError` if it takes longer than ``timeout`` (that of the group by default), or if another rank of
        the group has left.
        """
        if self._error is not None:
            raise self._error
        for _ in range(SPINS):
            if self._done or self._test():
                return True
        limit = self._group.timeout if timeout is None else timeout
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else float(limit)
        self._wait_long(seconds)
        return True

    def _wait_long(self, seconds: float) -> None:
        """Wait politely: with more ranks than processors another rank needs this processor to send anything."""
        started = time.monotonic()
        look, pause, last = started + 0.5, 0.0, None
        while not self._test():
            time.sleep(pause)
            now = time.monotonic()
            if now - started > 0.02:
                pause = 0.0001
            if now - started > seconds:
                self._fail(DistError(f"{self._name}: {self._group.who()} waited {seconds:g} s for the other ranks"))
            if now < look:
                continue
            look = now + 0.25
            if gone := self._group.gone():
                last = last or now + GOODBYE_SECONDS
                if now > last:
                    names = ", ".join(map(str, sorted(gone)))
                    self._fail(
                        DistError(
                            f"{self._name}: {self._group.who()} waits for rank {names}, which has left: its script "
                            f"ended or called destroy_process_group; every rank must make the same calls"
                        )
                    )

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._group.open.pop(id(self), None)
        raise error

    def _test(self) -> bool:
        """Let MPI work on the exchange; finish it if everything has arrived."""
        if self._requests:
            mpi = self._group.mpi
            statuses = [mpi.Status() for _ in self._requests] if self._name.endswith("recv") else None
            try:
                if not mpi.Request.Testall(self._requests, statuses):
                    return False
            except mpi.Exception as error:
                self._fail(DistBackendError(f"{self._name}: {error}; do all ranks pass tensors of the same size?"))
            if statuses:
                self._source = self._group.ranks[statuses[0].source]
        self._requests, self._done = [], True
        self._group.open.pop(id(self), None)
        if self._finish is not None:
            self._finish()
        self._finish = self._keep = None
        self._settle()
        return True

    def _settle(self) -> None:
        if self._future is not None and not self._future.arrived():
            self._future.set_result(self._tensors)
