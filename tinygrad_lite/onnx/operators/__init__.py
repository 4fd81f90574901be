"""ONNX's operators in this package's ops, by families."""

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
