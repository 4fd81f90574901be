"""Transforms that return derivatives of functions: `grad`, `vjp`, `jvp`, `jacrev`, `jacfwd`, `hessian`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.batch import batch, levels
from tinygrad_lite.engine.grad import grad as gradients_of
from tinygrad_lite.engine.mode import MODE, enable_grad
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.func.tree import flatten, tree_map


# ------------------------------------------------------------------------------------------------ fresh variables
def own_examples(t: Any) -> Any:
    """Expand ``t`` by an axis of examples for every running `vmap`, so that each example has its own gradient."""
    for level in reversed(levels()):
        if t.level == level.number:
            return batch(own_examples_below(t.value, level.number), level.number)
        if t.level < level.number:
            below = own_examples_below(t, level.number)
            return batch(PUBLIC["broadcast_to"](below, (level.size, *below.shape)), level.number)
    return t


def own_examples_below(t: Any, number: int) -> Any:
    """Expand ``t`` as `own_examples` does, for the levels below ``number`` only."""
    for level in reversed(levels()):
        if level.number >= number:
            continue
        if t.level == level.number:
            return batch(own_examples_below(t.value, level.number), level.number)
        below = own_examples_below(t, level.number)
        return batch(PUBLIC["broadcast_to"](below, (level.size, *below.shape)), level.number)
    return t


def fresh(t: Any, name: str) -> Any:
    """Return ``t`` as a variable to differentiate by: a new leaf, or a new node if ``t`` has a history."""
    if isinstance(t, np.ndarray):
        t = make(t)
    if not isinstance(t, Tensor) or t.dtype.kind != "f":
        raise DTypeError(f"{name}: can only differentiate by floating tensors, got {describe(t)}")
    return _renewed(own_examples(t))


def _renewed(t: Any) -> Any:
    if t.level:
        return batch(_renewed(t.value), t.level)
    if t.tracked and MODE.get().grad:
        return PUBLIC["reshape"](t, tuple(t.shape))
    leaf = make(t.array)
    leaf.requires_grad = True
    return leaf


def bottom(t: Any) -> Any:
    """Return the ordinary tensor that holds the examples of all levels."""
    while t.level:
        t = t.value
    return t


def depends_elsewhere(outs: Sequence[Any], own: Sequence[Any]) -> bool:
    """Return whether ``outs`` depend on variables other than ``own``, so that an outer transform may need the graph."""
    stop = {b.node or b for b in map(bottom, own)}
    if any(isinstance(s, Node) for s in stop):
        return True
    seen: set[Any] = set()
    stack = [b.node or b for b in map(bottom, outs) if b.tracked]
    while stack:
        p = stack.pop()
        if p is None or p in seen or p in stop:
            continue
        seen.add(p)
        if not isinstance(p, Node):
            return True
        stack.extend(p.inputs)
    return False


def pulled(
    outs: Sequence[Any], starts: Sequence[Any], ins: Sequence[Any], create: bool, batched: bool = False
) -> list[Any]:
    """Return the gradients of ``outs`` for ``ins``, zeros for an independent input; works inside `vmap` too."""
    pairs = [(o, s) for o, s in zip(outs, starts, strict=True) if o.tracked]
    found: Sequence[Any] = [None] * len(ins)
    if pairs:
        lowered = [lower(o, s, batched) for o, s in pairs]
        found = gradients_of(
            [o for o, _ in lowered], [bottom(i) for i in ins], [s for _, s in lowered],
            retain_graph=True, create_graph=create, allow_unused=True, is_grads_batched=batched,
        )  # fmt: skip
    return [raised(g, i, starts, batched) for g, i in zip(found, ins, strict=True)]


def lower(out: Any, start: Any, batched: bool) -> tuple[Any, Any]:
    """Return output and gradient with the examples of every level as ordinary leading axes."""
    while out.level:
        if start.level == out.level:
            start = start.value
            if batched:  # the axis of gradients stays in front
                start = PUBLIC["swapaxes"](start, 0, 1)
        else:
            size, lead = out.value.shape[0], 1 if batched else 0
            shape = tuple(start.shape)
            start = start.reshape((*shape[:lead], 1, *shape[lead:]))
            start = PUBLIC["broadcast_to"](start, (*shape[:lead], size, *shape[lead:]))
        out = out.value
    return out, start


def raised(g: Any, like: Any, starts: Sequence[Any], batched: bool) -> Any:
    """Return a gradient batched at the same levels as ``like``."""
    if g is None:
        base = bottom(like)
        lead = starts[0].shape[:1] if batched else ()
        g = make(new.zeros((*lead, *base.shape), base.dtype))
    numbers = []
    while like.level:
        numbers.append(like.level)
        like = like.value
    if batched:  # move the axis of gradients behind the examples, level by level
        for depth in range(len(numbers)):
            g = PUBLIC["swapaxes"](g, depth, depth + 1)
    for number in reversed(numbers):
        g = batch(g, number)
    return g


# ------------------------------------------------------------------------------------------------ arguments
class Call:
    """One call of a function whose arguments ``argnums`` are variables to differentiate by."""

    def __init__(
        self, name: str, func: Callable[..., Any], argnums: int | tuple[int, ...], args: Any, kwargs: Any, has_aux: bool
    ) -> None:
        places, n = (argnums,) if isinstance(argnums, int) else tuple(argnums), len(args)
        if not places or any(not -n <= p < n for p in places) or len({p % n for p in places}) < len(places):
            raise RuntimeError(f"{name}: argnums {argnums} are not different places among {n} positional arguments")
        given = list(args)
        self.variables, self.builds = [], []
        for p in places:
            leaves, build = flatten(given[p])
            new = [fresh(leaf, name) for leaf in leaves]
            given[p] = build(new)
            self.variables.append(new)
            self.builds.append(build)
        self.single = isinstance(argnums, int)
        self.name = name
        with enable_grad():
            out = func(*given, **kwargs)
        self.aux = None
        if has_aux:
            if not isinstance(out, tuple) or len(out) != 2:
                raise RuntimeError(
                    f"{name}: with has_aux the function returns (output, aux), it returned {describe(out)}"
                )
            out, self.aux = out
        self.outs, self.build_out = flatten(out)
        if any(not isinstance(o, Tensor) for o in self.outs):
            raise RuntimeError(f"{name}: the function must return tensors, it returned {describe(out)}")
        self.flat = [v for group in self.variables for v in group]
        self.create = MODE.get().grad and depends_elsewhere(self.outs, self.flat)
        self.aux = tree_map(lambda a: self.value(a) if isinstance(a, Tensor) else a, self.aux)

    def value(self, o: Any) -> Any:
        """Return an output for the user: detached, unless an outer transform needs its history."""
        return o if self.create else o.detach()

    def arranged(self, flat: Sequence[Any]) -> Any:
        """Return one value per variable in the structure of the arguments."""
        out, at = [], 0
        for group, build in zip(self.variables, self.builds, strict=True):
            out.append(build(list(flat[at : at + len(group)])))
            at += len(group)
        return out[0] if self.single else tuple(out)


# ------------------------------------------------------------------------------------------------ transforms
@named
def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes (gradient, value) of a scalar ``func``.

    With ``has_aux`` it computes (gradient, (value, aux)).

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import grad_and_value
    >>> grad_and_value(lambda x: (x**2).sum())(tl.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        call = Call("grad", func, argnums, args, kwargs, has_aux)
        if len(call.outs) != 1 or call.outs[0].numel() != 1 or call.outs[0].ndim:
            raise RuntimeError(f"grad: the function must return a scalar tensor, it returned {describe(call.outs[0])}")
        out = call.outs[0]
        one = make(new.ones((), out.dtype))
        g = call.arranged(pulled([out], [one], call.flat, call.create))
        value = call.value(out)
        return g, (value, call.aux) if has_aux else value

    return both


def value_and_grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes (value, gradient) of a scalar ``func``: `grad_and_value` in the other order.

    SciPy's optimisers take it with ``jac=True``: of arguments that are arrays it returns arrays, although ``func`` is
    given tensors. With ``has_aux`` it computes ((value, aux), gradient), as in JAX.

    >>> import numpy as np, scipy.optimize
    >>> from tinygrad_lite.func import value_and_grad
    >>> result = scipy.optimize.minimize(value_and_grad(lambda x: ((x - 3) ** 2).sum()), np.zeros(2), jac=True)
    >>> result.x.round(4)
    array([3., 3.])
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def swapped(*args: Any, **kwargs: Any) -> Any:
        g, value = both(*args, **kwargs)
        if any(isinstance(leaf, Tensor) for leaf in flatten((args, kwargs))[0]):
            return value, g
        return tree_map(lambda leaf: leaf.array[()] if isinstance(leaf, Tensor) else leaf, (value, g))

    return swapped


@named
def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the gradient of a scalar ``func``.

    The gradient is by the arguments ``argnums``. Transforms can be nested.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import grad
    >>> grad(grad(lambda x: x**3))(tl.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def only(*args: Any, **kwargs: Any) -> Any:
        g, value = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return only


@named
def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return (output, pullback from output gradients to ``primals``).

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import vjp
    >>> y, pull = vjp(tl.sin, tl.tensor(0.0))
    >>> pull(tl.tensor(2.0))
    (tensor(2.),)
    """
    call = Call("vjp", func, tuple(range(len(primals))), primals, {}, has_aux)

    def pull(*cotangents: Any) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        starts, _ = flatten(given)
        if len(starts) != len(call.outs):
            raise RuntimeError(f"vjp: expected {len(call.outs)} gradients like the output, got {len(starts)}")
        starts = [s if isinstance(s, Tensor) else make(new.asarray(s)) for s in starts]
        for o, s in zip(call.outs, starts, strict=True):
            if tuple(o.shape) != tuple(s.shape):
                raise ShapeError(f"vjp: a gradient has shape {tuple(s.shape)}, the output {tuple(o.shape)}")
        create = MODE.get().grad and (call.create or any(s.tracked for s in starts))
        return call.arranged(pulled(call.outs, starts, call.flat, create))

    value = call.build_out([call.value(o) for o in call.outs])
    return (value, pull, call.aux) if has_aux else (value, pull)


