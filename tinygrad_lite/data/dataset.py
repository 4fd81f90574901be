"""Data sets: objects with a length and items, and ways to combine and split them."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.data.shuffling import generator_of
from tinygrad_lite.engine.arguments import checked_constructor, named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ShapeError, describe


class UnequalSizesError(ShapeError, AssertionError):
    """Tensors of unequal length; PyTorch raises AssertionError."""


class PartsError(ValueError, AssertionError):
    """Parts that cannot be joined; PyTorch raises AssertionError."""


class StreamError(TypeError, AssertionError):
    """A part that is a stream, or is none; PyTorch raises AssertionError."""


class Dataset:
    """Base of indexed data sets: define ``__getitem__`` and ``__len__``.

    A data set may also define ``__getitems__(indices)``, which returns the list of examples or, with the class
    attribute ``batches = True``, one whole batch; the loader then never reads single examples.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, i):
    ...         return i * i
    >>> (Squares() + Squares())[4]
    1
    """

    batches = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        checked_constructor(cls)

    def __class_getitem__(cls, item: Any) -> Any:
        """Accept ``Dataset[T]`` in annotations."""
        return cls

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Base of data sets that are streams: define ``__iter__``.

    >>> import tinygrad_lite as tl
    >>> class Numbers(tl.utils.data.IterableDataset):
    ...     def __init__(self, n):
    ...         self.n = n
    ...     def __iter__(self):
    ...         return iter(range(self.n))
    ...
    >>> list(Numbers(2) + Numbers(3))
    [0, 1, 0, 1, 2]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class ChainDataset(IterableDataset):
    """Chain several streams one after another.

    >>> import tinygrad_lite as tl
    >>> class Numbers(tl.utils.data.IterableDataset):
    ...     def __init__(self, n):
    ...         self.n = n
    ...     def __iter__(self):
    ...         return iter(range(self.n))
    ...
    >>> list(Numbers(2) + Numbers(3))
    [0, 1, 0, 1, 2]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for i, dataset in enumerate(self.datasets):
            if not isinstance(dataset, IterableDataset):
                raise StreamError(f"ChainDataset only supports IterableDataset, part {i} is {describe(dataset)}")
            yield from dataset

    def __len__(self) -> int:
        for i, dataset in enumerate(self.datasets):
            if not isinstance(dataset, IterableDataset):
                raise StreamError(f"ChainDataset only supports IterableDataset, part {i} is {describe(dataset)}")
        return sum(len(d) for d in self.datasets)


class TensorDataset(Dataset):
    """Rows of tensors or arrays as examples; arrays may be memory-mapped.

    Row ``i`` is the tuple of all ``tensors[...][i]``. A list of indices or a slice gives a whole batch in one copy.
    Raises ShapeError if the lengths differ.

    >>> import tinygrad_lite as tl
    >>> pairs = TensorDataset(tl.arange(4), tl.arange(4) * 10)
    >>> pairs[2]
    (tensor(2), tensor(20))
    >>> pairs[[0, 3]]
    (tensor([0, 3]), tensor([ 0, 30]))
    """

    batches = True

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ShapeError("TensorDataset: needs at least one tensor")
        for t in tensors:
            if not isinstance(t, (Tensor, np.ndarray)) or not t.ndim:
                raise ShapeError(f"TensorDataset: expected tensors or arrays with rows, got {describe(t)}")
        if any(len(t) != len(tensors[0]) for t in tensors):
            raise UnequalSizesError(
                f"TensorDataset: Size mismatch between tensors: {', '.join(map(describe, tensors))}"
            )
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(row(t, index) for t in self.tensors)

    def __getitems__(self, indices: Sequence[int]) -> tuple[Any, ...]:
        """Return the batch of the rows ``indices``."""
        index = np.asarray(indices, np.intp)
        return tuple(row(t, index) for t in self.tensors)


def row(values: Any, index: Any) -> Any:
    """Return rows of a tensor or array as a tensor; a copy or a view, as in NumPy."""
    if isinstance(values, Tensor) and values.tracked:
        return values[index]
    array = values.array if isinstance(values, Tensor) else values
    if isinstance(index, Tensor):
        index = index.array
    # asarray: a row of a memory map must not be a memory map itself
    return make(np.asarray(array[index]))


class StackDataset(Dataset):
    """Zip several data sets.

    Examples are tuples of positional data sets, dicts of named ones.

    >>> import tinygrad_lite as tl
    >>> tl.utils.data.StackDataset([1, 2], ["a", "b"])[1]
    (2, 'b')
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: pass data sets either all by position or all by name")
        self.datasets: Any = kwargs or args
        parts = list(kwargs.values() or args)
        if any(len(p) != len(parts[0]) for p in parts):
            raise ValueError("Size mismatch between datasets")
        self.length = len(parts[0])

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {k: d[index] for k, d in self.datasets.items()}
        return tuple(d[index] for d in self.datasets)

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Return the examples of these numbers, each part read at once where it can be."""
        named = isinstance(self.datasets, dict)
        parts = []
        for dataset in self.datasets.values() if named else self.datasets:
            several = None if getattr(dataset, "batches", False) else getattr(dataset, "__getitems__", None)
            found = [dataset[i] for i in indices] if several is None else several(indices)
            if len(found) != len(indices):
                raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(found)}")
            parts.append(found)
        if named:
            return [dict(zip(self.datasets, example, strict=True)) for example in zip(*parts, strict=True)]
        return list(zip(*parts, strict=True))


class ConcatDataset(Dataset):
    """Concatenate data sets with consecutive indices.

    >>> import tinygrad_lite as tl
    >>> len(tl.utils.data.ConcatDataset([[1, 2], [3]]))
    3
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise PartsError("datasets should not be an empty iterable")
        for d in self.datasets:
            if isinstance(d, IterableDataset):
                raise StreamError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < -len(self):
            raise ValueError("absolute value of index should not exceed dataset length")
        if index >= len(self):
            raise IndexError(f"ConcatDataset: index {index} is out of range, there are {len(self)} examples")
        index = index % len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


class Subset(Dataset):
    """Select the examples of a data set with the given indices.

    >>> import tinygrad_lite as tl
    >>> tl.utils.data.Subset([5, 6, 7], [2, 0])[0]
    7
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__, which the loader calls; define it as "
                "[self[i] for i in indices]"
            )

    @property
    def batches(self) -> bool:  # type: ignore[override]
        """Whether the underlying data set returns whole batches."""
        return bool(getattr(self.dataset, "batches", False))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (list, np.ndarray)):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """Return the examples, or the batch, of these indices."""
        chosen = [self.indices[i] for i in indices]
        if hasattr(self.dataset, "__getitems__"):
            return self.dataset.__getitems__(chosen)
        return [self.dataset[i] for i in chosen]


@named
def random_split(dataset: Any, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """Split a data set at random into subsets of given lengths or fractions.

    Fractions must sum to 1.
    Examples left over by rounding go to the first subsets, one each. Raises ValueError if the lengths do not add up.

    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    n = len(dataset)
    sizes = [int(k) for k in lengths]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        sizes = [int(math.floor(n * fraction)) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2
                )
    if sum(sizes) != n or any(k < 0 for k in sizes):
        raise ValueError(
            f"Sum of input lengths does not equal the length of the input dataset! ({list(lengths)}, {n} examples)"
        )
    order = generator_of(generator).permutation(n).tolist()
    ends = list(itertools.accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
