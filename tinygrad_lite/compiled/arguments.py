"""The arguments of a call: which tensors there are, and what must be equal for a program to fit."""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np

from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.engine.arrays import _program_dtype, _thread_dtype
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.nn.module import Module
from tinygrad_lite.optim.optimizer import Optimizer

NUMBERS = (int, float, bool, str, type(None))
OBJECTS = (Module, Optimizer, types.FunctionType, types.MethodType)


class Bypass(Exception):
    """This call has to run as written, the next one need not: it is inside `vmap`."""


def flatten(value: Any, flat: list[Tensor], objects: list[Any]) -> Any:
    """Collect the tensors and modules of an argument, each once; return what must stay equal about it."""
    if isinstance(value, Tensor):
        if value.level:
            raise Bypass
        if type(value) is not Tensor:
            raise Refused(f"an argument is a {type(value).__name__}, not a plain tensor")
        for i, t in enumerate(flat):
            if t is value:
                return i
        flat.append(value)
        a = value.array
        return a.shape, a.dtype, a.strides, value.tracked
    if type(value) in NUMBERS:
        return type(value), value
    if type(value) in (list, tuple):
        return type(value), tuple([flatten(v, flat, objects) for v in value])
    if type(value) is dict:
        return dict, tuple((k, flatten(v, flat, objects)) for k, v in value.items())
    if isinstance(value, OBJECTS):
        objects.append(value)
        return type(value), id(value)
    if isinstance(value, np.dtype):
        return np.dtype, value
    raise Refused(f"an argument is a {type(value).__name__}; give tensors, numbers, modules or functions")


def placeholders(flat: list[Tensor]) -> list[Tensor]:
    """Return leaves that stand for the arguments."""
    found = [make(t.array) for t in flat]
    for p, t in zip(found, flat, strict=True):
        p.tracked = t.tracked
    return found


def rebuilt(value: Any, by: dict[int, Tensor]) -> Any:
    """Return an argument with its tensors replaced."""
    if isinstance(value, Tensor):
        return by[id(value)]
    if type(value) in (list, tuple):
        return type(value)([rebuilt(v, by) for v in value])
    if type(value) is dict:
        return {k: rebuilt(v, by) for k, v in value.items()}
    return value


def names_of(function: Any, given: Any) -> list[str]:
    """Return a name for each tensor among the arguments: that of the function's parameter."""
    args, kwargs, flat = given
    try:
        bound: Any = inspect.signature(getattr(function, "forward", function)).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {}
    names: dict[int, str] = {}
    todo = list(bound.items())
    for name, value in todo:  # it grows
        if isinstance(value, Tensor):
            names.setdefault(id(value), name)
        elif isinstance(value, (list, tuple)):
            todo += [(name if len(value) == 1 else f"{name}_{i}", v) for i, v in enumerate(value)]
        elif isinstance(value, dict):
            todo += [(str(k), v) for k, v in value.items()]
    return [names.get(id(t), f"in{i}") for i, t in enumerate(flat)]


def shown(form: Any) -> str:
    """Return the shapes of the arguments as text."""
    if type(form) is not tuple or not form:
        return str(form)
    if type(form[0]) is tuple:
        return "x".join(map(str, form[0])) or "0-d"
    if form[0] in (list, tuple):
        return ", ".join(map(shown, form[1])) or "none"
    return str(form[1])


class Quick:
    """The condition that ``args`` are tensors like those of a recording, and ``mode`` the same, as source."""

    def __init__(self, text: str, space: dict[str, Any]) -> None:
        self.text, self.space = text, space


def quick_check(args: Any, kwargs: Any, key: Any, live: Any) -> Quick | None:
    """Return the condition for arguments like these, or None where that is not simple.

    A few tensors, given by position, that are no variables of the step.
    """
    if kwargs or len(args) > 6 or not all(type(t) is Tensor for t in args) or len({*map(id, args)}) < len(args):
        return None
    _, grad, guard, inference, default = key
    space = {"Tensor": Tensor, "live": live, "default": default}
    space |= {"own_dtype": _thread_dtype, "program_dtype": _program_dtype}
    terms = [f"len(args) == {len(args)}", f"mode.grad is {grad}", f"mode.guard is {guard}",
             f"mode.inference is {inference}", "(own_dtype.get() or program_dtype[0]) is default"]  # fmt: skip
    lines = []
    for i, t in enumerate(args):
        a = t.array
        space[f"d{i}"] = a.dtype
        lines.append(f"(t{i} := args[{i}]).__class__ is Tensor and t{i}.tracked is {t.tracked}")
        lines.append(
            f"(a{i} := t{i}.array).shape == {a.shape!r} and a{i}.dtype is d{i} and a{i}.strides == {a.strides!r}"
        )
        lines.append(f"a{i}.base is None and id(a{i}) not in live")
        lines += [f"t{i} is not t{j}" for j in range(i)]
    return Quick(" and ".join(terms + lines), space)
