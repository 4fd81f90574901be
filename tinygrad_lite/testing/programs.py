"""Compiled functions and modules under a check: what is judged are their programs, not the functions as written."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tinygrad_lite.compiled import Compiled, compile
from tinygrad_lite.compiled.reach import Reach
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.module import Module


class Programs:
    """A compiled function or module with a program for each shape, dtype and layout of its arguments, however many.

    ``fixed`` holds the memory of the parameters and buffers, since a program is bound to it.
    """

    def __init__(self, written: Any) -> None:
        self.written = written
        self.__wrapped__ = written.forward if isinstance(written, Module) else written
        self.__name__ = getattr(written, "__name__", type(written).__name__)
        self.by: dict[Any, Any] = {}
        self.fixed: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name in ("written", "__deepcopy__") or not isinstance(self.written, Module):
            raise AttributeError(name)
        return getattr(self.written, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for these arguments."""
        key = tuple((a.shape, a.dtype, a.array.strides) if isinstance(a, Tensor) else None for a in args)
        if key not in self.by:
            self.by[key] = compile(self.written, backend="numpy")
        return self.by[key](*args, **kwargs)

    def memory(self, t: Any, values: Any) -> Any:
        """Return the array that holds these values of a parameter or buffer."""
        own = self.fixed.setdefault((id(t), values.dtype, values.shape), np.empty_like(values))
        own[...] = values
        return own

    def notes(self) -> list[str]:
        """Return how many calls were programs, and why others were not."""
        texts = [made.explain() for made in self.by.values()]
        runs = sum(int(n) for text in texts for n in re.findall(r"(\d+) runs", text))
        whys = dict.fromkeys(why for text in texts for why in re.findall(r"runs as it is written: (.*)", text))
        return [f"{runs:,} calls ran as programs", *(f"some ran as written: {why}" for why in whys)]


def behind_compiled(fn: Any, name: str) -> Any:
    """Return the programs of what `compile` made; anything else as it is. A training step is a TypeError."""
    made = getattr(fn, "_compiled", fn) if isinstance(fn, Module) else fn
    if not isinstance(made, Compiled):
        return fn
    written = getattr(fn, "_orig_mod", made._function)
    if not isinstance(written, Module) and Reach(written).optimizers:
        raise TypeError(f"{name}: {getattr(written, '__name__', 'this')} is a training step; check_step takes it")
    return Programs(written)


def notes_of(fn: Any) -> list[str]:
    """Return the notes on the programs of a function; none for one that is not compiled."""
    return fn.notes() if isinstance(fn, Programs) else []
