"""The backward pass: what a recorded step looks like (`Node`) and how gradients travel back over it (`pull`).

This file knows neither NumPy functions nor Tensor. A gradient is anything that can be added, indexed by shape and
handed to a rule: a bare array in an ordinary backward pass, a Tensor when the pass itself has to be differentiated.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from math import isfinite
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tinygrad_lite.engine.mode import (
    MODE as MODE,
    Mode as Mode,
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
    switch as switch,
    zero_guard as zero_guard,
)
from tinygrad_lite.errors import GradientError

clock = itertools.count(1).__next__
"""Counts recorded steps and in-place changes; a step always has a larger number than the steps it stands on."""


# ------------------------------------------------------------------------------------------------ the graph
class Node:
    """One recorded step: which op, what it came from, and the values its rules asked for.

    ``inputs`` has one entry per argument: the Node that made it, the leaf Tensor itself, or None where no gradient
    goes. ``saved`` holds the values named by the op's rules, and is None once a backward pass has used them up.
    ``source`` is the (code object, instruction) that called the op: turned into a line only when somebody asks.
    """

    __slots__ = ("__weakref__", "dtype", "hooks", "inputs", "op", "options", "saved", "seq", "shape", "source")

    op: Any
    inputs: Sequence[Any]
    saved: tuple[Any, ...] | None
    options: tuple[Any, ...]
    shape: Any
    dtype: Any
    seq: int
    hooks: list[Any] | None
    source: tuple[CodeType, int] | None

    def name(self) -> str:
        """Return the name of the op."""
        return str(self.op.name)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The (node, output number) each argument came from; a leaf stands for itself."""
        return tuple((p.inputs[0], p.op.index) if type(p) is Node and p.op.is_pick else (p, 0) for p in self.inputs)

    @property
    def line(self) -> str:
        """``file:line: source text`` of the call that recorded this step."""
        return line_of(self.source)

    def __repr__(self) -> str:
        return f"<{self.op.name} -> {self.shape}>"


class Files(dict[str, bool]):
    """Whether a source file is one of ours, by name; looked up once per recorded step, so each name is judged once."""

    def __init__(self) -> None:
        here = os.path.dirname(os.path.dirname(__file__))
        rooms = (here, *(os.path.realpath(os.path.join(here, room)) for room in ("nn", "models")))
        self.ours = ("<tinygrad_lite ", *(room + os.sep for room in rooms))

    def __missing__(self, name: str) -> bool:
        self[name] = mine = name.startswith(self.ours)
        return mine


OURS = Files()


def user_frame(frame: FrameType) -> FrameType:
    """Return the nearest frame from ``frame`` outwards that is not this package's own."""
    here: FrameType | None = frame
    while here is not None and OURS[here.f_code.co_filename]:
        here = here.f_back
    return here or frame


