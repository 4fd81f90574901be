"""Questions of ``torch.overrides``: a class derived from Tensor is an ordinary tensor to every function here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_lite.engine.no_effect import absent
from tinygrad_lite.engine.tensor import Tensor

__all__ = ["handle_torch_function", "has_torch_function", "is_tensor_like", "is_tensor_method_or_property"]
_DERIVE = "derive from Tensor and define methods, or wrap the functions"
TorchFunctionMode = absent("overrides.TorchFunctionMode", _DERIVE)
get_overridable_functions = absent("overrides.get_overridable_functions", _DERIVE)


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Return False: no function asks its arguments for another implementation.

    >>> has_torch_function((1, 2))
    False
    """
    return False


has_torch_function_unary = has_torch_function


def has_torch_function_variadic(*args: Any) -> bool:
    """Return False."""
    return False


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the function."""
    return public_api(*args, **kwargs)


def is_tensor_like(inp: Any) -> bool:
    """Return whether ``inp`` is a tensor, or has ``__torch_function__``.

    >>> import tinygrad_lite as tl
    >>> tl.overrides.is_tensor_like(tl.ones(2)), tl.overrides.is_tensor_like([1.0])
    (True, False)

    >>> import tinygrad_lite as tl
    >>> tl.overrides.is_tensor_method_or_property(tl.Tensor.sum)
    True
    """
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Return whether ``func`` belongs to Tensor."""
    return (
        any(getattr(Tensor, name, None) is func for name in dir(Tensor)) or getattr(func, "__name__", "") == "__get__"
    )


def resolve_name(f: Any) -> str | None:
    """Return the name of a function as a script writes it."""
    home = "torch.Tensor" if is_tensor_method_or_property(f) else "torch"
    return f"{home}.{f.__name__}" if hasattr(f, "__name__") else None
