"""Modules that hold other modules."""

from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinygrad_lite.nn.module import Module

__all__ = ["Container", "ModuleDict", "ModuleList", "Sequential"]


class Container(Module):
    """Hold the modules given by keyword; deprecated: subclass `Module`.

    >>> import warnings, tinygrad_lite as tl
    >>> with warnings.catch_warnings(action="ignore"):  # deprecated
    ...     net = tl.nn.Container(first=tl.nn.Linear(2, 3))
    >>> net
    Container(
      (first): Linear(in_features=2, out_features=3, bias=True)
    )
    """

    def __init__(self, **kwargs: Any) -> None:
        warnings.warn("`nn.Container` is deprecated. Subclass nn.Module instead.", FutureWarning, stacklevel=2)
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)


def _position(index: Any, count: int) -> int:
    i = operator.index(index)
    if not -count <= i < count:
        raise IndexError(f"index {i} is out of range")
    return i % count


class _List(Module):
    """Children in order; their attribute names are the digits, or names of a dict."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._like(index)
        return list(self._modules.values())[_position(index, len(self))]

    def __setitem__(self, index: Any, module: Module) -> None:
        names = list(self._modules)
        setattr(self, names[_position(index, len(names))], module)

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [names[_position(index, len(names))]]:
            delattr(self, name)
        self._number(list(self))

    def _like(self, index: slice) -> Any:
        raise NotImplementedError

    def _number(self, modules: list[Module]) -> None:
        """Make these the children, numbered from 0."""
        self._modules.clear()
        self._modules.update((str(i), m) for i, m in enumerate(modules))

    def _insert(self, index: int, module: Any) -> None:
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}, got a {type(module).__name__}")
        items = list(self)
        items.insert(index, module)
        self._number(items)

    def append(self, module: Any) -> Any:
        """Put ``module`` at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Put several modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{self._get_name()}.extend should be called with an iterable, but got {type(modules).__name__}"
            )
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
        if len(args) == 1 and isinstance(args[0], Mapping) and not isinstance(args[0], Module):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input: Any) -> Any:
        """Call the modules in order."""
        for module in self._modules.values():
            input = module(input)
        return input

    def _like(self, index: slice) -> Sequential:
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def insert(self, index: int, module: Module) -> Sequential:
        """Put ``module`` before position ``index``."""
        count = len(self)
        if not -count <= index <= count:
            raise IndexError(f"Index out of range: {index}")
        self._insert(index + count if index < 0 else index, module)
        return self

    def _check_other(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other).__name__} is given."
            )

    def _check_times(self, times: Any) -> None:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self).__name__} and {type(times).__name__}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self).__name__}")

    def __add__(self, other: Sequential) -> Sequential:
        self._check_other(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        self._check_other(other)
        return self.extend(other)  # type: ignore[no-any-return]

    def __mul__(self, times: int) -> Sequential:
        """Return the same modules several times in a row; they are not copied."""
        self._check_times(times)
        return Sequential(*list(self) * times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        self._check_times(times)
        return self.extend(list(self) * (times - 1))  # type: ignore[no-any-return]


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

    def _like(self, index: slice) -> ModuleList:
        return type(self)(list(self)[index])

    def insert(self, index: int, module: Module) -> None:
        """Put ``module`` before position ``index``."""
        count = len(self)
        if not -count <= index <= count:
            raise IndexError(f"Index out of range: {index}")
        self._insert(index, module)

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
    """A dict of modules that a module knows about.

    >>> import tinygrad_lite as tl
    >>> tl.nn.ModuleDict({'a': tl.nn.Linear(2, 3)})['a']
    Linear(in_features=2, out_features=3, bias=True)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

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
            if not isinstance(pair, Iterable):
                raise TypeError(
                    f"ModuleDict update sequence element #{i} should be Iterable; is {type(pair).__name__} (a pair of "
                    "name and module)"
                )
            if len(pair) != 2:  # type: ignore[arg-type]
                raise ValueError(f"ModuleDict update sequence element #{i} has length {len(pair)}; 2 is required")  # type: ignore[arg-type]
        for name, module in pairs:
            self[name] = module
