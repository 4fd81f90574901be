"""NumPy's logic functions: truth of all or any, type tests, comparison."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.ops.reductions import reduction


@answers("all")
def all(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.all."""
    return reduction.all(a != 0, axis, bool(keepdims))


@answers("any")
def any(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Answer numpy.any."""
    return reduction.any(a != 0, axis, bool(keepdims))


@answers("iscomplexobj")
def iscomplexobj(x: Any) -> bool:
    """Answer numpy.iscomplexobj."""
    return False


@answers("isclose")
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Answer numpy.isclose."""
    from tinygrad_lite.ops.elementwise.comparison import isclose as answer

    return answer(a, b, rtol, atol, equal_nan)
