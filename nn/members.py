"""What a module owns: its parameters, buffers and children, and the tables in which they stand by name.

The tables are live: a write to ``module._parameters`` changes the module. Every entry is an ordinary attribute too, so
reading ``module.weight`` costs no more than any attribute.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.hooks import REGISTERED
from tinygrad_lite.nn.parameter import Buffer, Parameter

TABLES = ("_parameters", "_buffers", "_modules")


class Table(dict[str, Any]):
    """The parameters, buffers or children of a module by name; what is written here is written to the module.

    Shallow copies of a module share its tables, as in PyTorch, so a table may have several owners.
    """

    __slots__ = ("moves", "owners")

    owners: list[weakref.ref[Any]]
    moves: int
    """The number of entries that were taken out or moved: while it stays, entries are at most added at the end."""

    def __init__(self, owner: Any = None, values: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.owners, self.moves = [], 0
        if owner is not None:
            self.belong(owner)
        for name, value in (values or {}).items():
            self[name] = value

    def belong(self, owner: Any) -> None:
        """Write to ``owner`` too from now on."""
        if not any(known() is owner for known in self.owners):
            self.owners.append(weakref.ref(owner))

    def __setitem__(self, name: str, value: Any) -> None:
        dict.__setitem__(self, name, value)
        for owner in self.owners:
            module = owner()
            if module is not None:
                module.__dict__[name] = value

    def __delitem__(self, name: str) -> None:
        dict.__delitem__(self, name)
        self.moves += 1
        for owner in self.owners:
            module = owner()
            if module is not None:
                module.__dict__.pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        """Take an entry out and return it."""
        if name not in self:
            return dict.pop(self, name, *default)
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last entry out and return it with its name."""
        name = next(reversed(self))
        return name, self.pop(name)

    def clear(self) -> None:
        """Take all entries out."""
        for name in list(self):
            del self[name]

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the entry ``name``, which is ``default`` if there was none."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *others: Any, **entries: Any) -> None:
        """Add entries of a mapping, of pairs, or given by keyword."""
        for name, value in dict(*others, **entries).items():
            self[name] = value

    def __ior__(self, other: Any) -> Table:  # type: ignore[override,misc]
        self.update(other)
        return self

    def move_to_end(self, name: str, last: bool = True) -> None:
        """Move an entry to the end, or to the beginning: dictionaries of older programs are ordered ones."""
        value = dict.pop(self, name)
        self.moves += 1
        rest = {} if last else dict(self)
        if not last:
            dict.clear(self)
        dict.__setitem__(self, name, value)
        dict.update(self, rest)

    def __reduce__(self) -> Any:
        owners = [module for owner in self.owners if (module := owner()) is not None]
        return Table, (), owners, None, iter(list(self.items()))

    def __setstate__(self, owners: list[Any]) -> None:
        for owner in owners:
            self.belong(owner)


