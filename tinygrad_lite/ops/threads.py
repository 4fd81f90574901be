"""Threads for matrix products and batches, and reusable scratch memory.

With native loops, a crew of threads without an interpreter (`native.crew`) does all that is shared. Then BLAS itself
uses one thread, for good: after any product its own threads wait for the next one in a busy loop, for milliseconds, on
a core that the crew needs. The user's number of threads is kept here.

On NumPy alone BLAS shares products by its own threads. Threads of Python share the images of a very large batch only:
to wake one, and to hand over the interpreter lock between two calls of NumPy, takes 50 us each. Where BLAS offers no
such setting (only the OpenBLAS in NumPy's wheels does) all work stays in one thread.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from math import prod
from queue import SimpleQueue
from time import monotonic
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.promotion import NUMPY_1
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError

LARGEST = 1 << 22
"""Elements of the largest buffer worth keeping between calls (16 MiB)."""
WORTH = 1 << 28
"""Multiplications below which several threads of Python cost more than they save."""
SMALL = 1 << 17
"""Multiplications of a product above which BLAS itself may use several threads."""
CREWED: list[tuple[int, Callable[[Array, Array, Array | None, int], Array]]] = []
"""How many multiplications are shared by a crew, and its function of two matrices, the result's array or None, and the
multiplications, which returns NotImplemented for others than float32."""


class _Local(threading.local):
    """State of one thread: its buffers, and whether it works on a divided task."""

    inside = False


_local = _Local()

# glibc returns the memory of a freed array of more than 128 KiB to the system, and the next array pays for every page
# again: a fifth of the time of a small convolutional network. It raises that threshold to the size of the largest array
# freed so far (at most 32 MiB), so one is freed here. Nothing is written to it, so it takes no memory.
_freed = new.empty(31 << 20, np.uint8)
del _freed


def buffer(name: str, shape: tuple[int, ...]) -> Array:
    """Return an uninitialised float32 array from this thread's scratch memory.

    It is valid until the next call with this ``name``.
    """
    size = prod(shape)
    kept: dict[str, Any] = _local.__dict__
    memory = kept.get(name)
    if memory is None or memory.size < size:
        memory = new.empty(size, np.float32)
        if size <= LARGEST:
            kept[name] = memory
    return memory[:size].reshape(shape)


class Blas:
    """Reads and sets the number of threads of NumPy's OpenBLAS.

    ``get`` and ``set`` are None for another BLAS. While BLAS uses one thread, after `settle` or during `lend`,
    ``number`` is the user's.
    """

    def __init__(self) -> None:
        self.get: Any = None
        self.set: Any = None
        self.library: Any = None
        self.fresh()
        # OpenBLAS is linked to NumPy's extension module, whose package was renamed in NumPy 2
        core: Any = vars(np)["core" if NUMPY_1 else "_core"]
        try:
            library = self.library = ctypes.CDLL(core._multiarray_umath.__file__)
        except (OSError, AttributeError):
            return
        for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
            try:
                self.get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}")
                self.set = getattr(library, f"{prefix}openblas_set_num_threads{suffix}")
                return
            except AttributeError:
                self.get = self.set = None

    def fresh(self) -> None:
        """Reset the locks; start without a thread pool."""
        self.guard = threading.Lock()
        self.busy = False
        self.pool: Pool | None = None
        self.number: int = getattr(self, "number", 0)
        self.settled: bool = getattr(self, "settled", False)
        self.restore()

    def threads(self) -> int:
        """Return how many threads products may use; 1 for an unknown BLAS."""
        return self.number or (1 if self.get is None else int(self.get()))

    def use(self, threads: int) -> None:
        """Set how many threads products may use."""
        with self.guard:
            if self.number:
                self.number = threads
            else:
                self.set(threads)

    def settle(self) -> None:
        """Limit BLAS itself to one thread for good, and remember how many the user wanted.

        After an interruption the next call does what is left.
        """
        if not self.settled:
            with self.guard:
                self.number = self.number or int(self.get())
                self.set(1)
                self.settled = True

    def lend(self) -> None:
        """Limit BLAS to one thread while others of ours call it."""
        if not self.settled:
            with self.guard:
                self.number = self.number or int(self.get())
                self.set(1)

    def restore(self) -> None:
        """Give BLAS the number of threads that the user wants."""
        if not self.settled and self.number:
            with self.guard:
                self.set(self.number)
                self.number = 0

    def multiply(self, a: Array, b: Array, out: Array | None) -> Array:
        """Return ``a @ b`` by BLAS with its own threads; for what no crew takes."""
        if not self.settled:
            return np.matmul(a, b, out=out)
        self.set(self.number)
        try:
            return np.matmul(a, b, out=out)
        finally:
            self.set(1)


_blas: list[Blas] = []
_making = threading.Lock()


def _forked() -> None:
    """Reset the state in a forked child: its parent's threads do not exist there to restore it."""
    global _making
    _making = threading.Lock()
    for library in _blas:
        library.fresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def blas() -> Blas:
    """Return the only `Blas`, created at first use."""
    if not _blas:
        with _making:  # two would both take BLAS's own number, the second one that the first has set
            if not _blas:
                _blas.append(Blas())
    return _blas[0]


