"""Random tensors for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, OptionError
from tinygrad_lite.random import default_generator


@named
def make_tensor(
    *shape: Any, dtype: Any, device: Any = None, low: float | None = None, high: float | None = None,
    requires_grad: bool = False, noncontiguous: bool = False, exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Return a tensor of uniform numbers from ``low`` to ``high``: -9..9 by default, 0..9 for uint8.

    ``exclude_zero`` replaces zeros by the smallest positive number; ``noncontiguous`` gives every other element of a
    larger tensor.

    >>> import tinygrad_lite as tl
    >>> make_tensor(2, 3, dtype=tl.float32, low=1, high=2).shape
    (2, 3)
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    kind = np.dtype(dtype)
    least = 0 if kind.kind in "bu" else -9
    most = 2 if kind.kind == "b" else 10 if kind.kind in "iu" else 9
    start, end = least if low is None else low, most if high is None else high
    if start > end or (start == end and kind.kind in "iu"):
        raise OptionError(f"make_tensor: low ({start}) must be below high ({end})")
    if requires_grad and kind.kind != "f":
        raise DTypeError(f"make_tensor: only floating tensors can require gradients, not {kind}")
    stretched = (*sizes[:-1], 2 * sizes[-1]) if noncontiguous and sizes else sizes
    draw = default_generator()
    if kind.kind in "iub":
        array = draw.integers(int(np.ceil(start)), int(np.ceil(end)), stretched).astype(kind)
    else:
        array = draw.uniform(start, end, stretched).astype(kind)
    if exclude_zero:
        array = np.where(array == 0, 1 if kind.kind in "iub" else np.finfo(kind).tiny, array).astype(kind)
    out = make(array[..., ::2] if noncontiguous and sizes else np.asarray(array))
    return out.requires_grad_() if requires_grad else out
