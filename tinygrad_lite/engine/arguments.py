"""Checks arguments against annotations, so that an error names the wrong argument.

Constructors are checked before they run (`checked_constructor`), functions only after they have failed (`named`,
`misfit`): calling them costs nothing more.
"""

from __future__ import annotations

import functools
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from numbers import Real
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from tinygrad_lite.errors import ArgumentError, describe

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

WORDS = {bool: "True or False", int: "an integer", float: "a number", str: "a string", NoneType: "None"}
RAW = (TypeError, ValueError, AttributeError, OverflowError)
"""The errors that Python and NumPy raise; this package's own inherit from them and need no explanation."""


def fits(hint: Any, value: Any) -> bool:
    """Return whether ``value`` fits the annotation ``hint``; an unknown annotation fits everything.

    >>> fits(int, 3), fits(int, 2.5), fits(float, 3), fits(int | None, None), fits(tuple[float, float], (0.9,))
    (True, False, True, True, False)
    """
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(part, value) for part in get_args(hint))
    if hint is bool:
        return value is None or isinstance(value, (bool, int, np.bool_))
    if hint is int:
        return whole(value)
    if hint is float:
        return isinstance(value, Real) or is_tensor(value) and prod(value.shape) == 1
    if hint is str or hint is NoneType:
        return isinstance(value, hint)
    if origin is tuple and Ellipsis not in get_args(hint):
        parts = get_args(hint)
        several = isinstance(value, (tuple, list)) or getattr(value, "ndim", 0) == 1
        return several and len(value) == len(parts) and all(map(fits, parts, value))
    if origin is list:
        return isinstance(value, (tuple, list)) and all(fits(get_args(hint)[0], v) for v in value)
    if origin is Sequence:
        return hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, (str, Mapping))
    if origin is Iterable:
        return isinstance(value, Iterable) and not isinstance(value, str)
    if origin is Mapping:
        return isinstance(value, Mapping)
    if origin is Callable:
        return callable(value)
    return isinstance(value, hint) if isinstance(hint, type) and origin is None else True


def whole(value: Any) -> bool:
    """Return whether ``value`` is one whole number."""
    if getattr(value, "ndim", None):
        return False
    try:
        operator.index(value)
    except RAW:
        return False
    return True


def is_tensor(value: Any) -> bool:
    """Return whether ``value`` is a tensor or an array."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def words(hint: Any) -> str:
    """Return an annotation in words.

    >>> words(int | None), words(tuple[float, float]), words(list[float])
    ('an integer or None', 'a pair of numbers', 'a list')
    """
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(words, get_args(hint)))
    if origin is tuple:
        return "a pair of numbers" if len(get_args(hint)) == 2 else "a tuple"
    if isinstance(hint, type) and hint not in WORDS and origin is None:
        return f"{'an' if hint.__name__[0] in 'AEIO' else 'a'} {hint.__name__}"
    known = {list: "a list", Sequence: "a sequence", Iterable: "an iterable", Mapping: "a mapping"}
    return known.get(origin) or WORDS.get(hint) or ("a function" if origin is Callable else str(hint))


@functools.cache
def hints_of(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    """Return the positional parameters, the annotations worth checking, and whether there is ``*args``."""
    parameters = list(inspect.signature(function).parameters.values())
    try:
        hints = get_type_hints(function)
    except NameError:  # a class that is imported for type checkers only
        hints = {}
    names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    single = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return names, {name: hint for name, hint in hints.items() if name in single and hint is not Any}, rest


def misfit(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Return a sentence about the argument that does not fit its annotation, and the argument; or None.

    >>> def scale(x, by: float = 1.0): return x * by
    >>> misfit(scale, (2, "3"), {})
    ("by must be a number, got '3'", '3')
    """
    names, hints, _ = hints_of(function)
    for name, value in (*zip(names, args, strict=False), *kwargs.items()):
        if name in hints and not fits(hints[name], value):
            return f"{name} must be {words(hints[name])}, got {describe(value)}", value
    return None


def named(function: F) -> F:
    """Wrap ``function``: where Python or NumPy fails in it, the error names the argument that does not fit."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except RAW as error:
            found = misfit(function, args, kwargs)
            if found is None:
                raise
            raise ArgumentError(f"{function.__name__}: {found[0]}") from error

    return call  # type: ignore[return-value]


def ours(function: Any) -> bool:
    """Return whether a function belongs to this package; functions of users check their own arguments."""
    return str(function.__module__).startswith("tinygrad_lite.")


def checked_constructor(cls: C) -> C:
    """Make the constructor of a class check its arguments; a decorator, or for ``__init_subclass__``."""
    init = cls.__dict__.get("__init__")
    if init is None or not ours(init):
        return cls

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        check(self, init, args, kwargs)
        init(self, *args, **kwargs)

    cls.__init__ = checked  # type: ignore[misc]
    return cls


def check(made: Any, init: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise ArgumentError if an argument of the constructor of ``made`` does not fit."""
    names, _, rest = hints_of(init)
    found = misfit(init, (made, *args), kwargs)
    spare = None if rest else next((a for a in args[len(names) - 1 :] if is_tensor(a)), None)
    if found is None and spare is None:
        return
    name = type(made).__name__
    text, value = found or (f"takes {len(names) - 1 or 'no'} arguments, got {describe(spare)} too", spare)
    tensors = sum(map(is_tensor, args))
    if callable(made) and value is not None and is_tensor(value) and value.ndim:
        text += f"; did you mean {in_place_of(name, ', '.join('xyz'[:tensors]))}?"
    raise ArgumentError(f"{name}: {text}")


def in_place_of(name: str, given: str) -> str:
    """Return a hint for a caller who passed tensors to the constructor of a layer."""
    functional = vars(sys.modules["tinygrad_lite.nn.functional"])
    alike = (name.lower(), name.lower().removesuffix("loss"))
    same = next((f for f in functional if f.replace("_", "") in alike and callable(functional[f])), None)
    return (f"F.{same}({given}) or " if same else "") + f"nn.{name}()({given})"
