"""`Function`: an operation with a custom backward, written as in PyTorch."""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.call import WRITE
from tinygrad_lite.engine.mode import MODE, no_grad, switch
from tinygrad_lite.engine.node import Node, pick, record
from tinygrad_lite.engine.source import user_frame
from tinygrad_lite.engine.sums import unbroadcast
from tinygrad_lite.engine.tensor import Tensor, make, wrap
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import GradientError, ShapeError, describe


class FunctionCtx:
    """Context passed from `forward` to `backward`: saved tensors and flags.

    Any other attribute may be set on it.
    """

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._to_save: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._materialize = True
        self._unpacked: tuple[Any, ...] | None = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Save tensors (or None) for `backward`, with a version check."""
        self._to_save = tensors

    save_for_forward = save_for_backward

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that `save_for_backward` saved."""
        return self._to_save if self._unpacked is None else self._unpacked

    saved_variables = saved_tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Mark inputs that `forward` changed in place and returns."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Mark outputs that carry no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Pass a missing gradient of an output as zeros (the default) or as None."""
        self._materialize = bool(value)


class Custom:
    """The op of a node that a `Function` recorded; one per call, because it holds the context of that call."""

    is_pick, rules, singular, flops, samples, sequence, promote = False, (), False, None, None, None, None
    kind = "other"
    outs: Sequence[bool]
    """Which outputs are tensors."""

    def __init__(self, function: type[Function], ctx: FunctionCtx, origins: tuple[Any, ...]) -> None:
        self.function, self.ctx, self.origins = function, ctx, origins
        self.name = self.label = function.__name__
        self.params = self.arrays = tuple(f"input {i}" for i in range(len(ctx.needs_input_grad)))
        self.saved_names = tuple(f"saved tensor {i}" for i in range(len(origins)))
        self.uses = ((-1, tuple(range(len(origins)))),)
        self.frees, self.materialize = bool(origins), ctx._materialize
        self.shown: Node | None = None

    def public(self, node: Node) -> Node:
        """Return what `Tensor.grad_fn` is: a node of a class with the name of the function, as in PyTorch.

        The engine asks every object of a graph whether its class is Node, so the node itself keeps that class.
        """
        if self.shown is None:
            self.recorded = weakref.ref(node)
            self.shown = _node_class(self.function)()  # type: ignore[arg-type] # mypy: a class is hashable
            for name in ("op", "inputs", "options", "shape", "dtype", "seq", "hooks", "source"):
                setattr(self.shown, name, getattr(node, name))
            self.shown.saved = ()  # nothing is kept alive by looking
        return self.shown

    def rewrap(self, node: Node, wrap: Any) -> list[Any]:
        """Return the saved values as a list, which `gather` takes as the sign of a recorded backward pass."""
        return list(node.saved or ())

    def gather(self, node: Node, g: Any, saved: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Call the user's ``backward`` and yield (place of the argument, gradient)."""
        gs = g if isinstance(g, tuple) else (g,)
        create, ctx = type(saved) is list, self.ctx
        ctx._unpacked = tuple(_unpacked(v, origin, node) for v, origin in zip(saved, self.origins, strict=True))
        try:
            with switch(grad=create):
                parts = zip(gs, self.outs, strict=True)
                given = [None if p is None or not out else p if isinstance(p, Tensor) else make(p) for p, out in parts]
                kind = self.function
                answer = (kind.backward if kind.vjp is Function.vjp else kind.vjp)(ctx, *given)
        finally:
            ctx._unpacked = None
        answers = answer if isinstance(answer, (tuple, list)) else (answer,)
        if len(answers) > len(node.inputs) and all(a is None for a in answers[len(node.inputs) :]):
            answers = answers[: len(node.inputs)]
        if len(answers) != len(node.inputs):
            raise GradientError(
                f"{self.name}: backward returned {len(answers)} gradients, forward took {len(node.inputs)} arguments"
            )
        for i, (p, gp) in enumerate(zip(node.inputs, answers, strict=True)):
            if p is None or gp is None:
                continue
            if not isinstance(gp, Tensor):
                gp = make(new.asarray(gp))
            if gp.shape != p.shape and not _reduces(gp.shape, p.shape):
                raise ShapeError(
                    f"{self.name}: backward returned a gradient {describe(gp)} for argument {i}, which has shape "
                    f"{tuple(p.shape)}"
                )
            if gp.dtype != p.dtype:
                gp = gp.to(p.dtype)
            # a copy: the user may return a saved array, and gradients are accumulated in place
            gp = gp if create or gp.level else new.array(gp.array)
            yield i, gp if gp.shape == p.shape else unbroadcast(gp, p.shape)


def _reduces(shape: Any, to: Any) -> bool:
    lead = len(shape) - len(to)
    return lead >= 0 and all(m in (1, n) for n, m in zip(shape[lead:], to, strict=True))


def _unpacked(value: Any, origin: Any, node: Node) -> Any:
    if origin is None:
        return value if value is None or isinstance(value, Tensor) else make(value)
    if type(origin) is int:  # an output
        origin = pick(node, origin) if isinstance(node.shape, list) else node
    return wrap(value, origin)


class Function:
    """Base of operations with a custom backward, called by `apply`.

    ``forward`` and ``backward`` are static methods.
    Define either ``forward(ctx, *args)``, or ``forward(*args)`` and ``setup_context(ctx, inputs, output)``. Nothing is
    recorded inside them. ``backward(ctx, *grads)`` returns one gradient (or None) for each argument; made of
    differentiable operations, it can be differentiated again.

    >>> import tinygrad_lite as tl
    >>> class Double(tl.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor(2.)
    """

    forward: Callable[..., Any]

    @staticmethod
    def backward(ctx: Any, *grads: Any, **words: Any) -> Any:
        """Return the gradient of each argument; a subclass defines it, or `vjp`."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill ``ctx`` after a ``forward`` without a ``ctx`` parameter."""

    def __call__(self, *args: Any) -> Any:
        """Raise GradientError: a `Function` is called through `apply`."""
        raise GradientError(f"{type(self).__name__}: call {type(self).__name__}.apply(...), not an instance")

    @classmethod
    def apply(cls, *args: Any, **words: Any) -> Any:
        """Run ``forward`` on ``args`` and record a node; ``backward`` counts keyword arguments in their places."""
        if words or cls.setup_context is not Function.setup_context:
            first = (None,) if cls.setup_context is Function.setup_context else ()
            bound = inspect.signature(cls.forward).bind(*first, *args, **words)
            bound.apply_defaults()
            args = bound.args[len(first) :]
        mode, ctx = MODE.get(), FunctionCtx()
        if any(isinstance(a, Tensor) and a.level for a in args):
            for a in args:  # forward may do anything with the numbers: one example after the other
                _ = a.array.shape if isinstance(a, Tensor) else None
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.tracked for a in args)
        with no_grad(), switch(observers=()):
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args)
            else:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
        outs: Any = tuple(output) if isinstance(output, (tuple, list)) else (output,)
        recorded = mode.grad and any(ctx.needs_input_grad)
        frame = user_frame(sys._getframe(1))
        results: Any = tuple(_bare(o, args, ctx) for o in outs)
        if recorded:
            results = cls._recorded(ctx, args, outs, frame)
        for observer in mode.observers:
            op = next((r.node.op for r in results if isinstance(r, Tensor) and r.node is not None), None)
            op = Custom(cls, ctx, ()) if op is None else results[0].node.inputs[0].op if op.is_pick else op
            observer.before(op, args)
            observer.after(op, args, results if len(results) > 1 else results[0], frame)
        return results if isinstance(output, (tuple, list)) else results[0]

    @classmethod
    def _recorded(cls, ctx: FunctionCtx, args: Any, outs: Any, frame: Any) -> tuple[Any, ...]:
        constant, dirty = {id(t) for t in ctx._constant}, {id(t) for t in ctx._dirty}
        for t in ctx._dirty:
            if t.tracked and t.node is None:
                raise GradientError(f"{cls.__name__}: a leaf that requires gradients cannot be changed in place")
        live = [isinstance(o, Tensor) and o.dtype.kind == "f" and id(o) not in constant for o in outs]
        origins: list[Any] = []
        saved: list[Any] = []
        for t in ctx._to_save:
            where = next((i for i, o in enumerate(outs) if o is t and live[i]), None)
            given = next((a for a in args if a is t), None)
            if where is not None and id(t) not in dirty:
                origins.append(where)
            elif given is not None and given.tracked and id(t) not in dirty:
                origins.append(given.node or given)
            else:
                origins.append(where if where is not None else None)
            # a tensor that is no part of the graph is kept itself, so that backward gets the same object
            saved.append(t.array if isinstance(t, Tensor) and origins[-1] is not None else t)
        ctx._to_save = ()
        inputs = tuple((a.node or a) if n else None for a, n in zip(args, ctx.needs_input_grad, strict=True))
        shapes = [tuple(getattr(o, "shape", ())) for o in outs]
        dtypes = [getattr(o, "dtype", np.dtype(np.float64)) for o in outs]
        several = len(outs) > 1
        shape, dtype = (shapes, dtypes) if several else (shapes[0], dtypes[0])
        place = (frame.f_code, frame.f_lasti)
        for t in ctx._dirty:
            bump(t.array, place)
        op = Custom(cls, ctx, tuple(origins))
        op.outs = [isinstance(o, Tensor) for o in outs]
        node = record(op, inputs, tuple(saved), (), shape, dtype, place)
        results = []
        for i, o in enumerate(outs):
            origin = (pick(node, i) if several else node) if live[i] else None
            if origin is not None and id(o) in dirty:
                written = make(o.array, origin)  # for views and for what they are views of
                results.append(WRITE[0](cls.__name__, o, lambda _, written=written: written, (), {}))
            else:
                results.append(_bare(o, args, ctx) if origin is None else _alike(o, make(o.array, origin)))
        ctx._dirty = ctx._constant = ()
        return tuple(results)


