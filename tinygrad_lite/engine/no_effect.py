"""What is accepted and changes nothing: one table, read by the docs, the checker of scripts and the tests.

Scripts ask about devices, thread counts and kernels of PyTorch's that do not exist here. A name or an argument in this
table may be used; every other use that could not do what it says raises an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NO_EFFECT: dict[str, str] = {
    "Tensor.pin_memory": "memory is never copied to a device",
    "Tensor.share_memory_": "other processes get copies",
    "pin_memory=": "memory is never copied to a device",
    "non_blocking=": "every copy is finished when the call returns",
    "layout=torch.strided": "every tensor is strided",
}
"""Name as a script spells it, without ``torch.``, and the reason."""


def ignored(name: str, why: str, answer: Any = None) -> Callable[..., Any]:
    """Return a function that accepts any arguments, does nothing and returns ``answer``."""
    NO_EFFECT[name] = why

    def ignore(*args: Any, **kwargs: Any) -> Any:
        return answer

    ignore.__name__ = ignore.__qualname__ = name.rpartition(".")[2]
    ignore.__doc__ = f"Do nothing: {why}."
    return ignore


def absent(name: str, instead: str) -> Callable[..., Any]:
    """Return a function that raises NotImplementedError with what to do instead."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{name} does not exist in tinygrad_lite; {instead}")

    refuse.__name__ = refuse.__qualname__ = name.rpartition(".")[2]
    refuse.instead = instead  # type: ignore[attr-defined]  # read by the checker of scripts
    refuse.__doc__ = f"Raise NotImplementedError: {instead}."
    return refuse
