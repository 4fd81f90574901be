"""The observer that records every op and every module call of a run."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from tinygrad_lite.engine.mode import Observer
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.op import OPS
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.engine.views import renew
from tinygrad_lite.viz.capture.builder import Builder, Names
from tinygrad_lite.viz.capture.cost import saved_bytes
from tinygrad_lite.viz.capture.layers import details, is_library
from tinygrad_lite.viz.capture.nested import tensors_in
from tinygrad_lite.viz.capture.source import place_of
from tinygrad_lite.viz.model import GraphCall, GraphNode


class Tracer(Builder, Observer):
    """Records every op and module call while a function runs, in `nodes`, `edges` and `calls`.

    ``modules``: path of each module by its id.
    """

    def __init__(self, names: Names, modules: dict[int, str], wants: Any = ()) -> None:
        super().__init__(names, wants)
        self.modules, self.stack = modules, [""]
        self.entered: dict[str, int] = {}
        self.inside: dict[str, GraphCall] = {}
        self.clock = "time" in self.wants
        self.begun = 0.0
        self.running: tuple[Any, Any, str] | None = None  # the op that has begun and not returned

    # ------------------------------------------------------------------------------------ module calls
    def enter(self, module: Any, args: Any) -> None:
        """Open a new call."""
        cls = type(module).__name__
        path = self.modules.get(id(module)) or cls
        if path == cls and len(self.stack) > 1:
            path = f"{self.stack[-1]}.{cls}"
        count = self.entered[path] = self.entered.get(path, 0) + 1
        call = GraphCall(self.unique(path if count == 1 else f"{path}#{count}"), cls, self.stack[-1])
        call.detail, call.single = details(module), is_library(module)
        self.calls.append(call)
        self.inside[call.id] = call
        self.stack.append(call.id)

    def leave(self, module: Any, output: Any) -> None:
        """Close the innermost call and note the shapes of its outputs."""
        call = self.inside[self.stack.pop()]
        call.outputs = tuple((path[1:], tuple(t.shape)) for path, t in tensors_in("", output))

    # ------------------------------------------------------------------------------------ ops
    def before(self, op: Any, args: Any) -> None:
        """Remember the op in case it fails, and start the clock."""
        self.running = op, args, self.stack[-1]
        if self.clock:
            self.begun = perf_counter()

    def after(self, op: Any, args: Any, out: Any, frame: Any) -> None:
        """Add the node of an op that has run."""
        elapsed = perf_counter() - self.begun if self.clock else None
        self.running = None
        outs = out if isinstance(out, tuple) else (out,)
        node = self.add_op(op, args, outs[0], self.stack[-1])
        node.time, node.source = elapsed, place_of(frame)
        for i, t in enumerate(outs):
            self.keep(t, (node.id, i))
            if isinstance(t, Tensor):
                self.keep(t.array, (node.id, i))
        first = outs[0]
        if isinstance(first, Tensor):
            node.requires_grad = any(isinstance(t, Tensor) and t.tracked for t in outs)
            self.measure(node, first.array)
        if node.requires_grad:
            self.recorded(node, next(t.node for t in outs if isinstance(t, Tensor) and t.node is not None))

    def written(self, t: Any, value: Any, root: Any, path: Any, frame: Any) -> None:
        """Note that a tensor has the result of another op from now on, or add a node for a write to a part of it."""
        if t is root and not path and isinstance(value, Tensor) and value.shape == t.shape:
            place = self.origin(value)
            self.keep(t, place)
            self.keep(t.array, place)
        else:
            self.before(OPS["overwrite"], (root, value, path))
            self.after(OPS["overwrite"], (root, value, path), root, frame)
            renew(root, frame)

    def recorded(self, node: GraphNode, own: Node) -> None:
        """Connect ``node`` with the engine's node ``own``, and note the bytes that it keeps alive."""
        whole = own.inputs[0] if own.op.is_pick else own
        self.records[node.id] = whole
        node.saved_bytes = saved_bytes(whole, self.names)

    # ------------------------------------------------------------------------------------ errors
    def failed(self, error: Exception) -> str:
        """Mark the op that raised ``error``, or the last one before it; return the note for the reader."""
        words = f"{type(error).__name__}: {error}"
        if self.running is not None:
            op, args, call = self.running
            node = self.add_op(op, args, None, call)
            node.marks = (f"failed here: {words}",)
        elif self.nodes:
            self.nodes[-1].marks = (*self.nodes[-1].marks, f"failed after this op: {words}")
        return f"the run failed; the graph ends there: {words}"
