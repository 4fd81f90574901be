"""Elementwise operations: arithmetic, comparison, casts, functions and activations."""

from tinygrad_lite.ops.elementwise import (
    activation as activation,
    arithmetic as arithmetic,
    cast as cast,
    comparison as comparison,
    exponential as exponential,
    lerp as lerp,
    special as special,
    trigonometry as trigonometry,
)
