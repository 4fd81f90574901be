"""Modules that hold other modules or parameters."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


def _position(index: Any, count: int) -> int:
    i = operator.index(index)
    if not -count <= i < count:
        raise IndexError(f"index {i} is out of range")
    return i % count


class _List(Module):
    """Children by number; their attribute names are the digits."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(m is module for m in self)

    def __getitem__(self, index: Any) -> Any:
        items = list(self)
        if isinstance(index, slice):
            return self._like(items[index], index)
        return items[_position(index, len(items))]

    def __setitem__(self, index: Any, module: Module) -> None:
        names = list(self._modules)
        setattr(self, names[_position(index, len(names))], module)

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [names[_position(index, len(names))]]:
            delattr(self, name)
        self._number_again()

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not str(name).isdigit()]

    def _like(self, items: list[Module], index: slice) -> Any:
        raise NotImplementedError

    def _number_again(self) -> None:
        items = list(self)
        for name in list(self._modules):
            delattr(self, name)
        for i, m in enumerate(items):
            self.add_module(str(i), m)

    def _insert(self, index: int, module: Any) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"module should be of type: {Module}, got a {type(module).__name__}")
        items = list(self)
        items.insert(index, module)
        for name in list(self._modules):
            delattr(self, name)
        for i, m in enumerate(items):
            self.add_module(str(i), m)

    def insert(self, index: int, module: Module) -> Any:
        """Put ``module`` before position ``index``."""
        count = len(self)
        if not -count <= index <= count:
            raise IndexError(f"Index out of range: {index}")
        self._insert(index, module)
        return self

    def append(self, module: Any) -> Any:
        """Put ``module`` at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Put several modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"extend should be called with an iterable, but got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, key: Any = -1) -> Any:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module


class Sequential(_List):
    """Call modules one after the other: ``Sequential(a, b)(x)`` is ``b(a(x))``.

    An ordered dict gives the modules names.

    >>> from tinygrad_lite import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    _places = True

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input: Any) -> Any:
        """Call the modules in order."""
        known = self.__dict__
        for name in self._kinds:
            input = known[name](input)
        return input

    def _like(self, items: list[Module], index: slice) -> Sequential:
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other).__name__} is given."
            )
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        return self.extend(other)  # type: ignore[no-any-return]


class ModuleList(_List):
    """A list of modules that a module knows about.

    >>> from tinygrad_lite import nn
    >>> len(list(nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 1)]).parameters()))
    4
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _like(self, items: list[Module], index: slice) -> ModuleList:
        return type(self)(items)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        """Show equal neighbours once, with their count."""
        items = [repr(m) for m in self]
        if not items:
            return f"{self._get_name()}()"
        lines: list[str] = []
        start = 0
        for i in range(1, len(items) + 1):
            if i == len(items) or items[i] != items[start]:
                name = f"({start})" if i - start == 1 else f"({start}-{i - 1}): {i - start} x"
                text = items[start].replace("\n", "\n  ")
                lines.append(f"{name}: {text}" if i - start == 1 else f"{name} {text}")
                start = i
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dict of modules that a module knows about."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        if key in self._kinds:
            setattr(self, key, module)
        else:
            self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._kinds:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._kinds)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._kinds

    def clear(self) -> None:
        """Remove all modules."""
        for key in list(self._modules):
            delattr(self, key)

    def pop(self, key: str) -> Any:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> Any:
        """Return pairs of name and module."""
        return self._modules.items()

    def values(self) -> Any:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping or of pairs."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"ModuleDict.update should be called with an iterable of key/value pairs, got {type(modules).__name__}"
            )
        pairs = list(modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules)
        for i, pair in enumerate(pairs):
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(
                    f"ModuleDict: element {i} should be a pair of name and module, or all of them a mapping, "
                    f"got {type(pair).__name__}"
                )
        for name, module in pairs:
            self[name] = module


def _parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _shown(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"{kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(Module):
    """Hold parameters in a list that belongs to the module.

    Plain tensors become parameters.
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._count = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(i)) for i in range(self._count))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, str(_position(index, self._count)))

    def __setitem__(self, index: Any, value: Any) -> None:
        setattr(self, str(_position(index, self._count)), _parameter(value))

    def append(self, value: Any) -> ParameterList:
        """Put ``value`` at the end."""
        setattr(self, str(self._count), _parameter(value))
        self._count += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Put several values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def __repr__(self) -> str:
        lines = "".join(f"\n    ({i}): {_shown(p)}" for i, p in enumerate(self))
        return f"{self._get_name()}({lines}{chr(10) if lines else ''})"


class ParameterDict(Module):
    """Hold parameters in a dict that belongs to the module.

    Plain tensors become parameters.
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._names: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._names:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if hasattr(self, key) and key not in self._names:
            raise KeyError(f"attribute '{key}' already exists")
        setattr(self, key, _parameter(value))
        self._names[key] = None

    def __delitem__(self, key: str) -> None:
        del self._names[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def keys(self) -> Any:
        """Return the names."""
        return self._names.keys()

    def values(self) -> Any:
        """Return the parameters."""
        return [self[k] for k in self._names]

    def items(self) -> Any:
        """Return pairs of name and parameter."""
        return [(k, self[k]) for k in self._names]

    def get(self, key: str, default: Any = None) -> Any:
        """Return a parameter, or ``default``."""
        return self[key] if key in self._names else default

    def pop(self, key: str) -> Any:
        """Take a parameter out and return it."""
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """Remove all parameters."""
        for key in list(self._names):
            del self[key]

    def update(self, parameters: Any) -> None:
        """Add the parameters of a mapping or of pairs."""
        pairs = parameters.items() if hasattr(parameters, "items") else parameters
        for key, value in list(pairs):
            self[key] = value

    def __repr__(self) -> str:
        lines = "".join(f"\n    ({k}): {_shown(p)}" for k, p in self.items())
        return f"{self._get_name()}({lines}{chr(10) if lines else ''})"