class Pool:
    """A pool of daemon threads; ThreadPoolExecutor costs 20 us more per task."""

    def __init__(self, threads: int) -> None:
        self.wanted, self.size = threads, 0
        self.work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        with suppress(RuntimeError, MemoryError):  # the system gives no more threads: the others do the work
            for i in range(threads):
                threading.Thread(target=self._serve, name=f"tinygrad_lite_{i}", daemon=True).start()
                self.size += 1

    def _serve(self) -> None:
        while (take := self.work.get()) is not None:
            with suppress(MemoryError):  # before it took a part: the caller does them all
                take()
            del take  # so that a waiting thread keeps no arrays alive

    def share(self, parts: list[range], some: Callable[[range], Any]) -> list[Any]:
        """Return ``some(part)`` for each part.

        Free threads, the calling one included, take the next part.
        """
        results: list[Any] = [None] * len(parts)
        errors: list[BaseException] = []
        following, finished = itertools.count().__next__, itertools.count(1).__next__
        warnings: Any = {**np.geterr(), "call": np.geterrcall()}
        done = threading.Lock()
        done.acquire()

        def take() -> None:
            while (i := following()) < len(parts):
                try:
                    results[i] = some(parts[i])
                except BaseException as error:
                    errors.append(error)
                if finished() == len(parts):
                    done.release()

        def elsewhere() -> None:
            _local.inside = True
            with np.errstate(**warnings):  # NumPy's error state is per thread
                take()

        for _ in range(self.size):
            self.work.put(elsewhere)
        take()
        done.acquire()  # waits only for parts that other threads are still working on
        if errors:
            raise errors[0]
        return results

    def close(self) -> None:
        """End the threads once they are idle."""
        for _ in range(self.size):
            self.work.put(None)


_crowd = [0.0, False]


def crowded() -> bool:
    """Return whether more threads want to run than the machine has cores.

    This must hold now and over the last minute. The load is read at most four times a second.
    """
    now = monotonic()
    if now > _crowd[0] and hasattr(os, "getloadavg"):
        cores = os.cpu_count() or 1
        _crowd[:] = now + 0.25, os.getloadavg()[0] > 1.25 * cores and _running() > cores
    return bool(_crowd[1])


def _running() -> float:
    """Return how many threads of all processes are runnable now.

    It is infinity where the system does not say.
    """
    try:
        with open("/proc/loadavg") as file:
            return int(file.read().split()[3].partition("/")[0])
    except (OSError, IndexError, ValueError):
        return math.inf


def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return ``a @ b`` of two arrays; a crew shares large products, without one BLAS does."""
    if CREWED and not _local.inside:
        columns = b.shape[-1] if b.ndim > 1 else 1
        work = a.size * columns if a.ndim >= b.ndim else b.size * (a.shape[-2] if a.ndim > 1 else 1)
        if work > SMALL and blas().threads() > 1:
            blas().settle()
            if work >= CREWED[0][0]:
                return _whole(a, b, out, work) if new.REDIRECTED[0] else _shared(a, b, out, work)
        elif work >= CREWED[0][0] and new.REDIRECTED[0] and out is None:
            return _whole(a, b, None, work)  # what one thread records may run when there are several
    return plain(a, b, out)


def plain(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return ``a @ b``, computed in this thread."""
    # dot is three times faster than matmul on small matrices, but a zero of one element times NaN is 0 there
    if out is None and b.ndim == 2:
        if a.size > 1 < b.size:
            return a.dot(b)
        if a.ndim == 2 and a.shape[1] == b.shape[0] == 1:
            return np.multiply(a, b)
    return np.matmul(a, b, out=out)