@functools.cache
def _node_class(function: Any) -> type[Node]:
    """Return the class of the nodes of ``function``, named as in PyTorch: ``DoubleBackward``."""
    return type(f"{function.__name__}Backward", (Node,), {"__slots__": (), "name": lambda self: type(self).__name__})


def _bare(o: Any, args: Any, ctx: FunctionCtx) -> Any:
    """Return an output without history; an input returned unchanged becomes a new tensor."""
    if isinstance(o, Tensor) and any(o is a for a in args) and not any(o is d for d in ctx._dirty):
        return _alike(o, make(o.array))
    return o


def _alike(o: Any, y: Any) -> Any:
    """Return ``y`` as an instance of the class of ``o`` that somebody derived from Tensor."""
    return y if o.__class__ is Tensor or hasattr(o, "_is_param") else y.as_subclass(o.__class__)


InplaceFunction = Function  # PyTorch's base of functions that write in place: here any can


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a ``backward`` whose differentiation raises GradientError."""

    @functools.wraps(backward)
    def once(ctx: FunctionCtx, *grads: Any) -> Any:
        with no_grad():
            answer = backward(ctx, *grads)
        if not MODE.get().grad or not any(isinstance(g, Tensor) and g.tracked for g in grads):
            return answer
        several = isinstance(answer, (tuple, list))
        asked = make(new.zeros(())).requires_grad_()
        out = [_Refusing.apply(a, asked) if isinstance(a, Tensor) else a for a in (answer if several else (answer,))]
        return tuple(out) if several else out[0]

    return once


class _Refusing(Function):
    """The identity with a backward that raises; a second, tracked operand makes sure that it is recorded."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, asked: Tensor) -> Tensor:
        """Return ``x``."""
        return x

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Any:
        """Raise GradientError."""
        raise GradientError("this backward is marked @once_differentiable: it cannot be differentiated again")
