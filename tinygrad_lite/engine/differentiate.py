"""Running a backward pass on tensors: its seeds, its targets, and what is stored in ``.grad``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import fits
from tinygrad_lite.engine.arrays import hush, unhush
from tinygrad_lite.engine.backward import pull
from tinygrad_lite.engine.hooks import HOOKED, After, Retain
from tinygrad_lite.engine.layout import alike
from tinygrad_lite.engine.mode import switch
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.tensor import Tensor, make, to_array, wrap
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import ArgumentError, GradientError, ShapeError, describe

SEEDS = {np.dtype(d): np.broadcast_to(new.ones((), d), ()) for d in (np.float32, np.float64)}
"""The gradient 1 of a 0-d output, made once and read-only."""


def seed_for(out: Tensor, gradient: Any, asked: str) -> Any:
    """Return the gradient to start from at ``out``; checks shape and dtype."""
    if not out.tracked:
        raise GradientError(
            f"{asked}: this tensor {describe(out)} was not recorded: none of its inputs requires gradients, "
            f"or it was computed under no_grad, or by a step without gradient (argmax, a comparison)"
        )
    if gradient is None:
        if out.array.ndim == 0 and out.array.dtype in SEEDS and out.array.__class__ is np.ndarray:
            return SEEDS[out.array.dtype]
        if out.numel() != 1:
            raise GradientError(
                f"{asked}: a gradient can be left out only for one element, this tensor has shape {out.array.shape}; "
                f"reduce it first (.sum(), .mean()) or pass gradient= of that shape"
            )
        return new.like(out.array).ones(out.array.shape, out.array.dtype)
    # copied: this very array may end up in the .grad of a leaf
    g = gradient if isinstance(gradient, Tensor) else make(to_array(gradient, name=asked))
    if g.shape != out.array.shape:
        raise ShapeError(f"{asked}: gradient has shape {tuple(g.shape)}, expected {out.array.shape} like the tensor")
    return g


def differentiate(
    outputs: Sequence[Tensor],
    gradients: Sequence[Any],
    targets: Sequence[Tensor] | None,
    retain: bool | None,
    create: bool,
    asked: str,
) -> dict[Any, Any]:
    """Run the backward pass; return the gradient of each leaf or target (Tensors with ``create``, else arrays)."""
    roots: list[tuple[Any, Any]] = []
    if create.__class__ is not bool and not fits(bool, create):
        raise ArgumentError(f"{asked}: create_graph must be True or False, got {describe(create)}")
    for out, gradient in zip(outputs, gradients, strict=True):
        if gradient is None and not create and out.tracked and out.array.ndim == 0 and out.array.dtype in SEEDS:
            if out.array.__class__ is np.ndarray:
                roots.append((out.node or out, SEEDS[out.array.dtype]))  # the usual case needs no checks
                continue
        g = seed_for(out, gradient, asked)
        if create:
            g = g if isinstance(g, Tensor) else make(g)
        elif isinstance(g, Tensor) and not g.level:
            g = new.array(g.array)
        if g.dtype != out.array.dtype:
            g = g.astype(out.array.dtype)
        roots.append((out.node or out, g))
    keys = None
    if targets is not None:
        for t in targets:
            if not isinstance(t, Tensor) or not t.tracked:
                raise GradientError(f"{asked}: an input {describe(t)} does not require gradients")
        keys = [t.node or t for t in targets]
    waiting = partial(Early, last_uses(roots), create) if HOOKED and asked == "backward" else None
    before = hush()
    try:
        if create:
            with switch(grad=True):
                found = pull(roots, targets=keys, retain=retain is not False, wrap=wrap, waiting=waiting)
        else:
            # rules on arrays record nothing, whatever the mode
            found = pull(roots, targets=keys, retain=bool(retain), waiting=waiting)
    finally:
        unhush(before)
    for leaf in found:
        if leaf.__class__ is not Node and leaf.__class__ is not Retain and leaf.hooks is not None:
            found[leaf] = hooked(leaf, found[leaf])
    return found


def hooked(leaf: Tensor, g: Any) -> Any:
    """Return the gradient of a leaf after its hooks."""
    for hook in tuple((leaf.hooks or {}).values()):
        if hook.__class__ is not After:
            g = hook(g)
    return g


def last_uses(roots: Iterable[tuple[Any, Any]]) -> list[tuple[int, Tensor]]:
    """Return the leaves with hooks under ``roots``, each after the number of the last node that sends it a gradient.

    They are sorted by that number: a pass completes the last of them first.
    """
    found: dict[Tensor, int] = {}
    stack = [root for root, _ in roots if root.__class__ is Node]
    seen = set(stack)
    while stack:
        node = stack.pop()
        for p in node.inputs:
            if p.__class__ is Node:
                if p not in seen:
                    seen.add(p)
                    stack.append(p)
            elif p is not None and p.hooks:
                found[p] = min(node.seq, found.get(p, node.seq))
    return sorted(((seq, leaf) for leaf, seq in found.items()), key=lambda pair: pair[0])


class Early(dict[Node, Any]):
    """The waiting gradients of a pass in which hooks of leaves run as soon as the leaf's gradient is complete.

    A gradient can then be sent to other processes, or used and freed, while the pass goes on. The hooks run between two
    nodes: a rule never sees a leaf that its hook has changed.
    """

    def __init__(self, order: list[tuple[int, Tensor]], create: bool, results: dict[Any, Any]) -> None:
        super().__init__()
        self.order, self.create, self.results = order, create, results

    def pop(self, node: Node, *default: Any) -> Any:
        """Store the gradients that are complete before the turn of ``node``; return the one waiting for it."""
        while self.order and self.order[-1][0] > node.seq:
            leaf = self.order.pop()[1]
            g = self.results.pop(leaf, None)
            if g is not None:
                store({leaf: hooked(leaf, g)}, (), self.create)
        return super().pop(node, *default)


def store(found: dict[Any, Any], targets: Iterable[Tensor], create: bool) -> None:
    """Add gradients to ``.grad`` of their tensors, in the dtype of the tensor and in memory of their own.

    Those are the leaves, computed tensors that were named as ``targets``, and those that retain theirs.
    """
    taken: set[int] = set()
    named = {t.node: t for t in targets if t.node is not None}
    placed = []
    for key, g in found.items():
        t = key
        if key.__class__ is Node:
            t = named.get(key)
        elif key.__class__ is Retain:
            t = key.tensor()
        if t is not None and t.tracked:  # a leaf may have been frozen since it was used
            placed.append((key, t, g))
            old = t._grad
            if old is not None and old.array.shape != t.array.shape:  # .data of the tensor was replaced
                raise ShapeError(f"backward: a tensor {describe(t)} has a .grad of another shape, {describe(old)}")
    for key, t, g in placed:
        old = t._grad
        if create:
            g = g if g.dtype == t.dtype else g.astype(t.dtype)
            t._grad = g if old is None else old + g
        elif old is None:
            # copy unless the array is ours alone: `a + b` passes one array to both, views and broadcasts share memory,
            # and a hook may change its gradient while others of the same memory are still on their way
            dtype, known = t.array.dtype, id(g)
            if key is not t or t.hooks or known in taken or g.__class__ is not np.ndarray or g.base is not None:
                g = new.array(g, dtype=dtype)
            elif g.dtype is not dtype:
                g = g.astype(dtype)
            taken.add(known)
            if g.ndim > 1 and g.strides != t.array.strides and key is t:
                g = alike(g, t.array)
            t._grad = make(g)
        elif old.tracked or not new.writable(old.array):
            t._grad = make(new.asarray(old.array + g, dtype=t.array.dtype))
        else:
            np.add(old.array, g, out=old.array, casting="same_kind")
            bump(old.array)
        if key is t and t.hooks is not None:
            for hook in tuple(t.hooks.values()):
                if hook.__class__ is After:
                    with switch(grad=create):
                        answer = hook.hook(t)
                    if answer is not None:
                        raise GradientError(f"a post-accumulate grad hook must return None, got {describe(answer)}")
