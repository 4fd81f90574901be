"""Shape operations: reshape, move, repeat, join and split elements; no arithmetic."""

from tinygrad_lite.ops.shape import (
    copies as copies,
    joining as joining,
    moving as moving,
    reshaping as reshaping,
)
