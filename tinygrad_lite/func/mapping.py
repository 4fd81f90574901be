"""`vmap`: turn a function of one example into a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.batch import Level, Unbatchable, batch, inside, next_level, opened, stacked
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import OptionError, describe
from tinygrad_lite.func.tree import flatten, spread


@named
def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """Return ``func`` vectorised over one axis of its arguments.

    ``out_dims`` is the axis of the results.
    ``in_dims``: an axis, None for an argument that all examples share, or a nest of these like the arguments. The
    result can be differentiated, and ``vmap`` of a gradient gives per-example gradients. Code that depends on values
    (``if x > 0``, ``.item()``) runs example by example. ``chunk_size``: the number of examples to run at once.
    ``randomness``: whether a function that draws random numbers may ("error": it may not), and whether its draws are
    the "same" or "different" for each example; it then runs example by example.
    Raises ValueError if the axes have different lengths.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.func import grad, vmap
    >>> x = tl.tensor([1.0, 2.0, 3.0])
    >>> vmap(grad(lambda x: x**2))(x)
    tensor([2., 4., 6.])
    """

    if randomness not in ("error", "different", "same"):
        raise OptionError(f"vmap: randomness must be 'error', 'different' or 'same', got {randomness!r}")

    @functools.wraps(func)
    def many(*args: Any, **kwargs: Any) -> Any:
        leaves, build = flatten(args)
        axes = spread(in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args), args, "in_dims")
        pairs = list(zip(leaves, axes, strict=True))
        leaves = [make(leaf) if isinstance(leaf, np.ndarray) and a is not None else leaf for leaf, a in pairs]
        size = _size(leaves, axes)
        fronts = [leaf if a is None else front(leaf, a) for leaf, a in zip(leaves, axes, strict=True)]
        outs: list[list[Any]] = []
        rebuild = build
        state = PUBLIC["get_rng_state"]()
        for start in range(0, size or 1, chunk_size or size or 1):
            if randomness == "same" and start:
                PUBLIC["set_rng_state"](state)
            part = [
                f if a is None or not chunk_size else f[start : start + chunk_size]
                for f, a in zip(fronts, axes, strict=True)
            ]
            flat, rebuild = flatten(_run(func, part, axes, build, kwargs, randomness))
            outs.append(flat)
        results = [o[0] if len(outs) == 1 else PUBLIC["cat"](o, 0) for o in zip(*outs, strict=True)]
        ends = spread(out_dims, rebuild(results), "out_dims")
        return rebuild([back(r, a) for r, a in zip(results, ends, strict=True)])

    return many


def _size(leaves: list[Any], axes: list[Any]) -> int:
    sizes: dict[int, None] = {}
    for leaf, axis in zip(leaves, axes, strict=True):
        if axis is None:
            continue
        if not isinstance(leaf, Tensor) or not -leaf.ndim <= axis < leaf.ndim:
            raise ValueError(
                f"vmap: in_dim {axis} does not exist in {describe(leaf)}; use None for arguments shared by all examples"
            )
        sizes[leaf.shape[axis]] = None
    if len(sizes) != 1:
        what = f"have different lengths: {list(sizes)}" if sizes else "are all None"
        raise ValueError(f"vmap: the axes to map over {what}")
    return int(next(iter(sizes)))


def front(t: Any, axis: int) -> Any:
    """Return ``t`` with ``axis`` first."""
    axis %= t.ndim
    return t if not axis else PUBLIC["permute"](t, (axis, *(i for i in range(t.ndim) if i != axis)))


def back(t: Any, axis: int | None) -> Any:
    """Return ``t`` with its first axis at ``axis``; the first example alone for None."""
    if axis is None:
        return t[0]
    axis %= t.ndim
    return t if not axis else PUBLIC["permute"](t, (*range(1, axis + 1), 0, *range(axis + 1, t.ndim)))


def _run(func: Any, part: list[Any], axes: list[Any], build: Any, kwargs: Any, randomness: str) -> Any:
    """Call ``func`` once on batches, or on each example if it depends on values or draws; examples come first."""
    size = next(p.shape[0] for p, a in zip(part, axes, strict=True) if a is not None)
    level, state, rewind = Level(next_level(), size), PUBLIC["get_rng_state"], PUBLIC["set_rng_state"]
    before = state()

    def call(given: list[Any]) -> tuple[list[Any], Any]:
        leaves, rebuild = flatten(func(*build(given), **kwargs))
        for leaf in leaves:
            if not isinstance(leaf, Tensor):
                raise TypeError(f"vmap: the function must return tensors, it returned {describe(leaf)}")
        if randomness == "error" and state() != before:
            rewind(before)
            raise OptionError("vmap: the function draws random numbers; pass randomness='different' or 'same'")
        return leaves, rebuild

    try:
        with inside(level):
            leaves, rebuild = call(
                [p if a is None else batch(p, level.number) for p, a in zip(part, axes, strict=True)]
            )
            if state() == before or not size:
                return rebuild([opened(leaf, level) for leaf in leaves])
    except Unbatchable:
        if not size:
            raise ValueError("vmap: the function depends on values, and there is no example to run it on") from None
    rewind(before)
    rows = []
    rebuild = build
    for i in range(size):
        if randomness == "same":
            rewind(before)
        leaves, rebuild = call([p if a is None else p[i] for p, a in zip(part, axes, strict=True)])
        rows.append(leaves)
    return rebuild([stacked(column) for column in zip(*rows, strict=True)])
