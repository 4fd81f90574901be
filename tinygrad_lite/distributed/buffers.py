"""Tensors as memory that MPI reads and writes, and the ways to join values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import ArgumentError, DTypeError, OptionError, ShapeError, describe


class ReduceOp(Enum):
    """How the values of several ranks are joined; ``AVG`` is the sum divided by the number of ranks.

    >>> import tinygrad_lite as tl
    >>> tl.distributed.init_process_group(world_size=1)
    >>> x = tl.tensor([1.0, 3.0])
    >>> tl.distributed.all_reduce(x, tl.distributed.ReduceOp.AVG)
    >>> x
    tensor([1., 3.])
    >>> tl.distributed.destroy_process_group()
    """

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = "SUM", "AVG", "PROD", "MIN", "MAX", "BAND", "BOR", "BXOR"


OF_BOOLS = {ReduceOp.SUM: ReduceOp.MAX, ReduceOp.PRODUCT: ReduceOp.MIN}
"""Bools are joined as the numbers 0 and 1; the sum is whether one is true."""


def checked(name: str, tensor: Any, like: Any = None) -> Any:
    """Return the array of a tensor, which has the shape and dtype of ``like``."""
    if not isinstance(tensor, Tensor):
        raise ArgumentError(f"{name}: expected a tensor, got {describe(tensor)}")
    if like is not None and tensor.array.shape != like.shape:
        raise ShapeError(f"{name}: expected the shape {like.shape}, got {describe(tensor)}")
    if like is not None and tensor.array.dtype != like.dtype:
        raise DTypeError(f"{name}: expected the dtype {like.dtype}, got {describe(tensor)}")
    return tensor.array


def listed(name: str, tensors: Any, size: int) -> Sequence[Any]:
    """Return a list of one tensor per rank."""
    if not isinstance(tensors, (list, tuple)) or len(tensors) != size:
        raise ShapeError(f"{name}: expected a list of {size} tensors, one per rank, got {describe(tensors)}")
    return tensors


def sent(array: Any) -> Any:
    """Return the bytes of an array in one piece: MPI moves every dtype alike."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def received(name: str, tensor: Any) -> tuple[Any, Callable[[], None]]:
    """Return bytes for MPI to write to, and the function that makes them the tensor's."""
    array = checked(name, tensor)
    if not array.flags.writeable:
        raise OptionError(f"{name}: the tensor {describe(tensor)} cannot be written to; pass a clone()")
    own = array if array.flags.c_contiguous else new.empty(array.shape, array.dtype)
    return own.reshape(-1).view(np.uint8), lambda: put(tensor, own)


def put(tensor: Any, values: Any) -> None:
    """Write ``values`` into a tensor, where they are not there yet."""
    if values is not tensor.array:
        np.copyto(tensor.array, values.reshape(tensor.array.shape), casting="unsafe")
    bump(tensor.array)


def joined(name: str, array: Any, op: Any, size: int) -> tuple[Any, ReduceOp, Callable[[Any], None]]:
    """Return ``array`` in a dtype that MPI can join, the operation, and what is to be done with the result.

    float16 is joined in float32: MPI has no half precision.
    """
    if not isinstance(op, ReduceOp):
        raise OptionError(f"{name}: op must be one of ReduceOp ({', '.join(r.name for r in ReduceOp)}), got {op!r}")
    kind = array.dtype.kind
    if (op is ReduceOp.AVG and kind != "f") or (op in (ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR) and kind == "f"):
        raise DTypeError(f"{name}: ReduceOp.{op.name} is not defined for {array.dtype}")
    if kind == "b":
        array, op = array.astype(np.uint8), OF_BOOLS.get(op, op)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)

    def finish(result: Any) -> None:
        if op is ReduceOp.AVG:
            np.divide(result, size, out=result)

    return array, op, finish
