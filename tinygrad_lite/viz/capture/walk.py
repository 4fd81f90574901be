"""The graph of a tensor that is already computed, read from the nodes that the engine recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_lite.engine.call import RESULTS
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.profiler import profile
from tinygrad_lite.viz.capture.backward import backward_of
from tinygrad_lite.viz.capture.builder import LESSON, Builder
from tinygrad_lite.viz.capture.cost import flops_of, saved_bytes
from tinygrad_lite.viz.capture.gradients import add_gradients
from tinygrad_lite.viz.capture.profiled import write_recorded
from tinygrad_lite.viz.capture.source import literal_at, short
from tinygrad_lite.viz.model import Graph, GraphEdge, GraphNode, Look, Unknown, measures


def walk(
    target: Any, names: Mapping[int, tuple[str, str]], look: Look, graph: str, known: profile | None = None
) -> Graph:  # fmt: skip
    """Return the graph behind one tensor or several, with the measurements of the profile ``known``."""
    outs = [target] if isinstance(target, Tensor) else [t for t in target if isinstance(t, Tensor)]
    builder = Builder(names, measures(look))
    records = ordered([t.node for t in outs if t.node is not None])
    arrays = known_arrays(records, outs)
    lesson = len(records) <= LESSON and all(s.shape == () for s in records)
    grads = lesson or graph != "forward" or "grad" in builder.wants
    if grads or {"value", "stats"} & builder.wants:
        compute(records, arrays)
    for record in records:
        add(builder, record, arrays)
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
        freed = [s for s in records if s.saved is None]
        try:
            for record in freed:
                record.saved = rebuilt(record, arrays)
            notes = add_gradients(builder, outs)
        finally:
            for record in freed:
                record.saved = None
    if known is not None:
        ops = [(node, builder.records[node.id].seq) for node in builder.nodes if node.id in builder.records]
        notes = (*notes, *write_recorded(ops, known))
    builder.finish()
    whole = Graph(builder.nodes, builder.edges, [], look, notes)
    return whole if graph == "forward" else backward_of(whole, graph == "both")


def ordered(roots: list[Any]) -> list[Any]:
    """Return every recorded node behind ``roots``, in the order of recording."""
    seen: set[Any] = set()
    stack = list(roots)
    while stack:
        record = stack.pop()
        if record not in seen:
            seen.add(record)
            stack.extend(p for p in record.inputs if isinstance(p, Node))
    return sorted(seen, key=lambda n: n.seq)


# ------------------------------------------------------------------------------------------------ the numbers
def known_arrays(records: list[Any], outs: list[Tensor]) -> dict[Any, Any]:
    """Return the results that are still known: saved by their own node, or by a node that used them."""
    found: dict[Any, Any] = {t.node: t.array for t in outs if t.node is not None}
    for record in records:
        for word, value in zip(record.op.saved_names, record.saved or (), strict=False):
            if word == "y":
                found.setdefault(record, value)
            elif word == record.op.sequence:
                for p, part in zip(record.inputs, value, strict=False):
                    if isinstance(p, Node):
                        found.setdefault(p, part)
            elif word in record.op.arrays:
                p = record.inputs[record.op.arrays.index(word)]
                if isinstance(p, Node) and hasattr(value, "shape"):
                    found.setdefault(p, value)
    return found


def arguments(record: Any, arrays: Mapping[Any, Any]) -> list[Any]:
    """Return the values of all arguments of a recorded node; `Unknown` for a number that was not kept."""
    saved = dict(zip(record.op.saved_names, record.saved or (), strict=False))
    options = iter(record.options)

    def value(p: Any, param: str) -> Any:
        if isinstance(p, Node):
            return arrays.get(p, Unknown)
        if p is not None:
            return p.array
        if param in saved:
            return saved[param]
        number = literal_at(*record.source) if record.source is not None and len(record.inputs) == 2 else None
        return record.op.defaults.get(param, Unknown) if number is None else number

    out: list[Any] = []
    for param in record.op.params:
        if param == record.op.sequence:
            kept = saved.get(param)
            out.append(
                [value(p, "") if p is not None or kept is None else kept[k] for k, p in enumerate(record.inputs)]
            )
        elif param in record.op.arrays:
            out.append(value(record.inputs[record.op.arrays.index(param)], param))
        else:
            out.append(next(options, Unknown))
    return out


def compute(records: list[Any], arrays: dict[Any, Any]) -> None:
    """Recompute the missing results whose arguments are all known."""
    with np.errstate(all="ignore"):
        for record in records:
            if record in arrays:
                continue
            if record.op.is_pick:
                whole = arrays.get(record.inputs[0])
                if whole is not None:
                    arrays[record] = whole[record.op.index]
                continue
            values = arguments(record, arrays)
            flat = [v for value in values for v in (value if isinstance(value, list) else [value])]
            if not any(v is Unknown for v in flat):
                result = record.op.forward(*values)
                arrays[record] = result if isinstance(result, tuple) else np.asarray(result, record.dtype)


def rebuilt(record: Any, arrays: Mapping[Any, Any]) -> tuple[Any, ...] | None:
    """Recompute what a freed node had saved; None if an argument is no longer known."""
    values = dict(zip(record.op.params, arguments(record, arrays), strict=True)) if not record.op.is_pick else {}
    out: list[Any] = []
    for word in record.op.saved_names:
        if word in RESULTS and word not in values:
            value = arrays.get(record, Unknown)
            if RESULTS[word] is not None and value is not Unknown:
                value = value[RESULTS[word]]
        elif word in values:
            value = values[word]
        else:
            name, of = word.rsplit("_", 1)
            whole = values[name]
            if of == "dtype":
                value = np.result_type(whole)
            else:
                value = [np.shape(v) for v in whole] if isinstance(whole, list) else np.shape(whole)
        if value is Unknown or isinstance(value, list) and any(v is Unknown for v in value):
            return None
        out.append(value)
    return tuple(out)


# ------------------------------------------------------------------------------------------------ the nodes
def place(builder: Builder, record: Any) -> tuple[str, int]:
    """Return the graph node and output index of a recorded node."""
    if record.op.is_pick:
        return builder.made[id(record.inputs[0])][0], record.op.index
    return builder.made[id(record)]


def add(builder: Builder, record: Any, arrays: Mapping[Any, Any]) -> None:
    """Add the graph node of one recorded node."""
    op = record.op
    if op.is_pick:
        return
    several = isinstance(record.dtype, tuple)
    shape, dtype = (record.shape[0], record.dtype[0]) if several else (record.shape, record.dtype)
    node = GraphNode(
        builder.numbered("", op.name), "op", op=op.name, label=op.label, group=op.kind, shape=tuple(shape),
        dtype=str(dtype), requires_grad=True, saved_bytes=saved_bytes(record, builder.names),
    )  # fmt: skip
    node.bytes = node.numel * dtype.itemsize
    if record.source is not None:
        code, offset = record.source
        node.source = f"{short(code.co_filename)}:{line_number(code, offset)}"
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (param, value) in enumerate(zip(op.params, arguments(record, arrays), strict=True)):
        if param == op.sequence:
            for k, (p, part) in enumerate(zip(record.inputs, value, strict=True)):
                argument(builder, node, k, p, part)
            continue
        p = record.inputs[op.arrays.index(param)] if param in op.arrays else None
        argument(builder, node, i, p, value, param)
        if p is not None or hasattr(value, "shape"):
            shapes[param] = tuple((value if p is None else p).shape)
    if record in arrays:
        builder.measure(node, arrays[record][0] if several else arrays[record])
    try:
        node.flops = flops_of(op, shapes, node.shape, node.attrs)
    except (TypeError, IndexError, AttributeError):
        node.flops = 0  # the formula needs a shape that was not recorded
    builder.nodes.append(node)
    builder.keep(record, (node.id, 0))
    builder.records[node.id] = record


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
