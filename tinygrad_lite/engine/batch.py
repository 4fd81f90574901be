"""Vectorisation for `vmap`: a Batch of stacked tensors behaves like one of them.

A `Batch` has the shape of one example and holds all of them along a hidden first axis. An op with a Batch among its
operands comes here, through the observers of the mode, so that ordinary programs pay nothing. Elementwise ops,
reductions, products and moves run once on the stacked values; every other op runs example by example. So every op is
right without a batching rule, and the common ones are fast. Gradient rules run on Batches too: `pull_batched` carries
many gradients back in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.backward import release
from tinygrad_lite.engine.call import BATCHED
from tinygrad_lite.engine.differentiate import differentiate
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.mode import MODE, Observer, switch
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Size, Tensor, make, to_array
from tinygrad_lite.errors import GradientError, ShapeError, describe


class Unbatchable(GradientError):
    """Raised when code reads the numbers of a Batch; it has to run example by example."""


class Examples:
    """Stands for the array of a Batch; any use of it raises Unbatchable."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a probe of Python, doctest or copy
            raise AttributeError(name)
        raise Unbatchable("the numbers of a tensor inside vmap are those of many examples; they cannot be looked at")


def _refuse(self: Any, *_: Any, **__: Any) -> Any:
    return self.numbers


for _name in (
    "array bool len iter getitem setitem contains float int index complex eq ne lt le gt ge add radd sub rsub mul rmul "
    "truediv rtruediv floordiv mod pow rpow matmul rmatmul neg abs invert and or xor iadd isub imul itruediv "
    "array_ufunc array_function"
).split():
    setattr(Examples, f"__{_name}__", _refuse)
EXAMPLES = Examples()


