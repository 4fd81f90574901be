"""NumPy's polynomials."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.ops.numpy.arguments import tensor_of


@answers("polyval")
def polyval(p: Any, x: Any) -> Any:
    """Answer numpy.polyval: Horner's rule, highest power first."""
    p, x = tensor_of(p), tensor_of(x)
    y = x * 0
    for i in range(p.shape[0]):
        y = y * x + p[i]
    return y
