"""`summary`: the table of layers with output shape, parameters, FLOPs and bytes, and the totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.trace import trace
from tinygrad_lite.viz.words import bytes_text, count_text, plain, shape_text

HEADS = ("Layer (type)", "Output shape", "Parameters", "FLOPs", "Bytes")


@dataclass(frozen=True)
class Row:
    """One module call, or one op outside any module: its output shape and its cost, children included."""

    name: str
    depth: int
    shape: tuple[int, ...]
    parameters: int
    flops: int
    bytes: int


@dataclass(frozen=True)
class Summary:
    """The rows and totals that `summary` returns; ``print`` shows the table."""

    rows: tuple[Row, ...]
    totals: dict[str, int]

    def __str__(self) -> str:
        cells = [HEADS] + [
            (
                "  " * r.depth + plain(r.name), shape_text(r.shape), f"{r.parameters:,}" if r.parameters else "-",
                count_text(r.flops) if r.flops else "-", bytes_text(r.bytes),
            )
            for r in self.rows
        ]  # fmt: skip
        widths = [max(len(row[i]) for row in cells) for i in range(len(HEADS))]

        def line(row: tuple[str, ...]) -> str:
            left = f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}"
            return "  ".join([left, *(f"{c:>{w}}" for c, w in zip(row[2:], widths[2:], strict=True))]).rstrip()

        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        t = self.totals
        frozen = t["parameters"] - t["trainable"]
        return "\n".join(
            [
                line(cells[0]), rule, *map(line, cells[1:]), rule,
                f"Parameters: {t['parameters']:,} (trainable {t['trainable']:,}, frozen {frozen:,})",
                f"FLOPs, one forward pass: {count_text(t['flops'])}",
                f"Bytes: results {bytes_text(t['bytes'])}, parameters {bytes_text(t['parameter_bytes'])}, "
                f"kept for backward {bytes_text(t['saved_bytes'])}",
            ]
        )  # fmt: skip

    def __repr__(self) -> str:
        return str(self)


def summary(model: Any, *inputs: Any) -> Summary:
    """Return the table of layers of one run: output shapes, parameters, FLOPs, bytes.

    A parameter is counted where it is first used; parameters that the run does not use count in the totals only. FLOPs
    are floating-point operations (a multiply-add is two), bytes are those of the results. The model is not changed.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> print(summary(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), tl.ones(2, 4)))
    Layer (type)  Output shape  Parameters  FLOPs  Bytes
    ----------------------------------------------------
    Sequential    (2, 3)                15     54   48 B
      0: Linear   (2, 3)                15     48   24 B
      1: ReLU     (2, 3)                 -      6   24 B
    ----------------------------------------------------
    Parameters: 15 (trainable 15, frozen 0)
    FLOPs, one forward pass: 54
    Bytes: results 48 B, parameters 60 B, kept for backward 56 B
    """
    graph = trace(model, *inputs)
    totals = graph.totals()
    params: dict[int, Any] = {id(p): p for p in model.parameters()} if hasattr(model, "parameters") else {}
    if params:
        totals["parameters"] = sum(p.numel() for p in params.values())
        totals["trainable"] = sum(p.numel() for p in params.values() if p.requires_grad)
        totals["parameter_bytes"] = sum(p.nbytes for p in params.values())
    else:
        totals["parameter_bytes"] = sum(n.bytes for n in graph.nodes if n.kind == "param")
    return Summary(tuple(rows_of(graph)), totals)


def rows_of(graph: Graph) -> list[Row]:
    """Return one row per module call, parents before children; an op outside any module has its own."""
    depth = {"": -1}
    costs: dict[str, list[int]] = {c.id: [0, 0, 0] for c in graph.calls}
    shape: dict[str, tuple[int, ...]] = {}
    first: dict[str, int] = {}
    parent = {c.id: c.parent for c in graph.calls}
    for call in graph.calls:
        depth[call.id] = depth[call.parent] + 1
    loose: list[tuple[int, Row]] = []
    counted: set[str] = set()
    for k, node in enumerate(graph.nodes):
        if node.kind != "op":
            continue
        params = 0
        for edge in graph.arguments[node.id]:
            leaf = graph.by_id[edge.src]
            if leaf.kind == "param" and leaf.id not in counted:
                counted.add(leaf.id)
                params += leaf.numel
        if not node.call:
            loose.append((k, Row(node.op, 0, node.shape, params, node.flops, node.bytes)))
        around = node.call
        while around:
            first.setdefault(around, k)
            shape[around] = node.shape
            for i, cost in enumerate((params, node.flops, node.bytes)):
                costs[around][i] += cost
            around = parent[around]
    rows: list[tuple[int, Row]] = []
    at = len(graph.nodes)
    for call in reversed(graph.calls):
        # a module without ops, such as dropout in eval mode, goes before the next node
        at = first.get(call.id, at)
        size = call.shape if call.shape is not None else shape.get(call.id, ())
        rows.append((at, Row(graph.title_of(call.id), depth[call.id], size, *costs[call.id])))
    return [row for _, row in sorted(rows[::-1] + loose, key=lambda r: r[0])]
