"""The text of a tooltip: everything known about a node."""

from __future__ import annotations

from tinygrad_lite.viz.model import GraphNode
from tinygrad_lite.viz.scene.boxes import NOUNS, mark_text
from tinygrad_lite.viz.words import bytes_text, count_text, number_text, option_text, shape_text, time_text


def tip(node: GraphNode) -> str:
    """Return the lines of a tooltip."""
    what = f"op {node.op}" if node.kind == "op" else NOUNS.get(node.kind, node.kind)
    lines = [node.id, f"{what}  {shape_text(node.shape)} {node.dtype}"]
    lines.extend(f"{name} = {option_text(value)}" for name, value in node.attrs.items())
    if node.kind == "param" and not node.requires_grad:
        lines.append("frozen: gets no gradient")
    if node.value is not None and not isinstance(node.value, list):
        lines.append(f"value {number_text(node.value, 8)}")
    if node.grad is not None and not isinstance(node.grad, list):
        lines.append(f"gradient {number_text(node.grad, 8)}")
    for name, number in (node.stats or {}).items():
        lines.append(f"{name} {number_text(number, 6)}")
    if node.kind == "op":
        lines.append(f"{count_text(node.flops, 'FLOP')}, output {bytes_text(node.bytes)}")
        if node.saved_bytes:
            lines.append(f"keeps {bytes_text(node.saved_bytes)} for backward")
    if node.measured is not None:
        m = node.measured
        lines.append(f"forward {time_text(m.forward)}, backward {time_text(m.backward)}, together {time_text(m.time)}")
        lines.append(f"mean of {m.calls:,} call{'s' * (m.calls != 1)}, makes {bytes_text(round(m.bytes))}")
        if m.shape != node.shape:
            lines.append(f"measured with output {shape_text(m.shape)}")
    elif node.time is not None:
        lines.append(time_text(node.time))
    if node.source:
        lines.append(node.source)
    lines.extend(map(mark_text, node.marks))
    return "\n".join(lines)
