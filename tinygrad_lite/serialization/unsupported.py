"""Arrays of a dtype that NumPy or this library lacks: left out of what is loaded, with a warning."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_lite.errors import visible


class Unsupported:
    """Stands for an array that was not read."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype


def without_unsupported(content: Any) -> Any:
    """Return ``content`` without `Unsupported` entries of dicts; warn with their names.

    In lists and tuples None takes their place.
    """
    found: list[str] = []

    known: dict[int, Any] = {}

    def kept(v: Any, path: str) -> Any:
        if not isinstance(v, (dict, list, tuple, Unsupported)):
            return v
        if not isinstance(v, Unsupported):  # what stands in many places of the file is looked at once
            if id(v) not in known:
                known[id(v)] = inside(v, path)
            return known[id(v)]
        return inside(v, path)

    def inside(v: Any, path: str) -> Any:
        if isinstance(v, Unsupported):
            found.append(f"{path or 'the array'} ({v.dtype})")
            return None
        start = f"{path}." if path else ""
        if isinstance(v, dict):
            pairs = [(k, kept(u, f"{start}{k}"), u) for k, u in v.items()]
            return {k: new for k, new, old in pairs if not isinstance(old, Unsupported)}
        if isinstance(v, list):
            return [kept(u, f"{start}{i}") for i, u in enumerate(v)]
        if isinstance(v, tuple):
            return tuple(kept(u, f"{start}{i}") for i, u in enumerate(v))
        return v

    result = kept(content, "")
    if found:
        warnings.warn(
            f"load: left out, with a dtype that is not read: {visible(', '.join(found))}", UserWarning, stacklevel=4
        )
    return result
