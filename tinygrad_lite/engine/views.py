"""Views: which tensor shares the memory of which, so that an in-place write updates the graph of all of them.

The tensor that owns the memory is the *root* of its views. A view knows its root and the path that leads to it, a
tuple of steps (op, options, output number or None); the root knows its living views. The slot ``base`` of a
Tensor holds ``(root, path)`` for a view, `Views` for a root with views, else None.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine.hooks import Retain
from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.tensor import Tensor, Views as Views
from tinygrad_lite.engine.versions import owner


class Step(NamedTuple):
    """One step from a tensor to a view of it."""

    op: Any
    options: tuple[Any, ...]
    output: int | None = None

    def __repr__(self) -> str:
        return f"{self.op.name}({', '.join(map(repr, self.options))})"


Path = tuple[Step, ...]


class Sealed(Views):
    """The views of a tensor that was itself made as a view while gradients were off.

    It has no place in the graph of its root, so in-place writes to it are refused once gradients are on.
    """

    __slots__ = ()


def link(t: Tensor, source: Any, op: Any, options: tuple[Any, ...], output: int | None = None) -> None:
    """Register ``t``, the result of ``op`` on ``source``, as a view of it; do nothing if it is a copy."""
    if not isinstance(source, Tensor):
        return
    x, base = source.array, t.array.base
    # the base of a NumPy view is the owner of the memory, except that as_strided puts an object in between
    if base is None or (base is not x and base is not x.base and owner(t.array) is not owner(x)):
        return
    above = source.base
    root, path = above if above.__class__ is tuple else (source, ())
    if root.tracked and not MODE.get().grad and above.__class__ is not Views:
        t.base = Sealed()
        return
    t.base = root, (*path, Step(op, options, output))
    if root.base is None:
        root.base = Views()
    root.base.add(t)


def root_of(t: Tensor) -> tuple[Tensor, Path]:
    """Return the root that ``t`` is a view of and the path to ``t``; itself and an empty path if it is no view."""
    base = t.base
    if base.__class__ is tuple and owner(base[0].array) is owner(t.array):
        return base
    return t, ()


def replay(x: Any, path: Path) -> Any:
    """Apply ``path`` to an array or tensor ``x`` in place of the root."""
    for op, options, output in path:
        x = op.call(x, *options)
        if output is not None:
            x = x[output]
    return x


def move_to(t: Tensor, node: Node | None) -> None:
    """Make ``node`` the producer of ``t``; a `retain_grad` hook moves along."""
    old = t.node
    t.node, t.tracked = node, node is not None
    if old is not None and node is not None and old is not node and old.hooks:
        for key in [k for k, h in old.hooks.items() if type(h) is Retain and h.tensor() is t]:
            node.hooks = {**(node.hooks or {}), key: old.hooks.pop(key)}


def renew(root: Tensor, frame: Any) -> None:
    """Recompute the node of every living view of ``root`` after a write gave ``root`` another node."""
    observers = MODE.get().observers
    for r in tuple(root.base.values()) if root.base.__class__ is Views else ():
        view = r()
        if view is None or view.base.__class__ is not tuple or (view.tracked and view.node is None):
            continue
        if view.base[0] is root and owner(view.array) is owner(root.array):
            *before, last = view.base[1]
            source = replay(root, tuple(before))
            with switch(observers=()):
                move_to(view, replay(source, (last,)).node)
            for observer in observers:
                observer.before(last.op, (source, *last.options))
                observer.after(last.op, (source, *last.options), view, frame)


def shares(a: Any, b: Any) -> bool:
    """Return whether two arrays, one of them fresh, share memory."""
    return isinstance(a, np.ndarray) and np.may_share_memory(a, b)
