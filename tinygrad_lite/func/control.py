"""PyTorch's ``cond`` and ``while_loop``: Python's ``if`` and ``while``, which are recorded as they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ShapeError, describe


@named
def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()) -> Any:
    """Return ``true_fn(*operands)`` if ``pred``, a bool or a tensor of one element, is true, else ``false_fn``'s.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(3.0)
    >>> tl.cond(x > 0, lambda x: x + 1, lambda x: x - 1, (x,))
    tensor(4.)
    """
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise ShapeError(f"cond: expected pred to be bool or single-element tensor, got {describe(pred)}; use where()")
    return (true_fn if pred else false_fn)(*operands)


@named
def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any) -> Any:
    """Return ``carried_inputs`` after ``body_fn`` replaced them as long as ``cond_fn`` of them is true.

    >>> import tinygrad_lite as tl
    >>> tl.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (tl.tensor(0), tl.tensor(1.0)))
    (tensor(3), tensor(8.))
    """
    carried = tuple(carried_inputs)
    while cond_fn(*carried):
        found = body_fn(*carried)
        found = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        if len(found) != len(carried):
            raise ShapeError(f"while_loop: body_fn must return {len(carried)} values, it returned {len(found)}")
        carried = found
    return carried
