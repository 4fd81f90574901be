"""Worker threads of the loader: same batches, ahead of their use."""

import threading
import time

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.data.workers import Queue, Workers
from tinygrad_lite.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info


class Slow(Dataset):
    """Sleeps while it decodes, as a read or a decoder that releases the interpreter's lock does."""

    def __init__(self, seconds=0.0, count=20):
        self.seconds, self.count, self.seen = seconds, count, []

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        time.sleep(self.seconds)
        self.seen.append((i, threading.get_ident()))
        return np.float32(i)


def numbers(loader):
    return [b.tolist() for b in loader]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("batch_size", [4, None])
def test_the_same_batches_in_the_same_order(workers, batch_size):
    shuffle = {"shuffle": True} if batch_size else {}
    tl.manual_seed(0)
    plain = [numbers(DataLoader(Slow(), batch_size, **shuffle)) for _ in range(2)]
    tl.manual_seed(0)
    loader = DataLoader(Slow(0.001), batch_size, num_workers=workers, **shuffle)
    assert [numbers(loader) for _ in range(2)][0] == plain[0]
    whole = TensorDataset(tl.arange(10.0))
    assert [b[0].tolist() for b in DataLoader(whole, 4, num_workers=2)] == [b[0].tolist() for b in DataLoader(whole, 4)]


def test_loading_overlaps_with_its_use():
    """One batch takes as long to load, over four threads, as to use: together hardly longer than either."""
    data = Slow(0.01, 64)
    started, in_use = time.perf_counter(), 0
    for _ in DataLoader(data, 4, num_workers=4):
        in_use += len(data.seen)
        time.sleep(0.01)
    alone = 64 * 0.01 + 16 * 0.01
    assert time.perf_counter() - started < 0.75 * alone
    assert in_use > sum(range(4, 68, 4)), "batches were loaded ahead"
    assert len({thread for _, thread in data.seen}) == 4 and threading.get_ident() not in dict(data.seen).values()


def test_only_a_few_batches_are_drawn_ahead():
    drawn = []

    class Endless:
        def __iter__(self):
            i = 0
            while True:
                drawn.append(i)
                yield [i % 20]
                i += 1

    loader = DataLoader(Slow(), batch_sampler=Endless(), num_workers=2, prefetch_factor=3)
    batches = iter(loader)
    for _ in range(4):
        next(batches)
    assert len(drawn) <= 4 + 6
    batches.close()


def test_workers_know_themselves():
    started, seen = [], []

    class Asks(Slow):
        def __getitem__(self, i):
            time.sleep(0.01)
            seen.append(get_worker_info())
            return i

    data = Asks()
    loader = DataLoader(data, 2, num_workers=2, worker_init_fn=started.append, persistent_workers=True)
    for _ in range(3):
        list(loader)
    assert sorted(started) == [0, 1], "threads stay between the passes"
    assert {(i.id, i.num_workers, i.dataset) for i in seen} == {(0, 2, data), (1, 2, data)}
    assert len({i.seed for i in seen}) == 2 and get_worker_info() is None


def test_errors_and_timeouts_reach_the_caller():
    class Breaks(Slow):
        def __getitem__(self, i):
            if i == 5:
                raise KeyError("example 5")
            return i

    with pytest.raises(KeyError, match="example 5"):
        list(DataLoader(Breaks(), 2, num_workers=2))
    with pytest.raises(RuntimeError, match=r"timed out after 0\.02 seconds"):
        list(DataLoader(Slow(0.3), 1, num_workers=1, timeout=0.02))
    with pytest.raises(ZeroDivisionError):
        list(DataLoader(Slow(), 1, num_workers=1, worker_init_fn=lambda i: 1 / 0))


def test_batches_out_of_order():
    class Uneven(Slow):
        def __getitem__(self, i):
            time.sleep(0.2 if i == 0 else 0.0)
            return i

    got = numbers(DataLoader(Uneven(count=6), 1, num_workers=2, in_order=False))
    assert sorted(got) == [[i] for i in range(6)] and got[0] != [0]


class Stream(IterableDataset):
    def __init__(self, split, length=10):
        self.split, self.length = split, length

    def __len__(self):
        return self.length

    def __iter__(self):
        info = get_worker_info()
        first, stride = (info.id, info.num_workers) if info and self.split else (0, 1)
        return iter(range(first, 10, stride))


def test_streams_are_read_by_each_worker():
    assert numbers(DataLoader(Stream(True), 2, num_workers=2)) == [[0, 2], [1, 3], [4, 6], [5, 7], [8], [9]]
    assert sorted(sum(numbers(DataLoader(Stream(False), 5, num_workers=2)), [])) == sorted(2 * [*range(10)])


def test_a_stream_longer_than_it_said_warns_once():
    loader = DataLoader(Stream(True, 4), 2)
    assert len(numbers(loader)) == 5, "without a question nothing was promised"
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="reported to be 2 .* but 3 samples") as caught:
        list(loader)
    assert len(caught) == 1


@pytest.mark.parametrize("name", ["collate_fn", "worker_init_fn"])
def test_functions_are_checked_before_a_worker_starts(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} must be a function or None, got 3"):
        DataLoader([1, 2], 1, num_workers=1, **{name: 3})


def test_the_first_batch_is_loaded_by_all_workers():
    data = Slow(0.005, 40)
    loaded = iter(DataLoader(data, 8, num_workers=4, prefetch_factor=1))
    assert next(loaded).tolist() == list(range(8))
    assert len({thread for i, thread in data.seen if i < 8}) > 1
    assert [i for batch in loaded for i in batch.tolist()] == list(range(8, 40))


def test_an_error_in_a_part_of_the_first_batch():
    class Bad(Slow):
        def __getitem__(self, i):
            if i == 6:
                raise KeyError("six")
            return super().__getitem__(i)

    with pytest.raises(KeyError, match="six"):
        next(iter(DataLoader(Bad(), 8, num_workers=4)))


@pytest.mark.parametrize(("ready", "woken"), [(0, 4), (0.25, 2), (0.5, 1), (0.9, 1)])
def test_threads_are_woken_by_need(ready, woken):
    """All of them if no batch is ready; else fewer, as they would take turns on the cores that the steps need."""
    workers, submitted = Workers(DataLoader(Slow(), num_workers=4)), []
    workers.pool.submit = submitted.append
    queue = Queue(workers, lambda places: places)
    futures = [queue.add(i) for i in range(8)]
    queue.start(ready)
    assert len(submitted) == woken
    queue.start(ready)
    assert len(submitted) == woken, "they are still at work"
    futures[3].cancel()
    for work in submitted:
        work()
    assert [f.result() for f in futures if not f.cancelled()] == [0, 1, 2, 4, 5, 6, 7]
    queue.add(9)
    queue.start(ready)
    assert len(submitted) == woken + 1, "one for the one that waits"
