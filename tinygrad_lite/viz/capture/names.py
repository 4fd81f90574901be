"""Names of tensors: from modules, from the caller's variables, or given by the user."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
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
    space = {
        name: value
        for name, value in {**frame.f_globals, **frame.f_locals}.items()
        if type(name) is str and not name.startswith("_")
    }
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
            known |= members(value, {}, "" if len(outer) == 1 else f"{name}.")
    for name, value in space.items():
        if is_tensor(value):
            with suppress(Exception):
                known[id(value)] = known[id(value.array)] = (name, "")
    return known
