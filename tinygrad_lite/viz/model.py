"""The graph as plain data: nodes, edges, module calls, how to show them, and the table of formats.

This file imports no other file of the package. `FORMATS` is filled by ``viz/formats``; `Graph.to_svg`, `Graph.save`
and the others look their writer up in it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from tinygrad_lite.serialization.atomic import replacing

KINDS = ("input", "param", "buffer", "const", "op", "output", "grad")
SHOWN = ("shape", "dtype", "value", "grad", "stats", "attrs", "flops", "bytes", "time", "source", "saved")
COLORS = ("kind", "grad_norm", "update_ratio", "flops", "bytes", "time", "act_std", "forward", "backward", "calls")
PROFILED = ("forward", "backward", "calls")
"""The values of ``color_by`` that need a profile."""


class _Unknown:
    def __repr__(self) -> str:
        return "?"

    def __reduce__(self) -> str:
        return "Unknown"  # copies and pickles are the same object


Unknown = _Unknown()
"""Stands for an argument whose value was not kept, because no gradient rule needs it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements of one op from a profile: the number of ``calls``, and mean seconds and bytes per call.

    ``made`` are bytes of results, ``pulled`` bytes of gradients; ``shape`` is the shape of the largest result.
    """

    calls: int
    forward: float
    backward: float = 0.0
    made: float = 0.0
    pulled: float = 0.0
    shape: tuple[int, ...] = ()

    @property
    def time(self) -> float:
        """Seconds, forward and backward."""
        return self.forward + self.backward

    @property
    def bytes(self) -> float:
        """Bytes of results and gradients, forward and backward."""
        return self.made + self.pulled

    def only(self, phase: str) -> Measured:
        """Return the part that was measured in the forward or in the backward pass."""
        none = {"backward": 0.0, "pulled": 0.0} if phase == "forward" else {"forward": 0.0, "made": 0.0}
        return replace(self, **none)  # type: ignore[arg-type]


@dataclass(slots=True)
class GraphNode:
    """One node: an input, parameter, buffer or constant, an op, an output, or a gradient of the backward pass.

    ``id`` is built from names: ``conv.weight`` for a parameter, ``encoder.0/linear.1`` for the first ``linear`` of a
    module call. ``op`` is the name in the registry, ``group`` its kind there, ``attrs`` its options. ``bytes`` is the
    size of the result, ``saved_bytes`` what the op keeps alive for backward, ``time`` is in seconds, ``source`` is
    ``file:line`` of the call; ``measured`` holds the numbers of a profile.
    ``value`` and ``grad`` are numbers, or nested lists for small tensors; ``stats`` are minimum, mean, norm and so on.

    >>> import tinygrad_lite as tl
    >>> graph = tl.viz.trace(tl.exp, tl.ones(2))
    >>> [(node.kind, node.op) for node in graph.nodes]
    [('input', ''), ('op', 'exp'), ('output', '')]
    """

    id: str
    kind: str
    op: str = ""
    label: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    attrs: dict[str, Any] = field(default_factory=dict)
    call: str = ""
    requires_grad: bool = False
    value: Any = None
    grad: Any = None
    stats: dict[str, float] | None = None
    flops: int = 0
    bytes: int = 0
    saved_bytes: int = 0
    time: float | None = None
    source: str = ""
    group: str = ""
    marks: tuple[str, ...] = ()
    measured: Measured | None = None

    @property
    def numel(self) -> int:
        """The number of elements."""
        count = 1
        for n in self.shape:
            count *= n
        return count


@dataclass(slots=True)
class GraphEdge:
    """Output ``out_index`` of ``src`` is argument ``arg_index`` of ``dst``.

    ``name`` is set on edges into a gradient node that carry no gradient: the word by which its rule asks for the value.

    >>> import tinygrad_lite as tl
    >>> graph = tl.viz.trace(tl.exp, tl.ones(2))
    >>> [(edge.src, edge.dst) for edge in graph.edges]
    [('input', 'exp.1'), ('exp.1', 'output')]
    """

    src: str
    dst: str
    out_index: int = 0
    arg_index: int = 0
    shape: tuple[int, ...] = ()
    name: str = ""


@dataclass(slots=True)
class GraphCall:
    """One call of a module: ``id`` is its path (``#2`` from the second call on), ``cls`` its class.

    ``outputs`` are name and shape of every tensor in its result; the name of a single tensor is empty. ``detail`` are
    the settings of a layer of the library, which a picture draws as a ``single`` box by default.

    >>> import tinygrad_lite as tl
    >>> model = tl.nn.Sequential(tl.nn.Linear(2, 4), tl.nn.ReLU(), tl.nn.Linear(4, 1))
    >>> [(call.id, call.cls) for call in tl.viz.trace(model, tl.ones(1, 2)).calls]
    [('Sequential', 'Sequential'), ('0', 'Linear'), ('1', 'ReLU'), ('2', 'Linear')]
    """

    id: str
    cls: str
    parent: str = ""
    outputs: tuple[tuple[str, tuple[int, ...]], ...] = ()
    detail: str = ""
    single: bool = False

    @property
    def shape(self) -> tuple[Any, ...] | None:
        """The shape of the output; of several a tuple of shapes, None if there is none."""
        shapes = tuple(shape for _, shape in self.outputs)
        return None if not shapes else shapes[0] if len(shapes) == 1 else shapes


@dataclass(frozen=True)
class Look:
    """How to show a graph: the arguments of `draw`."""

    depth: int | None = None
    params: str = "fold"
    show: tuple[str, ...] = ("shape",)
    color_by: str | Callable[[GraphNode], float] | None = None
    fold_repeats: bool = True
    rankdir: str = "TB"
    theme: str = "auto"
    legend: bool = True
    max_nodes: int = 200
    engine: str = "auto"
    title: str | None = None
    closed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "show", (self.show,) if isinstance(self.show, str) else tuple(self.show))
        choices: tuple[tuple[str, Any, Sequence[Any]], ...] = (
            ("params", self.params, ("fold", "show", "hide")),
            ("rankdir", self.rankdir, ("TB", "LR", "BT", "RL")),
            ("theme", self.theme, ("auto", "light", "dark", "page")),
            ("engine", self.engine, ("auto", "builtin", "graphviz")),
            *(("show", word, SHOWN) for word in self.show),
        )
        for name, value, known in choices:
            if value not in known:
                raise ValueError(f"draw: {name}={value!r} is not one of {', '.join(known)}")
        if isinstance(self.color_by, str) and self.color_by not in COLORS:
            raise ValueError(f"draw: color_by={self.color_by!r} is not a callable, nor one of {', '.join(COLORS)}")
        for name, number, least in (("depth", self.depth, 0), ("max_nodes", self.max_nodes, 1)):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < least):
                raise ValueError(f"draw: {name} must be a whole number of at least {least}, got {number!r}")


def measures(look: Look) -> set[str]:
    """Return what a picture needs measured: the words of ``show``, and those that its colours depend on."""
    colours = {"act_std": {"stats"}, "time": {"time"}, "grad_norm": {"grad"}, "update_ratio": {"grad", "stats"}}
    by = look.color_by if isinstance(look.color_by, str) else ""
    return {*look.show, *colours.get(by, ())}


@dataclass(frozen=True)
class Format:
    """One output format: its writer, the file suffixes that select it, and its reader if there is one."""

    write: Callable[[Graph], Any]
    suffixes: tuple[str, ...] = ()
    read: Callable[[str], Graph] | None = None


FORMATS: dict[str, Format] = {}
"""Every output format by name; ``viz/formats`` fills it when `tinygrad_lite.viz` is imported."""


@dataclass
class Graph:
    """A computation graph as plain data, with methods that write it in every format.

    ``save("x.svg")`` (also .html .dot .mmd .txt .json .png .pdf) chooses the format by suffix; ``print`` shows a
    readable program; a notebook shows the picture. ``notes`` are remarks for the reader, shown above the picture.

    >>> import tinygrad_lite as tl
    >>> print(tl.viz.trace(tl.exp, tl.ones(2)))
    input input  (2,) f32
    %1 = exp(input)  (2,) f32
    return %1
    """

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    calls: list[GraphCall] = field(default_factory=list)
    look: Look = field(default_factory=Look)
    notes: tuple[str, ...] = ()
    cache: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What other rooms derive from this graph once and keep with it (`scene.view.view_of`)."""

    # ------------------------------------------------------------------------------------ lookup
    @cached_property
    def by_id(self) -> dict[str, GraphNode]:
        """Every node by its id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def call_of(self) -> dict[str, GraphCall]:
        """Every call by its id."""
        return {call.id: call for call in self.calls}

    @cached_property
    def arguments(self) -> dict[str, list[GraphEdge]]:
        """The edges into each node, in the order of its arguments."""
        into: dict[str, list[GraphEdge]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            into[edge.dst].append(edge)
        for edges in into.values():
            edges.sort(key=lambda e: e.arg_index)
        return into

    @cached_property
    def users(self) -> dict[str, list[GraphEdge]]:
        """The edges out of each node."""
        out: dict[str, list[GraphEdge]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            out[edge.src].append(edge)
        return out

    def __getitem__(self, id: str) -> GraphNode:
        try:
            return self.by_id[id]
        except KeyError:
            raise KeyError(f"the graph has no node '{id}'; find({id!r}) searches") from None

    def __len__(self) -> int:
        return len(self.nodes)

    def looking(self, **changes: Any) -> Graph:
        """Return the same graph with some arguments of `draw` changed."""
        return Graph(self.nodes, self.edges, self.calls, replace(self.look, **changes), self.notes)

    def title_of(self, call: str) -> str:
        """Return ``name: Class`` of a module call; the name is relative to the enclosing module."""
        known = self.call_of[call]
        name, parent = call, known.parent.split("#")[0]
        if known.cls.startswith("∂ "):
            name, parent = name.removesuffix(".grad"), parent.removesuffix(".grad")
        if parent and name.startswith(parent + "."):
            name = name[len(parent) + 1 :]
        return known.cls if name == known.cls.removeprefix("∂ ") else f"{name}: {known.cls}"

    def find(self, query: str | Callable[[GraphNode], bool]) -> list[GraphNode]:
        """Return the nodes that contain every word of ``query``, or for which the function ``query`` is true.

        Words are looked for in id, kind, op, label, shape, dtype and the class of the module call.
        """
        if callable(query):
            return [n for n in self.nodes if query(n)]
        words = query.lower().split()
        cls = {c.id: c.cls for c in self.calls}

        def text(n: GraphNode) -> str:
            return f"{n.id} {n.kind} {n.op} {n.label} {n.shape} {n.dtype} {cls.get(n.call, '')}".lower()

        return [n for n in self.nodes if all(w in text(n) for w in words)]

    def subgraph(self, pattern: str, hops: int = 1) -> Graph:
        """Return the part whose ids match ``pattern`` (``encoder.0``, ``*/conv.*``), and ``hops`` edges around it."""
        test = matcher(pattern)
        chosen = {n.id for n in self.nodes if test(n.id) or (n.call and test(n.call))}
        if not chosen:
            near = ", ".join(n.id for n in self.find(pattern.strip("*"))[:5])
            raise KeyError(f"subgraph: nothing matches '{pattern}'" + (f"; similar: {near}" if near else ""))
        border = set(chosen)
        for _ in range(hops):
            around = {e.src for id in border for e in self.arguments[id]}
            around |= {e.dst for id in border for e in self.users[id]}
            border = around - chosen
            chosen |= around
        # parameters belong to their op
        for id in list(chosen):
            if self.by_id[id].kind == "op":
                chosen |= {e.src for e in self.arguments[id] if self.by_id[e.src].kind in ("param", "buffer", "const")}
        nodes = [n for n in self.nodes if n.id in chosen]
        edges = [e for e in self.edges if e.src in chosen and e.dst in chosen]
        used = {n.call for n in nodes}
        for call in reversed(self.calls):
            if call.id in used:
                used.add(call.parent)
        return Graph(nodes, edges, [c for c in self.calls if c.id in used], self.look, self.notes)

    def collapse(self, *patterns: str) -> Graph:
        """Return the same graph with the matching module calls collapsed; without patterns, all of them."""
        return self.looking(closed=patterns or ("*",))

    def totals(self) -> dict[str, int]:
        """Return totals over the graph: ops, parameters, FLOPs, bytes of results, bytes saved for backward."""
        ops = [n for n in self.nodes if n.kind == "op"]
        params = [n for n in self.nodes if n.kind == "param"]
        return {
            "ops": len(ops),
            "parameters": sum(n.numel for n in params),
            "trainable": sum(n.numel for n in params if n.requires_grad),
            "flops": sum(n.flops for n in ops),
            "bytes": sum(n.bytes for n in ops),
            "saved_bytes": sum(n.saved_bytes for n in ops),
        }

    # ------------------------------------------------------------------------------------ every format
    def to_text(self) -> str:
        """Return the graph as a readable program."""
        return str(FORMATS["text"].write(self))

    def to_svg(self) -> str:
        """Return a picture that needs only a browser; it follows the reader's light or dark mode."""
        return str(FORMATS["svg"].write(self))

    def to_html(self) -> str:
        """Return one offline page: modules expand and collapse at a click, with search, zoom and all details."""
        return str(FORMATS["html"].write(self))

    def to_mermaid(self) -> str:
        """Return a Mermaid flowchart, for Markdown pages that render them."""
        return str(FORMATS["mermaid"].write(self))

    def to_png(self) -> bytes:
        """Return the picture as PNG; needs the extra ``image`` or ``plot``, or the ``dot`` program."""
        return bytes(FORMATS["png"].write(self))

    def to_pdf(self) -> bytes:
        """Return the picture as PDF; needs the extra ``plot``, or the ``dot`` program."""
        return bytes(FORMATS["pdf"].write(self))

    def to_networkx(self) -> Any:
        """Return a ``networkx.MultiDiGraph`` with every field as an attribute."""
        return FORMATS["networkx"].write(self)

    def to_json(self) -> str:
        """Return ``{"version", "nodes", "edges", "calls"}`` as JSON."""
        return str(FORMATS["json"].write(self))

    @staticmethod
    def from_json(text: str) -> Graph:
        """Return the graph that `to_json` wrote."""
        read = FORMATS["json"].read
        assert read is not None
        return read(text)

    def to_graphviz(self) -> Any:
        """Return a ``graphviz.Digraph``."""
        return FORMATS["graphviz"].write(self)

    def to_dot(self) -> str:
        """Return the graph in the DOT language."""
        return str(FORMATS["dot"].write(self))

    def save(self, path: str | Path) -> Path:
        """Write the format that the suffix of ``path`` names, and return the path.

        An existing file is replaced only when the new one is complete.
        """
        path = Path(path)
        for known in FORMATS.values():
            if path.suffix.lower() in known.suffixes:
                data = known.write(self)
                with replacing(path) as file:
                    file.write(data.encode() if isinstance(data, str) else data)
                return path
        suffixes = ", ".join(s for known in FORMATS.values() for s in known.suffixes)
        raise ValueError(f"save: {path.name!r} does not end in a known picture format; known: {suffixes}")

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        count = self.totals()
        return f"<Graph: {count['ops']} ops, {len(self.calls)} module calls, {count['parameters']:,} parameters>"

    def on_page(self) -> Graph:
        """Return the graph as a notebook shows it: without a ground of its own, unless ``theme`` is light or dark."""
        if self.look.theme != "auto":
            return self
        shown = self.looking(theme="page")
        shown.cache = self.cache  # nothing that is kept depends on the theme
        return shown

    def _repr_svg_(self) -> str:
        return self.on_page().to_svg()

    def _repr_mimebundle_(self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None) -> Any:
        return {"image/svg+xml": self._repr_svg_(), "text/plain": self.to_text()}


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test for ids: a glob if ``pattern`` has ``*``, ``?`` or ``[``, else that id and everything inside it."""
    if any(c in pattern for c in "*?["):
        return lambda id: fnmatchcase(id, pattern)
    return lambda id: id == pattern or id.startswith((pattern + ".", pattern + "/", pattern + "#"))
