"""Ops that add many numbers compute float16 operands in float32, as PyTorch does, and round the result once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinygrad_lite.engine.tensor import Tensor

F16, F32 = np.dtype(np.float16), np.dtype(np.float32)
F = TypeVar("F", bound=Callable[..., Any])


def wide(function: F) -> F:
    """Let a forward or a rule run in float32 if its first argument (for a rule, ``g``) has dtype float16.

    >>> wide(lambda x: np.sqrt(np.add.reduce(x * x)))(np.full(4, 300.0, np.float16))
    np.float16(600.0)
    """

    @functools.wraps(function)
    def call(first: Any, *rest: Any, **options: Any) -> Any:
        if (first[0] if first.__class__ is tuple else first).dtype != F16:
            return function(first, *rest, **options)
        return _cast(function(*[_cast(a, F16, F32) for a in (first, *rest)], **options), F32, F16)

    return call  # type: ignore[return-value]


def wide_if_empty(function: F) -> F:
    """Let a forward that has no float16 take matrices of that dtype if they are empty, as PyTorch's do."""
    widened = wide(function)

    @functools.wraps(function)
    def call(first: Any, *rest: Any, **options: Any) -> Any:
        return (function if first.size or first.dtype != F16 else widened)(first, *rest, **options)

    return call  # type: ignore[return-value]


def _cast(value: Any, old: Any, new: Any) -> Any:
    if isinstance(value, (tuple, list)) and any(hasattr(v, "dtype") for v in value):
        return type(value)(_cast(v, old, new) for v in value)
    if isinstance(value, Tensor):
        return value.to(new) if value.dtype == old else value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype == old:
        with np.errstate(over="ignore"):
            return value.astype(new)
    return value
