"""The recorded graph: what a `Node` is, and `record`, the one function that makes it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from sys import _getframe as frame_at
from types import MappingProxyType
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.source import NOWHERE, OURS, Place, line_of, user_frame

clock = itertools.count(1).__next__
"""Counts nodes and in-place writes; a node always has a larger number than the nodes it depends on."""


class Node:
    """One recorded call of an op: where its operands came from, and the values that its rules asked for.

    ``inputs`` has one entry per array argument: the Node that computed it, the leaf Tensor itself, or None where no
    gradient goes. ``saved`` holds the values named by the op's rules, and is None once a backward pass has used them.
    ``source`` is the place in the user's program that called the op.

    >>> import tinygrad_lite as tl
    >>> (tl.ones(2, requires_grad=True) * 2).grad_fn
    <mul -> (2,)>
    """

    __slots__ = ("__weakref__", "dtype", "hooks", "inputs", "op", "options", "saved", "seq", "shape", "source")

    op: Any
    inputs: Sequence[Any]
    saved: tuple[Any, ...] | None
    options: tuple[Any, ...]
    shape: Any
    dtype: Any
    seq: int
    hooks: dict[int, Any] | None
    source: Place | None

    register_hook: Any
    register_prehook: Any
    # set by `engine.grad`, which knows Tensor

    def name(self) -> str:
        """Return the name of the op."""
        return str(self.op.name)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The (node, output number) that each operand came from; for a leaf an `AccumulateGrad`."""
        return tuple((None, 0) if p is None else came_from(p) for p in self.inputs)

    @property
    def line(self) -> str:
        """``file:line: source text`` of the call that recorded this node."""
        return line_of(self.source)

    def __repr__(self) -> str:
        return f"<{self.op.name} -> {self.shape}>"


class AccumulateGrad:
    """The end of a graph in `Node.next_functions`: what arrives here is added to ``.grad`` of ``variable``.

    >>> import tinygrad_lite as tl
    >>> x = tl.ones(1, requires_grad=True)
    >>> end = (x * 2).grad_fn.next_functions[0][0]
    >>> end.name(), end.variable is x, end.next_functions
    ('torch::autograd::AccumulateGrad', True, ())
    """

    __slots__ = ("variable",)

    next_functions, metadata = (), MappingProxyType[str, Any]({})

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def name(self) -> str:
        """Return PyTorch's name of such a node."""
        return "torch::autograd::AccumulateGrad"

    def register_hook(self, fn: Any) -> Any:
        """Call ``fn(grad_inputs, grad_outputs)`` when a backward pass has added to ``.grad``."""
        return self.variable.register_post_accumulate_grad_hook(lambda t: fn((), (t.grad,)) and None)

    def register_prehook(self, fn: Any) -> Any:
        """Call ``fn(grad_outputs)`` with a tuple before the gradient is added; a tuple that it returns replaces it."""
        return self.variable.register_hook(lambda g: (fn((g,)) or (None,))[0])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad {tuple(self.variable.shape)}>"


def came_from(origin: Any) -> tuple[Any, int]:
    """Return the node, or the end of the graph, that an operand came from, and the number of the output."""
    if not isinstance(origin, Node):
        return AccumulateGrad(origin), 0
    node, number = (origin.inputs[0], origin.op.index) if origin.op.is_pick else (origin, 0)
    public = getattr(node.op, "public", None)
    return (node if public is None else public(node)), number


def record(
    op: Any, inputs: Any, saved: Any, options: Any, shape: Any, dtype: Any, place: Place | None = None, depth: int = 2
) -> Node:
    """Return the node of a call of ``op`` that has just run.

    ``place`` is the user's line. By default it is that of the nearest caller outside this package, from ``depth``
    frames up.
    """
    node = Node()
    node.op = op
    node.inputs = inputs
    node.saved = saved
    node.options = options
    node.shape = shape
    node.dtype = dtype
    node.seq = clock()
    node.hooks = None
    if place is None:
        frame = frame_at(depth)
        code = frame.f_code
        if OURS[code.co_filename]:
            frame = user_frame(frame)
            code = frame.f_code
        place = (code, frame.f_lasti)
    node.source = place
    return node


class Parts:
    """The gradients of the outputs of a node with several; an output without one gets zeros."""

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
        part = next(iter(self.parts.values()))
        maker = new.like(getattr(part, "array", part)) if new.KINDS else new
        return tuple(self.parts[i] if i in self.parts else maker.zeros(s, d) if zeros else None for i, (s, d) in like)


class Pick:
    """The op of a node that stands for one output of a node with several."""

    __slots__ = ("index", "name")

    is_pick, rules, singular, frees, saved_names, uses = True, (), False, False, (), ()
    kind, label, options = "shape", "[]", ()

    def __init__(self, index: int) -> None:
        self.index, self.name = index, f"output {index}"

    def gather(self, node: Node, g: Any, saved: Any) -> Iterator[tuple[int, Any]]:
        """Yield the gradient for the node with all outputs, marked with the output that it belongs to."""
        yield 0, Parts(node.inputs[0].shape, {self.index: g})

    def rewrap(self, node: Node, wrap: Any) -> tuple[Any, ...]:
        """Return the saved values as Tensors: there are none."""
        return ()


def pick(node: Node, index: int) -> Node:
    """Return a node for output ``index`` of a node with several outputs."""
    return record(Pick(index), (node,), (), (), node.shape[index], node.dtype[index], node.source or NOWHERE)


class Same:
    """The op of a node that keeps a leaf's old array after ``.data`` was replaced."""

    name, kind, label, singular, frees, saved_names, gather = "same", "shape", "=", False, False, (), None
    is_pick, rules, uses = False, ((0, lambda g, saved: g),), ()

    def rewrap(self, node: Node, wrap: Any) -> tuple[Any, ...]:
        """Return the saved values as Tensors: there are none."""
        return ()


def same(leaf: Any, array: Any) -> Node:
    """Return a node that passes its gradient to ``leaf`` but has the value ``array``."""
    return record(Same(), (leaf,), (), (), array.shape, array.dtype, NOWHERE)
