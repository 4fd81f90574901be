"""The loader: iterates over a data set in batches."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinygrad_lite.data.collate import default_collate, default_convert
from tinygrad_lite.data.dataset import IterableDataset
from tinygrad_lite.data.sampler import BatchSampler, RandomSampler, SequentialSampler, count
from tinygrad_lite.engine.arguments import checked_constructor
from tinygrad_lite.errors import ArgumentError, describe


def get_worker_info() -> None:
    """Return None, as PyTorch does in the main process."""


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

    Loading runs in this process: ``num_workers`` other than 0 warns that it has no effect; ``pin_memory``, ``timeout``
    and the other options of worker processes are accepted and have no effect. Raises ValueError for options
    that exclude one another.

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
        worker_init_fn: Any = None,
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
        if num_workers:
            warnings.warn(
                f"DataLoader: num_workers={num_workers} has no effect, data is loaded in this process; use 0",
                UserWarning,
                stacklevel=3,  # the caller of the checked constructor
            )
        self.dataset: Any = dataset
        self.generator, self.num_workers, self.pin_memory = generator, 0, pin_memory
        self.timeout, self.worker_init_fn, self.persistent_workers = timeout, worker_init_fn, persistent_workers
        self.prefetch_factor, self.in_order = prefetch_factor, in_order
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

    def __class_getitem__(cls, item: Any) -> Any:
        """Accept ``DataLoader[T]`` in annotations."""
        return cls

    def __iter__(self) -> Iterator[Any]:
        if self.streams:
            yield from self._stream()
        elif self.batch_sampler is None:
            for index in self.sampler:
                yield self.collate_fn(self.dataset[index])
        elif self.whole:
            for indices in self.batch_sampler:
                yield list(self.dataset.__getitems__(indices))
        else:
            # with `batches`, __getitems__ returns a batch, not the list of examples that collate_fn needs
            batches = getattr(self.dataset, "batches", False)
            several = None if batches else getattr(self.dataset, "__getitems__", None)
            for indices in self.batch_sampler:
                examples = several(indices) if several is not None else [self.dataset[i] for i in indices]
                yield self.collate_fn(examples)

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
        if self.batch_size is None:
            return n
        return n // self.batch_size + (n % self.batch_size > 0 and not self.drop_last)
