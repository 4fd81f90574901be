"""The line of the user's program that an op was called from."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import warnings
from types import CodeType, FrameType

Place = tuple[CodeType, int]
"""A (code object, instruction offset): kept with every node, turned into a line only when it is asked for."""


NOWHERE: Place = (compile("", "<no line>", "exec"), 0)
"""The place of a node that no line of the user's program recorded."""


class Files(dict[str, bool]):
    """Whether a source file belongs to this package, by its name; computed once per name."""

    def __init__(self) -> None:
        here = os.path.dirname(os.path.dirname(__file__))
        rooms = (here, *(os.path.realpath(os.path.join(here, room)) for room in ("nn", "models")))
        self.ours = ("<tinygrad_lite ", *(room + os.sep for room in rooms))

    def __missing__(self, name: str) -> bool:
        self[name] = mine = name.startswith(self.ours)
        return mine


OURS = Files()


def user_frame(frame: FrameType) -> FrameType:
    """Return the nearest frame from ``frame`` outwards that is not this package's own."""
    here: FrameType | None = frame
    while here is not None and OURS[here.f_code.co_filename]:
        here = here.f_back
    return here or frame


def warn(text: str) -> None:
    """Issue a UserWarning at the nearest line outside this package."""
    frame = user_frame(sys._getframe(1))
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, UserWarning, frame.f_code.co_filename, frame.f_lineno, registry=registry)


def line_of(source: Place | None) -> str:
    """Turn a (code object, instruction offset) into ``file:line: text``."""
    if source is None or source is NOWHERE:
        return "an unknown line"
    code, offset = source
    number = next(itertools.islice(code.co_positions(), offset // 2, None), (code.co_firstlineno,))[0]
    text = linecache.getline(code.co_filename, number or 0).strip()
    return f"{code.co_filename}:{number}" + (f": {text}" if text else "")
