"""NumPy's array creation: ranges, grids, diagonal and triangular matrices."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.numpy import answers
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.numpy.arguments import tensor_of
from tinygrad_lite.ops.shape import joining


@answers("linspace")
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Any:
    """Answer numpy.linspace: the points move with both ends."""
    start, stop = tensor_of(start), tensor_of(stop)
    span = stop - start
    steps = new.linspace(0.0, 1.0, num, endpoint=endpoint).reshape((-1,) + (1,) * span.ndim)
    return start + span * steps.astype(bare(span).dtype)


@answers("meshgrid")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Answer numpy.meshgrid."""
    if sparse:
        raise TypeError("numpy.meshgrid: sparse grids of tensors are not supported; reshape the vectors")
    return joining.meshgrid(*[tensor_of(x) for x in xi], indexing=indexing)


@answers("diag")
def diag(v: Any, k: int = 0) -> Any:
    """Answer numpy.diag."""
    return joining.diag(v, k)


@answers("diagflat")
def diagflat(v: Any, k: int = 0) -> Any:
    """Answer numpy.diagflat."""
    return joining.diagflat(v, k)


@answers("tril")
def tril(m: Any, k: int = 0) -> Any:
    """Answer numpy.tril."""
    return joining.tril(m, k)


@answers("triu")
def triu(m: Any, k: int = 0) -> Any:
    """Answer numpy.triu."""
    return joining.triu(m, k)


@answers("vander")
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Answer numpy.vander."""
    n = x.shape[0] if N is None else int(N)
    columns = [x * 0 + 1]
    for _ in range(n - 1):
        columns.append(columns[-1] * x)
    return joining.stack(columns[:n] if increasing else columns[:n][::-1], 1)


@answers("copy")
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """Answer numpy.copy."""
    return a.clone()
