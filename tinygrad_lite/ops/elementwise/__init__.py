"""One element in, one element out: arithmetic, comparison, casts, functions and activations."""

from tinygrad_lite.ops.elementwise import (
    activation as activation,
    arithmetic as arithmetic,
    cast as cast,
    combining as combining,
    comparison as comparison,
    exponential as exponential,
    rectifiers as rectifiers,
    special as special,
    trigonometry as trigonometry,
)
