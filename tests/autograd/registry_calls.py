"""Calls of every registered op, drawn from its own samples: what the tables of this folder run over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.testing.check import sampler_for
from tinygrad_lite.testing.search.source import Source

OPS = sorted(name for name, op in tl.OPS.items() if op.places and op.samples is not None)


def calls(name: str, count: int = 3) -> Iterator[tuple[Callable[..., Any], list[Any], dict[str, Any]]]:
    """Yield (function of tensors, arrays, options) of an op."""
    op = tl.OPS[name]
    sampler, samples = sampler_for(op.call, (), None)
    assert samples is not None
    call = samples.call or (lambda f, *arrays, **kw: f(*arrays, **kw))
    for n in range(count):
        arrays, kw = sampler(Source.example(7, n))
        arrays = [np.asarray(a) for a in arrays]
        if all(a.size for a in arrays):
            yield (lambda *t, **options: call(op.call, *t, **options)), arrays, kw


def floating(arrays: list[Any]) -> list[int]:
    """Return which arrays can carry a gradient."""
    return [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]


def outputs(out: Any) -> list[Any]:
    """Return the floating results of a call."""
    return [
        o
        for o in (out if isinstance(out, (tuple, list)) else [out])
        if isinstance(o, tl.Tensor) and o.dtype.kind == "f"
    ]
