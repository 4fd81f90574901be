"""A compiled module: PyTorch's `OptimizedModule`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinygrad_lite.compiled.step import Compiled
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.nn.hooks import ACTIVE
from tinygrad_lite.nn.module import Module

OWN = ("_call", "_orig_mod", "_compiled", "_hooks", "_parameters", "_buffers", "_modules")


class OptimizedModule(Module):
    """A module whose forward and backward passes are programs; made by `compile`.

    All attributes are those of the module itself, which is ``_orig_mod``: writes go there too, and the names in
    ``state_dict()`` begin with ``_orig_mod.``, as in PyTorch.

    >>> import tinygrad_lite as tl
    >>> net = tl.compile(tl.nn.Linear(2, 1))
    >>> list(net.state_dict()), net.in_features
    (['_orig_mod.weight', '_orig_mod.bias'], 2)
    """

    def __init__(self, mod: Module, fullgraph: bool = False, native: bool | None = None) -> None:
        super().__init__()
        self._orig_mod = mod
        part = getattr(mod, "recordable", None)  # DistributedDataParallel: the exchange between ranks stays as written
        self.__dict__["_compiled"] = Compiled(part or mod, fullgraph, native)
        self.__dict__["_call"] = mod if part else self._compiled
        if part:
            mod.__dict__["compiled"] = self._compiled

    @property
    def training(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride] - the module's own
        """Whether the module is in training mode."""
        return self._orig_mod.training

    @training.setter
    def training(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._orig_mod.training = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for these arguments, or the module as written."""
        if self._hooks is None and not ACTIVE and not MODE.get().observers:
            return self._call(*args, **kwargs)
        return super().__call__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for these arguments, or the module as written."""
        return self._call(*args, **kwargs)

    @property
    def source(self) -> str:
        """The programs that ran last, as readable NumPy; empty while there are none."""
        return str(self._compiled.source)

    def explain(self) -> str:
        """Return a text: programs by shape, guards, what stays eager and why."""
        return str(self._compiled.explain())

    def save_source(self, path: Any) -> None:
        """Write ``forward`` and ``backward`` to a file that needs NumPy alone; see `Compiled.save_source`."""
        self._compiled.save_source(path)

    def __graph__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the programs that ran last as a graph, or one run of the module as written on these arguments."""
        if args or kwargs:
            return import_module("tinygrad_lite.viz").draw(self._orig_mod, *args, kwargs=kwargs)  # viz imports nn
        return self._compiled.__graph__()

    def __getattr__(self, name: str) -> Any:
        if name in OWN:
            raise AttributeError(name)
        return getattr(self._orig_mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OWN or name == "training":
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._orig_mod)})

    def __reduce__(self) -> Any:
        return type(self), (self._orig_mod, self._compiled._fullgraph, self._compiled._native)
