"""Data pipes: data sets that are built in a chain of calls, ``pipe.map(f).batch(2)``; PyTorch's base classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.data.dataset import Dataset, IterableDataset

__all__ = ["DataChunk", "IterDataPipe", "MapDataPipe", "functional_datapipe"]


class _Chained:
    """Finds the functions that `functional_datapipe` registered."""

    functions: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name in self.functions:
            return lambda *args, **words: self.functions[name](self, *args, **words)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


class IterDataPipe(_Chained, IterableDataset):
    """Base of pipes that are streams: define ``__iter__``.

    >>> @functional_datapipe("doubled")
    ... class Doubled(IterDataPipe):
    ...     def __init__(self, source):
    ...         self.source = source
    ...     def __iter__(self):
    ...         return (2 * x for x in self.source)
    >>> class Numbers(IterDataPipe):
    ...     def __iter__(self):
    ...         return iter([1, 2])
    >>> list(Numbers().doubled())
    [2, 4]
    """

    functions: dict[str, Any] = {}


class MapDataPipe(_Chained, Dataset):
    """Base of pipes with places: define ``__getitem__`` and ``__len__``.

    >>> import tinygrad_lite as tl
    >>> class Squares(tl.utils.data.MapDataPipe):
    ...     def __getitem__(self, i):
    ...         return i * i
    ...     def __len__(self):
    ...         return 4
    ...
    >>> [Squares()[i] for i in range(4)]
    [0, 1, 4, 9]
    """

    functions: dict[str, Any] = {}


class DataChunk(list[Any]):
    """A batch of a pipe: a list.

    >>> import tinygrad_lite as tl
    >>> list(tl.utils.data.DataChunk([1, 2]))
    [1, 2]
    """


def functional_datapipe(name: str, enable_df_api_tracing: bool = False) -> Callable[[Any], Any]:
    """Let pipes have the method ``name``, which makes a pipe of the decorated class."""

    def register(cls: Any) -> Any:
        base = IterDataPipe if issubclass(cls, IterDataPipe) else MapDataPipe
        if name in base.functions:
            raise Exception(f"Unable to add DataPipe function name {name} as it is already taken")
        base.functions[name] = cls
        return cls

    return register
