"""Python's operators on tensors, each one of the registered ops."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.methods import Methods
from tinygrad_lite.ops import elementwise as e
from tinygrad_lite.ops.linalg import matmul
from tinygrad_lite.registry import PUBLIC


def _reflected(function: Any) -> Any:
    def reflected(self: Any, other: Any) -> Any:
        return function(other, self)

    return reflected


for _name, _function in {"add": e.add, "sub": e.sub, "mul": e.mul, "truediv": e.div, "pow": e.pow, "matmul": matmul}.items():
    setattr(Methods, f"__{_name}__", _function)
    # a + b is b + a to the last bit: no second way for a number on the left
    setattr(Methods, f"__r{_name}__", _function if _name in ("add", "mul") else _reflected(_function))
for _name in ("gt", "ge", "lt", "le", "eq", "ne"):
    setattr(Methods, f"__{_name}__", PUBLIC[_name])
for _name in ("and", "or", "xor"):
    setattr(Methods, f"__{_name}__", PUBLIC[f"bitwise_{_name}"])
    setattr(Methods, f"__r{_name}__", PUBLIC[f"bitwise_{_name}"])
setattr(Methods, "__neg__", e.neg)
setattr(Methods, "__abs__", e.abs)
