"""The table of ONNX's operators, and what their functions share.

An operator is a function of its inputs (tensors, None for one left out) and attributes by ONNX's names. It may ask for
``opset`` and ``outputs``, how many results are wanted. The functions are made of this package's ops, so gradients
flow through a loaded model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import FileError

OPERATORS: dict[str, Callable[..., Any]] = {}
"""Functions by the operator's name; those of other domains as ``domain::name``."""
LIMIT = 1 << 28
"""The most elements that a result may have whose shape is a number in the file or was computed from one."""


def operator(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function as one or several operators."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return enter


def array_of(x: Any) -> Any:
    """Return the array of a tensor, and anything else as an array."""
    return x.array if isinstance(x, Tensor) else np.asarray(x)


def tensor(array: Any) -> Tensor:
    """Return an array as a tensor without a gradient."""
    return make(np.asarray(array))


def ints(x: Any) -> list[int]:
    """Return a list of integers from an attribute or an operand of one axis."""
    return [int(n) for n in array_of(x).reshape(-1)]


def bounded(shape: Any) -> list[int]:
    """Return a shape; raise FileError if it has too many elements or a negative size."""
    total = 1
    for n in shape:
        total *= n
        if n < 0 or total > LIMIT:
            raise FileError(f"onnx.load: a result of shape {list(shape)[:8]} is refused: at most {LIMIT} elements")
    return list(shape)
