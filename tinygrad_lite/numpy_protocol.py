"""What happens when NumPy's own functions meet a Tensor: they become registered ops, or say clearly that they cannot."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from tinygrad_lite.errors import describe
from tinygrad_lite.registry import PUBLIC
from tinygrad_lite.tensor import FUNCTIONS, UFUNCS

SAME_WORD = {"axis": "dim", "keepdims": "keepdim", "axes": "dim"}
REDUCE = {np.add: "sum", np.multiply: "prod", np.maximum: "amax", np.minimum: "amin", np.logical_and: "all", np.logical_or: "any"}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer ``np.multiply(t, 2)`` and the like with the op that means the same."""
    if method == "reduce" and ufunc in REDUCE and REDUCE[ufunc] in PUBLIC:
        kwargs.setdefault("axis", 0)
        return PUBLIC[REDUCE[ufunc]](*inputs, **{k: v for k, v in kwargs.items() if v is not None or k == "axis"})
    answer = UFUNCS.get(ufunc)
    name = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if method != "__call__" or answer is None:
        raise TypeError(f"{name} is not supported for tensors; use .detach().numpy() where no gradient is needed")
    if kwargs:
        raise TypeError(
            f"{name}: argument {', '.join(map(repr, kwargs))} is not supported with tensors "
            f"(an array cannot hold a recorded result)"
        )
    if any(not hasattr(a, "dtype") and isinstance(a, (str, bytes, dict)) for a in inputs):
        raise TypeError(f"{name}: expected tensors, arrays or numbers, got {', '.join(map(describe, inputs))}")
    return answer(*inputs)


@functools.cache
def _signature(func: Any) -> inspect.Signature:
    return inspect.signature(func)


def call_function(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer ``np.sum(t, axis=0)`` and the like: arguments are matched by NumPy's names and handed on by ours."""
    name = f"numpy.{func.__name__}"
    answer = FUNCTIONS.get(func)
    if answer is None:
        answer = PUBLIC.get(func.__name__) if func.__module__ in ("numpy", "numpy.linalg") else None
    if answer is None:
        raise TypeError(f"{name} is not supported for tensors; use .detach().numpy() where no gradient is needed")
    try:
        signature = _signature(func)
        bound = signature.bind(*args, **kwargs)
    except ValueError:  # a C function without a signature
        return answer(*args, **kwargs)
    names = list(inspect.signature(answer).parameters)
    given: dict[str, Any] = {}
    first: list[Any] = []
    for i, (key, value) in enumerate(bound.arguments.items()):
        parameter = signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            first.extend(value)
            continue
        if value is parameter.default or value is np._NoValue:  # type: ignore[attr-defined]
            continue
        ours = key if key in names else SAME_WORD.get(key, key)
        if i == 0 or not given and len(first) == i and ours not in names:
            first.append(value)
        elif ours in names:
            given[ours] = value
        else:
            raise TypeError(f"{name}: argument '{key}' is not supported with tensors; it takes {', '.join(names)}")
    return answer(*first, **given)
