"""Python's operators on tensors: each is a registered op."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.call import operator
from tinygrad_lite.engine.failure import foreign
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.ops.elementwise import arithmetic as e, comparison as c
from tinygrad_lite.ops.indexing.inplace import augmented
from tinygrad_lite.ops.linalg.matmul import matmul

PLAIN = frozenset((Tensor, int, float))


def _reflected(function: Any, name: str) -> Any:
    def reflected(self: Any, other: Any) -> Any:
        return function(other, self)

    reflected.__name__ = f"__r{name.removeprefix('true')}__"  # as PyTorch's, for `__torch_function__`
    return reflected


def _compared(function: Any, name: str) -> Any:
    """Leave what is no operand to its own operator, and equality with None or a string to Python, which says False."""
    equal = name in ("eq", "ne")

    def compared(self: Any, other: Any) -> Any:
        if other.__class__ in PLAIN or not (foreign(other) or (equal and (other is None or other.__class__ is str))):
            return function(self, other)
        return NotImplemented

    compared.__name__ = f"__{name}__"
    return compared


def _divmod(self: Any, other: Any) -> tuple[Any, Any]:
    return c.floor_divide(self, other), c.remainder(self, other)


def _reversed(self: Any) -> Any:
    return self.flip(0) if self.ndim else self


for _name, _function in {
    "add": e.add, "sub": e.sub, "mul": e.mul, "truediv": e.div, "pow": e.pow, "matmul": matmul,
    "floordiv": c.floor_divide, "mod": c.remainder, "divmod": _divmod,
    "lshift": PUBLIC["bitwise_left_shift"], "rshift": PUBLIC["bitwise_right_shift"],
}.items():  # fmt: skip
    _function = operator(_function.op) if hasattr(_function, "op") else _function
    setattr(Methods, f"__{_name}__", _function)
    # a + b and b + a are equal to the last bit, so the reflected operator is the same function
    setattr(Methods, f"__r{_name}__", _function if _name in ("add", "mul") else _reflected(_function, _name))
for _name in ("gt", "ge", "lt", "le", "eq", "ne"):
    setattr(Methods, f"__{_name}__", _compared(PUBLIC[_name], _name))
for _name in ("and", "or", "xor"):
    _function = operator(PUBLIC[f"bitwise_{_name}"].op)  # type: ignore[attr-defined]
    setattr(Methods, f"__{_name}__", _function)
    setattr(Methods, f"__r{_name}__", _function)
for _name, _unary in {
    "neg": e.neg, "pos": e.positive, "abs": e.abs, "invert": PUBLIC["bitwise_not"], "round": c.round,
    "trunc": c.trunc, "reversed": _reversed,
}.items():  # fmt: skip
    setattr(Methods, f"__{_name}__", _unary)
for _word, _name in {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
    "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}.items():  # fmt: skip
    augmented(_word, _name, PUBLIC[_name])
