"""The state of a module during a check: parameters, buffers and random numbers, restored afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from tinygrad_lite.random import Generator, get_rng_state, set_rng_state
from tinygrad_lite.testing.programs import Programs
from tinygrad_lite.testing.verdict.point import Array


@contextmanager
def placed(module: Any, parameters: Sequence[Any], arrays: Sequence[Array]) -> Iterator[None]:
    """Replace the parameters by these arrays and cast the buffers to their dtype; restore both at the end."""
    dtype = next((a.dtype for a in arrays if a.dtype.kind == "f"), np.dtype(np.float64))
    trained = {id(p) for p in parameters}
    buffers = [b for _, b in module.named_buffers()] + [p for _, p in module.named_parameters() if id(p) not in trained]
    kept = [t.array for t in (*parameters, *buffers)]
    own = getattr(module, "memory", None) if isinstance(module, Programs) else None
    for p, a in zip(parameters, arrays, strict=True):
        p.array = own(p, np.asarray(a)) if own else a
    for b in buffers:
        values = b.array.astype(dtype) if b.array.dtype.kind == "f" else b.array.copy()
        b.array = own(b, values) if own else values
    try:
        with seeded():
            yield
    finally:
        for t, a in zip((*parameters, *buffers), kept, strict=True):
            t.array = a


@cache
def _from_zero() -> Any:
    """Return the state after ``manual_seed(0)``: to set it takes a tenth of the time of seeding."""
    return Generator().manual_seed(0).get_state()


@contextmanager
def seeded() -> Iterator[None]:
    """Seed the library's random numbers inside the block and restore their state afterwards."""
    state = get_rng_state()
    set_rng_state(_from_zero())
    try:
        yield
    finally:
        set_rng_state(state)


@contextmanager
def kept_buffers(function: Any) -> Iterator[None]:
    """Put back the buffers of a module, and of the module that a method belongs to."""
    owner = function if hasattr(function, "named_buffers") else getattr(function, "__self__", None)
    named = getattr(owner, "named_buffers", None)
    buffers = [b for _, b in named()] if named is not None else []
    kept = [b.array for b in buffers]
    for b in buffers:
        b.array = function.memory(b, b.array) if isinstance(function, Programs) else b.array.copy()
    try:
        yield
    finally:
        for b, a in zip(buffers, kept, strict=True):
            b.array = a
