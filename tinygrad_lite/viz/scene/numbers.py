"""The number that ``color_by`` gives each node, its name, its unit, and its sum over a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tinygrad_lite.viz.model import PROFILED, Graph, GraphNode
from tinygrad_lite.viz.words import bytes_text, count_text, number_text, time_text

TIMES = ("time", "forward", "backward")
ADDITIVE = (*TIMES, "flops", "bytes")
"""Numbers that can be added up over a module."""


def numbered(by: str | Callable[[GraphNode], float], graph: Graph) -> Callable[[GraphNode], float | None]:
    """Return the function that maps a node to the number it is coloured by."""
    if callable(by):
        return by
    if by in PROFILED or by == "bytes" and any(n.measured for n in graph.nodes):
        return lambda n: (getattr(n.measured, by) or None) if n.measured else None
    if by in ADDITIVE:
        return lambda n: getattr(n, by) if n.kind == "op" or n.measured else None
    word = {"act_std": "std"}.get(by, by)
    if by != "update_ratio":
        return lambda n: (n.stats or {}).get(word)

    def largest(n: GraphNode) -> float | None:
        # the parameters of an op are part of its box
        nodes = [n, *(graph.by_id[e.src] for e in graph.arguments[n.id])]
        return max((m.stats[word] for m in nodes if m.stats and word in m.stats), default=None)

    return largest


def name_of(by: str | Callable[[GraphNode], float] | None) -> str:
    """Return the name of the number that boxes are coloured by."""
    return by if isinstance(by, str) else getattr(by, "__name__", "value").strip("<>")


def in_units(by: str | Callable[[GraphNode], float] | None, x: float, digits: int = 3) -> str:
    """Return a number that boxes are coloured by, with its unit.

    >>> in_units("time", 3.25e-5), in_units("bytes", 2048), in_units("grad_norm", 0.12345)
    ('32.5 µs', '2.0 KiB', '0.123')
    """
    if by in TIMES:
        return time_text(x)
    if by == "flops":
        return count_text(x, "FLOP")
    return bytes_text(round(x)) if by == "bytes" else number_text(x, digits)


def sum_of(graph: Graph, nodes: Iterable[GraphNode]) -> float | None:
    """Return the sum over a module; None if its ops have no such number or it cannot be added up."""
    by = graph.look.color_by
    if by not in ADDITIVE:
        return None
    function = numbered(by, graph)
    found = [x for x in map(function, nodes) if x is not None]
    return sum(found) if found else None
