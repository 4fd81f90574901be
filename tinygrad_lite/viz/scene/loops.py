"""Repeats read as loops: what an op in the body of a loop takes from outside, from the same turn or the turn before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tinygrad_lite.viz.model import GraphEdge
from tinygrad_lite.viz.scene.view import Group, View


@dataclass(frozen=True, slots=True)
class Value:
    """What an argument is.

    ``node``: output ``out`` of the node ``id``, of a certain ``turn`` of its loop if that is not negative.
    ``carried``: two ``parts``, the value in the first turn of the loop ``id`` and the one that later turns take from
    the turn before. ``series``: one of the ``parts`` per turn.
    """

    kind: str
    id: str = ""
    out: int = 0
    turn: int = -1
    parts: tuple[Value, ...] = ()


class Loops:
    """The repeats of a view as loops; ``carried`` collects what each of them hands from turn to turn."""

    def __init__(self, view: View) -> None:
        self.view, self.steps = view, view.steps
        self.groups = sorted((g for g in view.groups.values() if g.repeat > 1), key=lambda g: (g.first, -g.last))
        self.carried: dict[str, dict[Value, None]] = defaultdict(dict)
        self.around: dict[int, list[Group]] = {}
        for g in self.groups:
            for i in range(g.first, g.last):
                self.around.setdefault(i, []).append(g)

    def turns(self, id: str, loops: tuple[str, ...]) -> list[str]:
        """Return the nodes that the body's node ``id`` stands for, in the order of execution."""
        found = [self.steps.index[id]]
        for name in reversed(loops):
            g = self.view.groups[name]
            found = [i + k * g.length for k in range(g.repeat) for i in found]
        return [self.steps.ids[i] for i in found]

    def printed(self, id: str) -> tuple[str, int]:
        """Return the node in the first turn of every loop that stands for ``id``, and its turn in the outermost."""
        i = self.steps.index.get(id)
        if i is None:
            return id, -1
        turn = -1
        for g in self.around.get(i, ()):
            if not g.first <= i < g.last:
                continue  # of another turn of the loop around it
            k = (i - g.first) // g.length
            turn = k if turn < 0 else turn * g.repeat + k
            i -= k * g.length
        # a loop inside the first turn may hold the twin
        inner = [g for g in self.around.get(i, ()) if g.first + g.length <= i < g.last]
        return (self.printed(self.steps.ids[i])[0] if inner else self.steps.ids[i]), turn

    def value(self, id: str, edge: GraphEdge, loops: tuple[str, ...]) -> Value:
        """Return what the argument ``edge`` of the printed node ``id`` is, inside ``loops`` (outermost first)."""
        at = self.steps.index.get(id)
        if at is None or not loops:
            return self._plain(id, edge)
        position = self.view.graph.arguments[id].index(edge)
        value: Value | None = None
        for depth, name in enumerate(loops):
            g = self.view.groups[name]
            before = self._carried(at, position, g)
            if before is not None:
                first = value or self._outside(id, position, loops[:depth])
                value = Value("carried", name, parts=(first, before))
                self.carried[name][value] = None
        return value or self._outside(id, position, loops)

    def _carried(self, at: int, position: int, g: Group) -> Value | None:
        """Return the value that turn 1 of a loop takes from turn 0; None if the argument is no such value."""
        arguments, index, ids = self.view.graph.arguments, self.steps.index, self.steps.ids
        one, two = arguments[ids[at]][position], arguments[ids[at + g.length]][position]
        i, j = index.get(one.src, -1), index.get(two.src, -1)
        if not g.first <= j < g.first + g.length or g.first <= i < g.first + g.length:
            return None
        return Value("node", self.printed(two.src)[0], two.out_index)

    def _outside(self, id: str, position: int, loops: tuple[str, ...]) -> Value:
        """Return an argument that no loop carries: one value, or one per turn."""
        arguments = self.view.graph.arguments
        edges = [arguments[turn][position] for turn in self.turns(id, loops)]
        first = self._plain(id, edges[0])
        if edges[0].src in self.steps.index and self.view.graph.by_id[id].kind != "grad":
            return first
        if all(e.src == edges[0].src for e in edges):
            return first
        parts = tuple(self._plain(id, e) for e in edges)
        return first if all(part == first for part in parts) else Value("series", parts=parts)

    def _plain(self, id: str, edge: GraphEdge) -> Value:
        graph = self.view.graph
        name, turn = self.printed(edge.src)
        across = graph.by_id[id].kind == "grad" and graph.by_id[edge.src].kind != "grad"
        return Value("node", name, edge.out_index, turn if across else -1)
