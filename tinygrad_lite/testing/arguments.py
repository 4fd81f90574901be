"""The arguments of a checked call: arrays to differentiate, and everything else, which stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.testing.verdict.point import Array

Rebuild = Callable[[Any], Any]  # takes an iterator over arrays


class Arguments:
    """Arguments as a flat list of arrays; `rebuild` puts other arrays or Tensors into their places.

    Tensors, arrays and numbers are arrays, also inside lists, tuples and dicts. None, text, flags, functions and other
    objects are passed on unchanged.

    >>> a = Arguments("f", [np.ones(2), "sum", {"w": np.zeros(3)}, None])
    >>> [x.shape for x in a.arrays], a.plain
    ([(2,), (3,)], False)
    >>> a.rebuild(["first", "second"])
    ['first', 'sum', {'w': 'second'}, None]
    """

    def __init__(self, function: str, values: Sequence[Any], names: Sequence[str] = (), numbers: bool = False) -> None:
        self.function, self.values = function, list(values)
        self.numbers = numbers  # whether integers, and tuples of them, are arrays too
        self.arrays: list[Array] = []
        self.tensors: list[Any] = []  # what each array came from
        self.names: list[str] = []
        self.places: list[list[int]] = []  # the arrays of each argument
        self._parts: list[Rebuild] = []
        for i, value in enumerate(values):
            before = len(self.arrays)
            self._parts.append(self._taken(value, names[i] if i < len(names) else f"input {i}", i))
            self.places.append(list(range(before, len(self.arrays))))
        self.plain = len(self.arrays) == len(values) and all(map(self._is_array, values))

    def rebuild(self, arrays: Sequence[Any]) -> list[Any]:
        """Return the arguments with these arrays in the places of the given ones."""
        given = iter(arrays)
        return [part(given) for part in self._parts]

    def wrt(self, places: Sequence[int] | None) -> list[int] | None:
        """Return the numbers of the arrays that belong to the arguments at these positions."""
        if places is None:
            return None
        count = len(self.places)
        for w in places:
            if not -count <= w < count:
                raise IndexError(f"{self.function}: wrt={w}, but there are {count} inputs")
        return [k for w in places for k in self.places[w]]

    def _taken(self, value: Any, name: str, i: int) -> Rebuild:
        if isinstance(value, dict):
            parts = {k: self._taken(v, f"{name}[{k!r}]", i) for k, v in value.items()}
            return lambda given: {k: part(given) for k, part in parts.items()}
        if isinstance(value, (tuple, list)) and any(isinstance(v, (Tensor, np.ndarray, dict, list)) for v in value):
            items = [self._taken(v, f"{name}[{k}]", i) for k, v in enumerate(value)]
            kind = type(value)
            if hasattr(value, "_fields"):
                return lambda given: kind(*[item(given) for item in items])
            return lambda given: kind([item(given) for item in items])
        if not self._is_array(value):
            return lambda given: value
        self.tensors.append(value)
        self.arrays.append(as_array(self.function, i, value))
        self.names.append(name)
        return next

    def _is_array(self, value: Any) -> bool:
        kinds = "biufc" if self.numbers else "fc"
        if isinstance(value, (Tensor, np.ndarray, np.generic)):
            return True
        if isinstance(value, (tuple, list)) and value:
            try:
                return np.asarray(value).dtype.kind in (kinds if isinstance(value, tuple) else "biufc")
            except ValueError:
                return False
        return isinstance(value, (int, float, complex)) and np.asarray(value).dtype.kind in kinds.removeprefix("b")


def as_array(function: str, i: int, value: Any) -> Array:
    """Return an input as an array, float64 if it is a float; raise for complex numbers, infinity and NaN."""
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "biuf":
        fix = "check the real and the imaginary part separately" if array.dtype.kind == "c" else "pass numbers"
        raise TypeError(f"gradcheck({function}): input {i} has dtype {array.dtype}; {fix}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(
            f"gradcheck({function}): input {i} {array.shape} holds NaN or infinity; no derivative exists there"
        )
    return array.astype(np.float64) if array.dtype.kind == "f" and array.dtype != np.float64 else np.array(array)
