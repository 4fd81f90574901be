"""Derivatives of functions with respect to all inputs: ``torch.autograd.functional``. New code should use `func`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.grad import grad
from tinygrad_lite.engine.mode import MODE, enable_grad
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, GradientError, ShapeError, describe
from tinygrad_lite.func.transforms import unit

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


class Problem:
    """A function evaluated at its inputs: one or several tensors in, one or several out."""

    def __init__(self, name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool) -> None:
        self.name, self.create, self.strict = name, create_graph, strict
        self.one_in = isinstance(inputs, Tensor)
        given = (inputs,) if self.one_in else tuple(inputs)
        for i, x in enumerate(given):
            if not isinstance(x, Tensor) or x.dtype.kind != "f":
                raise DTypeError(f"{name}: input {i} must be a floating tensor, got {describe(x)}")
        self.inputs = [_variable(x, create_graph) for x in given]
        with enable_grad():
            out = func(*self.inputs)
        self.one_out = isinstance(out, Tensor)
        self.outputs: list[Tensor] = [out] if self.one_out else list(out)
        for i, o in enumerate(self.outputs):
            if not isinstance(o, Tensor):
                raise DTypeError(f"{name}: output {i} of the function must be a tensor, got {describe(o)}")
            if strict and not o.tracked:
                raise GradientError(f"{name}: output {i} of the function does not depend on the inputs")

    def vectors(self, v: Any, like: Sequence[Tensor], what: str) -> list[Tensor]:
        """Return ``v`` as tensors with the shapes of ``like``; it defaults to 1 for a single number."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                raise GradientError(f"{self.name}: v can be left out only if {what} is a single number")
            return [make(new.ones(tuple(like[0].shape), like[0].dtype))]
        vs = [v] if isinstance(v, Tensor) else list(v)
        if len(vs) != len(like) or any(tuple(a.shape) != tuple(b.shape) for a, b in zip(vs, like, strict=True)):
            raise ShapeError(
                f"{self.name}: v has shapes {[tuple(a.shape) for a in vs]}, {what} {[tuple(b.shape) for b in like]}"
            )
        return vs

    def pulled(
        self, outs: Sequence[Any], vs: Sequence[Any], ins: Sequence[Any], create: bool, batched: bool = False
    ) -> list[Any]:
        """Return the gradients of ``outs`` for ``ins``; zeros (with ``strict`` an error) for an independent input."""
        pairs = [(o, v) for o, v in zip(outs, vs, strict=True) if o.tracked]
        found: Sequence[Any] = [None] * len(ins)
        if pairs:
            found = grad([o for o, _ in pairs], ins, [v for _, v in pairs], True, create, True, batched)
        if self.strict and any(g is None for g in found):
            raise GradientError(
                f"{self.name}: the output does not depend on input {[g is None for g in found].index(True)}"
            )
        lead = vs[0].shape[:1] if batched and vs else ()
        return [
            make(new.zeros((*lead, *i.shape), i.dtype)) if g is None else g for g, i in zip(found, ins, strict=True)
        ]

    def result(self, parts: Sequence[Any], one: bool) -> Any:
        """Return gradients or outputs in the structure of the function's, detached unless ``create_graph``."""
        done = [p if self.create else p.detach() for p in parts]
        return done[0] if one else tuple(done)


def _variable(x: Tensor, create_graph: bool) -> Tensor:
    if create_graph and x.tracked:
        with enable_grad():
            return PUBLIC["reshape"](x, tuple(x.shape))  # type: ignore[no-any-return]
    return make(x.array).requires_grad_()


