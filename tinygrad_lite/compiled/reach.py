"""What a function can reach: modules, optimisers, tensors, user code; and the guard that notices a change of it."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.engine.op import OPS, Op
from tinygrad_lite.engine.source import OURS
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.members import Table
from tinygrad_lite.nn.module import Module
from tinygrad_lite.optim.optimizer import Optimizer
from tinygrad_lite.random import default_generator

COMPILED = "__compiled__"
"""What marks a function that `compile` returned: inside another compiled one it is part of that."""
PLAIN = (int, float, complex, str, bytes, bool, type(None), np.dtype, np.generic, slice, range)
LIMIT = 50_000
BYTES = 1 << 22
"""The most bytes of NumPy arrays, outside tensors, that are compared at every call."""


@functools.cache
def ours(name: str | None) -> bool:
    """Return whether a module belongs to this package, NumPy or Python itself."""
    first = (name or "").partition(".")[0]
    return first in ("tinygrad_lite", "numpy") or (first in sys.stdlib_module_names and first != "__main__")


def of_package(value: Any) -> bool:
    """Return whether a function or class is defined in this package."""
    return (getattr(value, "__module__", None) or "").startswith("tinygrad_lite.")


class Reach:
    """Walk everything that a function can reach without running it."""

    def __init__(self, function: Any, objects: Any = ()) -> None:
        self.hooked: list[str] = []
        self.modules: list[tuple[str, Module]] = []
        self.optimizers: list[tuple[str, Optimizer]] = []
        self.tensors: list[tuple[str, Tensor]] = []
        self.arrays: list[tuple[str, Any]] = []
        self.pinned: list[tuple[Any, Any, Any]] = []
        self.contents: list[tuple[Any, Any, bytes]] = []
        self._bytes = 0
        self.codes: set[Any] = set()
        self.watched: list[tuple[Any, Any]] = []
        self.cells: list[tuple[Any, Any]] = []
        self.names: list[tuple[dict[str, Any], str, Any]] = []
        self._seen: dict[int, Any] = {}
        self._classes: set[Any] = set()
        self._todo: list[tuple[str, Any]] = [("", o) for o in objects] + [("", function)]
        while self._todo:
            name, value = self._todo.pop()
            if isinstance(value, PLAIN) or id(value) in self._seen:
                continue
            self._seen[id(value)] = value
            if len(self._seen) > LIMIT:
                raise Refused(f"the step can reach more than {LIMIT:,} objects, too many to watch")
            self._visit(name, value)

    def _add(self, name: str, value: Any) -> None:
        self._todo.append((name, value))

    def _visit(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            self.tensors.append((name, value))
            if value.hooks:
                self.hooked.append(name)
        elif isinstance(value, np.ndarray):
            self.arrays.append((name, value))
            self.contents.append((value, value.shape, value.tobytes()))
            self._bytes += value.nbytes
            if value.dtype == object or self._bytes > BYTES:
                raise Refused(f"{name}: a large NumPy array that the step can reach; make it a tensor")
        elif isinstance(value, Module):
            self.modules.append((name, value))
            if value.__dict__.get("_hooks"):
                raise Refused(f"{name or 'the module'}: a module with hooks")
            self._dict(name, value.__dict__)
            self._class(type(value))
        elif isinstance(value, Optimizer):
            self.optimizers.append((name, value))
            for i, group in enumerate(value.param_groups):
                for j, p in enumerate(group["params"]):
                    self._add(f"{name}_{i}_{j}", p)
        elif isinstance(value, Op):
            self._op(value)
        elif isinstance(value, dict):
            self._dict(name, value)
        elif isinstance(value, (list, tuple, set, frozenset)):
            if not isinstance(value, (tuple, frozenset)):
                self.watched.append((value, value.copy()))
                if isinstance(value, list):
                    self.pinned += [(value, i, v) for i, v in enumerate(value) if _small(v)]
            for i, v in enumerate(value):
                self._add(f"{name}_{i}" if name else f"value{i}", v)
        elif isinstance(value, (np.random.Generator, np.random.RandomState)):
            if value is not default_generator():
                raise Refused(f"{name}: a random generator of its own, whose draws are not recorded")
        elif hasattr(type(value), "__next__"):
            raise Refused(f"{name}: an iterator, which every run would move on")
        elif hasattr(type(value), COMPILED):
            self._add(name, value._function)
        elif isinstance(value, functools.partial):
            for v in (value.func, value.args, value.keywords):
                self._add(name, v)
        elif isinstance(value, types.MethodType):
            self._add(name, value.__self__)
            self._add(name, value.__func__)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.ModuleType):
            pass  # its names are watched where a function uses them
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, (property, classmethod, staticmethod)):
            for f in (getattr(value, "fget", None), getattr(value, "__func__", None)):
                self._add(name, f)
        elif not ours(type(value).__module__) or "lr_scheduler" in type(value).__module__:
            if hasattr(type(value), "__slots__") and not hasattr(value, "__dict__"):
                raise Refused(f"{name}: an object of {type(value).__name__}, whose attributes cannot be watched")
            self._dict(name, getattr(value, "__dict__", {}))
            self._class(type(value))

    def _op(self, op: Op) -> None:
        inner = [cell.cell_contents for _, rule in op.rules for cell in rule.__closure__ or ()]
        for v in (op.forward, op.recompute, op.gather, *inner):
            self._add("", v)

    def _dict(self, name: str, values: dict[Any, Any]) -> None:
        self.watched.append((values, dict(values)))
        self.pinned += [(values, k, v) for k, v in values.items() if _small(v)]
        for k, v in values.items():
            if k != "_non_persistent_buffers_set":
                self._add(f"{name}_{k}" if name else str(k), v)

    def _class(self, kind: Any) -> None:
        for c in kind.__mro__:
            if not ours(c.__module__) and c not in self._classes:
                self._classes.add(c)
                self.watched.append((vars(c), dict(vars(c))))
                for k, v in vars(c).items():
                    if not k.startswith("__") or callable(v):
                        self._add(k, v)

    def _function(self, f: Any) -> None:
        if ours(f.__module__) and OURS[f.__code__.co_filename]:
            inner = getattr(f, "__wrapped__", None)
            if inner is not None:
                self._add("", inner)
            return
        names: set[str] = set()
        for code in _nested(f.__code__):
            self.codes.add(code)
            names |= set(code.co_names)
        for name in sorted(names):  # a method of a tensor has no other path to its op
            op = getattr(getattr(Tensor, name, None), "op", None) or OPS.get(name.removesuffix("_"))
            if isinstance(op, Op) and not ours(op.forward.__module__):
                self._add("", op)
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self.cells.append((cell, value))
            self._add(name, value)
        for name in sorted(names & f.__globals__.keys()):
            value = f.__globals__[name]
            self.names.append((f.__globals__, name, value))
            if value is np and "random" in names:
                raise Refused(f"{f.__code__.co_filename}:{f.__code__.co_firstlineno}: np.random, which is not recorded")
            if isinstance(value, types.ModuleType) and not ours(value.__name__):
                for inner_name in sorted(names & vars(value).keys()):
                    self.names.append((vars(value), inner_name, vars(value)[inner_name]))
                    self._add(inner_name, vars(value)[inner_name])
            else:
                self._add(name, value)
        for i, v in enumerate((*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values())):
            self._add(f"default{i}", v)
        if f.__dict__:
            self._dict("", f.__dict__)

    # -------------------------------------------------------------------------------- the guard
    def terms(self, c: Any) -> list[str]:
        """Return the conditions as source; the guard generates one function from all of them."""
        found = [f"{c(cell)}.cell_contents is {c(value)}" for cell, value in self.cells]
        found += [f"{c(space)}[{name!r}] is {c(value)}" for space, name, value in self.names]
        for array, shape, content in self.contents:
            found.append(f"{c(array)}.shape == {shape!r} and {c(array)}.tobytes() == {c(content)}")
        for _, m in self.modules:  # the entries are attributes of the module too; their order is not
            table: Any = m._modules
            if len(table) > 1:
                found.append(f"{c(table)}.moves == {table.moves}")
        rest = [pair for pair in self.watched if not _table(pair[0])]
        if rest:
            found.append(f"{c(tuple(now for now, _ in rest))} == {c(tuple(before for _, before in rest))}")
        found += [f"{c(container)}[{key!r}] is {c(value)}" for container, key, value in self.pinned
                  if not _table(container)]  # fmt: skip
        return found

    def changed(self) -> str | None:
        """Return what differs from the time of the walk, or None."""
        for cell, value in self.cells:
            now = cell.cell_contents
            if now is not value and not _equal(now, value):
                return "a variable of an enclosing function"
        for space, name, value in self.names:
            now = space.get(name, self)
            if now is not value and not _equal(now, value):
                return f"the global variable '{name}'"
        for array, shape, content in self.contents:
            if array.shape != shape or array.tobytes() != content:
                return "a NumPy array"
        for container, before in self.watched:
            try:
                same = container == before
            except Exception:
                same = False
            if same is not True or _table(container) and [*container] != [*before]:
                return _difference(container, before)
        for container, key, value in self.pinned:
            if container[key] is not value:
                return "a tensor"
        return None


def _table(container: Any) -> bool:
    """Return whether a dict is a table of a module."""
    return type(container) is Table and bool(container.owners)


def _small(value: Any) -> bool:
    """Return whether ``==`` could take another object for this one: tensors and arrays with one element."""
    return isinstance(value, (Tensor, np.ndarray)) and value.shape in ((), (1,), (1, 1))


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, (int, float, str)) and a == b


def _difference(container: Any, before: Any) -> str:
    if not hasattr(container, "keys"):
        return f"a {type(container).__name__}"
    missing = object()
    for key in [*before, *container]:
        if container.get(key, missing) is not before.get(key, missing):
            return f"'{key}'"
    return "an attribute"


def _nested(code: Any) -> Iterator[Any]:
    yield code
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            yield from _nested(c)
