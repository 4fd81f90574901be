"""The data of a recorded program: memories, regions of them, and calls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np


class Refused(Exception):
    """The step cannot become a program; the message says why, and on which line."""


class Missed(Exception):
    """A check inside a program failed: the step has to run as it is written."""


class Memory:
    """One block of memory. ``kind``: live, input, temp, constant.

    Live memory belongs to parameters, buffers and states. An input is filled from the arguments at every call. ``own``
    is its array; that of a temporary is not kept, unless it may turn out to be constant (``fixed``).
    """

    __slots__ = ("dtype", "fixed", "id", "kind", "name", "nbytes", "own", "places", "ref", "shape", "strides")

    def __init__(
        self, number: int, kind: str, name: str, shape: Any, strides: Any, dtype: Any, own: Any = None
    ) -> None:  # fmt: skip
        self.id, self.own, self.kind, self.name = number, own, kind, name
        self.shape, self.strides, self.dtype = shape, strides, dtype
        self.nbytes = math.prod(shape) * dtype.itemsize
        self.fixed = kind in ("constant", "temp")
        self.ref: Any = None
        self.places: dict[Any, int] = {}  # numbers of its regions, by where they are

    @property
    def whole(self) -> Region:
        """All of it."""
        return Region(self, 0, self.shape, self.strides, self.dtype)


class Region:
    """An array inside a `Memory`: offset, shape, strides and dtype. Views cost nothing.

    It never changes; the passes put another one in its place.
    """

    __slots__ = ("_full", "_key", "_span", "dtype", "memory", "offset", "shape", "strides")

    def __init__(self, memory: Memory, offset: int, shape: Any, strides: Any, dtype: Any) -> None:
        self.memory, self.offset, self.shape, self.dtype = memory, offset, tuple(shape), dtype
        if 1 in self.shape:
            strides = [0 if n == 1 else t for n, t in zip(shape, strides, strict=True)]
        self.strides = tuple(strides)
        self._key = self._full = self._span = None

    _key: int | None
    _full: bool | None
    _span: tuple[int, int, bool] | None

    @property
    def key(self) -> int:
        """A number that two equal regions of a program have in common."""
        if self._key is None:
            places = self.memory.places
            place = self.offset, self.shape, self.strides, self.dtype.str
            self._key = places.setdefault(place, len(places)) << 32 | self.memory.id
        return self._key

    @property
    def full(self) -> bool:
        """Whether the region covers all of its memory."""
        if self._full is None:
            n = self.dtype.itemsize
            for t, d in sorted(zip(self.strides, self.shape, strict=True)):
                if d != 1:
                    n = n * d if t == n else 0
            self._full = bool(n == self.memory.nbytes)
        return self._full

    def span(self) -> tuple[int, int, bool]:
        """Return the first byte, the one behind the last, and whether everything between is covered."""
        if self._span is None:
            n = self.dtype.itemsize
            low = high = self.offset
            for d, t in zip(self.shape, self.strides, strict=True):
                if t > 0:
                    high += (d - 1) * t
                else:
                    low += (d - 1) * t
            high += n
            solid = high - low == math.prod(self.shape) * n
            if solid and 0 in self.strides:
                solid = all(t != 0 or d == 1 for d, t in zip(self.shape, self.strides, strict=True))
            self._span = low, high, solid
        return self._span


class Call:
    """One NumPy call of the program: what it reads (``ins``, ``words``), what it writes (``outs``), where it is from.

    ``updates``: it reads what it writes, as an in-place write to some elements does. ``quiet``: NumPy's floating-point
    warnings are off.
    """

    __slots__ = ("_form", "_reads", "function", "ins", "kind", "label", "outs", "quiet", "section", "updates", "words")

    def __init__(self, kind: str, function: Any, ins: Any, words: dict[str, Any], outs: list[Region]) -> None:
        self.kind, self.function, self.ins, self.words, self.outs = kind, function, ins, words, outs
        self.label = self.section = ""
        self.updates, self.quiet = kind == "inplace", False
        self._reads: list[Region] | None = None
        self._form: int | None = None

    def form(self, numbers: dict[Any, int]) -> int:
        """Return the number of what equal calls have in common, apart from the regions that they read."""
        if self._form is None:
            parts: list[Any] = []
            for v in flat((self.ins, list(self.words.values()))) if self.words else flat(self.ins):
                if type(v) is Region:
                    parts.append(None)
                else:
                    parts.append(("array", id(v)) if isinstance(v, np.ndarray) else (type(v), repr(v)))
            w = self.outs[0]
            name = self.kind, id(self.function), tuple(self.words), tuple(parts), w.shape, w.strides, w.dtype.str
            self._form = numbers.setdefault(name, len(numbers))
        return self._form

    def reads(self) -> list[Region]:
        """Return every region that the call reads; the list is not to be changed."""
        if self._reads is None:
            self._reads = regions([], self.ins)
            for v in self.words.values() if self.words else ():
                regions(self._reads, v)
        return self._reads

    def swap(self, by: Any) -> None:
        """Put ``by(region)`` in the place of every region that the call reads."""
        for x in self.reads():
            if by(x) is not x:
                self.ins, self._reads = replaced(self.ins, by), None
                if self.words:
                    self.words = {k: replaced(v, by) for k, v in self.words.items()}
                break

    @property
    def may_raise(self) -> bool:
        """Whether the call may find that the program does not fit the numbers."""
        steps = (
            getattr(self.function, "__module__", "") == "tinygrad_lite.native.updates"
        )  # it writes, and does no more
        return self.kind in ("call", "check", "inplace", "take") and not steps


def regions(found: list[Region], value: Any) -> list[Region]:
    """Append the regions in nested lists and tuples to ``found``, and return it."""
    for v in value if type(value) in (list, tuple) else (value,):
        if isinstance(v, Region):
            found.append(v)
        elif type(v) in (list, tuple):
            regions(found, v)
    return found


def flat(value: Any) -> Iterator[Any]:
    """Yield the leaves of nested lists and tuples."""
    for v in value if type(value) in (list, tuple) else (value,):
        if type(v) in (list, tuple):
            yield from flat(v)
        else:
            yield v


def replaced(value: Any, by: Any) -> Any:
    """Return nested lists and tuples with every region replaced by ``by(region)``."""
    kind = type(value)
    if kind is Region:
        return by(value)
    if kind is list or kind is tuple:
        return kind([by(v) if type(v) is Region else replaced(v, by) for v in value])
    return value


def array_of(region: Region, memory: Any = None) -> Any:
    """Return the array of a region, in its own memory or in another block of the same size."""
    own = region.memory.own if memory is None else memory
    if memory is None and own.dtype == region.dtype and own.shape == region.shape and own.strides == region.strides:
        return own
    if not own.flags.c_contiguous:
        order = sorted(range(own.ndim), key=lambda i: -own.strides[i])
        own = own.transpose(order)
        if not own.flags.c_contiguous:
            raise Refused(f"an array of shape {region.memory.own.shape} has gaps in its memory")
    raw = own.reshape(-1).view(np.uint8)
    return np.ndarray(region.shape, region.dtype, raw, region.offset, region.strides)


def contiguous(x: Any) -> tuple[int, ...]:
    """Return the strides of a contiguous array of this shape, 0 for axes of length 1."""
    n, found = x.dtype.itemsize, []
    for d in x.shape[::-1]:
        found.append(n if d != 1 else 0)
        n *= d
    return tuple(found[::-1])
