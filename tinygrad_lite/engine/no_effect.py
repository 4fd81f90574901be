"""What is accepted and changes nothing: one table, read by the docs, the checker of scripts and the tests.

Scripts ask about devices, thread counts and kernels of PyTorch's that do not exist here. A name or an argument in this
table may be used; every other use that could not do what it says raises an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NO_EFFECT: dict[str, str] = {
    "Tensor.pin_memory": "memory is never copied to a device",
    "Tensor.record_stream": "every operation is finished when the call returns",
    "Tensor.share_memory_": "other processes get copies",
    "nn.Module.compile": "the module runs as written; compile(module) returns a compiled one",
    "device('meta')": "tensors on it have memory",
    "capturable=": "optimisers have one implementation",
    "compile(dynamic=, mode=, options=)": "there is one program for each shape",
    "fast_mode=": "gradcheck has one mode",
    "foreach=": "optimisers have one implementation",
    "fused=": "optimisers have one implementation",
    "kernel_options=": "attention is computed in one way",
    "map_location=": "tensors are read into main memory",
    "mmap=": "files are read as a whole",
    "multiprocessing_context=": "workers are threads",
    "sparse=": "gradients of embeddings are dense",
    "use_reentrant=": "both forms of a checkpoint are one",
    "weights_only=": "nothing in a file is executed",
    "niter=": "singular values of svd_lowrank and pca_lowrank are exact",
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


class _Refused(type):
    """The type of classes that cannot be made here; nothing is an instance of one."""

    instead: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{cls.__qualname__} does not exist in tinygrad_lite; {cls.instead}")

    def __instancecheck__(cls, value: object) -> bool:
        return False


def absent(name: str, instead: str) -> Any:
    """Return a function that raises NotImplementedError with what to do instead; for a capital letter, a class."""
    doc, last = f"Raise NotImplementedError: {instead}.", name.rpartition(".")[2]
    if last[:1].isupper():
        return _Refused(last, (), {"__qualname__": name, "__doc__": doc, "instead": instead})

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{name} does not exist in tinygrad_lite; {instead}")

    refuse.__name__ = refuse.__qualname__ = last
    refuse.instead = instead  # type: ignore[attr-defined]  # read by the checker of scripts
    refuse.__doc__ = doc
    return refuse


class AbsentRoom(ModuleType):
    """A module of PyTorch's that does not exist here: it can be imported; using what is in it says what to do."""

    def __init__(self, name: str, instead: str) -> None:
        super().__init__(name, f"Not in tinygrad_lite: {instead}.")
        self.__dict__.update(__path__=[], __spec__=ModuleSpec(name, None), instead_of_all=instead)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        if name in ("is_available", "is_initialized"):
            return lambda: False
        room = sys.modules.get(f"{self.__name__}.{name}")
        return room or absent(f"{self.__name__.partition('.')[2]}.{name}", self.instead_of_all)
