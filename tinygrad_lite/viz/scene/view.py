"""The view of a graph: boxes in a tree of groups, some collapsed, some repeated, and the links between boxes.

A group is a module call, a repeat (equal parts drawn once), or a stretch (a slice of a level that is too long).
A collapsed group hides its content. Each group covers an interval of the execution, so collapsing makes no cycle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tinygrad_lite.viz.model import Graph, GraphNode
from tinygrad_lite.viz.scene.boxes import Line, box_lines, closed_lines
from tinygrad_lite.viz.scene.repeats import Steps
from tinygrad_lite.viz.scene.twins import SUFFIX, Twin

NUMBERED = 12
"""The most edges into one box that are numbered; a box has no room for more numbers."""


@dataclass
class Box:
    """One drawn node: its group ``parent``, the ``title`` of its module, the leaves ``folded`` into it."""

    id: str
    node: GraphNode
    parent: str
    graph: Graph
    title: str
    folded: Sequence[tuple[GraphNode, int]]

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of text with their role."""
        return box_lines(self.graph, self.node, self.title, self.folded)


@dataclass
class Group:
    """One part of the picture that can be collapsed; ``first`` and ``last`` bound its ops in execution order.

    ``repeat`` > 1: it holds that many equal parts of ``length`` ops and ``period`` items each, and only the first is
    drawn (unless unfolded).
    """

    id: str
    title: str
    parent: str
    kind: str  # call, repeat or stretch
    first: int
    last: int
    open: bool = True
    repeat: int = 1
    length: int = 0
    period: int = 0
    items: list[tuple[str, str]] = field(default_factory=list)  # ("box" or "group", id)
    single: bool = False  # a layer of the library: one box unless it is opened
    view: View | None = None
    node: None = None

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of text with their role, for the collapsed group."""
        if not self.view:
            return []
        call = self.view.graph.call_of.get(self.id)
        return closed_lines(self.view.graph, self.title, call, list(self.view.inside(self.id)))


@dataclass(slots=True)
class Link:
    """An edge between two visible boxes or collapsed groups."""

    src: str
    dst: str
    arg: int
    label: str
    origin: str  # the node whose value it carries
    style: str = ""


@dataclass
class View:
    """Boxes, groups and edges, before anything is placed."""

    graph: Graph
    boxes: dict[str, Box]
    groups: dict[str, Group]
    steps: Steps
    whole: Graph | None = None
    """The graph with both passes, of which ``graph`` is the forward pass; None for a graph with one."""
    twins: dict[str, Twin | None] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    """The box that holds a folded parameter or constant."""

    def twin(self, id: str) -> Twin | None:
        """Return the gradient box beside a box or a collapsed group."""
        if self.whole is None:
            return None
        if id not in self.twins:
            self.twins[id] = self._twin(id, self.whole)
        return self.twins[id]

    def _twin(self, id: str, whole: Graph) -> Twin | None:
        box = self.boxes.get(id)
        if box is not None:
            node = whole.by_id.get(id + SUFFIX)
            return None if node is None else Twin(node.id, whole, node, box.title, box.folded)
        inside = [whole.by_id[n.id + SUFFIX] for n in self.inside(id) if n.id + SUFFIX in whole.by_id]
        if not inside:
            return None
        return Twin(f"{id}{SUFFIX}", whole, None, self.groups[id].title, (), inside, self.graph.call_of.get(id))

    def chain(self, parent: str) -> list[str]:
        """Return ``parent`` and the groups around it, outermost first."""
        out: list[str] = []
        while parent:
            out.append(parent)
            parent = self.groups[parent].parent
        return out[::-1]

    def inside(self, group: str) -> Iterator[GraphNode]:
        """Yield the ops in a group, however deep."""
        return _nodes_inside(self, self.groups[group])

    def visible(self) -> Scene:
        """Return the scene: what is visible with the groups as they are now."""
        return Scene(self)


class Scene:
    """What is visible: ``items`` of every open group, ``parent`` of every item, and ``links``."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.items: dict[str, list[tuple[str, str]]] = {"": []}
        self.parent: dict[str, str] = {}
        self.drawn: dict[str, str] = {}  # node -> the box or collapsed group that represents it
        self._collect()
        self.links = self._links()
        shown = [id for inside in self.items.values() for kind, id in inside if kind == "box" or id not in self.items]
        self.twins = {twin.id: twin for id in shown if (twin := view.twin(id))}
        if view.whole is not None:
            self.links += self._gradients(view.whole)

    def _collect(self) -> None:
        groups, boxes = self.view.groups, self.view.boxes
        work: list[tuple[str, str, str | None]] = [("group", "", None)]
        while work:
            kind, id, inside = work.pop()
            group = groups[id] if kind == "group" else None
            if group is None or not group.open or inside is not None:
                # a box, a collapsed group, or something inside one
                stands = inside or id
                if inside is None:
                    parent = boxes[id].parent if group is None else group.parent
                    self.items[parent].append((kind, id))
                    self.parent[id] = parent
                if group is None:
                    self.drawn[id] = stands
                    continue
                work.extend((k, i, stands) for k, i in reversed(group.items))
                continue
            self.items[id] = []
            if id:
                self.items[group.parent].append((kind, id))
                self.parent[id] = group.parent
            # only the first part of a repeat is drawn
            shown = group.items[: group.period] if group.repeat > 1 else group.items
            work.extend((k, i, None) for k, i in reversed(shown))

    def _alias(self, id: str) -> str | None:
        """Return what represents a node: itself, its collapsed group, or its twin in the first of equal parts."""
        steps = self.view.steps
        seen = 0
        while id not in self.drawn:
            i = steps.index.get(id)
            if i is None:
                return None
            twin = next(
                (i - (i - g.first) // g.length * g.length for g in self._repeats if g.first + g.length <= i < g.last),
                None,
            )
            seen += 1
            if twin is None or seen > 64:
                return None
            id = steps.ids[twin]
        return self.drawn[id]

    def _links(self) -> list[Link]:
        self._repeats = [g for g in self.view.groups.values() if g.repeat > 1 and g.open]
        self._repeats.sort(key=lambda g: (g.first, -g.last))
        graph, out, seen = self.view.graph, [], set()
        kind = {n.id: n.kind for n in graph.nodes}
        for e in graph.edges:
            dst = self.drawn.get(e.dst)
            if dst is None:
                continue  # inside a part that is drawn only once
            src = self.drawn.get(e.src) or self._alias(self.view.owner.get(e.src, e.src))
            if src is None or src == dst:
                continue
            exact = dst == e.dst
            key = (src, dst, e.arg_index if exact else -1, e.out_index if src == e.src else -1)
            if key in seen:
                continue
            seen.add(key)
            style = "saved" if kind[e.dst] == "grad" and kind[e.src] != "grad" else ""
            out.append(Link(src, dst, e.arg_index if exact else -1, "", e.src if src == e.src else src, style))
        coming: dict[str, int] = {}
        for link in out:
            coming[link.dst] = coming.get(link.dst, 0) + (link.arg >= 0)
        for link in out:
            if link.arg >= 0 and kind.get(link.dst) != "grad" and 1 < coming[link.dst] <= NUMBERED:
                link.label = str(link.arg + 1)
        return out

    def _gradients(self, whole: Graph) -> list[Link]:
        """Return the links of the backward pass, as edges of the values whose gradients they carry."""
        out, seen = [], set()
        grads = {n.id for n in whole.nodes if n.kind == "grad"}
        for e in whole.edges:
            if e.src not in grads or e.dst not in grads:
                continue
            a, b = e.dst.removesuffix(SUFFIX), e.src.removesuffix(SUFFIX)
            dst, src = self.drawn.get(b), self.drawn.get(a) or self._alias(a)
            if dst is None or src is None or src == dst:
                continue
            key = (src, dst, e.out_index if dst == b else -1)
            if key not in seen:
                seen.add(key)
                out.append(Link(src, dst, key[2], "", f"{src}{SUFFIX}", "grad"))
        return out

    def part(self, id: str) -> Box | Group | Twin:
        """Return what a drawn box shows."""
        return self.twins.get(id) or self.view.boxes.get(id) or self.view.groups[id]


def _nodes_inside(view: View, group: Group) -> Iterator[GraphNode]:
    if group.kind == "stretch":
        work = [("group", group.id)]
        while work:
            kind, id = work.pop()
            if kind == "box":
                yield view.boxes[id].node
            elif view.groups[id].kind == "call":
                yield from _nodes_inside(view, view.groups[id])
            else:
                work.extend(view.groups[id].items)
        return
    by_id = view.graph.by_id
    for id in view.steps.ids[group.first : group.last]:
        yield by_id[id]
