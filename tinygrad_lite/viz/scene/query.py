"""Finding nodes, and cutting a part out of a graph."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from tinygrad_lite.viz.model import Graph, GraphNode
from tinygrad_lite.viz.scene.words import shape_text


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return the test of an id: a glob if it has ``*``, ``?`` or ``[``, else the id itself, or one above it."""
    if any(c in pattern for c in "*?["):
        return lambda id: fnmatchcase(id, pattern)
    return lambda id: id == pattern or id.startswith((pattern + ".", pattern + "/", pattern + "#"))


def find(graph: Graph, query: str | Callable[[GraphNode], bool]) -> list[GraphNode]:
    """Return the nodes in which every word of ``query`` occurs (id, kind, op, label, shape, dtype, module class)."""
    if callable(query):
        return [n for n in graph.nodes if query(n)]
    words = query.lower().split()
    cls = {c.id: c.cls for c in graph.calls}

    def text(n: GraphNode) -> str:
        return f"{n.id} {n.kind} {n.op} {n.label} {shape_text(n.shape)} {n.dtype} {cls.get(n.call, '')}".lower()

    return [n for n in graph.nodes if all(w in text(n) for w in words)]


def subgraph(graph: Graph, pattern: str, hops: int) -> Graph:
    """Return the nodes whose id or module call matches, and what is at most ``hops`` edges away."""
    test = matcher(pattern)
    chosen = {n.id for n in graph.nodes if test(n.id) or (n.call and test(n.call))}
    if not chosen:
        near = ", ".join(n.id for n in find(graph, pattern.strip("*"))[:5])
        raise KeyError(f"subgraph: nothing matches '{pattern}'" + (f"; similar: {near}" if near else ""))
    border = set(chosen)
    for _ in range(hops):
        around = {e.src for id in border for e in graph.arguments[id]} | {
            e.dst for id in border for e in graph.users[id]
        }
        border = around - chosen
        chosen |= around
    # parameters belong to their op
    for id in list(chosen):
        if graph.by_id[id].kind == "op":
            chosen |= {e.src for e in graph.arguments[id] if graph.by_id[e.src].kind in ("param", "buffer", "const")}
    nodes = [n for n in graph.nodes if n.id in chosen]
    edges = [e for e in graph.edges if e.src in chosen and e.dst in chosen]
    used = {n.call for n in nodes}
    for call in reversed(graph.calls):
        if call.id in used:
            used.add(call.parent)
    return Graph(nodes, edges, [c for c in graph.calls if c.id in used], graph.look, graph.notes)
