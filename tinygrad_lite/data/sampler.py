"""Samplers: the order in which the examples of a data set are visited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.data.shuffling import generator_of
from tinygrad_lite.engine.arguments import checked_constructor
from tinygrad_lite.engine.tensor import make

DRAWN = 1 << 12
"""How many indices a sampler draws at a time where they are independent."""


def count(value: Any, name: str) -> int:
    """Return ``value`` as a positive int; raise PyTorch's ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")
    return int(value)


class Sampler:
    """Base of samplers: define ``__iter__``, which yields indices (or lists of them).

    >>> import tinygrad_lite as tl
    >>> class Backwards(tl.utils.data.Sampler):
    ...     def __init__(self, data):
    ...         self.data = data
    ...     def __iter__(self):
    ...         return iter(range(len(self.data))[::-1])
    ...
    >>> data = [10, 20, 30]
    >>> list(tl.utils.data.DataLoader(data, batch_size=2, sampler=Backwards(data)))
    [tensor([30, 20]), tensor([10])]
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        checked_constructor(cls)

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __class_getitem__(cls, item: Any) -> Any:
        """Accept ``Sampler[int]`` in annotations."""
        return cls

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler):
    """Visit every example in order.

    >>> import tinygrad_lite as tl
    >>> list(tl.utils.data.SequentialSampler(range(4)))
    [0, 1, 2, 3]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Visit examples in random order.

    Each comes once (or ``num_samples`` in all), or is drawn with ``replacement``.

    >>> import tinygrad_lite as tl
    >>> sorted(tl.utils.data.RandomSampler(range(4)))
    [0, 1, 2, 3]
    """

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = None if num_samples is None else count(num_samples, "num_samples")
        count(self.num_samples, "num_samples")

    @property
    def num_samples(self) -> int:
        """The number of examples that one pass visits."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, left, rng = len(self.data_source), self.num_samples, generator_of(self.generator)
        if self.replacement:
            while left > 0 and n:
                yield from rng.integers(n, size=min(left, DRAWN)).tolist()
                left -= DRAWN
            return
        while left > 0 and n:
            yield from rng.permutation(n)[:left].tolist()
            left -= n

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Visit the given indices in random order.

    >>> import tinygrad_lite as tl
    >>> sorted(tl.utils.data.SubsetRandomSampler(range(4)))
    [0, 1, 2, 3]
    """

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in generator_of(self.generator).permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Draw ``num_samples`` examples with probabilities proportional to ``weights``.

    >>> import tinygrad_lite as tl
    >>> list(tl.utils.data.WeightedRandomSampler([0.0, 1.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        w = np.asarray(getattr(weights, "array", weights), np.float64)
        if w.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {w.shape}")
        if not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
            raise ValueError("weights should be finite, not negative and not all zero")
        self.weights, self.num_samples, self.replacement = make(w), count(num_samples, "num_samples"), replacement
        self.generator = generator
        if not replacement and self.num_samples > np.count_nonzero(w):
            raise ValueError(
                f"cannot draw num_samples={self.num_samples} without replacement from {np.count_nonzero(w)} examples "
                f"of positive weight"
            )

    def __iter__(self) -> Iterator[int]:
        p = self.weights.array / self.weights.array.sum()
        rng = generator_of(self.generator)
        yield from rng.choice(len(p), self.num_samples, self.replacement, p).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Group the indices of a sampler into lists of ``batch_size``.

    A shorter last list is dropped with ``drop_last``.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, count(batch_size, "batch_size"), drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)
