"""`diff`: nodes added, removed and changed between two graphs, as text and as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from tinygrad_lite.viz.formats.json import encoded
from tinygrad_lite.viz.model import Graph, GraphCall, GraphEdge, GraphNode
from tinygrad_lite.viz.words import option_text, plain, shape_text

COMPARED = ("kind", "op", "shape", "dtype", "requires_grad")
LONGEST = 3000
"""In calls with more ops than this, ops are matched by id alone."""


@dataclass(frozen=True)
class GraphDiff:
    """The difference from one graph to another.

    ``added`` are ids of the second graph, ``removed`` of the first; ``changed`` maps ids of the second to the old and
    new value of each changed field. ``graph`` is one picture of both, with every difference marked.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, Mapping[str, tuple[Any, Any]]]
    graph: Graph

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        lines = [f"+ {plain(id)}" for id in self.added] + [f"- {plain(id)}" for id in self.removed]
        lines += [f"~ {plain(id)}: {'; '.join(change_words(c))}" for id, c in self.changed.items()]
        return "\n".join(lines) or "no difference"

    def save(self, path: str | Path) -> Path:
        """Write the picture of both in the format that the suffix names."""
        return self.graph.save(path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"image/svg+xml": self.graph.to_svg(), "text/plain": str(self)}


def diff(a: Graph, b: Graph) -> GraphDiff:
    """Compare two graphs, the older first.

    Inputs, parameters and constants are matched by name, ops by their order within the module call. A node counts as
    changed if its op, options, shape, dtype or the sources of its arguments differ.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.viz import trace
    >>> x = tl.ones(2)
    >>> print(diff(trace(lambda x: (x * 2).sum(), x), trace(lambda x: (x * 3).exp().sum(), x)))
    + exp.1
    ~ mul.1: other 2 -> 3
    ~ sum.1: argument 1 mul.1 -> exp.1
    """
    for graph in (a, b):
        if not isinstance(graph, Graph):
            raise TypeError(f"diff: expected two Graphs, got a {type(graph).__name__}")
    match = matched(a, b)
    back = {new: old for old, new in match.items()}
    removed = tuple(n.id for n in a.nodes if n.id not in match)
    added = tuple(n.id for n in b.nodes if n.id not in back)
    changed = {}
    for node in b.nodes:
        if node.id in back:
            changes = changes_of(a, b, a.by_id[back[node.id]], node, match)
            if changes:
                changed[node.id] = changes
    return GraphDiff(added, removed, changed, merged(a, b, match, added, removed, changed))


def matched(a: Graph, b: Graph) -> dict[str, str]:
    """Map each node of ``a`` to its counterpart in ``b``, where there is one."""
    match = {
        n.id: n.id for n in a.nodes if n.kind not in ("op", "grad") and n.id in b.by_id and b.by_id[n.id].kind == n.kind
    }
    ops: tuple[dict[str, list[GraphNode]], dict[str, list[GraphNode]]] = ({}, {})
    for side, graph in zip(ops, (a, b), strict=True):
        for n in graph.nodes:
            if n.kind in ("op", "grad"):
                side.setdefault(n.call, []).append(n)
    for call, old in ops[0].items():
        new = ops[1].get(call, [])
        if max(len(old), len(new)) > LONGEST:
            match |= {n.id: n.id for n in old if n.id in b.by_id and b.by_id[n.id].op == n.op}
            continue
        pairs = SequenceMatcher(None, [n.op for n in old], [n.op for n in new], autojunk=False)
        for block in pairs.get_matching_blocks():
            for k in range(block.size):
                match[old[block.a + k].id] = new[block.b + k].id
    return match


def changes_of(
    a: Graph, b: Graph, old: GraphNode, new: GraphNode, match: Mapping[str, str]
) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two matched nodes differ, old and new."""
    out: dict[str, tuple[Any, Any]] = {}
    for name in COMPARED:
        if getattr(old, name) != getattr(new, name):
            out[name] = (getattr(old, name), getattr(new, name))
    for name in dict.fromkeys((*old.attrs, *new.attrs)):
        before, now = old.attrs.get(name), new.attrs.get(name)
        if encoded(before) != encoded(now):
            out[name] = (before, now)
    mine = {e.arg_index: (match.get(e.src, e.src), e.out_index, e.src) for e in a.arguments[old.id]}
    theirs = {e.arg_index: (e.src, e.out_index, e.src) for e in b.arguments[new.id]}
    for k in sorted(mine.keys() | theirs.keys()):
        one, two = mine.get(k), theirs.get(k)
        if one is None or two is None or one[:2] != two[:2]:
            out[f"argument {k + 1}"] = (one and one[2], two and two[2])
    return out


def change_words(changes: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Return ``field old -> new`` for each change."""

    def word(value: Any) -> str:
        return (
            shape_text(value)
            if isinstance(value, tuple) and all(isinstance(n, int) for n in value)
            else option_text(value)
        )

    return [f"{name} {word(old)} -> {word(new)}" for name, (old, new) in changes.items()]


def merged(
    a: Graph, b: Graph, match: Mapping[str, str], added: tuple[str, ...], removed: tuple[str, ...],
    changed: Mapping[str, Mapping[str, tuple[Any, Any]]],
) -> Graph:  # fmt: skip
    """Return one graph with the nodes of both, the differences marked."""
    fresh, gone = set(added), set(removed)
    rename = dict(match)
    taken = set(b.by_id)
    for id in removed:
        rename[id] = id if id not in taken else f"{id} (removed)"
        taken.add(rename[id])
    known = {c.id for c in b.calls}
    calls = list(b.calls)
    for call in a.calls:
        if call.id not in known:
            calls.append(GraphCall(call.id, call.cls, call.parent))
    nodes: list[GraphNode] = []
    # a removed node goes right after the node that preceded it
    behind: dict[str, list[GraphNode]] = {}
    last = ""
    for node in a.nodes:
        if node.id in gone:
            behind.setdefault(last, []).append(replace(node, id=rename[node.id], marks=("removed",)))
        else:
            last = match[node.id]
    nodes.extend(behind.get("", ()))
    for node in b.nodes:
        marks: tuple[str, ...] = ("added",) if node.id in fresh else ()
        if node.id in changed:
            marks = tuple(f"changed {w}" for w in change_words(changed[node.id]))
        nodes.append(replace(node, marks=marks))
        nodes.extend(behind.get(node.id, ()))
    edges = list(b.edges)
    for e in a.edges:
        if e.src in gone or e.dst in gone:
            src, dst = rename.get(e.src), rename.get(e.dst)
            if src is not None and dst is not None and e.dst in gone:
                edges.append(GraphEdge(src, dst, e.out_index, e.arg_index, e.shape))
    notes = (f"{len(added)} added, {len(removed)} removed, {len(changed)} changed",)
    return Graph(nodes, edges, calls, b.look, notes)
