"""ONNX's operators in this package's ops, by families."""

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.onnx.operators import (
    elementwise as elementwise,
    learners as learners,
    networks as networks,
    reductions as reductions,
    shape as shape,
    windows as windows,
)
from tinygrad_lite.onnx.operators.elementwise import dtype_of as dtype_of
from tinygrad_lite.onnx.operators.table import OPERATORS as OPERATORS


def shape_as_tensor(x: Any) -> Any:
    """Return the shape of ``x`` as an int64 tensor.

    >>> import tinygrad_lite as tl
    >>> shape_as_tensor(tl.ones(2, 3))
    tensor([2, 3])
    """
    return make(new.array(tuple(x.shape), "int64"))


def reshape_from_tensor_shape(x: Any, shape: Any) -> Any:
    """Return ``x`` in the shape that a tensor holds.

    >>> import tinygrad_lite as tl
    >>> reshape_from_tensor_shape(tl.ones(4), tl.tensor([2, 2])).shape
    (2, 2)
    """
    return x.reshape(tuple(shape.tolist()))
