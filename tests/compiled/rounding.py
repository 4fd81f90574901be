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


def arrays(found: Any) -> Any:
    """Return an outcome with the arrays whose `content` is in it."""
    if type(found) is tuple and len(found) == 3 and type(found[2]) is bytes:
        return np.frombuffer(found[2], found[1]).reshape(found[0])
    if type(found) in (list, tuple):
        return type(found)(map(arrays, found))
    return {k: arrays(v) for k, v in found.items()} if type(found) is dict else found


def agree(a: Any, b: Any, backend: str) -> bool:
    """Return whether two outcomes are what a backend promises."""
    return bool(a == b) or backend == "native" and close(arrays(a), arrays(b))


def near(a: Any, b: Any, backend: str) -> bool:
    """Return whether two arrays or numbers are what a backend promises."""
    a, b = np.asarray(a), np.asarray(b)
    return agree(content(a), content(b), backend)
