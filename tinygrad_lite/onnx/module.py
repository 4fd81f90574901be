"""`load`: an ONNX file as a module."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ArgumentError, FileError, OptionError, ShapeError
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter
from tinygrad_lite.onnx.operators import OPERATORS, dtype_of
from tinygrad_lite.onnx.reading import array, inlined, read, versions

DEPTH = 20
"""The most graphs inside one another, and the most dots in the name of a parameter."""
STATISTICS = {"BatchNormalization": (3, 4)}
"""Inputs that are no parameters, by operator."""


def load(f: Any) -> Module:
    """Return the module that an ONNX file describes: files of `export`, of PyTorch, scikit-learn, Keras and others.

    Weights of floats become parameters, so the module can be trained; its ``state_dict`` has the names in the file. It
    takes the inputs of the graph in order, or by their names, and returns one tensor or a tuple.

    ``f`` is a path, a binary file, bytes or a ModelProto. Nothing in the file is executed; sizes are checked before
    memory is taken; a second file with weights must lie in the same folder. Raises FileError for a damaged file and
    for operators that are not supported, MissingExtra without the package ``onnx``.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn, onnx
    >>> layer = nn.Linear(2, 1)
    >>> again = onnx.load(onnx.export(layer, (tl.ones(1, 2),)).model_proto)
    >>> list(again.state_dict()), tl.equal(again(tl.ones(1, 2)), layer(tl.ones(1, 2)))
    (['weight', 'bias'], True)
    """
    proto, folder = read(f)
    try:
        return OnnxModule(inlined(proto), folder)
    except FileError:
        raise
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:  # names that are no text ...
        raise FileError(f"onnx.load: the file is damaged ({error})") from error


class Step(NamedTuple):
    """One node, ready to run."""

    run: Callable[..., Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    last: tuple[str, ...]
    title: str


class OnnxModule(Module):
    """A module that runs the graph of an ONNX file; made by `load`."""

    def __init__(self, proto: Any, folder: str | None = None) -> None:
        super().__init__()
        graph = proto.graph
        self._versions, self._folder = versions(proto), folder
        self._stored: dict[str, tuple[Module, str]] = {}
        props = {p.key: p.value for p in proto.metadata_props}
        self._register(graph, props.get("buffers", "").split())
        stored = {t.name for t in (*graph.initializer, *(s.values for s in graph.sparse_initializer))}
        self._inputs = tuple(i.name for i in graph.input if i.name not in stored)
        self._kinds = {i.name: i.type.tensor_type for i in graph.input if i.type.HasField("tensor_type")}
        floats = [t.array.dtype for t in self.state_dict().values() if t.array.dtype.kind == "f"]
        self._dtype = floats[0] if floats else None
        self._outputs = tuple(o.name for o in graph.output)
        self._steps = self._compiled(graph, {*self._inputs, *self._stored}, 0)

    # ------------------------------------------------------------------------------------ reading
    def _register(self, graph: Any, buffers: list[str]) -> None:
        """Make the weights of the file parameters and buffers, in modules by the dots in their names."""
        if graph.sparse_initializer:
            raise FileError("onnx.load: sparse weights are not supported")
        fixed = {node.input[i] for node in graph.node for i in STATISTICS.get(node.op_type, ()) if i < len(node.input)}
        for t in graph.initializer:
            if t.name in self._stored:
                raise FileError(f"onnx.load: there are two weights named '{t.name}'")
            values = array(t, self._folder)
            *path, last = t.name.split(".") if t.name.count(".") < DEPTH else [t.name.replace(".", "_")]
            home: Module = self
            for part in path:
                home = _child(home, part)
            last = _free(home, last)
            if values.dtype.kind == "f" and values.ndim and t.name not in fixed and t.name not in buffers:
                home.register_parameter(last, Parameter(make(values)))
            else:
                home.register_buffer(last, make(values))
            self._stored[t.name] = home, last

    def _compiled(self, graph: Any, known: set[str], depth: int) -> list[Step]:
        """Return the nodes as functions of their inputs; raise FileError for what cannot run."""
        if depth > DEPTH:
            raise FileError("onnx.load: graphs are nested too deeply")
        steps, known, uses = [], set(known), {o.name: len(graph.node) for o in graph.output}
        for i, node in enumerate(graph.node):
            title = f"{node.op_type} '{node.name}'" if node.name else f"{node.op_type} (node {i})"
            wanted = tuple(node.output)
            while wanted and not wanted[-1]:
                wanted = wanted[:-1]
            run, inner = self._function(node, title, len(wanted), known, depth)
            for name in (*node.input, *inner):
                if name and name not in known:
                    raise FileError(f"onnx.load: {title} reads '{name}', which nothing before it computes")
                uses[name] = max(uses.get(name, 0), i)
            for name in filter(None, wanted):
                if name in known:
                    raise FileError(f"onnx.load: {title} writes '{name}', which exists already")
                known.add(name)
                uses.setdefault(name, i)
            steps.append(Step(run, tuple(node.input), wanted, (), title))
        for o in graph.output:
            if o.name not in known:
                raise FileError(f"onnx.load: nothing computes the output '{o.name}'")
        made = {name for step in steps for name in step.outputs}
        ends: dict[int, list[str]] = {}
        for name, i in uses.items():
            if name in made:
                ends.setdefault(i, []).append(name)
        return [step._replace(last=tuple(ends.get(i, ()))) for i, step in enumerate(steps)]

    def _function(self, node: Any, title: str, outputs: int, known: set[str], depth: int) -> tuple[Any, set[str]]:
        """Return the function of a node, and the outer values that its inner graphs read."""
        domain = "" if node.domain == "ai.onnx" else node.domain
        key = f"{domain}::{node.op_type}" if domain else node.op_type
        if node.op_type == "If" and not domain:
            return self._branch(node, known, depth)
        function = OPERATORS.get(key)
        if function is None:
            raise FileError(f"onnx.load: the operator {key} is not supported ({title})")
        words = {a.name: self._attribute(a, title) for a in node.attribute}
        needs = {"opset": self._versions.get(domain, 1), "outputs": outputs, "kind": node.op_type}
        parameters = inspect.signature(function).parameters
        words |= {k: v for k, v in needs.items() if k in parameters}
        try:
            inspect.signature(function).bind(*node.input, **words)
        except TypeError as error:
            raise FileError(f"onnx.load: {title}: {error}") from None
        return functools.partial(function, **words), set()

    def _attribute(self, a: Any, title: str) -> Any:
        """Return the value of an attribute."""
        simple = {1: "f", 2: "i", 6: "floats", 7: "ints"}
        if a.type in simple:
            value = getattr(a, simple[a.type])
            return value if a.type < 3 else list(value)
        if a.type == 3:
            return a.s.decode("utf-8", "replace")
        if a.type == 8:
            return [s.decode("utf-8", "replace") for s in a.strings]
        if a.type == 4:
            return array(a.t, self._folder)
        raise FileError(f"onnx.load: {title}: the attribute '{a.name}' is of a type that is not supported")

    def _branch(self, node: Any, known: set[str], depth: int) -> tuple[Any, set[str]]:
        """Return a function that runs one of the two graphs of an ``If``."""
        parts, reads = {}, set()
        for a in node.attribute:
            if a.type != 5:
                raise FileError("onnx.load: an If without graphs")
            constants = {t.name: make(array(t, self._folder)) for t in a.g.initializer}
            steps = self._compiled(a.g, known | set(constants), depth + 1)
            parts[a.name] = constants, steps, [o.name for o in a.g.output]
            made = {name for step in steps for name in step.outputs} | set(constants)
            reads |= {n for step in steps for n in step.inputs if n and n not in made}
            reads |= {n for n in parts[a.name][2] if n not in made}
        if set(parts) != {"then_branch", "else_branch"}:
            raise FileError("onnx.load: an If needs two graphs")

        def choose(condition: Any, *, values: dict[str, Any], wide: Any) -> Any:
            constants, steps, outputs = parts["then_branch" if bool(condition.array.all()) else "else_branch"]
            inner = {**values, **constants}
            _run(steps, inner, wide)
            return tuple(inner[o] for o in outputs) if len(outputs) > 1 else inner[outputs[0]]

        return choose, reads

    # ------------------------------------------------------------------------------------ running
    def forward(self, *args: Any, **named: Any) -> Any:
        """Run the graph."""
        given = dict(zip(self._inputs, args, strict=False)) | named
        wrong = [n for n in self._inputs if n not in given] or [n for n in given if n not in self._inputs]
        if wrong or len(args) > len(self._inputs):
            raise ArgumentError(f"onnx: the inputs are {', '.join(self._inputs)}; got {len(args)} by position"
                                f"{' and ' + ', '.join(named) if named else ''}")  # fmt: skip
        stored = {name: getattr(home, last) for name, (home, last) in self._stored.items()}
        now = next((t.array.dtype for t in stored.values() if t.array.dtype.kind == "f"), self._dtype)
        wide = now if now != self._dtype else None  # after `double()` the whole graph is computed so
        values = {name: self._checked(name, value, wide) for name, value in given.items()} | stored
        with np.errstate(all="ignore"):  # a graph may divide by zero and not use the result
            _run(self._steps, values, wide)
        out = tuple(values[name] for name in self._outputs)
        return out[0] if len(out) == 1 else out

    def _checked(self, name: str, value: Any, wide: Any) -> Tensor:
        """Return an input as a tensor; raise unless it has the dtype (or ``wide``) and the fixed sizes of the file."""
        t = value if isinstance(value, Tensor) else make(np.array(value))
        kind = self._kinds.get(name)
        if kind is None:
            return t
        dtype = dtype_of(kind.elem_type)
        dtype = wide if wide is not None and dtype == self._dtype else dtype
        if t.array.dtype != dtype:
            raise OptionError(f"onnx: input '{name}' must have the dtype {dtype}, it has {t.array.dtype}")
        dims = list(kind.shape.dim) if kind.HasField("shape") else None
        if dims is not None and (
            len(dims) != t.ndim
            or any(d.HasField("dim_value") and d.dim_value not in (n, 0) for d, n in zip(dims, t.shape, strict=True))
        ):
            shown = [d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in dims]
            raise ShapeError(f"onnx: input '{name}' must have the shape {shown}, it has {tuple(t.shape)}")
        return t

    def extra_repr(self) -> str:
        """Return the inputs and outputs."""
        return f"{', '.join(self._inputs)} -> {', '.join(self._outputs)}"


def _run(steps: list[Step], values: dict[str, Any], wide: Any = None) -> None:
    """Compute the values of all nodes, floats in the dtype ``wide`` if given; drop what nothing needs any more."""
    for step in steps:
        operands = [values[name] if name else None for name in step.inputs]
        try:
            if getattr(step.run, "__name__", "") == "choose":
                found = step.run(*operands, values=values, wide=wide)
            else:
                found = step.run(*operands)
        except FileError:
            raise
        except Exception as error:
            error.add_note(f"in the node {step.title} of the ONNX graph")
            raise
        for name, value in zip(step.outputs, found if isinstance(found, tuple) else (found,), strict=False):
            values[name] = value if wide is None or value.array.dtype.kind != "f" else value.to(wide)
        for name in step.last:
            values.pop(name, None)


def _child(home: Module, name: str) -> Module:
    found = home._modules.get(name)
    if found is None:
        name = _free(home, name)
        found = Module()
        home.add_module(name, found)
    return found


def _free(home: Module, name: str) -> str:
    """Return a name that ``home`` does not use for something else."""
    name = name or "_"
    while hasattr(home, name):
        name += "_"
    return name
