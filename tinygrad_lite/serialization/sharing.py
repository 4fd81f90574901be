"""Arrays that share memory: found before they are written, and made views of one array again when they are read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.errors import FileError

LARGE = 64 << 20
"""A view may repeat elements (as `expand` does) up to this many bytes, or to the size of what it is a view of."""


def _owner(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _range(array: Any) -> tuple[int, int]:
    start = array.__array_interface__["data"][0]
    return start, start + sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)) + array.itemsize


def shared(arrays: Iterable[Any]) -> list[tuple[Any, list[Any]]]:
    """Return groups of arrays that overlap, each with a contiguous array of one dimension that covers all of it."""
    owners: dict[Any, list[Any]] = {}
    for array in arrays:
        if isinstance(array, np.ndarray) and array.size and min(array.strides, default=0) >= 0:
            owners.setdefault((id(_owner(array)), array.dtype), []).append(array)
    groups = []
    for members in owners.values():
        members.sort(key=_range)
        while len(members) > 1:
            group = [members.pop(0)]
            low, high = _range(group[0])
            while members and _range(members[0])[0] < high:
                group.append(members.pop(0))
                high = max(high, _range(group[-1])[1])
            if len(group) > 1 and (whole := _cover(group, low, high)) is not None:
                groups.append((whole, group))
    return groups


def _cover(group: list[Any], low: int, high: int) -> Any:
    for array in group:
        if array.flags.c_contiguous and _range(array) == (low, high):
            return array
    owner = _owner(group[0])
    start, size = _range(owner)[0], owner.itemsize
    if not owner.flags.c_contiguous or owner.dtype != group[0].dtype or (low - start) % size:
        return None
    return owner.reshape(-1)[(low - start) // size : (high - start) // size]


def place_in(array: Any, whole: Any) -> dict[str, Any]:
    """Return where ``array`` lies in ``whole``, in elements."""
    size = array.itemsize
    return {"offset": (_range(array)[0] - _range(whole)[0]) // size, "size": list(array.shape),
            "stride": [s // size for s in array.strides]}  # fmt: skip


def view_of(numbers: Any, offset: Any, size: Any, stride: Any) -> Any:
    """Return the view of a flat array with these numbers, which a file announced. Raises FileError."""
    if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in (offset, *size, *stride)):
        raise FileError(f"load: a tensor has offset {offset}, size {size}, stride {stride}; expected numbers from 0")
    count = math.prod(size)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if count and last >= len(numbers):
        raise FileError(f"load: a tensor reaches to element {last} of a storage with {len(numbers)}")
    if count > max(len(numbers), LARGE // numbers.itemsize):
        raise FileError(f"load: a tensor of size {size} repeats a storage of {len(numbers)} elements; refused")
    if not count:
        return np.empty(size, numbers.dtype)
    return np.lib.stride_tricks.as_strided(numbers[offset:], size, [s * numbers.itemsize for s in stride])
