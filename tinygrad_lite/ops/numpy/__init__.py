"""NumPy's own functions on Tensors, by the chapters of NumPy's reference."""

from tinygrad_lite.ops.numpy import (
    creation as creation,
    indexing as indexing,
    linalg as linalg,
    logic as logic,
    manipulation as manipulation,
    mathematics as mathematics,
    polynomials as polynomials,
    sets as sets,
    sorting as sorting,
    statistics as statistics,
)
