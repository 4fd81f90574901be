"""Find tensors inside tuples, lists, mappings, dataclasses and other objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor

MOST = 10_000
"""The most values that are visited in one argument or result."""

NO_CONTAINER = (ModuleType, FunctionType, MethodType, type, str, bytes, int, float, complex, np.generic, np.dtype)


def is_module(value: Any) -> bool:
    """Whether ``value`` is a module of this package; asks only its class, so no attribute of the object runs.

    >>> is_module(3)
    False
    """
    return any(c.__dict__.get("__module__") == "tinygrad_lite.nn.module" for c in type(value).__mro__)


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a Tensor; asks only its class."""
    return issubclass(type(value), Tensor)


def is_array(value: Any) -> bool:
    """Whether ``value`` is a Tensor or an array; asks only its class."""
    return issubclass(type(value), (Tensor, np.ndarray))


def parts_of(value: Any) -> list[tuple[Any, Any]]:
    """Return (name, value) of everything directly inside ``value``: items, entries, or the attributes of an object."""
    kind = type(value)
    if issubclass(kind, (list, tuple)):
        return list(enumerate(value))
    if issubclass(kind, Mapping):
        return list(value.items())
    if value is None or issubclass(kind, NO_CONTAINER) or is_module(value):
        return []
    names = [n for c in kind.__mro__ for n in slots_of(c)]
    found = [(n, object.__getattribute__(value, n)) for n in names if has(value, n)]
    held = object.__getattribute__(value, "__dict__") if has(value, "__dict__") else {}
    return [*found, *((n, v) for n, v in held.items() if type(n) is str and not n.startswith("_"))]


def slots_of(cls: Any) -> list[str]:
    """Return the names of the slots that a class declares, without private ones."""
    slots = cls.__dict__.get("__slots__", ())
    return [n for n in ((slots,) if isinstance(slots, str) else slots) if type(n) is str and not n.startswith("_")]


def has(value: Any, name: str) -> bool:
    """Whether an attribute exists in the object itself; `__getattr__` of its class does not run."""
    try:
        object.__getattribute__(value, name)
    except Exception:  # a slot without a value, or a descriptor that fails
        return False
    return True


def tensors_in(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (path, tensor or array) of everything inside ``value``, in order; an object that fails is skipped.

    >>> import tinygrad_lite as tl
    >>> [path for path, _ in tensors_in("x", (tl.ones(1), {"a": [tl.ones(2), 3]}))]
    ['x.0', 'x.1.a.0']
    """
    stack: list[tuple[str, Any]] = [(name, value)]
    seen: dict[int, Any] = {}  # keeps what was seen alive, since Python reuses the id of a deleted object
    while stack and len(seen) < MOST:
        path, here = stack.pop()
        if is_array(here):
            yield path, here
            continue
        if id(here) in seen:
            continue
        try:
            parts = parts_of(here)
        except Exception:  # noqa: S112 - a container of the user that cannot be read has no tensors to show
            continue
        if parts:
            seen[id(here)] = here
            stack.extend((f"{path}.{key}", part) for key, part in reversed(parts))
