"""Scratch memory that is used again, and work on a batch shared out between threads.

NumPy lets go of the interpreter lock while it copies and multiplies, so the images of a batch can be worked on by
several threads. The matrix products then must not start threads of their own: BLAS is told to use one for that long.
Where that cannot be told (another BLAS than NumPy's own wheels carry) the work stays in one thread.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from queue import SimpleQueue
from time import monotonic
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.dtype import NUMPY_1
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError

LARGEST = 1 << 22
"""Elements of the largest buffer worth keeping between calls (16 MiB)."""
WORTH = 1 << 21
"""Multiplications below which sharing out costs more than it saves."""
SMALL, LARGE = 1 << 17, 1 << 22
"""Multiplications of a product above which BLAS is told to work alone (below it does so anyway), and above which its
rows or columns are shared out."""
MANY = 16
"""Matrices of a batch from which on the batch is shared out instead."""


class _Mine(threading.local):
    """What each thread has of its own: its buffers, and whether it works on a part of something shared out."""

    inside = False


_mine = _Mine()

# The C library of Linux hands the memory of a freed array of more than 128 KiB back to the system, and the next one
# pays for every page again: a fifth of the time of a small convolutional network. It stops doing so up to the size of
# the largest array it has seen freed (at most 32 MiB), so it is shown one. Nothing is written to it: it costs nothing.
_shown = new.empty(31 << 20, np.uint8)
del _shown


def buffer(name: str, shape: tuple[int, ...]) -> Array:
    """Return an uninitialised float32 array: memory of this thread, good until it asks again by that name."""
    size = prod(shape)
    kept: dict[str, Any] = _mine.__dict__
    memory = kept.get(name)
    if memory is None or memory.size < size:
        memory = new.empty(size, np.float32)
        if size <= LARGEST:
            kept[name] = memory
    return memory[:size].reshape(shape)


class Blas:
    """The number of threads that NumPy's own OpenBLAS uses: read and set; None where it cannot be found.

    While anybody lets it work alone, ``wanted`` is the number that it will use afterwards.
    """

    def __init__(self) -> None:
        self.get: Any = None
        self.set: Any = None
        self.fresh()
        # the extension module of NumPy, by its name in this version: what it is linked with is found through it
        core: Any = vars(np)["core" if NUMPY_1 else "_core"]
        try:
            library = ctypes.CDLL(core._multiarray_umath.__file__)
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
        """Begin with no threads of our own, and nobody at work."""
        self.lock, self.guard = threading.Lock(), threading.Lock()
        self.crew: Crew | None = None
        self.held, self.wanted = 0, 1

    def threads(self) -> int:
        """Return how many threads products may use; 1 where it cannot be known."""
        if self.get is None:
            return 1
        with self.guard:
            return self.wanted if self.held else int(self.get())

    def use(self, threads: int) -> None:
        """Let products use so many threads, from now on or as soon as nobody lets BLAS work alone."""
        with self.guard:
            self.wanted = threads
            if not self.held:
                self.set(threads)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let BLAS use one thread in a ``with`` block, and let this thread hand nothing on; others may do the same."""
        with self.guard:
            if not self.held:
                self.wanted = int(self.get())
                self.set(1)
            self.held += 1
        _mine.inside = True
        try:
            yield
        finally:
            _mine.inside = False
            with self.guard:
                self.held -= 1
                if not self.held:
                    self.set(self.wanted)


_blas: list[Blas] = []


