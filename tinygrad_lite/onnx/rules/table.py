"""The tables that the rules are entered in, and how a rule is called.

A rule asks by name for what it needs, as a gradient rule does: ``g`` is the graph; ``c`` makes a constant of the dtype
of the result; ``y`` is the result (a list for ops with several); any other name is an argument of the op, a `Value`
where it is an array. An option must be the same in both runs of the model, unless the rule also asks for
``NAME_2``, what it was in the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import words_of
from tinygrad_lite.engine.mode import switch
from tinygrad_lite.engine.op import OPS
from tinygrad_lite.engine.promotion import promoted, result_dtype
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.onnx.capture import Event
from tinygrad_lite.onnx.errors import OnnxExporterError, UnsupportedOperatorError
from tinygrad_lite.onnx.graph import Graph, Value, array_of

RULES: dict[str, Callable[..., Any]] = {}
"""How an op becomes nodes."""
SINGLE: dict[str, str] = {}
"""Ops that are one operator of ONNX, on the same operands."""
REFUSED: dict[str, str] = {}
"""Ops that have no form in ONNX, and why."""


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function as the rule of some ops."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def refuse(names: str, reason: str) -> None:
    """Enter ops that have no form in ONNX."""
    REFUSED.update(dict.fromkeys(names.split(), reason))


def how(name: str) -> tuple[str, str]:
    """Return what becomes of an op: "exported", "composed" or "refused", and the operator or the reason."""
    if name in SINGLE:
        return "exported", SINGLE[name]
    return ("composed", "") if name in RULES else ("refused", REFUSED.get(name, "there is no rule for it"))


def convert(g: Graph, first: Event, second: Event) -> None:
    """Add the nodes of one event to the graph."""
    name = first.name
    if name in RULES:
        found = _called(g, RULES[name], first, second)
    elif name in SINGLE:
        operands = _Call(g, first, second)
        op = OPS[name]
        found = g.node(SINGLE[name], [operands.argument(p) for p in op.params if p in op.arrays])
    else:
        raise UnsupportedOperatorError(f"{name}: {how(name)[1]}")
    names = found if isinstance(found, list) else [found]
    for a, b, n in zip(first.outs, second.outs, names, strict=False):
        if n is not None:
            g.put(a, b, n)


class _Call:
    """The arguments of an event by name, made operands of the graph when they are asked for."""

    def __init__(self, g: Graph, first: Event, second: Event) -> None:
        self.g, self.first, self.second = g, first, second
        op = self.op = OPS.get(first.name)
        self.runs = [self._named(e) for e in (first, second)]
        self.dtypes: dict[str, Any] = {}
        if op is not None and op.promote and not op.sequence:
            self._promote(op)
        elif op is not None and op.kind == "elementwise" and len(op.arrays) == 2:  # NumPy compares any two dtypes
            self.dtypes = dict.fromkeys(op.arrays, result_dtype(self.runs[0][n] for n in op.arrays))

    def _named(self, event: Event) -> dict[str, Any]:
        if self.op is None:
            return {f"x{i}": a for i, a in enumerate(event.args)}
        return {**self.op.defaults, **dict(zip(self.op.params, event.args, strict=False))}

    def _promote(self, op: Any) -> None:
        """Note the dtype that each operand is cast to before the op computes."""
        names = [op.arrays[i] for i in op.places] or list(op.arrays)
        with switch(observers=(), grad=False):
            cast = promoted(op.name, [self.runs[0][n] for n in names], op.promote)
        arrays = {n: array_of(v) for n, v in zip(names, cast, strict=True)}
        self.dtypes = {n: a.dtype for n, a in arrays.items() if hasattr(a, "dtype")}

    def argument(self, name: str) -> Any:
        """Return an argument: a `Value` for an array, a list of them for a sequence, an option as it is."""
        a, b = (run[name] for run in self.runs)
        if self.op is not None and name == self.op.sequence:
            values = [self.g.value(p, q) for p, q in zip(a, b, strict=True)]
            kind = np.result_type(*(v.dtype for v in values))
            return [Value(self.g.cast(v, kind), v.a, v.b) for v in values] if self.op.promote else values
        if self.op is not None and name not in self.op.arrays or a is None:
            self._same(name, a, b)
            return a
        if not isinstance(a, (Tensor, np.ndarray)):
            if self.op is None:
                self._same(name, a, b)
                return a
            return self._number(name, a, b)
        value = self.g.value(a, b)
        dtype = self.dtypes.get(name, value.dtype)
        if dtype == value.dtype:
            return value
        return Value(self.g.cast(value, dtype), value.a.astype(dtype), value.b.astype(dtype))

    def _number(self, name: str, a: Any, b: Any) -> Value:
        """Return a Python number as a constant; a size of the input as what it follows from."""
        dtype = self.dtypes.get(name) or np.asarray(array_of(self.first.outs[0])).dtype
        x, y = np.asarray(a, dtype), np.asarray(b, dtype)
        if a == b or a != a and b != b:
            return Value(self.g.constant(x), x, y)
        if float(a).is_integer() and float(b).is_integer():
            size = self.g.Squeeze(self.g.operand(self.g.size(int(a), int(b))))
            return Value(self.g.cast(size, dtype), x, y)
        self._same(name, a, b)
        raise AssertionError

    def _same(self, name: str, a: Any, b: Any) -> None:
        if not same(a, b):
            raise OnnxExporterError(
                f"{self.first.name}: the argument '{name}' is {a} in one run and {b} in another: it follows from the "
                f"data or from a size of the input"
            )

    def asked(self, word: str) -> Any:
        """Return what a rule asks for."""
        if word == "g":
            return self.g
        outs = [Value("", array_of(a), array_of(b))
                for a, b in zip(self.first.outs, self.second.outs, strict=True)]  # fmt: skip
        if word == "c":
            return lambda number: np.asarray(number, outs[0].dtype)
        if word == "y":
            return outs if len(outs) > 1 else outs[0]
        if word.endswith("_2"):
            return self.runs[1][word[:-2]]
        return self.argument(word)


def same(a: Any, b: Any) -> bool:
    """Return whether two options are equal."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (Tensor, np.ndarray)) or isinstance(b, (Tensor, np.ndarray)):
        return bool(np.array_equal(array_of(a), array_of(b)))
    return bool(a == b) or (a != a and b != b)


def _called(g: Graph, function: Callable[..., Any], first: Event, second: Event) -> Any:
    call, words = _Call(g, first, second), words_of(function)
    free = {w[:-2] for w in words if w.endswith("_2")}
    given = {w: call.runs[0][w] if w in free else call.asked(w) for w in words}
    return function(**given)
