"""A faster implementation of an op for large float32 arrays, beside its declaration.

The declaration says what the op computes, and stays the only one: pictures, gradient checks, other dtypes, tracers and
higher derivatives use it. `divert` puts a function in front of its forward or of one of its rules that takes the calls
it is made for and returns NotImplemented for all others.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from tinygrad_lite.engine import new
from tinygrad_lite.engine.call import rule_maker
from tinygrad_lite.engine.op import OPS, Op

F32 = np.dtype(np.float32)
UPDATES: dict[str, Callable[..., Any]] = {}
"""Functions in front of the `update` of optimisers, by the name of the method ("Adam.update"): each is called with the
group and the jobs, and returns the jobs that it leaves to the method."""


class DeclinedError(Exception):
    """Raised by a diversion that cannot work here."""


CHOICE = """
def call({signature}):
    x = {first}
    if x.__class__ is ndarray and x.size >= least and x.dtype is F32:
        try:
            y = seen_whole(fast, ({params},)) if redirected[0] else fast({params})
        except DeclinedError:
            y = NotImplemented
        if y is not NotImplemented:
            return y
    return plain({asked})
"""
"""The choice, written out for the arguments as the caller of an op is: small arrays should not pay for large ones."""


def chosen(plain: Callable[..., Any], fast: Callable[..., Any], least: int, op: Op | None = None) -> Callable[..., Any]:
    """Return ``plain``, or ``fast`` if the first argument is a float32 array of at least ``least`` elements.

    ``plain`` is the forward of ``op``, or a function of (g, saved values).
    """
    params, defaults = (op.params, op.defaults) if op else (("g", "saved"), {})
    signature = ", ".join(f"{p}=defaults[{p!r}]" if p in defaults else p for p in params)
    first = params[0] if op else "g[0] if g.__class__ is tuple else g"
    direct, asked = getattr(plain, "direct", (plain, ", ".join(params)))
    space: dict[str, Any] = {
        "plain": direct, "fast": fast, "least": least, "defaults": defaults, "ndarray": ndarray, "F32": F32,
        "DeclinedError": DeclinedError, "seen_whole": new.seen_whole,
        "redirected": new.REDIRECTED,  # a tracer sees the faster call as one
    }  # fmt: skip
    exec(_compiled(CHOICE.format(signature=signature, first=first, params=", ".join(params), asked=asked)), space)
    call: Callable[..., Any] = functools.update_wrapper(space["call"], plain)
    call.__dict__.pop("direct", None)  # of the rule itself
    return call


@functools.cache
def _compiled(source: str) -> Any:
    return compile(source, "<tinygrad_lite choice>", "exec")


def divert(name: str, place: str, fast: Callable[..., Any], least: int) -> Callable[[], None]:
    """Divert calls of the op ``name`` to ``fast``; return a function that undoes it.

    ``place`` is "forward"; or "together", or the argument whose rule is meant, and the words that ``fast`` is called
    with: ``"input: g y"``. As in a declaration these are what the declared rules ask for.
    """
    op, (place, _, words) = OPS[name], place.partition(": ")
    if place == "forward":
        plain = op.forward
        _set_forward(op, chosen(plain, fast, least, op))
        return lambda: _set_forward(op, plain)
    asked = ", ".join("g" if w == "g" else f"saved[{op.saved_names.index(w)}]" for w in words.split())
    rule = rule_maker(asked)(fast)
    rule.__name__, rule.__module__ = getattr(fast, "__name__", name), fast.__module__
    if place == "together":
        gather: Any = op.gather
        op.gather = functools.partial(Op._gather, chosen(gather.args[0], rule, least))
        return lambda: setattr(op, "gather", gather)
    rules, position = op.rules, op.arrays.index(place)
    op.rules = tuple((p, chosen(r, rule, least) if p == position else r) for p, r in rules)
    return lambda: setattr(op, "rules", rules)


def _set_forward(op: Op, forward: Callable[..., Any]) -> None:
    op.forward = forward
    for space in op.spaces:
        space["forward"] = forward
