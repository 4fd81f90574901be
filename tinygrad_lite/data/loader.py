"""The loader: iterates over a data set in batches."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinygrad_lite.data.collate import default_collate, default_convert
from tinygrad_lite.data.dataset import IterableDataset
from tinygrad_lite.data.sampler import BatchSampler, RandomSampler, SequentialSampler, count
from tinygrad_lite.data.workers import Workers
from tinygrad_lite.engine.arguments import checked_constructor, counted
from tinygrad_lite.errors import ArgumentError, describe

FIXED = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"))


def check_exclusive(
    streams: bool, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    """Raise PyTorch's ValueError for options of a loader that exclude one another."""
    if streams and (shuffle or sampler is not None or batch_sampler is not None):
        raise ValueError(
            "DataLoader with IterableDataset: expected unspecified shuffle, sampler and batch_sampler option"
        )
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")


def check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
    """Raise PyTorch's ValueError for options of worker processes that do not fit together."""
    counted("DataLoader", "num_workers", num_workers)
    if num_workers < 0:
        raise ValueError(f"num_workers option should be non-negative, got {num_workers}; use num_workers=0")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if prefetch_factor is not None and num_workers == 0:
        raise ValueError("prefetch_factor option needs num_workers > 0; leave it out")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


@checked_constructor
class DataLoader:
    """Iterate over a data set in batches.

    ``shuffle`` visits the examples in a new random order in each pass, reproducible under `manual_seed` or with a
    ``generator``. ``batch_size=None`` yields single examples. A data set that can return whole batches
    (`TensorDataset`) is read one batch at a time, with one copy per tensor; its arrays may be memory-mapped files
    larger than memory.

    ``num_workers`` threads load ``prefetch_factor`` batches each (2 by default) ahead of the one in use, in the same
    order as without; ``in_order=False`` yields them as they are ready. ``worker_init_fn(id)`` runs first in each
    thread, ``timeout`` is the longest wait for a batch in seconds, ``persistent_workers`` keeps the threads for the
    next pass. Each worker of an `IterableDataset` iterates over the whole of it, unless it looks at `get_worker_info`.
    ``pin_memory`` and ``multiprocessing_context`` are accepted and have no effect. Raises ValueError for options that
    exclude one another.

    >>> import tinygrad_lite as tl
    >>> loader = DataLoader(tl.data.TensorDataset(tl.arange(5)), batch_size=2)
    >>> [x.tolist() for (x,) in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        indexed = hasattr(type(dataset), "__getitem__") or hasattr(type(dataset), "__getitems__")
        if not indexed and not isinstance(dataset, IterableDataset):
            raise ArgumentError(
                "DataLoader: dataset must have __getitem__ and __len__, or be an IterableDataset, got "
                f"{describe(dataset)}"
            )
        check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset: Any = dataset
        self.generator, self.num_workers, self.pin_memory = generator, num_workers, pin_memory
        self.timeout, self.worker_init_fn, self.persistent_workers = timeout, worker_init_fn, persistent_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.in_order = in_order
        self._workers: Workers | None = None
        self._announced: int | None = None
        self.multiprocessing_context, self.pin_memory_device = multiprocessing_context, pin_memory_device
        self.streams = isinstance(dataset, IterableDataset)
        check_exclusive(self.streams, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_size = count(batch_size, "batch_size")
        if sampler is None and not self.streams:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, bool(drop_last))
        self.sampler: Any = sampler
        self.batch_sampler: Any = batch_sampler
        self.batch_size, self.drop_last = batch_size, bool(drop_last)
        single = batch_size is None and batch_sampler is None
        # a data set that returns whole batches leaves nothing to collate
        self.whole = not single and collate_fn is None and bool(getattr(dataset, "batches", False))
        self.collate_fn = collate_fn or (default_convert if single else default_collate)
        self._fixed = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and "_fixed" in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after DataLoader is initialized; make another")
        super().__setattr__(name, value)

    def __class_getitem__(cls, item: Any) -> Any:
        """Accept ``DataLoader[T]`` in annotations."""
        return cls

    def __iter__(self) -> Iterator[Any]:
        batches = self._loaded() if not self.num_workers else self._prefetched()
        if not self.streams:
            return batches
        return self._counted(batches)

    def _loaded(self) -> Iterator[Any]:
        if self.streams:
            return self._stream()
        return map(self._fetch, self.sampler if self.batch_sampler is None else self.batch_sampler)

    def _prefetched(self) -> Iterator[Any]:
        workers = self._workers or Workers(self)
        self._workers = workers if self.persistent_workers else None
        try:
            if self.streams:
                yield from workers.streams(self._stream)
            else:
                places = self.sampler if self.batch_sampler is None else self.batch_sampler
                yield from workers.batches(self._fetch, places, self.in_order and self._singly())
        finally:
            if not self.persistent_workers:
                workers.close()

    def _fetch(self, place: Any) -> Any:
        """Return one batch, or one example without batches."""
        if self.batch_sampler is None:
            return self.collate_fn(self.dataset[place])
        if self.whole:
            return list(self.dataset.__getitems__(place))
        if self._singly():
            return self.collate_fn([self.dataset[i] for i in place])
        return self.collate_fn(self.dataset.__getitems__(place))

    def _singly(self) -> bool:
        """Return whether the examples of a batch are asked for one after the other."""
        if self.batch_sampler is None or self.whole:
            return False
        # with `batches`, __getitems__ returns a batch, not the list of examples that collate_fn needs
        return bool(getattr(self.dataset, "batches", False)) or getattr(self.dataset, "__getitems__", None) is None

    def _counted(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Warn once where a stream yields more batches than ``len`` announced."""
        warned = False
        for number, batch in enumerate(batches, 1):
            if self._announced is not None and number > self._announced and not warned:
                warned = True
                warnings.warn(
                    f"Length of IterableDataset {self.dataset!r} was reported to be {self._announced} (when accessing "
                    f"len(dataloader)), but {number} samples have been fetched.",
                    UserWarning,
                    stacklevel=2,
                )
            yield batch

    def _stream(self) -> Iterator[Any]:
        examples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, examples)
            return
        while batch := list(itertools.islice(examples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)
        if not self.streams:
            return len(self.sampler)
        n = len(self.dataset)
        if self.batch_size is not None:
            n = n // self.batch_size + (n % self.batch_size > 0 and not self.drop_last)
        self._announced = n
        return n
