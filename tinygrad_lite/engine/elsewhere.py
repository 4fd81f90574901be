"""Ops on arrays that are not NumPy's (`devices.register`): where they create arrays, and that devices are not mixed.

NumPy's protocols carry most of an op: ``np.exp(a)`` runs the function of the library that ``a`` belongs to. What is
left are arrays made out of nothing, and numbers and indices from main memory beside arrays of a device. While the first
kind of array is registered, the forward and the rules of every op are put into a function that sees to both; before
that nothing is in their way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arrays import Holder
from tinygrad_lite.errors import DeviceError


def kind_of(values: Any) -> Any:
    """Return the maker of the first array in nested ``values`` that is not NumPy's; None if there is none."""
    for v in values:
        if v.__class__ in (tuple, list):
            kind = kind_of(v)
        else:
            kind = new.KINDS.get((v.array if isinstance(v, Holder) else v).__class__)
        if kind is not None:
            return kind
    return None


def brought(value: Any, kind: Any) -> Any:
    """Return nested arguments with NumPy's arrays as arrays of ``kind``; those without axes as numbers."""
    if value.__class__ is np.ndarray:
        return kind.asarray(value) if value.ndim else value[()]
    if value.__class__ in (tuple, list):
        return value.__class__([brought(v, kind) for v in value])
    return value


def settled(y: Any, kind: Any) -> Any:
    """Return a result with numbers as arrays of ``kind``."""
    if isinstance(y, (np.generic, int, float)):
        return kind.asarray(y)
    return tuple([settled(v, kind) for v in y]) if y.__class__ is tuple else y


def refuse_mixed(name: str, operands: Any, kind: Any) -> None:
    """Raise DeviceError if an operand with axes lies on another device than the first one."""
    for v in operands:
        if v.__class__ in (tuple, list):
            refuse_mixed(name, v, kind)
        elif (v.__class__ is np.ndarray and v.ndim) or new.KINDS.get(v.__class__, kind) is not kind:
            other = "cpu" if v.__class__ is np.ndarray else new.KINDS[v.__class__].name
            error = DeviceError(f"{name}: expected tensors on one device, got {kind.name} and {other}; use .to(device)")
            error.explained = True  # type: ignore[attr-defined]
            raise error


def forward_there(op: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``forward``, of a function that creates its arrays on the device of its operands."""
    places = [op.params.index(p) for p in op.arrays]

    @functools.wraps(forward)
    def call(*args: Any, **words: Any) -> Any:
        kind = kind_of(args)
        if kind is None:
            return forward(*args, **words)
        refuse_mixed(op.name, [args[i] for i in places if i < len(args)], kind)
        with new.placed(kind):
            return settled(forward(*brought(args, kind), **words), kind)

    return call


def rule_there(rule: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a rule, a function of (g, saved values), that creates its arrays on the device of the gradient."""

    @functools.wraps(rule)
    def call(g: Any, saved: Any) -> Any:
        kind = kind_of((g,))
        if kind is None:
            return rule(g, saved)
        with new.placed(kind):
            return rule(g, brought(saved, kind))

    return call


def highest(x: Any, low: float, axis: Any = None, keepdims: bool = False) -> Any:
    """Return ``x.max(axis, initial=low)``, in two steps on arrays that are not NumPy's: few libraries have ``initial``.

    >>> highest(np.zeros((2, 0)), -1.0, 1)
    array([-1., -1.])
    """
    if x.__class__ not in new.KINDS:
        return x.max(axis=axis, keepdims=keepdims, initial=low)
    y = x.max(axis=axis, keepdims=keepdims) if x.size else new.full_like(x.sum(axis=axis, keepdims=keepdims), low)
    return np.maximum(y, low)


def accumulated(ufunc: Any, x: Any, axis: int) -> Any:
    """Return ``ufunc.accumulate(x, axis)``, step by step on arrays that are not NumPy's: few libraries have it.

    >>> accumulated(np.maximum, np.array([1, 3, 2]), 0)
    array([1, 3, 3])
    """
    if x.__class__ not in new.KINDS:
        return ufunc.accumulate(x, axis)
    rows, out = np.moveaxis(x, axis, 0), list[Any]()
    for i in range(rows.shape[0]):
        out.append(ufunc(out[-1], rows[i]) if out else rows[i])
    return np.moveaxis(np.stack(out), 0, axis) if out else x


def place(op: Any) -> Callable[[], None]:
    """Let ``op`` run on arrays of every kind; return a function that undoes it."""
    gather = op.gather
    before = op.forward, op.rules, op.gather, op.recompute
    op.forward = forward_there(op, op.forward)
    op.rules = tuple((i, rule_there(rule)) for i, rule in op.rules)
    if gather is not None:
        op.gather = functools.partial(gather.func, rule_there(gather.args[0]))

    def run(ufunc: Any) -> None:
        if op.sequence is None:
            for space in op.spaces:
                space.update(forward=op.forward, _ufunc=ufunc)

    def undo() -> None:
        op.forward, op.rules, op.gather, op.recompute = before
        run(op.ufunc)

    run(op.ufunc and forward_there(op, op.ufunc))
    return undo
