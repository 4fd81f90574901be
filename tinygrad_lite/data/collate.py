"""Collate a list of examples into one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ShapeError, describe


def default_convert(data: Any) -> Any:
    """Convert the arrays of one example to tensors; leave everything else unchanged."""
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "biuf":
        return make(np.asarray(data))
    if isinstance(data, Mapping):
        return {k: default_convert(v) for k, v in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, (list, tuple)):
        return [default_convert(v) for v in data]
    return data


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack examples into a batch, tuples and dicts part by part.

    Floats become float64 and integers int64, strings stay a list. Raises ShapeError if shapes differ, TypeError for
    values that cannot be stacked.

    >>> default_collate([(1, 0.5), (2, 1.5)])
    [tensor([1, 2]), tensor([0.5000, 1.5000], dtype=float64)]
    """
    batch = list(batch)
    if not batch:
        raise ValueError("default_collate: an empty list of examples has no batch")
    first = batch[0]
    if isinstance(first, (Tensor, np.ndarray, np.generic)):
        if isinstance(first, Tensor) and any(isinstance(b, Tensor) and b.tracked for b in batch):
            from tinygrad_lite.engine.op import PUBLIC

            return PUBLIC["stack"](batch)
        arrays = [np.asarray(b.array if isinstance(b, Tensor) else b) for b in batch]
        if arrays[0].dtype.kind not in "biuf":
            raise TypeError(f"default_collate: cannot make a batch of arrays of dtype {arrays[0].dtype}")
        if any(a.shape != arrays[0].shape for a in arrays):
            shapes = sorted({a.shape for a in arrays})
            raise ShapeError(
                f"default_collate: each example must have the same shape, found {shapes}; pass collate_fn to pad them"
            )
        return make(np.stack(arrays))
    if isinstance(first, (bool, int, float)) and not all(isinstance(b, (bool, int, float, np.generic)) for b in batch):
        other = next(b for b in batch if not isinstance(b, (bool, int, float, np.generic)))
        raise TypeError(f"default_collate: the first example is {first!r}, but another is {describe(other)}")
    if isinstance(first, bool):
        return make(np.array(batch, np.bool_))
    if isinstance(first, int):
        return make(np.array(batch, np.int64))
    if isinstance(first, float):
        return make(np.array(batch, np.float64))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([b[key] for b in batch]) for key in first}
    if isinstance(first, Sequence):
        if any(len(b) != len(first) for b in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [default_collate(part) for part in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {describe(first)}"
    )
