"""``torch.overrides``: classes that say what functions do with their objects, by ``__torch_function__``.

>>> import tinygrad_lite as tl
>>> class Degrees:
...     def __init__(self, value):
...         self.value = value
...     @classmethod
...     def __torch_function__(cls, func, types, args=(), kwargs=None):
...         return func(tl.deg2rad(tl.tensor(args[0].value)))
>>> tl.sin(Degrees(90.0))
tensor(1.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_lite.engine import overriding
from tinygrad_lite.engine.no_effect import absent
from tinygrad_lite.engine.tensor import Tensor

__all__ = ["TorchFunctionMode", "handle_torch_function", "has_torch_function", "is_tensor_like",
           "is_tensor_method_or_property", "wrap_torch_function"]  # fmt: skip
get_overridable_functions = absent("overrides.get_overridable_functions", "every public function can be overridden")


class TorchFunctionMode:
    """Passes every call of a function in a ``with`` block to the method ``__torch_function__``.

    >>> import tinygrad_lite as tl
    >>> class Printed(TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Printed():
    ...     y = tl.ones(2).exp()
    ones
    exp
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return the result of ``func(*args, **kwargs)``, which another implementation may replace."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        overriding.begin()
        overriding.MODES.set((*overriding.MODES.get(), self))
        return self

    def __exit__(self, *error: Any) -> None:
        overriding.MODES.set(overriding.MODES.get()[:-1])


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that calls the function."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return ``func(*args, **kwargs)``."""
        return func(*args, **(kwargs or {}))


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Return whether a function would ask the class of one of these arguments what to do.

    >>> has_torch_function((1, 2))
    False
    """
    silent = overriding.SILENT.get()
    return not silent and bool(overriding.MODES.get() or overriding.askers(tuple(relevant_args)))


def has_torch_function_unary(obj: Any) -> bool:
    """Return `has_torch_function` of one argument."""
    return has_torch_function((obj,))


def has_torch_function_variadic(*args: Any) -> bool:
    """Return `has_torch_function` of the arguments."""
    return has_torch_function(args)


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Any, *args: Any, **kwargs: Any) -> Any:
    """Ask the classes of ``relevant_args`` for the result of ``public_api(*args, **kwargs)``."""
    return overriding.ask(public_api, overriding.askers(tuple(relevant_args)), args, kwargs)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[Any], Any]:
    """Decorate a function that asks the classes of the arguments that ``dispatcher`` returns.

    >>> @wrap_torch_function(lambda a: (a,))
    ... def double(a):
    ...     return a * 2
    >>> double(4)
    8
    """

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(call, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return call

    return decorate


def is_tensor_like(inp: Any) -> bool:
    """Return whether ``inp`` is a tensor, or has ``__torch_function__``.

    >>> import tinygrad_lite as tl
    >>> tl.overrides.is_tensor_like(tl.ones(2)), tl.overrides.is_tensor_like([1.0])
    (True, False)
    """
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Return whether ``func`` belongs to Tensor.

    >>> import tinygrad_lite as tl
    >>> tl.overrides.is_tensor_method_or_property(tl.Tensor.sum)
    True
    """
    return (
        any(getattr(Tensor, name, None) is func for name in dir(Tensor)) or getattr(func, "__name__", "") == "__get__"
    )


def resolve_name(f: Any) -> str | None:
    """Return the name of a function as a script writes it."""
    home = "torch.Tensor" if is_tensor_method_or_property(f) else "torch"
    return f"{home}.{f.__name__}" if hasattr(f, "__name__") else None
