"""Short names for results in a printed program: ``%1``, ``%2`` ... in the order of execution."""

from __future__ import annotations

from tinygrad_lite.viz.model import Graph


def register_names(graph: Graph) -> dict[str, str]:
    """Return ``%k`` for the k-th op."""
    ops = [n.id for n in graph.nodes if n.kind in ("op", "grad")]
    return {id: f"%{k}" for k, id in enumerate(ops, 1)}
