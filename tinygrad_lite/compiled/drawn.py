"""The program as a picture: `tinygrad_lite.viz.draw` of a compiled step shows its calls in sections."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinygrad_lite.compiled.capture import Recording
from tinygrad_lite.compiled.printed import Printer, Unprintable
from tinygrad_lite.compiled.program import Call, Memory, Region
from tinygrad_lite.compiled.source import Built
from tinygrad_lite.engine.versions import owner

GROUPS = {"ufunc": "elementwise", "reduce": "reduction", "dot": "linalg", "matmul": "linalg", "random": "random",
          "copy": "shape", "where": "elementwise", "take": "indexing", "inplace": "indexing"}  # fmt: skip


class Drawing:
    """Nodes and edges of a program: a node for each call, and one for each array from outside."""

    def __init__(self, r: Recording, built: Built) -> None:
        self.r, self.model = r, import_module("tinygrad_lite.viz.model")  # by name, because viz lies further out
        self.nodes: list[Any] = []
        self.edges: list[Any] = []
        self.calls: dict[str, Any] = {}
        self.latest: dict[int, str] = {}
        self.taken: dict[str, int] = {}
        known = r.tracer.known
        self.kinds = {known[id(owner(a))].id: "param" if t.tracked else "buffer" for t, a in r.live_tensors}
        self.printer, self.blocks = Printer(r), built.blocks
        self.loops = {id(c): i for i, loop in enumerate(built.loops) for c in loop.calls}
        self.registers = {m for loop in built.loops for m in loop.dropped}
        for x in (*r.inputs, *(r.gradient.seeds if r.gradient else ())):
            self.node(x.memory.name, "input", x, memory=x.memory.id)
        for c in r.calls:
            if c.kind != "check":
                self.call(c)
        for i, x in enumerate(r.outs):
            self.output(f"result {i}" if len(r.outs) > 1 else "result", x)
        for _, name, x in r.gradient.leaves if r.gradient else ():
            self.output(f"gradient of {name}", x)

    def node(self, name: str, kind: str, x: Region, memory: int | None = None, **words: Any) -> str:
        """Add a node and return its id."""
        n = self.taken[name] = self.taken.get(name, -1) + 1
        node = self.model.GraphNode(f"{name}.{n}" if n else name, kind, shape=x.shape, dtype=x.dtype.name, **words)
        self.nodes.append(node)
        if memory is not None:
            self.latest[memory] = node.id
        return str(node.id)

    def edge(self, x: Region, to: str, position: int) -> None:
        """Add an edge from the last call that wrote to a memory, or from a node for memory from outside."""
        m = x.memory
        if m.id not in self.latest and m.kind == "live":
            self.node(m.name, self.kinds.get(m.id, "buffer"), m.whole, memory=m.id)
        if m.id in self.latest:
            self.edges.append(self.model.GraphEdge(self.latest[m.id], to, 0, position, x.shape))

    def output(self, name: str, x: Region) -> None:
        """Add a node for what the program returns."""
        self.edge(x, self.node(name, "output", x), 0)

    def inside(self, c: Call) -> str:
        """Return the group of a call: its section, and in it the op or parameter."""
        parent = ""
        for word in (c.section, c.label):
            if word:
                key = f"{parent}.{word}" if parent else word
                if key not in self.calls:
                    self.calls[key] = self.model.GraphCall(key, word, parent)
                parent = key
        return parent

    def place(self, m: Memory) -> str:
        """Return where a result lies: in a block that temporaries share, in a variable of the step, or nowhere."""
        if m.id in self.registers:
            return "register"
        return f"block {self.blocks[m.id]}" if m.id in self.blocks else m.name

    def call(self, c: Call) -> None:
        """Add the node of a call."""
        function = getattr(c.function, "ufunc", c.function)
        name = {"scalar": "number", "copy": "copy"}.get(c.kind, getattr(function, "__name__", c.kind))
        try:
            source = self.printer.line(c)
        except Unprintable:
            source = ""
        group = self.inside(c)
        attrs: dict[str, Any] = {"memory": self.place(c.outs[0].memory)}
        if id(c) in self.loops:
            attrs["loop"] = self.loops[id(c)]
        id_ = self.node(f"{group}/{name}", "op", c.outs[0], op=name, label=name, call=group,
                        group=GROUPS.get(c.kind, "other"), bytes=sum(w.memory.nbytes for w in c.outs),
                        source=source, attrs=attrs)  # fmt: skip
        for i, x in enumerate(c.reads()):
            self.edge(x, id_, i)
        for w in c.outs:
            self.latest[w.memory.id] = id_

    def graph(self, title: str) -> Any:
        """Return the graph."""
        return self.model.Graph(self.nodes, self.edges, list(self.calls.values())).looking(title=title)
