"""Building the view of a graph: parameters folded into their op, modules as groups, repeats, limits on the size."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase

from tinygrad_lite.viz.model import Graph, GraphNode, Look
from tinygrad_lite.viz.scene.repeats import Item, Steps, runs
from tinygrad_lite.viz.scene.twins import forward_part
from tinygrad_lite.viz.scene.view import Box, Group, View

STRETCH = 40
"""A level that is too long is cut into about this many stretches."""


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
