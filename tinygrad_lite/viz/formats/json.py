"""A graph as JSON, and back."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from types import NoneType
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.serialization.parsing import parsed
from tinygrad_lite.viz.model import KINDS, Graph, GraphCall, GraphEdge, GraphNode, Measured, Unknown
from tinygrad_lite.viz.words import option_text

VERSION = 1
LARGEST = 4096
"""Arrays among the options are written out up to this many elements."""


PLAIN: dict[str, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "float | None": (int, float, NoneType),
}
"""The types of the fields that are single words or numbers, by their annotation."""
MALFORMED = (TypeError, LookupError, AttributeError, ValueError, RecursionError, ArithmeticError)
"""What a wrong text can provoke."""


def encoded(value: Any) -> Any:
    """Return an option as JSON; types that JSON lacks become an object whose key names the type."""
    if isinstance(value, Tensor):
        value = value.array
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, np.generic):
        return {"array": encoded(value.item()), "dtype": str(value.dtype)}
    if isinstance(value, np.ndarray):
        kept = encoded(value.tolist()) if value.size <= LARGEST else None
        return {"array": kept, "dtype": str(value.dtype), "shape": list(value.shape)}
    if isinstance(value, list):
        return [encoded(v) for v in value]
    if isinstance(value, tuple) and any(hasattr(v, "options") for v in value):
        return {"text": option_text(value)}  # the path of a write
    if isinstance(value, tuple):
        return {"tuple": [encoded(v) for v in value]}
    if isinstance(value, slice):
        return {"slice": [encoded(v) for v in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if value is Unknown:
        return {"unknown": True}
    if isinstance(value, dict):
        return {"dict": [[encoded(k), encoded(v)] for k, v in value.items()]}
    if isinstance(value, np.dtype) or isinstance(value, type) and issubclass(value, np.generic):
        return {"dtype": str(np.dtype(value))}
    return {"text": option_text(value)}


def decoded(value: Any) -> Any:
    """Return the value that `encoded` wrote; None for an array that was too large to write."""
    if isinstance(value, list):
        return [decoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        inside = decoded(value["array"])
        dtype = np.dtype(value["dtype"])
        if dtype.kind not in "biuf":
            raise ValueError(f"an array of dtype {dtype}; only numbers are read")
        if "shape" not in value:
            return dtype.type(inside)
        return None if inside is None else np.array(inside, dtype).reshape(value["shape"])
    if "float" in value:
        return float(value["float"])
    if "tuple" in value:
        return tuple(decoded(v) for v in value["tuple"])
    if "slice" in value:
        return slice(*(decoded(v) for v in value["slice"]))
    if "ellipsis" in value:
        return Ellipsis
    if "unknown" in value:
        return Unknown
    if "dict" in value:
        return {decoded(k): decoded(v) for k, v in value["dict"]}
    if "dtype" in value:
        return np.dtype(value["dtype"])
    return value.get("text")


def to_json(graph: Graph) -> str:
    """Return the graph as JSON, one node, edge or call per line."""

    def lines(things: list[dict[str, Any]]) -> str:
        return "[\n" + ",\n".join(json.dumps(t, ensure_ascii=False, allow_nan=False) for t in things) + "\n]"

    nodes = []
    for node in graph.nodes:
        d = asdict_flat(node)
        d["attrs"] = {k: encoded(v) for k, v in node.attrs.items()}
        for word in ("value", "grad", "stats"):
            d[word] = None if d[word] is None else finite(d[word])
        d["measured"] = node.measured and asdict(node.measured)
        nodes.append(d)
    edges, calls = [asdict(e) for e in graph.edges], [asdict(c) for c in graph.calls]
    notes = json.dumps(list(graph.notes), ensure_ascii=False)
    return (
        f'{{"version": {VERSION},\n"nodes": {lines(nodes)},\n"edges": {lines(edges)},\n"calls": {lines(calls)},\n'
        f'"notes": {notes}}}\n'
    )


def asdict_flat(node: GraphNode) -> dict[str, Any]:
    """Return the fields of a node, values as they are."""
    return {f.name: getattr(node, f.name) for f in fields(node)}


def finite(value: Any) -> Any:
    """Return numbers or nested lists with NaN and infinities as objects that JSON can hold."""
    if isinstance(value, dict):
        return {k: encoded(v) for k, v in value.items()}
    return encoded(value)


def from_json(text: str) -> Graph:
    """Return the graph in ``text``; raise ValueError if it is malformed."""
    try:
        data = parsed(text.encode() if isinstance(text, str) else bytes(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"from_json: this is not JSON: {error}") from None
    if not isinstance(data, dict) or not {"version", "nodes", "edges", "calls"} <= data.keys():
        raise ValueError("from_json: expected an object with version, nodes, edges and calls")
    if data["version"] != VERSION:
        raise ValueError(f"from_json: version {data['version']!r} is not known, this is version {VERSION}")
    try:
        nodes = [_node(d) for d in data["nodes"]]
        edges = [_made(GraphEdge, {**d, "shape": tuple(int(n) for n in d.get("shape", ()))}) for d in data["edges"]]
        calls = [_call(d) for d in data["calls"]]
        _check(nodes, edges, calls)
        return Graph(nodes, edges, calls, notes=tuple(map(str, data.get("notes", ()))))
    except MALFORMED as error:
        words = str(error)
        if not words.startswith("from_json: "):
            words = f"from_json: a node, edge or call is not of the right form: {words or type(error).__name__}"
        raise ValueError(words) from None


def _made(kind: Any, d: dict[str, Any]) -> Any:
    """Return a node, edge, call or measurement; raise ValueError where a word or number is something else."""
    for f in fields(kind):
        plain, value = PLAIN.get(str(f.type)), d.get(f.name)
        if f.name in d and plain and (not isinstance(value, plain) or isinstance(value, bool) is not (plain is bool)):
            raise ValueError(f"from_json: {f.name} is {value!r:.40}, expected {f.type}")
    return kind(**d)


def _node(d: dict[str, Any]) -> GraphNode:
    node: GraphNode = _made(GraphNode, d)
    node.shape = tuple(int(n) for n in node.shape)
    node.attrs = {k: decoded(v) for k, v in node.attrs.items()}
    node.value, node.grad = decoded(node.value), decoded(node.grad)
    node.stats = None if node.stats is None else {k: decoded(v) for k, v in node.stats.items()}
    node.marks = tuple(node.marks)
    if d.get("measured") is not None:
        shape = tuple(int(n) for n in d["measured"].get("shape", ()))
        node.measured = _made(Measured, {**d["measured"], "shape": shape})
    return node


def _call(d: dict[str, Any]) -> GraphCall:
    call: GraphCall = _made(GraphCall, d)
    call.outputs = tuple((str(name), tuple(int(n) for n in shape)) for name, shape in call.outputs)
    return call


def _check(nodes: list[GraphNode], edges: list[GraphEdge], calls: list[GraphCall]) -> None:
    """Raise ValueError for a duplicate id, a reference to an unknown id, or an unknown kind."""
    ids = {n.id for n in nodes}
    if len(ids) != len(nodes):
        raise ValueError("from_json: two nodes have the same id")
    known = {""}
    for call in calls:
        if call.id in known or call.parent not in known:
            raise ValueError(f"from_json: call '{call.id}' comes twice, or before its parent '{call.parent}'")
        known.add(call.id)
    for node in nodes:
        if node.kind not in KINDS or node.call not in known:
            raise ValueError(f"from_json: node {node.id!r} has kind {node.kind!r} and call {node.call!r}")
    for edge in edges:
        if edge.src not in ids or edge.dst not in ids:
            raise ValueError(f"from_json: the edge {edge.src} -> {edge.dst} names a node that is not there")
