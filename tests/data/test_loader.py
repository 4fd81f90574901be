"""The loader, its samplers, and how examples become batches."""

import collections
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
)


def firsts(loader):
    return [batch[0].tolist() if isinstance(batch, (list, tuple)) else batch.tolist() for batch in loader]


TEN = TensorDataset(tl.arange(10), tl.arange(10) * 0.5)


def test_in_order():
    assert firsts(DataLoader(TEN, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert firsts(DataLoader(TEN, 4, drop_last=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(DataLoader(TEN, 4)) == 3 and len(DataLoader(TEN, 4, drop_last=True)) == 2
    assert firsts(DataLoader(range(3))) == [[0], [1], [2]]
    x, y = next(iter(DataLoader(TEN, 4)))
    assert x.dtype == np.int64 and y.tolist() == [0.0, 0.5, 1.0, 1.5] and isinstance(x, tl.Tensor)


def test_single_examples():
    assert [(x.item(), y.item()) for x, y in DataLoader(TEN, batch_size=None)][3] == (3, 1.5)
    assert len(DataLoader(TEN, batch_size=None)) == 10


def test_shuffled():
    loader = DataLoader(TEN, 3, shuffle=True)
    tl.manual_seed(0)
    first, second = firsts(loader), firsts(loader)
    assert sorted(sum(first, [])) == list(range(10)) and first != second
    tl.manual_seed(0)
    assert firsts(loader) == first
    tl.manual_seed(1)
    with_own = [firsts(DataLoader(TEN, 3, shuffle=True, generator=tl.Generator().manual_seed(7))) for _ in range(2)]
    assert with_own[0] == with_own[1]
    assert firsts(DataLoader(TEN, 3, shuffle=True, generator=np.random.default_rng(0)))


def test_a_generator_of_another_kind():
    with pytest.raises(TypeError, match="generator"):
        list(DataLoader(TEN, shuffle=True, generator=42))


def test_samplers():
    assert list(SequentialSampler(TEN)) == list(range(10))
    assert sorted(RandomSampler(TEN)) == list(range(10))
    assert len(list(RandomSampler(TEN, num_samples=25))) == 25 == len(RandomSampler(TEN, num_samples=25))
    drawn = list(RandomSampler(TEN, replacement=True, num_samples=1000))
    assert set(drawn) == set(range(10)) and len(drawn) == 1000
    assert sorted(SubsetRandomSampler([3, 5])) == [3, 5]
    assert list(BatchSampler([1, 2, 3], 2, False)) == [[1, 2], [3]] and len(BatchSampler([1, 2, 3], 2, True)) == 1
    assert firsts(DataLoader(TEN, 2, sampler=[5, 4, 3])) == [[5, 4], [3]]
    assert firsts(DataLoader(TEN, batch_sampler=[[1], [2, 3]])) == [[1], [2, 3]]


def test_weights():
    tl.manual_seed(0)
    counts = collections.Counter(WeightedRandomSampler([0.0, 1.0, 3.0], 8000))
    assert counts[0] == 0 and 2.7 < counts[2] / counts[1] < 3.3
    assert sorted(WeightedRandomSampler([1.0, 0.0, 5.0], 2, replacement=False)) == [0, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: DataLoader(TEN, 0),
        lambda: DataLoader(TEN, -1),
        lambda: DataLoader(TEN, 2.0),
        lambda: DataLoader(TEN, True),
        lambda: DataLoader(TEN, num_workers=-1),
        lambda: DataLoader(TEN, shuffle=True, sampler=[1]),
        lambda: DataLoader(TEN, 2, batch_sampler=[[1]]),
        lambda: DataLoader(TEN, drop_last=True, batch_sampler=[[1]]),
        lambda: DataLoader(TEN, None, drop_last=True),
        lambda: DataLoader(Stream(), shuffle=True),
        lambda: DataLoader(Stream(), sampler=[1]),
        lambda: RandomSampler(TEN, num_samples=0),
        lambda: WeightedRandomSampler([-1.0, 2.0], 1),
        lambda: WeightedRandomSampler([0.0], 1),
        lambda: WeightedRandomSampler([[1.0]], 1),
        lambda: WeightedRandomSampler([np.nan, 1.0], 1),
        lambda: WeightedRandomSampler([1.0, 0.0], 2, replacement=False),
        lambda: BatchSampler([1], 2, "no"),
    ],
)
def test_options_that_exclude_one_another(make):
    with pytest.raises(ValueError):
        make()


def test_pinned_memory_is_accepted():
    loader = DataLoader(TEN, 5, pin_memory=True)
    assert len(firsts(loader)) == 2 and tl.utils.data.get_worker_info() is None


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(7))


def test_streams():
    assert firsts(DataLoader(Stream(), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert firsts(DataLoader(Stream(), 3, drop_last=True)) == [[0, 1, 2], [3, 4, 5]]
    assert list(DataLoader(Stream(), None)) == list(range(7))
    with pytest.raises(TypeError):
        len(DataLoader(Stream()))


class Calls(Dataset):
    """Count the calls of each method."""

    def __init__(self):
        self.single, self.several = 0, 0

    def __len__(self):
        return 6

    def __getitem__(self, i):
        self.single += 1
        return i

    def __getitems__(self, indices):
        self.several += 1
        return [i * 10 for i in indices]


def test_several_examples_at_once():
    data = Calls()
    assert firsts(DataLoader(data, 4)) == [[0, 10, 20, 30], [40, 50]]
    assert (data.single, data.several) == (0, 2)
    assert firsts(DataLoader(Subset(data, [5, 1]), 2)) == [[50, 10]]


def test_custom_collate():
    seen = []

    def collate(examples):
        seen.append([type(e) for e in examples])
        return len(examples)

    assert list(DataLoader(TEN, 4, collate_fn=collate)) == [4, 4, 2] and seen[0] == [tuple] * 4


# ------------------------------------------------------------------------------------------------ batches
Pair = collections.namedtuple("Pair", "a b")


def test_collate():
    batch = default_collate([{"x": np.ones(2, "f4"), "n": 1, "s": "a", "f": 0.5, "b": True}] * 2)
    assert batch["x"].shape == (2, 2) and batch["x"].dtype == np.float32
    assert batch["n"].dtype == np.int64 and batch["f"].dtype == np.float64 and batch["b"].dtype == bool
    assert batch["s"] == ["a", "a"]
    pair = default_collate([Pair(1, 2.0), Pair(3, 4.0)])
    assert isinstance(pair, Pair) and pair.a.tolist() == [1, 3]
    assert default_collate([np.float32(1), np.float32(2)]).dtype == np.float32
    nested = default_collate([((1, 2), 3), ((4, 5), 6)])
    assert nested[0][1].tolist() == [2, 5]


def test_collate_keeps_the_graph():
    x = tl.ones(3, requires_grad=True)
    default_collate([x, x * 2]).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_convert():
    out = default_convert({"x": np.ones(2), "l": [np.float64(1)], "s": "a", "p": Pair(np.ones(1), None)})
    assert isinstance(out["x"], tl.Tensor) and isinstance(out["l"][0], tl.Tensor) and out["s"] == "a"
    assert isinstance(out["p"].a, tl.Tensor) and out["p"].b is None


@pytest.mark.parametrize(
    ("batch", "error"),
    [
        ([np.ones(2), np.ones(3)], ShapeError),
        ([(1, 2), (1,)], RuntimeError),
        ([object()], TypeError),
        ([None, None], TypeError),
        ([np.array(["a"])], TypeError),
        ([], IndexError),
    ],
)
def test_examples_that_cannot_be_collated(batch, error):
    with pytest.raises(error, match="batch|shape|equal size"):
        default_collate(batch)


def test_an_error_in_the_data_set_is_raised_unchanged():
    class Broken(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            raise RuntimeError(f"example {i} is broken")

    with pytest.raises(RuntimeError, match="example 0 is broken"):
        list(DataLoader(Broken(), 2))


# ------------------------------------------------------------------------------------------------ memory
def test_memory_mapped_files(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(1000, dtype="f4").reshape(100, 10))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    batches = list(DataLoader(TensorDataset(mapped), 32))
    assert type(batches[0][0].array) is np.ndarray and batches[0][0].array.flags.writeable
    np.testing.assert_array_equal(np.concatenate([b[0].array for b in batches]), mapped)
    (row,) = TensorDataset(mapped)[3]
    assert type(row.array) is np.ndarray


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the address space")
def test_a_file_larger_than_memory(tmp_path):
    """A process that may use 1 GB in all reads a 2 GB file, batch by batch."""
    path = tmp_path / "large.npy"
    large = np.lib.format.open_memmap(path, "w+", "f4", (1 << 17, 4096))
    large[12345] = 1.0
    del large
    assert os.stat(path).st_size > 2 << 30
    program = textwrap.dedent(f"""
        import resource
        import numpy as np, tinygrad_lite as tl
        from tinygrad_lite.utils.data import DataLoader, TensorDataset
        x = np.load({str(path)!r}, mmap_mode="r")
        loader = DataLoader(TensorDataset(x), batch_size=256, shuffle=True)
        resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))
        total = 0.0
        for i, (batch,) in enumerate(loader):
            total += float(batch.array[:, 0].sum())
            if i == 5:
                break
        index = np.array([12345, 1])
        assert TensorDataset(x).__getitems__(index)[0].array[0, 0] == 1.0
        print(total)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pytorchs_import_paths():
    from tinygrad_lite.utils.data.dataloader import DataLoader as by_module
    from tinygrad_lite.utils.data.dataset import random_split
    from tinygrad_lite.utils.data.sampler import SubsetRandomSampler as sampler_by_module

    assert by_module is DataLoader is tl.data.DataLoader and sampler_by_module is SubsetRandomSampler
    assert random_split is tl.utils.data.random_split
