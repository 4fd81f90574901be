"""The backward pass: how gradients travel back over the recorded nodes (`pull`).

This file knows neither operations nor Tensor. A gradient is anything that can be added, has a shape and can be handed
to a rule: a bare array in an ordinary backward pass, a Tensor when the pass itself is differentiated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from math import isfinite
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.hooks import Retain
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.node import Node, Parts
from tinygrad_lite.engine.sums import unbroadcast
from tinygrad_lite.engine.versions import LATEST, refuse_changed
from tinygrad_lite.errors import GradientError

PIECE = 8192


def finite(array: Any) -> bool:
    """Return whether every element is finite (one pass, no temporary; overflow only costs a second look)."""
    if array.__class__ is not np.ndarray:
        array = getattr(array, "raw", array)
    flat = array if array.ndim == 1 else array.ravel()
    if flat.size > PIECE:  # a longer product would start BLAS threads
        whole = flat[: flat.size // PIECE * PIECE].reshape(-1, 1, PIECE)
        flat = flat[whole.size :]
        with np.errstate(all="ignore"):
            if not isfinite(np.matmul(whole, whole.swapaxes(1, 2)).max()):
                return bool(np.isfinite(array).all())
    return isfinite(flat.dot(flat)) or bool(np.isfinite(array).all())


def ancestors(roots: Iterable[Any], targets: set[Any]) -> set[Any]:
    """Return the nodes under ``roots`` from which one of ``targets`` can be reached."""
    nodes: set[Node] = set()
    stack = [r for r in roots if isinstance(r, Node)]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes.add(node)
            stack.extend(p for p in node.inputs if isinstance(p, Node))
    needed = set(targets)
    for node in sorted(nodes, key=lambda n: n.seq):  # parents before children
        if any(p in needed for p in node.inputs if p is not None):
            needed.add(node)
    return needed


def pull(
    roots: Sequence[Any], *, targets: Any = None, retain: bool = False, wrap: Any = None, waiting: Any = None
) -> dict[Any, Any]:
    """Return the gradients that ``roots`` (pairs of node or leaf, gradient) send to leaves, or only to ``targets``.

    Nodes are taken in the reverse order of recording: once, when all their gradients have arrived. Saved values are
    freed after use, unless ``retain``. ``waiting(results)`` makes the dict of waiting gradients. With ``wrap`` (Tensor
    maker: array, node or leaf -> Tensor) the rules run on Tensors and are recorded. `Retain` markers get theirs, too.
    """
    guard, observers = MODE.get().guard, MODE.get().observers
    wanted: set[Any] = set(targets or ())
    needed = None if targets is None else ancestors([r for r, _ in roots], wanted)
    results: dict[Any, Any] = {}
    pending: dict[Node, Any] = {} if waiting is None else waiting(results)
    heap: list[tuple[int, Node]] = []
    for observer in observers:
        observer.backward_starts()
    for root, g in roots if needed is None else [r for r in roots if r[0] in needed]:
        arrive(root, g, pending, heap, results)
    while heap:
        node = heappop(heap)[1]
        g, op = pending.pop(node), node.op
        if node.hooks is not None:
            g = call_hooks(node, g, results)
        if wanted and node in wanted:
            results[node] = g
            if needed is not None and not any(p in needed for p in node.inputs if p is not None):
                continue  # no target lies below: as in PyTorch the node is not used, nor freed
        if g.__class__ is Parts:
            g = g.filled(node)
        if node.saved is None or node.seq < LATEST[0]:
            refuse_freed_or_changed(node)
        saved = node.saved if wrap is None else op.rewrap(node, wrap)
        for position, rule in op.rules:
            p = node.inputs[position]
            if p is None or (needed is not None and p not in needed):
                continue
            if (gp := rule(g, saved)) is None:
                continue
            if guard and op.singular and (wrap is None and new.straight() or not finite(gp)):
                gp = op.masked(g, gp)
            inner = p.__class__ is Node
            shape = p.shape if inner or wrap is not None else p.array.shape
            if gp.shape != shape:
                gp = unbroadcast(gp, shape)
            for observer in observers:
                observer.pulled(node, position, g, gp)
            if p in (pending if inner else results):
                arrive(p, gp, pending, heap, results)
            elif inner:  # the first gradient to arrive, without another Python call
                pending[p] = gp
                heappush(heap, (-p.seq, p))
            else:
                results[p] = gp
        if op.gather is not None:
            for p, gp in gathered(node, g, saved, needed, observers):
                arrive(p, gp, pending, heap, results)
        if (frees := op.frees) and not retain and (frees is True or frees(node.saved)):
            node.saved = None
    return results


def arrive(p: Any, gp: Any, pending: dict[Node, Any], heap: list[tuple[int, Node]], results: dict[Any, Any]) -> None:
    """Add a gradient to that of a node, which then waits in the ``heap`` for its turn, or to a leaf's result."""
    if p.__class__ is not Node:
        results[p] = results[p] + gp if p in results else gp
    elif p in pending:
        pending[p] = pending[p] + gp
    else:
        pending[p] = gp
        heappush(heap, (-p.seq, p))


def call_hooks(node: Node, g: Any, results: dict[Any, Any]) -> Any:
    """Return the gradient of ``node`` after its hooks; `Retain` markers find it among the ``results``."""
    hooks = tuple((node.hooks or {}).values())
    for hook in hooks:
        if hook.__class__ is not Retain:
            g = hook(g)
    for hook in hooks:
        if hook.__class__ is Retain:
            results[hook] = g
    return g


def gathered(node: Node, g: Any, saved: Any, needed: Any, observers: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (node or leaf, gradient) of an op whose one rule returns the gradients of several arguments."""
    for position, gp in node.op.gather(node, g, saved):
        p = node.inputs[position]
        if needed is None or p in needed:
            if gp.shape != p.shape:
                gp = unbroadcast(gp, p.shape)
            if gp.__class__ is not Parts:
                for observer in observers:
                    observer.pulled(node, position, g, gp)
            yield p, gp


def refuse_freed_or_changed(node: Node) -> None:
    """Raise GradientError if the saved values of ``node`` were freed by an earlier backward pass, or overwritten."""
    if node.saved is None:
        raise GradientError(
            f"{node.op.name}: this part of the graph was already used by a backward pass, and its saved values were "
            f"freed; call the first backward with retain_graph=True (recorded at {node.line})"
        )
    refuse_changed(node)


def release(roots: Iterable[Any]) -> None:
    """Free the saved values of the nodes under ``roots``, as a backward pass does."""
    seen: set[Node] = set()
    stack = [r for r in roots if isinstance(r, Node)]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(p for p in node.inputs if isinstance(p, Node))
            frees = node.op.frees
            if frees and node.saved is not None and (frees is True or frees(node.saved)):
                node.saved = None