def _whole(a: Array, b: Array, out: Array | None, work: int) -> Array:
    """Return ``a @ b`` as one call, where a maker of arrays watches this thread: others are none of its business."""
    if out is None:
        result = new.seen_whole(shared_matmul, (a, b))
        return _shared(a, b, out, work) if result is NotImplemented else result
    if not new.writes_are_seen():
        return _shared(a, b, out, work)
    new.writing(multiply_into, (out,), a, b, work)
    return out


def shared_matmul(a: Array, b: Array) -> Array:
    """Return ``a @ b``, by several threads."""
    return _shared(a, b, None, a.size * (b.shape[-1] if b.ndim > 1 else 1))


shared_matmul.as_numpy = np.matmul  # type: ignore[attr-defined]


def multiply_into(out: Array, a: Array, b: Array, work: int) -> None:
    """Write ``a @ b`` into ``out``; ``work``: its multiplications."""
    _shared(a, b, out, work)


def _shared(a: Array, b: Array, out: Array | None, work: int) -> Array:
    """Return ``a @ b``, by several threads if the user wants them."""
    if not CREWED or blas().threads() == 1:
        return plain(a, b, out)
    blas().settle()
    result = CREWED[0][1](a, b, out, work)
    return blas().multiply(a, b, out) if result is NotImplemented else result


def divided(n: int, work: int, least: int, each: int = 2) -> tuple[int, int]:
    """Return into how many parts to divide ``n`` rows, and how many threads may take some now.

    There are ``each`` parts per thread, but none of less than 30 us. How busy the machine is does not change them:
    sums over them round alike.
    """
    if work < least or n < 2 or _local.inside:
        return 1, 1
    library = blas()
    threads = library.threads()
    if threads == 1:
        return 1, 1
    if CREWED:
        library.settle()
    return min(n, each * threads, max(work >> 19, 2)), 1 if library.busy or crowded() else threads


def split(n: int, work: int, some: Callable[[range], Any]) -> list[Any]:
    """Return ``some(part)`` for parts of ``range(n)``, on several threads if ``work`` (multiplications) is large.

    A free thread takes the next part, so no part waits for a thread that the system has not scheduled yet. On a crowded
    machine, or while another thread uses the pool, the calling thread does all parts itself. The parts are the same
    then, so that sums over them round alike.
    """
    if work < WORTH or n == 1 or _local.inside or (threads := (library := blas()).threads()) == 1:
        return [some(range(n))]
    count = min(n, 2 * threads)
    ends = [n * i // count for i in range(count + 1)]
    parts = [range(ends[i], ends[i + 1]) for i in range(count)]
    mine = False
    try:  # a flag and no lock: Ctrl-C between a lock and what releases it would keep it for good
        with library.guard:
            if not library.busy and not crowded():
                library.busy = mine = True
        if not mine:
            return _here(parts, some)
        library.lend()
        pool = library.pool
        if pool is None or pool.wanted != threads - 1:
            if pool is not None:
                pool.close()
            pool = library.pool = Pool(threads - 1)
        _local.inside = True
        return pool.share(parts, some)
    finally:
        _local.inside = False
        if mine:
            library.restore()
            library.busy = False


def _here(parts: list[range], some: Callable[[range], Any]) -> list[Any]:
    """Return ``some(part)`` of all parts in this thread, whose products are not divided again."""
    _local.inside = True
    try:
        return [some(part) for part in parts]
    finally:
        _local.inside = False


def added(parts: list[Any]) -> Array:
    """Return the sum of the results of `split`, added in place to the first."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


@function(method=False)
def get_num_threads() -> int:
    """Return how many threads matrix products and convolutions may use.

    >>> import tinygrad_lite as tl
    >>> tl.get_num_threads() >= 1
    True
    """
    return blas().threads()


@function(method=False)
def set_num_threads(num: int) -> None:
    """Let matrix products and convolutions use ``num`` threads.

    From the first large product on, NumPy's OpenBLAS itself uses one thread, also where other code calls it; ``num`` is
    between how many threads tinygrad_lite divides its own work. It has no effect for an unknown BLAS.

    >>> import tinygrad_lite as tl
    >>> before = tl.get_num_threads()
    >>> tl.set_num_threads(1)
    >>> threads = tl.get_num_threads()
    >>> tl.set_num_threads(before)
    >>> threads
    1
    """
    if isinstance(num, bool) or not isinstance(num, (int, np.integer)) or not 1 <= num < 2**31:
        raise OptionError(f"set_num_threads: expected a positive integer, got {num!r}")
    library = blas()
    if library.set is not None:
        library.use(int(num))
