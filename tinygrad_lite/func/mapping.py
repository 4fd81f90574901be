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
    if chunk_size is not None and chunk_size < 1:
        raise OptionError(f"vmap: chunk_size must be None or at least 1, got {chunk_size}")

    @functools.wraps(func)
    def many(*args: Any, **kwargs: Any) -> Any:
        leaves, build = flatten(args)
        axes = spread(in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args), args, "in_dims")
        pairs = list(zip(leaves, axes, strict=True))
        leaves = [make(leaf) if isinstance(leaf, np.ndarray) and a is not None else leaf for leaf, a in pairs]
        size = _size(leaves, axes)
        fronts = [leaf if a is None else front(leaf, a) for leaf, a in zip(leaves, axes, strict=True)]
        outs: list[list[Any]] = []
        ends, rebuild = axes, build
        states = _states()
        for start in range(0, size or 1, chunk_size or size or 1):
            if randomness == "same" and start:
                _rewind(states)
            part = [
                f if a is None or not chunk_size else f[start : start + chunk_size]
                for f, a in zip(fronts, axes, strict=True)
            ]
            flat, ends, rebuild = _run(func, part, axes, out_dims, build, kwargs, randomness)
            outs.append(flat)
        columns: Any = zip(zip(*outs, strict=True), ends, strict=True)
        return rebuild(
            [o[0] if a is None else back(PUBLIC["cat"](o, 0) if len(o) > 1 else o[0], a) for o, a in columns]
        )

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


def back(t: Any, axis: int) -> Any:
    """Return ``t`` with its first axis at ``axis``."""
    if not -t.ndim <= axis < t.ndim:
        raise IndexError(f"vmap: out_dim {axis} is out of range for results of {t.ndim} axes")
    axis %= t.ndim
    return t if not axis else PUBLIC["permute"](t, (*range(1, axis + 1), 0, *range(axis + 1, t.ndim)))


def _states() -> dict[Any, Any]:
    """Return the state of every random generator of this thread."""
    PUBLIC["get_rng_state"]()  # the default generator is made when it is asked for
    from tinygrad_lite.engine.generator import HERE  # slow to import before that

    return {g: g.get_state() for g in HERE.generators}


def _rewind(states: dict[Any, Any]) -> None:
    for g, state in states.items():
        g.set_state(state)


def _run(
    func: Any, part: list[Any], axes: list[Any], out_dims: Any, build: Any, kwargs: Any, randomness: str
) -> tuple[list[Any], list[Any], Any]:
    """Call ``func`` once on batches, or on each example if it depends on values or draws.

    Returns the results, examples first, their out_dims and their structure.
    """
    size = next(p.shape[0] for p, a in zip(part, axes, strict=True) if a is not None)
    level = Level(next_level(), size)
    before = _states()

    def drawn() -> bool:
        return any(g.get_state() != state for g, state in before.items())

    def call(given: list[Any]) -> tuple[list[Any], list[Any], Any]:
        result = func(*build(given), **kwargs)
        leaves, rebuild = flatten(result)
        single = isinstance(out_dims, tuple) and len(out_dims) == 1 and not isinstance(result, (tuple, list, dict))
        ends = spread(out_dims[0] if single else out_dims, result, "out_dims")
        for leaf, end in zip(leaves, ends, strict=True):
            if end is not None and not isinstance(leaf, Tensor):
                raise ValueError(f"vmap: the function must return tensors, it returned {describe(leaf)}")
            if end is None and isinstance(leaf, Tensor) and leaf.level == level.number:
                raise ValueError("vmap: out_dims is None for a result that the examples do not share")
        if randomness == "error" and drawn():
            _rewind(before)
            raise OptionError("vmap: the function draws random numbers; pass randomness='different' or 'same'")
        return leaves, ends, rebuild

    try:
        with inside(level):
            leaves, ends, rebuild = call(
                [p if a is None else batch(p, level.number) for p, a in zip(part, axes, strict=True)]
            )
            if not size or not drawn():
                pairs = zip(leaves, ends, strict=True)
                return [leaf if end is None else opened(leaf, level) for leaf, end in pairs], ends, rebuild
    except Unbatchable:
        if not size:
            raise ValueError("vmap: the function depends on values, but there is no example") from None
    _rewind(before)
    rows = []
    ends, rebuild = axes, build
    for i in range(size):
        if randomness == "same":
            _rewind(before)
        leaves, ends, rebuild = call([p if a is None else p[i] for p, a in zip(part, axes, strict=True)])
        rows.append(leaves)
    columns = zip(zip(*rows, strict=True), ends, strict=True)
    return [c[0] if end is None else stacked(c) for c, end in columns], ends, rebuild
