"""The graph of a tensor that is already computed: read off the steps the engine recorded for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinygrad_lite.graph import Node
from tinygrad_lite.tensor import Tensor
from tinygrad_lite.viz.builder import Builder
from tinygrad_lite.viz.cost import flops_of, saved_bytes
from tinygrad_lite.viz.model import Graph, GraphEdge, GraphNode, Look
from tinygrad_lite.viz.source import short


def walk(target: Any, names: Mapping[int, tuple[str, str]], look: Look, graph: str) -> Graph:
    """Return the graph under one tensor or several."""
    outs = [target] if isinstance(target, Tensor) else [t for t in target if isinstance(t, Tensor)]
    builder = Builder(names, look.show)
    steps = ordered([t.node for t in outs if t.node is not None])
    arrays = known_arrays(steps, outs)
    for step in steps:
        add(builder, step, arrays)
    for t in outs:
        if t.node is not None:
            builder.keep(t, place(builder, t.node))
        name, _ = builder.names.get(id(t), ("", ""))
        src, out = builder.origin(t)
        node = GraphNode(
            builder.unique(name or "output"), "output", label=name or "output", shape=tuple(t.array.shape),
            dtype=str(t.array.dtype), requires_grad=t.tracked,
        )  # fmt: skip
        builder.measure(node, t.array)
        builder.nodes.append(node)
        builder.edges.append(GraphEdge(src, node.id, out, 0, node.shape))
    builder.finish()
    return Graph(builder.nodes, builder.edges, [], look)


def ordered(roots: list[Any]) -> list[Any]:
    """Return every step under ``roots`` in the order of recording."""
    seen: set[Any] = set()
    stack = list(roots)
    while stack:
        step = stack.pop()
        if step not in seen:
            seen.add(step)
            stack.extend(p for p in step.inputs if type(p) is Node)
    return sorted(seen, key=lambda n: n.seq)


def known_arrays(steps: list[Any], outs: list[Tensor]) -> dict[Any, Any]:
    """Return the result of every step whose result is still known: saved by itself, or by a step that used it."""
    found: dict[Any, Any] = {t.node: t.array for t in outs if t.node is not None}
    for step in steps:
        for word, value in zip(step.op.saved_names, step.saved or (), strict=False):
            if word == "y":
                if not isinstance(value, tuple):
                    found.setdefault(step, value)
            elif word == step.op.sequence:
                for p, part in zip(step.inputs, value, strict=False):
                    if type(p) is Node:
                        found.setdefault(p, part)
            elif word in step.op.arrays:
                p = step.inputs[step.op.arrays.index(word)]
                if type(p) is Node and hasattr(value, "shape"):
                    found.setdefault(p, value)
    return found


def place(builder: Builder, step: Any) -> tuple[str, int]:
    """Return the node and output that a step stands for."""
    if step.op.is_pick:
        return builder.made[id(step.inputs[0])][0], step.op.index
    return builder.made[id(step)]


def add(builder: Builder, step: Any, arrays: Mapping[Any, Any]) -> None:
    """Add the node of one recorded step."""
    op = step.op
    if op.is_pick:
        return
    several = isinstance(step.dtype, tuple)
    shape, dtype = (step.shape[0], step.dtype[0]) if several else (step.shape, step.dtype)
    node = GraphNode(
        builder.numbered("", op.name), "op", op=op.name, label=op.label, group=op.kind, shape=tuple(shape),
        dtype=str(dtype), requires_grad=True, saved_bytes=saved_bytes(step),
    )  # fmt: skip
    node.bytes = node.numel * dtype.itemsize
    if step.source is not None:
        code, offset = step.source
        node.source = f"{short(code.co_filename)}:{line_number(code, offset)}"
    shapes: dict[str, tuple[int, ...]] = {}
    options = iter(step.options)
    saved = dict(zip(op.saved_names, step.saved or (), strict=False))
    for i, param in enumerate(op.params):
        if param == op.sequence:
            for k, p in enumerate(step.inputs):
                if p is not None:
                    argument(builder, node, k, p)
        elif param in op.arrays:
            p = step.inputs[op.arrays.index(param)]
            value = saved.get(param)
            if p is not None:
                argument(builder, node, i, p)
                shapes[param] = tuple(p.shape)
            elif hasattr(value, "shape") and value.shape:
                builder.argument(node, i, value)
                shapes[param] = tuple(value.shape)
            elif value is not None:
                node.attrs[param] = value.item() if hasattr(value, "item") else value
        else:
            node.attrs[param] = next(options)
    if step in arrays:
        builder.measure(node, arrays[step])
    try:
        node.flops = flops_of(op, shapes, node.shape, node.attrs)
    except (TypeError, IndexError, AttributeError):
        node.flops = 0  # the formula needs a shape that was not recorded
    builder.nodes.append(node)
    builder.keep(step, (node.id, 0))


def argument(builder: Builder, node: GraphNode, position: int, p: Any) -> None:
    """Add the edge from a step or leaf that was recorded as an argument."""
    src, out = place(builder, p) if type(p) is Node else builder.origin(p)
    builder.edges.append(GraphEdge(src, node.id, out, position, tuple(p.shape)))


def line_number(code: Any, offset: int) -> int:
    """Return the line of an instruction."""
    start = code.co_firstlineno
    for first, last, line in code.co_lines():
        if first <= offset < last:
            return int(line or start)
    return int(start)
