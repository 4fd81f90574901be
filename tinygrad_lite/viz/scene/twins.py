"""Forward and backward side by side: the gradient box beside each box of a joint graph.

In a graph with both passes the backward pass mirrors the forward pass, so only the forward pass is arranged. Beside
every box stands its twin, the box of its gradient rule; a gradient follows the edge of its value the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tinygrad_lite.viz.model import Graph, GraphCall, GraphNode
from tinygrad_lite.viz.scene.boxes import LISTED, Line, box_lines, cut, folded_lines, mark_text
from tinygrad_lite.viz.scene.tips import tip
from tinygrad_lite.viz.words import shape_text

SUFFIX = ".grad"
"""What the id of a gradient node adds to the id of its forward node."""


def forward_part(graph: Graph) -> Graph | None:
    """Return the forward pass of a graph with both passes, None for any other graph."""
    nodes = [n for n in graph.nodes if n.kind != "grad"]
    known = {n.id for n in nodes}
    grads = [n.id for n in graph.nodes if n.kind == "grad"]
    if not nodes or not grads or not all(id.endswith(SUFFIX) and id.removesuffix(SUFFIX) in known for id in grads):
        return None
    edges = [e for e in graph.edges if e.src in known and e.dst in known]
    calls = [c for c in graph.calls if not c.cls.startswith("∂ ")]
    return Graph(nodes, edges, calls, graph.look, graph.notes)


@dataclass
class Twin:
    """The gradient box beside a box or a collapsed group; ``title`` is that of the module it stands for.

    ``folded`` are the parameters whose gradients it lists, ``inside`` the gradient nodes of a collapsed group.
    """

    id: str
    graph: Graph
    node: GraphNode | None
    title: str
    folded: Sequence[tuple[GraphNode, int]] = ()
    inside: Sequence[GraphNode] = ()
    call: GraphCall | None = None

    @cached_property
    def uses(self) -> list[str]:
        """The values of the forward pass that the rule uses, as it names them."""
        if self.node is None:
            mine = [self.graph.by_id[e.src].kind != "grad" for n in self.inside for e in self.graph.arguments[n.id]]
            return ["values"] if any(mine) else []
        names = [e.name for e in self.graph.arguments[self.node.id] if self.graph.by_id[e.src].kind != "grad"]
        return list(dict.fromkeys(filter(None, names)))

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of text with their role."""
        if self.node is None:
            return self._closed()
        leaves = [(self.graph.by_id[leaf.id + SUFFIX], k) for leaf, k in self.folded if self._has(leaf)]
        title = f"∂ {self.title}" if self.title else ""
        lines = box_lines(self.graph, self.node, title, leaves)
        listed = {leaf.id for leaf, _ in leaves}
        if listed and all(e.dst in listed for e in self.graph.users[self.node.id]):
            lines = [line for line in lines if line[1] != "shape"]  # it passes on what it lists
        return lines

    def _has(self, leaf: GraphNode) -> bool:
        return leaf.id + SUFFIX in self.graph.by_id

    def _closed(self) -> list[Line]:
        inside = {n.id for n in self.inside}
        single = self.call is not None and self.call.single
        lines: list[Line] = [(cut(f"{'' if single else '▸ '}∂ {self.title}"), "head")]
        leaves: list[GraphNode] = []
        shapes: list[GraphNode] = []
        for node in self.inside:
            for e in self.graph.users[node.id]:
                end = self.graph.by_id[e.dst]
                if end.group == "leaf" and end.id.removesuffix(SUFFIX) in self.graph.by_id:
                    of = self.graph.by_id[end.id.removesuffix(SUFFIX)]
                    (leaves if of.kind in ("param", "buffer", "const") else shapes).append(end)
                elif e.dst not in inside:
                    shapes.append(end if end.kind != "grad" else node)
        if single and len(leaves) <= LISTED:
            for leaf in dict.fromkeys(leaf.id for leaf in leaves):
                lines.extend(folded_lines(self.graph, self.graph.by_id[leaf], self.call.id if self.call else ""))
        elif leaves:
            count = sum(leaf.numel for leaf in {leaf.id: leaf for leaf in leaves}.values())
            lines.append((f"{count:,} gradients", "param"))
        if shapes and "shape" in self.graph.look.show:
            lines.append((shape_text(shapes[-1].shape), "shape"))
        marks = sorted({m.partition(" 1")[0].partition(" 2")[0] for n in self.inside for m in n.marks})
        lines.extend((cut(mark_text(m)), "mark") for m in marks[:3])
        return lines

    @property
    def tip(self) -> str:
        """The text of the tooltip."""
        return tip(self.node) if self.node is not None else f"∂ {self.title}"
