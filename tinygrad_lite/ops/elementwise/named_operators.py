"""The named forms of the operators, with the options that the operators do not have: ``alpha``, ``rounding_mode``."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.promotion import result_dtype
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, ShapeError
from tinygrad_lite.ops.elementwise.arithmetic import add, div, mul, sub
from tinygrad_lite.ops.elementwise.cast import to
from tinygrad_lite.ops.elementwise.comparison import floor_divide, trunc_divide


def uncut(dtype: Any, **factors: Any) -> None:
    """Raise DTypeError for a factor that integers would cut."""
    for word, number in factors.items():
        if dtype.kind != "f" and getattr(number, "dtype", np.dtype(type(number))).kind == "f":
            raise DTypeError(f"for tensors of integers, {word} must be an integer, got {number}; use .float()")


def _scaled(op: Any, input: Array, other: Array, alpha: Any) -> Array:
    """Return ``op(input, alpha * other)`` in the dtype of the two: ``alpha`` has no say in it."""
    dtype = result_dtype([input, other])
    uncut(dtype, alpha=alpha)
    if hasattr(other, "dtype") and other.dtype != dtype:
        other = to(other, dtype)
    y = op(input, mul(other, alpha))
    return y if y.dtype == dtype else to(y, dtype)


def _named_with_options() -> None:
    """Publish the named functions with the options that the operators do not have."""

    @function(name="add", inplace=True)
    def plus(input: Array, other: Array, *, alpha: Any = 1) -> Array:
        """Return ``input + alpha * other``.

        >>> import tinygrad_lite as tl
        >>> tl.add(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))
        tensor([5., 9.])
        """
        return add(input, other) if alpha == 1 else _scaled(add, input, other, alpha)

    @function(name="sub", inplace=True)
    def minus(input: Array, other: Array, *, alpha: Any = 1) -> Array:
        """Return ``input - alpha * other``.

        >>> import tinygrad_lite as tl
        >>> tl.sub(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))
        tensor([1., 1.])
        """
        return sub(input, other) if alpha == 1 else _scaled(sub, input, other, alpha)

    @function(name="div", inplace=True)
    def divided(input: Array, other: Array, *, rounding_mode: str | None = None) -> Array:
        """Return ``input / other``.

        With ``rounding_mode`` "floor" or "trunc" it is rounded and has zero gradient.

        >>> import tinygrad_lite as tl
        >>> tl.div(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))
        tensor([1.5000, 1.2500])
        """
        if rounding_mode is None:
            return div(input, other)
        if rounding_mode not in ("floor", "trunc"):
            raise ShapeError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")
        return floor_divide(input, other) if rounding_mode == "floor" else trunc_divide(input, other)

    @function(name="rsub")
    def minus_from(input: Array, other: Array, *, alpha: Any = 1) -> Array:
        """Return ``other - alpha * input``.

        >>> import tinygrad_lite as tl
        >>> tl.rsub(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))
        tensor([-1., -1.])
        """
        return sub(other, input) if alpha == 1 else _scaled(sub, other, input, alpha)


_named_with_options()
