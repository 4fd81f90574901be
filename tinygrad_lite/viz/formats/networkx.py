"""The graph for networkx."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tinygrad_lite.errors import require
from tinygrad_lite.viz.model import Graph


def to_networkx(graph: Graph) -> Any:
    """Return a ``networkx.MultiDiGraph``: every field of nodes and edges as attributes, calls in ``graph["calls"]``."""
    networkx = require("networkx", extra="graph")
    out = networkx.MultiDiGraph(calls=[asdict(c) for c in graph.calls])
    for node in graph.nodes:
        fields = asdict(node)
        out.add_node(fields.pop("id"), **fields)
    for e in graph.edges:
        out.add_edge(e.src, e.dst, out_index=e.out_index, arg_index=e.arg_index, shape=e.shape)
    return out
