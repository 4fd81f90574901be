"""How ops become nodes of ONNX, by the families of `tinygrad_lite.ops`."""

from tinygrad_lite.onnx.rules import (
    elementwise as elementwise,
    indexing as indexing,
    linalg as linalg,
    losses as losses,
    networks as networks,
    reductions as reductions,
    shape as shape,
    windows as windows,
)
from tinygrad_lite.onnx.rules.table import convert as convert, how as how
