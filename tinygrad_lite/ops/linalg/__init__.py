"""Matrix products, decompositions, norms and distances."""

from tinygrad_lite.ops.linalg import (
    decompositions as decompositions,
    einsum as einsum,
    lu as lu,
    matmul as matmul,
    matrix as matrix,
    matrix_norm as matrix_norm,
    norm as norm,
    older_names as older_names,
    points as points,
    products as products,
    squared_distances as squared_distances,
)
