"""NumPy's own functions on Tensors, by the chapters of NumPy's reference."""

from tinygrad_lite.ops.numpy import linalg as linalg, manipulation as manipulation, mathematics as mathematics