def pushed(call: Call) -> tuple[list[Any], list[Any]]:
    """Return zeros ``u`` like the outputs, and their pullback: linear in ``u``, so its gradient is the pushforward."""
    with enable_grad():
        us = []
        for o in call.outs:
            u = make(new.zeros(tuple(o.shape), o.dtype))
            us.append(fresh(u, call.name))
        return us, pulled(call.outs, us, call.flat, True)


@named
def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """Return (output, derivative of ``func`` at ``primals`` along ``tangents``).

    Computed by two backward passes: the pullback is linear in the gradient of the output, and the gradient of a linear
    map is its transpose.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import jvp
    >>> jvp(lambda x: x**2, (tl.tensor(3.0),), (tl.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    primals, tangents = tuple(primals), tuple(tangents)
    call = Call("jvp", func, tuple(range(len(primals))), primals, {}, has_aux)
    vs = flatten(tangents)[0]
    if len(vs) != len(call.flat) or any(tuple(v.shape) != tuple(x.shape) for v, x in zip(vs, call.flat, strict=True)):
        raise ShapeError("jvp: tangents must have the structure and the shapes of primals")
    vs = [v if isinstance(v, Tensor) else make(new.asarray(v)) for v in vs]
    us, gs = pushed(call)
    create = MODE.get().grad and (call.create or any(v.tracked for v in vs))
    pairs = [(g, v) for g, v in zip(gs, vs, strict=True) if g.tracked]
    out = pulled([g for g, _ in pairs], [v for _, v in pairs], us, create) if pairs else us
    out = [o if create else o.detach() for o in out]
    result = call.build_out([call.value(o) for o in call.outs]), call.build_out(out)
    return (*result, call.aux) if has_aux else result


def unit(t: Any) -> Any:
    """Return the unit tensors with the shape of ``t``, one per element along the first axis."""
    n = t.numel()
    return make(new.eye(n, dtype=t.dtype).reshape((n, *t.shape)))


def _chunks(basis: Any, chunk_size: int | None) -> list[Any]:
    n = basis.shape[0]
    step = chunk_size or max(n, 1)
    return [basis[i : i + step] for i in range(0, n, step)]


def _rows(outs: Sequence[Any], place: int, ins: Sequence[Any], create: bool, chunk_size: int | None) -> list[Any]:
    """Return the gradients of all elements of one output, stacked along the first axis."""
    o = outs[place]
    basis = unit(o)
    if not basis.shape[0]:
        return [make(new.zeros((0, *i.shape), i.dtype)) for i in ins]
    parts = [pulled([o], [part], ins, create, batched=True) for part in _chunks(basis, chunk_size)]
    return [p[0] if len(parts) == 1 else PUBLIC["cat"](p, 0) for p in zip(*parts, strict=True)]


@named
def jacrev(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """Return a function that computes the Jacobian of ``func`` by rows.

    All rows are computed in one backward pass.
    The shape is (*output, *input).

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import jacrev
    >>> jacrev(lambda x: x**2)(tl.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        call = Call("jacrev", func, argnums, args, kwargs, has_aux)
        blocks = []
        for k, o in enumerate(call.outs):
            rows = _rows(call.outs, k, call.flat, call.create, chunk_size)
            blocks.append(
                call.arranged([r.reshape((*o.shape, *i.shape)) for r, i in zip(rows, call.flat, strict=True)])
            )
        result = call.build_out(blocks)
        return (result, call.aux) if has_aux else result

    return jacobian


@named
def jacfwd(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
    chunk_size: int | None = None, randomness: str = "error",
) -> Callable[..., Any]:  # fmt: skip
    """Return a function that computes the Jacobian of ``func`` by columns.

    It is cheaper than `jacrev` for few inputs.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import jacfwd
    >>> jacfwd(lambda x: tl.cat([x.sin(), x * x]))(tl.tensor([0.0])).shape
    (2, 1)
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        call = Call("jacfwd", func, argnums, args, kwargs, has_aux)
        us, gs = pushed(call)
        columns = [_rows(gs, k, us, call.create, chunk_size) for k in range(len(gs))]
        blocks = []
        for k, o in enumerate(call.outs):
            moved = []
            for i, x in enumerate(call.flat):
                c = columns[i][k]
                c = PUBLIC["permute"](c, (*range(1, c.ndim), 0))
                moved.append(c.reshape((*o.shape, *x.shape)))
            blocks.append(call.arranged(moved))
        result = call.build_out(blocks)
        return (result, call.aux) if has_aux else result

    return jacobian


@named
def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return a function that computes the Hessian of ``func``.

    The shape is (*output, *input, *input).

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import hessian
    >>> hessian(lambda x: (x**3).sum())(tl.tensor([1.0, 1.5]))
    tensor([[6., 0.],
            [0., 9.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


@named
def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return ``func(*primals)`` and the function of tangents that returns its directional derivative there.

    >>> import tinygrad_lite as tl
    >>> y, slope = linearize(tl.exp, tl.zeros(2))
    >>> slope(tl.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]
