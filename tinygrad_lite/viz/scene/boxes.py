"""The lines of text in a box: the name of the node, and the numbers that ``show`` selects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite.engine.op import OPS
from tinygrad_lite.viz.model import Graph, GraphCall, GraphNode
from tinygrad_lite.viz.scene.numbers import in_units, name_of, numbered, sum_of
from tinygrad_lite.viz.words import (
    PAD,
    bytes_text,
    count_text,
    dtype_text,
    number_text,
    option_text,
    plain,
    shape_text,
    spoken,
    time_text,
)  # fmt: skip

Line = tuple[str, str]
"""A line of text and its role: head, op, param, shape, value, note or mark."""

WIDEST = 60
TABLE = 12
"""Matrices with at most this many rows and columns are written out."""

NOUNS = {"input": "input", "param": "parameter", "buffer": "buffer", "const": "constant", "output": "output"}


NEUTRAL = {"pads": 0, "padding": 0, "dilation": 1, "groups": 1, "ceil_mode": False}
"""Options that change nothing when they have this value."""

SIGNS = {"first": "✖", "failed": "✖", "added": "+", "removed": "−", "changed": "~"}


def cut(text: str) -> str:
    """Return ``text`` on one line, of a width that fits into a box."""
    text = plain(text)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def op_words(node: GraphNode) -> str:
    """Return symbol and name of an op: ``× mul``, ``ReLU``, ``conv``."""
    label, name = node.label or node.op, spoken(node)
    if label == node.op:
        return name
    # a sign alone may be unfamiliar
    return label if sum(c.isalpha() for c in label) > 1 else f"{label} {name}"


def said_by(title: str, node: GraphNode) -> bool:
    """Whether the title of a module already names its only op."""
    cls = title.rpartition(": ")[2].lower()
    names = {spoken(node), op_words(node)}
    return any(name.lower().replace("_", "").replace(" ", "") in cls for name in names)


def extra_options(node: GraphNode) -> dict[str, Any]:
    """Return the options of an op that differ from their defaults."""
    op = OPS.get(node.op)
    defaults = op.defaults if op is not None else {}
    return {
        k: v
        for k, v in node.attrs.items()
        if not (k in defaults and same(v, defaults[k]) or k in NEUTRAL and all(n == NEUTRAL[k] for n in flat(v)))
    }


def flat(value: Any) -> list[Any]:
    """Return the numbers in nested tuples."""
    out, work = [], [value]
    while work:
        v = work.pop()
        if isinstance(v, (tuple, list)):
            work.extend(v)
        else:
            out.append(v)
    return out


def same(a: Any, b: Any) -> bool:
    """Whether an option has its default value; arrays never have."""
    try:
        return bool(type(a) is type(b) and a == b) or type(a) is str and a == option_text(b)
    except (ValueError, TypeError):
        return False


def numbers_in(node: GraphNode) -> list[str]:
    """Return plain numbers among the arguments, as in ``x * 2``."""
    op = OPS.get(node.op)
    arrays = op.arrays if op is not None else ()
    return [option_text(v) for k, v in node.attrs.items() if k in arrays]


def box_lines(graph: Graph, node: GraphNode, title: str, folded: Sequence[tuple[GraphNode, int]]) -> list[Line]:
    """Return the lines of a node; ``title`` is the module it represents, ``folded`` its parameters."""
    show = graph.look.show
    lines: list[Line] = []
    if node.kind == "op":
        words = op_words(node)
        constants = numbers_in(node)
        if constants:
            words += f" ({', '.join(constants)})"
        lines.append((cut(title), "head") if title else (cut(words), "head"))
        call = graph.call_of.get(node.call) if title else None
        layer = call is not None and call.single  # its name says what it does
        if title and not layer and not said_by(title, node):
            lines.append((cut(words), "op"))
        if call is not None and call.detail:
            lines.extend((cut(text), "op") for text in wrapped(call.detail))
        if "attrs" in show:
            op = OPS.get(node.op)
            arrays = op.arrays if op is not None else ()
            for name, value in extra_options(node).items():
                if name not in arrays:
                    lines.append((cut(f"{name}={option_text(value)}"), "note"))
        for leaf, _ in sorted(folded, key=lambda f: f[1]):
            if layer and leaf.kind == "const" and leaf.label == "const":
                continue
            said = {mark.partition(" ")[0] for mark in node.marks}
            lines.extend(
                (text, role)
                for text, role in folded_lines(graph, leaf)
                if role != "mark" or text[2:].partition(" ")[0] not in said
            )
    else:
        lines.append((cut(title or node.label or node.id), "head"))
        if node.kind == "grad":
            used = [e.name for e in graph.arguments[node.id] if graph.by_id[e.src].kind != "grad" and e.name]
            if used:
                lines.append((cut(f"uses {', '.join(dict.fromkeys(used))}"), "op"))
        for leaf, _ in sorted(folded, key=lambda f: f[1]):
            lines.extend(folded_lines(graph, leaf))
        if node.kind in NOUNS and node.label not in (NOUNS[node.kind], node.kind):
            lines.append((NOUNS[node.kind], "op"))
    lines.extend(number_lines(node, show))
    for line in colour_lines(graph, node):
        lines.insert(len(lines) - len(node.marks), line)
    return lines


def colour_lines(graph: Graph, node: GraphNode) -> list[Line]:
    """Return the line with the number behind a colour: colour is never the only sign."""
    by = graph.look.color_by
    x = None if by is None or by == "kind" else numbered(by, graph)(node)
    return [] if x is None else [(f"{name_of(by)} {in_units(by, x)}", "note")]


def folded_lines(graph: Graph, leaf: GraphNode, module: str = "") -> list[Line]:
    """Return the lines of a parameter inside the box of its op, or of the layer ``module``."""
    label = leaf.label.removeprefix("∂ ")
    inner = label.removeprefix(f"{module.partition('#')[0]}.") if module else label
    name = inner if inner != label else label.rpartition(".")[2] or label
    if leaf.kind == "grad":
        name = f"∂ {name}"
    text = name if not leaf.shape and leaf.value is not None else f"{name} {shape_text(leaf.shape)}"
    if leaf.value is not None and not leaf.shape:
        text += f" = {number_text(leaf.value)}"
    if "dtype" in graph.look.show:
        text += f" {dtype_text(leaf.dtype)}"
    if leaf.kind == "param" and not leaf.requires_grad:
        text += " frozen"
    lines = [(cut(text), "param")]
    if leaf.shape and "value" in graph.look.show and leaf.value is not None:
        lines.extend(value_lines(leaf.value, leaf.shape))
    if "stats" in graph.look.show and leaf.stats:
        lines.append((f"mean {number_text(leaf.stats['mean'], 3)} std {number_text(leaf.stats['std'], 3)}", "note"))
    if "grad" in graph.look.show:
        lines.extend(grad_lines(leaf))
    lines.extend((mark_text(m), "mark") for m in leaf.marks)
    return lines


def number_lines(node: GraphNode, show: Sequence[str]) -> list[Line]:
    """Return the lines that ``show`` selects."""
    lines: list[Line] = []
    size = []
    if "shape" in show and node.shape:
        size.append(shape_text(node.shape))
    if "dtype" in show and node.dtype:
        size.append(dtype_text(node.dtype))
    large = isinstance(node.value, list) or isinstance(node.grad, list)
    scalar = not large and (node.value is not None or node.grad is not None)
    if size:
        lines.append((" ".join(size), "shape"))
    elif "shape" in show and not scalar and node.kind != "output" and node.dtype:
        lines.append((shape_text(node.shape), "shape"))
    if scalar:
        value: Any = node.value
        grad: Any = node.grad
        pair = "?" if value is None else number_text(value)
        if grad is not None:
            pair = f"value {pair} | grad {number_text(grad)}"
        lines.append((pair, "value"))
    else:
        if "value" in show and node.value is not None:
            lines.extend(value_lines(node.value, node.shape))
        elif "value" in show and node.kind != "grad" and node.numel > 1:
            lines.append((f"{node.numel:,} values, not shown", "note"))
        if "grad" in show:
            lines.extend(grad_lines(node))
    if "stats" in show and node.stats:
        s = node.stats
        if "min" in s:
            lines.append((f"{number_text(s['min'], 3)} … {number_text(s['max'], 3)}", "note"))
            lines.append((f"mean {number_text(s['mean'], 3)} std {number_text(s['std'], 3)}", "note"))
        if s.get("nonfinite"):
            lines.append((f"{int(s['nonfinite']):,} of {node.numel:,} not finite", "note"))
    if "flops" in show and node.flops:
        lines.append((count_text(node.flops, "FLOP"), "note"))
    if "bytes" in show and node.bytes and node.kind == "op":
        lines.append((bytes_text(node.bytes), "note"))
    if "saved" in show and node.saved_bytes:
        lines.append((f"saves {bytes_text(node.saved_bytes)}", "note"))
    if "time" in show and node.time is not None:
        lines.append((time_text(node.time), "note"))
    if "source" in show and node.source:
        lines.append((cut(node.source), "note"))
    for m in node.marks:
        where = f" at {node.source}" if m.startswith("first") and node.source else ""
        lines.append((cut(mark_text(m) + where), "mark"))
    return lines


def mark_text(mark: str) -> str:
    """Return a warning with its sign."""
    return f"{SIGNS.get(mark.partition(' ')[0], '⚠')} {mark}"


def value_lines(value: Any, shape: tuple[int, ...]) -> list[Line]:
    """Return a small vector or matrix as rows of numbers; with more axes, one matrix after another."""
    if not isinstance(value, list):
        return [(number_text(value), "value")]
    rows = value
    for _ in shape[2:]:
        rows = [row for block in rows for row in block]
    if len(shape) == 1:
        rows = [rows]
    if not rows or not rows[0]:
        return []
    high, wide = len(rows), max(map(len, rows))
    table = [[number_text(x, 3) for x in row[:TABLE]] for row in rows[:TABLE]]
    width = max(len(x) for row in table for x in row)
    more = f"{PAD}…" if wide > TABLE else ""
    lines = [(PAD.join(x.rjust(width, PAD) for x in row) + more, "value") for row in table]
    if high > TABLE or wide > TABLE:
        lines.append((f"first {min(high, TABLE)} × {min(wide, TABLE)} of {high} × {wide}", "note"))
    return lines


def grad_lines(node: GraphNode) -> list[Line]:
    """Return the line with the norm of the gradient, if it is known."""
    lines: list[Line] = []
    if node.stats and "grad_norm" in node.stats:
        lines.append((f"|grad| {number_text(node.stats['grad_norm'], 3)}", "note"))
    return lines


LISTED = 4
"""A layer with more parameters than this shows only their number."""


def closed_lines(graph: Graph, title: str, call: GraphCall | None, inside: Sequence[GraphNode]) -> list[Line]:
    """Return the lines of a collapsed group; ``call`` is None for a repeat or a stretch."""
    params: dict[str, GraphNode] = {}
    for node in inside:
        for edge in graph.arguments[node.id]:
            leaf = graph.by_id[edge.src]
            if leaf.kind == "param":
                params[leaf.id] = leaf
    single = call is not None and call.single
    lines: list[Line] = [(cut(title if single else f"▸ {title}"), "head")]
    if call is not None and call.detail:
        lines.extend((cut(text), "op") for text in wrapped(call.detail))
    if not single:
        lines.append((f"{len(inside):,} op{'s' if len(inside) != 1 else ''}", "op"))
    if single and len(params) <= LISTED and graph.look.params == "fold":
        within = {n.id for n in inside}
        for leaf in params.values():
            if not all(e.dst in within for e in graph.users[leaf.id]):
                continue  # shared with another call: it has a box of its own
            lines.extend(folded_lines(graph, leaf, call.id if call is not None else ""))
    elif params and graph.look.params != "hide":
        count = sum(p.numel for p in params.values())
        lines.append((f"{count:,} parameter{'s' if count != 1 else ''}", "param"))
    if "flops" in graph.look.show:
        lines.append((count_text(sum(n.flops for n in inside), "FLOP"), "note"))
    if "shape" in graph.look.show:
        lines.extend(outgoing(call, inside))
    total = sum_of(graph, inside)
    if total is not None and graph.look.color_by not in graph.look.show:
        lines.append((f"{name_of(graph.look.color_by)} {in_units(graph.look.color_by, total)}", "note"))
    marks = sorted({m.partition(" 1")[0].partition(" 2")[0] for n in inside for m in n.marks})
    lines.extend((cut(mark_text(m)), "mark") for m in marks[:3])
    return lines


def wrapped(text: str, width: int = 34) -> list[str]:
    """Return words in lines of at most ``width`` characters where they fit.

    >>> wrapped("kernel_size=3 stride=2 padding=1 groups=4")
    ['kernel_size=3 stride=2 padding=1', 'groups=4']
    """
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def outgoing(call: GraphCall | None, inside: Sequence[GraphNode]) -> list[Line]:
    """Return the lines with the shapes of a module's outputs; of anything else the last op's."""
    if call is not None and call.outputs:
        several = len(call.outputs) > 1
        shown = [f"{name} {shape_text(shape)}" if several else shape_text(shape) for name, shape in call.outputs]
        lines = [(cut(text), "shape") for text in shown[:LISTED]]
        return lines if len(shown) <= LISTED else [*lines, (f"and {len(shown) - LISTED} more", "shape")]
    return [(shape_text(inside[-1].shape), "shape")] if inside and call is None else []
