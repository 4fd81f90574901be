"""Names for the variables of a program, and labels for its calls: from the user's variables, modules and parameters."""

from __future__ import annotations

import re
import sys
from typing import Any

from tinygrad_lite.compiled.reach import Reach, of_package
from tinygrad_lite.compiled.trace import Tracer
from tinygrad_lite.engine.mode import Observer
from tinygrad_lite.engine.tensor import Tensor


def identifier(text: str, taken: dict[str, int]) -> str:
    """Return a name for a variable, different from those taken."""
    name = re.sub(r"\W+", "_", text).strip("_") or "value"
    name = f"_{name}" if name[0].isdigit() else name
    n = taken.get(name, 0)
    taken[name] = n + 1
    return name if not n else identifier(f"{name}_{n}", taken)


def names_of(reach: Reach) -> tuple[list[tuple[str, Tensor]], dict[int, str]]:
    """Return every tensor with a name from the user's variables, and the path of every module."""
    tensors: dict[int, tuple[str, Tensor]] = {}
    paths: dict[int, str] = {}
    below = {id(c) for _, m in reach.modules for k, c in m.named_modules() if k}
    roots = sorted(reach.modules, key=lambda m: id(m[1]) in below)
    for name, m in roots:
        for k, c in m.named_modules():
            paths.setdefault(id(c), ".".join(x for x in (name, k) if x))
        for k, p in (*m.named_parameters(), *m.named_buffers()):
            tensors.setdefault(id(p), (f"{name}.{k}" if name else k, p))
    for name, t in reach.tensors:
        tensors.setdefault(id(t), (name, t))
    return list(tensors.values()), paths


class Labels(Observer):
    """Say to which op, module and section the recorded calls belong."""

    __slots__ = ("done", "inside", "passes", "paths", "section", "stack", "tracer", "update", "watch", "where")

    def __init__(self, tracer: Tracer, paths: dict[int, str]) -> None:
        self.tracer, self.paths, self.done, self.section, self.update = tracer, paths, 0, "forward", ""
        self.stack: list[str] = []
        self.passes = 0  # backward passes that the step has run
        self.where: dict[int, str] = {}
        self.watch: Any = None  # switched off while an op of this package runs: it runs no code of the user's

    def mark(self, text: str) -> None:
        """Label all calls since the last mark."""
        for c in self.tracer.calls[self.done :]:
            c.label, c.section = text, self.section
        self.done = len(self.tracer.calls)

    def before(self, op: Any, args: tuple[Any, ...]) -> None:
        """Mark what ran between two ops."""
        self.mark(self.update)
        if of_package(op.forward) and not any(map(callable, args)):
            self.watch = sys.getprofile()
            sys.setprofile(None)

    def after(self, op: Any, args: tuple[Any, ...], out: Any, frame: Any) -> None:
        """Mark the calls of an op."""
        if self.watch is not None:
            sys.setprofile(self.watch)
            self.watch = None
        path = self.stack[-1] if self.stack else ""
        self.mark(f"{path}: {op.name}" if path else op.name)
        node = getattr(out[0] if isinstance(out, tuple) and out else out, "node", None)
        if node is not None and path:
            self.where[id(node.inputs[0] if node.op.is_pick else node)] = path

    def by_parameter(self, calls: list[Any], parameters: set[int]) -> None:
        """Say in the labels of an update which parameter it changes; its last write is the parameter's."""
        start = 0
        for i, c in enumerate(calls):
            changed = next((w.memory for w in c.outs if w.memory.id in parameters), None)
            if changed is not None:
                for one in calls[start : i + 1]:
                    one.label = f"{one.label} for {changed.name}"
                start = i + 1

    def enter(self, module: Any, args: tuple[Any, ...]) -> None:
        """Note the module."""
        self.stack.append(self.paths.get(id(module), type(module).__name__))

    def leave(self, module: Any, output: Any) -> None:
        """Forget the module."""
        self.mark("")
        self.stack.pop()

    def backward_starts(self) -> None:
        """Begin the section of the backward pass."""
        self.mark("")
        self.section, self.passes = "backward", self.passes + 1

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """Mark the calls of a rule."""
        names = getattr(node.op, "arrays", ())
        text = f"gradient of {node.op.name} for {names[position] if position < len(names) else position}"
        path = self.where.get(id(node))
        self.mark(f"{path}: {text}" if path else text)