@named
def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (outputs, ``v`` times the Jacobian), computed by one backward pass.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.autograd.functional import vjp
    >>> vjp(lambda x: x * x, tl.tensor([1.0, 2.0]), tl.tensor([1.0, 1.0]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    p = Problem("vjp", func, inputs, create_graph, strict)
    vs = p.vectors(v, p.outputs, "the output")
    g = p.pulled(p.outputs, vs, p.inputs, create_graph)
    return p.result(p.outputs, p.one_out), p.result(g, p.one_in)


@named
def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (outputs, Jacobian times ``v``), computed by two backward passes.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.autograd.functional import jvp
    >>> jvp(lambda x: x * x, tl.tensor([1.0, 2.0]), tl.tensor([1.0, 1.0]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    p = Problem("jvp", func, inputs, create_graph, strict)
    vs = p.vectors(v, p.inputs, "the input")
    us, gs = _linear(p)
    live = [(g, w) for g, w in zip(gs, vs, strict=True) if g.tracked]
    out = p.pulled([g for g, _ in live], [w for _, w in live], us, create_graph) if live else us
    return p.result(p.outputs, p.one_out), p.result(out, p.one_out)


def _linear(p: Problem) -> tuple[list[Tensor], list[Any]]:
    us = [make(new.zeros(tuple(o.shape), o.dtype)).requires_grad_() for o in p.outputs]
    with enable_grad():
        return us, p.pulled(p.outputs, us, p.inputs, True)


@named
def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = True,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """Return the Jacobian of ``func``, of shape (*output, *input).

    Several inputs give a tuple, several outputs a tuple of these. All rows are computed in one backward pass where the
    ops allow it (with ``vectorize=False`` one by one).
    ``strategy``: "reverse-mode", or "forward-mode" for few inputs and many outputs.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.autograd.functional import jacobian
    >>> jacobian(lambda x: x * x, tl.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if create_graph and not MODE.get().grad:
        with enable_grad():
            return jacobian(func, inputs, True, strict, vectorize, strategy)
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f'jacobian: strategy must be "reverse-mode" or "forward-mode", got {strategy!r}')
    p = Problem("jacobian", func, inputs, create_graph, strict)
    if strategy == "forward-mode":
        return _forward(p)
    rows = []
    for o in p.outputs:
        found = _all_rows(p, o, p.inputs, vectorize)
        rows.append([g.reshape((*o.shape, *x.shape)) for g, x in zip(found, p.inputs, strict=True)])
    return _nested(p, rows)


def _all_rows(p: Problem, o: Tensor, ins: Sequence[Tensor], at_once: bool) -> list[Any]:
    basis = unit(o)
    if at_once or not basis.shape[0]:
        return p.pulled([o], [basis], ins, p.create, True)
    each = [p.pulled([o], [basis[i]], ins, p.create) for i in range(basis.shape[0])]
    return [PUBLIC["cat"]([g.reshape((1, *g.shape)) for g in column], 0) for column in zip(*each, strict=True)]


def _forward(p: Problem) -> Any:
    us, gs = _linear(p)
    columns = [_all_rows(p, g, us, True) for g in gs]
    rows = []
    for k, o in enumerate(p.outputs):
        moved = [PUBLIC["permute"](c[k], (*range(1, c[k].ndim), 0)) for c in columns]
        rows.append([m.reshape((*o.shape, *x.shape)) for m, x in zip(moved, p.inputs, strict=True)])
    return _nested(p, rows)


def _nested(p: Problem, rows: Sequence[Sequence[Any]]) -> Any:
    done = [p.result(row, p.one_in) for row in rows]
    return done[0] if p.one_out else tuple(done)


def _slope(
    name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool
) -> tuple[Problem, list[Any]]:
    """Return a scalar function and its recorded gradient."""
    p = Problem(name, func, inputs, create_graph, strict)
    if not p.one_out or p.outputs[0].numel() != 1:
        raise ShapeError(f"{name}: the function must return a single number, it returned {describe(p.outputs[0])}")
    with enable_grad():
        return p, p.pulled(p.outputs, [make(new.ones(tuple(p.outputs[0].shape), p.outputs[0].dtype))], p.inputs, True)


@named
def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = True,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """Return the Hessian of a scalar ``func``.

    Its shape is (*input, *input); several inputs give nested tuples.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.autograd.functional import hessian
    >>> hessian(lambda x: (x**3).sum(), tl.tensor([1.0, 1.5]))
    tensor([[6., 0.],
            [0., 9.]])
    """
    if create_graph and not MODE.get().grad:
        with enable_grad():
            return hessian(func, inputs, True, strict, vectorize)
    p, slopes = _slope("hessian", func, inputs, create_graph, strict)
    rows = []
    for s in slopes:
        found = _all_rows(p, s, p.inputs, vectorize)
        rows.append([g.reshape((*s.shape, *x.shape)) for g, x in zip(found, p.inputs, strict=True)])
    done = [p.result(row, p.one_in) for row in rows]
    return done[0] if p.one_in else tuple(done)


@named
def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (output, Hessian times ``v``) without computing the full Hessian.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.autograd.functional import hvp
    >>> hvp(lambda x: (x**3).sum(), tl.tensor([1.0, 1.0]), tl.tensor([1.0, 1.5]))
    (tensor(2.), tensor([6., 9.]))
    """
    return _times("hvp", func, inputs, v, create_graph, strict)


@named
def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (output, ``v`` times Hessian); equals `hvp`, by symmetry."""
    return _times("vhp", func, inputs, v, create_graph, strict)


def _times(name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool) -> Any:
    p, slopes = _slope(name, func, inputs, create_graph, strict)
    vs = p.vectors(v, p.inputs, "the input")
    g = p.pulled(slopes, vs, p.inputs, create_graph)
    return p.result(p.outputs, True), p.result(g, p.one_in)
