"""NumPy's protocols on Tensor: NumPy's functions run the registered op.

A function without an op runs on the arrays if no gradient can be lost, and else raises an error that names it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import FUNCTIONS, UFUNCS, Tensor
from tinygrad_lite.errors import describe

F = TypeVar("F", bound=Callable[..., Any])

SAME_WORD = {"axis": "dim", "keepdims": "keepdim", "axes": "dim"}
REDUCE = {
    np.add: "sum", np.multiply: "prod", np.maximum: "amax", np.minimum: "amin", np.logical_and: "all",
    np.logical_or: "any",
}  # fmt: skip
ACCUMULATE = {np.add: "cumsum", np.multiply: "cumprod", np.maximum: "cummax", np.minimum: "cummin"}
REDUCING = {
    np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.median, np.nansum, np.nanprod, np.nanmean, np.nanmax,
    np.nanmin, np.nanvar, np.nanstd,
}  # fmt: skip
WRITERS = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
"""Functions that write into their first argument: an array of a tensor is not written behind its back."""
ADVICE = "use .detach().numpy() where no gradient is needed"


class Uncovered(TypeError):
    """The error of a call of NumPy's that no op computes."""


def _tensors(value: Any) -> list[Tensor]:
    """Return the tensors in nested arguments."""
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [t for part in parts for t in _tensors(part)]


def _arrays(value: Any) -> Any:
    """Return nested arguments with arrays in place of tensors."""
    if isinstance(value, Tensor):
        return value.array
    if isinstance(value, dict):
        return {key: _arrays(part) for key, part in value.items()}
    return type(value)(map(_arrays, value)) if type(value) in (list, tuple) else value


def _on_arrays(error: Uncovered, call: Any, args: Any, kwargs: Any) -> Any:
    """Return ``call`` of the arrays; raise ``error`` if a tensor requires gradients, is a batch or would be written."""
    recording = MODE.get().grad
    if any(t.level or t.tracked and recording for t in _tensors((args, kwargs))) or _tensors(kwargs.get("out")):
        raise TypeError(*error.args) from None
    return call(*_arrays(args), **_arrays(kwargs))


def answers(*names: str) -> Callable[[F], F]:
    """Register a function with NumPy's arguments as the implementation of NumPy functions on Tensors.

    Names that this version of NumPy does not have are left out.
    """

    def declare(function: F) -> F:
        function.numpy_form = True  # type: ignore[attr-defined]
        for name in names:
            found: Any = np
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is not None:
                (UFUNCS if isinstance(found, np.ufunc) else FUNCTIONS)[found] = function
        return function

    return declare


def _without_defaults(name: str, answer: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords that are not NumPy's defaults; raise TypeError for an argument without a counterpart."""
    known = _signature(answer).parameters
    for key, value in list(kwargs.items()):
        if key not in known:
            if value is not None and value is not np._NoValue:
                raise Uncovered(f"{name}: argument '{key}' is not supported with tensors; it takes {', '.join(known)}")
            del kwargs[key]
    return kwargs


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the op that is registered for a ufunc, as in ``np.multiply(t, 2)``."""
    name = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if method == "reduce" and ufunc in REDUCE:
        axis = kwargs.pop("axis", 0)
        keep = bool(kwargs.pop("keepdims", False))
        _nothing_else(name, kwargs)
        return PUBLIC[REDUCE[ufunc]](*inputs, axis, keep)
    if method == "accumulate" and ufunc in ACCUMULATE:
        axis = kwargs.pop("axis", 0)
        _nothing_else(name, kwargs)
        y = PUBLIC[ACCUMULATE[ufunc]](*inputs, axis)
        return y[0] if isinstance(y, tuple) else y
    answer = UFUNCS.get(ufunc)
    if method == "outer" and answer is not None and not kwargs:
        a, b = inputs
        return answer(a.reshape((*a.shape, *[1] * np.ndim(b))), b)
    if method != "__call__" or answer is None:
        raise Uncovered(f"{name} is not supported for tensors; {ADVICE}")
    if kwargs:
        if not hasattr(answer, "numpy_form"):
            _nothing_else(name, kwargs)
        kwargs = _without_defaults(name, answer, kwargs)
    if any(not hasattr(a, "dtype") and isinstance(a, (str, bytes, dict)) for a in inputs):
        raise TypeError(f"{name}: expected tensors, arrays or numbers, got {', '.join(map(describe, inputs))}")
    return answer(*inputs, **kwargs)


def _nothing_else(name: str, kwargs: dict[str, Any]) -> None:
    left = {k: v for k, v in kwargs.items() if v is not None and v is not np._NoValue and v is not True}
    if left:
        raise Uncovered(
            f"{name}: argument {', '.join(map(repr, left))} is not supported with tensors "
            f"(an array cannot hold a recorded result)"
        )


@functools.cache
def _signature(func: Any) -> inspect.Signature:
    return inspect.signature(func)


def call_function(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the op that is registered for a NumPy function; NumPy's argument names become the op's."""
    name = f"{func.__module__}.{func.__name__}"
    answer = FUNCTIONS.get(func)
    if func in REDUCING and kwargs.get("axis") == ():  # over no axis: over a new one of a single element
        return call_function(func, (args[0][..., None], *args[1:]), {**kwargs, "axis": -1, "keepdims": False})
    if answer is None:
        raise Uncovered(f"{name} is not supported for tensors; {ADVICE}")
    if hasattr(answer, "numpy_form"):
        return answer(*args, **_without_defaults(name, answer, kwargs))
    try:
        signature = _signature(func)
        bound = signature.bind(*args, **kwargs)
    except ValueError:  # a C function without a signature
        return answer(*args, **kwargs)
    names = list(_signature(answer).parameters)
    given: dict[str, Any] = {}
    first: list[Any] = []
    for i, (key, value) in enumerate(bound.arguments.items()):
        parameter = signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            first.extend(value)
            continue
        if value is parameter.default or value is np._NoValue:
            continue
        ours = key if key in names else SAME_WORD.get(key, key)
        if i == 0 or not given and len(first) == i and ours not in names:
            first.append(value)
        elif ours in names:
            given[ours] = value
        else:
            raise Uncovered(f"{name}: argument '{key}' is not supported with tensors; it takes {', '.join(names)}")
    return answer(*first, **given)


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    try:
        return call_ufunc(ufunc, method, inputs, dict(kwargs))
    except Uncovered as error:
        if method == "at" and isinstance(inputs[0], Tensor):  # writes into its first operand
            raise
        return _on_arrays(error, getattr(ufunc, method), inputs, kwargs)


def _array_function(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    try:
        return call_function(func, args, dict(kwargs))
    except Uncovered as error:
        if func in WRITERS and isinstance((*args, *kwargs.values())[0], Tensor):
            raise
        return _on_arrays(error, func, args, kwargs)


Tensor.__array_ufunc__ = _array_ufunc  # type: ignore[method-assign]
Tensor.__array_function__ = _array_function  # type: ignore[method-assign]
