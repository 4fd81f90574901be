"""Elements moved, repeated, joined and split; no arithmetic."""

from tinygrad_lite.ops.shape import joining as joining, moving as moving, reshaping as reshaping
