"""Gradients of everything in a traced graph, without touching any ``.grad``; and which of them are ill."""

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
"""A gradient explodes only if it has grown: the result itself has gradient 1."""


def ill(size: float, middle: float) -> str:
    """Return what is wrong with a gradient of this size, where ``middle`` is the median of all."""
    if not math.isfinite(size):
        return "gradient is not finite"
    if middle and size < VANISHING * middle:
        return f"vanishing gradient {number_text(size, 2)}" if size else "gradient is exactly 0"
    return f"exploding gradient {number_text(size, 2)}" if middle and size > max(EXPLODING * middle, GROWN) else ""


class Spy(Observer):
    """Watches a backward pass for the first rule that makes something not finite out of finite numbers."""

    def __init__(self) -> None:
        self.step: Any = None
        self.word = ""

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """A rule has run."""
        if self.step is None:
            word = trouble(np.asarray(gp))
            if word and not any(trouble(np.asarray(part)) for part in (g if isinstance(g, tuple) else (g,))):
                self.step, self.word = node, word


@contextmanager
def without_hooks(steps: Sequence[Any]) -> Iterator[None]:
    """Take the users' hooks off for a moment: they may have effects, and the picture must have none."""
    before = [(s, s.hooks) for s in steps if s.hooks is not None]
    for s, _ in before:
        s.hooks = None
    try:
        yield
    finally:
        for s, hooks in before:
            s.hooks = hooks


def add_gradients(builder: Builder, outs: Sequence[Any]) -> tuple[str, ...]:
    """Write the gradient of the sum of ``outs`` into every node; returns what a reader has to know about it.

    For one number that is its gradient; a larger result is summed first.
    """
    tracked = [t for t in outs if isinstance(t, Tensor) and t.tracked and t.array.size]
    if not tracked:
        return ("no gradients: nothing here requires them",)
    nodes = {n.id: n for n in (*builder.leaves, *builder.nodes)}
    where = {step: nodes[id] for id, step in builder.steps.items()}
    where |= {t: nodes[id] for id, t in builder.sources.items()}
    steps = [s for s in where if isinstance(s, Node)]
    picks = [s for t in tracked if (s := t.node) is not None and s.op.is_pick]
    spy = Spy()
    roots = [(t.node or t, np.ones(t.array.shape, t.array.dtype)) for t in tracked]
    try:
        with without_hooks([*steps, *picks]), np.errstate(all="ignore"), switch(observers=(spy,)):
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
    if spy.step is not None and spy.step in where:
        ill = where[spy.step]
        ill.marks = (*ill.marks, f"first {spy.word} gradient made here")
    mark([*where.values()])
    single = len(tracked) == 1 and tracked[0].array.size == 1
    return () if single else ("gradients are those of the sum of all results",)


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
    """Mark gradients that are far from the others: their root mean square against the median of all."""
    sizes = {n.id: rms(n) for n in nodes}
    known = [s for s in sizes.values() if s is not None and math.isfinite(s)]
    middle = median(known) if known else 0.0
    for n in nodes:
        size = sizes[n.id]
        word = "" if size is None else ill(size, middle)
        if word:
            n.marks = (*n.marks, word)


def rms(node: GraphNode) -> float | None:
    """Return the root mean square of the gradient, None where there is none."""
    if not node.stats or "grad_norm" not in node.stats or not node.numel:
        return None
    return node.stats["grad_norm"] / math.sqrt(node.numel)
