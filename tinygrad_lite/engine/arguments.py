"""Checks arguments against annotations, so that an error names the wrong argument.

Constructors are checked before they run (`checked_constructor`), functions only after they have failed (`named`,
`explained`): calling them costs nothing more.
"""

from __future__ import annotations

import dis
import functools
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import prod
from numbers import Real
from types import FunctionType, NoneType, SimpleNamespace, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from tinygrad_lite.errors import (
    ArgumentError,
    LinAlgError,
    OptionError,
    OutOfMemoryError,
    ShapeError,
    describe,
    in_our_words,
)

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

WORDS = {bool: "True or False", int: "an integer", float: "a number", str: "a string", NoneType: "None"}
RAW = (TypeError, ValueError, AttributeError, OverflowError)
"""What `operator.index` and comparisons raise for objects of every kind."""
MOST = 10_000
"""More layers or rounds than a program can mean."""
RAISE = dis.opmap["RAISE_VARARGS"]
KINDS: tuple[tuple[type[Exception], type[Exception]], ...] = (
    (np.linalg.LinAlgError, LinAlgError), (IndexError, IndexError), (ZeroDivisionError, ZeroDivisionError),
    (TypeError, ArgumentError), (AttributeError, ArgumentError), (ValueError, OptionError), (KeyError, OptionError),
    (ArithmeticError, OptionError), (RecursionError, OptionError), (StopIteration, OptionError),
    (MemoryError, OutOfMemoryError),
)  # fmt: skip
"""What an error of Python or NumPy becomes; others (OSError, NameError) are let through."""


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
        return (
            hasattr(value, "__len__") and hasattr(value, "__getitem__") and not isinstance(value, (str, bytes, Mapping))
        )
    if origin is Iterable:
        return isinstance(value, Iterable) and not isinstance(value, (str, bytes))
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


def counted(name: str, word: str, n: int) -> int:
    """Return a number of layers or rounds; raise for one over which a loop would not end.

    >>> counted("RNN", "num_layers", 3)
    3
    """
    if n > MOST:
        raise OptionError(f"{name}: {word} can be at most {MOST}, got {n}")
    return n


def is_tensor(value: Any) -> bool:
    """Return whether ``value`` is a tensor or an array."""
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


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


def words_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's parameters, for a function written in Python without a signature's cost."""
    inner: Any = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    code = getattr(inner, "__code__", None)
    if code is None or inner.__class__ is not FunctionType:
        return tuple(inspect.signature(function).parameters)
    names, by_place, count = code.co_varnames, code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    star = names[count : count + 1] if code.co_flags & 4 else ()
    more = names[count + len(star) : count + len(star) + 1] if code.co_flags & 8 else ()
    return (*names[:by_place], *star, *names[by_place:count], *more)


def parameters_of(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]:
    """Return the names of a function's parameters, their defaults and their annotations."""
    if function.__class__ is not FunctionType or hasattr(function, "__wrapped__"):
        known = inspect.signature(function).parameters
        defaults = {name: p.default for name, p in known.items() if p.default is not p.empty}
        return tuple(known), defaults, {name: p.annotation for name, p in known.items() if p.annotation is not p.empty}
    names, values = function.__code__.co_varnames, function.__defaults__ or ()
    last = function.__code__.co_argcount
    defaults = dict(zip(names[last - len(values) : last], values, strict=True)) | (function.__kwdefaults__ or {})
    return words_of(function), defaults, function.__annotations__


def star_of(function: Callable[..., Any]) -> str:
    """Return the name of ``*names`` in a function's parameters, or "" if it has none."""
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & 4:
        return ""
    return str(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])


