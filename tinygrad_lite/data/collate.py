"""Making one batch of a list of examples."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.creation import tensor

NUMBERS = (bool, int, float, np.bool_, np.number)


@named
def default_convert(data: Any) -> Any:
    """Turn the arrays of one example into tensors; everything else stays as it is.

    >>> import numpy as np, tinygrad_lite as tl
    >>> tl.utils.data.default_convert(np.array([1.0, 2.0]))
    tensor([1., 2.], dtype=float64)
    """
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "biuf":
        return make(np.asarray(data))
    if isinstance(data, Mapping):
        return _mapping(data, {k: default_convert(v) for k, v in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence(data, [default_convert(v) for v in data])
    return data


@named
def default_collate(batch: Sequence[Any]) -> Any:
    """Stack examples into a batch: tensors, arrays and numbers along a new first axis; tuples and dicts part by part.

    Tensors and arrays of several dtypes are promoted. Numbers become float64 if the first one is a float; otherwise
    all of them decide, as in `tensor`. Texts stay a list, a mapping or list keeps its type. Raises ShapeError if
    shapes differ, TypeError for what cannot be stacked.

    >>> default_collate([(1, 0.5), (2, 1.5)])
    [tensor([1, 2]), tensor([0.5000, 1.5000], dtype=float64)]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Sequence[Any], *, collate_fn_map: Mapping[Any, Callable[..., Any]] | None = None) -> Any:
    """Stack examples as `default_collate` does; ``collate_fn_map`` has functions for further types of examples.

    They are called with the list of examples and ``collate_fn_map=``. What is added to ``default_collate_fn_map``
    counts for `default_collate`, and so for every `DataLoader` without a ``collate_fn``.

    >>> collate(["a", "b"], collate_fn_map={str: lambda batch, *, collate_fn_map: "".join(batch)})
    'ab'
    """
    given, batch, more = batch, list(batch), collate_fn_map or {}
    if not batch:
        raise IndexError("default_collate: an empty list of examples has no batch")
    first = batch[0]
    for kind, stack in more.items():
        if stack is not _BUILT_IN.get(kind) and isinstance(first, kind):
            return stack(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, (Tensor, np.ndarray, np.generic)) and not isinstance(first, (str, bytes)):
        return _stacked(batch)
    if isinstance(first, (bool, int, float)):
        other = next((b for b in batch if not isinstance(b, NUMBERS)), None)
        if other is not None:
            raise TypeError(f"default_collate: the first example is {first!r}, but another is {describe(other)}")
        return tensor(batch, dtype=np.float64 if isinstance(first, float) else None)
    if isinstance(first, (str, bytes)):
        return given
    if isinstance(first, Mapping):
        for key in first:
            if any(key not in b for b in batch):
                raise KeyError(f"default_collate: an example has no {key!r}, the first one has {list(first)}")
        return _mapping(first, {key: collate([b[key] for b in batch], collate_fn_map=more) for key in first})
    if isinstance(first, Sequence):
        if any(len(b) != len(first) for b in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [collate(part, collate_fn_map=more) for part in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else _sequence(first, parts)
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {describe(first)}"
    )


def _default(batch: Any, *, collate_fn_map: Any = None) -> Any:
    return collate(batch)


_BUILT_IN: dict[Any, Callable[..., Any]] = dict.fromkeys((Tensor, np.ndarray, *NUMBERS, str, bytes), _default)
default_collate_fn_map = dict(_BUILT_IN)
"""The functions of `default_collate` by the type of the examples; a program may add its own."""


def _stacked(batch: list[Any]) -> Tensor:
    """Return tensors or arrays along a new first axis, in the dtype they are promoted to."""
    wrong = next((b for b in batch if not isinstance(b, (Tensor, np.ndarray, *NUMBERS))), None)
    if wrong is not None:
        raise TypeError(f"default_collate: the first example is {describe(batch[0])}, but another is {describe(wrong)}")
    arrays = [np.asarray(b.array if isinstance(b, Tensor) else b) for b in batch]
    if any(a.dtype.kind not in "biuf" for a in arrays):
        raise TypeError(
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found an array of "
            f"dtype {arrays[0].dtype}"
        )
    if any(a.shape != arrays[0].shape for a in arrays):
        shapes = sorted({a.shape for a in arrays})
        raise ShapeError(
            f"default_collate: each example must have the same shape, found {shapes}; pass collate_fn to pad them"
        )
    kept = any(isinstance(b, Tensor) and (b.tracked or b.__class__ is not Tensor) for b in batch)
    if kept or any(a.dtype != arrays[0].dtype for a in arrays):
        stack: Callable[[list[Any]], Tensor] = PUBLIC["stack"]
        return stack([b if isinstance(b, Tensor) else make(a) for a, b in zip(arrays, batch, strict=True)])
    return make(np.stack(arrays))


def _mapping(like: Any, values: dict[Any, Any]) -> Any:
    """Return ``values`` in a mapping of the type of ``like``, or in a dict where that cannot be made."""
    if type(like) is dict:
        return values
    try:
        if not isinstance(like, MutableMapping):
            return type(like)(values)
        clone = copy.copy(like)
        clone.update(values)
        return clone
    except TypeError:
        return values


def _sequence(like: Any, values: list[Any]) -> Any:
    """Return ``values`` in a sequence of the type of ``like``; a tuple becomes a list, as in PyTorch."""
    if isinstance(like, tuple) or type(like) is list:
        return values
    try:
        if not isinstance(like, MutableSequence):
            return type(like)(values)
        clone = copy.copy(like)
        for i, value in enumerate(values):
            clone[i] = value
        return clone
    except TypeError:
        return values
