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


def chosen(plain: Callable[..., Any], fast: Callable[..., Any], least: int, op: Op | None = None) -> Callable[..., Any]:
    """Return ``plain``, or ``fast`` if the first argument is a float32 array of at least ``least`` elements.

    The forward of ``op`` is called with all of its arguments in their order.
    """
    redirected, count = new.REDIRECTED, len(op.params) if op else 0  # a tracer sees the faster call as one

    @functools.wraps(plain)
    def call(*given: Any, **words: Any) -> Any:
        x: Any = given[0] if given else None
        if x.__class__ is tuple:
            x = x[0]
        if x.__class__ is ndarray and x.size >= least and x.dtype is F32:
            all_of_them = given
            if op is not None and (words or len(given) < count):
                known = {**op.defaults, **dict(zip(op.params, given, strict=False)), **words}
                all_of_them = tuple([known[name] for name in op.params])
            try:
                y = new.seen_whole(fast, all_of_them) if redirected[0] else fast(*all_of_them)
            except DeclinedError:
                y = NotImplemented
            if y is not NotImplemented:
                return y
        return plain(*given, **words)

    return call


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
    rule.__name__ = getattr(fast, "__name__", name)
    if place == "together":
        gather: Any = op.gather
        op.gather = functools.partial(Op._gather, chosen(gather.args[0], rule, least))
        return lambda: setattr(op, "gather", gather)
    rules, position = op.rules, op.arrays.index(place)
    op.rules = tuple((p, chosen(r, rule, least) if p == position else r) for p, r in rules)
    return lambda: setattr(op, "rules", rules)


def _set_forward(op: Op, forward: Callable[..., Any]) -> None:
    op.forward = forward
    op.call.__globals__["forward"] = forward
