"""The graph of a tensor that is already computed, read from the nodes that the engine recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.profiler import profile
from tinygrad_lite.viz.capture.backward import backward_of
from tinygrad_lite.viz.capture.builder import LESSON, Builder
from tinygrad_lite.viz.capture.cost import flops_of, saved_bytes
from tinygrad_lite.viz.capture.gradients import add_gradients
from tinygrad_lite.viz.capture.profiled import write_steps
from tinygrad_lite.viz.capture.source import literal_at, short
from tinygrad_lite.viz.model import Graph, GraphEdge, GraphNode, Look, Unknown, measures


def walk(
    target: Any, names: Mapping[int, tuple[str, str]], look: Look, graph: str, known: profile | None = None
) -> Graph:  # fmt: skip
    """Return the graph behind one tensor or several, with the measurements of the profile ``known``."""
    outs = [target] if isinstance(target, Tensor) else [t for t in target if isinstance(t, Tensor)]
    builder = Builder(names, measures(look))
    steps = ordered([t.node for t in outs if t.node is not None])
    arrays = known_arrays(steps, outs)
    lesson = len(steps) <= LESSON and all(s.shape == () for s in steps)
    grads = lesson or graph != "forward" or "grad" in builder.wants
    if grads or {"value", "stats"} & builder.wants:
        compute(steps, arrays)
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
    notes: tuple[str, ...] = ()
    if grads and any(t.tracked for t in outs):
        freed = [s for s in steps if s.saved is None]
        try:
            for step in freed:
                step.saved = rebuilt(step, arrays)
            notes = add_gradients(builder, outs)
        finally:
            for step in freed:
                step.saved = None
    if known is not None:
        ops = [(node, builder.steps[node.id].seq) for node in builder.nodes if node.id in builder.steps]
        notes = (*notes, *write_steps(ops, known))
    builder.finish()
    whole = Graph(builder.nodes, builder.edges, [], look, notes)
    return whole if graph == "forward" else backward_of(whole, graph == "both")


def ordered(roots: list[Any]) -> list[Any]:
    """Return every recorded node behind ``roots``, in the order of recording."""
    seen: set[Any] = set()
    stack = list(roots)
    while stack:
        step = stack.pop()
        if step not in seen:
            seen.add(step)
            stack.extend(p for p in step.inputs if isinstance(p, Node))
    return sorted(seen, key=lambda n: n.seq)


# ------------------------------------------------------------------------------------------------ the numbers
def known_arrays(steps: list[Any], outs: list[Tensor]) -> dict[Any, Any]:
    """Return the results that are still known: saved by their own node, or by a node that used them."""
    found: dict[Any, Any] = {t.node: t.array for t in outs if t.node is not None}
    for step in steps:
        for word, value in zip(step.op.saved_names, step.saved or (), strict=False):
            if word == "y":
                found.setdefault(step, value)
            elif word == step.op.sequence:
                for p, part in zip(step.inputs, value, strict=False):
                    if isinstance(p, Node):
                        found.setdefault(p, part)
            elif word in step.op.arrays:
                p = step.inputs[step.op.arrays.index(word)]
                if isinstance(p, Node) and hasattr(value, "shape"):
                    found.setdefault(p, value)
    return found


def arguments(step: Any, arrays: Mapping[Any, Any]) -> list[Any]:
    """Return the values of all arguments of a recorded node; `Unknown` for a number that was not kept."""
    saved = dict(zip(step.op.saved_names, step.saved or (), strict=False))
    options = iter(step.options)

    def value(p: Any, param: str) -> Any:
        if isinstance(p, Node):
            return arrays.get(p, Unknown)
        if p is not None:
            return p.array
        if param in saved:
            return saved[param]
        number = literal_at(*step.source) if step.source is not None and len(step.inputs) == 2 else None
        return step.op.defaults.get(param, Unknown) if number is None else number

    out: list[Any] = []
    for param in step.op.params:
        if param == step.op.sequence:
            kept = saved.get(param)
            out.append([value(p, "") if p is not None or kept is None else kept[k] for k, p in enumerate(step.inputs)])
        elif param in step.op.arrays:
            out.append(value(step.inputs[step.op.arrays.index(param)], param))
        else:
            out.append(next(options, Unknown))
    return out


def compute(steps: list[Any], arrays: dict[Any, Any]) -> None:
    """Recompute the missing results whose arguments are all known."""
    with np.errstate(all="ignore"):
        for step in steps:
            if step in arrays:
                continue
            if step.op.is_pick:
                whole = arrays.get(step.inputs[0])
                if whole is not None:
                    arrays[step] = whole[step.op.index]
                continue
            values = arguments(step, arrays)
            flat = [v for value in values for v in (value if isinstance(value, list) else [value])]
            if not any(v is Unknown for v in flat):
                result = step.op.forward(*values)
                arrays[step] = result if isinstance(result, tuple) else np.asarray(result, step.dtype)


def rebuilt(step: Any, arrays: Mapping[Any, Any]) -> tuple[Any, ...] | None:
    """Recompute what a freed node had saved; None if an argument is no longer known."""
    values = dict(zip(step.op.params, arguments(step, arrays), strict=True)) if not step.op.is_pick else {}
    out: list[Any] = []
    for word in step.op.saved_names:
        if word == "y":
            value = arrays.get(step, Unknown)
        elif word in values:
            value = values[word]
        else:
            whole = values[word.removesuffix("_shape")]
            value = [np.shape(v) for v in whole] if isinstance(whole, list) else np.shape(whole)
        if value is Unknown or isinstance(value, list) and any(v is Unknown for v in value):
            return None
        out.append(value)
    return tuple(out)


# ------------------------------------------------------------------------------------------------ the nodes
def place(builder: Builder, step: Any) -> tuple[str, int]:
    """Return the graph node and output index of a recorded node."""
    if step.op.is_pick:
        return builder.made[id(step.inputs[0])][0], step.op.index
    return builder.made[id(step)]


def add(builder: Builder, step: Any, arrays: Mapping[Any, Any]) -> None:
    """Add the graph node of one recorded node."""
    op = step.op
    if op.is_pick:
        return
    several = isinstance(step.dtype, tuple)
    shape, dtype = (step.shape[0], step.dtype[0]) if several else (step.shape, step.dtype)
    node = GraphNode(
        builder.numbered("", op.name), "op", op=op.name, label=op.label, group=op.kind, shape=tuple(shape),
        dtype=str(dtype), requires_grad=True, saved_bytes=saved_bytes(step, builder.names),
    )  # fmt: skip
    node.bytes = node.numel * dtype.itemsize
    if step.source is not None:
        code, offset = step.source
        node.source = f"{short(code.co_filename)}:{line_number(code, offset)}"
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (param, value) in enumerate(zip(op.params, arguments(step, arrays), strict=True)):
        if param == op.sequence:
            for k, (p, part) in enumerate(zip(step.inputs, value, strict=True)):
                argument(builder, node, k, p, part)
            continue
        p = step.inputs[op.arrays.index(param)] if param in op.arrays else None
        argument(builder, node, i, p, value, param)
        if p is not None or hasattr(value, "shape"):
            shapes[param] = tuple((value if p is None else p).shape)
    if step in arrays:
        builder.measure(node, arrays[step][0] if several else arrays[step])
    try:
        node.flops = flops_of(op, shapes, node.shape, node.attrs)
    except (TypeError, IndexError, AttributeError):
        node.flops = 0  # the formula needs a shape that was not recorded
    builder.nodes.append(node)
    builder.keep(step, (node.id, 0))
    builder.steps[node.id] = step


def argument(builder: Builder, node: GraphNode, position: int, p: Any, value: Any, param: str = "") -> None:
    """Add the edge of a recorded argument, or store a plain value among the options."""
    if p is not None:
        src, out = place(builder, p) if isinstance(p, Node) else builder.origin(p)
        builder.edges.append(GraphEdge(src, node.id, out, position, tuple(p.shape)))
    elif hasattr(value, "shape") and value.shape:
        builder.argument(node, position, value)
    elif param and value is not None:
        node.attrs[param] = value.item() if isinstance(value, np.ndarray) else value


def line_number(code: Any, offset: int) -> int:
    """Return the line of an instruction."""
    start = code.co_firstlineno
    for first, last, line in code.co_lines():
        if first <= offset < last:
            return int(line or start)
    return int(start)
