"""The operations by family; importing this package registers them all."""

from tinygrad_lite.ops import (
    elementwise,
    exchange,
    indexing,
    linalg,
    losses,
    networks,
    numpy,
    operators,
    placement,
    reductions,
    shape,
    signal_windows,
    windows,
)

from tinygrad_lite.ops import aliases  # isort: skip - after all functions
