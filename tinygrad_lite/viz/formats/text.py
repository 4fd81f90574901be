"""The graph as a readable program: one line per op, modules indented, parameters in brackets."""

from __future__ import annotations

from tinygrad_lite.viz.model import Graph, GraphNode
from tinygrad_lite.viz.scene.boxes import colour_lines, extra_options, mark_text, number_lines
from tinygrad_lite.viz.scene.view import View, view_of
from tinygrad_lite.viz.words import dtype_text, number_text, option_text, plain, shape_text


def to_text(graph: Graph) -> str:
    """Return the whole graph as text; equal consecutive parts are written once."""
    view = view_of(graph)
    names = register_names(graph)
    lines = [f"# {plain(graph.look.title)}"] if graph.look.title else []
    inputs = [n for n in graph.nodes if n.kind == "input"]
    for n in inputs:
        lines.append(f"input {plain(n.id)}  {kind_of(n)}{marks_of(n)}")
    work: list[tuple[str, str, int]] = [("group", "", -1)]
    titled: dict[str, str] = {}
    while work:
        kind, id, depth = work.pop()
        if kind == "group":
            group = view.groups[id]
            if group.kind in ("call", "repeat") and id:
                lines.append("  " * depth + plain(titled.get(id) or group.title))
            inner = depth + (group.kind in ("call", "repeat"))
            items = group.items
            if group.repeat > 1:
                only = items[0]
                items = items[: group.period]
                if group.period == 1 and only[0] == "group":
                    titled[only[1]] = group.title
                    lines.pop()
                    inner = depth
            work.extend((k, i, inner) for k, i in reversed(items))
            continue
        node = view.boxes[id].node
        if node.kind in ("op", "grad"):
            lines.extend(op_lines(graph, view, node, names, depth))
        elif node.kind == "output":
            edge = graph.arguments[id][0]
            word = "return" if node.label.startswith("output") else f"return {plain(node.label)} ="
            lines.append("  " * depth + f"{word} {value_of(edge.src, edge.out_index, names)}")
    lines.extend(f"# {plain(note)}" for note in graph.notes)
    return "\n".join(map(plain, lines))


def register_names(graph: Graph) -> dict[str, str]:
    """Return the short name ``%k`` of the k-th op, in the order of execution."""
    ops = [n.id for n in graph.nodes if n.kind in ("op", "grad")]
    return {id: f"%{k}" for k, id in enumerate(ops, 1)}


def kind_of(node: GraphNode) -> str:
    """Return shape and dtype."""
    return f"{shape_text(node.shape)} {dtype_text(node.dtype)}" if node.dtype else ""


def marks_of(node: GraphNode) -> str:
    """Return the warnings of a node."""
    return "".join(f"  {mark_text(m)}" for m in node.marks)


def value_of(src: str, out: int, names: dict[str, str]) -> str:
    """Return how the program names one result of a node."""
    name = names.get(src, plain(src))
    return f"{name}[{out}]" if out else name


def op_lines(graph: Graph, view: View, node: GraphNode, names: dict[str, str], depth: int) -> list[str]:
    """Return the line of one op, headed by its module if the module is nothing but this op."""
    pad = "  " * depth
    lines: list[str] = []
    call = node.call
    if call and call not in view.groups:
        lines.append(pad + plain(graph.title_of(call)))
        pad += "  "
    used, params = [], []
    for edge in graph.arguments[node.id]:
        leaf = graph.by_id[edge.src]
        if leaf.kind in ("param", "buffer", "const") and (leaf.shape or leaf.kind != "const") and leaf.call:
            params.append(f"{plain(leaf.id)} {kind_of(leaf)}{marks_of(leaf)}")
        elif leaf.kind == "const" and leaf.value is not None and not leaf.shape:
            used.append(number_text(leaf.value))
        else:
            used.append(value_of(edge.src, edge.out_index, names))
    used.extend(f"{k}={option_text(v)}" for k, v in extra_options(node).items())
    if node.kind == "grad" and not node.op:
        what = f"{plain(node.label)}({', '.join(used)})" if used else plain(node.label)
    else:
        what = f"{'∂' if node.kind == 'grad' else ''}{node.op}({', '.join(used)})"
    text = f"{pad}{names[node.id]} = {what}"
    if params:
        text += f"  [{', '.join(params)}]"
    show = [word for word in graph.look.show if word not in ("shape", "dtype", "value")]
    numbers = [t for t, role in [*number_lines(node, show), *colour_lines(graph, node)] if role == "note"]
    if node.grad is not None and not isinstance(node.grad, list):
        value = "" if node.value is None else f"value {number_text(node.value)} | "
        numbers.append(f"{value}grad {number_text(node.grad)}")
    text += f"  {kind_of(node)}{'  ' + '  '.join(numbers) if numbers else ''}{marks_of(node)}"
    lines.append(text)
    return lines
