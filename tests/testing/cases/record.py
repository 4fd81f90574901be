"""Records of a function, its gradient and the bugs planted in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A correct rule. ``backward(g, saved, bug="")`` gives the planted variants; ``bugs`` maps each to words of which
    one must be in a helpful diagnosis."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    sampler: Callable[..., Any]
    bugs: dict[str, str] = field(default_factory=dict)
    held_out: bool = False

    def planted(self, bug: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Forward and backward with the bug in."""
        forward = partial(self.forward, bug=bug) if bug.startswith("forward") else self.forward
        return forward, partial(self.backward, bug=bug)


CASES: list[Case] = []


def case(
    name: str, sampler: Any, forward: Any, backward: Any, bugs: dict[str, str] | None = None, held_out: bool = False
) -> None:
    """Register a case."""
    CASES.append(Case(name, forward, backward, sampler, bugs or {}, held_out))


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the axes along which ``shape`` was broadcast."""
    g = g.sum(tuple(range(g.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axes, keepdims=True) if axes else g


def anyshape(src: Any, **kw: Any) -> Any:
    """An array of 0 to 3 axes, usually (3, 4)."""
    nd = src.integer(2, 0, 3)
    return src.floats(tuple(src.size(3 + i, 0) for i in range(nd)), **kw)


def one(**kw: Any) -> Any:
    """Sampler of a single array of any shape."""
    return lambda src: ((anyshape(src, **kw),), {})


def pair(lo: Any = (-np.inf, np.inf), hi: Any = None) -> Any:
    """Sampler of two arrays that broadcast together."""

    def sampler(src: Any) -> Any:
        shape = [src.size(3, 0), src.size(4, 0)]
        other = [1 if src.chance() else n for n in shape][int(src.chance()) :]
        return (src.floats(shape, *lo), src.floats(other, *(hi or lo))), {}

    return sampler


def axis_of(src: Any, nd: int) -> int:
    """A valid axis, usually the last."""
    return int(src.choice([-1, *range(nd), *range(-nd, -1)]))


def matrix(src: Any, **kw: Any) -> Any:
    """An array of 1 to 3 axes, none empty, and an axis of it."""
    nd = src.integer(2, 1, 3)
    x = src.floats(tuple(src.size(3 + i) for i in range(nd)), **kw)
    return x, axis_of(src, nd)
