"""NumPy's set routines."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.ops.elementwise.cast import alike, bare
from tinygrad_lite.ops.reductions import sorting


@answers("unique")
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None
) -> Any:
    """Answer numpy.unique."""
    find: Any = np.unique
    out = find(bare(ar), return_index, return_inverse, return_counts, axis)
    return tuple(alike(ar, o) for o in out) if isinstance(out, tuple) else alike(ar, out)


@answers("isin")
def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Answer numpy.isin."""
    return sorting.isin(element, test_elements, invert=invert)
