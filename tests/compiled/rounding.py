"""Outcomes of steps as written and compiled: equal bit for bit, or but for rounding where native loops compute them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from tinygrad_lite.compiled.verify import close

BACKENDS = ["numpy", "native"] if find_spec("llvmlite") else ["numpy"]


def content(a: Any) -> Any:
    """Return the shape, dtype and bytes of an array."""
    return a.shape, a.dtype.str, a.tobytes()


def agree(a: Any, b: Any, backend: str) -> bool:
    """Return whether two outcomes are what a backend promises."""
    return bool(a == b) or backend == "native" and close(a, b)


def near(a: Any, b: Any, backend: str) -> bool:
    """Return whether two arrays or numbers are what a backend promises."""
    a, b = np.asarray(a), np.asarray(b)
    return agree(content(a), content(b), backend)