def line_of(source: tuple[CodeType, int] | None) -> str:
    """Turn a (code object, instruction offset) into ``file:line: text``."""
    if source is None:
        return "an unknown line"
    code, offset = source
    number = next(itertools.islice(code.co_positions(), offset // 2, None), (code.co_firstlineno,))[0]
    text = linecache.getline(code.co_filename, number or 0).strip()
    return f"{code.co_filename}:{number}" + (f": {text}" if text else "")


# ------------------------------------------------------------------------------------------------ in-place changes
class Change:
    """How often the memory of one array was changed in place, when last, and where."""

    __slots__ = ("count", "keep", "line", "when")

    count: int
    when: int
    line: tuple[CodeType, int] | None
    keep: Any


CHANGES: dict[int, Change] = {}
"""In-place changes by id of the array that owns the memory; empty in a program that changes nothing in place.
Entries vanish with their array."""
LATEST = [0]
"""When anything was last changed in place: steps recorded after that need not be looked at one by one."""


def tick() -> int:
    """Return the time of a change that is about to be made, for many changes at once (an optimiser's step)."""
    LATEST[0] = now = clock()
    return now


def owner(array: Any) -> Any:
    """Return the array that owns the memory ``array`` looks into."""
    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            array = base
        # as_strided puts a plain object with a base of its own in between
        base = getattr(base, "base", None)
    return array


def bump(array: Any, source: tuple[CodeType, int] | None = None) -> None:
    """Note that the memory of ``array`` was changed in place."""
    array = owner(array)
    key = id(array)
    change = CHANGES.get(key)
    if change is None:
        change = Change()
        change.count = 0
        change.keep = weakref.ref(array, lambda _, key=key: CHANGES.pop(key, None))  # type: ignore[misc]
        CHANGES[key] = change
    change.count += 1
    change.when, change.line = tick(), source


def used_of(node: Node) -> Iterator[int]:
    """Yield which of the saved values of ``node`` its rules will ask for: those of arguments that want a gradient."""
    for p, places in node.op.uses:
        if p < 0 or node.inputs[p] is not None:
            yield from places


def refuse_changed(node: Node) -> None:
    """Raise if a value that a rule of ``node`` is about to use was changed in place since it was saved."""
    saved = node.saved or ()
    for i in used_of(node):
        name, value = node.op.saved_names[i], saved[i]
        for part in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(part, np.ndarray):
                change = CHANGES.get(id(owner(part)))
                if change is not None and change.when > node.seq:
                    what = "its result" if name == "y" else f"'{name}'"
                    raise GradientError(
                        f"{node.op.name}: backward needs {what} {part.shape} as it was, but it was changed in place\n"
                        f"  saved by    {node.line}\n"
                        f"  changed by  {line_of(change.line)}\n"
                        f"  use the out-of-place form, or change a .clone()"
                    )


# ------------------------------------------------------------------------------------------------ the pass
class Parts:
    """The gradients of the outputs of a step that has several; those nothing was asked of are zero."""

    __slots__ = ("parts", "shape")

    def __init__(self, shape: Any, parts: dict[int, Any]) -> None:
        self.shape, self.parts = shape, parts

    def __add__(self, other: Parts) -> Parts:
        merged = dict(self.parts)
        for i, g in other.parts.items():
            merged[i] = merged[i] + g if i in merged else g
        return Parts(self.shape, merged)

    def filled(self, node: Node) -> tuple[Any, ...]:
        """Return one gradient per output of ``node``."""
        like = enumerate(zip(node.shape, node.dtype, strict=True))
        zeros = getattr(node.op, "materialize", True)
        return tuple(self.parts[i] if i in self.parts else np.zeros(s, d) if zeros else None for i, (s, d) in like)


class Pick:
    """The op of a node that stands for one output of a step with several."""

    __slots__ = ("index", "name")

    is_pick, rules, singular, frees, saved_names, uses = True, (), False, False, (), ()
    kind, label, options = "shape", "[]", ()

    def __init__(self, index: int) -> None:
        self.index, self.name = index, f"output {index}"

    def gather(self, node: Node, g: Any, saved: Any) -> Iterator[tuple[int, Any]]:
        """Hand the gradient to the step, marked with the output it belongs to."""
        yield 0, Parts(node.inputs[0].shape, {self.index: g})

    def rewrap(self, node: Node, wrap: Any) -> tuple[Any, ...]:
        """Nothing was saved."""
        return ()


def pick(node: Node, index: int) -> Node:
    """Return a node for output ``index`` of a step with several outputs."""
    one = Node()
    one.op, one.inputs, one.saved, one.options = Pick(index), (node,), (), ()
    one.shape, one.dtype, one.seq = node.shape[index], node.dtype[index], clock()
    one.hooks, one.source = None, node.source
    return one


class Same:
    """The op of a node that stands for a leaf with the memory it had when it was used."""

    name, kind, label, singular, frees, saved_names, gather = "same", "shape", "=", False, False, (), None
    is_pick, rules, uses = False, ((0, lambda g, saved: g),), ()

    def rewrap(self, node: Node, wrap: Any) -> tuple[Any, ...]:
        """Nothing was saved."""
        return ()


def same(leaf: Any, array: Any) -> Node:
    """Return a node that hands its gradient to ``leaf`` but has the value ``array``."""
    one = Node()
    one.op, one.inputs, one.saved, one.options = Same(), (leaf,), (), ()
    one.shape, one.dtype, one.seq, one.hooks, one.source = array.shape, array.dtype, clock(), None, None
    return one


class Retain:
    """Among the hooks of a node, always the last: its gradient is to end up in ``.grad`` of a computed tensor too."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Any) -> None:
        self.tensor = weakref.ref(tensor)


@functools.lru_cache(maxsize=64)
def _shared_ones(n: int, dtype: Any) -> Any:
    array = np.ones(n, dtype)
    array.flags.writeable = False
    return array


def ones(n: int, dtype: Any) -> Any:
    """Return ``n`` ones, shared and read-only unless they are many: a product with them is the fastest sum of rows."""
    return _shared_ones(n, dtype) if n <= 1 << 16 else np.ones(n, dtype)


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes along which an input of ``shape`` was broadcast (the adjoint of broadcasting).

    >>> unbroadcast(np.ones((4, 2, 3)), (2, 1)).shape
    (2, 1)
    """
    extra = g.ndim - len(shape)
    if extra:
        if extra == 1 and g.ndim == 2 and g.__class__ is np.ndarray:
            rows, columns = g.shape
            if (columns,) == shape and g.dtype.kind == "f":
                return ones(rows, g.dtype).dot(g)
        g = np.add.reduce(g, axis=0 if extra == 1 else tuple(range(extra)))
        if g.shape == shape:
            return g
    axes = tuple([i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1])
    return np.add.reduce(g, axis=axes, keepdims=True) if axes else g


PIECE = 8192


def finite(array: Any) -> bool:
    """Return whether every element is finite (one pass, no temporary; overflow only costs a second look)."""
    if array.__class__ is not np.ndarray:
        array = getattr(array, "raw", array)
    flat = array if array.ndim == 1 else array.ravel()
    if flat.size > PIECE:  # BLAS would start threads for a longer product, and wait for them
        whole = flat[: flat.size // PIECE * PIECE].reshape(-1, 1, PIECE)
        flat = flat[whole.size :]
        with np.errstate(all="ignore"):
            if not isfinite(np.matmul(whole, whole.swapaxes(1, 2)).max()):
                return bool(np.isfinite(array).all())
    return isfinite(flat.dot(flat)) or bool(np.isfinite(array).all())


def ancestors(roots: Iterable[Any], targets: set[Any]) -> set[Any]:
    """Return the nodes under ``roots`` from which one of ``targets`` can be reached."""
    nodes: set[Node] = set()
    stack = [r for r in roots if type(r) is Node]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes.add(node)
            stack.extend(p for p in node.inputs if type(p) is Node)
    needed = set(targets)
    for node in sorted(nodes, key=lambda n: n.seq):  # parents before children
        if any(p in needed for p in node.inputs if p is not None):
            needed.add(node)
    return needed


def pull(
    roots: Sequence[tuple[Any, Any]],
    *,
    targets: Sequence[Any] | None = None,
    retain: bool = False,
    wrap: Callable[..., Any] | None = None,
) -> dict[Any, Any]:
    """Carry gradients from ``roots`` (pairs of node or leaf, gradient) back to the leaves, or only to ``targets``.

    Steps are taken in the reverse order of recording (a heap of their numbers), so each node is visited once, when all
    its gradients have arrived. What a step had saved is let go as soon as it has been used, unless ``retain``.
    With ``wrap`` (Tensor maker: array, node or leaf -> Tensor) the rules run on Tensors and so record themselves.
    Returns the gradient of each leaf (or target). Nothing outside is changed.
    """
    mode = MODE.get()
    guard, observers, latest = mode.guard, mode.observers, LATEST[0]
    needed = None if targets is None else ancestors([r for r, _ in roots], set(targets))
    wanted = set() if targets is None else set(targets)
    results: dict[Any, Any] = {}
    pending: dict[Node, Any] = {}
    heap: list[tuple[int, Node]] = []

    def arrive(p: Any, gp: Any) -> None:
        if p.__class__ is Node:
            before = pending.get(p)
            if before is None:
                pending[p] = gp
                heappush(heap, (-p.seq, p))
            else:
                pending[p] = before + gp
        else:
            before = results.get(p)
            results[p] = gp if before is None else before + gp

    for observer in observers:
        if hasattr(observer, "starts"):
            observer.starts()
    for root, g in roots:
        if needed is None or root in needed:
            arrive(root, g)
    while heap:
        node = heappop(heap)[1]
        g = pending.pop(node)
        if node.hooks is not None:
            for hook in tuple(node.hooks):
                if hook.__class__ is Retain:
                    results[hook] = g
                else:
                    g = hook(g)
            latest = LATEST[0]
        if node in wanted:
            results[node] = g
        op = node.op
        if g.__class__ is Parts:
            g = g.filled(node)
        saved = node.saved
        if saved is None:
            raise GradientError(
                f"{op.name}: this part of the graph was already used by a backward pass, and its saved values were "
                f"freed; call the first backward with retain_graph=True (recorded at {node.line})"
            )
        if node.seq < latest:
            refuse_changed(node)
        if wrap is not None:
            saved = op.rewrap(node, wrap)
        singular = guard and op.singular
        for position, rule in op.rules:
            p = node.inputs[position]
            if p is None or (needed is not None and p not in needed):
                continue
            gp = rule(g, saved)
            if gp is None:
                continue
            if singular and not finite(gp):
                gp = op.masked(g, gp)
            shape = p.shape if p.__class__ is Node or wrap is not None else p.array.shape
            if gp.shape != shape:
                gp = unbroadcast(gp, shape)
            if observers:
                for observer in observers:
                    observer.pulled(node, position, g, gp)
            # arrive(p, gp), spelled out: this runs once per edge of every graph
            if p.__class__ is Node:
                before = pending.get(p)
                if before is None:
                    pending[p] = gp
                    heappush(heap, (-p.seq, p))
                else:
                    pending[p] = before + gp
            else:
                before = results.get(p)
                results[p] = gp if before is None else before + gp
        if op.gather is not None:
            for position, gp in op.gather(node, g, saved):
                p = node.inputs[position]
                if needed is not None and p not in needed:
                    continue
                if gp.shape != p.shape:
                    gp = unbroadcast(gp, p.shape)
                if observers and gp.__class__ is not Parts:
                    for observer in observers:
                        observer.pulled(node, position, g, gp)
                arrive(p, gp)
        if op.frees and not retain:
            node.saved = None
    return results


def release(roots: Iterable[Any]) -> None:
    """Let go of what the steps under ``roots`` had saved, as a backward pass does on its way."""
    seen: set[Node] = set()
    stack = [r for r in roots if type(r) is Node]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(p for p in node.inputs if type(p) is Node)
            if node.op.frees:
                node.saved = None
