"""Losses, one file per family."""

from tinygrad_lite.ops.losses import (
    classification as classification,
    ctc as ctc,
    embedding as embedding,
    margin as margin,
    regression as regression,
)
