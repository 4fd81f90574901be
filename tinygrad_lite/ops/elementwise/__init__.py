"""Elementwise operations: arithmetic, comparison, casts, functions and activations."""

from tinygrad_lite.ops.elementwise import (
    activation as activation,
    arithmetic as arithmetic,
    cast as cast,
    comparison as comparison,
    complex_names as complex_names,
    exponential as exponential,
    floats as floats,
    lerp as lerp,
    named_operators as named_operators,
    quantised as quantised,
    smooth as smooth,
    special as special,
    trigonometry as trigonometry,
)
