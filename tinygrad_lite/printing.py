"""How a tensor is shown: as PyTorch shows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.tensor import get_default_dtype


def numbers(array: Any) -> str:
    """Return the elements as nested brackets, four digits after the point, long axes shortened."""
    if array.dtype.kind == "f" and array.size:
        seen = array[np.isfinite(array)]
        whole = bool((seen == np.trunc(seen)).all())
        big = float(np.abs(seen).max(initial=0.0))
        small = float(np.abs(seen[seen != 0]).min(initial=1.0))
        scientific = big >= 1e8 or (not whole and (small < 1e-4 or big / small > 1e3 and big >= 1e5))

        def show(x: float) -> str:
            if not np.isfinite(x):
                return str(float(x))
            return f"{x:.4e}" if scientific else f"{x:.0f}." if whole else f"{x:.4f}"

        formatter: Any = {"float_kind": show}
    else:
        formatter = None
    return np.array2string(array, separator=", ", formatter=formatter, prefix="tensor(", threshold=1000, edgeitems=3)


def show(t: Any) -> str:
    """Return what ``repr(t)`` prints."""
    text = numbers(t.array) if t.array.ndim else numbers(t.array.reshape(1))[1:-1]
    notes = []
    if not t.array.size and t.array.ndim > 1:
        notes.append(f"size={tuple(t.array.shape)}")
    if t.array.dtype not in (get_default_dtype(), np.int64, np.bool_):
        notes.append(f"dtype={t.array.dtype}")
    if t.node is not None:
        notes.append(f"grad_fn=<{t.node.name()}>")
    elif t.tracked:
        notes.append("requires_grad=True")
    name = "tensor"
    return f"{name}({', '.join([text.strip(), *notes])})"
