"""What the scripts about modules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def filled(T: Any, module: Any) -> Any:
    """Give every parameter and floating buffer fixed numbers."""
    with T.no_grad():
        for i, (_, t) in enumerate([*module.named_parameters(), *module.named_buffers()]):
            if t.is_floating_point():
                t.copy_(T.arange(t.numel()).reshape(t.shape).to(t.dtype) * 0.1 + 0.01 * i)
    return module


def attempt(call: Callable[[], Any]) -> Any:
    """Return the result, or the class of the exception among those that scripts catch."""
    try:
        return call()
    except Exception as error:
        kinds = (AttributeError, KeyError, IndexError, TypeError, AssertionError, ValueError, RuntimeError)
        return "raises " + next((k.__name__ for k in kinds if isinstance(error, k)), type(error).__name__)


def names(module: Any) -> list[list[str]]:
    return [list(module._parameters), list(module._buffers), list(module._modules), list(module.state_dict())]
