"""Names of tensors: from modules, from the caller's variables, or given by the user."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import describe
from tinygrad_lite.viz.capture.builder import Names
from tinygrad_lite.viz.capture.nested import is_module, is_tensor


def members(model: Any, modules: dict[int, str], prefix: str = "") -> dict[int, tuple[str, str]]:
    """Return the parameters and buffers of a module by id; fills ``modules`` with the path of each submodule."""
    known: dict[int, tuple[str, str]] = {}
    if not is_module(model):
        return known
    for path, module in model.named_modules():
        modules[id(module)] = path or type(module).__name__
    for kind, walk in (("buffer", model.named_buffers), ("param", model.named_parameters)):
        for name, t in walk():
            known[id(t)] = known[id(t.array)] = (prefix + name, kind)
    return known


def named(names: Any) -> dict[int, tuple[str, str]]:
    """Return the names given by the user, by id: from a module, or a mapping of names to tensors or modules."""
    if names is None:
        return {}
    if is_module(names):
        return members(names, {})
    if not isinstance(names, Mapping):
        raise TypeError(f"draw: names must map names to tensors, or be a module, got {describe(names)}")
    known: dict[int, tuple[str, str]] = {}
    for name, value in names.items():
        if isinstance(name, Tensor):
            name, value = value, name
        if isinstance(value, (Tensor, np.ndarray)):
            known[id(value)] = known[id(getattr(value, "array", value))] = (str(name), "")
        elif is_module(value):
            known |= members(value, {}, f"{name}.")
        else:
            raise TypeError(f"draw: names[{name!r}] must be a tensor or a module, got {describe(value)}")
    return known


def of_caller(depth: int) -> Names:
    """Return the names of tensors in the variables of the caller, and of the parameters of modules there.

    A name is a hint: variables of other libraries, and objects that fail when they are read, are passed over.
    """
    frame = sys._getframe(depth)
    return in_space({**frame.f_globals, **frame.f_locals})


def of_function(function: Any, paths: dict[int, str]) -> Names:
    """Return the names of what a function uses: its closure, its object and the globals in its code.

    Fills ``paths`` with the path of each module among them.
    """
    while isinstance(function, partial):
        function = function.func
    owner = getattr(function, "__self__", None) if isinstance(function, MethodType) else None
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType):
        return {}
    space: dict[str, Any] = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    if owner is not None and not is_module(owner):
        with suppress(Exception):
            space |= vars(owner)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        with suppress(ValueError):  # a variable without a value yet
            space[name] = cell.cell_contents
    return in_space({"model": owner} if is_module(owner) else space, paths)


def in_space(variables: Mapping[str, Any], paths: dict[int, str] | None = None) -> Names:
    """Return the names of the tensors and of the parameters of modules among variables; fill ``paths``."""
    space = {name: value for name, value in variables.items() if type(name) is str and not name.startswith("_")}
    modules: dict[str, Any] = {}
    inner: set[int] = set()
    for name, value in space.items():
        if is_module(value):
            try:
                inside = [id(m) for m in value.modules() if m is not value]
            except Exception:  # noqa: S112 - a module that is not built yet has no names to give
                continue
            modules[name] = value
            inner.update(inside)
    outer = {id(value): (name, value) for name, value in modules.items() if id(value) not in inner}
    known: dict[int, tuple[str, str]] = {}
    for name, value in outer.values():
        # with a single model its parameters need no prefix
        with suppress(Exception):
            alone = len(outer) == 1
            known |= members(value, {}, "" if alone else f"{name}.")
            if paths is not None:
                for path, module in value.named_modules():
                    own = type(module).__name__ if alone else name
                    paths[id(module)] = path if path and alone else f"{name}.{path}" if path else own
    for name, value in space.items():
        if is_tensor(value):
            with suppress(Exception):
                known[id(value)] = known[id(value.array)] = (name, "")
    return known
