"""Where in the user's program an op was called."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = str(Path(__file__).parents[1])
ROOMS = tuple(str(Path(HERE, room).resolve()) for room in ("nn", "models"))


@lru_cache(maxsize=4096)
def inside(file: str) -> bool:
    """Whether a source file belongs to this package."""
    return file.startswith((HERE, *ROOMS, "<tinygrad_lite"))


@lru_cache(maxsize=4096)
def short(file: str) -> str:
    """Return a file name that reads the same on every machine: from the current folder, or the last two parts."""
    path = Path(file)
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return "/".join(path.parts[-2:]) if path.is_absolute() else file


def place_of(frame: Any) -> str:
    """Return ``file:line`` of the innermost call outside this package."""
    here = frame
    while here is not None and inside(here.f_code.co_filename):
        here = here.f_back
    here = here or frame
    return f"{short(here.f_code.co_filename)}:{here.f_lineno}"
