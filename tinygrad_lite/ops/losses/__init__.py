"""Losses, one file per family."""

from tinygrad_lite.ops.losses import criteria as criteria, ctc as ctc, distances as distances, loss as loss
