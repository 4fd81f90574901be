"""Whole parts of networks as one op: normalisation, attention, recurrent layers."""

from tinygrad_lite.ops.networks import (
    attention as attention,
    cells as cells,
    normalisation as normalisation,
    recurrent as recurrent,
)
