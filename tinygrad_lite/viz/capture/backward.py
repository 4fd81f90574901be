"""The backward pass as a graph: one gradient node per op, in the order in which backward visits them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tinygrad_lite.engine.call import RESULTS
from tinygrad_lite.engine.op import OPS
from tinygrad_lite.viz.model import Graph, GraphCall, GraphEdge, GraphNode

SUFFIX = ".grad"


def backward_of(graph: Graph, joint: bool) -> Graph:
    """Return the backward pass of a forward graph; with ``joint``, both, linked by the values that rules use."""
    carried = carrying(graph)
    order = [n for n in reversed(graph.nodes) if n.id in carried and n.kind in ("op", "output")]
    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    taken = {c.id for c in graph.calls}
    name_of = {c.id: unique(c.id + SUFFIX, taken) for c in graph.calls}
    name_of[""] = ""
    for node in order:
        passed = [e for e in graph.arguments[node.id] if e.src in carried and has_rule(node, e.arg_index)]
        nodes.append(gradient_of(node, name_of[node.call], passed))
        edges.extend(GraphEdge(node.id + SUFFIX, e.src + SUFFIX, e.arg_index, e.out_index, e.shape) for e in passed)
    leaves = [n for n in graph.nodes if n.id in carried and n.kind in ("param", "input", "buffer", "const")]
    ends = {
        n.id: replace(n, id=n.id + SUFFIX, kind="grad", op="", label=f"∂ {n.label}", call=name_of[n.call], group="leaf",
                      attrs={}, value=None, bytes=0, requires_grad=False)
        for n in leaves
    }  # fmt: skip
    nodes = with_ends(nodes, edges, ends)
    # gradients that arrive at one node are summed; they are numbered in order of arrival
    count: dict[str, int] = {}
    for e in edges:
        e.name = f"g{e.arg_index}" if e.arg_index else ""  # the gradient of a later result of several
        e.arg_index = count[e.dst] = count.get(e.dst, -1) + 1
    used = {n.call for n in nodes}
    parent = {c.id: c.parent for c in graph.calls}
    for call in graph.calls[::-1]:
        if name_of[call.id] in used:
            used.add(name_of[parent[call.id]])
    calls = [GraphCall(name_of[c.id], f"∂ {c.cls}", name_of[c.parent]) for c in graph.calls if name_of[c.id] in used]
    if not joint:
        return Graph(nodes, edges, calls, graph.look, graph.notes)
    edges = [*graph.edges, *edges, *needed(graph, carried, count)]
    return Graph([*map(forward_only, graph.nodes), *nodes], edges, [*graph.calls, *calls], graph.look, graph.notes)


def with_ends(nodes: list[GraphNode], edges: list[GraphEdge], ends: dict[str, GraphNode]) -> list[GraphNode]:
    """Insert the gradient of each leaf right after the last node that adds to it."""
    last: dict[str, str] = {}
    for e in edges:
        last[e.dst] = e.src  # edges are in execution order
    behind: dict[str, list[GraphNode]] = {}
    for end in ends.values():
        behind.setdefault(last.get(end.id, ""), []).append(end)
    out = list(behind.get("", ()))
    for node in nodes:
        out.append(node)
        out.extend(behind.get(node.id, ()))
    return out


def unique(name: str, taken: set[str]) -> str:
    """Return ``name``, changed if it is taken, and take it."""
    while name in taken:
        name += "~"
    taken.add(name)
    return name


def carrying(graph: Graph) -> set[str]:
    """Return the nodes that a gradient reaches: those that require one and lead to an output."""
    carried = {n.id for n in graph.nodes if n.kind == "output" and n.requires_grad}
    for node in reversed(graph.nodes):
        if node.id in carried:
            for e in graph.arguments[node.id]:
                if graph.by_id[e.src].requires_grad and has_rule(node, e.arg_index):
                    carried.add(e.src)
    return carried


def has_rule(node: GraphNode, position: int) -> bool:
    """Whether an op has a gradient rule for this argument."""
    op = OPS.get(node.op)
    if op is None or op.sequence is not None:
        return True
    if position >= len(op.params) or op.params[position] not in op.arrays:
        return False
    return op.arrays.index(op.params[position]) in op.places


def gradient_of(node: GraphNode, call: str, passed: Sequence[GraphEdge]) -> GraphNode:
    """Return the gradient node of one op, or the start of backward at an output.

    Its shape is that of the gradient it passes on, the first of several.
    """
    label = f"∂ {node.label or node.op}" + (" = 1" if node.kind == "output" else "")
    measured = node.measured and node.measured.only("backward")
    return replace(
        node, id=node.id + SUFFIX, kind="grad", label=label, call=call, attrs={}, value=None, flops=0, bytes=0,
        saved_bytes=0, time=None if measured is None else measured.time, measured=measured, requires_grad=False,
        marks=node.marks if node.kind == "op" else (), shape=passed[0].shape if passed else node.shape,
    )  # fmt: skip


def forward_only(node: GraphNode) -> GraphNode:
    """Return the node with the forward measurements only; the backward ones belong to its gradient node."""
    if node.measured is None:
        return node
    measured = node.measured.only("forward")
    return replace(node, measured=measured, time=measured.time)


def needed(graph: Graph, carried: set[str], count: dict[str, int]) -> list[GraphEdge]:
    """Return an edge for every forward value that a gradient rule uses, named as the rule names it."""
    out: list[GraphEdge] = []
    for node in graph.nodes:
        op = OPS.get(node.op)
        if node.id in carried and node.kind == "output":
            out.append(GraphEdge(node.id, node.id + SUFFIX, 0, 0, node.shape))
        if node.id not in carried or op is None:
            continue
        dst = node.id + SUFFIX
        for src, index, shape, word in used(graph, node, op, carried):
            count[dst] = count.get(dst, -1) + 1
            out.append(GraphEdge(src, dst, index, count[dst], shape, word))
    return out


def used(graph: Graph, node: GraphNode, op: Any, carried: set[str]) -> Iterator[tuple[str, int, Any, str]]:
    """Yield (source, output, shape, word) of every value that the rules of one op use in this backward pass."""
    into = [e for e in graph.arguments[node.id] if not e.name]
    passed = {e.arg_index for e in into if e.src in carried and has_rule(node, e.arg_index)}
    together = op.sequence is not None
    words = {
        op.saved_names[i]
        for operand, places in op.uses
        for i in places
        if operand < 0 or together or op.params.index(op.arrays[operand]) in passed
    }
    for word in op.saved_names:
        if word not in words:
            continue
        if word in RESULTS and word not in op.params:
            yield node.id, RESULTS[word] or 0, node.shape, word
            continue
        for e in into:
            if word == op.sequence or not together and e.arg_index < len(op.params) and op.params[e.arg_index] == word:
                yield e.src, e.out_index, e.shape, word
