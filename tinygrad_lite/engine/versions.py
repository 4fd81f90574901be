"""In-place writes: how often the memory of an array was changed, and the check that a saved value was not.

PyTorch keeps a version counter in every tensor. Here the counters stand in a table by the array that owns the memory,
so that views share them and a program without in-place writes pays nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.node import Node, clock
from tinygrad_lite.engine.source import Place, line_of
from tinygrad_lite.errors import GradientError


class Change:
    """The in-place writes to one array: how many, when the last was, and on which line."""

    __slots__ = ("count", "keep", "line", "when")

    count: int
    when: int
    line: Place | None
    keep: Any


CHANGES: dict[int, Change] = {}
"""Writes by id of the array that owns the memory; an entry vanishes with its array."""
LATEST = [0]
"""The time of the last in-place write. Nodes recorded later need no version check."""


def tick() -> int:
    """Return the time of a write that is about to be made; an optimiser takes one for all its parameters."""
    LATEST[0] = now = clock()
    return now


def owner(array: Any) -> Any:
    """Return the array that owns the memory of ``array``."""
    base = array.base
    while base is not None:
        if new.is_array(base):
            array = base
        # as_strided inserts a plain object that has its own base
        base = getattr(base, "base", None)
    return array


def change_of(array: Any) -> Change:
    """Return the entry of the memory of ``array`` in the table, a new one without a write if there is none."""
    array = owner(array)
    key = id(array)
    change = CHANGES.get(key)
    if change is None:
        change = Change()
        change.count = change.when = 0
        change.line = None
        change.keep = weakref.ref(array, lambda _, key=key: CHANGES.pop(key, None))  # type: ignore[misc]
        CHANGES[key] = change
    return change


def bump(array: Any, source: Place | None = None) -> None:
    """Count an in-place write to the memory of ``array``."""
    change = change_of(array)
    change.count += 1
    change.when, change.line = tick(), source


def used_of(node: Node) -> Iterator[int]:
    """Yield the positions of the saved values that the rules of ``node`` will use."""
    for p, places in node.op.uses:
        if p < 0 or node.inputs[p] is not None:
            yield from places


def refuse_changed(node: Node) -> None:
    """Raise GradientError if a value that a rule of ``node`` is about to use was written to since it was saved.

    A result that the op can compute again is computed again instead.
    """
    again = getattr(node.op, "recompute", None)
    redo = False
    for i in used_of(node):
        if found := _changed(node, i):
            if again is None or not _is_result(node, i):
                raise _refused(node, i, *found)
            redo = True
    if redo:
        for i, name in enumerate(node.op.saved_names):
            if name in node.op.asks(again) and (found := _changed(node, i)):
                raise _refused(node, i, *found)
        node.saved = node.op.redone(node)


def _is_result(node: Node, i: int) -> bool:
    name = node.op.saved_names[i]
    return name not in getattr(node.op, "params", ()) and name.rstrip("0123456789") == "y"


def _changed(node: Node, i: int) -> tuple[Any, Change] | None:
    """Return the array of saved value ``i`` that was written to since ``node`` was recorded, and the change."""
    value = (node.saved or ())[i]
    for part in value if isinstance(value, (list, tuple)) else (value,):
        if not new.is_array(part):
            part = getattr(part, "array", None)  # a tensor that a Function saved
        if new.is_array(part):
            change = CHANGES.get(id(owner(part)))
            if change is not None and change.when > node.seq:
                return part, change
    return None


def _refused(node: Node, i: int, part: Any, change: Change) -> GradientError:
    what = "its result" if _is_result(node, i) else f"'{node.op.saved_names[i]}'"
    return GradientError(
        f"{node.op.name}: backward needs {what} {part.shape} as it was, but it was changed in place\n"
        f"  saved by    {node.line}\n"
        f"  changed by  {line_of(change.line)}\n"
        f"  use the out-of-place form, or change a .clone()"
    )


class Views(dict[int, "weakref.ref[Any]"]):
    """The living views of one tensor; dead references are removed when their number may have doubled.

    Without ``counted`` in-place writes through the tensor or its views pass the version check: those of ``t.data``.
    """

    __slots__ = ("counted", "limit")

    def __init__(self, counted: bool = True) -> None:
        self.counted, self.limit = counted, 8

    def add(self, t: Any) -> None:
        """Add a view."""
        if len(self) >= self.limit:
            for key, r in tuple(self.items()):
                if r() is None:
                    self.pop(key, None)
            self.limit = 2 * len(self) + 8
        r = weakref.ref(t)
        self[id(r)] = r