class Batch(Tensor):
    """Many tensors of one shape that behave like one; ``value`` stacks them along its first axis."""

    __slots__ = ("level", "value")

    level: int
    value: Tensor

    @property
    def array(self) -> Any:
        """A stand-in that raises when it is used: there is no single array."""
        return EXAMPLES

    @property
    def tracked(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether operations on the examples are recorded."""
        return self.value.tracked

    @tracked.setter
    def tracked(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.value.tracked = value

    @property
    def node(self) -> Any:  # type: ignore[override]
        """The node that computed the examples."""
        return self.value.node

    @property
    def requires_grad(self) -> bool:
        """Whether operations on the examples are recorded."""
        return self.value.tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.value.requires_grad = value

    @property
    def shape(self) -> Size:
        """The shape of one example."""
        return Size(self.value.shape[1:])

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        return self.value.ndim - 1

    @property
    def raw(self) -> Any:
        """The array of all examples."""
        return self.value.raw

    def detach(self) -> Tensor:
        """Return the same examples without history."""
        return batch(self.value.detach(), self.level)

    def __repr__(self) -> str:
        return f"<batch of {self.value.shape[0]} tensors {describe(self)}>"


def batch(value: Any, level: int) -> Batch:
    """Return ``value`` (tensor or array) with its first axis hidden at ``level``."""
    b = object.__new__(Batch)
    b.level, b.value = level, value if isinstance(value, Tensor) else make(value)
    b._grad = b.hooks = b.base = None
    return b


class Level(Observer):
    """One running `vmap`; an observer, so that ops check their operands for batches."""

    def __init__(self, number: int, size: int) -> None:
        self.number, self.size = number, size


def levels() -> list[Level]:
    """Return the running levels, outermost first."""
    return [o for o in MODE.get().observers if isinstance(o, Level)]


def inside(level: Level) -> switch:
    """Return a switch to the mode in which ops accept batches of ``level``."""
    return switch(observers=(*MODE.get().observers, level))


def next_level() -> int:
    """Return a number above that of every running level."""
    return max((o.number for o in levels()), default=0) + 1


# ------------------------------------------------------------------------------------------------ ops on batches
RULES: dict[str, Callable[..., Any]] = {}
"""Batching rules by op name, or by ``kind NAME``."""


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the batching rule of some ops: a function of (op, arguments, level), None where it does not fit."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        RULES.update(dict.fromkeys(names, function))
        return function

    return declare


def run_batched(op: Any, args: tuple[Any, ...]) -> Any:
    """Run ``op`` with batches among its arguments: once for all examples, or one by one."""
    tensors = list(args[0]) if op.sequence else [a for a in args if isinstance(a, Tensor)]
    level = max(t.level for t in tensors if isinstance(t, Tensor))
    size = next(t.value.shape[0] for t in tensors if isinstance(t, Batch) and t.level == level)
    way = RULES.get(op.name) or RULES.get(f"kind {op.kind}") or along
    out = None
    if op.sequence is None or op.name in RULES:
        try:
            out = way(op, args, level)
        except Exception:  # run one by one, the op works or raises the right error
            out = None
    if out is None:
        out = one_by_one(op, args, level, size)
    if isinstance(out, Batch) and out.level == level:
        return out
    return tuple(batch(o, level) for o in out) if type(out) is tuple else batch(out, level)


BATCHED.append(run_batched)


def one_by_one(op: Any, args: tuple[Any, ...], level: int, size: int) -> Any:
    """Run ``op`` for each example and stack the results."""
    if not size:
        raise ValueError(f"vmap: {op.name} has to run example by example, and there is no example")

    def example(a: Any, i: int) -> Any:
        if isinstance(a, Batch) and a.level == level:
            return a.value[i]
        return [example(v, i) for v in a] if op.sequence and isinstance(a, (list, tuple)) else a

    outs = [op.call(*[example(a, i) for a in args]) for i in range(size)]
    if type(outs[0]) is tuple:
        return tuple(stacked([o[k] for o in outs]) for k in range(len(outs[0])))
    return stacked(outs)


def stacked(parts: Sequence[Any]) -> Any:
    """Return tensors or arrays of one shape as one, along a new first axis."""
    return PUBLIC["cat"]([p.reshape((1, *p.shape)) for p in parts], 0)


def is_batch(a: Any, level: int) -> bool:
    """Return whether ``a`` is a batch of this level."""
    return isinstance(a, Tensor) and a.level == level


def values(args: Sequence[Any], level: int) -> list[Any]:
    """Return ``args`` with the values of batches of this level."""
    return [a.value if is_batch(a, level) else a for a in args]


def only_first(args: Sequence[Any], level: int) -> bool:
    """Return whether the first argument, and no other, is a batch."""
    return is_batch(args[0], level) and not any(is_batch(a, level) for a in args[1:])


@rule("kind elementwise")
def elementwise(op: Any, args: tuple[Any, ...], level: int) -> Any:
    """Align the examples from the last axis, as broadcasting does."""
    arrays = [a for p, a in zip(op.params, args, strict=True) if p in op.arrays and a is not None]
    kinds = {a.dtype: a.dtype.kind.replace("u", "i") for a in arrays if hasattr(a, "dtype")}
    if len(set(kinds.values())) < len(kinds) and any(is_batch(a, level) and not a.ndim for a in arrays):
        return None  # a 0-d example gives way in promotion, a vector does not
    shapes = [tuple(a.shape) if hasattr(a, "shape") else () for a in arrays]
    n = max(len(s) for s in shapes)
    opened = []
    for a in args:
        if is_batch(a, level):
            v = a.value
            lead = n - (v.ndim - 1)
            a = v.reshape((v.shape[0], *(1,) * lead, *v.shape[1:])) if lead else v
        opened.append(a)
    out = op.call(*opened)
    size = next(a.value.shape[0] for a in args if is_batch(a, level))
    return out if tuple(out.shape) == (size, *np.broadcast_shapes(*shapes)) else None


@rule("kind activation")
def activation(op: Any, args: tuple[Any, ...], level: int) -> Any:
    """Run an activation elementwise, or along its ``dim``."""
    return along(op, args, level) if "dim" in op.params or len(op.arrays) > 1 else elementwise(op, args, level)


def along(op: Any, args: tuple[Any, ...], level: int) -> Any:
    """Run an op that works along ``dim`` of its first argument: counted from the front, one axis further."""
    named = dict(zip(op.params, args, strict=True))
    if "dim" not in named or not only_first(args, level):
        return None
    dim, n = named["dim"], args[0].ndim
    if not n or (dim is None and op.kind != "reduction"):
        return None
    dims = range(n) if dim is None or dim == () else dim if isinstance(dim, (tuple, list)) else (dim,)
    if any(not -n <= d < n for d in dims):
        return None
    moved = tuple(d + 1 if d >= 0 else d for d in dims)
    whole = dim is None or isinstance(dim, (tuple, list))
    named["dim"] = moved if whole else moved[0]
    return op.call(args[0].value, *list(named.values())[1:])


@rule("to")
def _same_call(op: Any, args: tuple[Any, ...], level: int) -> Any:
    return op.call(*values(args, level))


@rule("reshape")
def _reshape(op: Any, args: tuple[Any, ...], level: int) -> Any:
    v, shape = args[0].value, tuple(args[1])
    if -1 in shape:
        known = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
        if not known:
            return None
        shape = tuple(args[0].numel() // known if n == -1 else n for n in shape)
    return op.call(v, (v.shape[0], *shape))


@rule("permute")
def _permute(op: Any, args: tuple[Any, ...], level: int) -> Any:
    n = args[0].ndim
    return op.call(args[0].value, (0, *(d % n + 1 for d in args[1])))


@rule("broadcast_to")
def _broadcast_to(op: Any, args: tuple[Any, ...], level: int) -> Any:
    v, shape = args[0].value, tuple(args[1])
    lead = len(shape) - (v.ndim - 1)
    if lead < 0:
        return None
    v = v.reshape((v.shape[0], *(1,) * lead, *v.shape[1:])) if lead else v
    return op.call(v, (v.shape[0], *(m if n == -1 else n for n, m in zip(shape, v.shape[1:], strict=True))))


def _behind(index: Any) -> Any:
    """Return ``index`` one axis further back; None where NumPy would put the axes in another order."""
    parts = index if isinstance(index, tuple) else (index,)
    fancy = [i for i, p in enumerate(parts) if isinstance(p, (list, np.ndarray, bool, np.bool_))]
    if fancy:
        picked = [i for i, p in enumerate(parts) if i in fancy or isinstance(p, (int, np.integer))]
        if picked != list(range(picked[0], picked[-1] + 1)):
            return None
    return (slice(None), *parts)


@rule("getitem")
def _getitem(op: Any, args: tuple[Any, ...], level: int) -> Any:
    index = _behind(args[1])
    return None if index is None else op.call(args[0].value, index)


@rule("scatter_at")
def _scatter_at(op: Any, args: tuple[Any, ...], level: int) -> Any:
    index = _behind(args[1])
    return None if index is None else op.call(args[0].value, index, (args[0].value.shape[0], *args[2]))


@rule("matmul")
def _matmul(op: Any, args: tuple[Any, ...], level: int) -> Any:
    a, b = args
    if a.ndim < 2 or b.ndim < 2:  # a vector is a matrix with one row or one column
        row, column = a.ndim == 1, b.ndim == 1
        a = a.reshape((1, a.shape[0])) if row else a
        b = b.reshape((b.shape[0], 1)) if column else b
        out = PUBLIC["matmul"](a, b)
        shape = tuple(out.shape)
        shape = shape[:-1] if column else shape
        return out.reshape((*shape[: -1 - (not column)], *(shape[-1:] if not column else ())) if row else shape)
    n = max(a.ndim, b.ndim)
    opened = []
    for v, t in zip(values(args, level), args, strict=True):
        lead = n - t.ndim
        opened.append(v.reshape((v.shape[0], *(1,) * lead, *v.shape[1:])) if is_batch(t, level) and lead else v)
    return op.call(*opened)


@rule("linear")
def _linear(op: Any, args: tuple[Any, ...], level: int) -> Any:
    x, weight, bias = args
    if only_first(args, level) and x.ndim:
        return op.call(x.value, weight, bias)
    out = PUBLIC["matmul"](x, weight.swapaxes(-1, -2))
    return out if bias is None else out + bias


@rule("conv", "conv_input", "im2col", "col2im", "max_pool")
def _fold(op: Any, args: tuple[Any, ...], level: int) -> Any:
    """Merge the axis of examples into the axis of images."""
    if not only_first(args, level):
        return None
    v = args[0].value
    out = op.call(v.reshape((v.shape[0] * v.shape[1], *v.shape[2:])), *args[1:])
    lead = (v.shape[0], v.shape[1])
    return (
        tuple(o.reshape((*lead, *o.shape[1:])) for o in out)
        if type(out) is tuple
        else out.reshape((*lead, *out.shape[1:]))
    )


# ------------------------------------------------------------------------------------------------ backward passes
def pull_batched(
    outs: list[Tensor], ins: list[Tensor], starts: list[Any], retain: bool | None, create: bool
) -> tuple[int, dict[Any, Any]]:
    """Carry many gradients back in one pass; returns their number, and them stacked for each input."""
    seeds: list[Tensor] = []
    for out, start in zip(outs, starts, strict=True):
        g = start if isinstance(start, Tensor) else make(to_array(start, copy=False, name="grad"))
        if g.ndim != out.ndim + 1 or tuple(g.shape[1:]) != tuple(out.shape) or g.shape[0] != (seeds or [g])[0].shape[0]:
            raise ShapeError(
                f"grad: with is_grads_batched each of grad_outputs has one more axis in front than its output, and the "
                f"same length there; got {tuple(g.shape)} for {tuple(out.shape)}"
            )
        seeds.append(g if g.dtype == out.dtype else g.astype(out.dtype))
    size = seeds[0].shape[0]
    level = Level(next_level(), size)
    keep = True if create else bool(retain)
    try:
        with inside(level):
            found = differentiate(outs, [batch(s, level.number) for s in seeds], ins, True, create, "grad")
        found = {key: opened(g, level) for key, g in found.items()}
    except Exception:  # a rule that needs arrays; a real error is raised again below
        rows = [differentiate(outs, [s[i] for s in seeds], ins, True, create, "grad") for i in range(size)]
        found = {key: stacked([r[key] for r in rows]) for key in rows[0]} if rows else {}
    if not keep:
        release([o.node for o in outs])
    return size, found


def opened(g: Any, level: Level) -> Any:
    """Return ``g`` with the examples of ``level`` along its first axis, repeated if they are all the same."""
    if isinstance(g, Tensor) and g.level == level.number:
        return g.value  # type: ignore[attr-defined]
    if not isinstance(g, Tensor):
        g = make(g)
    return PUBLIC["broadcast_to"](g, (level.size, *g.shape))
