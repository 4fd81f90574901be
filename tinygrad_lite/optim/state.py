"""The state that an optimiser keeps for one parameter."""

from __future__ import annotations

import functools
from typing import Any


class State(dict[str, Any]):
    """The state of one parameter by name, with its arrays cached for the next steps, in pieces if they are large.

    A write from outside sets ``array`` to None, which invalidates the cache. ``began`` is the first step of the arrays.
    """

    __slots__ = ("array", "arrays", "began", "change", "fields", "many", "pieces")

    array: Any
    arrays: tuple[Any, ...]
    began: int
    change: Any
    fields: tuple[str, ...]
    many: bool
    pieces: list[tuple[slice, Any, tuple[Any, ...]]] | None

    def __reduce__(self) -> Any:
        return dict, (dict(self),)  # a copy builds its own cache

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self.fields:
            self.array = None
        dict.__setitem__(self, name, value)


def _noticed(name: str) -> Any:
    method = getattr(dict, name)

    @functools.wraps(method)
    def call(self: State, *args: Any, **kwargs: Any) -> Any:
        self.array = None
        return method(self, *args, **kwargs)

    return call


for _name in ("__delitem__", "__ior__", "clear", "pop", "popitem", "update"):
    setattr(State, _name, _noticed(_name))
