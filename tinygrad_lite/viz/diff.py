"""`diff`: nodes added, removed and changed between two graphs, as text and as one picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from tinygrad_lite.engine.arguments import named
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

    >>> import tinygrad_lite as tl
    >>> print(tl.viz.diff(tl.viz.trace(tl.exp, tl.ones(2)), tl.viz.trace(tl.tanh, tl.ones(2))))
    + tanh.1
    - exp.1
    ~ output: argument 1 exp.1 -> tanh.1
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
        return {"image/svg+xml": self.graph._repr_svg_(), "text/plain": str(self)}


@named
def diff(a: Graph, b: Graph) -> GraphDiff:
    """Compare two graphs, the older first.

    Modules are matched by class and order, ops by their order within a module, parameters by the op that uses them. A
    node counts as changed if its op, options, shape, dtype or the sources of its arguments differ.

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
    calls = matched_calls(a, b)
    match = matched(a, b, calls)
    back = {new: old for old, new in match.items()}
    removed = tuple(n.id for n in a.nodes if n.id not in match)
    added = tuple(n.id for n in b.nodes if n.id not in back)
    changed = {}
    for node in b.nodes:
        if node.id in back:
            changes = changes_of(a, b, a.by_id[back[node.id]], node, match)
            if changes:
                changed[node.id] = changes
    return GraphDiff(added, removed, changed, merged(a, b, match, calls, added, removed, changed))


def pairs(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Yield the positions of equal words in two sequences, in order, as in a comparison of two texts."""
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        yield from ((block.a + k, block.b + k) for k in range(block.size))


def matched_calls(a: Graph, b: Graph) -> dict[str, str]:
    """Map each module call of ``a`` to its counterpart in ``b``: by the order of classes within matched calls."""
    inside: tuple[dict[str, list[GraphCall]], dict[str, list[GraphCall]]] = ({}, {})
    for side, graph in zip(inside, (a, b), strict=True):
        for call in graph.calls:
            side.setdefault(call.parent, []).append(call)
    match = {"": ""}
    work = [("", "")]
    while work:
        one, two = work.pop()
        old, new = inside[0].get(one, []), inside[1].get(two, [])
        if max(len(old), len(new)) > LONGEST:
            found = [(c.id, c.id) for c in old if c.id in b.call_of and b.call_of[c.id].parent == two]
        else:
            found = [(old[i].id, new[j].id) for i, j in pairs([c.cls for c in old], [c.cls for c in new])]
            if len(old) == len(new) == 1:  # a class that was renamed, such as that of the whole model
                found = [(old[0].id, new[0].id)]
        match.update(found)
        work.extend(found)
    return match


def matched(a: Graph, b: Graph, calls: Mapping[str, str]) -> dict[str, str]:
    """Map each node of ``a`` to its counterpart in ``b``: ops by their order in matched calls, leaves by their use."""
    match: dict[str, str] = {}
    ops: tuple[dict[str, list[GraphNode]], dict[str, list[GraphNode]]] = ({}, {})
    for side, graph in zip(ops, (a, b), strict=True):
        for n in graph.nodes:
            if n.kind in ("op", "grad"):
                side.setdefault(n.call, []).append(n)
    for call, old in ops[0].items():
        new = ops[1].get(calls[call], []) if call in calls else []
        if max(len(old), len(new)) > LONGEST:
            match |= {n.id: n.id for n in old if n.id in b.by_id and b.by_id[n.id].op == n.op}
        else:
            match |= {old[i].id: new[j].id for i, j in pairs([n.op for n in old], [n.op for n in new])}
    taken: set[str] = set()

    def leaf(one: str, two: str) -> None:
        kinds = a.by_id[one].kind, b.by_id[two].kind
        if kinds[0] == kinds[1] not in ("op", "grad") and one not in match and two not in taken:
            match[one] = two
            taken.add(two)

    for one, two in list(match.items()):
        theirs = {e.arg_index: e.src for e in b.arguments[two]}
        for e in a.arguments[one]:
            if e.arg_index in theirs and a.by_id[e.src].kind in ("param", "buffer", "const"):
                leaf(e.src, theirs[e.arg_index])
    for n in a.nodes:
        if n.id in b.by_id:
            leaf(n.id, n.id)
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
    a: Graph, b: Graph, match: Mapping[str, str], matched_call: Mapping[str, str], added: tuple[str, ...],
    removed: tuple[str, ...], changed: Mapping[str, Mapping[str, tuple[Any, Any]]],
) -> Graph:  # fmt: skip
    """Return one graph with the nodes of both, the differences marked."""
    fresh, gone = set(added), set(removed)
    rename = dict(match)
    taken = set(b.by_id)
    for id in removed:
        rename[id] = id if id not in taken else f"{id} (removed)"
        taken.add(rename[id])
    calls, taken_calls = list(b.calls), {c.id for c in b.calls}
    home = dict(matched_call)
    for call in a.calls:
        if call.id not in home:
            home[call.id] = call.id if call.id not in taken_calls else f"{call.id} (removed)"
            taken_calls.add(home[call.id])
            calls.append(replace(call, id=home[call.id], parent=home[call.parent]))
    nodes: list[GraphNode] = []
    # a removed node goes right after the node that preceded it
    behind: dict[str, list[GraphNode]] = {}
    last = ""
    for node in a.nodes:
        if node.id in gone:
            behind.setdefault(last, []).append(
                replace(node, id=rename[node.id], call=home[node.call], marks=("removed",))
            )
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
