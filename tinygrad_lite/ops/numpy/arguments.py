"""Convert NumPy's arguments to the form that the ops expect."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.cast import to


def tensor_of(x: Any) -> Any:
    """Return a list or a number as an array; return tensors and arrays unchanged."""
    return x if hasattr(x, "dtype") and hasattr(x, "ndim") else new.asarray(x)


def cast_to(x: Any, dtype: Any) -> Any:
    """Return ``x`` converted to ``dtype``, or unchanged if that is None."""
    return x if dtype is None else to(x, dtype)


def flattened(a: Any, axis: Any) -> tuple[Any, int]:
    """Return ``a`` and ``axis`` counted from the front; without an axis, ``a`` as a vector and 0."""
    return (a.reshape(-1), 0) if axis is None else (a, axis % a.ndim)


def nan_replaced(a: Any, value: Any) -> Any:
    """Return ``a`` with ``value`` in place of NaN."""
    return where(np.isnan(a), value, a)