class Members:
    """The part of `Module` that registers parameters, buffers and children."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]

    def __setstate__(self, state: dict[str, Any]) -> None:
        known = self.__dict__
        known.update(state)
        for table in TABLES:
            entries = known.get(table)
            if isinstance(entries, Table):
                entries.belong(self)
            elif entries is not None:
                known[table] = Table(self, entries)

    # -------------------------------------------------------------------------------- attributes
    if not TYPE_CHECKING:  # type checkers would accept any attribute name

        def __getattr__(self, name: str) -> Any:
            if name in ("_hooks", "_non_persistent_buffers_set", "training", *TABLES):
                cls = type(self).__name__
                raise AttributeError(f"{cls}.__init__() did not call super().__init__(), which makes it a Module")
            for table in TABLES:  # a property of that name came first and raised
                if name in self.__dict__[table]:
                    return self.__dict__[table][name]
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        known = self.__dict__
        parameters = known.get("_parameters")
        if isinstance(value, Parameter):
            _need_tables(self, "parameters")
            _vacate(self, name, "_parameters")
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as parameter '{name}' (Parameter or None expected); "
                    "wrap it in nn.Parameter, or change .data"
                )
            self.register_parameter(name, None)
        elif isinstance(value, Members) or name in known.get("_modules", ()):
            _set_module(self, name, value)
        elif isinstance(value, Buffer) or name in known.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as buffer '{name}' (Buffer, Tensor or None expected)"
                )
            _need_tables(self, "buffer")
            if name not in self._buffers:
                known.pop(name, None)
            kept = value.persistent if isinstance(value, Buffer) else name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, *(() if kept else (False,)))
        elif name in TABLES:
            for old in known.get(name, ()):
                known.pop(old, None)
            known[name] = Table(self, value)
        else:
            if name == "forward":
                known["_places"] = False  # user code, which has its own source lines
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for table in TABLES:
            entries = self.__dict__.get(table, ())
            if name in entries:
                del entries[name]
                if table == "_buffers":
                    self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)
        if name == "forward":
            self.__dict__.pop("_places", None)

    def __dir__(self) -> Iterable[str]:
        return [name for name in super().__dir__() if not name[:1].isdigit()]

    # -------------------------------------------------------------------------------- registering
    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add ``param`` as attribute ``name``; None reserves the name."""
        _check_name(self, "parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' (nn.Parameter or None required)"
            )
        if param is not None and param.node is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly; "
                f"to make '{name}' a function of another tensor, compute it in forward()"
            )
        self._parameters[name] = None if param is None else _registered("parameter", self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is not trained; ``persistent``: include it in state dicts."""
        _check_name(self, "buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)"
            )
        self._buffers[name] = _registered("buffer", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Add ``module`` as attribute ``name``."""
        if module is not None and not isinstance(module, Members):
            raise TypeError(f"{type(module).__name__} is not a Module subclass{meant(module)}")
        _check_name(self, "module", name, "_modules")
        self._modules[name] = _registered("module", self, name, module)

    def register_module(self, name: str, module: Any) -> None:
        """Add a child: `add_module` by its other name."""
        self.add_module(name, module)


def make_tables(module: Any, keep: bool = False) -> None:
    """Give ``module`` new tables; unless ``keep``, drop the names from an earlier ``__init__``."""
    known = module.__dict__
    for table in TABLES:
        entries = known.get(table, {})
        for name in () if keep else entries:
            known.pop(name, None)
        known[table] = Table(module, entries if keep else None)
    known["_non_persistent_buffers_set"] = set(known["_non_persistent_buffers_set"]) if keep else set()


def _set_module(module: Any, name: str, value: Any) -> None:
    if value is not None and not isinstance(value, Members):
        raise TypeError(f"cannot assign '{type(value).__name__}' as child module '{name}' (Module or None expected)")
    _need_tables(module, "module")
    _vacate(module, name, "_modules")
    module._modules[name] = _registered("module", module, name, value)


def _need_tables(module: Any, what: str) -> None:
    if "_parameters" not in module.__dict__:
        raise AttributeError(
            f"cannot assign {what} before {type(module).__name__}.__init__() called super().__init__()"
        )


def _vacate(module: Any, name: str, table: str) -> None:
    """Remove an attribute of this name, unless it already stands in ``table``."""
    known = module.__dict__
    for other in TABLES:
        if other != table:
            known[other].pop(name, None)
    if name not in known[table]:
        known.pop(name, None)
    module._non_persistent_buffers_set.discard(name)


def _check_name(module: Any, kind: str, name: Any, table: str) -> None:
    _need_tables(module, kind)
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if hasattr(module, name) and name not in module.__dict__[table]:
        raise KeyError(f"attribute '{name}' already exists")


def _registered(kind: str, module: Any, name: str, value: Any) -> Any:
    """Return ``value``, or what the registration hooks of all modules put in its place."""
    for hook in tuple(REGISTERED[kind].values()):
        answer = hook(module, name, value)
        if answer is not None:
            value = answer
    return value


def meant(given: Any) -> str:
    """Return a hint for a caller who passed something other than a module."""
    if isinstance(given, (list, tuple)):
        return "; give the modules one by one: Sequential(*layers), or use ModuleList(layers)"
    if isinstance(given, type):
        return f"; {given.__name__} is a class, a layer is made by calling it: {given.__name__}(...)"
    return "; a function belongs into forward, or use the module of that name" if callable(given) else ""
