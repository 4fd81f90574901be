"""Further names of published functions; imported after all of them."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import IN_PLACE, PUBLIC, function, publish

SAME = {
    "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "negative": "neg", "absolute": "abs",
    "sgn": "sign", "fix": "trunc", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "greater": "gt", "greater_equal": "ge", "less": "lt",
    "less_equal": "le", "not_equal": "ne", "moveaxis": "movedim", "swapdims": "swapaxes", "ger": "outer",
}  # fmt: skip
FUNCTIONS_ONLY = {"concat": "cat", "concatenate": "cat", "row_stack": "vstack", "trapz": "trapezoid", "spmm": "mm"}


for _name, _known in {**SAME, **FUNCTIONS_ONLY}.items():
    _form = IN_PLACE[_known][1] if _known in IN_PLACE else False
    publish(_name, PUBLIC[_known], (), method=_name in SAME, inplace=_form)


def _where(self: Any, condition: Any, other: Any) -> Any:
    """Return ``self`` where ``condition`` holds, ``other`` elsewhere."""
    return PUBLIC["where"](condition, self, other)


@function(name="polygamma", public=False, method="polygamma", inplace=True)
def _polygamma(self: Any, n: int) -> Any:
    """Return the ``n``-th derivative of `digamma`."""
    return PUBLIC["polygamma"](n, self)


setattr(Methods, "where", _where)  # noqa: B010 - Tensor inherits its methods from Methods
