"""Reductions of runs of rows: `segment_reduce`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array, make
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.indexing.getitem import whole
from tinygrad_lite.ops.indexing.scatter import scatter_reduce
from tinygrad_lite.ops.shape.reshaping import reshape_op

STARTS = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -math.inf, "min": math.inf, "amax": -math.inf, "amin": math.inf}


@function(method=False)
def segment_reduce(
    data: Array, reduce: str, *, lengths: Array | None = None, indices: Array | None = None,
    offsets: Array | None = None, axis: int = 0, unsafe: bool = False, initial: float | None = None,
) -> Array:  # fmt: skip
    """Reduce runs of neighbours along ``axis``, given by their ``lengths`` or by the ``offsets`` where they begin.

    ``reduce``: sum, mean, prod, max or min. ``initial`` takes part in each run. Without it an empty run gives 0, NaN,
    1, -inf or inf. Shapes: data (*b, n, ...), ``axis`` the number of axes b; lengths (*b, m), each row with the sum n
    unless ``unsafe``; offsets (*b, m + 1). The result is (*b, m, ...).

    >>> import tinygrad_lite as tl
    >>> tl.segment_reduce(tl.tensor([1.0, 2.0, 5.0]), "mean", lengths=tl.tensor([2, 1]))
    tensor([1.5000, 5.0000])
    """
    if reduce not in STARTS:
        raise OptionError(f"segment_reduce: reduce must be one of {', '.join(STARTS)}, got {reduce!r}")
    if (lengths is None) == (offsets is None) or indices is not None:
        raise OptionError("segment_reduce: pass either lengths or offsets, and no indices")
    if data.dtype.kind != "f":
        raise DTypeError(f"segment_reduce: expected floating data, got {describe(data)}; use .float()")
    given = whole("segment_reduce", lengths if offsets is None else offsets)
    counts = given if offsets is None else np.diff(given, axis=-1)
    if given.ndim != axis + 1 or data.shape[:axis] != given.shape[:-1] or data.ndim <= axis:
        raise ShapeError(
            f"segment_reduce: axis {axis} must be the last of lengths or offsets {given.shape}, and the axes before "
            f"it those of {describe(data)}"
        )
    starts = new.asarray(np.cumsum(counts, -1) - counts if offsets is None else given[..., :-1])
    n, m, rest = data.shape[axis], counts.shape[-1], tuple(data.shape[axis + 1 :])
    if (counts < 0).any() or (starts < 0).any() or (starts + counts > n).any():
        raise ShapeError(f"segment_reduce: the runs must lie within the {n} rows of {describe(data)}")
    if offsets is None and not unsafe and (counts.sum(-1) != n).any():
        raise ShapeError(f"segment_reduce: the lengths of each row must add up to {n}, or pass unsafe=True")
    batch = new.arange(0, counts[..., 0].size if m else 0) * n
    first = (starts.reshape(-1, m) + batch[:, None] if m else starts).reshape(-1)
    many = counts.reshape(-1)
    run = new.arange(0, len(many)).repeat(many)
    row = new.arange(0, len(run)) - (np.cumsum(many) - many - first).repeat(many)
    rows: Any = reshape_op(data, (-1, *rest) if data.size else (0, *rest))[row]
    at = new.asarray(np.broadcast_to(run.reshape(-1, *(1,) * len(rest)), rows.shape))
    base = new.full((len(many), *rest), STARTS[reduce] if initial is None else initial, data.dtype)
    if reduce == "mean" and initial is None:
        base[many == 0] = math.nan
    how = {"max": "amax", "min": "amin", "mean": "sum"}.get(reduce, reduce)
    y: Any = scatter_reduce(make(base), 0, make(at), rows, how)
    if reduce == "mean":
        y = y / make(new.asarray(np.maximum(many, 1), data.dtype).reshape(-1, *(1,) * len(rest)))
    return reshape_op(y, (*counts.shape, *rest))
