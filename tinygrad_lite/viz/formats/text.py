"""The graph as a readable program: one line per op, modules indented, parameters in brackets, repeats as loops.

A loop is headed by ``× N`` and its body is indented. ``%3 = x, then %7`` is a value that each turn takes from the one
before. ``{0…59}`` stands for what differs between the turns, ``{a | b}`` lists it. After a loop a name has the value
of the last turn; ``%7@2`` is its value in turn 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tinygrad_lite.engine.op import OPS
from tinygrad_lite.viz.model import Graph, GraphEdge, GraphNode
from tinygrad_lite.viz.scene.boxes import colour_lines, extra_options, mark_text, number_lines
from tinygrad_lite.viz.scene.building import program_of
from tinygrad_lite.viz.scene.loops import Loops, Value
from tinygrad_lite.viz.words import dtype_text, exact_text, number_text, plain, series, shape_text, spoken


def to_text(graph: Graph) -> str:
    """Return the whole graph as text; equal consecutive parts are written once."""
    return Program(graph).text()


@dataclass(slots=True)
class Line:
    """One line before its values have names: a title, the head of a loop, an op or a result."""

    kind: str  # title, loop, op or result
    depth: int
    id: str
    words: str = ""
    loops: tuple[str, ...] = ()
    values: list[Value] = field(default_factory=list)


class Program:
    """The lines of a graph, and the names of their values."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.view = graph, program_of(graph)
        self.loops = Loops(self.view)
        self.lines: list[Line] = []
        self.names: dict[Value, str] = {}
        self._collect()
        self._name()

    # ------------------------------------------------------------------------------------ what is printed
    def _collect(self) -> None:
        view, graph = self.view, self.graph
        work: list[tuple[str, str, int, tuple[str, ...], str]] = [("group", "", 0, (), "")]
        while work:
            kind, id, depth, loops, title = work.pop()
            if kind != "group":
                self._add(view.boxes[id].node, depth, loops)
                continue
            group = view.groups[id]
            items, inside = group.items, ""
            if group.repeat > 1:
                items, loops = items[: group.period], (*loops, id)
                if group.period == 1 and items[0][0] == "group":
                    inside = group.title  # one line heads the loop and the module in it
                else:
                    self.lines.append(Line("loop", depth, id, plain(group.title), loops))
                    depth += 1
            elif group.kind == "call" and id:
                head = Line("loop" if title else "title", depth, loops[-1] if title else id, loops=loops)
                head.words = plain(title or graph.title_of(id)) + detail(graph, id)
                self.lines.append(head)
                depth += 1
            work.extend((k, i, depth, loops, inside) for k, i in reversed(items))

    def _add(self, node: GraphNode, depth: int, loops: tuple[str, ...]) -> None:
        graph, call = self.graph, node.call
        if node.kind == "output":
            self.lines.append(Line("result", depth, node.id, loops=loops))
        elif node.kind in ("op", "grad"):
            if call and call not in self.view.groups:  # a module that is nothing but this op
                self.lines.append(Line("title", depth, call, plain(graph.title_of(call)) + detail(graph, call), loops))
                depth += 1
            self.lines.append(Line("op", depth, node.id, loops=loops))
        else:
            return
        self.lines[-1].values = [self.loops.value(node.id, e, loops) for e in graph.arguments[node.id]]

    def _name(self) -> None:
        """Number the values in the order of the lines; a loop begins with what it carries from turn to turn."""
        count = 0
        for line in self.lines:
            for value in self.loops.carried[line.id] if line.kind == "loop" else ():
                count += 1
                self.names[value] = f"%{count}"
            if line.kind == "op":
                count += 1
                self.names[Value("node", line.id)] = f"%{count}"

    # ------------------------------------------------------------------------------------ words
    def text(self) -> str:
        """Return the lines of the program."""
        graph = self.graph
        out = [f"# {plain(graph.look.title)}"] if graph.look.title else []
        for n in graph.nodes:
            if n.kind == "input":
                out.append(f"input {plain(n.id)}  {kind_of(n)}{marks_of(n)}")
        for line in self.lines:
            pad = "  " * line.depth
            if line.kind == "op":
                out.append(pad + self.op_line(line))
            elif line.kind == "result":
                node = graph.by_id[line.id]
                label = node.label or node.id
                word = "return" if label.startswith("output") else f"return {plain(label)} ="
                out.append(f"{pad}{word} {self.word(line.values[0])}")
            else:
                out.append(pad + line.words)
            for value in self.loops.carried[line.id] if line.kind == "loop" else ():
                first, then = (self.word(part) for part in value.parts)
                out.append(f"{pad}  {self.names[value]} = {first}, then {then}")
        out.extend(f"# {plain(note)}" for note in graph.notes)
        return "\n".join(map(plain, out))

    def word(self, value: Value) -> str:
        """Return how the program writes a value."""
        if value.kind == "series":
            return series([self.word(part) for part in value.parts])
        if value.kind == "carried":
            return self.names[value]
        name = self.names.get(Value("node", value.id))
        if name is None:
            leaf = self.graph.by_id.get(value.id)
            scalar = leaf is not None and leaf.kind == "const" and not leaf.shape and leaf.value is not None
            return exact_text(leaf.value, leaf.dtype) if leaf is not None and scalar else plain(value.id)
        turn = f"@{value.turn}" if value.turn >= 0 else ""
        source = self.graph.by_id[value.id]
        if source.kind == "grad":
            several = {e.out_index for e in self.graph.users[value.id]}
            return f"{name}.{operand(source, value.out)}" if len(several) > 1 else name
        return f"{name}{turn}[{value.out}]" if value.out else f"{name}{turn}"

    def op_line(self, line: Line) -> str:
        """Return the line of one op."""
        graph, node = self.graph, self.graph.by_id[line.id]
        edges = list(zip(graph.arguments[node.id], line.values, strict=True))
        if node.kind == "grad":
            what, params = self.backward(node, edges), ""
        else:
            what, params = self.forward(node, edges, line.loops)
        text = f"{self.names[Value('node', node.id)]} = {what}{params}"
        show = [word for word in graph.look.show if word not in ("shape", "dtype", "value")]
        numbers = [t for t, role in [*number_lines(node, show), *colour_lines(graph, node)] if role == "note"]
        if node.grad is not None and not isinstance(node.grad, list):
            value = "" if node.value is None else f"value {number_text(node.value)} | "
            numbers.append(f"{value}grad {number_text(node.grad)}")
        return f"{text}  {kind_of(node)}{'  ' + '  '.join(numbers) if numbers else ''}{marks_of(node)}"

    def forward(
        self, node: GraphNode, edges: list[tuple[GraphEdge, Value]], loops: tuple[str, ...]
    ) -> tuple[str, str]:  # fmt: skip
        """Return ``op(arguments, options)`` and the parameters in brackets.

        An argument is written with its name where its position does not follow from those before it.
        """
        op = OPS.get(node.op)
        used: list[str] = []
        params: list[str] = []
        at = 0
        places = [self.word(value) for e, value in edges if e.name]
        for e, value in edges:
            if e.name:
                continue
            leaf = self.graph.by_id[e.src]
            owned = leaf.kind in ("param", "buffer", "const") and (leaf.shape or leaf.kind != "const") and leaf.call
            bracket = bool(owned) and value.kind != "carried" and (op is None or op.sequence is None)
            late = bool(params) and not bracket  # positions continue inside the brackets
            named = op is not None and op.sequence is None and (e.arg_index != at or late)
            name = f"{op.params[e.arg_index]}=" if named and op is not None and e.arg_index < len(op.params) else ""
            at = at if name else e.arg_index + 1
            if bracket:
                params.append(f"{name}{self.word(value)} {kind_of(leaf)}{marks_of(leaf)}")
            else:
                used.append(name + self.word(value))
        used.extend(self.options(node, loops))
        if places:
            used[-1] += f" from {', '.join(places)}"
        return f"{spoken(node)}({', '.join(used)})", f"  [{', '.join(params)}]" if params else ""

    def options(self, node: GraphNode, loops: tuple[str, ...]) -> list[str]:
        """Return ``name=value`` of the options that are not the default; a loop lists what differs between turns."""
        out = []
        for name in extra_options(node):
            turns = self.loops.turns(node.id, loops) if node.op == "getitem" and loops else [node.id]
            out.append(f"{name}={series([exact_text(self.graph.by_id[id].attrs[name]) for id in turns])}")
        return out

    def backward(self, node: GraphNode, edges: list[tuple[GraphEdge, Value]]) -> str:
        """Return the call of a gradient rule: the sum of what arrives, and the values it uses by name."""
        arriving: dict[str, list[str]] = {}
        used = []
        for e, value in edges:
            if self.graph.by_id[e.src].kind == "grad":
                arriving.setdefault(e.name, []).append(self.word(value))
            elif e.name:
                used.append(f"{e.name}={self.word(value)}")
        sums = [(f"{name}=" if name else "") + " + ".join(words) for name, words in arriving.items()]
        if not node.op:  # the gradient of a leaf, or the start
            return f"{plain(node.label)}({', '.join(sums)})" if sums else "ones()"
        return f"∂{spoken(node)}({', '.join([*sums, *used])})"


def operand(node: GraphNode, position: int) -> str:
    """Return the name of the operand whose gradient is at ``position``."""
    op = OPS.get(node.op)
    return str(position) if op is None or op.sequence is not None else op.params[position]


def detail(graph: Graph, call: str) -> str:
    """Return the settings of a layer, to follow its title."""
    known = graph.call_of.get(call)
    return f"  {plain(known.detail)}" if known is not None and known.detail else ""


def kind_of(node: GraphNode) -> str:
    """Return shape and dtype."""
    return f"{shape_text(node.shape)} {dtype_text(node.dtype)}" if node.dtype else ""


def marks_of(node: GraphNode) -> str:
    """Return the warnings of a node."""
    return "".join(f"  {mark_text(m)}" for m in node.marks)
