"""Gradients of every node in a traced graph, without touching any ``.grad``; suspicious ones are marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import numpy as np

from tinygrad_lite.engine.backward import pull
from tinygrad_lite.engine.mode import Observer, switch
from tinygrad_lite.engine.node import Node, Parts
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import GradientError
from tinygrad_lite.viz.capture.builder import Builder
from tinygrad_lite.viz.capture.values import kept, statistics, trouble
from tinygrad_lite.viz.model import GraphNode
from tinygrad_lite.viz.words import number_text

VANISHING, EXPLODING = 1e-7, 1e3
"""Below and above these multiples of the median, a gradient is marked."""

GROWN = 10.0
"""A gradient counts as exploding only above this size; the gradient of an output is 1."""


def gradient_warning(size: float, middle: float) -> str:
    """Return the warning for a gradient of this size, given the median ``middle``; empty if there is none."""
    if not math.isfinite(size):
        return "gradient is not finite"
    if middle and size < VANISHING * middle:
        return f"vanishing gradient {number_text(size, 2)}" if size else "gradient is exactly 0"
    return f"exploding gradient {number_text(size, 2)}" if middle and size > max(EXPLODING * middle, GROWN) else ""


class FirstNonFinite(Observer):
    """Observer of a backward pass: finds the first rule that makes a NaN or infinity from a finite gradient."""

    def __init__(self) -> None:
        self.node: Any = None
        self.word = ""

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """Check the result of one gradient rule."""
        if self.node is None:
            word = trouble(np.asarray(gp))
            if word and not any(trouble(np.asarray(part)) for part in (g if isinstance(g, tuple) else (g,))):
                self.node, self.word = node, word


@contextmanager
def without_hooks(records: Sequence[Any]) -> Iterator[None]:
    """Remove the user's hooks temporarily: they may have side effects, and drawing must have none."""
    before = [(s, s.hooks) for s in records if s.hooks is not None]
    for s, _ in before:
        s.hooks = None
    try:
        yield
    finally:
        for s, hooks in before:
            s.hooks = hooks


def add_gradients(builder: Builder, outs: Sequence[Any]) -> tuple[str, ...]:
    """Write the gradient of the sum of ``outs`` into every node; return the notes for the reader.

    Outputs with several elements are summed.
    """
    tracked = [t for t in outs if isinstance(t, Tensor) and t.tracked and t.array.size]
    if not tracked:
        return ("no gradients: nothing here requires them",)
    nodes = {n.id: n for n in (*builder.leaves, *builder.nodes)}
    where = {record: nodes[id] for id, record in builder.records.items()}
    where |= {t: nodes[id] for id, t in builder.sources.items()}
    records = [s for s in where if isinstance(s, Node)]
    picks = [s for t in tracked if (s := t.node) is not None and s.op.is_pick]
    watch = FirstNonFinite()
    roots = [(t.node or t, np.ones(t.array.shape, t.array.dtype)) for t in tracked]
    try:
        with without_hooks([*records, *picks]), np.errstate(all="ignore"), switch(observers=(watch,)):
            found = pull(roots, targets=list(where), retain=True)
    except GradientError:
        late = [(t, n) for t, n in where.items() if isinstance(t, Tensor) and t.grad is not None]
        for t, n in late:
            write(n, t.grad.array)  # type: ignore[union-attr]
        return ("a backward pass has freed this graph; draw before it, or use backward(retain_graph=True)",)
    for key, g in found.items():
        if isinstance(g, Parts):
            g = g.parts.get(0)
        if g is not None:
            write(where[key], np.asarray(g))
    for node in builder.nodes:
        if node.kind == "output":
            node.grad = 1.0 if not node.shape and node.requires_grad else None
    if watch.node is not None and watch.node in where:
        ill = where[watch.node]
        ill.marks = (*ill.marks, f"first {watch.word} gradient made here")
    mark([*where.values()])
    single = len(tracked) == 1 and tracked[0].array.size == 1
    return () if single else ("gradients are those of the sum of all outputs",)


def write(node: GraphNode, g: Any) -> None:
    """Write one gradient into a node."""
    numbers = statistics(g)
    node.grad = kept(g)
    stats = dict(node.stats or {})
    stats["grad_norm"] = numbers["norm"] if not numbers["nonfinite"] else math.nan
    stats["grad_max"] = max(abs(numbers["min"]), abs(numbers["max"]))
    if node.kind == "param" and "norm" in stats:
        stats["update_ratio"] = stats["grad_norm"] / stats["norm"] if stats["norm"] else math.inf
    node.stats = stats


def mark(nodes: Sequence[GraphNode]) -> None:
    """Mark gradients whose root mean square is far from the median."""
    sizes = {n.id: rms(n) for n in nodes}
    known = [s for s in sizes.values() if s is not None and math.isfinite(s)]
    middle = median(known) if known else 0.0
    for n in nodes:
        size = sizes[n.id]
        word = "" if size is None else gradient_warning(size, middle)
        if word:
            n.marks = (*n.marks, word)


def rms(node: GraphNode) -> float | None:
    """Return the root mean square of the gradient, None where there is none."""
    if not node.stats or "grad_norm" not in node.stats or not node.numel:
        return None
    return node.stats["grad_norm"] / math.sqrt(node.numel)
