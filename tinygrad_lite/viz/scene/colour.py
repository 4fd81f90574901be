"""The colour of each box, by kind or by a number, and the entries of the legend that explain the colours."""

from __future__ import annotations

import math

from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.numbers import in_units, name_of, numbered, sum_of
from tinygrad_lite.viz.scene.theme import FILL, HEAT, WORDS, group_of
from tinygrad_lite.viz.scene.view import Scene

CHANGES = ("added", "removed", "changed")


class Colouring:
    """The CSS class of every box of a scene, and the entries of the legend."""

    def __init__(self, graph: Graph, scene: Scene) -> None:
        self.scene, self.by = scene, graph.look.color_by
        self.heat: dict[str, str] = {}
        self.bounds: list[float] = []
        drawn = [id for inside in scene.items.values() for _, id in inside if id not in scene.items]
        self.kinds: dict[str, str] = {}
        drawn += list(scene.twins)
        for id in drawn:
            self.kinds[id] = self.kind_of(id)
        if self.by is not None and self.by != "kind":
            self._heat(drawn)
        self.used = set(self.kinds.values()) | set(self.heat.values())

    def _heat(self, drawn: list[str]) -> None:
        function = numbered(self.by, self.scene.view.graph)  # type: ignore[arg-type]
        view = self.scene.view
        numbers = {id: function(box.node) for id, box in view.boxes.items()}
        numbers |= {id: sum_of(view.graph, view.inside(id)) for id in view.groups if id}
        for id, twin in self.scene.twins.items():
            numbers[id] = function(twin.node) if twin.node is not None else sum_of(twin.graph, twin.inside)
        values = {id: float(x) for id, x in numbers.items() if x is not None and math.isfinite(x)}
        # boxes inside collapsed modules get a colour too: the HTML page can expand them
        shown = [values[id] for id in drawn if id in values] or list(values.values())
        if not shown:
            return
        low, high = min(shown), max(shown)
        logarithmic = low > 0 and high / low > 100
        scale = math.log if logarithmic else float
        a, b = scale(low), scale(high)
        for id, x in values.items():
            part = (scale(min(max(x, low), high)) - a) / (b - a) if b > a else 0.5
            self.heat[id] = HEAT[min(int(part * len(HEAT)), len(HEAT) - 1)]
        steps = [a + (b - a) * k / len(HEAT) for k in range(len(HEAT) + 1)]
        self.bounds = [math.exp(s) for s in steps] if logarithmic else steps

    def kind_of(self, id: str) -> str:
        """Return the kind of a box; a layer of the library in one box has that of its most expensive op."""
        view = self.scene.view
        if id in self.scene.twins:
            return "grad"
        box = view.boxes.get(id)
        if box is not None:
            return group_of(box.node.kind, box.node.group)
        if not view.groups[id].single:
            return "closed"
        ops = [n for n in view.inside(id) if n.group not in ("shape", "indexing")] or list(view.inside(id))
        costly = max(ops, key=lambda n: n.flops)
        return group_of("op" if costly.kind == "op" else costly.kind, costly.group)

    def kind(self, id: str) -> str:
        """Return the class that gives a box its colour, whether it is visible or not."""
        box = self.scene.view.boxes[id]
        return self.heat.get(id) or group_of(box.node.kind, box.node.group)

    def everything(self) -> list[tuple[str, str]]:
        """Return the legend for all boxes of the graph, visible or not."""
        for id, box in self.scene.view.boxes.items():
            self.kinds.setdefault(id, group_of(box.node.kind, box.node.group))
        for id, group in self.scene.view.groups.items():
            if id:
                self.kinds.setdefault(id, self.kind_of(id) if group.single else "closed")
        return self.entries()

    def classes(self, id: str) -> str:
        """Return the CSS classes of a box."""
        part = self.scene.part(id)
        marks = [text[2:].partition(" ")[0] for text, role in part.lines if role == "mark"]
        collapsed = part.node is None and not self._single(id)
        classes = ["box", "closed" if collapsed else "", self.heat.get(id) or self.kinds[id]]
        classes += ["marked"] * bool(marks) + [m for m in marks[:1] if m in CHANGES]
        return " ".join(dict.fromkeys(filter(None, classes)))

    def _single(self, id: str) -> bool:
        """Whether a collapsed group, or the group beside a gradient box, is a layer of the library."""
        twin = self.scene.twins.get(id)
        call = twin.call if twin is not None else None
        return call.single if call is not None else id in self.scene.view.groups and self.scene.view.groups[id].single

    def entries(self) -> list[tuple[str, str]]:
        """Return (class, words) of each entry of the legend."""
        present = {kind for id, kind in self.kinds.items() if id not in self.heat}
        out = [(name, WORDS[name]) for name in FILL if name in present]
        if self.bounds:
            what = name_of(self.by)
            for k, name in enumerate(HEAT):
                if name in self.heat.values():
                    low, high = self.bounds[k : k + 2]
                    out.append((name, f"{what} {in_units(self.by, low, 2)} … {in_units(self.by, high, 2)}"))
        return out