@functools.cache
def hints_of(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    """Return the positional parameters, the annotations worth checking, and whether there is ``*args``."""
    parameters = list(inspect.signature(function).parameters.values())
    hints: dict[str, Any] = {}
    try:
        hints = get_type_hints(function)
    except NameError:  # one names a class that is imported for type checkers only
        plain = inspect.unwrap(function)
        for name, annotation in plain.__annotations__.items():
            with suppress(NameError):
                hints |= get_type_hints(SimpleNamespace(__annotations__={name: annotation}), plain.__globals__)
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


def meant_for_us(error: BaseException) -> bool:
    """Return whether Python or NumPy raised ``error`` because of a line in this package.

    What a line here raises on purpose explains itself, and the errors of a user's function are the user's.
    """
    if type(error).__module__.partition(".")[0] not in ("builtins", "numpy") or error.__traceback__ is None:
        return False
    last, module = error.__traceback__, "tinygrad_lite"
    while last.tb_next is not None:
        last = last.tb_next
        module = str(last.tb_frame.f_globals.get("__name__", "tinygrad_lite")).partition(".")[0]
        if module not in ("tinygrad_lite", "numpy", "PIL") and module not in sys.stdlib_module_names:
            return False
    if last is error.__traceback__ and isinstance(error, TypeError):  # Python says what is missing or unexpected
        return False
    code = last.tb_frame.f_code
    deliberate = code.co_code[last.tb_lasti] == RAISE and code.co_name != "__getattr__"
    return not (deliberate and module == "tinygrad_lite")


def explained(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], error: Exception
) -> Exception | None:
    """Return an error of this package for one that Python or NumPy raised in ``function``; None for any other."""
    if not meant_for_us(error):
        return None
    kind = next((ours for theirs, ours in KINDS if isinstance(error, theirs)), None)
    if kind is None:
        return None
    found = misfit(function, args, kwargs)
    if found is not None:
        return ArgumentError(f"{name}: {found[0]}")
    text = in_our_words(str(error).partition("\n")[0] or type(error).__name__)
    if kind is OptionError and any(word in text for word in ("shape", "broadcast", "dimension")):
        kind = ShapeError
    given = (*zip(hints_of(function)[0], args, strict=False), *kwargs.items())
    shown = ", ".join(f"{word} {describe(value)}" for word, value in given if value is not None and word != "self")
    return kind(f"{name}: {text}{f' ({shown})' if shown else ''}")


def named(function: F) -> F:
    """Wrap ``function``: where Python or NumPy fails in it, the error names it and the argument that does not fit."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            ours = explained(function.__name__, function, args, kwargs, error)
            if ours is None:
                raise
            raise ours from error

    return call  # type: ignore[return-value]


def ours(function: Any) -> bool:
    """Return whether a function belongs to this package; functions of users check their own arguments."""
    return str(function.__module__).startswith("tinygrad_lite.")


def checked_constructor(cls: C) -> C:
    """Make the constructor of a class check its arguments; a decorator, or for ``__init_subclass__``."""
    return named_constructor(cls, check)


def named_constructor(cls: C, before: Callable[..., None] | None = None) -> C:
    """Make the errors of a constructor name the class; a decorator, or for ``__init_subclass__``."""
    init = cls.__dict__.get("__init__")
    if init is None or not ours(init):
        return cls

    @functools.wraps(init)
    def constructed(self: Any, *args: Any, **kwargs: Any) -> None:
        if before is not None:
            before(self, init, args, kwargs)
        try:
            init(self, *args, **kwargs)
        except Exception as error:
            ours = explained(type(self).__name__, init, (self, *args), kwargs, error)
            if ours is None:
                raise
            raise ours from error

    cls.__init__ = constructed  # type: ignore[misc]
    return cls


def check(made: Any, init: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise ArgumentError if an argument of the constructor of ``made`` does not fit."""
    names, _, rest = hints_of(init)
    found = misfit(init, (made, *args), kwargs) or of_no_parameter(kwargs.get("dtype"))
    spare = None if rest else next((a for a in args[len(names) - 1 :] if is_tensor(a)), None)
    if found is None and spare is None:
        return
    name = type(made).__name__
    text, value = found or (f"takes {len(names) - 1 or 'no'} arguments, got {describe(spare)} too", spare)
    tensors = sum(map(is_tensor, args))
    if callable(made) and value is not None and is_tensor(value) and value.ndim:
        text += f"; did you mean {in_place_of(name, ', '.join('xyz'[:tensors]))}?"
    raise ArgumentError(f"{name}: {text}")


def of_no_parameter(dtype: Any) -> tuple[str, Any] | None:
    """Return a sentence about a dtype that no parameter can have, and the dtype; or None.

    The parameters made before the one that fails would have moved the random stream.
    """
    if dtype is None:
        return None
    try:
        floating = np.dtype(dtype).kind in "fc"
    except (TypeError, ValueError):
        floating = False
    return None if floating else (f"dtype must be floating, got {describe(dtype)}", dtype)


def in_place_of(name: str, given: str) -> str:
    """Return a hint for a caller who passed tensors to the constructor of a layer."""
    functional = vars(sys.modules["tinygrad_lite.nn.functional"])
    alike = (name.lower(), name.lower().removesuffix("loss"))
    same = next((f for f in functional if f.replace("_", "") in alike and callable(functional[f])), None)
    return (f"F.{same}({given}) or " if same else "") + f"nn.{name}()({given})"
