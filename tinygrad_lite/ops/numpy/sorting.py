"""NumPy's sorting, searching and counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.numpy.arguments import tensor_of
from tinygrad_lite.ops.reductions import reduction, sorting


@answers("sort")
def sort(a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    """Answer numpy.sort."""
    return sorting.sort(a.reshape(-1) if axis is None else a, -1 if axis is None else axis).values


@answers("argsort")
def argsort(a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    """Answer numpy.argsort."""
    return sorting.argsort(a.reshape(-1) if axis is None else a, -1 if axis is None else axis)


@answers("nanargmax")
def nanargmax(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanargmax."""
    return where(np.isnan(a), -np.inf, a).argmax(axis, bool(keepdims))


@answers("nanargmin")
def nanargmin(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.nanargmin."""
    return where(np.isnan(a), np.inf, a).argmin(axis, bool(keepdims))


@answers("nonzero")
def nonzero(a: Any) -> Any:
    """Answer numpy.nonzero."""
    return sorting.nonzero(a, as_tuple=True)


@answers("flatnonzero")
def flatnonzero(a: Any) -> Any:
    """Answer numpy.flatnonzero."""
    return sorting.nonzero(a.reshape(-1), as_tuple=True)[0]


@answers("where")
def where_np(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Answer numpy.where."""
    if x is None and y is None:
        return sorting.nonzero(condition, as_tuple=True)
    return where(
        condition
        if bare(condition) is not condition or new.asarray(condition).dtype.kind == "b"
        else new.asarray(condition) != 0,
        x,
        y,
    )


@answers("searchsorted")
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Answer numpy.searchsorted."""
    return sorting.searchsorted(a, v, side=side, sorter=sorter)


@answers("extract")
def extract(condition: Any, arr: Any) -> Any:
    """Answer numpy.extract."""
    return getitem(tensor_of(arr).reshape(-1), np.flatnonzero(bare(condition)))


@answers("count_nonzero")
def count_nonzero(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.count_nonzero."""
    return reduction.sum(a != 0, axis, bool(keepdims))
