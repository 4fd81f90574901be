"""Numbers and arrays among the values that a forward function saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Path = tuple[Any, ...]  # keys, outermost first; ... stands for every item of a list
LEAVES = 24  # saved values examined at most


def leaves(saved: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every number and array in nested tuples, lists and dictionaries, with its path."""
    if isinstance(saved, (tuple, list)):
        for k, item in enumerate(saved):
            yield from leaves(item, (*path, k))
    elif isinstance(saved, dict):
        for key, item in saved.items():
            yield from leaves(item, (*path, key))
    elif isinstance(saved, (np.ndarray, np.generic, float, int)) and not isinstance(saved, (bool, np.bool_)):
        if np.asarray(saved).dtype.kind in "fiu":
            yield path, saved


def lists(saved: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every non-empty list with its path."""
    if isinstance(saved, (tuple, list)):
        if isinstance(saved, list) and saved:
            yield path, saved
        for k, item in enumerate(saved):
            yield from lists(item, (*path, k))


def place(path: Path) -> str:
    """Return the name of a saved value in messages."""
    return "saved" + "".join("[...]" if key is ... else f"[{key!r}]" for key in path) if path else "the saved value"
