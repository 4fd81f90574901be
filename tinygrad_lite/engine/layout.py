"""The memory layout of results: where ``.view`` can tell, results lie in memory as PyTorch's do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from numpy import ndarray

from tinygrad_lite.engine import new
from tinygrad_lite.errors import OptionError, ShapeError, describe

Layouts = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


def contiguous(y: Any) -> Any:
    """Return an array in row-major order: itself or a copy."""
    return new.ascontiguousarray(y) if y.ndim else y


def copied(y: Any, x: Any) -> Any:
    """Return a copy of a view whose axes have the order in memory of the axes of the array that it is a view of."""
    if x.flags.c_contiguous:
        return new.array(y, order="C")
    out = empty(y.shape, y.dtype, order_of(x.shape, (x,)), y)
    out[...] = y
    return out


def order_of(shape: tuple[int, ...], operands: Sequence[Any]) -> list[int]:
    """Return the axes of an elementwise result from the fastest to the slowest in memory.

    It is PyTorch's rule: of two axes that one is faster which has the smaller stride in the first operand that
    distinguishes them. Axes of stride 0, such as broadcast ones, distinguish nothing.

    >>> import numpy as np
    >>> order_of((2, 3), [np.ones((3, 2)).T, np.ones((2, 3))])
    [0, 1]
    """
    return list(_order(tuple(shape), _layouts(operands)))


def _layouts(operands: Sequence[Any]) -> Layouts:
    """Return shape and strides of each array with axes."""
    return tuple([(x.shape, x.strides) for x in operands if x.__class__ is ndarray and x.ndim])


@lru_cache(maxsize=1024)
def _order(shape: tuple[int, ...], layouts: Layouts) -> list[int]:
    n = len(shape)
    strides = []
    for sizes, steps in layouts:
        skipped = n - len(sizes)
        own = [0 if k == 1 and m != 1 else s for k, m, s in zip(sizes, shape[skipped:], steps, strict=True)]
        strides.append([0] * skipped + own)
    order = list(range(n))[::-1]
    for i in range(1, n):
        here = i
        for j in range(i - 1, -1, -1):
            found = _slower(order[j], order[here], shape, strides)
            if found < 0:
                break
            if found > 0:
                order[j], order[here] = order[here], order[j]
                here = j
    return order


def _slower(a: int, b: int, shape: tuple[int, ...], strides: list[list[int]]) -> int:
    """Return 1 if axis ``a`` has to stand behind axis ``b``, -1 if before it, 0 if that does not matter."""
    for s in strides:
        if s[a] and s[b]:
            if s[a] != s[b]:
                return 1 if s[a] > s[b] else -1
            if shape[a] > shape[b]:
                return 1
    return 0


def dense(shape: tuple[int, ...], order: Sequence[int]) -> list[int]:
    """Return the strides in elements of an array without gaps whose axes have the given ``order``, fastest first.

    >>> dense((2, 3), [0, 1])
    [1, 2]
    """
    strides, step = [0] * len(shape), 1
    for axis in order:
        strides[axis], step = step, step * max(shape[axis], 1)
    return strides


def arranged(y: Any, operands: Sequence[Any]) -> Any:
    """Return the result of an elementwise op in the memory layout that PyTorch gives it: itself or a copy."""
    if y.ndim < 2 or not y.size:
        return y
    order = _misplaced(y.shape, y.strides, y.itemsize, _layouts(operands))
    if order is None:
        return y
    out = empty(y.shape, y.dtype, order, y)
    out[...] = y
    return out


@lru_cache(maxsize=1024)
def _misplaced(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, layouts: Layouts
) -> list[int] | None:  # fmt: skip
    """Return the `order_of` a result, None if its axes lie in memory so."""
    order = _order(shape, layouts)
    return None if _lies(shape, strides, itemsize, order) else order


def alike(g: Any, x: Any) -> Any:
    """Return a gradient in the memory layout of its leaf ``x`` if that has no gaps, else in row-major order."""
    if x.flags.c_contiguous:
        return contiguous(g)
    order = order_of(x.shape, (x,))
    if not lies_in(x, order):
        return contiguous(g)
    if lies_in(g, order):
        return g
    out = empty(g.shape, g.dtype, order, g)
    out[...] = g
    return out


def empty(shape: tuple[int, ...], dtype: Any, order: Sequence[int], like: Any = None) -> Any:
    """Return an uninitialised array without gaps whose axes have the given ``order`` in memory, fastest first.

    It is of the kind of the array ``like``.
    """
    slowest_first = list(order)[::-1]
    out = new.like(like).empty([shape[i] for i in slowest_first], dtype)
    return out.transpose([slowest_first.index(i) for i in range(len(shape))])


# ------------------------------------------------------------------------------------------------ memory formats
class MemoryFormat:
    """A rule for the order of the axes in memory: ``contiguous_format``, ``preserve_format``, ``channels_last``.

    >>> import tinygrad_lite as tl
    >>> tl.contiguous_format
    torch.contiguous_format
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class Layout(MemoryFormat):
    """How a tensor is stored; there is only ``strided``: an array with a stride for each axis.

    >>> import tinygrad_lite as tl
    >>> tl.zeros(2).layout
    torch.strided
    """

    __slots__ = ()


contiguous_format, preserve_format = MemoryFormat("contiguous_format"), MemoryFormat("preserve_format")
channels_last, channels_last_3d = MemoryFormat("channels_last"), MemoryFormat("channels_last_3d")
strided = Layout("strided")


def order_in(name: str, x: Any, memory_format: Any) -> list[int]:
    """Return the axes of ``x`` from the fastest to the slowest in ``memory_format``; None is ``preserve_format``."""
    n = x.ndim
    if memory_format is None or memory_format is preserve_format:
        return order_of(x.shape, (x,))
    if memory_format is contiguous_format:
        return list(range(n))[::-1]
    if memory_format not in (channels_last, channels_last_3d):
        raise OptionError(
            f"{name}: memory_format must be contiguous_format, preserve_format, channels_last or channels_last_3d, got "
            f"{describe(memory_format)}"
        )
    wanted = 4 if memory_format is channels_last else 5
    if n != wanted:
        raise ShapeError(f"{name}: memory_format {memory_format} is for {wanted} axes, got {describe(x)}")
    return [1, *range(n - 1, 1, -1), 0]


def lies_in(x: Any, order: Sequence[int]) -> bool:
    """Return whether an array has no gaps and its axes have the given ``order`` in memory."""
    return not x.size or _lies(x.shape, x.strides, x.itemsize, order)


def _lies(shape: Sequence[int], strides: Sequence[int], itemsize: int, order: Sequence[int]) -> bool:
    wanted = dense(tuple(shape), order)
    return all(n == 1 or s == w * itemsize for n, s, w in zip(shape, strides, wanted, strict=True))


def reproduced(name: str, x: Any, memory_format: Any = None, like: Any = None) -> Any:
    """Return a copy of an array in ``memory_format``, by default with the order of the axes of itself or ``like``."""
    if memory_format is None and like is None and x.flags.forc:
        return new.array(x)
    out = empty(x.shape, x.dtype, order_in(name, x if like is None else like, memory_format))
    out[...] = x
    return out
