"""The operations by family; importing this package registers them all."""

from tinygrad_lite.ops import (
    elementwise,
    indexing,
    linalg,
    losses,
    networks,
    numpy,
    operators,
    reductions,
    shape,
    windows,
)

from tinygrad_lite.ops import aliases  # isort: skip - after all functions
