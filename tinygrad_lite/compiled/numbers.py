"""Numbers that may change from call to call: a learning rate, a step count; each remembers its formula."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from numpy import ndarray


class Symbol(float):
    """A number with its formula in terms of the program's variables.

    It is a float, so that the checks of an optimiser accept it. A result of arithmetic is a `Symbol` too. A comparison
    returns a plain bool, and the answer becomes a guard.
    """

    value: Any
    text: str
    tracer: Any

    def __new__(cls, value: Any, text: str, tracer: Any) -> Symbol:
        """Return the number ``value`` with the formula ``text``."""
        self = float.__new__(cls, value)
        self.value, self.text, self.tracer = value, text, tracer
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self.tracer.ufunc(ufunc, method, inputs, kwargs)

    def __bool__(self) -> bool:
        return self.tracer.assume(f"bool({self.text})", bool(self.value))  # type: ignore[no-any-return]

    def __float__(self) -> float:
        return self.tracer.assume(f"float({self.text})", float(self.value))  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return self.tracer.assume(f"int({self.text})", int(self.value))  # type: ignore[no-any-return]

    def __neg__(self) -> Symbol:
        return Symbol(-self.value, f"(-{self.text})", self.tracer)

    def __repr__(self) -> str:
        return self.text

    def __hash__(self) -> int:
        return hash(self.value)


def plain(value: Any) -> Any:
    """Return the number of a `Symbol`, anything else unchanged."""
    return value.value if type(value) is Symbol else value


def _arithmetic(name: str, sign: str, compute: Callable[[Any, Any], Any]) -> None:
    def left(self: Symbol, other: Any) -> Any:
        if isinstance(other, ndarray):
            return NotImplemented
        return Symbol(compute(self.value, plain(other)), f"({self.text} {sign} {other!r})", self.tracer)

    def right(self: Symbol, other: Any) -> Any:
        if isinstance(other, ndarray):
            return NotImplemented
        return Symbol(compute(plain(other), self.value), f"({other!r} {sign} {self.text})", self.tracer)

    setattr(Symbol, f"__{name}__", left)
    setattr(Symbol, f"__r{name}__", right)


def _comparison(name: str, sign: str) -> None:
    compute = getattr(operator, name)

    def compare(self: Symbol, other: Any) -> Any:
        if type(other) is Symbol and other.text == self.text:
            return bool(compute(0, 0))
        return self.tracer.assume(f"({self.text} {sign} {other!r})", bool(compute(self.value, plain(other))))

    setattr(Symbol, f"__{name}__", compare)


for _name, _sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("pow", "**")):
    _arithmetic(_name, _sign, getattr(operator, _name))
for _name, _sign in (("lt", "<"), ("gt", ">"), ("le", "<="), ("ge", ">="), ("eq", "=="), ("ne", "!=")):
    _comparison(_name, _sign)
