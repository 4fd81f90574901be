"""Turn functions of Tensors, ops, modules and pairs into a `Rule` on plain NumPy arrays."""

# pyright: reportFunctionMemberAccess=false

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.grad import grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.testing.programs import Programs
from tinygrad_lite.testing.state import kept_buffers
from tinygrad_lite.testing.verdict.point import Array, NoOutput, Rule

Pair = tuple[Callable[..., Any], Callable[..., Any]]


def name_of(fn: Any) -> str:
    """Return the name of a function, op, module, class or pair for reports."""
    if isinstance(fn, tuple):
        return getattr(fn[0], "__name__", "pair")
    registered = getattr(fn, "op", None)
    if registered is not None and hasattr(registered, "name"):
        return str(registered.name)
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type) and getattr(fn, "__name__", "") == "apply":  # of an `autograd.Function`
        return owner.__name__
    return str(getattr(fn, "__name__", type(fn).__name__))


def names_of(fn: Any, count: int) -> tuple[str, ...]:
    """Return the names of the first ``count`` arguments; empty if the signature does not show them."""
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
    """Return the rule of a function of Tensors, a module, an op, a class with ``apply``, or a pair on arrays."""
    places = None if wrt is None else tuple(wrt)
    if isinstance(fn, tuple):
        return Rule(fn[0], fn[1], name_of(fn), places, names_of(fn, count))
    fn = in_float64(fn)
    run = callable_of(fn, call)
    tracked = None if places is None else set(places)
    name = name_of(fn)

    def forward(*arrays: Array, **kw: Any) -> tuple[Any, Any]:
        tensors = leaves(arrays, tracked)
        with kept_buffers(fn):
            out = run(*tensors, **kw)
        return values(out, name), (out, tensors)

    def backward(g: Any, saved: Any) -> list[Array | None]:
        out, tensors = saved
        return [None if t is None else t.array for t in pulled(out, tensors, g)]

    return Rule(forward, backward, name, places, names_of(fn, count), strict=True)


def in_float64(fn: Any) -> Any:
    """Return a copy of a module in float64, in which checks run; other functions as they are."""
    if not hasattr(fn, "named_buffers") or not callable(fn):
        return fn
    dtypes = {t.array.dtype for pairs in (fn.named_parameters(), fn.named_buffers()) for _, t in pairs}
    if np.dtype(np.float32) not in dtypes:
        return fn
    try:
        if isinstance(fn, Programs):
            return Programs(copy.deepcopy(fn.written).double())
        return copy.deepcopy(fn).double()
    except Exception:  # it holds something that cannot be copied
        return fn


def callable_of(fn: Any, call: Any = None) -> Callable[..., Any]:
    """Return the callable that takes Tensors: the function itself, or ``apply`` of an `autograd.Function`."""
    if call is not None:
        return lambda *arrays, **kw: call(fn, *arrays, **kw)
    if isinstance(fn, type) and hasattr(fn, "apply"):
        return fn.apply  # type: ignore[no-any-return]
    if not callable(fn) and callable(getattr(fn, "forward", None)):
        raise TypeError(
            f"gradcheck: {type(fn).__name__} is not callable; check_layer takes objects with forward and backward"
        )
    if not callable(fn):
        raise TypeError(
            f"gradcheck: expected a function, module, op or (forward, backward) pair, got a {type(fn).__name__}"
        )
    return fn  # type: ignore[no-any-return]


def leaves(arrays: Sequence[Array], tracked: set[int] | None = None) -> list[Tensor]:
    """Wrap arrays in Tensors that share their memory; float ones (or those in ``tracked``) require gradients."""
    tensors = []
    for i, a in enumerate(arrays):
        t = make(np.asarray(a))
        if t.array.dtype.kind == "f" and (tracked is None or i in tracked):
            t.requires_grad = True
        tensors.append(t)
    return tensors


def flat(out: Any) -> list[Any]:
    """Flatten nested tuples, lists, dicts and dataclasses of outputs into one list of tensors and arrays."""
    if isinstance(out, Tensor):
        return [out]
    if isinstance(out, dict):
        out = list(out.values())
    elif dataclasses.is_dataclass(out) and not isinstance(out, type):
        out = [getattr(out, f.name) for f in dataclasses.fields(out)]
    if isinstance(out, (tuple, list)):
        return [o for part in out for o in flat(part)]
    if not isinstance(out, (str, bytes, bool)) and array_of(out).dtype.kind in "biuf":
        return [out]
    return []


def values(out: Any, function: str = "the function") -> Any:
    """Return the arrays of one or several outputs; an untracked output may be an array already."""
    found = flat(out)
    if not found:
        what = f"{out!r} ({type(out).__name__})" if isinstance(out, (str, list, tuple, dict)) else type(out).__name__
        raise NoOutput(f"{function} returned {what}; return a Tensor, or a tuple, list, dict or dataclass of Tensors")
    several = len(found) > 1 or found[0] is not out
    return tuple(map(array_of, found)) if several else array_of(out)


def array_of(value: Any) -> Array:
    """Return the array of a Tensor or of anything array-like."""
    return value.array if isinstance(value, Tensor) else np.asarray(value)


def pulled(out: Any, tensors: Sequence[Tensor], g: Any, create_graph: bool = False) -> list[Tensor | None]:
    """Return the gradients for the tensors: zeros for independent ones, None for those that require no gradient."""
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
    """Return the pullback of ``fn`` as a rule of its own, for checks of the second order.

    Its arguments are ``inputs`` arrays and one g per float output of ``fn``, its outputs the gradients of ``fn``.
    """
    fn = in_float64(fn)
    run = callable_of(fn, call)
    tracked = None if wrt is None else set(wrt)

    def forward(*arrays: Array, **kw: Any) -> tuple[Any, Any]:
        count = inputs if inputs else kw.pop("_inputs")
        tensors = leaves(arrays[:count], tracked)
        gs = leaves(arrays[count:])
        with kept_buffers(fn):
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
    return Rule(forward, backward, f"pullback of {name_of(fn)}", places, names, strict=True)
