"""Data sets: rows of tensors, concatenation, splitting, streams."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Numbers(Dataset):
    def __init__(self, n, start=0):
        self.n, self.start = n, start

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError(i)
        return self.start + i


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


def test_rows():
    data = TensorDataset(tl.arange(6).reshape(3, 2), np.array([1.0, 2.0, 3.0]))
    x, y = data[1]
    assert x.tolist() == [2, 3] and y.item() == 2.0 and y.dtype == np.float64
    assert len(data) == 3 and data[-1][0].tolist() == [4, 5]
    assert [t.shape for t in data[0:2]] == [(2, 2), (2,)]
    assert data[tl.tensor([2, 0])][1].tolist() == [3.0, 1.0]
    with pytest.raises(IndexError):
        data[3]


def test_a_batch_is_a_copy():
    array = np.arange(4.0)
    data = TensorDataset(array)
    (batch,) = data[[1, 2]]
    batch.array[:] = 0
    assert array.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_rows_of_a_tracked_tensor_stay_in_the_graph():
    x = tl.ones(3, 2, requires_grad=True)
    (row,) = TensorDataset(x)[1]
    row.sum().backward()
    assert x.grad.tolist() == [[0, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    "tensors", [(), (np.zeros(3), np.zeros(2)), (np.float64(1.0),), ([1, 2],), (np.zeros(()),), ("ab", "cd")]
)
def test_wrong_rows(tensors):
    with pytest.raises(ShapeError, match="TensorDataset"):
        TensorDataset(*tensors)


def test_concatenation():
    both = ConcatDataset([Numbers(2), Numbers(3, 10)])
    assert [both[i] for i in range(5)] == [0, 1, 10, 11, 12] and both[-1] == 12 and both[-5] == 0 and len(both) == 5
    assert (Numbers(2) + Numbers(1, 5))[2] == 5
    for wrong, error in ((5, IndexError), (-6, ValueError)):
        with pytest.raises(error):
            both[wrong]
    with pytest.raises(ValueError):
        ConcatDataset([])
    with pytest.raises(TypeError):
        ConcatDataset([Stream(2)])


def test_streams():
    assert list(ChainDataset([Stream(2), Stream(1)])) == [0, 1, 0]
    assert list(Stream(1) + Stream(2)) == [0, 0, 1]
    with pytest.raises(TypeError):
        list(ChainDataset([Numbers(2)]))


def test_stacked_data_sets():
    assert StackDataset(Numbers(2), Numbers(2, 5))[1] == (1, 6)
    assert StackDataset(a=Numbers(2), b=Numbers(2, 5))[1] == {"a": 1, "b": 6}
    for wrong in (
        lambda: StackDataset(Numbers(2), Numbers(3)),
        StackDataset,
        lambda: StackDataset(Numbers(2), b=Numbers(2)),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_subset():
    part = Subset(Numbers(10), [3, 1, 7])
    assert [part[i] for i in range(3)] == [3, 1, 7] and len(part) == 3
    rows = Subset(TensorDataset(np.arange(10) * 2), [3, 1, 7])
    assert rows[[0, 2]][0].tolist() == [6, 14] and rows[1][0].item() == 2


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([7, 3], [7, 3]),
        ([0.75, 0.25], [8, 2]),
        ([1 / 3] * 3, [4, 3, 3]),
        ([1.0], [10]),
        ([10], [10]),
        ([5, 0, 5], [5, 0, 5]),
    ],
)
def test_split(lengths, expected):
    parts = random_split(Numbers(10), lengths, generator=tl.Generator().manual_seed(0))
    assert [len(p) for p in parts] == expected
    assert sorted(p[i] for p in parts for i in range(len(p))) == list(range(10))


def test_split_is_reproducible():
    def once():
        return [p.indices for p in random_split(Numbers(100), [60, 40])]

    tl.manual_seed(1)
    first = once()
    second = once()
    tl.manual_seed(1)
    assert once() == first != second


@pytest.mark.parametrize("lengths", [[5, 4], [0.5, 0.4], [1.5, -0.5], [11, -1], []])
def test_split_with_wrong_lengths(lengths):
    with pytest.raises(ValueError):
        random_split(Numbers(10), lengths)


def test_methods_that_must_be_defined():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="__iter__"):
        iter(IterableDataset())
    assert Dataset[int] is Dataset
