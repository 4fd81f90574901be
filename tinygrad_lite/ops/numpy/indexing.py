"""NumPy's indexing routines: taking and choosing elements, diagonals, functions that write in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.numpy import Uncovered, answers
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import getitem, take_along_dim
from tinygrad_lite.ops.numpy.arguments import flattened, tensor_of
from tinygrad_lite.ops.shape import joining


@answers("take")
def take(a: Any, indices: Any, axis: Any = None) -> Any:
    """Answer numpy.take."""
    flat, axis = flattened(tensor_of(a), axis)
    return getitem(flat, (slice(None),) * axis + (new.asarray(bare(indices)),))


@answers("take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Answer numpy.take_along_axis."""
    return take_along_dim(tensor_of(arr), indices, axis)


@answers("compress")
def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    """Answer numpy.compress."""
    a, axis = flattened(tensor_of(a), axis)
    return getitem(a, (slice(None),) * axis + (np.flatnonzero(bare(condition)),))


@answers("select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Answer numpy.select."""
    y = default
    for condition, choice in list(zip(condlist, choicelist, strict=True))[::-1]:
        y = where(bare(condition), choice, y)
    return y


@answers("choose")
def choose(a: Any, choices: Any) -> Any:
    """Answer numpy.choose."""
    index = bare(a)
    y: Any = choices[0]
    for i, choice in enumerate(choices):
        y = where(new.asarray(index) == i, choice, y)
    return y


@answers("diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Answer numpy.diagonal."""
    return joining.diagonal(a, offset, axis1, axis2)


@answers("put_along_axis", "put", "place", "putmask", "copyto", "fill_diagonal")
def in_place(*args: Any, **kwargs: Any) -> Any:
    """Answer NumPy's functions that change an array in place."""
    raise Uncovered("this NumPy function changes an array in place, a recorded tensor cannot be; use x[index] = value")
