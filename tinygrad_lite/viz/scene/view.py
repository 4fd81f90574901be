"""The view of a graph: boxes in a tree of groups, some collapsed, some repeated, and the links between boxes.

A group is a module call, a repeat (equal parts drawn once), or a stretch (a slice of a level that is too long).
A collapsed group hides its content. Each group covers an interval of the execution, so collapsing makes no cycle.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property

from tinygrad_lite.viz.model import Graph, GraphNode, Look
from tinygrad_lite.viz.scene.boxes import Line, box_lines, closed_lines
from tinygrad_lite.viz.scene.repeats import Item, Steps, runs
from tinygrad_lite.viz.scene.twins import SUFFIX, Twin, forward_part

NUMBERED = 12
"""The most edges into one box that are numbered; a box has no room for more numbers."""

STRETCH = 40
"""A level that is too long is cut into about this many stretches."""


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


# ------------------------------------------------------------------------------------------------ building
def view_of(graph: Graph) -> View:
    """Return what is shown of ``graph`` under its `Look`; computed once and kept with the graph.

    Of a graph with both passes, the forward pass is arranged, and every box has its gradient beside it.
    """
    if "view" not in graph.cache:
        forward = forward_part(graph)
        view = made_view(forward or graph)
        view.whole = graph if forward is not None else None
        graph.cache["view"] = view
    found: View = graph.cache["view"]
    return found


def single_view_of(graph: Graph) -> View:
    """Return the view for formats with a layout of their own: both passes are nodes of one flow."""
    if forward_part(graph) is None:
        return view_of(graph)
    if "single" not in graph.cache:
        graph.cache["single"] = made_view(graph)
    view: View = graph.cache["single"]
    return view


def program_of(graph: Graph) -> View:
    """Return the view with everything expanded, as the text shows it; computed once and kept with the graph."""
    if "program" not in graph.cache:
        graph.cache["program"] = made_view(graph, whole=True)
    view: View = graph.cache["program"]
    return view


def made_view(graph: Graph, whole: bool = False) -> View:
    """Build the view: boxes, groups, folded parameters and repeats; collapse what exceeds the limits.

    With ``whole`` nothing is collapsed.
    """
    look = graph.look
    steps = Steps(graph)
    folded, hidden = foldable(graph)
    calls = graph.call_of
    inside: dict[str, list[GraphNode]] = {"": [], **{c: [] for c in calls}}
    children: dict[str, list[str]] = {"": [], **{c: [] for c in calls}}
    for call in graph.calls:
        children[call.parent].append(call.id)
    for node in graph.nodes:
        if node.id not in hidden:
            inside[node.call].append(node)
    span = spans(graph, steps)
    alone = {c for c in calls if not children[c] and len(inside[c]) == 1 and inside[c][0].kind in ("op", "grad")}

    root = Group("", look.title or "", "", "call", 0, len(steps.ids))
    groups: dict[str, Group] = {"": root}
    boxes: dict[str, Box] = {}
    titles = {c: graph.title_of(c) for c in calls}
    for id, call in calls.items():
        if id in alone or id not in span:
            continue
        a, b = span[id]
        groups[id] = Group(id, titles[id], call.parent, "call", a, b)
    for id, group in groups.items():
        group.single = bool(id) and calls[id].single
    for id in groups:
        _fill(id, groups, boxes, graph, inside, children, alone, span, folded, titles, steps)
    # numbers of one part say nothing about the others: then only what would be too long is folded
    if look.fold_repeats and (len(boxes) > look.max_nodes or not individual(look)):
        _fold(groups, boxes, steps)
        _say_what_is_fed_back(groups, boxes, steps, graph)
    view = View(graph, boxes, groups, steps)
    view.owner = {leaf.id: box for box, leaves in folded.items() for leaf, _ in leaves if leaf.kind != "grad"}
    if not whole:
        _cut(groups, boxes, look.max_nodes)
        _close(view)
    for group in groups.values():
        group.view = view
    return view


def individual(look: Look) -> bool:
    """Whether the picture shows numbers that differ between equal parts."""
    shown = {"value", "grad", "stats", "time"} & set(look.show)
    return bool(shown) or look.color_by not in (None, "kind", "flops", "bytes")


def foldable(graph: Graph) -> tuple[dict[str, list[tuple[GraphNode, int]]], set[str]]:
    """Return the parameters and constants written into the box of their only user, and every node not drawn."""
    folded: dict[str, list[tuple[GraphNode, int]]] = {}
    hidden: set[str] = set()
    for node in graph.nodes:
        if node.group == "leaf" and node.kind == "grad":
            into = graph.arguments[node.id]
            of_module = node.call or node.id.count(".") > 1
            if len(into) == 1 and not graph.users[node.id] and graph.look.params == "fold" and of_module:
                folded.setdefault(into[0].src, []).append((node, into[0].out_index))
                hidden.add(node.id)
        if node.kind not in ("param", "buffer", "const"):
            continue
        uses = [e for e in graph.users[node.id] if graph.by_id[e.dst].kind != "grad"]
        if graph.look.params == "hide" and node.kind != "const":
            hidden.add(node.id)
        elif len(uses) == 1 and graph.by_id[uses[0].dst].kind == "op":
            of_module = node.call or "." in node.id or node.kind != "param"
            if node.kind == "const" or (graph.look.params == "fold" and of_module):
                folded.setdefault(uses[0].dst, []).append((node, uses[0].arg_index))
                hidden.add(node.id)
    return folded, hidden


def spans(graph: Graph, steps: Steps) -> dict[str, tuple[int, int]]:
    """Return the interval of ops of every call that has any."""
    span: dict[str, tuple[int, int]] = {}
    for node in graph.nodes:
        i = steps.index.get(node.id)
        if i is not None and node.call:
            a, b = span.get(node.call, (i, i + 1))
            span[node.call] = (min(a, i), max(b, i + 1))
    for call in reversed(graph.calls):
        if call.id in span and call.parent:
            a, b = span[call.id]
            c, d = span.get(call.parent, (a, b))
            span[call.parent] = (min(a, c), max(b, d))
    return span


def _fill(
    id: str, groups: dict[str, Group], boxes: dict[str, Box], graph: Graph, inside: dict[str, list[GraphNode]],
    children: dict[str, list[str]], alone: set[str], span: dict[str, tuple[int, int]],
    folded: dict[str, list[tuple[GraphNode, int]]], titles: dict[str, str], steps: Steps,
) -> None:  # fmt: skip
    """Put the boxes and groups of one call into it, in the order of execution."""
    group = groups[id]
    placed: list[tuple[int, int, tuple[str, str]]] = []
    for k, node in enumerate(inside[id]):
        at = steps.index.get(node.id, -1 if node.kind != "output" else len(steps.ids))
        boxes[node.id] = Box(node.id, node, id, graph, "", folded.get(node.id, ()))
        placed.append((at, k, ("box", node.id)))
    for k, child in enumerate(children[id]):
        if child in alone:
            node = inside[child][0]
            boxes[node.id] = Box(node.id, node, id, graph, titles[child], folded.get(node.id, ()))
            placed.append((steps.index[node.id], k, ("box", node.id)))
        elif child in span:
            placed.append((span[child][0], k, ("group", child)))
    placed.sort(key=lambda p: (p[0], p[2][0] == "group" and p[0] < 0, p[1]))
    group.items = [item for _, _, item in placed]


def _fold(groups: dict[str, Group], boxes: dict[str, Box], steps: Steps) -> None:
    """Replace repetitions among the items of every group by one group that holds them."""
    shapes = {
        g.id: (
            g.title.rpartition(": ")[2],
            g.last - g.first,
            [k for k, i in g.items if k == "group" or i in steps.index],
        )
        for g in groups.values()
    }
    for group in list(groups.values()):
        ops = [(k, i) for k, i in group.items if k == "group" or i in steps.index]
        others = [item for item in group.items if item[0] == "box" and item[1] not in steps.index]
        lead = [item for item in others if boxes[item[1]].node.kind != "output"]
        tail = [item for item in others if boxes[item[1]].node.kind == "output"]
        items: list[Item] = [
            (groups[i].first, groups[i].last, i) if k == "group" else (steps.index[i], steps.index[i] + 1, "")
            for k, i in ops
        ]
        found = runs(steps, items, shapes)
        if not found:
            continue
        out: list[tuple[str, str]] = []
        at = 0
        for start, period, count in found:
            out.extend(ops[at:start])
            at = start + period * count
            out.append(_repeat(groups, boxes, group, ops[start:at], items[start:at], period, count))
        group.items = [*lead, *out, *ops[at:], *tail]


def _repeat(
    groups: dict[str, Group], boxes: dict[str, Box], group: Group, members: list[tuple[str, str]], items: list[Item],
    period: int, count: int,
) -> tuple[str, str]:  # fmt: skip
    """Make the group of one repetition; returns its item."""
    first, last = items[0][0], items[-1][1]
    id = f"{group.id}/repeat.{first}" if group.id else f"repeat.{first}"
    length = (last - first) // count
    repeat = groups[id] = Group(
        id, "", group.id, "repeat", first, last, repeat=count, length=length, period=period, items=members
    )
    for kind, name in members:
        if kind == "group":
            groups[name].parent = id
        else:
            boxes[name].parent = id
    titles = [groups[i].title if kind == "group" else boxes[i].title or boxes[i].lines[0][0] for kind, i in members]
    classes = [title.rpartition(": ")[2] for title in titles]
    if period == 1 and classes[0] != titles[0]:
        name, other = (titles[k].rpartition(": ")[0] for k in (0, -1))
        repeat.title = f"{name} … {other}: {classes[0]} × {count:,}"
    else:
        shown = " + ".join(classes[:period] if period < 4 else [*classes[:2], "…"])
        repeat.title = f"{shown} × {count:,}"
    return ("group", id)


def _say_what_is_fed_back(groups: dict[str, Group], boxes: dict[str, Box], steps: Steps, graph: Graph) -> None:
    """Rename the constants with which a loop starts, and which later turns replace: the state of a cell."""
    for g in groups.values():
        if g.repeat < 2:
            continue
        for i in range(g.first, g.first + g.length):
            box = boxes.get(steps.ids[i])
            if box is None or not box.folded:
                continue
            later = graph.arguments[steps.ids[i + g.length]]
            fed = {
                e.src
                for e, then in zip(graph.arguments[box.id], later, strict=True)
                if g.first <= steps.index.get(then.src, -1) < g.first + g.length
            }
            box.folded = [
                (replace(leaf, label=f"fed back, first {leaf.label}") if leaf.id in fed else leaf, k)
                for leaf, k in box.folded
            ]


def _cut(groups: dict[str, Group], boxes: dict[str, Box], most: int) -> None:
    """Cut every level that is longer than ``most`` into stretches, and long stretches again."""
    work = [g for g in groups.values() if g.repeat == 1]
    while work:
        group = work.pop()
        if len(group.items) <= max(most, STRETCH):
            continue
        size = -(-len(group.items) // STRETCH)
        parts = [group.items[i : i + size] for i in range(0, len(group.items), size)]
        group.items = []
        for k, part in enumerate(parts):
            id = f"{group.id}/stretch.{k}" if group.id else f"stretch.{k}"
            names = [groups[i].title if kind == "group" else boxes[i].lines[0][0] for kind, i in (part[0], part[-1])]
            inner = groups[id] = Group(id, f"{names[0]} … {names[1]}", group.id, "stretch", 0, 0, False, items=part)
            group.items.append(("group", id))
            for kind, name in part:
                if kind == "group":
                    groups[name].parent = id
                else:
                    boxes[name].parent = id
            work.append(inner)


def exactly(pattern: str) -> Callable[[str], bool]:
    """Return a test for call ids: equal to ``pattern``, or matching it as a glob."""
    return lambda id: id == pattern or fnmatchcase(id, pattern)


def _close(view: View) -> None:
    """Collapse the groups below ``depth``, then further levels until ``max_nodes`` is met."""
    look = view.graph.look
    closed = [exactly(pattern) for pattern in look.closed]
    level = {id: sum(view.groups[g].kind == "call" for g in view.chain(id)) for id in view.groups}
    for id, group in view.groups.items():
        if group.kind == "call" and id:
            deep = group.single and look.params != "show" if look.depth is None else level[id] > look.depth
            group.open = not (deep or any(test(id) for test in closed))
    before = count_visible(view)
    if before <= look.max_nodes:
        if any(g.kind == "stretch" for g in view.groups.values()):
            _warn(len(view.boxes), look.max_nodes)
        return
    for deepest in range(max(level.values()), -1, -1):
        for id, group in view.groups.items():
            if id and (level[id] > deepest or (deepest == 0 and group.kind != "repeat")):
                group.open = False
        if count_visible(view) <= look.max_nodes:
            break
    _warn(before, look.max_nodes)


def _warn(boxes: int, most: int) -> None:
    warnings.warn(
        f"the picture would have {boxes:,} boxes, more than max_nodes={most}, so some modules are collapsed; "
        f"pass a larger max_nodes, or expand them by a click in the HTML page",
        stacklevel=2,
    )


def count_visible(view: View) -> int:
    """Return how many boxes are drawn, collapsed groups included."""
    count = 0
    work = [("group", "")]
    while work:
        kind, id = work.pop()
        if kind == "box" or not view.groups[id].open:
            count += 1
            continue
        group = view.groups[id]
        work.extend(group.items[: group.period] if group.repeat > 1 else group.items)
    return count


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
