"""Which colour each box has, and the legend that explains it: by kind, or by a number with the number written too."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tinygrad_lite.viz.layout.measure import text_width
from tinygrad_lite.viz.model import PROFILED, Graph, GraphNode
from tinygrad_lite.viz.scene.theme import FILL, HEAT, WORDS, group_of
from tinygrad_lite.viz.scene.words import bytes_text, count_text, number_text, time_text

if TYPE_CHECKING:
    from tinygrad_lite.viz.scene.view import Scene

ROW = 20
CHANGES = ("added", "removed", "changed")
TIMES = ("time", "forward", "backward")
ADDITIVE = (*TIMES, "flops", "bytes")
"""Numbers whose sum says something about a module as a whole."""


def numbered(by: str | Callable[[GraphNode], float], graph: Graph) -> Callable[[GraphNode], float | None]:
    """Return the function that gives the number a node is coloured by."""
    if callable(by):
        return by
    if by in PROFILED or by == "bytes" and any(n.measured for n in graph.nodes):
        return lambda n: (getattr(n.measured, by) or None) if n.measured else None
    if by in ADDITIVE:
        return lambda n: getattr(n, by) if n.kind == "op" or n.measured else None
    word = {"act_std": "std"}.get(by, by)
    if by != "update_ratio":
        return lambda n: (n.stats or {}).get(word)

    def largest(n: GraphNode) -> float | None:
        # the parameters of an op are written into its box
        nodes = [n, *(graph.by_id[e.src] for e in graph.arguments[n.id])]
        return max((m.stats[word] for m in nodes if m.stats and word in m.stats), default=None)

    return largest


def name_of(by: str | Callable[[GraphNode], float] | None) -> str:
    """Return what the number is called that boxes are coloured by."""
    return by if isinstance(by, str) else getattr(by, "__name__", "value").strip("<>")


def in_units(by: str | Callable[[GraphNode], float] | None, x: float, digits: int = 3) -> str:
    """Return a number that boxes are coloured by with its unit.

    >>> in_units("time", 3.25e-5), in_units("bytes", 2048), in_units("grad_norm", 0.12345)
    ('32.5 µs', '2.0 KiB', '0.123')
    """
    if by in TIMES:
        return time_text(x)
    if by == "flops":
        return count_text(x, "FLOP")
    return bytes_text(round(x)) if by == "bytes" else number_text(x, digits)


def sum_of(graph: Graph, nodes: Iterable[GraphNode]) -> float | None:
    """Return what a closed module is coloured by, None if its ops have no such number or it cannot be added up."""
    by = graph.look.color_by
    if by not in ADDITIVE:
        return None
    function = numbered(by, graph)
    found = [x for x in map(function, nodes) if x is not None]
    return sum(found) if found else None


class Colouring:
    """The classes of every box of a scene, and what the legend has to say."""

    def __init__(self, graph: Graph, scene: Scene) -> None:
        self.scene, self.by = scene, graph.look.color_by
        self.heat: dict[str, str] = {}
        self.bounds: list[float] = []
        self.width = 320.0
        drawn = [id for inside in scene.items.values() for _, id in inside if id not in scene.items]
        view = scene.view
        self.kinds: dict[str, str] = {}
        for id in drawn:
            box = view.boxes.get(id)
            self.kinds[id] = "closed" if box is None else group_of(box.node.kind, box.node.group)
        if self.by is not None and self.by != "kind":
            self._heat(drawn)
        self.used = set(self.kinds.values()) | set(self.heat.values())

    def _heat(self, drawn: list[str]) -> None:
        function = numbered(self.by, self.scene.view.graph)  # type: ignore[arg-type]
        view = self.scene.view
        numbers = {id: function(box.node) for id, box in view.boxes.items()}
        numbers |= {id: sum_of(view.graph, view.inside(id)) for id in view.groups if id}
        values = {id: float(x) for id, x in numbers.items() if x is not None and math.isfinite(x)}
        # what is closed now has its colour too: a page can open it
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

    def kind(self, id: str) -> str:
        """Return the class that gives a box its colour, whether it is drawn now or not."""
        box = self.scene.view.boxes[id]
        return self.heat.get(id) or group_of(box.node.kind, box.node.group)

    def everything(self) -> list[tuple[str, str]]:
        """Return the legend for all boxes of the graph, open or not."""
        for id, box in self.scene.view.boxes.items():
            self.kinds.setdefault(id, group_of(box.node.kind, box.node.group))
        if len(self.scene.view.groups) > 1:
            self.kinds[""] = "closed"
        return self.entries()

    def classes(self, id: str) -> str:
        """Return the CSS classes of a box."""
        box = self.scene.view.boxes.get(id)
        lines = box.lines if box is not None else self.scene.view.groups[id].lines
        marks = [text[2:].partition(" ")[0] for text, role in lines if role == "mark"]
        classes = ["box", "closed" if box is None else "", self.heat.get(id) or self.kinds[id]]
        classes += ["marked"] * bool(marks) + [m for m in marks[:1] if m in CHANGES]
        return " ".join(dict.fromkeys(filter(None, classes)))

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

    def legend(self, out: list[str], width: float, top: float) -> float:
        """Write the legend below ``top``; returns where it ends."""
        from tinygrad_lite.viz.formats.svg import escape, number

        y = top + 4
        for name, words, x, y in self.places(width, top):
            self.width = max(self.width, x + step_of(words))
            out.append(
                f'<g class="{name}"><rect x="{number(x)}" y="{number(y)}" width="14" height="11" rx="3"/>'
                f'<text class="note" x="{number(x + 20)}" y="{number(y + 9.5)}">{escape(words)}</text></g>'
            )
        return y + ROW + 4

    def places(self, width: float, top: float) -> list[tuple[str, str, float, float]]:
        """Return (class, words, x, y) of each entry of the legend, in rows of at most ``width``."""
        out = []
        x, y = 16.0, top + 4
        for name, words in self.entries():
            if x + step_of(words) > width and x > 16:
                x, y = 16.0, y + ROW
            out.append((name, words, x, y))
            x += step_of(words)
        return out


def step_of(words: str) -> float:
    """Return the width of one entry of the legend."""
    return 24 + text_width(words) + 14


def colouring_of(graph: Graph, scene: Scene) -> Colouring:
    """Return the colours of a scene."""
    return Colouring(graph, scene)
