"""Build a graph: ids from names, leaves next to their users, one edge per argument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isinf
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.viz.capture.cost import flops_of
from tinygrad_lite.viz.capture.nested import tensors_in
from tinygrad_lite.viz.capture.values import kept, statistics, trouble
from tinygrad_lite.viz.model import GraphCall, GraphEdge, GraphNode

Names = Mapping[int, tuple[str, str]]
"""Names of known tensors and arrays: id of the object -> (name, kind of node)."""


LESSON = 1000
"""Scalar expressions with up to this many ops show value and gradient in every node."""


def indices(value: Any) -> Iterator[Any]:
    """Yield the arrays in an index, or in the path of a write."""
    for part in value if isinstance(value, (tuple, list)) else ():
        if isinstance(part, (Tensor, np.ndarray)):
            yield part
        else:
            yield from indices(getattr(part, "options", part))


def dtype_of(value: Any) -> str:
    """Return the name of the dtype of a tensor or an array."""
    return str(value.array.dtype if isinstance(value, Tensor) else value.dtype)


class Builder:
    """Collects nodes, edges and calls; gives nodes ids that are the same in every run.

    ``wants``: the words of ``show=`` that need numbers. ``names``: see `Names`.
    """

    def __init__(self, names: Names, wants: Iterable[str] = ()) -> None:
        self.names, self.wants = names, frozenset(wants)
        self.nodes: list[GraphNode] = []
        self.leaves: list[GraphNode] = []
        self.edges: list[GraphEdge] = []
        self.calls: list[GraphCall] = []
        self.taken: dict[str, int] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.made: dict[int, tuple[str, int]] = {}
        self.alive: list[Any] = []  # keeps objects alive, since Python reuses the id of a deleted one
        self.ill: dict[str, str] = {}
        self.masks: set[str] = set()  # leaves that say which positions do not count, by -inf
        self.records: dict[str, Any] = {}  # the engine's node behind each graph node, during the capture
        self.sources: dict[str, Tensor] = {}  # the tensor behind each leaf that a gradient reaches
        self.cut: list[tuple[GraphEdge, Any]] = []  # edges of values that pass no gradient on, with the value

    def unique(self, id: str) -> str:
        """Return ``id``, with a number appended if it is taken."""
        count = self.taken.get(id, 0) + 1
        self.taken[id] = count
        return id if count == 1 else self.unique(f"{id}~{count}")

    def numbered(self, call: str, name: str) -> str:
        """Return ``call/name.k`` for the k-th op of that name in that call."""
        key = (call, name)
        k = self.counts[key] = self.counts.get(key, 0) + 1
        return self.unique(f"{call}/{name}.{k}" if call else f"{name}.{k}")

    def keep(self, thing: Any, place: tuple[str, int]) -> None:
        """Remember which node an object is the result of."""
        self.made[id(thing)] = place
        self.alive.append(thing)

    # ------------------------------------------------------------------------------------ leaves
    def origin(self, value: Any) -> tuple[str, int]:
        """Return the node (and output) that ``value`` comes from; a new leaf if it is unknown."""
        place = self.made.get(id(value))
        if place is None and isinstance(value, Tensor):
            # the same array in another Tensor: detached, or unwrapped and wrapped again
            place = self.made.get(id(value.array))
        if place is None:
            return self.leaf(value)
        if place[0] not in self.sources and isinstance(value, Tensor) and value.tracked and value.node is None:
            for leaf in self.leaves:  # seen first without its gradient
                if leaf.id == place[0]:
                    leaf.requires_grad, self.sources[leaf.id] = True, value
        return place

    def leaf(self, value: Any) -> tuple[str, int]:
        """Add a leaf: a value that no traced op produced."""
        known = isinstance(value, Tensor)
        name, kind = self.names.get(id(value)) or (known and self.names.get(id(value.array))) or ("", "")
        tracked = known and value.tracked
        if not kind:
            kind = "param" if tracked and value.node is None else "input" if name else "const"
        array = value.array if known else value
        id_ = self.unique(name) if name else self.numbered("", kind)
        node = GraphNode(
            id_, kind, label=name or kind, shape=tuple(array.shape), dtype=str(array.dtype), requires_grad=tracked,
            bytes=int(array.nbytes),
        )  # fmt: skip
        self.measure(node, array)
        if kind == "const" and node.value is None:
            node.value = kept(array)
        if self.ill.get(id_) == "inf" and not tracked and (kind == "const" or not np.isposinf(array).any()):
            self.masks.add(id_)
        self.leaves.append(node)
        if tracked and value.node is None:
            self.sources[id_] = value
        place = (id_, 0)
        self.keep(value, place)
        if known:
            self.keep(array, place)
        return place

    def measure(self, node: GraphNode, array: Any) -> None:
        """Store the requested numbers of an array, and whether it has a NaN or infinity."""
        if array.size == 1 or "value" in self.wants:
            node.value = kept(array)
        if "stats" in self.wants:
            node.stats = statistics(array)
        ill = trouble(array)
        if ill:
            self.ill[node.id] = ill

    # ------------------------------------------------------------------------------------ ops
    def add_op(self, op: Any, args: tuple[Any, ...], result: Any, call: str) -> GraphNode:
        """Add a node for one call of ``op``, and an edge for every tensor or array among its arguments.

        ``result`` is None if the op failed.
        """
        node = GraphNode(self.numbered(call, op.name), "op", op=op.name, label=op.label, group=op.kind, call=call)
        if result is not None:
            node.shape, node.dtype, node.bytes = tuple(result.shape), dtype_of(result), int(result.nbytes)
        shapes: dict[str, tuple[int, ...]] = {}
        for param, value in zip(op.params, args, strict=False):
            if param == op.sequence:
                for i, part in enumerate(value):
                    self.argument(node, i, part)
                    shapes[f"{param}.{i}"] = np.shape(part)
            elif isinstance(value, (Tensor, np.ndarray)):
                # options too: class indices and positions are computed as well
                self.argument(node, op.params.index(param), value)
                shapes[param] = tuple(value.shape)
            elif param not in op.arrays or value is not None:
                node.attrs[param] = value
                for index in indices(value):
                    if id(index) in self.made:  # positions that were computed
                        self.edge(node, op.params.index(param), index, "index")
        if result is not None:
            node.flops = flops_of(op, shapes, node.shape, node.attrs)
        self.nodes.append(node)
        return node

    def argument(self, node: GraphNode, position: int, value: Any) -> None:
        """Add the edge of one argument."""
        if isinstance(value, (Tensor, np.ndarray)):
            self.edge(node, position, value)

    def edge(self, node: GraphNode, position: int, value: Any, name: str = "") -> None:
        """Add the edge from a value to ``node``."""
        src, out = self.origin(value)
        edge = GraphEdge(src, node.id, out, position, tuple(value.shape), name)
        self.edges.append(edge)
        if not (isinstance(value, Tensor) and value.tracked and (value.node is not None or src in self.sources)):
            self.cut.append((edge, value))

    # ------------------------------------------------------------------------------------ finishing
    def outputs(self, result: Any) -> list[tuple[str, Any]]:
        """Add an output node for every tensor in a result, however nested; returns (id, tensor)."""
        found: list[tuple[str, Any]] = []
        for name, value in tensors_in("output", result):
            node = GraphNode(
                self.unique(name), "output", label=name, shape=tuple(value.shape), dtype=dtype_of(value),
                requires_grad=bool(getattr(value, "tracked", False)),
            )  # fmt: skip
            self.measure(node, value.array if isinstance(value, Tensor) else value)
            self.nodes.append(node)
            self.edge(node, 0, value)
            found.append((node.id, value))
        return found

    def scalar(self) -> bool:
        """Whether the whole computation is a small one of scalars only."""
        ops = [n for n in self.nodes if n.kind == "op"]
        return 0 < len(ops) <= LESSON and all(n.numel == 1 for n in (*self.leaves, *ops))

    def detach(self) -> None:
        """Add a node wherever a value is used without its gradient, as by ``detach()``."""
        known = {n.id: n for n in (*self.leaves, *self.nodes)}
        made: dict[Any, GraphNode] = {}
        before: dict[str, list[GraphNode]] = {}
        for edge, value in self.cut:
            source, user = known[edge.src], known[edge.dst]
            if not source.requires_grad or edge.name:
                continue
            key = edge.src, edge.out_index, id(value)
            node = made.get(key)
            if node is None:
                node = made[key] = GraphNode(
                    self.numbered(user.call, "detach"), "op", op="detach", label="detach", shape=edge.shape,
                    dtype=dtype_of(value), call=user.call, group="shape",
                )  # fmt: skip
                self.measure(node, value.array if isinstance(value, Tensor) else value)
                before.setdefault(user.id, []).append(node)
                self.edges.append(GraphEdge(edge.src, node.id, edge.out_index, 0, edge.shape))
            edge.src, edge.out_index = node.id, 0
        self.nodes = [n for node in self.nodes for n in (*before.get(node.id, ()), node)]

    def finish(self) -> None:
        """Put the leaves before the ops, each in the innermost call that all its users share."""
        self.detach()
        path: dict[str, tuple[str, ...]] = {"": ()}
        for call in self.calls:
            path[call.id] = (*path[call.parent], call.id)
        shared: dict[str, tuple[str, ...]] = {}
        where = {node.id: node.call for node in self.nodes}
        for edge in self.edges:
            users = path[where[edge.dst]]
            before = shared.get(edge.src, users)
            shared[edge.src] = tuple(a for a, b in zip(before, users, strict=False) if a == b)
        for leaf in self.leaves:
            if leaf.kind != "input":
                leaf.call = (shared.get(leaf.id) or ("",))[-1]
        self.mark_first_trouble()
        self.nodes = self.leaves + self.nodes

    def mark_first_trouble(self) -> None:
        """Mark the first NaN and the first infinity of the whole computation.

        An infinity that was written down, as in a causal mask, is none, nor are those that it leads to.
        """
        meant = set(self.masks)
        used: dict[str, list[str]] = {}
        for edge in self.edges:
            used.setdefault(edge.dst, []).append(edge.src)
        left = {"NaN", "inf"} & set(self.ill.values())
        for node in (*self.leaves, *self.nodes):
            word = self.ill.get(node.id)
            if word == "inf" and (
                not meant.isdisjoint((node.id, *used.get(node.id, ())))
                or any(isinstance(v, float) and isinf(v) for v in node.attrs.values())
            ):
                meant.add(node.id)
            elif word in left:
                node.marks = (*node.marks, f"first {word}")
                left.discard(word)
