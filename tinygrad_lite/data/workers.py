"""Worker threads that load the next batches while the current one is used.

Threads are enough: NumPy, decoders and file reads release the interpreter's lock, and nothing has to be copied between
processes.
"""

from __future__ import annotations

import copy
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import takewhile
from typing import Any, NamedTuple

from tinygrad_lite.data.shuffling import generator_of


class WorkerInfo(NamedTuple):
    """What `get_worker_info` returns in a worker: its number, their count, its seed, and the data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


LOCAL = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """Return the worker in which this runs, None outside of the workers of a `DataLoader`.

    >>> import tinygrad_lite as tl
    >>> tl.utils.data.get_worker_info()
    """
    return getattr(LOCAL, "info", None)


class Queue:
    """Batches to be loaded, and as many threads at work on them as are needed.

    A thread goes on with the next batch. Another is woken only while few batches are ready: on a core that the training
    needs as well, four threads that take turns are slower than one.
    """

    def __init__(self, workers: Workers, fetch: Callable[[Any], Any]) -> None:
        self.workers, self.fetch, self.lock = workers, fetch, threading.Lock()
        self.waiting, self.running = deque[tuple[Future[Any], Any]](), 0

    def add(self, argument: Any) -> Future[Any]:
        """Return the future of a batch."""
        future: Future[Any] = Future()
        self.waiting.append((future, argument))
        return future

    def start(self, ready: float) -> None:
        """Wake threads, all of them if no batch is ``ready``, fewer if a part of them is."""
        with self.lock:
            count = self.workers.loader.num_workers
            more = min(max(math.ceil(count * (1 - 2 * ready)), 1) - self.running, len(self.waiting))
            self.running += max(more, 0)
        for _ in range(more):
            self.workers.pool.submit(self.work)

    def work(self) -> None:
        """Load batches until none is waiting."""
        while True:
            with self.lock:
                if not self.waiting:
                    self.running -= 1
                    return
                future, argument = self.waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self.workers.run(self.fetch, argument)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)


class Workers:
    """The threads of a loader; each runs ``worker_init_fn(id)`` before its first batch."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        # drawn from a copy: the order of the examples does not depend on the number of workers
        base = int(copy.deepcopy(generator_of(loader.generator)).integers(2**62))
        count = loader.num_workers
        self.infos = [WorkerInfo(i, count, base + i, loader.dataset) for i in range(count)]
        self.waiting = deque(self.infos)
        self.pool = ThreadPoolExecutor(count, thread_name_prefix="DataLoader")

    def run(self, fetch: Callable[[Any], Any], argument: Any) -> Any:
        """Run one fetch in the current thread."""
        if get_worker_info() is None:
            self.enter(self.waiting.popleft())
        return fetch(argument)

    def enter(self, info: WorkerInfo) -> None:
        """Make the current thread a worker."""
        LOCAL.info = info
        if self.loader.worker_init_fn is not None:
            self.loader.worker_init_fn(info.id)

    def batches(self, fetch: Callable[[Any], Any], arguments: Iterable[Any], shared: bool = False) -> Iterator[Any]:
        """Yield ``fetch(argument)`` for all arguments, a few of which are under way at any time.

        Arguments are drawn in the caller's thread, only as far as needed. ``shared``: nothing can be done until the
        first batch is there, so all workers load a part of it.
        """
        ahead = max(self.loader.num_workers * self.loader.prefetch_factor, 1)
        todo, under_way, queue = iter(arguments), deque[Future[Any]](), Queue(self, fetch)
        first = next(todo, todo) if shared else todo
        parts = [] if first is todo else self.parts(first)
        try:
            while True:
                while len(under_way) < ahead:
                    argument = next(todo, todo)
                    if argument is todo:
                        break
                    under_way.append(queue.add(argument))
                if parts:
                    batch = next(b for b in map(self.result, parts) if b is not parts)
                    parts = []
                    yield batch
                    continue
                if not under_way:
                    return
                ready = (future.done() for future in under_way)
                queue.start(sum(takewhile(bool, ready) if self.loader.in_order else ready) / ahead)
                if not self.loader.in_order:
                    done = wait(under_way, self.loader.timeout or None, FIRST_COMPLETED).done
                    for first in [future for future in under_way if future in done][:1]:
                        under_way.remove(first)
                        under_way.appendleft(first)
                yield self.result(under_way.popleft())
        finally:
            for future in (*parts, *under_way):
                future.cancel()

    def parts(self, places: Any) -> list[Future[Any]]:
        """Load the examples of one batch in all workers; the last to be done collates them, the others return the list.

        An error of an example is that of its part.
        """
        places, loaded, lock, futures = list(places), {}, threading.Lock(), list[Future[Any]]()
        size = -(-len(places) // len(self.infos)) or 1
        starts = range(0, len(places) or 1, size)

        def load(start: int) -> Any:
            some = [self.loader.dataset[i] for i in places[start : start + size]]
            with lock:
                loaded[start] = some
                last = len(loaded) == len(starts)
            return self.loader.collate_fn([x for at in starts for x in loaded[at]]) if last else futures

        futures.extend(self.pool.submit(self.run, load, start) for start in starts)
        return futures

    def streams(self, make: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """Yield the batches of one stream per worker in turn; each stream sees its own `get_worker_info`."""
        sources: list[Any] = [None] * len(self.infos)

        def advance(number: int) -> Any:
            if sources[number] is None:
                self.enter(self.infos[number])
                sources[number] = make()
            LOCAL.info = self.infos[number]
            return next(sources[number], sources)

        under_way = deque((i, self.pool.submit(advance, i)) for i in range(len(sources)))
        try:
            while under_way:
                number, future = under_way.popleft()
                batch = self.result(future)
                if batch is not sources:
                    under_way.append((number, self.pool.submit(advance, number)))
                    yield batch
        finally:
            for _, future in under_way:
                future.cancel()

    def result(self, future: Future[Any]) -> Any:
        """Return what a worker loaded; raise its error, or RuntimeError after the loader's ``timeout``."""
        try:
            return future.result(self.loader.timeout or None)
        except TimeoutError:
            if future.done():  # the worker's own error
                raise
            raise RuntimeError(f"DataLoader timed out after {self.loader.timeout} seconds") from None

    def close(self) -> None:
        """Let the threads end after what they are loading now."""
        self.pool.shutdown(wait=False, cancel_futures=True)
