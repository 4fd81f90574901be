"""Everything that can be checked, as a rule on plain NumPy arrays: functions of Tensors, ops, modules, pairs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.grad import grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.testing.verdict.point import Array, Rule

Pair = tuple[Callable[..., Any], Callable[..., Any]]


def name_of(fn: Any) -> str:
    """How reports call a function, op, module, class or pair."""
    if isinstance(fn, tuple):
        return getattr(fn[0], "__name__", "pair")
    registered = getattr(fn, "op", None)
    if registered is not None and hasattr(registered, "name"):
        return str(registered.name)
    owner = getattr(fn, "__self__", None)
    if (
        isinstance(owner, type) and getattr(fn, "__name__", "") == "apply"
    ):  # of a class with ``forward`` and ``backward``
        return owner.__name__
    return str(getattr(fn, "__name__", type(fn).__name__))


def names_of(fn: Any, count: int) -> tuple[str, ...]:
    """Names of the first arguments, where the signature tells."""
    registered = getattr(fn, "op", None)
    if registered is not None and getattr(registered, "sequence", None) is None and hasattr(registered, "arrays"):
        return tuple(registered.arrays)
    try:
        target = fn[0] if isinstance(fn, tuple) else fn
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return ()
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return tuple(plain[:count]) if len(plain) >= count else ()


def rule_of(fn: Any, wrt: Sequence[int] | None = None, count: int = 0, call: Any = None) -> Rule:
    """The rule of a function of Tensors, a module, an op, a class with ``apply``, or a pair on NumPy arrays."""
    places = None if wrt is None else tuple(wrt)
    if isinstance(fn, tuple):
        return Rule(fn[0], fn[1], name_of(fn), places, names_of(fn, count))
    run = callable_of(fn, call)
    tracked = None if places is None else set(places)

    def forward(*arrays: Array, **kw: Any) -> tuple[Any, Any]:
        tensors = leaves(arrays, tracked)
        out = run(*tensors, **kw)
        return values(out), (out, tensors)

    def backward(g: Any, saved: Any) -> list[Array | None]:
        out, tensors = saved
        return [None if t is None else t.array for t in pulled(out, tensors, g)]

    return Rule(forward, backward, name_of(fn), places, names_of(fn, count))


def callable_of(fn: Any, call: Any = None) -> Callable[..., Any]:
    """What to call with Tensors: the function itself, or a class's ``apply`` as PyTorch's Function has it."""
    if call is not None:
        return lambda *arrays, **kw: call(fn, *arrays, **kw)
    if isinstance(fn, type) and hasattr(fn, "apply"):
        return fn.apply  # type: ignore[no-any-return]
    if not callable(fn):
        raise TypeError(
            f"gradcheck: expected a function, module, op or (forward, backward) pair, got a {type(fn).__name__}"
        )
    return fn  # type: ignore[no-any-return]


def leaves(arrays: Sequence[Array], tracked: set[int] | None = None) -> list[Tensor]:
    """Tensors over the very same memory; float ones want a gradient."""
    tensors = []
    for i, a in enumerate(arrays):
        t = make(np.asarray(a))
        if t.array.dtype.kind == "f" and (tracked is None or i in tracked):
            t.requires_grad = True
        tensors.append(t)
    return tensors


def flat(out: Any) -> list[Any]:
    """The results of a call one after the other, out of tuples, lists and dicts; None is no result."""
    if isinstance(out, dict):
        out = list(out.values())
    if isinstance(out, (tuple, list)):
        return [o for part in out for o in flat(part)]
    return [] if out is None else [out]


def values(out: Any) -> Any:
    """The arrays of one or several results; what was never tracked may be an array already."""
    return tuple(map(array_of, flat(out))) if isinstance(out, (tuple, list, dict)) else array_of(out)


def array_of(value: Any) -> Array:
    """The array of a Tensor or of anything that is nearly one."""
    return value.array if isinstance(value, Tensor) else np.asarray(value)


def pulled(out: Any, tensors: Sequence[Tensor], g: Any, create_graph: bool = False) -> list[Tensor | None]:
    """Gradients of the outputs for the tracked tensors: zeros where nothing depends, None where none is asked."""
    outs = flat(out)
    gs = list(g) if isinstance(g, (tuple, list)) else [g]
    live = [
        (o, h) for o, h in zip(outs, gs, strict=True) if isinstance(o, Tensor) and o.requires_grad and h is not None
    ]
    wanted = [t for t in tensors if t.requires_grad]
    found: dict[int, Tensor | None] = {}
    if live and wanted:
        seeds = [h if isinstance(h, Tensor) else make(np.asarray(h, o.array.dtype)) for o, h in live]
        answer = grad(
            [o for o, _ in live], wanted, seeds, retain_graph=True, create_graph=create_graph, allow_unused=True
        )
        found = {id(t): a for t, a in zip(wanted, answer, strict=True)}
    return [
        None if not t.requires_grad else (a if (a := found.get(id(t))) is not None else make(np.zeros_like(t.array)))
        for t in tensors
    ]


def pullback_of(fn: Any, wrt: Sequence[int] | None, inputs: int, names: tuple[str, ...] = (), call: Any = None) -> Rule:
    """The pullback of ``fn`` as a function of (inputs, g), to be checked like any other: the second order.

    Its outputs are the gradients of ``fn``; ``inputs`` arrays come first, one g per float output follows.
    """
    run = callable_of(fn, call)
    tracked = None if wrt is None else set(wrt)

    def forward(*arrays: Array, **kw: Any) -> tuple[Any, Any]:
        count = inputs if inputs else kw.pop("_inputs")
        tensors = leaves(arrays[:count], tracked)
        gs = leaves(arrays[count:])
        out = run(*tensors, **kw)
        parts = flat(out)
        given = iter(gs)
        seeds = [next(given) if array_of(o).dtype.kind == "f" else None for o in parts]
        first = pulled(parts, tensors, seeds, create_graph=True)
        grads = tuple(t for t in first if t is not None)
        return values(grads), (grads, tensors + gs)

    def backward(h: Any, saved: Any) -> list[Array | None]:
        grads, tensors = saved
        return [None if t is None else t.array for t in pulled(grads, tensors, h)]

    places = None if wrt is None else tuple(wrt)
    return Rule(forward, backward, f"pullback of {name_of(fn)}", places, names)
