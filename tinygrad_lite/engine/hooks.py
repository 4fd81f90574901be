"""Hooks of tensors, called when a gradient arrives, and the handle that removes a hook."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

_number = itertools.count().__next__


class RemovableHandle:
    """Removes a hook: by ``remove()``, or at the end of a ``with`` block.

    The hooks of a tensor, module or optimiser are a dict by number, in the order in which they are called.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(1.0, requires_grad=True)
    >>> with x.register_hook(lambda g: g * 2):
    ...     (x * 3).backward()
    >>> x.grad
    tensor(6.)
    """

    __slots__ = ("__weakref__", "hooks", "id")

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self.hooks, self.id = hooks, _number()
        hooks[self.id] = hook
        if prepend:
            for key in [k for k in hooks if k != self.id]:
                hooks[key] = hooks.pop(key)

    def hooks_dict_ref(self) -> dict[int, Any]:
        """Return the dict that holds the hook."""
        return self.hooks

    def remove(self) -> None:
        """Remove the hook; does nothing the second time."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Retain:
    """Marker for `Tensor.retain_grad` among the hooks of a node; it runs after all others."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Any) -> None:
        self.tensor = weakref.ref(tensor)


class After:
    """Marker for `Tensor.register_post_accumulate_grad_hook` among the hooks of a leaf."""

    __slots__ = ("hook",)

    def __init__(self, hook: Callable[[Any], None]) -> None:
        self.hook = hook


HOOKED: dict[int, Any] = {}
"""The leaves that were given hooks and are alive, by id: while there are none, a pass need not look for them."""


def hang(place: Any, hook: Any) -> RemovableHandle:
    """Add ``hook`` to those of ``place``, a node or a leaf."""
    if place.hooks is None:
        place.hooks = {}
    if hasattr(place, "array") and id(place) not in HOOKED:
        key = id(place)
        HOOKED[key] = weakref.ref(place, lambda _: HOOKED.pop(key, None))
    return RemovableHandle(place.hooks, hook)
