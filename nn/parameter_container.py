"""Modules that hold parameters: `ParameterList` and `ParameterDict`."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import visible
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _shown(value: Any, typed: bool) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"{kind} containing: [{value.type() if typed else value.dtype} of size {'x'.join(map(str, value.shape))}]"


class _Parameters(Module):
    """What both containers share: they are shown by their entries, and cannot be called."""

    def _entries(self) -> Iterable[tuple[Any, Any]]:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Return one line for each entry."""
        typed = isinstance(self, ParameterDict)  # PyTorch prints the type in a dict, the dtype in a list
        return "\n".join(f"  ({visible(key)}): {_shown(value, typed)}" for key, value in self._entries())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise RuntimeError: it holds parameters and computes nothing."""
        raise RuntimeError(f"{self._get_name()} should not be called.")


class ParameterList(_Parameters):
    """Hold parameters in a list that belongs to the module.

    Plain tensors become parameters.

    >>> import tinygrad_lite as tl
    >>> [name for name, _ in tl.nn.ParameterList([tl.ones(2), tl.zeros(3)]).named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _entries(self) -> Iterable[tuple[Any, Any]]:
        return enumerate(self)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter(self[i] for i in range(len(self)))

    def _name(self, index: Any) -> str:
        i = operator.index(index)
        if not -len(self) <= i < len(self):
            raise IndexError(f"index {i} is out of range")
        return str(i % len(self))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(*index.indices(len(self)))])
        return getattr(self, self._name(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        setattr(self, self._name(index), _parameter(value))

    def append(self, value: Any) -> ParameterList:
        """Put ``value`` at the end."""
        setattr(self, str(self._size), _parameter(value))
        self._size += 1
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


class ParameterDict(_Parameters):
    """Hold parameters in a dict that belongs to the module.

    Plain tensors become parameters.

    >>> import tinygrad_lite as tl
    >>> list(tl.nn.ParameterDict({"scale": tl.ones(2)}).keys())
    ['scale']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _entries(self) -> Any:
        return self.items()

    def _check_key(self, key: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}')"
            )

    def __getitem__(self, key: str) -> Any:
        self._check_key(key)
        if key not in self._keys and not hasattr(self, key):
            raise MissingEntry(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._check_key(key)
        setattr(self, key, _parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def keys(self) -> Any:
        """Return the names."""
        return self._keys.keys()

    def values(self) -> Any:
        """Return an iterator over the parameters."""
        return (self[key] for key in self._keys)

    def items(self) -> Any:
        """Return an iterator over pairs of name and parameter."""
        return ((key, self[key]) for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a parameter, or ``default``."""
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the parameter ``key``, which is ``default`` if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Take a parameter out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last parameter out and return it with its name."""
        if not self._keys:
            raise KeyError("popitem(): dictionary is empty")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self) -> None:
        """Remove all parameters."""
        for key in list(self._keys):
            del self[key]

    def copy(self) -> ParameterDict:
        """Return a new `ParameterDict` with the same parameters."""
        return ParameterDict(list(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a new `ParameterDict` with these names, each for ``default``."""
        return ParameterDict([(key, default) for key in keys])

    def update(self, parameters: Any) -> None:
        """Add the parameters of a mapping or of pairs."""
        if not isinstance(parameters, Iterable):
            raise TypeError(
                "ParametersDict.update should be called with an iterable of key/value pairs, but got "
                f"{type(parameters).__name__}"
            )
        pairs: list[Any]
        if isinstance(parameters, (Mapping, ParameterDict)):
            ordered = isinstance(parameters, (OrderedDict, ParameterDict))
            pairs = list(parameters.items()) if ordered else sorted(parameters.items())
        else:
            pairs = list(parameters)
            for i, pair in enumerate(pairs):
                if not isinstance(pair, Iterable):
                    raise TypeError(
                        f"ParameterDict update sequence element #{i} should be Iterable; is {type(pair).__name__}"
                    )
                if len(tuple(pair)) != 2:
                    raise ValueError(
                        f"ParameterDict update sequence element #{i} has length {len(tuple(pair))}; 2 is required"
                    )
        for key, value in pairs:
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        joined = other.copy()
        joined.update(self)
        return joined

    def __ior__(self, other: ParameterDict) -> ParameterDict:
        self.update(other)
        return self


class MissingEntry(KeyError, AttributeError):
    """The error for a name that a `ParameterDict` does not have: KeyError for a dict, AttributeError as in PyTorch."""