def _forked() -> None:
    """Begin anew in a forked process: threads do not live on in it, nor what they would have put back."""
    for library in _blas:
        held, threads = library.held, library.wanted
        library.fresh()
        if held:
            library.set(threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def blas() -> Blas:
    """Return the one `Blas`, looked for when first needed."""
    if not _blas:
        _blas.append(Blas())
    return _blas[0]


class Crew:
    """Threads that take over parts of somebody's work; handing it to them costs some 20 us less than to an executor."""

    def __init__(self, threads: int) -> None:
        self.size = threads
        self.work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        for i in range(threads):
            threading.Thread(target=self._serve, name=f"tinygrad_lite_{i}", daemon=True).start()

    def _serve(self) -> None:
        while (take := self.work.get()) is not None:
            take()
            del take  # nothing of it stays while this thread waits

    def share(self, parts: list[range], some: Callable[[range], Any]) -> list[Any]:
        """Return ``some`` of each part; whoever is free takes the next, the calling thread among them."""
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
            _mine.inside = True
            with np.errstate(**warnings):  # NumPy asks each thread on its own what to warn of
                take()

        for _ in range(self.size):
            self.work.put(elsewhere)
        take()
        done.acquire()  # at once, unless a part that another thread has begun is not finished
        if errors:
            raise errors[0]
        return results

    def leave(self) -> None:
        """Let the threads end."""
        for _ in range(self.size):
            self.work.put(None)


_crowd = [0.0, False]


def crowded() -> bool:
    """Return whether more wants to run on this machine than it has cores: now, and over the last minute.

    Looked up four times a second.
    """
    now = monotonic()
    if now > _crowd[0] and hasattr(os, "getloadavg"):
        cores = os.cpu_count() or 1
        _crowd[:] = now + 0.25, os.getloadavg()[0] > 1.25 * cores and _running() > cores
    return bool(_crowd[1])


def _running() -> float:
    """Return how many threads of all programs want to run at this moment; infinity where that cannot be known."""
    try:
        with open("/proc/loadavg") as file:
            return int(file.read().split()[3].partition("/")[0])
    except (OSError, IndexError, ValueError):
        return math.inf


def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return ``a @ b`` of two arrays; products that take long are shared out, BLAS itself always works alone.

    The threads of BLAS wait for their next product in a busy loop, for many milliseconds: whatever comes next has to
    share a core with them, and on a machine with other work to do the product itself takes time slices of the system.
    """
    columns = b.shape[-1] if b.ndim > 1 else 1
    work = a.size * columns if a.ndim >= b.ndim else b.size * (a.shape[-2] if a.ndim > 1 else 1)
    if work > SMALL and not _mine.inside:
        library = blas()
        if library.threads() > 1:
            if work >= LARGE:
                return _shared(a, b, out, work)
            with library.alone():
                return np.matmul(a, b, out=out)
    # three times faster than matmul on small matrices
    return a.dot(b) if out is None and b.ndim == 2 else np.matmul(a, b, out=out)


def _shared(a: Array, b: Array, out: Array | None, work: int) -> Array:
    """Return ``a @ b``, its rows or its columns, or the products of a large batch, shared out between threads."""
    rows, columns = a.shape[-2] if a.ndim > 1 else 1, b.shape[-1] if b.ndim > 1 else 1
    by_rows = a.ndim > 1 and (rows >= columns or b.ndim == 1)
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0] or not by_rows and b.ndim == 1:
        return np.matmul(a, b, out=out)
    if out is None:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        shape = (*lead, *([rows] if a.ndim > 1 else []), *([columns] if b.ndim > 1 else []))
        out = new.empty(shape, np.result_type(a, b))
    result = out
    both = b.ndim == a.ndim and len(a) == len(b)
    each = a.ndim > 2 and len(a) >= MANY and (both or b.ndim <= 2)

    def some(part: range) -> None:
        here = slice(part.start, part.stop)
        if each:
            np.matmul(a[here], b[here] if both else b, out=result[here])
        elif by_rows:
            np.matmul(a[..., here, :], b, out=result[..., here, :] if b.ndim > 1 else result[..., here])
        else:
            np.matmul(a, b[..., here], out=result[..., here])

    split(len(a) if each else rows if by_rows else columns, work, some)
    return result


def split(n: int, work: int, some: Callable[[range], Any]) -> list[Any]:
    """Return ``some(part)`` for parts of ``range(n)``, shared out between threads where ``work`` is worth it.

    Whoever is free takes the next part, and nobody waits for a thread that the system has not let run yet. On a crowded
    machine, or while another thread is already sharing its work out, the calling thread does it all: in the same
    parts, so that sums over them are rounded alike.
    """
    if work < SMALL or _mine.inside:
        return [some(range(n))]
    library = blas()
    threads = library.threads()
    if threads == 1 or n == 1:  # a single image: its products are shared out
        return [some(range(n))]
    if work < WORTH:
        with library.alone():
            return [some(range(n))]
    count = min(n, 2 * threads)
    ends = [n * i // count for i in range(count + 1)]
    if crowded() or not library.lock.acquire(blocking=False):
        with library.alone():
            return [some(range(ends[i], ends[i + 1])) for i in range(count)]
    try:
        crew = library.crew
        if crew is None or crew.size != threads - 1:
            if crew is not None:
                crew.leave()
            crew = library.crew = Crew(threads - 1)
        with library.alone():
            return crew.share([range(ends[i], ends[i + 1]) for i in range(count)], some)
    finally:
        library.lock.release()


def added(parts: list[Any]) -> Array:
    """Return the sum of what the threads found (in the memory of the first)."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


@function(method=False)
def get_num_threads() -> int:
    """Return how many threads matrix products and convolutions may use."""
    return blas().threads()


@function(method=False)
def set_num_threads(num: int) -> None:
    """Let matrix products and convolutions use ``num`` threads; without effect where BLAS cannot be told."""
    if isinstance(num, bool) or not isinstance(num, (int, np.integer)) or num < 1:
        raise OptionError(f"set_num_threads: expected a positive integer, got {num!r}")
    library = blas()
    if library.set is not None:
        library.use(int(num))
